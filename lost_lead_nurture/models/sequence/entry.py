import hashlib
import logging
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ...tools.arguments import check_records, read_ids
from ...tools.domains import LostRights, check_domain, is_own, read_domain
from ..lead.choice import OWN_FIELDS
from ..step.step import MAX_DELAY

_logger = logging.getLogger(__name__)

#: From so many leads on they enter by joins of whole tables.
MANY = 1000
#: The settings that say who may enter, beside the companies and the excluded presets.
CHOICE_FIELDS = (
    *("domain", "entry", "entry_field_id", "entry_offset", "entry_yearly", "entry_per"),
    *("entry_mailing_ids", "entry_url", "entry_past_days", "profile_mode", "profile_days"),
    *("reentry", "reentry_days", "exclude_customers", "exclude_open_deals"),
    *("exclude_other_sequences", "exclude_bounced", "exclude_left", "exclude_roles"),
    *("topic_id", "holdout_percent", "price_below", "has_margin_floor", "margin_floor"),
)
#: Exclusions that no lead has that is searched for by :meth:`_get_lead_domain`.
OF_CHOICE = ("not_lost", "not_open", "company", "unmatched")
#: Nor one whom the price lets in, see :meth:`nurture.price._get_domain`.
OF_PRICE = (
    *("no_quotation", "not_priced", "not_sold", "no_cost"),
    *("not_below", "under_margin"),
)
#: How often all leads are scanned. In between only those that were lost meanwhile are.
SCAN_EVERY = timedelta(hours=1)
#: How long a transaction that loses leads may take without being missed until the next hour.
MAX_TRANSACTION = timedelta(minutes=10)


class NurtureSequence(models.Model):
    """Entry: who gets into a sequence, how, and how often."""

    _inherit = "nurture.sequence"

    entry = fields.Selection(
        [
            ("auto", "Automatically"),
            ("date", "On a date of the lead"),
            ("cure", "When its cause is possible again"),
            ("price", "When the price is below what was refused"),
            ("click", "When it clicked in a mail"),
            ("reply", "When it answered a mail"),
            ("complaint", "When it called a mail spam"),
            ("order", "When its customer has ordered"),
            ("welcome", "When it is new"),
            ("manual", "By hand only"),
        ],
        required=True,
        default="auto",
        help="Automatically: every lost lead that matches enters, now and later.\n"
        "On a date of the lead: it enters so many days before or after that date.\n"
        "When its cause is possible again: it enters once somebody has marked its lost reason, one "
        "of its tags or a product that was quoted to it as possible again since it was lost.\n"
        "When the price is below what was refused: it enters once its last quotation, which was "
        "not ordered, costs enough less today, for the same customer, products, quantities and "
        "pricelist, without taxes.\n"
        "When it clicked in or answered a mail: a lost lead enters, once for each time, whatever "
        "other sequence or mailing the mail is of. Clicks of bots and automatic answers are "
        "none.\n"
        "When it called a mail spam: a lost lead enters, for steps that do not write to it.\n"
        "When its customer has ordered: the lead of the order, or else those of its customer, "
        "enter when they are won or open; lost ones do not.\n"
        "When it is new: leads that are made from now on enter, and leave when they are won or "
        "lost.\n"
        "By hand only: leads are added from CRM, with Add to Sequence or when they are lost.",
    )
    entry_field_id = fields.Many2one(
        "ir.model.fields",
        string="Date",
        domain="[('model', '=', 'crm.lead'), ('ttype', 'in', ('date', 'datetime')),"
        " ('store', '=', True)]",
        ondelete="set null",
        help="For instance Closed Date, on which the lead was lost.",
    )
    entry_offset = fields.Integer(
        string="Days After", help="Days after the date; negative: before it."
    )
    entry_yearly = fields.Boolean(
        string="Every Year", help="On each anniversary of the date, instead of once."
    )
    entry_per = fields.Selection(
        [("address", "Address"), ("lead", "Lead")],
        string="Once per",
        required=True,
        default="address",
        help="Address: somebody with several lost leads enters once, for the one lost last.\n"
        "Lead: enters for each of them. Leads without an address enter, too; steps that are no "
        "mails are for them.",
    )
    reentry = fields.Selection(
        [
            ("never", "Never"),
            ("days", "After some days"),
            ("lost", "Each time it is lost again"),
            ("price", "Each time the price had risen and fell again"),
            ("event", "Each time it does it again"),
        ],
        string="Enters Again",
        required=True,
        default="never",
    )
    reentry_days = fields.Integer(
        string="Days before Entering Again",
        default=180,
        help="Counted from the end of the journey before.",
    )
    exclude_customers = fields.Boolean(
        string="Customers",
        default=True,
        help="Exclude whoever, or whose company, has ordered since the lead was lost.",
    )
    exclude_open_deals = fields.Boolean(
        string="Open Deals",
        default=True,
        help="Exclude leads when another lead or opportunity with the same address, or with the "
        "same customer or one of its colleagues, is in the pipeline.",
    )
    exclude_other_sequences = fields.Boolean(
        string="In Another Sequence",
        default=True,
        help="Exclude addresses that are in another running sequence.",
    )
    exclude_bounced = fields.Boolean(
        string="Bounced Addresses",
        default=True,
        help="Exclude addresses from which a mail bounced, of whatever sequence or mailing, and "
        "send them no mails, until somebody there has opened, clicked or answered one since.",
    )
    exclude_left = fields.Boolean(
        string="Archived Contacts",
        default=True,
        help="Exclude leads whose contact is archived, as people are who have left their company. "
        "Who is in the sequence leaves it then.",
    )
    exclude_roles = fields.Boolean(
        string="Addresses of Roles",
        help="Exclude addresses such as info@, sales@ or office@, which are no person's.",
    )
    topic_id = fields.Many2one(
        "nurture.topic",
        ondelete="restrict",
        help="What it is about, for recipients: who does not want mails on the topic gets none of "
        "this sequence. They choose on the page behind the link to unsubscribe.",
    )
    excluded_preset_ids = fields.Many2many(
        "nurture.preset",
        "nurture_sequence_excluded_preset_rel",
        string="Except",
        ondelete="restrict",
        # salespeople do not see presets, and could not read a sequence with all its fields
        groups="lost_lead_nurture.group_user",
        help="Exclude leads that one of these presets chooses.",
    )
    exclusion_author_id = fields.Many2one(
        "res.users",
        compute="_compute_authors",
        store=True,
        string="Exceptions Chosen By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose rights count for what these presets look at, beside those of who wrote them.",
    )

    last_scan_date = fields.Datetime(
        string="Leads Scanned On",
        readonly=True,
        copy=False,
        help="When all leads were last scanned for those that may enter. It is done once an "
        "hour, and when the choice of leads has changed; those lost in between enter at once.",
    )
    last_scan_choice = fields.Char(
        readonly=True, copy=False, help="The choice of leads of that time, as a checksum."
    )

    # ------------------------------------------------------------
    # CONSTRAINTS
    # ------------------------------------------------------------

    @api.constrains("reentry", "reentry_days")
    def _check_reentry_days(self):
        for sequence in self:
            days = sequence.reentry_days
            if sequence.reentry == "days" and not 1 <= days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "“%s”: a lead enters again after one day at least, and ten years at most.",
                        sequence.name,
                    )
                )

    @api.constrains("reentry", "entry")
    def _check_reentry_price(self):
        for sequence in self:
            if sequence.reentry == "price" and sequence.entry != "price":
                raise ValidationError(
                    self.env._(
                        "“%s”: leads can enter each time a price fell again only where they enter "
                        "when it is below what was refused.",
                        sequence.name,
                    )
                )

    @api.onchange("entry")
    def _onchange_entry_reentry(self):
        """Each time the price fell, or it did something, is for leads that enter by that."""
        if self.entry == "price" and self.reentry == "never":
            self.reentry = "price"
        elif (self.reentry == "price" and self.entry != "price") or (
            self.reentry == "event" and not self._is_by_behaviour()
        ):
            self.reentry = "never"

    @api.constrains("entry_offset")
    def _check_entry_offset(self):
        for sequence in self:
            if abs(sequence.entry_offset) > MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._("A lead enters ten years before or after its date at most.")
                )

    @api.constrains("entry_field_id")
    def _check_entry_field(self):
        for field in self.sudo().entry_field_id:
            if (
                field.model != "crm.lead"
                or field.ttype not in ("date", "datetime")
                or not field.store
            ):
                raise ValidationError(
                    self.env._("“%s” is not a date of leads.", field.field_description)
                )
            self._check_date_for_all(field)

    @api.constrains("excluded_preset_ids")
    def _check_excluded_presets(self):
        for preset in self.sudo().excluded_preset_ids:
            check_domain(self.env["crm.lead"], preset.full_domain)

    def _take_over_presets(self):
        """Answer for the presets that are left out, or are profiles, where their author cannot."""
        leads = self.env["crm.lead"].sudo()
        for sequence in self:
            for preset in sequence.excluded_preset_ids | sequence.profile_ids.preset_id:
                author = preset.sudo().author_id
                try:
                    companies = sequence._get_companies()
                    leads._nurture_choose(preset.sudo().full_domain, [author], companies)
                except LostRights:
                    preset._take_over()

    def _check_date_for_all(self, field):
        """Check that a date is for everybody who may see leads: that a lead enters tells it.

        :raise ValidationError: in words
        """
        if self.env["crm.lead"]._fields[field.name].groups:
            raise ValidationError(
                self.env._(
                    "“%s” is not for everybody's eyes: leads cannot enter on it.",
                    field.field_description,
                )
            )

    @api.constrains("entry_per")
    def _check_entry_per(self):
        if self._has_participants():
            raise ValidationError(
                self.env._(
                    "Leads have been through this sequence: whether it is gone through per "
                    "address or per lead cannot be changed any more. Duplicate it."
                )
            )

    def _get_entry_problems(self):
        if self.entry == "date" and not self.entry_field_id:
            return [self.env._("It does not say on which date leads enter.")]
        return self._get_behaviour_problems()

    # ------------------------------------------------------------
    # WHO MAY ENTER
    # ------------------------------------------------------------

    def _get_lead_domain(self, own=True):
        """Domain of the leads that may enter: lost ones of the company, or those that its kind of
        entry is for.

        :param own: whether the sequence's own filter applies too
        """
        self.ensure_one()
        domain = self._get_status_domain()
        if own:
            domain &= self._get_choice()
        return domain & Domain("company_id", "in", [*self._get_companies().ids, False])

    def _get_choice(self):
        """The leads that the sequence's own filter chooses, and one of its profiles, if it has any;
        of those, where it is not asked with all rights, the ones that the user may find, too."""
        sequence = self.sudo()
        chosen = self.env["crm.lead"]._nurture_choose(
            sequence._get_filter(),
            [sequence.domain_author_id],
            self._get_companies(),
            self._get_viewer(),
        )
        return chosen & self._get_profile_choice()

    def _get_viewer(self):
        """Who looks on: nobody when it is asked with all rights, as the engine does."""
        return None if self.env.su else self.env.user

    def _is_about_leads_only(self):
        """Whether its filter, and its profiles, look at nothing but the leads themselves."""
        presets = self._get_profiles().preset_id
        return all(
            is_own(read_domain(choice), self.env["crm.lead"], OWN_FIELDS)
            for choice in (self.domain, *presets.mapped("full_domain"))
        )

    def _get_companies(self):
        """Whose leads may enter: the company's, or without one those of the responsible's."""
        return self.company_id or (self.user_id or self.create_uid).sudo().company_ids

    def _get_home(self):
        """The company that writes to leads without one: the sequence's, or that of who is
        responsible for it."""
        return self.company_id or (self.user_id or self.create_uid).sudo().company_id

    @api.model
    def _sql_home(self):
        """Its id where the alias ``sequence`` has no company."""
        return SQL(
            "(SELECT responsible.company_id FROM res_users responsible"
            " WHERE responsible.id = COALESCE(sequence.user_id, sequence.create_uid))"
        )

    def _get_suppressed_domains(self):
        """Domains of the leads that the excluded presets choose, those in the list of profiles
        among them, see :meth:`_get_choice`. Those who wrote them and who chose them have their
        say."""
        sequence = self.sudo()
        chosen = [
            self.env["crm.lead"]._nurture_choose(
                preset.full_domain,
                [preset.author_id, sequence.exclusion_author_id],
                self._get_companies(),
                self._get_viewer(),
            )
            for preset in sequence.excluded_preset_ids
        ]
        return chosen + [line._get_choice(self) for line in self._get_excluding_lines()]

    def _get_suppressing_presets(self):
        """The presets of :meth:`_get_suppressed_domains`, in the same order, with all rights."""
        return [*self.sudo().excluded_preset_ids, *self._get_excluding_lines().mapped("preset_id")]

    def _asks_for_consent(self):
        """Whether any of these sequences has a step that does."""
        return "opt_in" in self.sudo().step_ids.mapped("step_type")

    def _begins_with_opt_in(self):
        """Whether nobody is written to who has not been asked for consent before."""
        first = self.sudo().step_ids.filtered(lambda step: step.active and step.trigger == "begin")
        return bool(first) and set(first.mapped("step_type")) == {"opt_in"}

    def _is_yearly(self):
        return self.entry == "date" and self.entry_yearly

    def _get_local_day(self, moment=None):
        """The day of ``moment`` (now, if not given) where the company is."""
        local = self.with_context(tz=self._get_company_zone() or "UTC")
        return fields.Datetime.context_timestamp(local, moment or fields.Datetime.now()).date()

    def _sql_entry_date(self):
        """The day on which the lead (alias ``lead``) enters: its date plus the offset; each year,
        the last such day up to today. 29 February is 28 February in other years."""
        self.ensure_one()
        field = self.sudo().entry_field_id
        if not field:
            # deleted, or gone with the add-on that it belonged to
            raise UserError(self.env._("It does not say on which date leads enter."))
        self._check_date_for_all(field)
        date = SQL.identifier("lead", field.name)
        if field.ttype == "datetime":
            zone = self._get_company_zone() or "UTC"
            date = SQL("(%s AT TIME ZONE 'UTC' AT TIME ZONE %s)::date", date, zone)
        date = SQL("(%s + %s)", date, self.entry_offset)
        if not self.entry_yearly:
            return date
        today = self._get_local_day()
        years = SQL("(%s - EXTRACT(year FROM %s))::int", today.year, date)
        years = SQL(
            "(%(years)s - CASE WHEN %(date)s + %(years)s * interval '1 year' > %(today)s"
            " THEN 1 ELSE 0 END)",
            date=date,
            years=years,
            today=today,
        )
        # the day itself is no anniversary
        return SQL(
            "CASE WHEN %(years)s > 0 THEN (%(date)s + %(years)s * interval '1 year')::date END",
            date=date,
            years=years,
        )

    # ------------------------------------------------------------
    # ENROL
    # ------------------------------------------------------------

    def _enrol_all(self):
        """Let matching leads enter these sequences. Commits.

        :return: how many entered
        """
        entered = 0
        for sequence in self._get_to_scan():
            entered += sequence._enrol_matching()
            self.env["ir.cron"]._commit_progress()
        return entered

    def _get_to_scan(self):
        """Those of these sequences that somebody may enter: all leads or customers have to be
        scanned, or some were lost since that was done; those that leads enter by what they do are
        looked at in any case, for what was done since. However many sequences there are, leads are
        searched once."""
        since = {sequence: sequence._get_lost_since() for sequence in self}
        last = None
        if any(since.values()):
            leads = self.env["crm.lead"].sudo().with_context(active_test=False)
            ((last,),) = leads._read_group([("won_status", "=", "lost")], [], ["date_closed:max"])
        return self.filtered(
            lambda one: (
                one.last_error
                or one._is_by_behaviour()
                or not since[one]
                or (last and last >= since[one])
                or one._is_silence_due()
            )
        )

    def _get_lost_since(self):
        """From when on lost leads may not have been scanned, or None when all have to be."""
        self.ensure_one()
        # a clock that was set back must not end it
        if (
            not self.last_scan_date
            or abs(fields.Datetime.now() - self.last_scan_date) >= SCAN_EVERY
        ):
            return None
        if self.last_scan_choice != self._get_choice_checksum():
            return None
        return self.last_scan_date - MAX_TRANSACTION

    def _enrol_matching(self):
        """Let matching leads enter. A sequence whose audience cannot be read any more says so and
        does not stop the others.

        :return: how many entered
        """
        self.ensure_one()
        now = fields.Datetime.now()
        try:
            self._notice_silence()
            choice = self._get_choice_checksum()
            since = self._get_lost_since()
            entered = self._enrol(lost_since=since)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            # somebody else is at it: the next run takes whoever is left
            self.env.cr.rollback()
            return 0
        except Exception as error:
            self.env.cr.rollback()
            _logger.warning("Leads cannot enter %s: %s", self, error)
            self._notify_no_entry(error)
            return 0
        if self.last_error:
            self.last_error = False
        if not since:
            self.write({"last_scan_date": now, "last_scan_choice": choice})
        return len(entered)

    def _notify_no_entry(self, error):
        """Show on the sequence why leads cannot enter. The responsible is notified once of what
        only people can mend."""
        reason = self.env._("Leads cannot enter: %s", error)
        if reason != self.last_error and isinstance(error, UserError):
            self._warn(self.env._("Leads cannot enter"), reason)
        self.last_error = reason

    @api.model
    def _get_choice_fields(self):
        """The settings that say who may enter, those of other add-ons among them."""
        return CHOICE_FIELDS

    def _get_choice_checksum(self):
        """A checksum of all settings that say who may enter."""
        self.ensure_one()
        choice = [
            self[name].ids if self._fields[name].type == "many2many" else self[name]
            for name in (*self._get_choice_fields(), "start_date")
        ]
        choice += [self._get_companies().ids, self.excluded_preset_ids.mapped("full_domain")]
        choice += [self.domain_author_id.id, self.exclusion_author_id.id]
        choice += [self.excluded_preset_ids.author_id.ids, self._get_profile_checksum()]
        if self.entry == "cure":
            due = self.env["nurture.cure"]._get_due(self._get_companies())
            choice += [(cure.id, cure.date) for cure in due]
        return self._get_checksum(choice)

    @api.model
    def _get_checksum(self, settings):
        """A checksum of some settings: another one when one of them is."""
        return hashlib.sha256(repr(settings).encode()).hexdigest()[:16]

    def _enrol(self, leads=None, lost_since=None, among=None):
        """Let leads enter whom nothing excludes.

        :param leads: by hand, these only and whatever the sequence's choice of leads is
        :param lost_since: only leads lost since then, or that did since then what lets them in
        :param among: ids of the only leads that have to be looked at
        :return: ids of the leads that entered
        """
        free_ids = self._sort_free(self._find_free(leads, lost_since, among)).get(None)
        if not free_ids:
            return []
        query = SQL("SELECT unnest(%s::int[])", free_ids)
        participants = self.env["nurture.participant"].sudo()
        with self._in_one_pass(len(free_ids) >= MANY):
            return participants._enrol(self, query, by_hand=leads is not None)

    def _find_free(self, leads=None, lost_since=None, among=None):
        """Ids of the leads whom nothing excludes; parameters as for :meth:`_enrol`."""
        lead_model = self.env["crm.lead"].sudo().with_context(active_test=False)
        own = leads is None
        domain = self._get_lead_domain(own=own)
        if not own:
            domain &= Domain("id", "in", leads.ids)
        elif self._is_by_behaviour():
            # those few are where PostgreSQL begins
            domain &= self._get_event_domain(lost_since)
        elif lost_since:
            domain &= Domain("date_closed", ">=", lost_since)
        implied = OF_CHOICE
        if own and self.entry == "price":
            domain &= self.env["nurture.price"].sudo()._get_domain(self)
            implied += OF_PRICE
        if among is not None:
            domain &= Domain("id", "in", among)
        self.env.flush_all()
        exclusions = lead_model._nurture_exclusions(self, own=own)
        chosen = lead_model._search(domain)
        free = SQL(
            # the same leads under the name that the conditions use: joined by their ids, they
            # would all be read twice
            "SELECT array_agg(lead.id) FROM %s CROSS JOIN LATERAL (SELECT %s.*) lead"
            " WHERE %s AND %s",
            chosen.from_clause,
            SQL.identifier(chosen.table),
            chosen.where_clause,
            SQL(" AND ").join(
                SQL("NOT (%s)", condition)
                for reason, condition in exclusions
                if reason not in implied
            ),
        )
        with self._in_one_pass(lead_model.search_count(domain, limit=MANY) == MANY):
            # mostly there is nobody, which is all that has to be found out
            ((free_ids,),) = self.env.execute_query(free)
            return free_ids or []

    @contextmanager
    def _in_one_pass(self, many):
        """Have conditions on ``many`` leads looked up by joins of whole tables: right after an
        import PostgreSQL may take a table for empty, and compare each lead with each."""
        if not many:
            yield
            return
        self.env.execute_query(SQL("SELECT set_config('enable_nestloop', 'off', true)"))
        yield
        self.env.execute_query(SQL("SELECT set_config('enable_nestloop', 'on', true)"))

    def _group_by_exclusion(self, leads=None, losing=False):
        """Who of those that the sequence is for may enter now, and who is excluded why.

        :param leads: these only, and whatever the sequence's choice of leads is
        :param losing: judge ``leads`` as if they had just been lost
        :return: ``{reason: ids of leads}``, in the order in which reasons are shown; the
            reason of those who may enter is None
        """
        self._work_out_prices()
        if leads is None:
            lead_model = self.env["crm.lead"].with_context(active_test=False)
            return self._sort_out(lead_model._search(self._get_lead_domain()).select())
        query = SQL("SELECT unnest(%s::int[])", leads.ids)
        return self._sort_out(query, chosen=False, losing=leads.ids if losing else ())

    def _sort_out(self, leads_query, chosen=True, losing=()):
        """Who of the leads of ``leads_query`` may enter now, and who may not.

        :param leads_query: SQL that selects ids of ``crm_lead``
        :param chosen: whether it selects from those that the sequence chooses; else its choice
            does not matter
        :param losing: ids of leads that are judged as if they had just been lost
        :return: as :meth:`_group_by_exclusion`
        """
        source = SQL("crm_lead lead WHERE lead.id IN (%s)", leads_query)
        return self._sort_out_source(source, chosen, losing)

    def _sort_out_source(self, source, chosen=True, losing=()):
        """As :meth:`_sort_out`, of the rows ``lead`` of ``source``, which has the columns of
        ``crm_lead``."""
        self.env.flush_all()
        leads = self.env["crm.lead"].sudo()
        exclusions = [
            (reason, condition)
            for reason, condition in leads._nurture_exclusions(self, chosen, losing)
            if not (chosen and reason in OF_CHOICE)
        ]
        rows = self.env.execute_query(
            SQL(
                """
                SELECT free.reason, array_agg(free.id ORDER BY free.id)
                  FROM (SELECT judged.id,
                               CASE WHEN judged.reason IS NOT NULL THEN judged.reason
                                    WHEN row_number() OVER (
                                         PARTITION BY judged.reason, judged.dedup_key
                                         ORDER BY judged.date_closed DESC NULLS LAST,
                                                  judged.id DESC) > 1
                                    THEN 'duplicate' END AS reason
                          FROM (SELECT lead.id, lead.date_closed, %(dedup_key)s AS dedup_key,
                                       CASE %(exclusions)s END AS reason
                                  FROM %(source)s) judged) free
              GROUP BY free.reason
              ORDER BY array_position(%(order)s, free.reason)
                """,
                dedup_key=self.env["nurture.participant"]._sql_dedup_key(self),
                exclusions=SQL(" ").join(
                    SQL("WHEN %s THEN %s", condition, reason) for reason, condition in exclusions
                ),
                source=source,
                order=list(self._get_exclusion_labels()),
            )
        )
        groups = dict(rows)
        return groups | self._sort_free(groups.pop(None, []))

    def _sort_free(self, lead_ids):
        """Who of those whom nothing excludes enters now, and who has to wait as there is not enough
        for everybody: other add-ons know of what.

        :return: ``{reason: ids of leads}``, as :meth:`_group_by_exclusion`
        """
        return {None: lead_ids} if lead_ids else {}

    def enrol(self, lead_ids):
        """Let leads enter by hand. The sequence's choice of leads does not apply; whatever else
        excludes leads does.

        :param lead_ids: list of ids of ``crm.lead``
        :return: ``{"entered": ids of the leads that entered, "excluded": {reason: ids}, "unknown":
            ids that are no leads (any more)}``; the reasons are those of ``EXCLUSION_REASONS`` in
            ``tools/reasons.py``, and of other add-ons, for instance ``not_lost``, ``no_address``,
            ``blacklisted``, ``company`` (another one), ``inside`` (the address is or was in the
            sequence) and ``duplicate`` (another of these leads has the same address)
        :raise UserError: when the sequence is not running
        :raise AccessError: for who may not read both, or change neither the sequence nor the leads
        """
        check_records(self, one=True)
        # each once, in their order
        lead_ids = list(dict.fromkeys(read_ids(self.env, lead_ids)))
        leads = self.env["crm.lead"].browse(lead_ids).exists()
        leads.check_access("read")
        if not self.has_access("write"):
            leads.check_access("write")
        self.check_access("read")
        sequence = self.sudo()
        if sequence.state != "running":
            raise UserError(self.env._("“%s” is not running: nobody can enter.", sequence.name))
        groups = sequence._group_by_exclusion(leads.sudo())
        wanted = groups.pop(None, [])
        entered = sequence._enrol(leads.browse(wanted).sudo()) if wanted else []
        if missed := sorted(set(wanted) - set(entered)):
            # somebody else was quicker
            groups["inside"] = sorted(groups.get("inside", []) + missed)
        sequence._wake_cron()
        order = self._get_exclusion_labels()
        return {
            "entered": [id_ for id_ in leads.ids if id_ in entered],
            "excluded": {reason: groups[reason] for reason in order if reason in groups},
            "unknown": [id_ for id_ in lead_ids if id_ not in set(leads.ids)],
        }

    @api.model
    def _get_exclusion_labels(self):
        """``{reason: why a lead is excluded, in words}``"""
        # as the labels of a field they are translated
        lines = self.env["nurture.dry.run.line"]
        return dict(lines._fields["reason"]._description_selection(self.env))

    def _enrol_notification(self, result):
        """What :meth:`enrol` did, as a notification."""
        labels = self._get_exclusion_labels()
        lines = [self._say_entered(len(result["entered"]))]
        lines += [f"{labels[reason]}: {len(ids)}" for reason, ids in result["excluded"].items()]
        kind = "success" if result["entered"] else "warning"
        return self._notify("\n".join(lines), kind, sticky=bool(result["excluded"]))

    def _say_entered(self, count):
        """How many leads entered, in words."""
        if count == 1:
            return self.env._("1 lead entered “%s”.", self.name)
        return self.env._(
            "%(count)s leads entered “%(sequence)s”.", count=count, sequence=self.name
        )
