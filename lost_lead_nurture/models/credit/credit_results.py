from odoo import api, fields, models
from odoo.fields import Domain

from ..core.results_mixin import EARNED

#: What is counted of credits: the field whose records are counted, and of which kinds.
_COUNTED = {
    "leads": ("lead_id", ("restored", "meeting", "quotation", "order")),
    "quotations": ("order_id", ("quotation", "order")),
    "orders": ("order_id", ("order",)),
    "invoices": ("move_id", EARNED),
}


class NurtureCredit(models.Model):
    """What came of mailings, steps, sequences, presets, lost reasons, leads and contacts: counted,
    and opened, in one place, by the last touch. Who sees what is up to who asks."""

    _inherit = "nurture.credit"

    @api.model
    def _get_domain(self, statistic, domain):
        """The credits behind ``leads``, ``quotations``, ``orders`` or ``invoices``.

        :param domain: of the credits that count
        """
        field, kinds = _COUNTED[statistic]
        return (
            Domain("model", "=", "last")
            & Domain(field, "!=", False)
            & Domain("kind", "in", kinds)
            & Domain(domain)
        )

    @api.model
    def _count(self, statistic, by, domain):
        """How many records came of it, whosever they are.

        :param by: the field of the credits to count by
        :return: ``{id: number}``
        """
        self.env["nurture.outcome"]._catch_up()
        field, _kinds = _COUNTED[statistic]
        rows = self.sudo()._read_group(
            self._get_domain(statistic, domain), [by], [f"{field}:count_distinct"]
        )
        return {record.id: number for record, number in rows}

    @api.model
    def _earned(self, by, domain, get_currency):
        """What was earned: untaxed, paid less refunded.

        :param by: the field of the credits to add up by
        :param get_currency: gives the currency to add up in for a record
        :return: ``{id: amount}``
        """
        earned = Domain("kind", "in", EARNED) & Domain(domain)
        return self._add_up("company_amount", by, earned, get_currency)

    @api.model
    def _add_up(self, name, by, domain, get_currency):
        """Add up the amount ``name`` of credits, by the last touch; what is in other currencies is
        converted at today's rate. Arguments and what is returned as :meth:`_earned`."""
        self.env["nurture.outcome"]._catch_up()
        rows = self.sudo()._read_group(
            Domain("model", "=", "last") & Domain(domain), [by, "company_id"], [f"{name}:sum"]
        )
        today = fields.Date.context_today(self)
        amounts = {}
        for record, company, amount in rows:
            currency = get_currency(record)
            amount = company.currency_id._convert(amount, currency, company, today)
            amounts[record.id] = amounts.get(record.id, 0.0) + amount
        return amounts

    @api.model
    def _open(self, statistic, name, domain):
        """Open the records behind a statistic, as far as they are the user's to see.

        :param name: what they are called
        """
        return self.env["nurture.sequence"]._open_documents(name, self._get(statistic, domain))

    @api.model
    def _get(self, statistic, domain):
        """The records behind a statistic, whosever they are."""
        self.env["nurture.outcome"]._catch_up()
        field, _kinds = _COUNTED[statistic]
        return self.sudo().search(self._get_domain(statistic, domain))[field]
