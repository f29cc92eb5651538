"""What is read for the timeline of a participant."""

from datetime import timedelta

from ...tools.decisions import read_decisions, take


class Journey:
    """What the entries of one timeline share, read with all rights: whoever may see a participant
    may see its steps and messages. A step's decisions are said once, by whatever says them
    first."""

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
        # automatically the messages of each trace would be read one after the other
        messages = self.traces.mailing_trace_ids.sorted("id")
        self.messages = messages.grouped(lambda message: message.nurture_trace_id.id)
        clicks = messages.links_click_ids.sorted("create_date")
        self.clicks = clicks.grouped(lambda click: click.mailing_trace_id.id)
        self._subjects = self._find_subjects(messages)
        self._contacts = None

    def _find_subjects(self, messages):
        """``{message id: subject as it was sent}``, of the messages that are kept."""
        if self.is_forgotten:
            return {}
        ids = [one for one in messages.mapped("message_id") if one]
        kept = self.env["mail.message"].search_fetch(
            [("message_id", "in", ids)], ["message_id", "subject"]
        )
        return {message.message_id: message.subject for message in kept}

    def get_messages(self, trace):
        """The messages of a trace, oldest first: several where it was sent again."""
        return self.messages.get(trace.id, self.env["mailing.trace"])

    def get_message(self, trace):
        """The last message of a trace; empty without one."""
        messages = self.get_messages(trace)
        return messages and messages[-1]

    def has_sent(self):
        """Whether a message has left: without one nothing is credited."""
        return bool(self.traces.mailing_trace_ids.filtered("sent_datetime"))

    def get_name(self, trace, message=None):
        """What a step is called: the subject of its mail, as it was sent if that is known."""
        message = message or self.get_message(trace)
        return self._subjects.get(message.message_id) or trace.step_id.name

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
        """Tell all decisions that meet ``condition`` and were not said yet.

        :return: names of their steps
        """
        return [
            trace.step_id.name
            for trace in (self.traces if traces is None else traces)
            for _decision in take(self.decisions[trace.id], condition)
        ]
