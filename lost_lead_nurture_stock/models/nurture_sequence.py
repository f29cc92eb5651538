from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.models.step.step import MAX_DELAY
from odoo.addons.lost_lead_nurture.tools.sandbox import is_past

from ..tools.allocation import Claim, allocate, is_there, take
from ..tools.reasons import STOCK_REASONS


class NurtureSequence(models.Model):
    """Leads that were lost for want of stock enter once what they wanted can be delivered, no more
    of them than there is enough for."""

    _inherit = "nurture.sequence"

    wait_for_stock = fields.Selection(
        [("free", "Free quantity"), ("forecast", "Forecasted quantity")],
        string="Waits for Stock",
        help="A lead enters once all products of its last quotation can be delivered in the "
        "quantity quoted, from the warehouse of the quotation; without a quotation one of each "
        "product that is named on the lead, or else on the preset.\n"
        "Free quantity: on hand and reserved for nobody.\n"
        "Forecasted quantity: with what is to arrive and to leave.\n"
        "It is looked at again when a mail is queued, and when it is sent.",
    )
    wave_days = fields.Integer(
        string="Days to Answer",
        default=14,
        help="For so many days what a lead was offered is offered to nobody else, unless it leaves "
        "the sequence.",
    )
    wave_share = fields.Integer(
        string="Unanswered (%)",
        default=50,
        help="When after these days at least this share of the leads that entered together has not "
        "answered, what they were offered is offered to the next ones. 0: in any case.",
    )
    reentry = fields.Selection(
        selection_add=[("stock", "Each time it is back in stock")],
        ondelete={"stock": "set default"},
    )

    # ------------------------------------------------------------
    # SETTINGS
    # ------------------------------------------------------------

    @api.onchange("wait_for_stock")
    def _onchange_wait_for_stock(self):
        if self.wait_for_stock and self.reentry == "never":
            self.reentry = "stock"
        elif not self.wait_for_stock and self.reentry == "stock":
            self.reentry = "never"

    @api.constrains("wait_for_stock", "reentry", "wave_days", "wave_share")
    def _check_numbers(self):  # pylint: disable=missing-return
        super()._check_numbers()
        for sequence in self:
            if sequence.reentry == "stock" and not sequence.wait_for_stock:
                raise ValidationError(
                    self.env._(
                        "“%s”: leads can enter each time something is back in stock only where the "
                        "sequence waits for stock.",
                        sequence.name,
                    )
                )
            if not 1 <= sequence.wave_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._("Leads have one day at least to answer, and ten years at most.")
                )
            if not 0 <= sequence.wave_share <= 100:
                raise ValidationError(
                    self.env._("The share of leads that have not answered is from 0 to 100%.")
                )

    @api.model
    def _get_choice_fields(self):
        return (*super()._get_choice_fields(), "wait_for_stock")

    # ------------------------------------------------------------
    # ENROL
    # ------------------------------------------------------------

    def _get_to_scan(self):
        """Who waits for stock is looked at with all others who wait for it, once an hour: who was
        lost just now does not come before them."""
        waiting = self.filtered("wait_for_stock")
        due = super(NurtureSequence, self - waiting)._get_to_scan()
        due |= waiting.filtered(lambda one: one.last_error or not one._get_lost_since())
        return self & due

    def _catch_up(self):
        self._follow_stock()
        return super()._catch_up()

    def _follow_stock(self):
        """Release what leads do not have any more, and notice what has become short: also where
        leads enter by hand, and enter again."""
        claims = self.env["nurture.stock.claim"].sudo()
        try:
            claims._release_over()
            for sequence in self.filtered("wait_for_stock"):
                if not sequence._get_lost_since():
                    claims._notice_short(sequence)
            self.env["ir.cron"]._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody has just got a mail, or ordered: the next run looks again
            self.env.cr.rollback()

    def _enrol(self, leads=None, lost_since=None, among=None):
        if not self.wait_for_stock:
            return super()._enrol(leads, lost_since, among)
        if is_past(self.env):
            # in a replay those who may enter are known for the day
            return super()._enrol(leads, among=among) if lost_since is None else []
        return super()._enrol(leads, None, among)

    def _waits_in_past(self):
        return bool(self.wait_for_stock) or super()._waits_in_past()

    def _has_past_changed(self, since):
        """In a replay: what leads wait for is looked at when something came, left or was
        released, and once a day."""
        if not self.wait_for_stock:
            return super()._has_past_changed(since)
        now = fields.Datetime.now()
        ((has_moved,),) = self.env.execute_query(
            SQL(
                "SELECT EXISTS (SELECT 1 FROM stock_move WHERE state = 'done'"
                " AND date > %s AND date <= %s)",
                since,
                now,
            )
        )
        is_new_day = now.date() != since.date()
        if has_moved or is_new_day:
            self._follow_stock()
        ((has_released,),) = self.env.execute_query(
            SQL(
                "SELECT EXISTS (SELECT 1 FROM nurture_stock_claim WHERE released_date >= %s)", since
            )
        )
        return has_moved or has_released or is_new_day

    def _sort_free(self, lead_ids):
        groups = super()._sort_free(lead_ids)
        if not self.wait_for_stock:
            return groups
        # of customers who are no leads yet it is known when they are what they wait for
        customers = [lead_id for lead_id in groups.get(None, []) if lead_id < 0]
        lead_ids = [lead_id for lead_id in groups.pop(None, []) if lead_id > 0]
        wanted = self._get_wanted(lead_ids)
        free = [lead_id for lead_id in lead_ids if lead_id in wanted]
        unknown = [lead_id for lead_id in lead_ids if lead_id not in wanted]
        stock = self._read_stock({key for one in wanted.values() for key in one})
        missing = [lead_id for lead_id in free if not is_there(stock, wanted[lead_id])]
        there = set(free) - set(missing)
        served = self._serve({lead_id: wanted[lead_id] for lead_id in there}, stock)
        groups |= {
            None: sorted([*customers, *served]),
            "no_product": unknown,
            "not_in_stock": missing,
            "stock_taken": sorted(there - served),
        }
        return {reason: ids for reason, ids in groups.items() if ids}

    def _serve(self, wanted, stock):
        """Those of the leads for whom there is enough beside what others were offered, the most
        valuable first.

        :param wanted: ``{lead id: {key: quantity}}``
        :param stock: ``{key: quantity}``
        :return: set of ids
        """
        left = dict(stock)
        claims = self.env["nurture.stock.claim"].sudo()
        take(left, claims._get_taken({key for one in wanted.values() for key in one}))
        # who is held out enters when the others do, and takes nothing
        held_out = self.sudo()._get_held_out(list(wanted))
        order = self._sort_by_value(list(wanted))
        served, _left = allocate(
            left, [Claim(id_, wanted[id_], takes=id_ not in held_out) for id_ in order]
        )
        return served

    def _sort_by_value(self, lead_ids):
        """The leads, the most valuable first, of several with one address the one that enters."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT entering.id
                  FROM (SELECT DISTINCT ON (%(dedup_key)s)
                               lead.id, lead.expected_revenue, lead.date_closed
                          FROM crm_lead lead
                         WHERE lead.id = ANY(%(ids)s)
                      ORDER BY %(dedup_key)s, lead.date_closed DESC NULLS LAST,
                               lead.id DESC) entering
              ORDER BY entering.expected_revenue DESC NULLS LAST, entering.date_closed, entering.id
                """,
                dedup_key=self.env["nurture.participant"]._sql_dedup_key(self),
                ids=lead_ids,
            )
        )
        return [lead_id for (lead_id,) in rows]

    def _get_wanted(self, lead_ids):
        return self.env["crm.lead"].browse(lead_ids)._nurture_get_wanted(self)

    def _read_stock(self, keys):
        """``{key: quantity}`` that can be delivered, by what the sequence waits for."""
        stock = self.env["product.product"]._nurture_read_stock(keys)
        return {key: amounts[self.wait_for_stock] for key, amounts in stock.items()}

    # ------------------------------------------------------------
    # WHY
    # ------------------------------------------------------------

    def _get_exclusion_by_lead(self, leads):
        """There is not enough for everybody, so who comes first is looked at, too."""
        if not self.wait_for_stock:
            return super()._get_exclusion_by_lead(leads)
        asked = set(leads.ids)
        found = self._group_by_exclusion()
        return {id_: reason for reason, ids in found.items() if reason for id_ in asked & set(ids)}

    def _get_condition_labels(self):
        return super()._get_condition_labels() | {
            "no_product": self.env._("It is known which products it waits for"),
            "not_in_stock": self.env._("All its products can be delivered"),
            "stock_taken": self.env._("They are not offered to others who come first"),
        }

    def _get_reentry_labels(self):
        return super()._get_reentry_labels() | {
            "stock": self.env._(
                "It is not in the sequence, and something that it was offered has been short since "
                "it was written to"
            ),
        }

    def _explain_waiting(self, lead, labels):
        conditions = super()._explain_waiting(lead, labels)
        if not self.wait_for_stock:
            return conditions
        wanted = self._get_wanted(lead.ids).get(lead.id)
        failed = None
        if not wanted:
            failed = "no_product"
        elif not is_there(self._read_stock(wanted.keys()), wanted):
            failed = "not_in_stock"
        elif lead.id in self.sudo()._group_by_exclusion().get("stock_taken", []):
            failed = "stock_taken"
        return conditions + [
            {"reason": reason, "label": labels[reason], "ok": reason != failed}
            for reason, _label in STOCK_REASONS
        ]

    def _explain_parts(self, condition, lead):
        if condition["reason"] != "not_in_stock":
            return super()._explain_parts(condition, lead)
        wanted = self._get_wanted(lead.ids)[lead.id]
        stock = self._read_stock(wanted.keys())
        products = self.env["product.product"].browse(
            key[0] for key, quantity in wanted.items() if not is_there(stock, {key: quantity})
        )
        amounts = {key[0]: (quantity, stock.get(key, 0.0)) for key, quantity in wanted.items()}
        return [
            {
                "domain": repr([("nurture_product_ids", "in", product.ids)]),
                "text": self.env._(
                    "%(product)s: %(wanted)s wanted, %(there)s there",
                    product=product.display_name,
                    wanted=lead._nurture_say_quantity(amounts[product.id][0], product),
                    there=lead._nurture_say_quantity(amounts[product.id][1], product),
                ),
            }
            for product in products._filtered_access("read")
        ]
