import time

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools import transaction
from ...tools.arguments import check_records
from ...tools.attribution import WINDOW_DAYS
from ...tools.domains import LostRights, check_domain
from ...tools.inside import INSIDE, without_defaults
from ...tools.sandbox import is_past
from ...tools.shares import say_amount
from ..core.results_mixin import REVENUE_GROUPS
from ..mail.mailing_trace_statistics import DEFINITIONS, RATE_DEFINITIONS, STATISTICS, rate
from ..step.step import MAX_DELAY

#: Who sees what came of the mails. They are counted with all rights, whosever the leads are, but
#: for salespeople: see _sees_all_leads.
MAIL_GROUPS = "mass_mailing.group_mass_mailing_user"
#: The list of profiles, of which the form also tells before it is saved.
PROFILES = "profile_ids"
#: How far matching leads are counted while somebody waits for the form, as in core's lists.
MANY_LEADS = 10_000
#: What the engine alone writes; people start, stop and edit it.
ENGINE_FIELDS = frozenset(
    {
        *("state", "start_date", "stop_date", "resume_date", "last_error", "is_edited"),
        *("last_scan_date", "last_scan_choice", "budget_warned"),
        *("silent_scan_date", "silent_scan_choice", "profiles_since"),
        *("campaign_id", "has_own_campaign", "guard_warned"),
    }
)
#: Seconds for which somebody waits for Advance Now; the scheduled action does what is left.
ADVANCE_SECONDS = 20


class NurtureSequence(models.Model):
    """A campaign: whom it is for, and the workflow they are walked through."""

    _name = "nurture.sequence"
    _description = "Nurture Sequence"
    _inherit = ["mail.thread", "mail.activity.mixin", "nurture.guard.mixin", "nurture.hints.mixin"]
    _order = "state, name, id"
    _authors = {
        "domain": "domain_author_id",
        "preset_id": "domain_author_id",
        "excluded_preset_ids": "exclusion_author_id",
    }

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        tracking=True,
        domain="[('share', '=', False)]",
    )
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    color = fields.Integer()
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("stopped", "Stopped")],
        required=True,
        default="draft",
        copy=False,
        tracking=True,
        readonly=True,
    )
    start_date = fields.Datetime(string="Started On", readonly=True, copy=False)
    last_error = fields.Text(
        readonly=True,
        copy=False,
        help="What went wrong last: why leads could not enter, or why it stopped automatically.",
    )

    # audience
    preset_id = fields.Many2one("nurture.preset", index="btree_not_null", ondelete="set null")
    domain = fields.Char(
        compute="_compute_domain",
        # a preset is read with the rights of who chooses it
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        help="Which of the lost leads enter. Leads that are not lost never do.",
    )
    domain_author_id = fields.Many2one(
        "res.users",
        compute="_compute_authors",
        store=True,
        string="Filter Written By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose rights count for what the filter looks at.",
    )
    rights_problem = fields.Text(
        compute="_compute_rights_problem",
        compute_sudo=True,
        help="Why its filters cannot be used any more: who wrote them may not.",
    )
    holdout_percent = fields.Float(
        string="Holdout (%)",
        default=0.0,
        help="Share of the leads that is not written to, to compare with. Who is held out is "
        "drawn once and for all.",
    )
    global_holdout_percent = fields.Float(
        related="company_id.nurture_holdout_percent",
        string="Global Holdout (%)",
        help="Share of all addresses that no sequence of the company writes to.",
    )
    window_days = fields.Integer(
        string="Attribution Window (days)",
        default=WINDOW_DAYS,
        help="For so many days after a mail a reaction is waited for, and a lead that is won back "
        "is credited to the sequence.",
    )

    # workflow
    step_ids = fields.One2many("nurture.step", "sequence_id", string="Steps", copy=False)
    step_count = fields.Integer(compute="_compute_step_count")
    participant_ids = fields.One2many("nurture.participant", "sequence_id")

    # statistics
    participant_count = fields.Integer(compute="_compute_participant_counts")
    running_count = fields.Integer(
        compute="_compute_participant_counts", string="Running Participants"
    )
    lead_count = fields.Integer(
        compute="_compute_participant_counts",
        string="Leads/Opportunities",
        help="Leads that were won back after a mail of this sequence.",
    )
    holdout_count = fields.Integer(
        compute="_compute_participant_counts",
        string="Held Out",
        help="Leads that get nothing, so that those who do can be compared.",
    )
    holdout_return_count = fields.Integer(
        compute="_compute_participant_counts",
        string="Returned without Mails",
        help="Leads that were held out and returned on their own. No mail is credited.",
    )
    sent_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Sent",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["sent"],
    )
    delivered_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Delivered",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["delivered"],
    )
    opened_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Opened",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["opened"],
    )
    clicked_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Clicked",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["clicked"],
    )
    replied_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Replied",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["replied"],
    )
    ignored_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Ignored",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["ignored"],
    )
    no_reaction_count = fields.Integer(
        compute="_compute_mail_counts",
        string="No Reaction Yet",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["no_reaction"],
    )
    bounced_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Bounced",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["bounced"],
    )
    unsubscribed_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Unsubscribed",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["unsubscribed"],
    )
    complained_count = fields.Integer(
        compute="_compute_mail_counts",
        string="Complained",
        groups=MAIL_GROUPS,
        help=DEFINITIONS["complained"],
    )
    opened_ratio = fields.Float(
        compute="_compute_mail_counts",
        string="Opened (%)",
        aggregator="avg",
        groups=MAIL_GROUPS,
        help=RATE_DEFINITIONS["opened"],
    )
    clicked_ratio = fields.Float(
        compute="_compute_mail_counts",
        string="Clicked (%)",
        aggregator="avg",
        groups=MAIL_GROUPS,
        help=RATE_DEFINITIONS["clicked"],
    )
    replied_ratio = fields.Float(
        compute="_compute_mail_counts",
        string="Replied (%)",
        aggregator="avg",
        groups=MAIL_GROUPS,
        help=RATE_DEFINITIONS["replied"],
    )
    quotation_count = fields.Integer(
        compute="_compute_quotation_count",
        string="Quotations",
        groups="sales_team.group_sale_salesman,lost_lead_nurture.group_user",
    )
    invoiced_amount = fields.Monetary(
        compute="_compute_invoiced",
        string="Invoiced (Paid)",
        groups=REVENUE_GROUPS,
        help="Untaxed total of the paid invoices, less refunds, of the quotations made for leads "
        "of this sequence.",
    )
    invoiced_label = fields.Char(compute="_compute_invoiced", groups=REVENUE_GROUPS)

    # ------------------------------------------------------------
    # COMPUTES
    # ------------------------------------------------------------

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for sequence in self:
            sequence.currency_id = (sequence.company_id or self.env.company).currency_id

    @api.depends("preset_id")
    def _compute_domain(self):
        for sequence in self:
            if sequence.preset_id:
                sequence.domain = sequence.preset_id.full_domain
            elif not sequence.domain:
                sequence.domain = repr(self.env["crm.lead"]._nurture_lost_domain())

    @api.depends("step_ids")
    def _compute_step_count(self):
        for sequence in self:
            sequence.step_count = len(sequence.step_ids)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_participant_counts(self):
        for sequence, statistics in self._get_statistics("participants").items():
            by_state = statistics["participants"]
            sequence.participant_count = sum(by_state.values())
            sequence.running_count = by_state.get("running", 0)
            sequence.lead_count = statistics["won_back"]
            sequence.holdout_count = by_state.get("holdout", 0)
            # what was counted by an earlier version does not have it
            sequence.holdout_return_count = statistics.get("holdout_returned", 0)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_mail_counts(self):
        for sequence, statistics in self._get_statistics("mails").items():
            # what was counted by an earlier version does not have all of them
            total = {
                name: sum(mail.get(name, 0) for mail in statistics["mails"].values())
                for name in STATISTICS
            }
            for name, number in total.items():
                sequence[f"{name}_count"] = number
            for name in ("opened", "clicked", "replied"):
                sequence[f"{name}_ratio"] = rate(total, name)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_quotation_count(self):
        counts = self.env["nurture.credit"]._count(
            "quotations", "sequence_id", self._credits_domain()
        )
        for sequence in self:
            sequence.quotation_count = counts.get(sequence._origin.id, 0)

    @api.depends_context("uid")
    def _compute_invoiced(self):
        amounts = self.env["nurture.credit"]._earned(
            "sequence_id", self._credits_domain(), lambda sequence: sequence.currency_id
        )
        for sequence in self:
            sequence.invoiced_amount = amounts.get(sequence._origin.id, 0.0)
            sequence.invoiced_label = say_amount(
                self.env, sequence.invoiced_amount, sequence.currency_id
            )

    # ------------------------------------------------------------
    # CONSTRAINTS, CRUD
    # ------------------------------------------------------------

    @api.constrains("domain")
    def _check_domain(self):
        for sequence in self:
            check_domain(self.env["crm.lead"], sequence.domain)

    @api.constrains("holdout_percent", "window_days")
    def _check_numbers(self):
        for sequence in self:
            if not 0 <= sequence.holdout_percent < 100:
                raise ValidationError(
                    self.env._("The holdout is a percentage from 0 to under 100.")
                )
            if not 1 <= sequence.window_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._("The attribution window is one day at least, and ten years at most.")
                )

    @api.constrains("company_id", "user_id")
    def _check_company_allowed(self):
        """Nobody lets leads enter of a company that they do not work for, nor as the responsible of
        a sequence of all companies somebody who works for more of them."""
        user = self.env.user
        for sequence in self:
            foreign = sequence._get_companies().sudo() - user.company_ids
            if foreign and user.id != SUPERUSER_ID:
                raise ValidationError(
                    self.env._(
                        "You do not work for %s. Choose one of your companies.",
                        ", ".join(foreign.mapped("name")),
                    )
                )

    @api.constrains("state", "step_ids")
    def _check_runnable(self):
        for sequence in self:
            if sequence.state == "running":
                sequence._raise_problems()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_participants(self):
        if self._has_participants():
            raise UserError(
                self.env._("Leads have been through this sequence. Archive it to keep its results.")
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_in_log(self):
        self.env["nurture.preference"]._check_not_in_log(self, "sequence_id")

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # a draft may say that it is one
            self._check_engine_fields({name for name in vals if vals[name] not in (False, "draft")})
        return super(NurtureSequence, without_defaults(self, ENGINE_FIELDS)).create(vals_list)

    def _check_engine_fields(self, names):
        """Nobody else writes what the engine writes."""
        own = ENGINE_FIELDS & set(names)
        if own and not self.env.su:
            raise UserError(
                self.env._(
                    "A sequence is started and stopped by its buttons. Nobody writes: %s.",
                    ", ".join(
                        sorted(self._fields[name]._description_string(self.env) for name in own)
                    ),
                )
            )

    def write(self, vals):
        # before anything else is said
        self.check_access("write")
        self._check_engine_fields(vals)
        if {"company_id", "is_template"} & vals.keys() and not self.env.su:
            self._check_own()
        if not vals.get("active", True):
            self.filtered(lambda sequence: sequence.state == "running").action_stop()
        if "company_id" in vals:
            self._check_company_free(vals["company_id"])
        stopping = self.filtered(
            lambda sequence: (
                sequence.state == "running" and vals.get("state", "running") != "running"
            )
        )
        if vals.get("state") == "running":
            vals = vals | {"stop_date": False}
        renegotiated = self._get_with_other_terms(vals)
        # a list of profiles is looked at when all of it is written
        inside = self.with_context(nurture_list=INSIDE) if PROFILES in vals else self
        with self.env["nurture.profile"]._writing_list(PROFILES in vals):
            result = super(NurtureSequence, inside).write(vals)
        if {"mail_server_id", "email_from"} & vals.keys():
            self._spread_sender()
        if "hourly_limit" in vals:
            self._change_hourly_limit()
        renegotiated._take_discounts_over()
        stopping.sudo()._recall_messages()
        stopping._give_places_back()
        if vals.get("state") == "running":
            self._spread_campaign()
        if "is_template" in vals:
            self._propose_codes()
        if "campaign_code" in vals:
            self._rename_campaign()
        if stopping and vals["state"] == "stopped":
            # who stops it twice does not make the pause shorter
            stopping.sudo().write({"stop_date": fields.Datetime.now()})
        if {"domain", "preset_id", "profile_mode"} & vals.keys():
            self._mark_edited()
        if vals.get("profile_mode", "in_turn") != "in_turn":
            self._end_turns()
        if {"profile_mode", "profile_days"} & vals.keys():
            self.filtered(lambda sequence: sequence.state == "running")._begin_turns()
        return result

    @api.depends("domain_author_id", "exclusion_author_id")
    def _compute_rights_problem(self):
        for sequence in self:
            try:
                sequence._get_filters()
                sequence.rights_problem = False
            except LostRights as error:
                sequence.rights_problem = str(error)
            except UserError:
                # it cannot be used at all: that is said where it is used
                sequence.rights_problem = False

    def _get_filters(self):
        """All filters of the sequence, each as a ``Domain``; see :meth:`_get_choice`."""
        steps = (step._get_filter() for step in self.step_ids)
        # who wrote them has to be allowed to look at orders, too
        self._get_silent_queries()
        # its choice is that of its profiles, too
        return [self._get_choice(), *steps, *self._get_suppressed_domains()]

    def action_take_over(self):
        """Answer for the filters of the sequence, of its steps and of the presets that are left
        out: from now on they find what the user may see.

        :raise UserError: when one of them looks at what the user may not see
        """
        check_records(self)
        self._take_over_presets()
        self._take_over()
        self.profile_ids._take_over()
        self.with_context(active_test=False).step_ids._take_over()
        self.filtered(lambda sequence: sequence.state == "running")._wake_cron()
        return True

    def _check_written(self):
        self._check_excluded_presets()
        self._check_domain()

    def _get_steered(self):
        return self

    def _get_own_companies(self):
        return self._get_companies()

    def _get_mailings(self):
        """The mails of the workflow, those of archived steps, in all languages and versions too."""
        return self.with_context(active_test=False).step_ids._get_mailings()

    def _has_participants(self):
        participants = self.env["nurture.participant"].sudo()
        return bool(participants.search_count([("sequence_id", "in", self.ids)], limit=1))

    def _check_company_free(self, company_id):
        for sequence in self:
            if sequence.company_id.id != company_id and sequence._has_participants():
                raise UserError(
                    self.env._(
                        "Leads are or were in “%s”: it stays with its company.", sequence.name
                    )
                )

    def copy(self, default=None):
        """Duplicate with the whole workflow, every mail included, and what it offers."""
        copies = super().copy(default)
        for sequence, duplicate in zip(self, copies, strict=True):
            sequence._copy_offers(duplicate)
            sequence._copy_steps(
                sequence.step_ids.filtered(lambda step: not step.parent_id), duplicate
            )
        return copies

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for sequence, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", sequence.name)
        return vals_list

    def _copy_steps(self, steps, duplicate, parent=None):
        for step in steps:
            copied = step.copy({"sequence_id": duplicate.id, "parent_id": parent and parent.id})
            self._copy_steps(step.child_ids, duplicate, copied)

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_stop(self):
        """Stop: nobody enters and nothing is sent until it is started again; mails that are still
        in the queue are recalled."""
        check_records(self)
        self.check_access("write")
        running = self.filtered(lambda sequence: sequence.state == "running")
        running.sudo().write({"state": "stopped"})
        return True

    def action_advance(self):
        """Let leads enter and do what is due, now instead of at the next scheduled run. After
        :data:`ADVANCE_SECONDS` the scheduled action goes on with what is left.

        It is done in a transaction of its own, batch by batch. A caller that has written before
        would keep that waiting for itself: then all is left to the scheduled action, which is woken
        and begins when the caller has committed.

        :return: ``{"entered": how many leads entered, "left": how many due steps are left to the
            scheduled action, "deferred": whether all is}``
        :raise UserError: when none of the sequences is running
        """
        check_records(self)
        self.check_access("write")
        running = self.filtered(lambda sequence: sequence.state == "running")
        if not running:
            raise UserError(self.env._("Only a running sequence can be advanced. Start it first."))
        self.env.flush_all()
        if transaction.has_written(self.env.cr):
            return running._defer_advance()
        try:
            with transaction.own_transaction(self.env) as env:
                committed = running.with_env(env).sudo().exists()
                committed.last_scan_date = False
                entered = committed._advance(end=time.monotonic() + ADVANCE_SECONDS)
                left = committed._count_left()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else is at the same records just now
            return running._defer_advance()
        finally:
            self.env.invalidate_all(flush=False)
        return {"entered": entered, "left": left, "deferred": False}

    def _defer_advance(self):
        """Have the scheduled action do what :meth:`action_advance` cannot.

        :return: as :meth:`action_advance`
        """
        # all leads are scanned, not only those that were lost since the last time
        self.sudo().last_scan_date = False
        self._wake_cron()
        return {"entered": 0, "left": self._count_left(), "deferred": True}

    def _count_left(self):
        """How many steps are due; of many, :data:`MANY_LEADS` of each step are counted."""
        traces = self.env["nurture.trace"].sudo()
        return sum(traces._count_due(step, MANY_LEADS) for step in traces._due_steps(self))

    def button_advance(self):
        """:meth:`action_advance`, for people: what was done, as a notification."""
        done = self.action_advance()
        return self._notify(self._say_advanced(**done), reload=True)

    @api.model
    def _notify(self, message, kind="success", reload=False, sticky=False):
        """Show what was done.

        :param reload: whether what is on the screen is shown anew; else a dialog is closed
        """
        after = (
            {"type": "ir.actions.client", "tag": "soft_reload"}
            if reload
            else {"type": "ir.actions.act_window_close"}
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": kind, "message": message, "sticky": sticky, "next": after},
        }

    @api.model
    def _say_advanced(self, entered, left, deferred):
        """What :meth:`action_advance` did, and how much is left to the scheduled action."""
        if deferred:
            return self.env._("It is done in the background, in a moment.")
        if entered == 1:
            message = self.env._("1 lead entered.")
        else:
            message = self.env._("%s leads entered.", entered)
        if not left:
            rest = self.env._("What was due is done.")
        elif left == 1:
            rest = self.env._("1 step that is due is done in the background.")
        else:
            rest = self.env._("%s steps that are due are done in the background, one by one.", left)
        return f"{message} {rest}"

    def action_view_matching_leads(self):
        """Open the leads that match right now."""
        self.ensure_one()
        name = self.env._("Matching Leads")
        if self._is_about_leads_only():
            return self._open_list("crm.lead", name, self._get_lead_domain())
        # what others may see cannot be asked for from outside: those that were lost last
        leads = self.env["crm.lead"].with_context(active_test=False)
        found = leads.search(
            self._get_lead_domain(), order="date_closed desc, id desc", limit=MANY_LEADS
        )
        return self._open_list("crm.lead", name, [("id", "in", found.ids)])

    def action_view_participants(self):
        """Open the participants."""
        return self._open_participants(self.env._("Participants"))

    def action_view_holdouts(self):
        """Open the participants who are held out."""
        check_records(self, one=True)
        return self._open_participants(self.env._("Held Out"), [("state", "=", "holdout")])

    def action_view_holdouts_back(self):
        """Open those held out who returned."""
        check_records(self, one=True)
        return self._open_participants(
            self.env._("Returned without Mails"), [("return_date", "!=", False)]
        )

    def action_view_mails(self):
        """Open the mails behind a statistic; the context key ``nurture_statistic`` says which."""
        check_records(self, one=True)
        statistic = self.env.context.get("nurture_statistic", "sent")
        return self._get_mailings()._nurture_open_mailing_traces(
            statistic, self._own_mailing_traces_domain()
        )

    def action_view_leads(self):
        """Open the leads that were won back, as far as the user may see them."""
        self.ensure_one()
        return self._open_leads_of(
            self.env._("Leads/Opportunities"),
            Domain("sequence_id", "=", self.id) & Domain("won_back_date", "!=", False),
        )

    def action_view_quotations(self):
        """Open the quotations made for leads of the sequence, as far as the user may see them."""
        self.ensure_one()
        # it tells how many there are, which not everybody may know
        self.check_access("read")
        self._check_field_access(self._fields["quotation_count"], "read")
        return self.env["nurture.credit"]._open(
            "quotations", self.env._("Quotations"), self._credits_domain()
        )

    def action_view_invoices(self):
        """Open the paid invoices behind the statistic Invoiced."""
        self.ensure_one()
        # it tells how many there are, which not everybody may know
        self.check_access("read")
        self._check_field_access(self._fields["invoiced_amount"], "read")
        return self.env["nurture.credit"]._open(
            "invoices", self.env._("Invoiced (Paid)"), self._credits_domain()
        )

    def _open_participants(self, name, domain=()):
        self.ensure_one()
        return self._open_list(
            "nurture.participant",
            name,
            [("sequence_id", "=", self.id), *domain],
            view_mode="list,kanban,graph,pivot,form",
        )

    @api.model
    def _open_leads_of(self, name, journeys):
        """Open the leads of journeys that the user sees. One that has gone to another company since
        counts, though it is not the user's to see any more.

        :param name: what they are called
        :param journeys: domain of ``nurture.participant``
        """
        leads = self.env["nurture.participant"].search(journeys).lead_id
        return self._open_documents(name, leads)

    @api.model
    def _open_documents(self, name, documents):
        """Open those of ``documents``, found with all rights, that are the user's to see. Where
        these are not all, the title says so.

        :param name: what they are called
        """
        model = documents._name
        own = self.env[model].with_context(active_test=False)
        domain = [("id", "in", documents.ids)]
        is_readable = own.has_access("read")
        shown = own.search_count(domain) if is_readable else 0
        if not is_readable and not documents:
            title = self.env._("%s: none yet", name)
        elif shown < len(documents):
            title = self.env._(
                "%(name)s: %(shown)s of %(all)s are yours to see",
                name=name,
                shown=shown,
                all=len(documents),
            )
        else:
            title = name
        if not is_readable:
            return {
                "type": "ir.actions.client",
                "tag": "display_notification",
                "params": {"type": "info", "message": title},
            }
        return self._open_list(model, title, domain)

    @api.model
    def _open_list(self, model, name, domain, view_mode="list,form"):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": view_mode,
            "domain": list(Domain(domain)),
            "context": {"create": False, "active_test": False},
        }

    # ------------------------------------------------------------
    # BUSINESS
    # ------------------------------------------------------------

    def _get_problems(self):
        """What keeps the sequence from running, in the user's words."""
        self.ensure_one()
        if self.is_template:
            return [self.env._("It is a template. Make a sequence from it.")]
        return [
            *self._get_own_problems(),
            *self.step_ids._get_problems(),
            *self._get_entry_problems(),
            *self._get_profile_problems(),
            *self._get_customer_problems(),
            *self._get_goal_problems(),
            *self._get_timing_problems(),
            *self._get_money_problems(),
        ]

    def _get_own_problems(self):
        problems = []
        if not self.active:
            problems.append(self.env._("It is archived."))
        if not self.step_ids.filtered(lambda step: step.trigger == "begin"):
            problems.append(self.env._("It has no step to begin with."))
        return problems

    def _raise_problems(self):
        # archived steps are not done, whatever the context says
        problems = self.with_context(active_test=True)._get_problems()
        if problems:
            raise UserError(
                self.env._("“%s” cannot run yet:", self.name) + "\n- " + "\n- ".join(problems)
            )

    def _warn(self, summary, note):
        """Notify the responsible, by an activity, that somebody has to look at the sequence.

        :return: the activity
        """
        if is_past(self.env):
            return self.env["mail.activity"]
        return self.activity_schedule(
            "mail.mail_activity_data_warning",
            summary=summary,
            note=note,
            user_id=(self.user_id.filtered("active") or self.env.user).id,
        )

    def _warn_once(self, summary, note):
        """As :meth:`_warn`, unless the same was said and nobody has looked at it."""
        if not self.activity_ids.filtered(lambda activity: activity.summary == summary):
            self._warn(summary, note)

    def _recall_messages(self):
        """Take the messages that have not left out of their queue; their traces are due again once
        the sequence is started again."""
        queued = self.env["mailing.trace"]._nurture_queued([("sequence_id", "in", self.ids)])
        mails = traces = queued.nurture_trace_id
        if self._asks_for_consent():
            requests = self.env["nurture.consent"]
            traces |= requests._recall([("sequence_id", "in", self.ids)])
        # the message that is sent later is another one
        queued.nurture_trace_id = False
        queued._nurture_cancel_queued()
        if traces:
            traces._update(
                SQL("id IN %s", tuple(traces.ids)),
                state="scheduled",
                reason="recalled",
                processed_date=None,
            )
            # what follows waited for the message to leave; it does again if another one does
            traces._update(
                SQL(
                    "parent_id IN %s AND nurture_trace.state = 'waiting'",
                    tuple(mails.ids) or (0,),
                ),
                state="cancelled",
                reason="parent_failed",
            )

    def _get_matching(self, leads):
        """Those of ``leads`` that the sequence still chooses."""
        self.ensure_one()
        leads = leads.with_context(active_test=False)
        return leads.search(self._get_choice() & Domain("id", "in", leads.ids))

    def _wake_cron(self, date=None):
        """Run the scheduled action at ``date``, or as soon as it can."""
        if is_past(self.env):
            return
        self.env.ref("lost_lead_nurture.ir_cron_nurture").sudo()._trigger(date)

    @api.model
    def _cron_advance(self):
        """The scheduled action: everybody who may enter does, and everything due is done."""
        running = self.search([("state", "=", "running")])
        running._catch_up()
        running._finish(running._share_due(self.env["nurture.trace"]._due_steps(running)))

    def _advance(self, end=float("inf")):
        """Enrol, then process all that is due, committing batch by batch. What time does not
        suffice for is left to the scheduled action.

        :param end: see :meth:`nurture.trace._process_due`
        :return: how many leads entered
        """
        entered = self._catch_up()
        traces = self.env["nurture.trace"]
        self._finish(traces._process_due(traces._due_steps(self), end))
        return entered

    def _finish(self, in_time):
        """Process what was quarantined, now that all else is; come again when time runs out.

        :param in_time: whether there was time for all else
        """
        # what ended a process comes last: it may end this one
        if not (in_time and self.env["nurture.batch"]._run_quarantined(self)):
            self._wake_cron()
            self.env["ir.cron"]._commit_progress()

    def _catch_up(self):
        """What comes before the steps that are due: enrol, handle what was left pending, let what
        is waited for in vain expire, try again what failed, notify the responsible of it, decide
        A/B tests, and take over what processes that were ended have left. One worker does this, the
        scheduled action.

        :return: how many leads entered
        """
        cron = self.env["ir.cron"]
        traces = self.env["nurture.trace"]
        self._follow_prices()
        entered = self.filtered(lambda sequence: sequence.entry != "manual")._enrol_all()
        try:
            self.env["mailing.trace"]._nurture_catch_up()
            while traces._expire():
                cron._commit_progress()
            while traces._retry_failed():
                cron._commit_progress()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else is at one of them: the next run takes them, what is due does not wait
            self.env.cr.rollback()
        self.env["nurture.mail.domain"]._look_up(self)
        self._check_guardrail("failure")
        self._report_failures()
        self._check_budget()
        self.env["nurture.step"]._settle_ab_tests(self)
        self.env["nurture.batch"]._take_over()
        return entered
