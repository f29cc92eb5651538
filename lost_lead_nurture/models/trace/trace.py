from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools import transaction
from ...tools.arguments import check_records
from ...tools.dates import on_clock
from ...tools.domains import ERRORS, get_alternatives, get_parts, read_domain
from ...tools.reasons import TRACE_REASONS
from ...tools.versions import LETTERS


class NurtureTrace(models.Model):
    """One participant at one step.

    It waits for an event, is scheduled at a date, then is processed, rejected or cancelled with a
    reason. There is a way back only where a mail did not leave: the queue failed and is tried
    again, or the sequence was stopped. What the engine writes it writes by SQL, for a whole batch.

    Here is what a trace is and what people do with it; how traces are executed is in
    ``engine.py``, when a message may go in ``timing.py``, which version of it in ``variant.py``,
    and what comes of what happens to it in ``events.py``.
    """

    _name = "nurture.trace"
    _description = "Nurture Trace"
    _order = "schedule_date, id"
    _rec_name = "step_id"

    participant_id = fields.Many2one(
        "nurture.participant", required=True, readonly=True, ondelete="cascade"
    )
    step_id = fields.Many2one(
        "nurture.step", required=True, readonly=True, index=True, ondelete="restrict"
    )
    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", readonly=True)
    variant = fields.Selection(
        [(letter, letter) for letter in LETTERS],
        string="Version",
        readonly=True,
        help="In an A/B test: which version of the message the lead gets, or has got. It is drawn "
        "when the step is planned, for one address always the same, and the winner once the test "
        "is decided.",
    )
    parent_id = fields.Many2one(
        "nurture.trace",
        string="Previous Trace",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="The same participant at the step before.",
    )
    lead_id = fields.Many2one(related="participant_id.lead_id", string="Lead")
    email = fields.Char(related="participant_id.email")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("scheduled", "Scheduled"),
            ("processed", "Processed"),
            ("rejected", "Rejected"),
            ("cancelled", "Cancelled"),
            ("error", "Error"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        help="Waiting: for the event of its trigger, or for the mail before it to leave.\n"
        "Scheduled: due at its date.\n"
        "Processed: done; a mail is in the queue or has left.\n"
        "Rejected: was due, but this lead could not have it.\n"
        "Cancelled: will not become due any more.\n"
        "Error: failed, can be retried.",
    )
    reason = fields.Selection(
        TRACE_REASONS, readonly=True, help="Why it is in its state, or was deferred."
    )
    detail = fields.Text(
        readonly=True,
        help="What exactly went wrong, in the words of the system. Of a filter that the lead did "
        "not match: the part of it that did not hold.",
    )
    limits = fields.Char(
        readonly=True,
        help="Under which limits it has a place, where there are any.",
    )
    place_date = fields.Datetime(
        readonly=True,
        help="When that place is: when its mail was queued, or will be.",
    )
    base_date = fields.Datetime(
        string="Counts From",
        readonly=True,
        help="From when the delay of the step counts: when the message before left, or the event "
        "happened.",
    )
    schedule_date = fields.Datetime(
        string="Scheduled On", readonly=True, help="When the step is due."
    )
    expire_date = fields.Datetime(
        string="Waits Until",
        readonly=True,
        help="When a waiting trace, or a failed one that nobody retries, expires: after the "
        "expiry of the step, else the attribution window of the sequence.",
    )
    processed_date = fields.Datetime(string="Processed On", readonly=True)
    tries = fields.Integer(
        readonly=True, help="How often a failed step was tried again automatically."
    )
    retry_date = fields.Datetime(
        string="Tried Again On",
        readonly=True,
        help="When a failed step is tried again automatically.",
    )
    decision_log = fields.Json(
        readonly=True, help="What was decided: a list of date, state, reason, detail and due date."
    )
    decisions = fields.Html(
        compute="_compute_decisions", help="What was decided, with date and reason."
    )
    mailing_trace_ids = fields.One2many("mailing.trace", "nurture_trace_id", string="Mails")
    mail_status = fields.Char(
        compute="_compute_mail_status",
        compute_sudo=True,
        help="What became of the mail: in the queue, sent, opened, clicked, replied, bounced.",
    )

    _participant_step_unique = models.Constraint(
        "UNIQUE (participant_id, step_id)",
        "A participant goes through a step only once.",
    )
    # the batches of _claim
    _due = models.Index("(step_id, schedule_date, id) WHERE state = 'scheduled'")
    # the traces that _expire ends
    _expiring = models.Index("(expire_date) WHERE state IN ('waiting', 'error')")
    # what the form of a sequence says of failures
    _failed = models.Index("(sequence_id, reason) WHERE state = 'error'")
    # the traces that _retry_failed tries again
    _retrying = models.Index("(retry_date) WHERE retry_date IS NOT NULL")

    @api.depends("step_id.name", "participant_id.display_name")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        for trace in self:
            trace.display_name = f"{trace.participant_id.display_name}, {trace.step_id.name}"

    @api.depends("mailing_trace_ids.trace_status", "mailing_trace_ids.links_click_datetime")
    @api.depends_context("lang")
    def _compute_mail_status(self):
        statuses = dict(
            self.env["mailing.trace"]._fields["trace_status"]._description_selection(self.env)
        )
        for trace in self:
            mailing_trace = trace.mailing_trace_ids.sorted("id")[-1:]
            if mailing_trace.links_click_datetime and mailing_trace.trace_status == "open":
                trace.mail_status = self.env._("Clicked")
            else:
                trace.mail_status = statuses.get(mailing_trace.trace_status)

    @api.depends("decision_log")
    @api.depends_context("lang", "tz")
    def _compute_decisions(self):
        for trace in self:
            # of which step is said above them
            lines = trace._get_decisions()
            trace.decisions = self._render_decisions((line[0], "", *line[2:]) for line in lines)

    def _get_decisions(self):
        """What was decided about the trace.

        :return: list of (date, step, what, detail)
        """
        self.ensure_one()
        states = dict(self._fields["state"]._description_selection(self.env))
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        lines = []
        for entry in self.decision_log or []:
            what = states.get(entry["state"], "")
            if entry.get("reason") not in (None, "done"):
                what = f"{what}: {reasons.get(entry['reason'], '')}"
            due = fields.Datetime.to_datetime(entry.get("due"))
            if due and entry["state"] == "scheduled":
                what = self.env._(
                    "%(what)s, for %(date)s",
                    what=what,
                    date=on_clock(self.env, due),
                )
            date = fields.Datetime.to_datetime(entry["date"])
            detail = self._say_detail(entry.get("reason"), entry.get("detail"))
            lines.append((date, self.step_id.name, what, detail))
        return lines

    def _say_detail(self, reason, detail):
        """The detail of a decision in words. Of a step's filter it is the part that did not hold,
        as a domain."""
        if reason != "filtered" or not detail:
            return detail
        words = "; ".join(self._say_filtered(detail))
        return words[:1].upper() + words[1:]

    def _say_filtered(self, detail):
        """What did not hold of the filter of a step, as a list of words."""
        leads = self.env["crm.lead"]
        try:
            parts = get_parts(read_domain(detail)) or [Domain.TRUE]
        except ERRORS:
            return [detail]
        rules, lines = [], []
        for part in parts:
            text = leads._nurture_describe_part(part)
            if part.is_true() or get_alternatives(part):
                # it says itself that it did not
                lines.append(text[:1].lower() + text[1:])
            else:
                rules.append(text)
        if rules:
            lines.insert(0, self.env._("did not hold: %s", ", ".join(rules)))
        return lines

    @api.model
    def _render_decisions(self, lines):
        """A table of lines as of :meth:`_get_decisions`, in the order of time; False when there
        are none."""
        if not lines:
            return False
        row = Markup("<tr><td class='text-nowrap pe-3'>%s</td><td class='w-100'>%s%s</td></tr>")
        name = Markup("<strong class='me-2'>%s</strong>")
        rows = [
            row
            % (
                on_clock(self.env, date),
                step and name % step,
                what if not detail else Markup("%s<br/><small>%s</small>") % (what, detail),
            )
            for date, step, what, detail in sorted(lines, key=lambda line: line[0])
        ]
        return Markup("<table class='table table-sm'>%s</table>") % Markup().join(rows)

    def _forget(self):
        """Erase what the system said."""
        for trace in self:
            lines = trace.decision_log or []
            if trace.detail or any(line.get("detail") for line in lines):
                trace.detail = False
                trace.decision_log = [{**line, "detail": None} for line in lines]

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_retry(self):
        """Give failed traces another try: a failed mail goes back to the queue, a failed step is
        due at once.

        :return: ``{"retried": how many}``
        :raise UserError: when none of them can be retried
        """
        check_records(self)
        self.participant_id.sequence_id.check_access("write")
        failed = self.sudo().filtered(
            lambda trace: (
                trace.state == "error"
                and trace.participant_id.state == "running"
                and trace.sequence_id.state == "running"
            )
        )
        failed._retry_by_hand()
        self.sequence_id._wake_cron()
        return {"retried": len(failed)}

    def button_retry(self):
        """:meth:`action_retry`, for people: what was done, as a notification."""
        retried = self.action_retry()["retried"]
        message = self._say_retried(retried)
        if left := len(self) - retried:
            message += " " + self.env._(
                "%s are not: they have not failed, or their lead is not in a running sequence.",
                left,
            )
        return self.sequence_id._notify(message, reload=True)

    def _retry_by_hand(self):
        """Try these failed traces again, as somebody asks for it.

        :raise UserError: when there are none
        """
        if not self:
            raise UserError(
                self.env._(
                    "There is nothing to retry: only failed steps of leads that are still in a "
                    "running sequence can be."
                )
            )
        self._retry()

    @api.model
    def _say_retried(self, retried):
        """How many steps are tried again, in words."""
        if retried == 1:
            return self.env._("1 step is tried again, in a moment.")
        return self.env._("%s steps are tried again, in a moment.", retried)

    def _retry(self):
        """Put failed messages back into their queue, and make failed steps due."""
        failed = self.mailing_trace_ids._nurture_failed()
        requeued = failed.nurture_trace_id
        failed._nurture_requeue()
        requeued._set_state("processed", "retried")
        if again := self - requeued:
            again._update(
                SQL("id IN %s", tuple(again.ids)),
                state="scheduled",
                schedule_date=fields.Datetime.now(),
                reason="retried",
                detail=None,
                retry_date=None,
            )

    def action_mark_sent(self):
        """Decide that mails have arrived of which it is not known: what follows them goes on.

        :raise UserError: when none of them is in doubt
        """
        check_records(self)
        self.participant_id.sequence_id.check_access("write")
        in_doubt = self.sudo().filtered(
            lambda trace: trace.state == "error" and trace.reason == "mail_in_doubt"
        )
        if not in_doubt:
            raise UserError(
                self.env._("There is no mail among these of which it is not known if it was sent.")
            )
        in_doubt.mailing_trace_ids._nurture_end_doubt()
        self.sequence_id._wake_cron()
        return True

    def action_cancel(self):
        """Cancel traces that are still to come."""
        check_records(self)
        self.participant_id.sequence_id.check_access("write")
        coming = self.sudo().filtered(lambda trace: trace.state in ("waiting", "scheduled"))
        coming._set_state("cancelled", "by_hand")
        coming.participant_id._complete()
        return True

    def action_run_now(self):
        """Do scheduled steps now, whatever their date and the sending hours. All else that may
        keep a lead from a step does so still.

        It is done in a transaction of its own, as :meth:`nurture.sequence.action_advance` does. A
        caller that has written before leaves it to the scheduled action.

        :return: ``{"done": how many of the steps were done or decided, "deferred": whether they are
            left to the scheduled action}``
        :raise UserError: when none of them is scheduled in a running sequence
        """
        check_records(self)
        self.participant_id.sequence_id.check_access("write")
        coming = self.sudo().filtered(
            lambda trace: trace.state == "scheduled" and trace.sequence_id.state == "running"
        )
        if not coming:
            raise UserError(
                self.env._("Only what is scheduled in a running sequence can be done now.")
            )
        self.env.flush_all()
        if transaction.has_written(self.env.cr):
            return coming._defer_run_now()
        try:
            with transaction.own_transaction(self.env) as env:
                committed = coming.with_env(env).sudo()
                committed._run_now()
                done = committed.filtered(lambda trace: trace.state != "scheduled")
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else is at the same records just now
            return coming._defer_run_now()
        finally:
            self.env.invalidate_all(flush=False)
        return {"done": len(done), "deferred": False}

    def _defer_run_now(self):
        """Have the scheduled action do these now.

        :return: as :meth:`action_run_now`
        """
        self._bring_forward()
        self.sequence_id._wake_cron()
        return {"done": 0, "deferred": True}

    def button_run_now(self):
        """:meth:`action_run_now`, for people: what was done, as a notification."""
        result = self.action_run_now()
        if result["deferred"]:
            message = self.env._("It is done in the background, in a moment.")
        elif result["done"] == 1:
            message = self.env._("1 step was done.")
        else:
            message = self.env._("%s steps were done.", result["done"])
        return self.sequence_id._notify(message, reload=True)
