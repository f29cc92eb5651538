from odoo import api, fields, models

from .outcome import line_cost

#: What is invoiced, and what is refunded.
_SALES = ("out_invoice", "out_refund")
#: Fields of outcomes that are divided among payments.
_AMOUNTS = ("amount", "company_amount", "margin")


class AccountMove(models.Model):
    """What comes of orders by their invoices, refunds and payments."""

    _inherit = "account.move"

    def write(self, vals):
        result = super().write(vals)
        if "state" in vals:
            self._nurture_note_changed()
        return result

    def _nurture_note_changed(self):
        """Have the ledger look at the orders of these invoices."""
        moves = self.sudo().filtered(lambda move: move.move_type in _SALES)
        if moves:
            orders = moves.invoice_line_ids.sale_line_ids.order_id
            self.env["nurture.outcome"]._note_changed(orders)

    def _nurture_get_outcomes(self, order):
        """What came of a lead by this posted invoice or refund, as far as it is of ``order``.

        Whatever settles an invoice pays a part of each of its lines. Amounts are the differences of
        what was paid up to each payment, so that they add up to the invoice to the cent.

        :return: list of values of ``nurture.outcome``
        """
        self.ensure_one()
        whole = self._nurture_get_amounts(order)
        values = {"move_id": self.id, "currency_id": self.currency_id.id}
        outcomes = [
            {
                **values,
                **whole,
                "key": f"invoiced:{self.id}:{order.id}",
                "kind": "invoiced",
                "date": _noon(self.invoice_date or self.date),
            }
        ]
        settled, before = 0.0, dict.fromkeys(_AMOUNTS, 0.0)
        for partial, amount in self._nurture_get_settlements():
            settled += amount
            part = min(settled / abs(self.amount_total), 1.0) if self.amount_total else 0.0
            after = {name: self._nurture_round(name, whole[name] * part) for name in _AMOUNTS}
            kind = self._nurture_get_kind(partial)
            # no amount: what the rate has changed since
            if kind and not self.currency_id.is_zero(amount):
                outcomes.append(
                    {
                        **values,
                        "key": f"settled:{partial.id}:{self.id}:{order.id}",
                        "kind": kind,
                        "date": _noon(partial.max_date),
                        "is_margin_known": whole["is_margin_known"],
                        **{
                            name: self._nurture_round(name, after[name] - before[name])
                            for name in _AMOUNTS
                        },
                    }
                )
            before = after
        return outcomes

    def _nurture_round(self, name, amount):
        """An amount in the currency of the field ``name`` of outcomes."""
        currency = self.currency_id if name == "amount" else self.company_currency_id
        return currency.round(amount)

    def _nurture_get_kind(self, partial):
        """What it is that settled the invoice: ``paid`` by money, ``refunded`` where a refund is on
        one of the sides; None, where nothing was earned by it: what was written off, or settled
        with a refund that is of no order, and so not in the ledger either."""
        other = (partial.debit_move_id | partial.credit_move_id).move_id - self
        if self.move_type == "out_refund":
            return "refunded"
        if other.move_type == "out_refund":
            return "refunded" if other.invoice_line_ids.sale_line_ids else None
        is_money = (
            other.origin_payment_id
            or other.statement_line_id
            or other.journal_id.type in ("bank", "cash", "credit")
        )
        return "paid" if is_money else None

    def _nurture_get_amounts(self, order):
        """What was invoiced of ``order``, untaxed, negative for a refund. A line is of the order of
        its first line of an order."""
        lines = self.invoice_line_ids.filtered(
            lambda line: (
                line.display_type == "product"
                and line.sale_line_ids.sorted("id")[:1].order_id == order
            )
        )
        sign = -1 if self.move_type == "out_refund" else 1
        # revenue is on the credit side of the books
        company_amount = -sum(lines.mapped("balance"))
        cost = line_cost(
            (line.product_id.with_company(self.company_id), line.quantity, line.product_uom_id)
            for line in lines
        )
        currency = self.company_currency_id
        return {
            "amount": sign * sum(lines.mapped("price_subtotal")),
            "company_amount": currency.round(company_amount),
            "is_margin_known": cost is not None,
            "margin": currency.round(company_amount - sign * cost) if cost is not None else 0.0,
        }

    def _nurture_get_settlements(self):
        """What settled the invoice, the earliest first: payments, refunds, and what else an
        accountant reconciled with it.

        :return: list of partial reconciliations, each with the amount in the invoice's currency
        """
        receivable = self.line_ids.filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        settlements = [
            (partial, partial.debit_amount_currency) for partial in receivable.matched_credit_ids
        ] + [(partial, partial.credit_amount_currency) for partial in receivable.matched_debit_ids]
        return sorted(settlements, key=lambda one: (one[0].max_date, one[0].id))


class AccountPartialReconcile(models.Model):
    """Payments are what invoices are reconciled with."""

    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._nurture_get_moves()._nurture_note_changed()
        return partials

    def unlink(self):
        moves = self._nurture_get_moves()
        result = super().unlink()
        moves.exists()._nurture_note_changed()
        return result

    def _nurture_get_moves(self):
        return (self.debit_move_id | self.credit_move_id).move_id


def _noon(date):
    """Documents of the books have a day: noon is that day in most of the world."""
    return fields.Datetime.to_datetime(f"{date} 12:00:00")
