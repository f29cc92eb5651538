from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount

from ...tools.arguments import check_records
from ...tools.dates import on_clock, on_day
from ...tools.reasons import IN_QUEUE, WON_BACK
from ...tools.timeline import bold, make_entry, some_of
from ..sequence.sequence import REVENUE_GROUPS
from .timeline import Journey

#: Colours of cards, of Odoo's palette.
COLORS = {"running": 4, "completed": 7, "removed": 2}
COLOR_WON_BACK = 10
#: Who is won back leaves at about the same time: that is shown as one.
SAME_TIME = timedelta(hours=1)


class NurtureParticipant(models.Model):
    """The journey of a lead as a timeline that explains itself: what was done, what the recipient
    did, what came of it and why, and what is still to come. What is shown of a step is in
    ``trace.py``."""

    _inherit = "nurture.participant"

    timeline = fields.Json(
        compute="_compute_timeline",
        exportable=False,
        help="What happened, why, and what is to come. The number of queries does not grow with "
        "the steps.",
    )
    status = fields.Char(compute="_compute_status", help="Its state and, if it ended, why.")
    loss = fields.Char(compute="_compute_loss", help="When and why it was lost, and what of.")
    color = fields.Integer(compute="_compute_color", help="Of its card, by its state.")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    next_what = fields.Char(
        string="Next", compute="_compute_next", help="The step that is next, or what is waited for."
    )
    next_date = fields.Datetime(string="Next On", compute="_compute_next")

    @api.depends_context("lang", "tz", "uid")
    def _compute_timeline(self):
        for participant in self:
            participant.timeline = participant._origin._get_timeline()

    @api.depends("state", "exit_reason", "return_date")
    @api.depends_context("lang")
    def _compute_status(self):
        states = dict(self._fields["state"]._description_selection(self.env))
        reasons = dict(self._fields["exit_reason"]._description_selection(self.env))
        for participant in self:
            status = states.get(participant.state)
            # these say it all
            if participant.exit_reason and participant.state not in ("removed", "holdout"):
                status = self.env._(
                    "%(state)s: %(reason)s",
                    state=status,
                    reason=reasons.get(participant.exit_reason),
                )
            elif participant.return_date:
                status = self.env._("%s: returned without mails", status)
            participant.status = status

    @api.depends("date_lost", "entry_status", "lost_reason_id", "expected_revenue", "company_id")
    @api.depends_context("lang", "tz")
    def _compute_loss(self):
        for participant in self:
            date = participant._was_lost() and on_day(self.env, participant.date_lost)
            amount = participant.expected_revenue
            parts = [
                date and self.env._("lost %s", date),
                participant.lost_reason_id.name,
                amount and format_amount(self.env, amount, participant.currency_id),
            ]
            participant.loss = ", ".join(filter(None, parts))

    @api.depends("state", "won_back_date")
    def _compute_color(self):
        for participant in self:
            won_back = participant.won_back_date and COLOR_WON_BACK
            participant.color = won_back or COLORS.get(participant.state, 0)

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for participant in self:
            participant.currency_id = (participant.company_id or self.env.company).currency_id

    @api.depends("state", "trace_ids.state", "trace_ids.schedule_date", "sequence_id.state")
    @api.depends_context("lang")
    def _compute_next(self):
        running = self.filtered(lambda one: one.state == "running")
        open_traces = running._get_open_traces()
        for participant in self:
            traces = open_traces.get(participant, self.env["nurture.trace"])
            participant.next_what, participant.next_date = traces._get_next()
            if traces and participant.sequence_id.state != "running":
                participant.next_what = self.env._("The sequence is stopped")
                participant.next_date = False

    def _get_open_traces(self):
        """``{participant: its steps that are scheduled, waiting or failed, or wait in the queue}``,
        by date."""
        traces = self.env["nurture.trace"].search(
            Domain("participant_id", "in", self.ids)
            & (
                Domain("state", "in", ("scheduled", "waiting", "error"))
                | (Domain("state", "=", "processed") & Domain("reason", "in", IN_QUEUE))
            )
        )
        return traces.grouped("participant_id")

    @api.readonly
    def get_timeline(self):
        """All that has happened to the lead in its sequence, why, and what is still to come.

        :return: ``{"entries": [{"kind", "date", "text" (HTML), "why": [text], …}], "notice"}``;
            what else an entry may have says :func:`make_entry`. The oldest entry comes first, those
            still to come last. Dates are UTC strings, False where there is none.
        :raise AccessError: for who may not read the participant
        """
        check_records(self, one=True)
        return self._get_timeline()

    def _get_timeline(self):
        self.check_access("read")
        journey = Journey(self)
        reactions = [
            entry for trace in journey.traces for entry in trace._get_reaction_entries(journey)
        ]
        steps = [entry for trace in journey.traces for entry in trace._get_step_entries(journey)]
        bots = [entry for trace in journey.traces for entry in trace._get_bot_entries(journey)]
        end = self._get_end_entries(journey)
        past = [
            self._get_entry_entry(journey),
            *steps,
            *bots,
            *reactions,
            *self._get_cancelled_entries(journey),
            *self._get_order_entries(journey),
            *end,
        ]
        past.sort(key=lambda entry: entry["date"] or "")
        coming = self._get_coming_entries(journey)
        return {
            "entries": past + [{**entry, "coming": True} for entry in coming],
            "notice": self._get_notice(journey, len(past) == 1, coming),
        }

    # ------------------------------------------------------------
    # IN
    # ------------------------------------------------------------

    def _get_entry_entry(self, journey):
        """How the lead came in."""
        sequence = journey.participant.sequence_id
        if journey.participant.entered_by_hand:
            why = [self.env._("added by hand by %s", journey.participant.create_uid.name)]
        else:
            automatic = self.env._("automatically")
            if sequence.entry == "date":
                field = sequence.entry_field_id.field_description or ""
                automatic = self.env._("automatically, by its date “%s”", field)
            why = [automatic, *self._describe_what_let_in()]
            if not self._describe_profile():
                why.append(self._get_choice(sequence))
        if self.enrolment_number > 1:
            why.append(self.env._("enrolment %s", self.enrolment_number))
        if self.is_held_out_globally:
            why.append(self.env._("held out for comparison: no sequence writes to this address"))
        elif self.state == "holdout":
            why.append(self.env._("held out for comparison: it gets nothing"))
        elif self.holdout_percent:
            why.append(self.env._("not in the holdout"))
        text = bold(self.env._("Entered"))
        return make_entry("entered", self.entered_date, text, why)

    def _get_choice(self, sequence):
        """What the lead matched, in words."""
        if sequence.preset_id:
            return self.env._("matched the preset “%s”", sequence.preset_id.name)
        return self.env._("matched the sequence's choice of leads")

    # ------------------------------------------------------------
    # OUT
    # ------------------------------------------------------------

    def _get_end_entries(self, journey):
        """That the lead was won back, and how its journey ended."""
        if self.state == "holdout":
            return self._get_return_entries()
        reasons = dict(self._fields["exit_reason"]._description_selection(self.env))
        reason = reasons.get(self.exit_reason)
        won_back = self.won_back_date
        goal_ends_it = self.state == "exited" and self.exit_reason in WON_BACK
        ended = self.exit_date
        if goal_ends_it and won_back and ended and abs(ended - won_back) <= SAME_TIME:
            text = self.env._("%s: goal reached", bold(reason))
            why = [self._get_credit(journey), self._get_hand_over(), self._get_cancelled(journey)]
            return [make_entry("goal", ended, text, why)]
        entries = []
        if won_back:
            text = bold(self.env._("Won back"))
            why = [self._get_credit(journey), self._get_hand_over()]
            entries.append(make_entry("goal", won_back, text, why))
        if ended:
            text = self.env._("Ended: %s", bold(reason))
            why = [self._get_cancelled(journey)]
            if goal_ends_it and not won_back:
                why = [self._get_no_credit(journey), self._get_hand_over(), *why]
            elif self.state == "completed" and not won_back:
                why = [self._get_last_chance(journey), *why]
            entries.append(make_entry("ended", ended, text, why))
        return entries

    def _get_return_entries(self):
        """That a lead returned which was held out."""
        if not self.return_date:
            return []
        reasons = dict(self._fields["return_reason"]._description_selection(self.env))
        text = self.env._("Returned without mails: %s", bold(reasons.get(self.return_reason)))
        why = [self.env._("held out for comparison: nobody is credited")]
        return [make_entry("goal", self.return_date, text, why)]

    def _get_cancelled(self, journey):
        """What the end cancelled, in words."""
        names = journey.take_decisions(lambda decision: decision.reason in ("left", "recalled"))
        return names and self.env._("everything open cancelled: %s", some_of(self.env, names))

    def _get_credit(self, journey):
        """To which step the lead is credited, and why, in words. What the recipient did after being
        won back was not why."""
        step = journey.participant.credited_step_id
        traces = journey.traces.filtered(lambda trace: trace.step_id == step)
        if not traces:
            return False
        mailing_trace = journey.get_mailing_trace(traces[0])
        name = journey.get_name(traces[0])
        replied = mailing_trace.reply_datetime
        if replied and (not self.won_back_date or replied <= self.won_back_date):
            return self.env._("credited to “%s”, which was replied to", name)
        return self.env._("credited to “%s”, the last one clicked before", name)

    def _get_no_credit(self, journey):
        """Why no step is credited though the lead was won back, in words."""
        if not journey.has_sent():
            return self.env._("not credited: no message had left before")
        return self.env._(
            "not credited: nobody clicked or replied last here, or it was won back too late"
        )

    def _get_last_chance(self, journey):
        """Until when a lead that is through still counts if it is won back, in words."""
        may_be_won_back = journey.participant.lead_id and journey.has_sent()
        if not (may_be_won_back and self._is_in_window()):
            return False
        until = self.exit_date + timedelta(days=journey.participant.sequence_id.window_days)
        date = on_day(self.env, until)
        return self.env._("if it is won back until %s, it still counts", date)

    def _get_hand_over(self):
        user = self.sudo().handed_user_id
        return user and self.env._("handed to %s", user.name)

    def _get_cancelled_entries(self, journey):
        """What was cancelled and is not shown with something else, together where it was."""
        together = {}
        for trace in journey.traces:
            for decision in journey.decisions[trace.id]:
                if decision.state == "cancelled" and not decision.shown:
                    key = decision.date, decision.reason
                    together.setdefault(key, []).append(trace.step_id.name)
        return [
            make_entry(
                "cancelled",
                date,
                self.env._("%s cancelled", bold(some_of(self.env, names))),
                [journey.reasons.get(reason)],
            )
            for (date, reason), names in together.items()
        ]

    # ------------------------------------------------------------
    # MONEY
    # ------------------------------------------------------------

    def _get_order_entries(self, journey):
        """The quotations and orders that are credited to the journey: those the user may read, and
        all of them for who sees what the sequence earns."""
        credits_ = self.env["nurture.credit"]
        own = [("participant_id", "=", self.id)]
        orders = credits_._get("quotations", own).sorted("date_order")
        if not orders:
            return []
        mine = self.env["sale.order"]
        readable = mine.search([("id", "in", orders.ids)]) if mine.has_access("read") else mine
        earning = self.env.user.has_groups(REVENUE_GROUPS)
        shown = orders if earning else orders.filtered(lambda order: order in readable)
        entries = [self._get_order_entry(order, order in readable) for order in shown]
        if entries and earning:
            paid = credits_._earned("participant_id", own, lambda _one: self.currency_id)
            amount = format_amount(self.env, paid.get(self.id, 0.0), self.currency_id)
            entries[-1]["why"].append(self.env._("paid so far, less refunds: %s", amount))
        return entries

    def _get_order_entry(self, order, is_readable):
        amount = format_amount(self.env, order.amount_untaxed, order.currency_id)
        name = bold(f"{order.name}, {amount}")
        kind, text = "quotation", self.env._("Quotation %s", name)
        if order.state == "sale":
            kind, text = "order", self.env._("Order %s", name)
        elif order.state == "cancel":
            text = self.env._("Quotation %s, cancelled since", name)
        record = {"model": "sale.order", "id": order.id} if is_readable else False
        return make_entry(kind, order.date_order, text, [], record=record)

    # ------------------------------------------------------------
    # TO COME
    # ------------------------------------------------------------

    def _get_coming_entries(self, journey):
        """What is in the queue, scheduled and waited for, in this order."""
        if self.state != "running":
            return []
        traces = journey.traces.sorted(lambda trace: (trace.step_id.position, trace.step_id.id))
        entries = [entry for trace in traces if (entry := trace._get_coming_entry(journey))]
        order = ("queued", "scheduled", "waiting")
        entries.sort(key=lambda entry: (order.index(entry["kind"]), entry["date"] or ""))
        return entries

    def _get_notice(self, journey, is_new, coming):
        """What has to be known first of all, in words: that nothing goes on, or when it begins."""
        sequence = journey.participant.sequence_id
        if self.state != "running":
            return False
        if sequence.state != "running":
            return self.env._("The sequence is stopped: nothing is done until it is started again.")
        if is_new and coming:
            step, date = self.next_what, self.next_date
            if date:
                return self.env._(
                    "Nothing has happened yet. “%(step)s” comes next, on %(date)s.",
                    step=step,
                    date=on_clock(self.env, date),
                )
            return self.env._("Nothing has happened yet.")
        return False
