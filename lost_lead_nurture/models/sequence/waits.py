from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import triggers
from ...tools.arguments import check_records, read_choice
from ...tools.dates import on_day
from ...tools.pace import STAGES
from ...tools.reasons import IN_QUEUE

#: States of traces that are still to be done, or failed.
_OPEN = ("scheduled", "waiting", "error")


class NurtureSequence(models.Model):
    """What those wait for who are in a sequence: each is counted once."""

    _inherit = "nurture.sequence"

    waits = fields.Json(
        compute="_compute_waits",
        exportable=False,
        help="What the running participants wait for, in words: a text by kind of waiting. The "
        "number of queries does not grow with the sequences.",
    )

    @api.depends("state")
    @api.depends_context("tz", "lang", "uid", "allowed_company_ids")
    def _compute_waits(self):
        for sequence, statistics in self._get_statistics("waits").items():
            # what was counted by an earlier version does not have them
            waits = statistics.get("waits") if sequence.state == "running" else None
            sequence.waits = {
                kind: self._say_wait(kind, count, fields.Datetime.to_datetime(date))
                for kind, (count, date) in (waits or {}).items()
            }

    def _say_wait(self, kind, count, date):
        """That so many wait for this, in words.

        :param date: when it is the turn of the first of them, where that is known
        """
        # what is due already is of today
        day = date and on_day(self.env, max(date, fields.Datetime.now()))
        values = {"count": count, "date": day}
        one, many = {
            "failed": (
                self.env._("1 failed"),
                self.env._("%(count)s failed", **values),
            ),
            "held": (
                self.env._("1 waits for a mail provider or a limit (until %(date)s)", **values),
                self.env._(
                    "%(count)s wait for mail providers or limits (the first until %(date)s)",
                    **values,
                ),
            ),
            "mail": (
                self.env._("1 waits for the next mail (on %(date)s)", **values),
                self.env._("%(count)s wait for their next mail (next on %(date)s)", **values),
            ),
            "step": (
                self.env._("1 waits for the next step (on %(date)s)", **values),
                self.env._("%(count)s wait for their next step (next on %(date)s)", **values),
            ),
            "activity": (
                self.env._("1 waits for an activity to be done"),
                self.env._("%(count)s wait for an activity to be done", **values),
            ),
            "reaction": (
                self.env._("1 waits for a reaction"),
                self.env._("%(count)s wait for a reaction", **values),
            ),
            "leaving": (
                self.env._("1 has a mail that is just leaving"),
                self.env._("%(count)s have a mail that is just leaving", **values),
            ),
        }[kind]
        return one if count == 1 else many

    # ------------------------------------------------------------
    # COUNT
    # ------------------------------------------------------------

    def _get_waits(self):
        """What participants of these sequences may wait for: the traces that say so. Who has
        several of them counts for the first; who has none of them waits for a mail to leave.

        :return: ``{kind: Domain}``
        """
        steps = self.with_context(active_test=False).step_ids
        messages = steps.filtered(lambda step: step._is_message())
        events = steps.filtered(lambda step: not triggers.TRIGGERS[step.trigger].timed)
        activities = events.filtered(
            lambda step: triggers.TRIGGERS[step.trigger].parent == "activity"
        )
        scheduled = Domain("state", "=", "scheduled")
        waiting = Domain("state", "=", "waiting")
        in_queue = Domain("state", "=", "processed")
        return {
            "failed": Domain("state", "=", "error"),
            "held": (scheduled & Domain("reason", "in", STAGES))
            | (in_queue & Domain("reason", "in", IN_QUEUE) & Domain("reason", "!=", "preference")),
            # whether it is queued before or after the recipient said so
            "mail": (scheduled & Domain("step_id", "in", messages.ids))
            | (in_queue & Domain("reason", "=", "preference")),
            "step": scheduled,
            "activity": waiting & Domain("step_id", "in", activities.ids),
            "reaction": waiting & Domain("step_id", "in", events.ids),
        }

    def _count_waits(self, statistics):
        """How many wait for what, and when it is the turn of the first: ``waits`` {kind: [number,
        date]}, the date as text or False. One query."""
        participants = self.env["nurture.participant"]
        participants.flush_model()
        self.env["nurture.trace"].flush_model()
        # whose participants are seen, that is up to the query of the participants
        traces = self.env["nurture.trace"].sudo()
        waits = {
            kind: traces._search(domain).where_clause for kind, domain in self._get_waits().items()
        }
        rows = self.env.execute_query(
            SQL(
                """
                SELECT sequence_id, kind, count(*), min(date)
                  FROM (SELECT participant.sequence_id,
                               CASE %(kinds)s ELSE 'leaving' END AS kind,
                               COALESCE(min(schedule_date) FILTER (WHERE %(held)s),
                                        min(schedule_date) FILTER (WHERE %(mail)s),
                                        min(schedule_date) FILTER (WHERE %(step)s)) AS date
                          FROM nurture_participant participant
                     LEFT JOIN nurture_trace ON nurture_trace.participant_id = participant.id
                           AND (nurture_trace.state IN %(open)s OR %(held)s OR %(mail)s)
                         WHERE participant.id IN %(participants)s
                      GROUP BY participant.id) waiting
              GROUP BY sequence_id, kind
                """,
                kinds=SQL(" ").join(
                    SQL("WHEN bool_or(%s) THEN %s", condition, kind)
                    for kind, condition in waits.items()
                ),
                held=waits["held"],
                mail=waits["mail"],
                step=waits["step"],
                open=_OPEN,
                participants=participants._search(
                    [("sequence_id", "in", self.ids), ("state", "=", "running")]
                ).subselect(),
            )
        )
        by_id = self._by_id(statistics)
        for sequence_id, kind, number, date in rows:
            moment = kind in ("held", "mail", "step") and fields.Datetime.to_string(date)
            by_id[sequence_id]["waits"][kind] = [number, moment]

    # ------------------------------------------------------------
    # LIST
    # ------------------------------------------------------------

    def action_view_waits(self):
        """Open the participants who wait for something; the context key ``nurture_wait`` says for
        what.

        :raise UserError: when it is nothing that is waited for
        """
        check_records(self, one=True)
        kind = self.env.context.get("nurture_wait")
        waits = self._get_waits()
        names = self._get_wait_names()
        read_choice(self.env, kind, names)
        domain = Domain("state", "=", "running")
        for other, traces in waits.items():
            has = Domain("trace_ids", "any", traces)
            if other == kind:
                domain &= has
                break
            domain &= ~has
        return self._open_participants(names[kind], domain)

    @api.model
    def _get_wait_names(self):
        """What the lists of those who wait are called."""
        return {
            "failed": self.env._("Participants: Failed"),
            "held": self.env._("Participants: Wait for a Mail Provider or a Limit"),
            "mail": self.env._("Participants: Wait for Their Next Mail"),
            "step": self.env._("Participants: Wait for Their Next Step"),
            "activity": self.env._("Participants: Wait for an Activity"),
            "reaction": self.env._("Participants: Wait for a Reaction"),
            "leaving": self.env._("Participants: Mail Is Leaving"),
        }
