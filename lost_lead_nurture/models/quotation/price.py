import logging
import time
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ...tools.prices import PRICE_DIGITS, TOLERANCE, lowest_margin
from ...tools.transaction import attempt
from ..credit.sale_order import NOT_ORDERED
from ..sequence.entry import SCAN_EVERY

_logger = logging.getLogger(__name__)

#: So many quotations are worked out in one transaction.
BATCH = 500
#: For so long one run of the scheduled action works out prices.
MAX_SECONDS = 60
#: So many are worked out at once when somebody looks at a sequence.
LOOKED_AT = 200
#: What stands against offering a quotation again, whatever the sequence.
UNOFFERED = [
    ("no_quotation", "Empty"),
    ("not_sold", "Not sold any more"),
    ("not_priced", "Without a price"),
]


class NurturePrice(models.Model):
    """What the refused quotation of a lost lead costs today. Rules of pricelists cannot be worked
    out in SQL: core does it, once for each product, quantity and pricelist, and it is kept here, so
    that who may enter is still one query. It is worked out anew once an hour."""

    _name = "nurture.price"
    _description = "Nurture: What a Refused Quotation Costs Today"
    _log_access = False
    _rec_name = "order_id"

    order_id = fields.Many2one("sale.order", required=True, readonly=True, ondelete="cascade")
    lead_id = fields.Many2one(
        "crm.lead", required=True, readonly=True, index=True, ondelete="cascade"
    )
    currency_id = fields.Many2one("res.currency", required=True, readonly=True, ondelete="cascade")
    refused_amount = fields.Float(digits=PRICE_DIGITS, readonly=True, help="Without taxes.")
    amount = fields.Float(digits=PRICE_DIGITS, readonly=True, help="Today, without taxes.")
    has_margin = fields.Boolean(readonly=True, help="It is known what all its products cost.")
    margin = fields.Float(
        digits=PRICE_DIGITS,
        readonly=True,
        help="The lowest of a line and of the whole, in percent of the cost.",
    )
    reason = fields.Selection(UNOFFERED, readonly=True)
    date = fields.Datetime(required=True, readonly=True, help="When it was worked out.")

    _order_unique = models.UniqueIndex("(order_id)", "A quotation has one price today.")

    # ------------------------------------------------------------
    # WHO MAY ENTER
    # ------------------------------------------------------------

    @api.model
    def _sql_is_of_last(self, companies=None):
        """Whether the alias ``price`` is that of the last quotation of its lead that was not
        ordered.

        :param companies: of theirs; None: of any company
        """
        return SQL(
            "EXISTS (SELECT 1 FROM sale_order so WHERE so.id = price.order_id"
            " AND so.opportunity_id = price.lead_id AND %s)",
            self.env["sale.order"]._nurture_sql_is_refused(companies),
        )

    @api.model
    def _sql_is_below(self, sequence):
        """Whether the alias ``price`` is as far below the refused one as the sequence wants."""
        return SQL(
            "(price.refused_amount > 0 AND price.amount"
            " <= price.refused_amount * (100.0 - %s) / 100.0 + %s)",
            sequence.price_below,
            TOLERANCE,
        )

    @api.model
    def _get_exclusions(self, sequence):
        """Why leads do not enter ``sequence``, which they enter when the price is below the refused
        one, see :meth:`crm.lead._nurture_exclusions`."""
        companies = sequence._get_companies()
        last = self._sql_is_of_last(companies)

        def any_(condition):
            return SQL(
                "EXISTS (SELECT 1 FROM nurture_price price"
                " WHERE price.lead_id = lead.id AND %s AND %s)",
                condition,
                last,
            )

        quoted = SQL(
            "EXISTS (SELECT 1 FROM sale_order so WHERE so.opportunity_id = lead.id AND %s)",
            self.env["sale.order"]._nurture_sql_is_quoted(companies),
        )
        exclusions = [
            ("no_quotation", SQL("NOT %s", quoted)),
            ("no_quotation", any_(SQL("price.reason = 'no_quotation'"))),
            ("not_priced", SQL("NOT %s", any_(SQL("true")))),
            ("not_priced", any_(SQL("price.reason = 'not_priced'"))),
            ("not_sold", any_(SQL("price.reason = 'not_sold'"))),
        ]
        if sequence.has_margin_floor:
            exclusions.append(("no_cost", any_(SQL("price.has_margin IS NOT TRUE"))))
        exclusions.append(("not_below", any_(SQL("NOT %s", self._sql_is_below(sequence)))))
        if sequence.has_margin_floor:
            under = SQL("price.margin < %s - %s", sequence.margin_floor, TOLERANCE)
            exclusions.append(("under_margin", any_(under)))
        return exclusions

    @api.model
    def _get_domain(self, sequence):
        """The leads that the price lets into ``sequence``, as a ``Domain``: in one look what
        :meth:`_get_exclusions` says of each lead, reason by reason."""
        offered = SQL(
            "price.reason IS NULL AND %s AND NOT %s",
            self._sql_is_below(sequence),
            self._sql_is_under_margin(sequence),
        )

        def to_sql(_model, alias, _query):
            return SQL(
                "%s IN (SELECT price.lead_id FROM nurture_price price WHERE %s AND %s)",
                SQL.identifier(alias, "id"),
                offered,
                self._sql_is_of_last(sequence._get_companies()),
            )

        return Domain.custom(to_sql=to_sql)

    @api.model
    def _sql_is_under_margin(self, sequence):
        """Whether with the alias ``price`` less is earned than the sequence wants, or nobody knows
        how much."""
        if not sequence.has_margin_floor:
            return SQL("false")
        return SQL(
            "(price.has_margin IS NOT TRUE OR price.margin < %s - %s)",
            sequence.margin_floor,
            TOLERANCE,
        )

    @api.model
    def _find_risen(self, sequence, participants):
        """Why these participants, whom a price below the refused one let in, do not stay.

        :return: ``{participant id: exit reason}``
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT participant.id,
                       CASE WHEN price.id IS NULL OR price.reason IS NOT NULL OR %(under)s
                            THEN 'not_offered' ELSE 'price_risen' END
                  FROM nurture_participant participant
             LEFT JOIN nurture_price price ON price.order_id = participant.refused_order_id
                   AND price.lead_id = participant.lead_id
                 WHERE participant.id = ANY(%(ids)s)
                   AND (price.id IS NULL OR price.reason IS NOT NULL OR %(under)s
                        OR NOT %(below)s)
                """,
                under=self._sql_is_under_margin(sequence),
                below=self._sql_is_below(sequence),
                ids=participants.ids,
            )
        )
        return dict(rows)

    @api.model
    def _notice_risen(self, sequence):
        """Note for which leads that a price below the refused one let into ``sequence`` it is not
        below any more: they may enter again when it is."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE nurture_participant participant
                   SET price_risen_date = %s
                  FROM nurture_price price
                 WHERE participant.sequence_id = %s
                   AND COALESCE(participant.price_risen_date <= %s, true)
                   AND price.order_id = participant.refused_order_id AND NOT %s
                """,
                fields.Datetime.now(),
                sequence.id,
                self._sql_last_sent(SQL("participant.id")),
                self._sql_is_below(sequence),
            )
        )
        self.env["nurture.participant"].invalidate_model(["price_risen_date"], flush=False)

    @api.model
    def _sql_last_sent(self, participant):
        """When the last message to a participant was sent."""
        return SQL(
            "(SELECT COALESCE(max(mailing_trace.sent_datetime), '-infinity')"
            " FROM nurture_trace trace"
            " JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id"
            " WHERE trace.participant_id = %s)",
            participant,
        )

    @api.model
    def _sql_has_risen(self, sequence):
        """Whether the price of the journey ``inside`` has risen since its last message, or the lead
        has refused another quotation since, whose price is another one."""
        another = SQL(
            "EXISTS (SELECT 1 FROM sale_order so WHERE so.opportunity_id = lead.id"
            " AND so.id IS DISTINCT FROM inside.refused_order_id"
            " AND so.date_order > inside.entered_date AND %s)",
            self.env["sale.order"]._nurture_sql_is_refused(sequence._get_companies()),
        )
        return SQL(
            "(COALESCE(inside.price_risen_date >= %s, false) OR %s)",
            self._sql_last_sent(SQL("inside.id")),
            another,
        )

    # ------------------------------------------------------------
    # WORK OUT
    # ------------------------------------------------------------

    @api.model
    def _find_stale(self, companies, before, limit):
        """The refused quotations of lost leads of ``companies`` whose price today was not worked
        out since ``before``, those first of which it never was.

        :return: ids of ``sale.order``
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT so.id
                  FROM crm_lead lead
                  JOIN sale_order so ON so.opportunity_id = lead.id AND %(last)s
             LEFT JOIN nurture_price price ON price.order_id = so.id
                 WHERE lead.won_status = 'lost' AND so.company_id IN %(companies)s
                   AND COALESCE(lead.company_id IN %(companies)s, true)
                   AND (price.id IS NULL OR price.date <= %(before)s
                        OR price.lead_id != lead.id)
              ORDER BY price.date NULLS FIRST, so.id
                 LIMIT %(limit)s
                """,
                last=self.env["sale.order"]._nurture_sql_is_refused(),
                companies=tuple(companies.ids) or (0,),
                before=before,
                limit=limit,
            )
        )
        return [order_id for (order_id,) in rows]

    @api.model
    def _catch_up(self, companies):
        """Work out what refused quotations cost today, of which that is not known, or not for an
        hour: for some time, as mails are waiting to leave. The rest is first in the next run.
        Commits.

        :return: how many were worked out
        """
        end = time.monotonic() + MAX_SECONDS
        before = fields.Datetime.now() - SCAN_EVERY
        number = 0
        self.env.flush_all()
        while ids := self._find_stale(companies, before, BATCH):
            self._work_out(self.env["sale.order"].sudo().browse(ids))
            number += len(ids)
            if not self.env["ir.cron"]._commit_progress() or time.monotonic() >= end:
                break
        return number

    @api.model
    def _work_out_missing(self, companies):
        """Work out some prices that are not known yet, for somebody who looks on."""
        self.env.flush_all()
        never = fields.Datetime.to_datetime("1970-01-01")
        ids = self._find_stale(companies, never, LOOKED_AT)
        self._work_out(self.env["sale.order"].sudo().browse(ids))

    @api.model
    def _work_out(self, orders):
        """Work out what these quotations cost today, and keep it. One that is no lead's any more,
        or was ordered, has no price."""
        refused = orders.filtered(lambda one: one.opportunity_id and one.state in NOT_ORDERED)
        if gone := orders - refused:
            self.search([("order_id", "in", gone.ids)]).unlink()
        self._work_out_apart(refused)

    @api.model
    def _work_out_apart(self, orders):
        """Work them out together; where that fails, in halves: one that core, or another add-on,
        cannot work out keeps nobody else from entering."""
        if not orders:
            return

        def on_error(error):
            if len(orders) == 1:
                _logger.warning("What %s costs today cannot be worked out: %r", orders, error)
                self._keep([self._get_row(orders, orders.amount_untaxed, None, "not_priced")])
                return
            half = len(orders) // 2
            self._work_out_apart(orders[:half])
            self._work_out_apart(orders[half:])

        with attempt(self.env, on_error):
            self._keep(self._calculate(orders))

    @api.model
    def _calculate(self, orders):
        """What these quotations cost today, as rows of the table.

        :return: list of SQL
        """
        alike = self._renew_lines(orders)
        lines = {line: line._nurture_as_priced() for line in set(alike.values())}
        rows = []
        for order in orders:
            today = [alike[line] for line in order._nurture_get_priced()]
            amount = self._add_up(order, today)
            reason = order._nurture_get_reason_unsold()
            if not reason and (
                amount <= 0 or any(line.currency_id != order.currency_id for line in today)
            ):
                reason = "not_priced"
            margin = lowest_margin([lines[line] for line in today])
            rows.append(self._get_row(order, amount, margin, reason))
        return rows

    @api.model
    def _get_row(self, order, amount, margin, reason):
        return SQL(
            "(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            *(order.id, order.opportunity_id.id, order.currency_id.id),
            *(order.amount_untaxed, amount),
            *(margin is not None, margin, reason, fields.Datetime.now()),
        )

    @api.model
    def _keep(self, rows):
        """Keep what was worked out.

        :param rows: see :meth:`_get_row`
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO nurture_price (
                       order_id, lead_id, currency_id, refused_amount, amount, has_margin, margin,
                       reason, date)
                VALUES %s
           ON CONFLICT (order_id) DO UPDATE
                   SET lead_id = excluded.lead_id, currency_id = excluded.currency_id,
                       refused_amount = excluded.refused_amount, amount = excluded.amount,
                       has_margin = excluded.has_margin, margin = excluded.margin,
                       reason = excluded.reason, date = excluded.date
                """,
                SQL(", ").join(rows),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _add_up(self, order, lines):
        """What a quotation with these lines costs, without taxes: as core adds them up, cents
        of lines or of the whole, as the company wants.

        :param lines: list of lines that are not saved
        """
        taxes, company = self.env["account.tax"], order.company_id
        base_lines = [line._prepare_base_line_for_taxes_computation() for line in lines]
        taxes._add_tax_details_in_base_lines(base_lines, company)
        taxes._round_base_lines_tax_details(base_lines, company)
        totals = taxes._get_tax_totals_summary(base_lines, order.currency_id, company)
        return totals["base_amount_currency"]

    @api.model
    def _renew_lines(self, orders):
        """The lines of these quotations as they would be today, which are not saved.

        Lines of which core would work out the same are worked out once: the same product in the
        same quantity, unit and options, on quotations with the same pricelist and taxes.

        :return: ``{line: line as it would be today}``
        """
        renewed, alike = {}, defaultdict(lambda: defaultdict(list))
        for order in self._read_together(orders):
            priced = order._nurture_get_priced()
            if order._nurture_has_own_prices(priced):
                renewed |= self._renew_order(order, priced)
                continue
            head = (
                order.company_id,
                order._nurture_get_pricelist(),
                order.fiscal_position_id,
                order.currency_id,
            )
            for line in priced:
                alike[head][line._nurture_get_price_key()].append(line)
        for head, by_key in alike.items():
            for keys in split_every(BATCH, list(by_key)):
                found = self._renew_together(head, [by_key[key][0] for key in keys])
                for key, line in zip(keys, found, strict=True):
                    renewed |= dict.fromkeys(by_key[key], line)
        return renewed

    @api.model
    def _read_together(self, orders):
        """These quotations, each in its company, read in one go."""
        for own in orders.grouped("company_id").values():
            own = own._nurture_at_home()
            # the lines of one quotation alone would be read quotation by quotation
            for name in ("tax_ids", "product_no_variant_attribute_value_ids"):
                own.order_line.mapped(name)
            yield from own

    @api.model
    def _renew_order(self, order, priced):
        """``{line: line as it would be today}`` of a quotation whose lines depend on each other."""
        today = {
            before: line
            for line, before in order._nurture_imagine()._nurture_get_pairs(order)
            if before
        }
        return {line: today[line] for line in priced}

    @api.model
    def _renew_together(self, head, lines):
        """These lines of quotations with the same head as they would be today, as core has it: as
        lines of one quotation, which is not saved."""
        company, pricelist, fiscal_position, _currency = head
        order = lines[0].order_id
        fresh = order.new(
            {
                "company_id": company.id,
                "partner_id": order.partner_id.id,
                "partner_shipping_id": order.partner_shipping_id.id,
                "partner_invoice_id": order.partner_invoice_id.id,
                "pricelist_id": pricelist.id,
                "fiscal_position_id": fiscal_position.id,
                "date_order": fields.Datetime.now(),
                "order_line": [
                    fields.Command.create(line._nurture_prepare_alike()) for line in lines
                ],
            }
        )
        fresh._recompute_prices()
        for line, source in zip(fresh.order_line, lines, strict=True):
            line._nurture_keep_typed(source._nurture_get_typed())
        return fresh.order_line

    @api.autovacuum
    def _gc_prices(self):
        """Prices of leads that are not lost, or got another quotation since, are not asked for."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM nurture_price price WHERE date < %s AND NOT EXISTS ("
                "SELECT 1 FROM crm_lead lead WHERE lead.id = price.lead_id"
                " AND lead.won_status = 'lost' AND %s)",
                fields.Datetime.subtract(fields.Datetime.now(), days=1),
                self._sql_is_of_last(),
            )
        )


class SaleOrder(models.Model):
    """Quotations of which each line has its price whatever the others are."""

    _inherit = "sale.order"

    def _nurture_has_own_prices(self, lines):
        """Whether the price of one of these lines depends on the others, or is none that core works
        out, as that of a delivery."""
        self.ensure_one()
        return bool(lines - self._get_update_prices_lines()) or any(
            line.product_type == "combo" or line.combo_item_id for line in lines
        )


class SaleOrderLine(models.Model):
    """Lines of quotations whose price is the same."""

    _inherit = "sale.order.line"

    def _nurture_get_price_key(self):
        """By what core works out the price, beside what the quotation says as a whole."""
        self.ensure_one()
        return (
            self.product_id.id,
            self.product_uom_id.id,
            self.product_uom_qty,
            tuple(self.product_no_variant_attribute_value_ids.ids),
            tuple(self.tax_ids.ids),
            self._nurture_get_typed(),
        )

    def _nurture_prepare_alike(self):
        """Values of a line with the same price."""
        self.ensure_one()
        return {
            "product_id": self.product_id.id,
            "product_uom_id": self.product_uom_id.id,
            "product_uom_qty": self.product_uom_qty,
            "product_no_variant_attribute_value_ids": [
                fields.Command.set(self.product_no_variant_attribute_value_ids.ids)
            ],
            "tax_ids": [fields.Command.set(self.tax_ids.ids)],
        }
