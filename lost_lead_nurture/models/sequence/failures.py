from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools.arguments import check_records
from ...tools.dates import on_clock
from ...tools.reasons import ONLY_BY_HAND

#: So often the responsible is notified of failures, at most.
WARNING_PAUSE = timedelta(hours=1)
#: How much is shown of what the system said.
MAX_DETAIL = 400


class NurtureSequence(models.Model):
    """What failed, a mail server for instance: it is on the form, with a button, until it is tried
    again, and the responsible is notified."""

    _inherit = "nurture.sequence"

    failure_note = fields.Html(
        compute="_compute_failures",
        groups="lost_lead_nurture.group_user",
        help="What failed and is not tried again yet: how often, when last and why.",
    )
    retryable_count = fields.Integer(
        compute="_compute_failures",
        groups="lost_lead_nurture.group_user",
        help="Failed steps that Retry All tries again. Those of which nobody knows whether their "
        "mail was sent are not among them.",
    )
    failure_activity_id = fields.Many2one(
        "mail.activity",
        readonly=True,
        copy=False,
        ondelete="set null",
        groups="lost_lead_nurture.group_user",
        help="The activity that notifies the responsible of failures.",
    )
    failure_warned_date = fields.Datetime(
        readonly=True,
        copy=False,
        help="When the responsible was notified of failures the last time.",
    )

    @api.depends("state")
    @api.depends_context("lang", "tz")
    def _compute_failures(self):
        failures = self._get_failures()
        for sequence in self:
            lines = failures.get(sequence.id, []) if sequence.state == "running" else []
            sequence.failure_note = Markup().join(
                Markup("<p class='mb-0'>%s</p>") % self._say_failure(*line) for line in lines
            )
            sequence.retryable_count = sum(
                number for reason, number, _date, _detail in lines if reason not in ONLY_BY_HAND
            )

    def _get_failures(self):
        """What failed and was not tried again yet.

        :return: ``{sequence id: [(reason, how often, when last, what the system said then)]}``
        """
        self.env["nurture.trace"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT failed.sequence_id, failed.reason, failed.number,
                       last.write_date, last.detail
                  FROM (SELECT sequence_id, reason, count(*) AS number
                          FROM nurture_trace
                         WHERE state = 'error' AND sequence_id IN %(ids)s
                      GROUP BY sequence_id, reason) failed
    CROSS JOIN LATERAL (SELECT write_date, detail
                          FROM nurture_trace
                         WHERE state = 'error'
                           AND sequence_id = failed.sequence_id
                           AND reason = failed.reason
                      ORDER BY write_date DESC, id DESC
                         LIMIT 1) last
              ORDER BY failed.number DESC, failed.reason
                """,
                ids=tuple(self.ids) or (0,),
            )
        )
        failures = {}
        for sequence_id, *line in rows:
            failures.setdefault(sequence_id, []).append(line)
        return failures

    @api.model
    def _say_failure(self, reason, number, date, detail):
        reasons = self.env["nurture.trace"]._fields["reason"]._description_selection(self.env)
        values = {"reason": dict(reasons).get(reason, reason), "date": on_clock(self.env, date)}
        if number == 1:
            what = self.env._("%(reason)s, once, on %(date)s.", **values)
        else:
            what = self.env._(
                "%(reason)s, %(number)s times, the last time on %(date)s.", number=number, **values
            )
        detail = " ".join((detail or "").split())
        if len(detail) > MAX_DETAIL:
            detail = f"{detail[:MAX_DETAIL]}…"
        return Markup("<strong>%s</strong> %s") % (what, detail)

    # ------------------------------------------------------------
    # RETRY
    # ------------------------------------------------------------

    def action_retry_all(self):
        """Try all again that failed. A mail that may have arrived is not sent again among many.

        :return: ``{"retried": how many}``
        :raise UserError: when there is nothing to retry
        """
        check_records(self)
        self.check_access("write")
        failed = (
            self.env["nurture.trace"]
            .sudo()
            .search(self._get_failed_domain() & Domain("reason", "not in", ONLY_BY_HAND))
        )
        failed._retry_by_hand()
        self.sudo()._end_failures()
        self._wake_cron()
        return {"retried": len(failed)}

    def button_retry_all(self):
        """:meth:`action_retry_all`, for people: what was done, as a notification."""
        retried = self.action_retry_all()["retried"]
        return self._notify(self.env["nurture.trace"]._say_retried(retried), reload=True)

    def action_view_failed(self):
        """Open what failed."""
        return self._open_list("nurture.trace", self.env._("Failed"), self._get_failed_domain())

    def _get_failed_domain(self):
        return (
            Domain("sequence_id", "in", self.ids)
            & Domain("state", "=", "error")
            & Domain("sequence_id.state", "=", "running")
            & Domain("participant_id.state", "=", "running")
        )

    # ------------------------------------------------------------
    # NOTIFY THE RESPONSIBLE: the scheduled action does
    # ------------------------------------------------------------

    def _report_failures(self):
        """:meth:`_notify_of_failures`, and commit that."""
        try:
            self._notify_of_failures()
            self.env["ir.cron"]._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else has just written one of them: the next run tells
            self.env.cr.rollback()

    def _notify_of_failures(self):
        """Notify the responsible of sequences in which something has failed; what was tried again
        is a failure no more. As long as one activity is not done there is no second one: it
        says what failed since."""
        self._end_failures()
        # two workers would both make an activity, and its user a follower, which can be one once
        unaware = self._get_unaware().try_lock_for_update()
        for sequence_id, lines in unaware._get_failures().items():
            sequence = self.browse(sequence_id)
            note = Markup().join(Markup("<p>%s</p>") % self._say_failure(*line) for line in lines)
            # one that is done is archived
            activity = sequence.failure_activity_id.filtered("active")
            if activity:
                activity.note = note
            else:
                activity = sequence._warn(
                    self.env._("Something failed: look, then press Retry All"), note
                )
            sequence.write(
                {
                    "failure_activity_id": activity.id,
                    "failure_warned_date": fields.Datetime.now(),
                }
            )

    def _get_unaware(self):
        """The sequences in which something failed since their responsible was notified, if that is
        some time ago."""
        self.flush_model(["failure_warned_date"])
        self.env["nurture.trace"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT sequence.id FROM nurture_sequence sequence"
                " WHERE sequence.id IN %s AND COALESCE(failure_warned_date <= %s, true)"
                " AND EXISTS (SELECT 1 FROM nurture_trace trace"
                " WHERE trace.state = 'error' AND trace.sequence_id = sequence.id"
                " AND COALESCE(trace.write_date > failure_warned_date, true))",
                tuple(self.ids) or (0,),
                fields.Datetime.now() - WARNING_PAUSE,
            )
        )
        return self.browse(id_ for (id_,) in rows)

    def _end_failures(self):
        """Take the activity about failures back where nothing is left to be tried again."""
        notified = self.filtered("failure_activity_id")
        if notified:
            failing = notified._get_failures()
            notified.filtered(lambda one: one.id not in failing).failure_activity_id.unlink()
