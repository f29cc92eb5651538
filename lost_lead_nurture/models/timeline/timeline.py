"""What is read for the timeline of a participant."""

from datetime import timedelta

from ...tools.decisions import read_decisions, take


class Journey:
    """What the entries of one timeline share, read with all rights: whoever may see a participant
    may see its steps and mailing traces. Each decision about a step is shown once, by
    whatever entry takes it first."""

    def __init__(self, participant):
        sudo = participant.sudo().with_context(active_test=False)
        self.participant = sudo
        # links, subjects and what the system says may tell who it was
        self.is_forgotten = sudo._is_forgotten()
        self.env = sudo.env
        self.traces = sudo.trace_ids.sorted("id")
        self.children = self.traces.grouped(lambda trace: trace.parent_id.id)
        self.decisions = {trace.id: read_decisions(trace.decision_log) for trace in self.traces}
        reasons = self.traces._fields["reason"]._description_selection(self.env)
        # “done” explains nothing
        self.reasons = {value: label for value, label in reasons if value != "done"}
        self.may_act = participant.sequence_id.has_access("write")
        activities = self.env["mail.activity"].search(
            [("nurture_trace_id", "in", self.traces.ids)], order="id"
        )
        self.activities = activities.grouped(lambda activity: activity.nurture_trace_id.id)
        # all at once: else those of each trace would be read one after the other
        mailing_traces = self.traces.mailing_trace_ids.sorted("id")
        self.mailing_traces = mailing_traces.grouped(
            lambda mailing_trace: mailing_trace.nurture_trace_id.id
        )
        clicks = mailing_traces.links_click_ids.sorted("create_date")
        self.clicks = clicks.grouped(lambda click: click.mailing_trace_id.id)
        self._subjects = self._find_subjects(mailing_traces)
        self._contacts = None

    def _find_subjects(self, mailing_traces):
        """``{message id: subject as it was sent}``, of those messages that are kept."""
        if self.is_forgotten:
            return {}
        ids = [one for one in mailing_traces.mapped("message_id") if one]
        kept = self.env["mail.message"].search_fetch(
            [("message_id", "in", ids)], ["message_id", "subject"]
        )
        return {message.message_id: message.subject for message in kept}

    def get_mailing_traces(self, trace):
        """The mailing traces of a trace, oldest first: several where it was sent again."""
        return self.mailing_traces.get(trace.id, self.env["mailing.trace"])

    def get_mailing_trace(self, trace):
        """The last mailing trace of a trace; empty without one."""
        mailing_traces = self.get_mailing_traces(trace)
        return mailing_traces and mailing_traces[-1]

    def has_sent(self):
        """Whether a message has left: without one nothing is credited."""
        return bool(self.traces.mailing_trace_ids.filtered("sent_datetime"))

    def get_name(self, trace, mailing_trace=None):
        """What a step is called: the subject of its mail, as it was sent if that is known."""
        mailing_trace = mailing_trace or self.get_mailing_trace(trace)
        return self._subjects.get(mailing_trace.message_id) or trace.step_id.name

    def get_actions(self, trace):
        """What the user may do with a step that is open or failed: names of its methods."""
        if not self.may_act or self.participant.state != "running":
            return []
        is_running = self.participant.sequence_id.state == "running"
        if trace.state == "error":
            actions = ["action_retry"] if is_running else []
            return actions + ["action_mark_sent"] * (trace.reason == "mail_in_doubt")
        actions = ["action_run_now"] if is_running and trace.state == "scheduled" else []
        return [*actions, "action_cancel"]

    def get_contacts(self, date, days):
        """What the address had got in the ``days`` before ``date``: names of mailings. Only those
        who may read mailings see it."""
        if not self.may_act or not self.participant.email:
            return []
        if self._contacts is None:
            first = min(trace.create_date for trace in self.traces) - timedelta(days=days)
            self._contacts = self.env["mailing.trace"].search_fetch(
                [
                    ("email", "=", self.participant.email),
                    ("sent_datetime", ">=", first),
                    ("is_test_trace", "=", False),
                ],
                ["sent_datetime", "mass_mailing_id"],
                order="sent_datetime",
            )
        near = self._contacts.filtered(
            lambda one: date - timedelta(days=days) <= one.sent_datetime <= date
        )
        return list(dict.fromkeys(near.mass_mailing_id.mapped("display_name")))

    def take_decisions(self, condition, traces=None):
        """Take all decisions that meet ``condition`` and are not shown yet.

        :return: names of their steps
        """
        return [
            trace.step_id.name
            for trace in (self.traces if traces is None else traces)
            for _decision in take(self.decisions[trace.id], condition)
        ]
