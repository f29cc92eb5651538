from datetime import timedelta

from pytz import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, is_html_empty

from ...tools import triggers
from ...tools.dates import on_day
from ...tools.domains import check_domain
from ...tools.forecast import PlannedStep
from ...tools.links import is_about
from ...tools.mail_texts import fill_text
from ...tools.sandbox import is_past
from ...tools.transaction import one_transaction
from ...tools.triggers import ROOT, TRIGGERS
from ...tools.zones import midnight

#: Ten years in each unit.
MAX_DELAY = {"hours": 87600, "days": 3650, "weeks": 520, "months": 120}
DELAY_UNITS = [("hours", "Hours"), ("days", "Days"), ("weeks", "Weeks"), ("months", "Months")]
#: How often a failed step may be tried again automatically.
MAX_RETRIES = 100
#: How many steps may follow one another. Whatever walks a workflow goes as deep into itself.
MAX_DEPTH = 100
#: How many passes of core's composer one batch of mails is.
MAIL_PASSES = 4


class NurtureStep(models.Model):
    """One activity of a sequence's workflow tree."""

    _name = "nurture.step"
    _description = "Nurture Step"
    _inherit = ["nurture.guard.mixin", "nurture.results.mixin"]
    _credited_by = "step_id"
    _order = "sequence_id, position, id"
    _parent_name = "parent_id"
    _authors = {"filter_domain": "filter_author_id"}

    name = fields.Char(
        compute="_compute_name", store=True, readonly=False, precompute=True, required=True
    )
    active = fields.Boolean(default=True)
    position = fields.Integer(
        default=10, help="Order among the steps that follow the same step, or begin the sequence."
    )
    sequence_id = fields.Many2one("nurture.sequence", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="sequence_id.company_id", store=True)
    parent_id = fields.Many2one(
        "nurture.step",
        string="After",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('sequence_id', '=', sequence_id), ('id', '!=', id)]",
        help="The step before. Empty for a step that begins the sequence.",
    )
    child_ids = fields.One2many("nurture.step", "parent_id", string="Following Steps")
    step_type = fields.Selection(
        [("email", "Email")], string="Type", required=True, default="email"
    )
    trigger = fields.Selection(
        selection=triggers.selection(),
        required=True,
        compute="_compute_trigger",
        store=True,
        readonly=False,
        precompute=True,
        help="What makes the step due: time, what the recipient did with the mail before, or that "
        "the recipient did not do it.\n"
        "A reply or a bounce otherwise ends the sequence for that lead; a step with the trigger "
        "Replied or Bounced is what still happens then.",
    )
    allowed_triggers = fields.Json(
        compute="_compute_allowed_triggers", help="The triggers that the step before offers."
    )
    delay = fields.Integer(
        default=0, help="How long after its trigger the step is due; not negative."
    )
    delay_unit = fields.Selection(DELAY_UNITS, required=True, default="days")
    expiry = fields.Integer(
        string="Expires after",
        default=0,
        help="How long an event is waited for, counted from the mail before it, and how late the "
        "step may be done once it is due. 0: the attribution window of the sequence, and no "
        "matter how late.",
    )
    expiry_unit = fields.Selection(DELAY_UNITS, required=True, default="days")
    first_date = fields.Date(
        string="Only From",
        help="The first day on which it is done, on the clock of the company. Who is at the step "
        "earlier gets neither it nor what follows it.",
    )
    last_date = fields.Date(
        string="Only Until",
        help="The last day on which it is done, on the clock of the company. Who is at the step "
        "later gets neither it nor what follows it.",
    )
    filter_domain = fields.Char(
        string="Only for",
        default="[]",
        help="Who does not match when the step is due gets neither it nor what follows it.",
    )
    filter_author_id = fields.Many2one(
        "res.users",
        compute="_compute_authors",
        store=True,
        string="Filter Written By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose rights count for what the filter looks at.",
    )
    link_url = fields.Char(
        string="Link",
        help="The address of the one link of the mail before that counts. * stands for anything. "
        "Empty: any link.",
    )
    over_cap = fields.Selection(
        [("defer", "Wait"), ("skip", "Skip it")],
        string="When the Address Has Got Enough",
        required=True,
        default="defer",
        help="What happens when the address has got as many marketing messages as the frequency "
        "cap allows. Who skips a step gets nothing that follows it.",
    )
    retry_count = fields.Integer(
        string="Tries Again",
        default=0,
        help="How often it is tried again automatically on failure.",
    )
    retry = fields.Integer(
        string="Wait before Trying", default=1, help="How long it waits before each try."
    )
    retry_unit = fields.Selection(DELAY_UNITS, required=True, default="hours")
    translation_ids = fields.One2many(
        "nurture.step.translation",
        "step_id",
        string="Other Languages",
        copy=True,
        help="Leads with one of these languages get the message in it; all others get the mail "
        "above.",
    )
    mail_server_id = fields.Many2one(
        related="mailing_id.mail_server_id",
        readonly=False,
        help="The outgoing server of this mail. Empty: as for other mailings.",
    )
    when = fields.Char(compute="_compute_when", help="Trigger and delay in words.")
    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Mail",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('mailing_type', '=', 'mail'), ('nurture_is_free', '=', True)]",
        help="The mail of an email step. It is sent by the sequence only.",
    )
    waiting_count = fields.Integer(compute="_compute_trace_counts", string="Waiting")
    scheduled_count = fields.Integer(compute="_compute_trace_counts", string="Scheduled")
    processed_count = fields.Integer(compute="_compute_trace_counts", string="Processed")
    rejected_count = fields.Integer(compute="_compute_trace_counts", string="Rejected")
    error_count = fields.Integer(compute="_compute_trace_counts", string="Errors")

    _mailing_unique = models.Constraint(
        "UNIQUE (mailing_id)",
        "This mail already belongs to a step. Duplicate it to use its text again.",
    )

    # ------------------------------------------------------------
    # COMPUTES
    # ------------------------------------------------------------

    @api.depends("mailing_id.subject", "step_type")
    def _compute_name(self):
        types = dict(self._fields["step_type"]._description_selection(self.env))
        for step in self:
            # a name that only says the type changes with it
            given = step.name if step.name not in types.values() else None
            subject = fill_text(step.mailing_id.subject)
            step.name = subject or given or types.get(step.step_type)

    @api.depends("parent_id")
    def _compute_trigger(self):
        for step in self:
            current = TRIGGERS.get(step.trigger)
            if not current or not current.offered_by(step._get_parent_type()):
                step.trigger = "after" if step.parent_id else "begin"

    @api.depends("parent_id.step_type")
    def _compute_allowed_triggers(self):
        for step in self:
            parent_type = step._get_parent_type()
            step.allowed_triggers = [
                value for value, trigger in TRIGGERS.items() if trigger.offered_by(parent_type)
            ]

    @api.depends("trigger", "delay", "delay_unit", "link_url", "first_date", "last_date")
    @api.depends_context("lang")
    def _compute_when(self):
        for step in self:
            step.when = step._get_when()

    def _compute_trace_counts(self):
        counts = {
            (step, state): count
            for step, state, count in self.env["nurture.trace"]._read_group(
                [("step_id", "in", self.ids)], ["step_id", "state"], ["__count"]
            )
        }
        for step in self:
            for state in ("waiting", "scheduled", "processed", "rejected", "error"):
                step[f"{state}_count"] = counts.get((step, state), 0)

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains(
        "delay", "delay_unit", "expiry", "expiry_unit", "retry_count", "retry", "retry_unit"
    )
    def _check_delay(self):
        for step in self:
            if not 0 <= step.retry_count <= MAX_RETRIES or step.retry < 0:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: it is tried again %(most)s times at most, and neither "
                        "the tries nor the time between them are negative.",
                        step=step.name,
                        most=MAX_RETRIES,
                    )
                )
            if step.delay < 0:
                raise ValidationError(
                    self.env._("Step “%s”: the delay cannot be negative.", step.name)
                )
            if step.expiry < 0:
                raise ValidationError(
                    self.env._("Step “%s”: it cannot expire before it begins.", step.name)
                )
            for number, unit in (
                (step.delay, step.delay_unit),
                (step.expiry, step.expiry_unit),
                (step.retry, step.retry_unit),
            ):
                # the database refuses what has no unit
                if unit and number > MAX_DELAY[unit]:
                    raise ValidationError(
                        self.env._(
                            "Step “%s”: nothing is waited for longer than ten years.", step.name
                        )
                    )

    @api.constrains("first_date", "last_date")
    def _check_days(self):
        for step in self:
            if step.first_date and step.last_date and step.last_date < step.first_date:
                raise ValidationError(
                    self.env._("Step “%s”: its last day comes before its first.", step.name)
                )

    @api.constrains("filter_domain")
    def _check_filter_domain(self):
        for step in self:
            check_domain(self.env["crm.lead"], step.filter_domain)

    @api.constrains("parent_id", "sequence_id", "trigger", "step_type")
    def _check_place(self):
        for step in self | self.child_ids:
            if step.parent_id and step.parent_id.sequence_id != step.sequence_id:
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s” cannot follow “%(parent)s”: that step belongs to the "
                        "sequence “%(sequence)s”.",
                        step=step.name,
                        parent=step.parent_id.name,
                        sequence=step.parent_id.sequence_id.name,
                    )
                )
        if self._has_cycle():
            raise ValidationError(self.env._("A step cannot follow itself, not even by a detour."))
        self._check_depth()
        labels = dict(self._fields["trigger"]._description_selection(self.env))
        for step in self | self.child_ids:
            if not TRIGGERS[step.trigger].offered_by(step._get_parent_type()):
                raise ValidationError(
                    self.env._(
                        "Step “%(step)s”: the trigger “%(trigger)s” is not possible %(place)s.",
                        step=step.name,
                        trigger=labels[step.trigger],
                        place=self.env._("after “%s”", step.parent_id.name)
                        if step.parent_id
                        else self.env._("at the beginning of a sequence"),
                    )
                )

    def _check_depth(self):
        """No branch is longer than :data:`MAX_DEPTH`."""
        for sequence in self.sequence_id:
            # all in one query, then level by level
            steps = sequence.with_context(active_test=False).step_ids
            steps.fetch(["parent_id"])
            children = steps.grouped("parent_id")
            level, depth = children.get(steps.browse(), steps.browse()), 0
            while level:
                depth += 1
                if depth > MAX_DEPTH:
                    raise ValidationError(
                        self.env._(
                            "“%(sequence)s”: no more than %(most)s steps follow one another.",
                            sequence=sequence.name,
                            most=MAX_DEPTH,
                        )
                    )
                level = steps.browse(child.id for step in level for child in children.get(step, ()))

    @api.constrains("mailing_id", "step_type")
    def _check_mailing(self):
        for step, mailing in ((each, one) for each in self for one in each._get_mailings()):
            # also one of another company
            if mailing.sudo()._nurture_count_places() > 1:
                raise ValidationError(
                    self.env._(
                        "The mail “%s” already belongs to a step. Duplicate it to use its text "
                        "again.",
                        mailing.display_name,
                    )
                )
            if (
                mailing.mailing_model_real != "crm.lead"
                or mailing.mailing_type != step._get_mailing_type()
            ):
                raise ValidationError(
                    self.env._(
                        "The mail “%s” is not written for leads: choose Lead/Opportunity as its "
                        "recipients.",
                        mailing.display_name,
                    )
                )
            if mailing.state != "draft" and not step._has_history():
                raise ValidationError(
                    self.env._(
                        "The mail “%s” was sent as a mailing of its own. Duplicate it to use it "
                        "in a sequence.",
                        mailing.display_name,
                    )
                )

    @api.constrains(lambda self: self._get_runnable_fields())
    def _check_runnable(self):
        self.sequence_id._check_runnable()

    @api.model
    def _get_runnable_fields(self):
        """Fields that decide whether the sequence can run, see :meth:`_get_problems`."""
        return [
            *("active", "mailing_id", "parent_id", "step_type", "trigger"),
            *self._get_action_fields(),
            *self._get_activity_fields(),
        ]

    def write(self, vals):
        self._check_settled(vals)
        set_up = self._get_set_up_by(vals)
        if set_up and set_up != self:
            return set_up.write(vals) and (self - set_up).write(vals)
        if vals.get("sequence_id") and not self.env.su:
            # nobody puts steps into a sequence that is not theirs to change
            self.env["nurture.sequence"].browse(vals["sequence_id"]).check_access("write")
        for step in self:
            if step._is_replaced_by(vals) and step._has_history():
                raise UserError(
                    self.env._(
                        "Somebody is or was at the step “%s”: what it is and what it waits for "
                        "cannot be changed any more. Archive it and add a new one.",
                        step.name,
                    )
                )
        if {"activity_summary", "activity_note"} & vals.keys():
            self._forget_text()
        divides_anew = self._is_changed_by(vals, ("ab_share",))
        result = super().write({**vals, "author_id": self.env.uid} if set_up else vals)
        if not vals.get("active", True):
            self._cancel_open_traces()
        if "mailing_id" in vals:
            self._get_mailings()._nurture_mark()
            self._take_quotation_over(self.mailing_id)
        if divides_anew:
            self._start_ab_test()
        if {"active", "delay", "delay_unit", "parent_id", "sequence_id", "trigger"} & vals.keys():
            self.sequence_id._mark_edited()
        return result

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_settled({**self._get_filled_in(), **vals})
        self._fill_in_texts(vals_list)
        steps = super().create([{**vals, "author_id": self.env.uid} for vals in vals_list])
        steps.sequence_id._mark_edited()
        steps._get_mailings()._nurture_mark()
        return steps

    def unlink(self):
        """Delete steps with all that follows them; those that somebody is or was at are archived,
        so that their history stays."""
        # also of what is only archived, or is archived already
        self.check_access("unlink")
        sequences = self.sequence_id
        branch = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        known = dict(
            self.env["nurture.trace"]
            .sudo()
            ._read_group([("step_id", "in", branch.ids)], ["step_id"], ["__count"])
        )
        kept = branch.filtered(lambda step: step in known)
        kept.filtered("active").write({"active": False})
        # from the ends of the branches, as a step cannot go before what follows it
        result = super(NurtureStep, (branch - kept).sorted("id", reverse=True)).unlink()
        sequences.exists()._check_runnable()
        return result

    def _check_written(self):
        self._check_filter_domain()

    def _get_steered(self):
        return self.sequence_id

    def _get_own_companies(self):
        return self.sequence_id._get_companies()

    def _is_replaced_by(self, vals):
        """Whether writing ``vals`` would make it another step."""
        return self._is_changed_by(
            vals, ("sequence_id", "parent_id", "step_type", "trigger", "mailing_id")
        )

    def _has_history(self):
        return bool(
            self.env["nurture.trace"].sudo().search_count([("step_id", "in", self.ids)], limit=1)
        )

    def _cancel_open_traces(self):
        """An archived step is not done any more, whoever is at it."""
        traces = (
            self.env["nurture.trace"]
            .sudo()
            .search(
                [("step_id", "in", self.ids), ("state", "in", ("waiting", "scheduled", "error"))]
            )
        )
        traces._set_state("cancelled", "step_archived")
        traces.participant_id._complete()

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    def copy_data(self, default=None):
        """A copied step gets a mail of its own. It is the same text, so it may be copied by people
        who may not write such placeholders themselves."""
        vals_list = super().copy_data(default)
        for step, vals in zip(self, vals_list, strict=True):
            if "mailing_id" not in (default or {}) and step.mailing_id:
                vals["mailing_id"] = step.mailing_id.sudo().copy({"user_id": self.env.uid}).id
        return vals_list

    @api.model
    def _get_message_types(self):
        """Types of steps that send something to the lead. For them sending hours, frequency cap
        and sunset apply, and the clock of what follows runs from when the message has left."""
        return ("email",)

    def _get_trigger_label(self):
        """What it waits for, the link included if it is about one."""
        self.ensure_one()
        label = dict(self._fields["trigger"]._description_selection(self.env)).get(self.trigger)
        if self.link_url and TRIGGERS[self.trigger].about_links:
            return f"{label} ({self.link_url})"
        return label

    def _get_when(self, letter=None):
        """Trigger and delay in words.

        :param letter: of a version, which may have a delay of its own
        """
        wait = self._say_wait(*self._get_delay_of(letter))
        when = self.env._("%(trigger)s, %(wait)s", trigger=self._get_trigger_label(), wait=wait)
        if days := self._say_days():
            return self.env._("%(when)s, %(days)s", when=when, days=days)
        return when

    def _say_days(self):
        """On which days it is done, in words; empty: on all."""
        self.ensure_one()
        first, last = on_day(self.env, self.first_date), on_day(self.env, self.last_date)
        if first and last:
            return self.env._("from %(first)s to %(last)s", first=first, last=last)
        if first:
            return self.env._("from %s on", first)
        return self.env._("until %s", last) if last else ""

    def _is_on_its_days(self):
        """Whether it is done today."""
        self.ensure_one()
        today = self.sequence_id._get_local_day()
        return not (
            (self.first_date and today < self.first_date)
            or (self.last_date and today > self.last_date)
        )

    def _get_span(self):
        """From when until when it is done, as naive moments in UTC; None without an end."""
        zone = timezone(self.sequence_id._get_company_zone() or "UTC")
        after = self.last_date and self.last_date + timedelta(days=1)
        return tuple((day and midnight(day, zone)) or None for day in (self.first_date, after))

    def _get_wait(self):
        """Its delay in words."""
        self.ensure_one()
        return self._say_wait(self.delay, self.delay_unit)

    @api.model
    def _say_wait(self, delay, unit):
        """A delay in words."""
        if not delay:
            return self.env._("at once")
        if delay == 1:
            return {
                "hours": self.env._("after 1 hour"),
                "days": self.env._("after 1 day"),
                "weeks": self.env._("after 1 week"),
                "months": self.env._("after 1 month"),
            }.get(unit)
        return {
            "hours": self.env._("after %s hours", delay),
            "days": self.env._("after %s days", delay),
            "weeks": self.env._("after %s weeks", delay),
            "months": self.env._("after %s months", delay),
        }.get(unit)

    def _is_message(self):
        """Whether the step sends something to the lead, see :meth:`_get_message_types`."""
        self.ensure_one()
        return self.step_type in self._get_message_types()

    def _get_mailing_type(self):
        """The ``mailing_type`` of the mailing that a step of this type sends."""
        self.ensure_one()
        return "mail"

    def _get_mailings(self):
        """The mails of these steps, in all languages and versions."""
        return self.mailing_id | self.translation_ids.mailing_id | self.variant_ids.mailing_id

    def _is_about_link(self, url):
        """Whether a click on ``url`` is one that the step's trigger is about."""
        self.ensure_one()
        if not self.link_url or not TRIGGERS[self.trigger].about_links:
            return True
        return is_about(self.link_url, url)

    def _get_parent_type(self):
        self.ensure_one()
        return self.parent_id.step_type or ROOT

    @api.model
    def _sql_delay(self, alias, field="delay"):
        """A delay of the step ``alias`` as a PostgreSQL interval. A month is a calendar month:
        31 January plus one month is the last day of February.

        :param field: ``delay``, ``expiry`` or ``retry``
        """
        return SQL(
            "%(delay)s * CASE %(unit)s WHEN 'hours' THEN interval '1 hour'"
            " WHEN 'days' THEN interval '1 day' WHEN 'weeks' THEN interval '1 week'"
            " ELSE interval '1 month' END",
            delay=SQL.identifier(alias, field),
            unit=SQL.identifier(alias, f"{field}_unit"),
        )

    @api.model
    def _sql_patience(self):
        """How long an event is waited for, as a PostgreSQL interval for the aliases ``step`` and
        ``sequence``: the expiry of the step, or without one the attribution window of the
        sequence."""
        return SQL(
            "CASE WHEN step.expiry > 0 THEN %s ELSE sequence.window_days * interval '1 day' END",
            self._sql_delay("step", "expiry"),
        )

    def _get_matching(self, leads):
        """Those of ``leads`` that the step is for."""
        self.ensure_one()
        domain = self._get_filter()
        if domain.is_true():
            return leads
        return leads.with_context(active_test=False).search(domain & Domain("id", "in", leads.ids))

    def _get_filter(self):
        """The leads that the step's filter chooses, see :meth:`nurture.sequence._get_choice`."""
        step = self.sudo()
        sequence = self.sequence_id
        return self.env["crm.lead"]._nurture_choose(
            step.filter_domain,
            [step.filter_author_id],
            sequence._get_companies(),
            sequence._get_viewer(),
        )

    def _get_problems(self):
        """What keeps these steps from running, in the user's words."""
        return [
            *self._get_mail_problems(),
            *self._get_offer_problems(),
            *self._get_quotation_problems(),
            *self._get_action_problems(),
            *self._get_activity_problems(),
            *self._get_rights_problems(),
        ]

    def _get_mail_problems(self):
        problems = []
        for step in self:
            problems += step._get_link_problems()
            if step.step_type != "email":
                continue
            mailings = step._get_mailings()
            if not step.mailing_id:
                problems.append(self.env._("Step “%s” has no mail.", step.name))
            elif not (step.sequence_id.is_template or all(mailings.mapped("active"))):
                # those of templates are, so that nobody takes them for mailings
                problems.append(self.env._("The mail of step “%s” is archived.", step.name))
            elif any(is_html_empty(mailing.body_html) for mailing in mailings):
                problems.append(self.env._("The mail of step “%s” is empty.", step.name))
            else:
                problems += step._get_opt_out_problems()
        return problems

    def _get_link_problems(self):
        """Whether the link that the step's trigger is about is in the message before. Placeholders
        in a link make another one for each lead: those are not looked at."""
        if not self.link_url or not TRIGGERS[self.trigger].about_links:
            return []
        mailings = self.parent_id._get_mailings()
        links = [link for mailing in mailings for link in mailing._nurture_get_links()]
        if any(is_about(self.link_url, link) or "{{" in link for link in links):
            return []
        return [
            self.env._(
                "Step “%(step)s” waits for a click on “%(link)s”, but the mail “%(mail)s” has no "
                "such link.",
                step=self.name,
                link=self.link_url,
                mail=self.parent_id.mailing_id.display_name,
            )
        ]

    def _get_batch_size(self):
        """How many traces of this step one transaction takes.

        For mails it is core's ``mail.batch_size``, and where nobody has set that, several passes of
        core's composer: what a batch costs on its own is then shared by more mails.
        """
        self.ensure_one()
        if self.step_type == "email":
            batch_size = self.env["ir.config_parameter"].sudo().get_param("mail.batch_size")
            passes = MAIL_PASSES * (self.env["mail.compose.message"]._batch_size or 50)
            return int(batch_size or 0) or passes
        return 1000

    def _do(self, traces):
        """Do the step for ``traces``. Dispatches to ``_do_<step_type>``, so that a bridge adds a
        type with one method.

        Anything the engine has to write about ``traces`` has been written: the step may commit.
        """
        self.ensure_one()
        if is_past(self.env):
            self._pretend(traces)
            return
        do = getattr(self, f"_do_{self.step_type}")
        if self._is_message():
            # core's composer commits in the end
            do(traces)
            return
        with one_transaction(self.env):
            do(traces)

    def _do_email(self, traces):
        """Queue the mail for the leads of ``traces``; core's mail queue sends it."""
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        ((mailing, batch),) = self._get_batches(traces)
        self.sequence_id._check_offered(mailing, batch.participant_id.lead_id)
        mailing._nurture_queue({trace.participant_id.lead_id.id: trace.id for trace in batch})

    def _get_batches(self, traces):
        """Who gets the message in which language and version. A message in another language has
        one version.

        :return: list of (mailing, traces)
        """
        translations = {line.lang_id: line.mailing_id for line in self.translation_ids}
        versions = self._get_mail_by_letter() if self.ab_split else {}

        def get_mailing(trace):
            version = versions.get(trace.variant, self.mailing_id)
            return translations.get(trace.participant_id.lead_id.lang_id, version)

        return list(traces.grouped(get_mailing).items()) or [(self.mailing_id, traces)]

    def _ends_journey(self):
        """Whether a lead leaves the sequence because the step is done."""
        self.ensure_one()
        return self.step_type == "action" and self._action_ends_journey()

    def _get_plan(self, refused, delays=()):
        """These steps and what follows them, as the forecast wants them.

        :param refused: ids of the steps left out
        :param delays: pairs of the id of a step and its delay, amount and unit, where it is not
            the step's own
        """
        other = dict(delays)
        return [
            PlannedStep(
                id=step.id,
                kind="message" if step._is_message() else "other",
                trigger_timed=TRIGGERS[step.trigger].timed,
                delay_amount=delay,
                delay_unit=unit,
                children=tuple(step.child_ids._get_plan(refused, delays)),
                skip_over_cap=step.over_cap == "skip",
                span=step._get_span(),
            )
            for step in self
            if step.id not in refused
            for delay, unit in [other.get(step.id, (step.delay, step.delay_unit))]
        ]
