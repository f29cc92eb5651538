from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.inside import without_defaults


class SaleOrder(models.Model):
    _inherit = "sale.order"

    nurture_participant_id = fields.Many2one(
        "nurture.participant",
        string="Won Back By",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        # a customer reads own orders in the portal, but not what we call the lead
        groups="base.group_user",
        help="The journey through a nurture sequence that won the opportunity of this quotation "
        "back.",
    )

    nurture_credit_id = fields.Many2one(
        "nurture.credit",
        string="Won Back By a Mailing",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        copy=False,
        # worked out, and nobody's to write
        groups="base.group_system",
        help="The plain mailing that brought the opportunity of this quotation back, if it was no "
        "sequence.",
    )

    def _nurture_credit_participants(self):
        """Credit each of these quotations once, to the last sequence its lead was won back by. One
        that is made for no opportunity is credited by its customer. What it was credited to stays,
        whatever becomes of the lead. Nothing else writes the field, which clients cannot."""
        orders = self.sudo()
        participants = self.env["nurture.participant"].sudo()
        if participants._is_idle():
            return
        credited = defaultdict(orders.browse)
        due = orders.filtered(lambda order: order._nurture_is_to_credit())
        for order, won_back in due._nurture_get_won_back():
            counts = order._nurture_counts(won_back) and not order._nurture_find_credit()
            participant = won_back if counts else participants
            if order.nurture_participant_id != participant:
                credited[participant] += order
        for participant, earned in credited.items():
            # not by our own write, which leaves the field out
            # pylint: disable-next=super-method-mismatch
            super(SaleOrder, earned).write({"nurture_participant_id": participant.id})

    def _nurture_is_to_credit(self):
        """Whether nothing is credited with the quotation, or what is has to do with another lead
        than its opportunity."""
        kept, lead = self.nurture_participant_id, self.opportunity_id
        return not kept or bool(lead and kept.lead_id != lead)

    def _nurture_get_won_back(self):
        """Who of these quotations' leads was won back by a sequence, by two queries where that is
        none of them.

        :return: pairs of a quotation and its participant, or none
        """
        participants = self.env["nurture.participant"].sudo()
        leads = self.opportunity_id | self.env["crm.lead"]._nurture_leads_of(self.partner_id)
        won_back = [("lead_id", "in", leads.ids), ("won_back_date", "!=", False)]
        if not (leads and participants.search_count(won_back, limit=1)):
            return [(order, participants) for order in self]
        return [(order, order._nurture_won_back_by()) for order in self]

    def _nurture_get_leads(self):
        """The opportunity of the quotation, or the leads of its customer."""
        return self.opportunity_id or self.env["crm.lead"]._nurture_leads_of(self.partner_id)

    def _nurture_won_back_by(self):
        """The journey through a sequence that won the opportunity, or the customer, back last."""
        leads = self._nurture_get_leads()
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
        """Whether the quotation was made in the attribution window after the lead was won back."""
        if not participant or not self.date_order:
            return False
        since = participant.won_back_date
        window = timedelta(days=participant.sequence_id.window_days)
        return since <= self.date_order <= since + window

    @api.model_create_multi
    def create(self, vals_list):
        model = without_defaults(self, ["nurture_participant_id"])
        vals_list = [self._without_credit(vals) for vals in vals_list]
        orders = super(SaleOrder, model).create(vals_list)
        # to what won the lead back before, then to what does now
        orders._nurture_credit_participants()
        orders._nurture_check_goals()
        return orders

    def write(self, vals):
        result = super().write(self._without_credit(vals))
        if "opportunity_id" in vals:
            self._nurture_credit_participants()
        if {"state", "opportunity_id", "partner_id"} & vals.keys():
            self._nurture_check_goals()
        return result

    def _nurture_check_goals(self):
        """A quotation or an order is a goal of sequences, and credited to what won its lead
        back."""
        if self.env["nurture.credit"]._is_nothing_to_credit():
            return
        orders = self.sudo().filtered(lambda order: order.state != "cancel")
        orders._nurture_notify_sequences()
        orders._nurture_credit_mailings()

    def _nurture_find_credit(self):
        """The plain mailing that won the opportunity, or the customer, back after any sequence
        did, with its attribution window still open for this quotation."""
        mailings = self.env["nurture.credit"]
        if mailings._is_idle():
            return mailings
        won_back = self._nurture_won_back_by()
        credit = mailings._last_of(self._nurture_get_leads(), self.company_id)
        is_last = not won_back or (credit and credit.date > won_back.won_back_date)
        return credit if is_last and credit._is_in_window(self.date_order) else mailings

    def _nurture_credit_mailings(self):
        """Credit quotations to the plain mailings that won their leads back. What a quotation was
        credited to stays."""
        if self.env["nurture.credit"]._is_idle():
            return
        for order in self:
            kept, lead = order.nurture_credit_id, order.opportunity_id
            if kept and (not lead or kept.lead_id == lead):
                continue
            credit = kept.browse() if order.nurture_participant_id else order._nurture_find_credit()
            if credit != kept:
                order.nurture_credit_id = credit

    def _nurture_notify_sequences(self):
        """Let whoever reaches a goal by these quotations leave, and credit them."""
        orders = self
        participants = self.env["nurture.participant"].sudo()
        if participants._is_idle():
            return
        lead_model = self.env["crm.lead"]
        leads = orders.opportunity_id | lead_model._nurture_leads_of(orders.partner_id)
        if not participants.search_count([("lead_id", "in", leads.ids)], limit=1):
            return
        now = fields.Datetime.now()
        for order in orders:
            participants._check_goals(
                order.opportunity_id | lead_model._nurture_leads_of(order.partner_id),
                # the order has to be found in the attribution window that begins with it
                date=min(order.date_order or now, now),
            )
        orders.filtered(
            lambda order: not order.nurture_participant_id
        )._nurture_credit_participants()

    @api.model
    def _without_credit(self, vals):
        """Whom a quotation is credited to is worked out, not written."""
        return {name: value for name, value in vals.items() if name != "nurture_participant_id"}

    @api.model
    def _nurture_invoiced_by(self, column, ids, domain=()):
        """What was paid for the quotations credited to journeys through sequences, by a column of
        those journeys.

        :param column: of ``nurture_participant``: ``sequence_id``, ``lost_reason_id`` or ``id``
        :param ids: values of the column
        :param domain: of the quotations that count; without one, all
        :return: ``{value: {currency: amount}}``
        """
        orders = self.sudo()._search(
            Domain(f"nurture_participant_id.{column}", "in", ids) & Domain(domain)
        )
        lines = self.env["account.move.line"].sudo()
        paid = lines._search(lines._nurture_paid_domain())
        self.env["sale.order.line"].flush_model(["order_id", "invoice_lines"])
        return lines._nurture_add_up(
            SQL(
                """
                SELECT participant.%(column)s AS key, rel.invoice_line_id AS id
                  FROM nurture_participant participant
                  JOIN sale_order ON sale_order.nurture_participant_id = participant.id
                  JOIN sale_order_line ON sale_order_line.order_id = sale_order.id
                  JOIN sale_order_line_invoice_rel rel ON rel.order_line_id = sale_order_line.id
                 WHERE sale_order.id IN %(orders)s AND rel.invoice_line_id IN %(paid)s
                """,
                column=SQL.identifier(column),
                orders=orders.subselect(),
                paid=paid.subselect(),
            )
        )

    @api.model
    def _nurture_open_invoices(self, domain):
        """Open the invoices and refunds behind the amount invoiced of the orders in ``domain``."""
        return self.env["account.move.line"]._nurture_open_invoices(
            [("sale_line_ids.order_id", "any", domain)]
        )
