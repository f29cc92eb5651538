from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import triggers
from ...tools.reasons import IN_QUEUE, REASON_OF_FAILURE

#: Fields of ``mailing.trace`` with the date of an event.
EVENT_DATES = {"open": "open_datetime", "click": "links_click_datetime"}


class NurtureTrace(models.Model):
    """What happens to a step: its message left or did not, the recipient reacted, somebody did the
    activity."""

    _inherit = "nurture.trace"

    def _handle(self, event, link=None):
        """Handle what happened to the message or activity of processed traces.

        :param event: ``sent``, ``failed``, ``in_doubt``, ``cancelled``, or what somebody did:
            ``open``, ``click``, ``reply``, ``bounce``, ``done``
        :param link: the address of the link that was clicked
        """
        if event == "sent":
            self._handle_sent()
        elif event == "failed":
            self._handle_not_sent("error", lambda mailing_trace: "mail_failed")
        elif event == "in_doubt":
            self._handle_not_sent("error", lambda mailing_trace: "mail_in_doubt")
        elif event == "cancelled":
            reasons = self._get_reasons_of_failure()
            self._handle_not_sent(
                "rejected",
                lambda mailing_trace: reasons.get(mailing_trace.failure_type, "mail_cancelled"),
            )
        else:
            self._handle_reaction(event, link)

    @api.model
    def _get_reasons_of_failure(self):
        """``{failure type of a message that core did not send: reason}``"""
        return REASON_OF_FAILURE

    def _handle_sent(self):
        """The message left: now the clock of what follows runs. A retry revives what a failure of
        the message had stopped."""
        now = fields.Datetime.now()
        self.filtered(lambda trace: trace.state == "error" or trace.reason in IN_QUEUE)._set_state(
            "processed", "done"
        )
        stopped = SQL(
            "parent_id IN %s AND (nurture_trace.state = 'waiting'"
            " OR nurture_trace.state = 'cancelled' AND reason = 'parent_failed')"
            " AND participant_id IN (SELECT id FROM nurture_participant WHERE id IN %s"
            " AND state = 'running')",
            tuple(self.ids),
            tuple(self.participant_id.ids) or (0,),
        )
        timed = SQL(
            "step_id IN (SELECT id FROM nurture_step WHERE trigger IN %s)", triggers.timed()
        )
        self._update(
            SQL("%s AND %s", stopped, timed),
            state="scheduled",
            reason=None,
            base_date=now,
            schedule_date=self._sql_due(now),
        )
        self._update(
            SQL("%s AND NOT %s", stopped, timed),
            state="waiting",
            reason=None,
            expire_date=SQL(
                "(SELECT %s + %s FROM nurture_step step"
                " JOIN nurture_sequence sequence ON sequence.id = step.sequence_id"
                " WHERE step.id = nurture_trace.step_id)",
                now,
                self.env["nurture.step"]._sql_patience(),
            ),
        )
        self.participant_id._complete()
        self.sequence_id._check_budget()

    def _note_deferral(self, detail, date=None, reason="mail_deferred"):
        """The recipient's mail server, or the recipient, wants these mails, which are in the
        queue, later: keep that, and until when."""
        values = {"schedule_date": date} if date else {}
        self._update(
            SQL("id IN %s", tuple(self.ids) or (0,)), reason=reason, detail=detail, **values
        )

    @api.model
    def _note_held(self, later, provider):
        """Mails in the queue wait until their mail provider takes mails again: keep that.

        :param later: SQL of a table ``later`` with ``trace_id`` and ``date``
        """
        self._update(
            SQL("nurture_trace.id = later.trace_id AND nurture_trace.state = 'processed'"),
            source=SQL("FROM %s", later),
            reason="provider_held",
            detail=f"{provider.name}: {provider.said}",
            schedule_date=SQL("later.date"),
        )

    def _note_released(self):
        """What these waited for has ended: they leave with the next run of the queue."""
        self._set_state("processed", "done")

    def _handle_not_sent(self, state, get_reason):
        """The message was cancelled or failed: say so, and stop the branch."""
        causes = defaultdict(self.browse)
        for trace in self.filtered(lambda trace: trace.state == "processed"):
            mailing_trace = trace.mailing_trace_ids.sorted("id")[-1:]
            causes[get_reason(mailing_trace), mailing_trace._nurture_get_failure()] |= trace
        for (reason, detail), traces in causes.items():
            if state == "error":
                # it was tried: its place is used
                traces.sudo().limits = False
            traces._set_state(state, reason, detail)
        self._stop_branch()

    def _stop_branch(self):
        """Nothing follows what was not sent."""
        self._update(
            SQL("parent_id IN %s AND state IN ('waiting', 'scheduled')", tuple(self.ids) or (0,)),
            state="cancelled",
            reason="parent_failed",
        )
        self.participant_id._complete()

    def _handle_reaction(self, event, link=None):
        """Somebody did something (or the mail bounced): what waited for it becomes due after its
        delay, what it rules out is cancelled, and who reached a goal leaves."""
        scheduled = self._schedule_wanting(event, link)
        cancelled = self.browse()
        refuted_by = triggers.refuted_by(event)
        if event == "reply":
            # who answers has opened the mail
            refuted_by += triggers.refuted_by("open")
        if refuted := self._get_children(refuted_by, link):
            cancelled = self._update(
                self._sql_children(refuted, "waiting", "scheduled"),
                state="cancelled",
                reason="opposite",
            )
        if event in ("open", "click", "reply"):
            cancelled |= self._end_silence()
        if event == "click":
            for trace in self.filtered(lambda one: one.sequence_id._is_goal_link(link)):
                date = trace.mailing_trace_ids.sorted("id")[-1:].links_click_datetime
                trace.participant_id._may_be_won_back()._reach("clicked", trace.step_id, date)
        left = self.env["nurture.participant"]
        if event in triggers.LAST_WORDS:
            left = self._handle_last_word(event, scheduled)
        if event == "reply":
            # what waits for an open is due as well, for those whose journey goes on
            self.filtered(lambda trace: trace.participant_id not in left)._schedule_wanting("open")
        if event == "bounce":
            self.sequence_id._check_guardrail("bounce")
        if cancelled or event not in ("open", "click"):
            (self.participant_id - left)._complete()

    def _schedule_wanting(self, event, link=None):
        """What waited for ``event`` becomes due after its delay.

        :return: the traces of that
        """
        wanting = self._get_children(triggers.wanting(event), link)
        if not wanting:
            return self.browse()
        moment = self._sql_moment(event)
        return self._update(
            self._sql_children(wanting, "waiting"),
            state="scheduled",
            base_date=moment,
            schedule_date=self._sql_due(moment),
            expire_date=None,
        )

    @api.model
    def _sql_moment(self, event):
        """When the step before a trace had its event. An open and a click are handled a minute
        after they happened, see ``nurture.hit``."""
        now = fields.Datetime.now()
        if event not in EVENT_DATES:
            return SQL("%s::timestamp", now)
        return SQL(
            "(SELECT COALESCE(max(mailing_trace.%s), %s) FROM mailing_trace"
            " WHERE mailing_trace.nurture_trace_id = nurture_trace.parent_id)",
            SQL.identifier(EVENT_DATES[event]),
            now,
        )

    def _get_children(self, trigger_values, link):
        """The steps after those of ``self`` with one of these triggers; of those about one link
        only the ones about ``link``."""
        return self.step_id.child_ids.filtered(
            lambda step: step.trigger in trigger_values and step._is_about_link(link)
        )

    def _handle_last_word(self, event, scheduled):
        """A reply or a bounce ends a participant's journey, unless the workflow has a branch for
        it: then only that branch goes on.

        :return: the participants who left
        """
        name = triggers.LAST_WORDS[event]
        heeding = self.filtered(lambda trace: trace.sequence_id[f"exit_on_{name}"])
        if not heeding:
            return heeding.participant_id
        # those who are in a branch already, from an earlier answer, stay there too
        in_branch = self.search(
            [
                ("participant_id", "in", heeding.participant_id.ids),
                ("step_id.trigger", "in", triggers.wanting(event)),
                ("state", "in", ("scheduled", "processed")),
            ]
        ).participant_id
        branching = scheduled.filtered(lambda trace: trace.parent_id in heeding)
        if branching:
            self._update(
                SQL(
                    "participant_id IN %s AND id NOT IN %s AND state IN ('waiting', 'scheduled')",
                    tuple(branching.participant_id.ids),
                    tuple(branching.ids),
                ),
                state="cancelled",
                reason="other_branch",
            )
        if event == "reply":
            for trace in heeding:
                trace.participant_id._win_back(name, trace.step_id)
        leaving = heeding.participant_id - in_branch
        leaving._leave(name)
        return leaving

    def _sql_children(self, steps, *states):
        """Condition on the traces after ``self`` at ``steps`` in one of ``states``. Those of a
        participant who left are closed already, so they are never among them."""
        return SQL(
            "parent_id IN %s AND step_id IN %s AND nurture_trace.state IN %s",
            tuple(self.ids),
            tuple(steps.ids) or (0,),
            states,
        )
