from datetime import datetime

from odoo import fields, models
from odoo.tools import format_list

from ...tools.dates import on_clock, on_day
from ...tools.decisions import Reaction, join_opening
from ...tools.pace import STAGES
from ...tools.reasons import IN_QUEUE
from ...tools.timeline import bold, bot_text, cap_text, in_words, make_entry, some_of
from ...tools.triggers import TRIGGERS

#: Reasons for which a step is deferred, with an entry each. What is held for the sending hours is
#: shown with what came of it.
DEFERRED = ("cap", "last_chance", "resumed", *STAGES)
#: Other reasons for which what was planned changes.
CHANGED = ("updated", "run_now", "retried", "recalled", "ab_decided")


class NurtureTrace(models.Model):
    """A step in the timeline of its participant, see ``timeline/participant.py``. ``journey``
    is what the traces of a participant share there (:class:`~.timeline.Journey`)."""

    _inherit = "nurture.trace"

    def _make_entry(self, kind, date, text, why=(), **more):
        step_type = self.step_id.step_type
        icon = self.step_id._get_type_icons().get(step_type)
        return make_entry(kind, date, text, why, trace=self.id, type=step_type, icon=icon, **more)

    def _get_cause(self):
        """What made the step due, in words; False for one that begins the sequence at once."""
        step = self.step_id
        when = step._get_when(self.variant)
        if TRIGGERS[step.trigger].kind != "time":
            return self.env._("branch “%s”", when)
        return when if step.parent_id or step._get_delay_of(self.variant)[0] else False

    # ------------------------------------------------------------
    # WHAT PEOPLE DID
    # ------------------------------------------------------------

    def _get_reaction_entries(self, journey):
        """What the recipient did with the message, or a colleague with the activity, and what came
        of it."""
        reactions = self._get_reactions(journey)
        reactions.sort(key=lambda reaction: reaction.date)
        entries = []
        for reaction in reactions:
            effects = self._get_effects(journey, reaction)
            # that a mail was opened is shown with the mail, unless it changed something
            if effects or reaction.kind != "opened":
                entries.append(
                    self._make_entry(
                        reaction.kind,
                        reaction.date,
                        reaction.text,
                        reaction.why + effects,
                        **reaction.more,
                    )
                )
        return entries

    def _get_reactions(self, journey):
        """
        :return: list of :class:`Reaction`
        """
        if self.step_id.step_type == "activity":
            return self._get_activity_reactions(journey)
        mailing_trace = journey.get_mailing_trace(self)
        name = journey.get_name(self)
        reactions = self._get_click_reactions(journey, mailing_trace, name)
        if mailing_trace.reply_datetime:
            text = self.env._("Replied to %s", bold(name))
            reactions.append(Reaction(mailing_trace.reply_datetime, "replied", {"reply"}, text))
        opened = mailing_trace.open_datetime
        if opened and not join_opening(reactions, opened):
            text = self.env._("%s opened", bold(name))
            reactions.append(Reaction(opened, "opened", {"open"}, text))
        if mailing_trace.nurture_soft_bounce_date:
            text = self.env._("%s bounced for now", bold(name))
            date = mailing_trace.nurture_soft_bounce_date
            more = {"detail": not journey.is_forgotten and mailing_trace.nurture_soft_bounce_reason}
            reactions.append(Reaction(date, "soft_bounced", set(), text, more=more))
        if mailing_trace.trace_status == "bounce":
            text = self.env._("%s bounced", bold(name))
            date = self._get_bounce_date(journey, mailing_trace)
            more = {"detail": not journey.is_forgotten and mailing_trace.failure_reason}
            reactions.append(Reaction(date, "bounced", {"bounce"}, text, more=more))
        if mailing_trace.nurture_unsubscribe_date:
            text = self.env._("Unsubscribed in %s", bold(name))
            date = mailing_trace.nurture_unsubscribe_date
            reactions.append(Reaction(date, "unsubscribed", set(), text))
        if mailing_trace.nurture_complaint_date:
            text = self.env._("Called %s spam", bold(name))
            date = mailing_trace.nurture_complaint_date
            reactions.append(Reaction(date, "complained", set(), text))
        return reactions

    def _get_click_reactions(self, journey, mailing_trace, name):
        """Clicks, those on one link together."""
        clicks = journey.clicks.get(mailing_trace.id, self.env["link.tracker.click"])
        if not clicks and mailing_trace.links_click_datetime:
            text = self.env._("A link in %s clicked", bold(name))
            return [Reaction(mailing_trace.links_click_datetime, "clicked", {"click"}, text)]
        reactions = []
        for link, times in clicks.grouped("link_id").items():
            label = self.env._("a link") if journey.is_forgotten else link.label or link.url
            text = self.env._("Clicked %s", bold(label))
            why = [self.env._("in “%s”", name)]
            if len(times) > 1:
                last = on_clock(self.env, times[-1].create_date)
                why.append(
                    self.env._("%(number)s times, last on %(date)s", number=len(times), date=last)
                )
            date = times[0].create_date
            reactions.append(Reaction(date, "clicked", {"click"}, text, link.url, why))
        return reactions

    def _get_bounce_date(self, journey, mailing_trace):
        """Core does not note when a mail bounced: what it led to says it."""
        dates = [
            decision.date
            for child in journey.children.get(self.id, ())
            for decision in journey.decisions[child.id][1:]
            if "bounce" in TRIGGERS[child.step_id.trigger].events and decision.state == "scheduled"
        ]
        if journey.participant.exit_reason == "bounced":
            dates.append(journey.participant.exit_date)
        return min(dates, default=mailing_trace.write_date)

    def _get_activity_reactions(self, journey):
        done = journey.activities.get(self.id, self.env["mail.activity"]).filtered("date_done")
        handled = [
            decision.date
            for child in journey.children.get(self.id, ())
            for decision in journey.decisions[child.id][1:]
            if "done" in TRIGGERS[child.step_id.trigger].events
            and (decision.state == "scheduled" or decision.reason == "opposite")
        ]
        if not (done or handled):
            return []
        text = self.env._("%s done", bold(self.step_id.name))
        date = min(handled, default=None) or max(
            fields.Datetime.to_datetime(done[:1].date_done), self.processed_date or datetime.min
        )
        return [Reaction(date, "done", {"done"}, text)]

    def _get_effects(self, journey, reaction):
        """What a reaction scheduled and cancelled, in words."""
        effects = []
        for child in journey.children.get(self.id, ()):
            step, trigger = child.step_id, TRIGGERS[child.step_id.trigger]
            if not (trigger.events & reaction.events) or not step._is_about_link(reaction.link):
                continue
            for decision in journey.decisions[child.id][1:]:
                if decision.follows(trigger) and not decision.shown:
                    decision.shown = True
                    effects.append(child._get_effect(decision, trigger.absence))
                    break
        if reaction.events & {"reply", "bounce"}:
            others = journey.take_decisions(lambda decision: decision.reason == "other_branch")
            if others:
                effects.append(
                    self.env._(
                        "only the branch for it goes on; cancelled: %s", some_of(self.env, others)
                    )
                )
        return effects

    def _get_effect(self, decision, cancelled):
        labels = {"trigger": self.step_id._get_trigger_label(), "step": self.step_id.name}
        if cancelled:
            return self.env._("branch “%(trigger)s” cancelled: “%(step)s”", **labels)
        return self.env._(
            "branch “%(trigger)s” taken: “%(step)s” scheduled for %(date)s",
            date=on_clock(self.env, decision.due),
            **labels,
        )

    # ------------------------------------------------------------
    # WHAT BOTS DID
    # ------------------------------------------------------------

    def _get_bot_entries(self, journey):
        """What bots did to the message: recorded, but not counted."""
        labels = dict(
            self.env["mailing.trace"]._fields["nurture_bot_reason"]._description_selection(self.env)
        )
        return [
            self._make_entry(
                "bot",
                fields.Datetime.to_datetime(note["first"]),
                bot_text(self.env, note, mailing_trace.trace_type == "mail"),
                [
                    self.env._("in “%s”", journey.get_name(self)),
                    labels.get(note["reason"]),
                    self.env._("recorded, not counted, no branch taken"),
                ],
            )
            for mailing_trace in journey.get_mailing_traces(self)
            for note in mailing_trace.nurture_bot_notes or []
        ]

    # ------------------------------------------------------------
    # WHAT THE SEQUENCE DID
    # ------------------------------------------------------------

    def _get_step_entries(self, journey):
        """What was decided about the step, and done."""
        entries, held = [], []
        decisions = journey.decisions[self.id]
        for number, decision in enumerate(decisions):
            if decision.shown:
                continue
            if decision.state == "scheduled" and decision.reason == "sending_hours":
                # what it was due at is in the line before
                held.append(decisions[number - 1].due if number else None)
            elif decision.state == "scheduled" and decision.reason in DEFERRED + CHANGED:
                self._add_change(journey, entries, decision)
            elif decision.state == "processed":
                why = [self._get_cause(), *(self._get_hold(due) for due in held)]
                held = []
                # tried again, it is the same message
                is_again = any(one.state == "processed" for one in decisions[:number])
                entries += self._get_done_entries(journey, decision, why, is_again)
            elif decision.state == "rejected":
                entries.append(self._get_rejected_entry(journey, decision))
            elif decision.state == "error":
                is_last = number == len(decisions) - 1
                entries.append(self._get_error_entry(journey, decision, is_last))
        return entries

    def _add_change(self, journey, entries, decision):
        """It was deferred, moved, brought forward: what happens over and over is shown once."""
        last = entries[-1] if entries else {}
        if last.get("kind") == "deferred" and last["reason"] == decision.reason:
            last["text"] = str(self._get_deferral_text(decision))
            last["times"] += 1
            return
        kind = "deferred" if decision.reason in DEFERRED else "changed"
        entries.append(
            self._make_entry(
                kind,
                decision.date,
                self._get_deferral_text(decision),
                self._get_deferral_reasons(journey, decision),
                reason=decision.reason,
                times=1,
            )
        )

    def _get_deferral_text(self, decision):
        name = bold(self.step_id.name)
        date = on_clock(self.env, decision.due) if decision.due else ""
        if decision.reason == "updated":
            return self.env._("%(step)s moved to %(date)s", step=name, date=date)
        if decision.reason == "run_now":
            return self.env._("%s brought forward by hand", name)
        if decision.reason == "retried":
            return self.env._("%s tried again", name)
        if decision.reason == "recalled":
            return self.env._("%s recalled", name)
        if decision.reason == "ab_decided":
            return self.env._("%s: another version was chosen", name)
        return self.env._("%(step)s deferred to %(date)s", step=name, date=date)

    def _get_deferral_reasons(self, journey, decision):
        if decision.reason in ("run_now", "retried"):
            return []
        label = journey.reasons.get(decision.reason)
        if decision.reason != "cap":
            return [label, decision.detail]
        number, days = self.sequence_id._get_cap()
        reasons = [label]
        if number:
            reasons.append(cap_text(self.env, number, days))
        if names := journey.get_contacts(decision.date, days):
            reasons.append(self.env._("it had got: %s", some_of(self.env, names)))
        return reasons

    def _get_done_entries(self, journey, decision, why, is_again):
        """It was done; of a message that is so once it has left."""
        step = self.step_id
        if step._is_message():
            sent = journey.get_mailing_traces(self).filtered("sent_datetime")
            return [] if is_again else [self._get_sent_entry(journey, one, why) for one in sent]
        name = bold(step.name)
        if step.step_type == "activity":
            text = self.env._("Activity planned: %s", name)
            return [
                self._make_entry("activity", decision.date, text, why + self._get_deal(journey))
            ]
        if step.step_type == "opt_in":
            text = self.env._("Asked for consent: %s", name)
            return [self._make_entry("action", decision.date, text, why)]
        text = self.env._("%s done", name)
        return [self._make_entry("action", decision.date, text, [*why, step._get_action()])]

    def _get_hold(self, due):
        """That it was held for the sending hours, in words.

        :param due: when it was due; None when that is not known
        """
        hours = self.sequence_id.calendar_id.name or ""
        label = self.env._("held for the sending hours (%s)", hours)
        if not due:
            return label
        return self.env._("due %(date)s, %(held)s", date=on_clock(self.env, due), held=label)

    def _get_version(self):
        """Which version of the message it is, in words; False without an A/B test."""
        return self.variant and self.env._("version %s", self.variant)

    def _get_sent_entry(self, journey, mailing_trace, why):
        name = bold(journey.get_name(self, mailing_trace))
        text = self.env._("%s sent", name)
        if (
            mailing_trace.open_datetime
            and mailing_trace.open_datetime > mailing_trace.sent_datetime
        ):
            text = self.env._(
                "%(message)s sent, opened %(time)s later",
                message=name,
                time=in_words(self.env, mailing_trace.open_datetime - mailing_trace.sent_datetime),
            )
        why = [*why, self._get_version()]
        return self._make_entry("sent", mailing_trace.sent_datetime, text, why, preview=True)

    def _get_deal(self, journey):
        """For whom an activity is, and until when."""
        return [
            text
            for activity in journey.activities.get(self.id, ())
            for text in (
                self.env._("for %s", activity.user_id.name),
                self.env._("until %s", on_day(self.env, activity.date_deadline)),
            )
        ]

    def _get_rejected_entry(self, journey, decision):
        text = (
            self.env._("%s not sent", bold(self.step_id.name))
            if self.step_id._is_message()
            else self.env._("%s not done", bold(self.step_id.name))
        )
        why = [journey.reasons.get(decision.reason)]
        detail = decision.detail or False
        if detail and decision.reason == "filtered":
            why += self._say_filtered(detail)
            detail = False
        why += self._get_stopped(journey)
        return self._make_entry("rejected", decision.date, text, why, detail=detail)

    def _get_error_entry(self, journey, decision, is_last):
        name = bold(self.step_id.name)
        in_doubt = decision.reason == "mail_in_doubt"
        text = self.env._("%s in doubt", name) if in_doubt else self.env._("%s failed", name)
        why = [journey.reasons.get(decision.reason), *self._get_stopped(journey)]
        actions = []
        if is_last and self.state == "error":
            if self.retry_date:
                date = on_clock(self.env, self.retry_date)
                why.append(self.env._("tried again automatically on %s", date))
            actions = journey.get_actions(self)
        detail = decision.detail or False
        return self._make_entry("error", decision.date, text, why, detail=detail, actions=actions)

    def _get_stopped(self, journey):
        """What does not follow because the step failed, in words."""
        stopped = journey.take_decisions(
            lambda decision: decision.reason == "parent_failed", journey.children.get(self.id, ())
        )
        if not stopped:
            return []
        return [self.env._("what follows is cancelled: %s", some_of(self.env, stopped))]

    # ------------------------------------------------------------
    # WHAT IS TO COME
    # ------------------------------------------------------------

    def _get_coming_entry(self, journey):
        """The step, if it is still to come."""
        actions = journey.get_actions(self)
        name = bold(self.step_id.name)
        if self.state == "scheduled":
            overdue = self.schedule_date <= fields.Datetime.now()
            why = [self._get_cause(), self._get_version(), journey.reasons.get(self.reason)]
            if self.reason in STAGES:
                why.append(self.detail)
            if overdue and journey.participant.sequence_id.state == "running":
                why.append(self.env._("due: it is done with the next run"))
            text = self.env._("%s is scheduled", name)
            return self._make_entry("scheduled", self.schedule_date, text, why, actions=actions)
        if self.state == "waiting":
            return self._get_waiting_entry(journey, name, actions)
        mailing_trace = journey.get_mailing_trace(self)
        if (
            self.state == "processed"
            and mailing_trace.trace_status in ("outgoing", "process")
            and not mailing_trace.sent_datetime
        ):
            text = self.env._("%s is in the queue", name)
            why = [self._get_cause(), self.env._("it is sent with the next run of the queue")]
            if mailing_trace.trace_status == "process":
                text = self.env._("%s is being sent", name)
                why = [self._get_cause(), self.env._("the provider has not reported yet")]
            elif self.reason in IN_QUEUE:
                date = on_clock(self.env, self.schedule_date)
                text = self.env._("%(step)s waits until %(date)s", step=name, date=date)
                detail = not journey.is_forgotten and self.detail
                why = [self._get_cause(), journey.reasons.get(self.reason), detail]
            why.append(self._get_version())
            return self._make_entry("queued", self.processed_date, text, why, preview=True)
        return None

    def _get_waiting_entry(self, journey, name, actions):
        parent = self.parent_id
        if parent.step_id._is_message() and not journey.get_mailing_trace(parent).sent_datetime:
            why = [self.env._("“%s” has to leave first", parent.step_id.name)]
        else:
            why = [self.env._("for: %s", self.step_id.when)]
        if self.expire_date:
            why.append(self.env._("until %s", on_clock(self.env, self.expire_date)))
        text = self.env._("%s waits", name)
        return self._make_entry("waiting", False, text, why, actions=actions)

    def _get_next(self):
        """Of these traces of one participant, what is next: what it is, and when.

        :return: (text or False, date or False)
        """
        if coming := self._filter_coming():
            return coming[:1].step_id.name, coming[:1].schedule_date
        by_state = self.grouped("state")
        if failed := by_state.get("error"):
            return self.env._("%s failed", failed[:1].step_id.name), failed[:1].retry_date
        if self:
            return self.env._("Waits for: %s", self._get_awaited()), False
        return False, False

    def _filter_coming(self):
        """Those of these open traces that have a date: scheduled, or waiting in the queue."""
        coming = self.filtered(lambda trace: trace.state in ("scheduled", "processed"))
        return coming.sorted("schedule_date")

    def _get_awaited(self):
        """What these waiting traces wait for, in words."""
        steps = self.step_id.sorted(lambda step: (step.position, step.id))
        labels = dict.fromkeys(step._get_trigger_label() for step in steps)
        return format_list(self.env, list(labels))
