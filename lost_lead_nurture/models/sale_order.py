from odoo import api, fields, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _inherit = "sale.order"

    nurture_participant_id = fields.Many2one(
        "nurture.participant",
        string="Won Back By",
        compute="_compute_nurture_participant_id",
        store=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        help="The way through a nurture sequence that brought the opportunity of this quotation "
        "back.",
    )

    @api.depends("opportunity_id")
    def _compute_nurture_participant_id(self):
        """Credit a quotation once, to the last sequence its lead was won back by. What it was
        credited to stays, whatever becomes of the lead."""
        credited = {}
        for participant in (
            self.env["nurture.participant"]
            .sudo()
            .search(
                [("lead_id", "in", self.opportunity_id.ids), ("won_back_date", "!=", False)],
                order="won_back_date, id",
            )
        ):
            credited[participant.lead_id] = participant
        for order in self:
            participant = credited.get(order.opportunity_id)
            order.nurture_participant_id = (
                participant if order._nurture_counts(participant) else False
            )

    def _nurture_counts(self, participant):
        """Whether the quotation was made in the window after the lead came back."""
        if not participant:
            return False
        window = participant.sequence_id.window_days
        return self.date_order <= fields.Datetime.add(participant.won_back_date, days=window)

    def _nurture_paid_invoices(self):
        """The invoices and refunds of these orders that are paid."""
        return self.invoice_ids.filtered(
            lambda move: move.state == "posted" and move.payment_state in ("paid", "in_payment")
        )

    @api.model
    def _nurture_invoiced_amount(self, domain):
        """Untaxed total of the paid invoices of the orders in ``domain``, in the company's
        currency."""
        orders = self.search(Domain(domain) & Domain("invoice_status", "!=", "no"))
        return sum(orders._nurture_paid_invoices().mapped("amount_untaxed_signed"))
