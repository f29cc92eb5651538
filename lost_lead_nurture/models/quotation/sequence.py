from dataclasses import dataclass

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import format_date, formatLang

from ..sequence.offer import MAX_VALID_DAYS
from .price import BATCH

#: How much a cost may be exceeded, in percent: more is a mistake in writing.
MAX_MARGIN = 10_000
#: By what a discount is as large as it is: whoever changes one of these has set it up.
TERMS = ("price_below", "has_margin_floor", "margin_floor")


@dataclass
class Renewal:
    """A refused quotation, as it would be today."""

    #: ``sale.order`` that was refused
    refused: object
    #: ``sale.order`` that is not saved
    fresh: object
    #: why it is not offered, see ``EXCLUSION_REASONS``; None: it is
    reason: str | None = None
    #: that is granted for it, in percent
    discount: float = 0.0


class NurtureSequence(models.Model):
    """On which terms the quotations that leads refused are made again."""

    _inherit = "nurture.sequence"

    price_below = fields.Float(
        string="Below the Refused Price (%)",
        digits=(5, 2),
        default=5.0,
        help="By how much less a quotation has to cost today, without taxes, than the one that was "
        "refused: for leads that enter when the price is below, and for a discount that is granted "
        "to beat it.",
    )
    has_margin_floor = fields.Boolean(
        string="Margin Floor",
        help="No quotation is offered with which less is earned, on each of its lines and as a "
        "whole. Where it is not known what a product costs you, none is.",
    )
    margin_floor = fields.Float(
        string="Margin on the Cost (%)",
        digits=(7, 2),
        help="0: nothing is sold below its cost. 25: what costs 100 is sold for 125 at least.",
    )
    fresh_days = fields.Integer(
        string="Quotation Valid (Days)",
        default=14,
        help="For so many days after a mail its link to the quotation works, and for as many the "
        "quotation is valid once the customer has asked for it.",
    )

    # ------------------------------------------------------------
    # SETTINGS
    # ------------------------------------------------------------

    @api.constrains("price_below", "has_margin_floor", "margin_floor", "fresh_days")
    def _check_fresh_terms(self):
        for sequence in self:
            if not 0.0 < sequence.price_below < 100.0:
                raise ValidationError(
                    self.env._("A price is below another one by more than 0 and less than 100%.")
                )
            if not 0.0 <= sequence.margin_floor <= MAX_MARGIN:
                raise ValidationError(
                    self.env._("The margin on the cost is from 0 to %s%%.", MAX_MARGIN)
                )
            if not 1 <= sequence.fresh_days <= MAX_VALID_DAYS:
                raise ValidationError(
                    self.env._(
                        "A quotation is valid for one day at least, and %s days at most.",
                        MAX_VALID_DAYS,
                    )
                )

    def _get_with_other_terms(self, vals):
        """Those for whose discounts other terms are being written."""
        return self.filtered(lambda sequence: sequence._is_changed_by(vals, TERMS))

    def _take_discounts_over(self):
        """Whoever has changed by what a discount is as large as it is has set it up."""
        if self.env.su:
            return
        steps = self.sudo().with_context(active_test=False).step_ids
        steps.filtered(
            lambda step: step.step_type == "action" and step.action_kind == "discount"
        ).author_id = self.env.user

    def _get_floor(self):
        """The margin that a quotation has to keep, in percent of the cost; None: none."""
        self.ensure_one()
        return self.margin_floor if self.has_margin_floor else None

    # ------------------------------------------------------------
    # AS IT WOULD BE TODAY
    # ------------------------------------------------------------

    def _renew(self, refused, has_discount=False):
        """A refused quotation as it would be today on the terms of this sequence.

        :param has_discount: whether a discount was granted to beat what was refused: the smallest
            one is worked out anew, with the prices of today, else none
        :return: :class:`Renewal`
        """
        self.ensure_one()
        floor = self._get_floor()
        fresh = refused._nurture_try_to_imagine()
        if not fresh or fresh.currency_id != refused.currency_id:
            # in another currency it cannot be compared
            return Renewal(refused, refused, "not_priced")
        # a discount takes from the margin: whoever is below the floor gets none
        renewal = Renewal(refused, fresh, fresh._nurture_get_reason_against(floor))
        if has_discount and not renewal.reason:
            discount = renewal.fresh._nurture_beat(refused.amount_untaxed, self.price_below, floor)
            renewal.discount = discount or 0.0
        return renewal

    def _find_discount(self, refused):
        """The discount that beats what was refused on the terms of this sequence, in percent.

        :return: None where there is none
        """
        renewal = self._renew(refused)
        if renewal.reason:
            return None
        return renewal.fresh._nurture_beat(
            refused.amount_untaxed, self.price_below, self._get_floor()
        )

    def _renew_for(self, leads):
        """What these leads refused, as it would be today for this sequence: the quotation that it
        has noted, for those who are not inside their last one.

        :return: ``{lead: Renewal}``, those without one left out
        """
        self.ensure_one()
        participants = self.env["nurture.participant"].search(
            [("sequence_id", "=", self._origin.id), ("lead_id", "in", leads.ids)], order="id"
        )
        inside = {participant.lead_id.id: participant for participant in participants}
        last = self.env["sale.order"]._nurture_find_refused(leads, self._get_companies())
        renewals = {}
        for lead in leads:
            participant = inside.get(lead.id, participants.browse())
            # what is noted stays, also when it is not there any more
            is_noted = bool(participant.refused_currency_id)
            refused = participant._get_refused() if is_noted else last.get(lead.id)
            if refused:
                renewals[lead] = self._renew(
                    refused.sudo(), has_discount=bool(participant.granted_date)
                )
        return renewals

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _describe_renewal(self, renewal, last_day=None):
        """A refused quotation as it would be today, for mails and for the page, in words of the
        language in the context.

        :param last_day: on which it can be asked for; counted from today, if not given
        """
        refused, fresh = renewal.refused.with_env(self.env), renewal.fresh.with_env(self.env)
        currency = fresh.currency_id
        lines = [
            fresh._nurture_describe_line(line, before)
            for line, before in fresh._nurture_get_pairs(refused)
        ]
        if last_day is None:
            last_day = fields.Date.add(self._get_local_day(), days=self.fresh_days)
        saved = currency.round(refused.amount_untaxed - fresh.amount_untaxed)
        return {
            "name": refused.name,
            "lines": lines,
            "refused_untaxed": self._say_price(refused.amount_untaxed, currency),
            "untaxed": self._say_price(fresh.amount_untaxed, currency),
            "tax": self._say_price(fresh.amount_tax, currency) if fresh.amount_tax else "",
            "total": self._say_price(fresh.amount_total, currency),
            "saved": self._say_price(saved, currency) if saved > 0 else "",
            "days": self.fresh_days,
            "last_day": format_date(self.env, last_day),
        }

    @api.model
    def _say_price(self, amount, currency):
        return formatLang(self.env, amount, currency_obj=currency)

    @api.model
    def _say_percent(self, percent):
        """A percentage, with no more digits than it has."""
        return formatLang(self.env, percent, digits=0 if float(percent).is_integer() else 2)

    # ------------------------------------------------------------
    # WHO ENTERS BY THE PRICE
    # ------------------------------------------------------------

    def _work_out_prices(self):
        """Work out some of the prices that nobody has worked out yet, for whoever looks on: all of
        them are the scheduled action's."""
        if self.entry == "price":
            self.env["nurture.price"].sudo()._work_out_missing(self._get_companies())

    def _follow_prices(self):
        """Work out what refused quotations cost today, where leads of these sequences wait for it,
        once an hour, and notice for whom that has risen. Commits."""
        waiting = self.filtered(lambda sequence: sequence.entry == "price")
        if not waiting:
            return
        prices = self.env["nurture.price"].sudo()
        companies = self.env["res.company"].union(*(one._get_companies() for one in waiting))
        try:
            number = prices._catch_up(companies)
            if number >= BATCH:
                # not only those who were lost just now may enter
                waiting.last_scan_date = False
            for sequence in waiting if number else ():
                prices._notice_risen(sequence)
            self.env["ir.cron"]._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody has just changed a quotation: the next run looks again
            self.env.cr.rollback()

    def _explain_price(self, lead):
        """What the lead refused and what it costs today, for who may see that quotation."""
        price = self.env["nurture.price"].sudo().search([("lead_id", "=", lead.id)])
        found = self.env["sale.order"]._nurture_find_refused(lead, self._get_companies())
        refused = found.get(lead.id)
        price = price.filtered(lambda one: one.order_id == refused)
        if not price or not refused.has_access("read"):
            return []
        text = self.env._(
            "%(quotation)s: %(refused)s refused, %(today)s today",
            quotation=refused.name,
            refused=self._say_price(price.refused_amount, price.currency_id),
            today=self._say_price(price.amount, price.currency_id),
        )
        return [{"domain": repr([("order_ids", "in", refused.ids)]), "text": text}]
