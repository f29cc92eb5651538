import logging
from collections import defaultdict

from odoo import api, fields, models

from ...tools.addresses import canonical
from ...tools.transaction import attempt
from .outcome import line_cost

_logger = logging.getLogger(__name__)

#: Quotations that nobody has ordered.
NOT_ORDERED = ("draft", "sent", "cancel")


class SaleOrder(models.Model):
    """What comes of leads by quotations and orders."""

    _inherit = "sale.order"

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        self.env["nurture.outcome"]._note_changed(orders)
        orders._nurture_check_goals()
        return orders

    def write(self, vals):
        result = super().write(vals)
        if {"state", "opportunity_id", "partner_id", "date_order", "company_id"} & vals.keys():
            self.env["nurture.outcome"]._note_changed(self)
        if {"state", "opportunity_id", "partner_id"} & vals.keys():
            self._nurture_check_goals()
        return result

    def _compute_amounts(self):  # pylint: disable=missing-return
        super()._compute_amounts()
        self.env["nurture.outcome"]._note_changed(self.browse(id_ for id_ in self._ids if id_))

    # ------------------------------------------------------------
    # GOALS OF SEQUENCES
    # ------------------------------------------------------------

    def _nurture_check_goals(self):
        """A quotation or an order is a goal of sequences, and an order lets leads into others."""
        if "sale" in self.mapped("state"):
            self.env["nurture.sequence"]._note_behaviour("order")
        participants = self.env["nurture.participant"].sudo()
        if participants._is_idle():
            return
        orders = self.sudo().filtered(lambda order: order.state != "cancel")
        of_customers = orders._nurture_get_leads_of_customers()
        leads = orders.opportunity_id.union(*of_customers.values())
        if not participants.search_count([("lead_id", "in", leads.ids)], limit=1):
            return
        now = fields.Datetime.now()
        for order in orders:
            participants._check_goals(
                order.opportunity_id | of_customers[order],
                date=min(order.date_order or now, now),
            )
        orders.filtered(lambda order: order.state == "sale")._nurture_win_silent(of_customers)

    def _nurture_win_silent(self, of_customers):
        """Whoever was silent and has ordered is won: the leads of their silence that are in the
        pipeline. Nothing that goes wrong here keeps a customer from ordering.

        :param of_customers: ``{order: leads}``
        """

        def on_error(_error):
            _logger.exception("The leads of silent customers could not be won for %s", self)

        for order in self:
            leads = of_customers[order].filtered(
                lambda lead, order=order: (
                    lead.nurture_silent_since
                    and lead.won_status == "pending"
                    and lead.company_id == order.company_id
                    and order.date_order > lead.nurture_silent_since
                )
            )
            if leads:
                with attempt(self.env, on_error):
                    leads.action_set_won()

    # ------------------------------------------------------------
    # OUTCOMES
    # ------------------------------------------------------------

    def _nurture_find_outcome_leads(self, known):
        """The lead that each of these orders came of: its opportunity, else the lead of its
        customer, of the customer's company or of the address that was touched last. That is so,
        too, where somebody made a new opportunity for whoever had been reached: a lead that is
        held out stays lost. Leads of other companies are none.

        :param known: outcomes that these orders have; they stay with their lead
        :return: ``{order: (lead, when it was first reached)}``, orders without one left out
        """
        leads = self.env["crm.lead"]
        outcomes = self.env["nurture.outcome"]
        reached = outcomes._get_reached(self.opportunity_id)
        others = self.filtered(lambda order: order.opportunity_id not in reached)
        of_customers = others._nurture_get_leads_of_customers()
        reached |= outcomes._get_reached(leads.union(*of_customers.values()))
        candidates = {}
        for order in self:
            own = of_customers.get(order, order.opportunity_id)
            candidates[order] = own.filtered(
                lambda lead, order=order: (
                    lead in reached and order._nurture_may_come_of(lead, reached[lead])
                )
            )
        several = leads.union(*(own for own in candidates.values() if len(own) > 1))
        touches = self.env["nurture.credit"]._get_last_touch(several, fields.Datetime.now())
        kept = {outcome.order_id: outcome.lead_id for outcome in known}
        never = fields.Datetime.to_datetime("1970-01-01")

        def get_last_reached(lead):
            return touches.get(lead, {}).get("touch_date", never), reached[lead], lead.id

        found = {}
        for order, own in candidates.items():
            if own:
                lead = kept.get(order, leads) & own or max(own, key=get_last_reached)
                found[order] = lead, reached[lead]
        return found

    def _nurture_may_come_of(self, lead, since):
        """Whether the order may be of a lead: of its opportunity, or where that was made after the
        lead had been reached. What was in the pipeline before is another deal, and so is what is
        sold by another company.

        :param since: when the lead was reached
        """
        if lead.company_id.id not in (False, self.company_id.id):
            return False
        other = self.opportunity_id
        return other in (lead, lead.browse()) or other.create_date >= since

    def _nurture_get_leads_of_customers(self):
        """The leads of the customers of these orders, of their colleagues and of their addresses.
        Constant queries, however many orders.

        :return: ``{order: leads}``
        """
        leads = self.env["crm.lead"]
        by_customer, by_address = defaultdict(leads.browse), defaultdict(leads.browse)
        for lead in leads._nurture_leads_of(self.partner_id) if self else ():
            by_customer[lead.partner_id.commercial_partner_id] |= lead
            by_address[_address_of(lead)] |= lead
        # who has no customer, or no address, has none in common with others
        by_customer.pop(self.partner_id.browse(), None)
        by_address.pop(None, None)
        return {
            order: by_customer[order.partner_id.commercial_partner_id]
            | by_address[_address_of(order.partner_id)]
            for order in self
        }

    def _nurture_get_outcomes(self, known):
        """What came of a lead by this order.

        :param known: the outcomes that it has
        :return: list of values of ``nurture.outcome``
        """
        self.ensure_one()
        made = self._nurture_get_made(known)
        common = {
            "partner_id": self.partner_id.id,
            "order_id": self.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
            "deal_date": made,
        }
        outcomes = []
        kinds = {"draft": ["quotation"], "sent": ["quotation"], "sale": ["quotation", "order"]}
        for kind in kinds.get(self.state, []):
            date = made if kind == "quotation" else self.date_order
            dates = {"date": date, "credit_date": date}
            outcomes.append(
                self._nurture_get_amounts(kind) | dates | {"kind": kind, "key": f"{kind}:{self.id}"}
            )
        for move in self.invoice_ids.filtered(lambda move: move.state == "posted"):
            outcomes += move._nurture_get_outcomes(self)
        return [common | {"credit_date": self.date_order} | values for values in outcomes]

    def _nurture_get_made(self, known):
        """When the quotation was made. Confirmed orders have the date of that."""
        quotation = known.filtered(lambda outcome: outcome.kind == "quotation")
        if self.state in ("draft", "sent"):
            return self.date_order or self.create_date
        return (quotation or known)[:1].deal_date or min(self.create_date, self.date_order)

    def _nurture_get_amounts(self, kind):
        """Untaxed, in both currencies, and what is left of it. A discount is granted once the
        customer has ordered.

        :param kind: ``quotation`` or ``order``
        """
        currency = self.company_id.currency_id
        rate = self.currency_rate or 1.0
        company_amount = currency.round(self.amount_untaxed / rate)
        cost = line_cost(
            (
                line.product_id.with_company(self.company_id),
                line.product_uom_qty,
                line.product_uom_id,
            )
            for line in self.order_line
            if not line.display_type
        )
        return {
            "amount": self.amount_untaxed,
            "company_amount": company_amount,
            "is_margin_known": cost is not None,
            "margin": company_amount - currency.round(cost) if cost is not None else 0.0,
            "discount": (
                currency.round(self.order_line._nurture_get_discount() / rate)
                if kind == "order"
                else 0.0
            ),
        }


def _address_of(record):
    """The address of a lead or contact in its one spelling, or None."""
    address = record.email_normalized
    return canonical(address) if address else None
