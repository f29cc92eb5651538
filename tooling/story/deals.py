"""From the won-back lead to the payment, step by step as a salesperson goes."""

from .cast import DEALS, INVOICED, ORDERED, PAID, PRICE, quantity


def close(seller, leads):
    """Get as far with each of the leads as the script says."""
    product = seller.create(
        "product.product",
        {"name": "Limited edition desk", "list_price": PRICE, "invoice_policy": "order"},
    )
    for position, (lead, stage) in enumerate(zip(leads, DEALS, strict=False)):
        order = quote(seller, lead, product, quantity(position))
        if stage >= ORDERED:
            seller.call("sale.order", "action_confirm", [order])
        if stage >= INVOICED:
            invoice = send_invoice(seller, order)
        if stage == PAID:
            register_payment(seller, invoice)


def quote(seller, lead, product, pieces):
    """Use the lead's button New Quotation, which asks about the customer first."""
    context = {"active_model": "crm.lead", "active_id": lead}
    wizard = seller.create("crm.quotation.partner", {"action": "create"}, **context)
    action = seller.call("crm.quotation.partner", "action_apply", [wizard])
    line = {"product_id": product, "product_uom_qty": pieces, "price_unit": PRICE}
    return seller.create("sale.order", {"order_line": [(0, 0, line)]}, **action["context"])


def send_invoice(seller, order):
    """Invoice an order and post the invoice."""
    context = {"active_model": "sale.order", "active_ids": [order]}
    wizard = seller.create(
        "sale.advance.payment.inv", {"advance_payment_method": "delivered"}, **context
    )
    seller.call("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
    (row,) = seller.find("sale.order", [("id", "=", order)], ["invoice_ids"])
    seller.call("account.move", "action_post", row["invoice_ids"])
    return row["invoice_ids"]


def register_payment(seller, invoice):
    """Register that an invoice was paid in full."""
    context = {"active_model": "account.move", "active_ids": invoice}
    wizard = seller.create("account.payment.register", {}, **context)
    seller.call("account.payment.register", "action_create_payments", [wizard], context=context)
