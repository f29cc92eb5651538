"""From the won-back lead to the payment and the refund, step by step as salespeople and bookkeepers
go; each step is noted in the books of the story."""

from dataclasses import dataclass, field
from decimal import Decimal

from .books import cents
from .cast import DEALS, INVOICED, ORDERED, PAID, PRICE, quantity

#: The sales tax of the companies of the story.
TAX = Decimal("0.15")


@dataclass(frozen=True)
class Product:
    """What is sold.

    :param id: of the product in Odoo
    :param price: its sales price, in the currency of the company that sells it
    :param cost: what a piece costs; None, where nobody has said so
    """

    id: int
    price: Decimal
    cost: Decimal | None = None


@dataclass(eq=False)
class Deal:
    """A deal about a lead.

    :param seller: the `rpc.User` who makes it
    :param books: where it is noted
    :param lead: the address of the lead, `lead_id` its id
    :param price: of a piece, in the currency of the deal
    :param pricelist: id of the pricelist of that currency; None for the company's own
    :param rates: ``{day: units of that currency for one of the company's}``, from each of these
        days on; 1, where there are none
    """

    seller: object
    books: object
    lead: str
    lead_id: int
    product: Product
    pieces: int
    price: Decimal
    pricelist: int | None = None
    rates: dict = field(default_factory=dict)
    order: int = 0
    customer: int = 0
    invoices: set = field(default_factory=set)  # paid in part at least, or refunded
    touched: tuple = ()

    def quote(self, day=None):
        """Use the lead's button New Quotation, which asks about the customer first.

        :param day: of the quotation; today, if not given
        """
        context = {"active_model": "crm.lead", "active_id": self.lead_id}
        wizard = self.seller.create("crm.quotation.partner", {"action": "create"}, **context)
        action = self.seller.call("crm.quotation.partner", "action_apply", [wizard])
        line = {
            "product_id": self.product.id,
            "product_uom_qty": self.pieces,
            "price_unit": float(self.price),
        }
        values = {"order_line": [(0, 0, line)]}
        if day:
            values["date_order"] = f"{day} 12:00:00"
        if self.pricelist:
            values["pricelist_id"] = self.pricelist
        self.order = self.seller.create("sale.order", values, **action["context"])
        (row,) = self.seller.find("sale.order", [("id", "=", self.order)], ["partner_id"])
        self.customer = row["partner_id"][0]
        self.touched = self.books.touched_until_now(self.lead)
        self._note("quotation", self.pieces, self._rate(day))

    def confirm(self):
        """The customer orders today: what was quoted is at today's rate, too."""
        self.seller.call("sale.order", "action_confirm", [self.order])
        entries = self.books.entries
        (quotation,) = [
            entry for entry in entries if entry.deal is self and entry.kind == "quotation"
        ]
        entries.remove(quotation)
        rate = self._rate()
        self._note("quotation", self.pieces, rate)
        self.touched = self.books.touched_until_now(self.lead)
        granted = max(cents(self.product.price * rate) - self.price, Decimal(0)) * self.pieces
        self._note("order", self.pieces, rate, discount=cents(cents(granted) / rate))

    def invoice(self, day=None):
        """Invoice the order, post the invoice and return its id."""
        context = {"active_model": "sale.order", "active_ids": [self.order]}
        wizard = self.seller.create(
            "sale.advance.payment.inv", {"advance_payment_method": "delivered"}, **context
        )
        self.seller.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
        (row,) = self.seller.find("sale.order", [("id", "=", self.order)], ["invoice_ids"])
        (invoice,) = row["invoice_ids"]
        self._post(invoice, day)
        self._note("invoiced", self.pieces, self._rate(day))
        return invoice

    def pay(self, invoice, day=None, billed=None, part=Decimal(1)):
        """Register a payment.

        :param billed: the day of the invoice, whose rate counts
        :param part: of the invoice, taxes included
        """
        untaxed = cents(self.price * self.pieces)
        whole = untaxed + cents(untaxed * TAX)
        paid = cents(whole * part)
        self._register_payment(invoice, day, paid if part != 1 else None)
        self._note("paid", self.pieces, self._rate(billed), part=paid / whole)

    def refund(self, invoice, pieces, day=None):
        """Take some pieces back, and pay them back."""
        context = {"active_model": "account.move", "active_ids": [invoice]}
        values = {"date": str(day)} if day else {}
        (row,) = self.seller.find("account.move", [("id", "=", invoice)], ["journal_id"])
        values["journal_id"] = row["journal_id"][0]
        wizard = self.seller.create("account.move.reversal", values, **context)
        action = self.seller.call("account.move.reversal", "refund_moves", [wizard])
        refund = action["res_id"]
        if pieces != self.pieces:
            domain = [("move_id", "=", refund), ("display_type", "=", "product")]
            (line,) = self.seller.find("account.move.line", domain, ["id"])
            lines = [(1, line["id"], {"quantity": pieces})]
            self.seller.call("account.move", "write", [refund], vals={"invoice_line_ids": lines})
        self._post(refund, day)
        self._note("invoiced", -pieces, self._rate(day))
        self._register_payment(refund, day)
        self._note("refunded", -pieces, self._rate(day))

    def _post(self, invoice, day):
        if day:
            values = {"invoice_date": str(day)}
            self.seller.call("account.move", "write", [invoice], vals=values)
        self.seller.call("account.move", "action_post", [invoice])

    def _register_payment(self, invoice, day, amount=None):
        context = {"active_model": "account.move", "active_ids": [invoice]}
        values = {"payment_date": str(day)} if day else {}
        if amount:
            values["amount"] = float(amount)
        wizard = self.seller.create("account.payment.register", values, **context)
        self.seller.call("account.payment.register", "action_create_payments", [wizard])
        self.invoices.add(invoice)

    def _rate(self, day=None):
        """Return the rate of a day; of today, if none is given."""
        known = [since for since in self.rates if day is None or since <= day]
        return self.rates[max(known)] if known else Decimal(1)

    def _note(self, kind, pieces, rate, part=Decimal(1), discount=Decimal(0)):
        amount = cents(self.price * pieces)
        company_amount = cents(amount / rate)
        margin = None
        if self.product.cost is not None:
            margin = cents((company_amount - cents(self.product.cost * pieces)) * part)
        self.books.note(
            kind,
            self.lead,
            self.touched,
            deal=self,
            amount=cents(amount * part),
            company_amount=cents(company_amount * part),
            margin=margin,
            discount=discount,
        )


def close(seller, books, leads):
    """Get as far with each of the campaign's leads as the script says.

    :param leads: ``{address: id}``
    :return: the deals
    """
    product = seller.create(
        "product.product",
        {"name": "Limited edition desk", "list_price": PRICE, "invoice_policy": "order"},
    )
    desk = Product(product, Decimal(PRICE))
    deals = []
    for position, ((lead, lead_id), stage) in enumerate(zip(leads.items(), DEALS, strict=False)):
        deal = Deal(seller, books, lead, lead_id, desk, quantity(position), desk.price)
        deal.quote()
        if stage >= ORDERED:
            deal.confirm()
        if stage >= INVOICED:
            invoice = deal.invoice()
        if stage == PAID:
            deal.pay(invoice)
        deals.append(deal)
    return deals
