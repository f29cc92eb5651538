from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL


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
        # a customer reads own orders in the portal, but not what we call the lead
        groups="base.group_user",
        help="The way through a nurture sequence that brought the opportunity of this quotation "
        "back.",
    )

    @api.depends("opportunity_id")
    def _compute_nurture_participant_id(self):
        """Credit a quotation once, to the last sequence its lead was won back by. One that is made
        for no opportunity is credited by its customer. What it was credited to stays, whatever
        becomes of the lead."""
        for order in self:
            kept = order.nurture_participant_id.sudo()
            lead = order.opportunity_id
            if not kept or (lead and kept.lead_id != lead):
                won_back = order._nurture_won_back_by()
                kept = won_back if order._nurture_counts(won_back) else False
            order.nurture_participant_id = kept

    def _nurture_won_back_by(self):
        """The way through a sequence that won the opportunity, or the customer, back last."""
        leads = self.opportunity_id or self.env["crm.lead"]._nurture_leads_of(self.partner_id)
        return (
            self.env["nurture.participant"]
            .sudo()
            .search(
                [
                    ("lead_id", "in", leads.ids),
                    ("won_back_date", "!=", False),
                    ("company_id", "in", [self.company_id.id, False]),
                ],
                order="won_back_date desc, id desc",
                limit=1,
            )
        )

    def _nurture_counts(self, participant):
        """Whether the quotation was made in the window after the lead came back."""
        if not participant or not self.date_order:
            return False
        back = participant.won_back_date
        return back <= self.date_order <= back + timedelta(days=participant.sequence_id.window_days)

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create([self._without_credit(vals) for vals in vals_list])
        orders._nurture_check_goals()
        return orders

    def write(self, vals):
        result = super().write(self._without_credit(vals))
        if {"state", "opportunity_id", "partner_id"} & vals.keys():
            self._nurture_check_goals()
        return result

    def _nurture_check_goals(self):
        """A quotation or an order is a goal of sequences, and credited to the one it ends."""
        participants = self.env["nurture.participant"].sudo()
        if participants._is_idle():
            return
        orders = self.sudo().filtered(lambda order: order.state != "cancel")
        lead_model = self.env["crm.lead"]
        leads = orders.opportunity_id | lead_model._nurture_leads_of(orders.partner_id)
        if not participants.search_count([("lead_id", "in", leads.ids)], limit=1):
            return
        now = fields.Datetime.now()
        for order in orders:
            participants._check_goals(
                order.opportunity_id | lead_model._nurture_leads_of(order.partner_id),
                # the order has to be found in the window that begins with it
                date=min(order.date_order or now, now),
            )
        uncredited = orders.filtered(lambda order: not order.nurture_participant_id)
        self.env.add_to_compute(self._fields["nurture_participant_id"], uncredited)

    @api.model
    def _without_credit(self, vals):
        """Whom a quotation is credited to is worked out, not written."""
        return {name: value for name, value in vals.items() if name != "nurture_participant_id"}

    @api.model
    def _nurture_paid_lines_domain(self, domain):
        """Invoice lines of the orders in ``domain`` on invoices that are paid or, which nets out
        with their refund, reversed. Other orders may be on the same invoices."""
        return [
            ("sale_line_ids.order_id", "any", domain),
            ("parent_state", "=", "posted"),
            ("move_id.payment_state", "in", ("paid", "in_payment", "reversed")),
        ]

    @api.model
    def _nurture_open_invoices(self, domain):
        """Open the invoices and refunds behind the amount invoiced of the orders in ``domain``."""
        lines = self.env["account.move.line"].search(self._nurture_paid_lines_domain(domain))
        return self.env["nurture.sequence"]._open_list(
            "account.move", self.env._("Invoiced"), [("id", "in", lines.move_id.ids)]
        )

    @api.model
    def _nurture_invoiced_amount(self, domain):
        """Untaxed total of what was paid for the orders in ``domain``, in the company's
        currency."""
        lines = self.env["account.move.line"].sudo()
        ((balance,),) = lines._read_group(
            self._nurture_paid_lines_domain(domain), [], ["balance:sum"]
        )
        # revenue is on the credit side of the books
        return -(balance or 0.0)

    @api.model
    def _nurture_invoiced_by_sequence(self, sequences):
        """Untaxed total of what was paid for the quotations of each sequence, in the currency of
        its company. One query, however many sequences.

        :return: ``{id of the sequence: amount}``
        """
        orders = [("nurture_participant_id.sequence_id", "in", sequences.ids)]
        lines = (
            self.env["account.move.line"].sudo()._search(self._nurture_paid_lines_domain(orders))
        )
        rows = self.env.execute_query(
            SQL(
                """
                -- revenue is on the credit side of the books
                SELECT sequence_id, -SUM(balance)
                  FROM (SELECT DISTINCT participant.sequence_id, line.id, line.balance
                          FROM account_move_line line
                          JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = line.id
                          JOIN sale_order_line ON sale_order_line.id = rel.order_line_id
                          JOIN sale_order ON sale_order.id = sale_order_line.order_id
                          JOIN nurture_participant participant
                            ON participant.id = sale_order.nurture_participant_id
                         WHERE line.id IN %(lines)s
                           AND participant.sequence_id = ANY(%(sequences)s)) invoiced
              GROUP BY sequence_id
                """,
                lines=lines.subselect(),
                sequences=list(sequences.ids),
            )
        )
        return dict(rows)
