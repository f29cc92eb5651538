from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Payment states of invoices that are settled: paid or, which nets out with their refund, reversed.
_SETTLED = ("paid", "in_payment", "reversed")


class AccountMoveLine(models.Model):
    """What was earned: the one definition of Invoiced, whatever it is credited to. It is what was
    paid, less what was paid back, untaxed."""

    _inherit = "account.move.line"

    @api.model
    def _nurture_paid_domain(self):
        """Lines that count: of settled invoices, and of refunds of such."""
        # what an unpaid invoice is reduced by was never earned
        of_nothing = Domain("move_id.reversed_entry_id", "!=", False) & Domain(
            "move_id.reversed_entry_id.payment_state", "not in", _SETTLED
        )
        return (
            Domain("parent_state", "=", "posted")
            & Domain("move_id.payment_state", "in", _SETTLED)
            & ~of_nothing
        )

    @api.model
    def _nurture_add_up(self, credited):
        """Add up what lines earned. One query, however many keys.

        :param credited: SELECT of ``key`` and ``id`` of a line; a line counts once per key
        :return: ``{key: {currency: amount}}``, in the currencies of the companies
        """
        self.flush_model(["balance", "company_currency_id"])
        rows = self.env.execute_query(
            SQL(
                """
                -- revenue is on the credit side of the books
                SELECT credited.key, line.company_currency_id, -SUM(line.balance)
                  FROM (SELECT DISTINCT pair.key, pair.id FROM (%s) pair) credited
                  JOIN account_move_line line ON line.id = credited.id
              GROUP BY credited.key, line.company_currency_id
                """,
                credited,
            )
        )
        currencies = self.env["res.currency"].sudo()
        amounts = {}
        for key, currency_id, amount in rows:
            amounts.setdefault(key, {})[currencies.browse(currency_id)] = amount
        return amounts

    @api.model
    def _nurture_convert(self, amounts, currency):
        """The sum of ``amounts``, as :meth:`_nurture_add_up` gives them for a key, in
        ``currency``."""
        today = fields.Date.context_today(self)
        return sum(
            own._convert(amount, currency, self.env.company, today)
            for own, amount in (amounts or {}).items()
        )

    @api.model
    def _nurture_open_invoices(self, domain):
        """Open the invoices and refunds of the lines in ``domain``, as far as they are paid."""
        lines = self.sudo().search(Domain(domain) & self._nurture_paid_domain())
        name = self.env._("Invoiced (Paid)")
        return self.env["nurture.sequence"]._open_documents(name, lines.move_id)
