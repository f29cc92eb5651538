import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, split_every

from ...tools.transaction import attempt
from ..core.results_mixin import REVENUE_GROUPS

_logger = logging.getLogger(__name__)

#: What can come of a message, in the order in which it does.
KINDS = [
    ("restored", "Restored"),
    ("meeting", "Meeting"),
    ("quotation", "Quotation"),
    ("order", "Order"),
    ("invoiced", "Invoiced"),
    ("paid", "Paid"),
    ("refunded", "Refunded"),
]
#: How many orders are taken in at once.
BATCH = 1000
#: Where the orders are kept whose outcomes are looked at before the transaction ends.
_PENDING = "nurture_orders"


class NurtureOutcome(models.Model):
    """The ledger: what came of leads that a marketing message, or a sequence, had reached. One row
    for each thing that happened, whatever it is credited to, of those held out as well.

    Rows of documents are worked out from these, as often as they change, by one method for each
    document: what is in the ledger can be worked out anew at any time, and is the same then.
    """

    _name = "nurture.outcome"
    _description = "Nurture Outcome"
    _order = "date desc, id desc"
    _log_access = False

    key = fields.Char(required=True, readonly=True, help="What it is of: once per document.")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, help="When it happened.")
    deal_date = fields.Datetime(
        required=True,
        readonly=True,
        help="When it began: an order begins with its quotation. The attribution window is counted "
        "back from here.",
    )
    credit_date = fields.Datetime(
        required=True,
        readonly=True,
        help="Clicks and replies until here count. Invoices and payments are credited as their "
        "order is, however long the customer takes to pay.",
    )
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, index="btree_not_null", ondelete="set null"
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
    )
    order_id = fields.Many2one(
        "sale.order",
        string="Quotation",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Invoice",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    event_id = fields.Many2one(
        "calendar.event",
        string="Meeting",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
    )
    company_id = fields.Many2one("res.company", readonly=True, index="btree_not_null")
    company_currency_id = fields.Many2one(
        "res.currency", related="company_id.currency_id", string="Currency of the Company"
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(
        readonly=True, groups=REVENUE_GROUPS, help="Untaxed, in the currency of the document."
    )
    company_amount = fields.Monetary(
        currency_field="company_currency_id",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Untaxed, in the currency of the company, at the rate of the document's date.",
    )
    margin = fields.Monetary(
        currency_field="company_currency_id",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="Less what the products cost, as far as that was known for all of them.",
    )
    is_margin_known = fields.Boolean(readonly=True)
    discount = fields.Monetary(
        string="Discount Granted",
        currency_field="company_currency_id",
        readonly=True,
        groups=REVENUE_GROUPS,
        help="List price of what was ordered, less its price in the order; untaxed, in the "
        "currency of the company. Of orders only, at the list prices of the day when it was last "
        "edited.",
    )
    lost_reason_id = fields.Many2one(
        "crm.lost.reason", readonly=True, help="Why the lead had been lost."
    )
    is_stale = fields.Boolean(
        readonly=True,
        help="Its document has changed, and that could not be taken in: it is tried again.",
    )
    credit_ids = fields.One2many("nurture.credit", "outcome_id", readonly=True)
    credited_to = fields.Char(
        compute="_compute_credited_to", help="The mail that is credited by the last touch."
    )

    _key_unique = models.UniqueIndex("(key)", "Something happens once.")
    _stale_index = models.Index("(order_id) WHERE is_stale")

    @api.depends("credit_ids.model", "credit_ids.mailing_id")
    def _compute_credited_to(self):
        for outcome in self:
            last = outcome.credit_ids.filtered(lambda credit: credit.model == "last")
            # what it is called is no secret of the mailing's authors
            outcome.credited_to = last.sudo().mailing_id.display_name

    def _forget(self):
        """Erase whose it was; what was earned stays."""
        self.partner_id = False

    # ------------------------------------------------------------
    # WHEN DOCUMENTS CHANGE
    # ------------------------------------------------------------

    @api.model
    def _note_changed(self, orders):
        """Orders changed, or their invoices and payments did: look at them before the transaction
        ends, once, however often they change in it."""
        callbacks = self.env.cr.precommit
        if not orders or (_PENDING not in callbacks.data and self._is_idle()):
            return
        if _PENDING not in callbacks.data:
            callbacks.data[_PENDING] = set()
            callbacks.add(self.sudo()._catch_up)
        callbacks.data[_PENDING].update(orders.ids)

    @api.model
    def _is_idle(self):
        """Whether nobody was ever reached: then nothing can have come of it. One query."""
        ((nobody,),) = self.env.execute_query(
            SQL(
                "SELECT NOT EXISTS (SELECT 1 FROM nurture_participant)"
                " AND NOT EXISTS (SELECT 1 FROM mailing_trace WHERE model = 'crm.lead')"
            )
        )
        return nobody

    @api.model
    def _catch_up(self):
        """Have what changed in this transaction in the ledger. Nothing that goes wrong here may
        keep a customer from ordering or paying: the scheduled action looks again."""
        # amounts that are worked out only now have changed, too
        self.env.flush_all()
        order_ids = self.env.cr.precommit.data.pop(_PENDING, None)
        if not order_ids:
            return
        orders = self.env["sale.order"].sudo()
        for ids in split_every(BATCH, sorted(order_ids)):
            self.sudo()._take_in(orders.browse(ids))

    @api.model
    def _take_in(self, orders):
        """:meth:`_sync_orders`, where an order that cannot be taken in does not stand in the way of
        the others, nor of whoever changed it. It is tried again with the next run of the scheduled
        action."""

        def on_error(_error):
            if len(orders) > 1:
                for order in orders:
                    self._take_in(order)
            else:
                _logger.exception("The ledger of outcomes could not take in %s", orders)
                self.search([("order_id", "=", orders.id)]).is_stale = True

        with attempt(self.env, on_error):
            self._sync_orders(orders)

    @api.model
    def _catch_up_missed(self, after=0):
        """Take in orders that are not in the ledger but have to be, :data:`BATCH` at a time: those
        that were there before it, and those that it could not take in when they changed.

        :param after: the id of the last order of the batch before
        :return: the id of the last one of this batch; 0, when nothing is left
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT order_id FROM nurture_outcome WHERE is_stale AND order_id > %(after)s
                 UNION
                SELECT so.id
                  FROM sale_order so
                  JOIN crm_lead lead ON lead.id = so.opportunity_id
                 WHERE so.id > %(after)s AND so.state != 'cancel'
                   AND (lead.company_id IS NULL OR lead.company_id = so.company_id)
                   AND NOT EXISTS (SELECT 1 FROM nurture_outcome WHERE order_id = so.id)
                   AND (EXISTS (SELECT 1 FROM nurture_participant
                                 WHERE lead_id = lead.id AND entered_date <= so.date_order)
                     OR EXISTS (SELECT 1 FROM mailing_trace
                                 WHERE model = 'crm.lead' AND res_id = lead.id
                                   AND is_test_trace IS NOT TRUE
                                   AND sent_datetime <= so.date_order))
              ORDER BY 1
                 LIMIT %(limit)s
                """,
                after=after,
                limit=BATCH,
            )
        )
        orders = self.env["sale.order"].sudo().browse(id_ for (id_,) in rows)
        if orders:
            self.sudo()._take_in(orders)
        return max(orders.ids, default=0)

    @api.model
    def _sync_orders(self, orders):
        """Have in the ledger what came of leads by these orders, and nothing else."""
        known = self.search([("order_id", "in", orders.ids)])
        stale = known.filtered("is_stale")
        # of a lead that is deleted stays what was
        orders = orders.exists() - known.filtered(lambda outcome: not outcome.lead_id).order_id
        known = known.filtered(lambda outcome: outcome.order_id in orders)
        leads = orders._nurture_find_outcome_leads(known)
        reasons = self._get_lost_reasons(
            self.env["crm.lead"].union(*(lead for lead, _since in leads.values()))
        )
        by_order = known.grouped("order_id")
        wanted = {}
        for order, (lead, since) in leads.items():
            of_lead = {"lead_id": lead.id, "lost_reason_id": reasons[lead].id}
            for values in order._nurture_get_outcomes(by_order.get(order, self.browse())):
                if values["credit_date"] >= since:
                    wanted[values["key"]] = values | of_lead
        self._replace(known, wanted)
        stale.exists().is_stale = False

    @api.model
    def _get_reached(self, leads):
        """When leads were first reached: by a message, or because they entered a sequence.

        :return: ``{lead: date}``, those who never were left out
        """
        if not leads:
            return {}
        self.env["mailing.trace"].flush_model()
        self.env["nurture.participant"].flush_model(["lead_id", "entered_date"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT lead_id, MIN(date)
                  FROM (SELECT lead_id, entered_date AS date
                          FROM nurture_participant WHERE lead_id IN %(leads)s
                     UNION ALL
                        SELECT res_id, sent_datetime
                          FROM mailing_trace
                         WHERE model = 'crm.lead' AND res_id IN %(leads)s
                           AND sent_datetime IS NOT NULL AND is_test_trace IS NOT TRUE
                       ) reached
              GROUP BY lead_id
                """,
                leads=tuple(leads.ids),
            )
        )
        return {leads.browse(lead_id): date for lead_id, date in rows}

    @api.model
    def _get_lost_reasons(self, leads):
        """Why leads are, or had been, lost. Core forgets it when they are restored: the ledger has
        it then, and before it their journeys.

        :return: ``{lead: reason, empty where none is known}``
        """
        known = {}
        restored = Domain("kind", "=", "restored") & Domain("lead_id", "in", leads.ids)
        for outcome in self.search(restored, order="date, id"):
            known[outcome.lead_id] = outcome.lost_reason_id
        own = Domain("lead_id", "in", leads.ids)
        journeys = self.env["nurture.participant"].sudo().search(own, order="entered_date, id")
        for journey in journeys:
            known.setdefault(journey.lead_id, journey.lost_reason_id)
        reasons = self.env["crm.lost.reason"]
        return {lead: lead.lost_reason_id or known.get(lead, reasons) for lead in leads}

    # ------------------------------------------------------------
    # WHAT HAPPENS TO LEADS
    # ------------------------------------------------------------

    def _without_harm(self, what):
        """Whatever goes wrong in the ledger keeps nobody from working.

        :param what: what could not be taken in, for the log
        """

        def on_error(_error):
            _logger.exception("The ledger of outcomes could not take in %s", what)

        return attempt(self.env, on_error)

    @api.model
    def _note_restored(self, lost_reasons, date=None):
        """Lost leads are in the pipeline again, whoever did it.

        :param lost_reasons: ``{lead: why it had been lost}``
        :param date: since when; now, if not given
        """
        if not lost_reasons:
            return
        date = date or fields.Datetime.now()
        with self._without_harm(lost_reasons):
            reached = self._get_reached(self.env["crm.lead"].union(*lost_reasons))
            self.sudo()._replace(self.browse(), self._prepare_restored(lost_reasons, reached, date))

    @api.model
    def _prepare_restored(self, lost_reasons, reached, date):
        """Values of outcomes, by their keys; arguments as :meth:`_note_restored`."""
        return {
            f"restored:{lead.id}:{date:%Y%m%d%H%M%S}": {
                "key": f"restored:{lead.id}:{date:%Y%m%d%H%M%S}",
                "kind": "restored",
                **dict.fromkeys(("date", "deal_date", "credit_date"), date),
                "lead_id": lead.id,
                "partner_id": lead.sudo().partner_id.id,
                "company_id": lead.sudo().company_id.id,
                "lost_reason_id": reason.id,
            }
            for lead, reason in lost_reasons.items()
            if lead in reached
        }

    @api.model
    def _note_meetings(self, events):
        """Somebody booked these meetings, moved or cancelled them."""
        if events:
            with self._without_harm(events):
                self._sync_meetings(events)

    @api.model
    def _sync_meetings(self, events):
        """Have in the ledger the meetings that these events are, and nothing else."""
        events = events.sudo().exists()
        known = self.sudo().search([("event_id", "in", events.ids)])
        leads = {event: event.opportunity_id for event in events if event.active}
        of_events = self.env["crm.lead"].union(*leads.values())
        reached = self._get_reached(of_events)
        reasons = self.sudo()._get_lost_reasons(of_events)
        now = fields.Datetime.now()
        by_event = known.grouped("event_id")
        wanted = {}
        for event, lead in leads.items():
            # when it was booked, not when it takes place
            date = by_event[event].date if event in by_event else now
            if lead in reached and date >= reached[lead]:
                key = f"meeting:{event.id}"
                wanted[key] = {
                    "key": key,
                    "kind": "meeting",
                    **dict.fromkeys(("date", "deal_date", "credit_date"), date),
                    "lead_id": lead.id,
                    "partner_id": lead.partner_id.id,
                    "event_id": event.id,
                    "company_id": lead.company_id.id,
                    "lost_reason_id": reasons[lead].id,
                }
        self.sudo()._replace(known, wanted)

    # ------------------------------------------------------------
    # WRITING
    # ------------------------------------------------------------

    def _replace(self, known, wanted):
        """Have these rows instead of those known, as far as they differ, and credit them.

        :param wanted: ``{key: values}``
        :return: the rows that are new
        """
        gone = known.filtered(lambda outcome: outcome.key not in wanted)
        gone.unlink()
        kept = {outcome.key: outcome for outcome in known - gone}
        changed = self.browse()
        for key, outcome in kept.items():
            values = outcome._get_differences(wanted[key])
            if values:
                outcome.write(values)
                changed += outcome
        new = self._insert([values for key, values in wanted.items() if key not in kept])
        self.env["nurture.credit"]._sync(new + changed)
        return new

    def _get_differences(self, values):
        """Those of ``values`` that are others than the row's. Why the lead had been lost is of the
        time of the outcome: it may have been lost again since."""
        self.ensure_one()
        differences = {}
        for name, value in values.items():
            if name == "lost_reason_id":
                continue
            field = self._fields[name]
            own = field.convert_to_write(self[name], self)
            if field.type == "monetary":
                currency = self[field.get_currency_field(self)]
                is_same = currency and not currency.compare_amounts(own, value or 0.0)
            else:
                is_same = own == (value or False)
            if not is_same:
                differences[name] = value
        if self.is_margin_known and "company_amount" not in differences:
            # what products cost since is not what these did
            differences.pop("margin", None)
            differences.pop("is_margin_known", None)
        if "company_amount" not in differences and not self.is_stale:
            # nor is their list price
            differences.pop("discount", None)
        return differences

    @api.model
    def _insert(self, values_list):
        """Insert rows. Where another transaction is doing the same, this one is tried again."""
        if not values_list:
            return self.browse()
        names = [name for name, field in self._fields.items() if field.store and name != "id"]
        names = [name for name in names if self._fields[name].column_type]
        rows = SQL(", ").join(
            SQL("%s", tuple(values.get(name) or None for name in names)) for values in values_list
        )
        inserted = self.env.execute_query(
            SQL(
                "INSERT INTO nurture_outcome (%s) VALUES %s"
                " ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key RETURNING id",
                SQL(", ").join(map(SQL.identifier, names)),
                rows,
            )
        )
        return self.browse(id_ for (id_,) in inserted)

    @api.model
    def _move(self, leads, to_lead):
        """Leads are merged: what came of them came of the one that is left."""
        self.sudo().search(Domain("lead_id", "in", leads.ids)).lead_id = to_lead


def line_cost(lines):
    """What products cost, in the currency of their company, as far as that is known now.

    :param lines: products, each with quantity and unit
    :return: None, when it is not known of all of them
    """
    cost = 0.0
    for product, quantity, unit in lines:
        if not quantity:
            continue
        if not product.standard_price:
            return None
        own = unit._compute_quantity(quantity, product.uom_id, round=False) if unit else quantity
        cost += own * product.standard_price
    return cost
