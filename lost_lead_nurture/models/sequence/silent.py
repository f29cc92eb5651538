import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import SQL

from ...tools.dates import on_day
from ...tools.domains import ERRORS, named_ids, read_domain
from ..lead.preset import CUSTOMER_FIELDS
from .sequence import MANY_LEADS

#: The field of leads by which a filter names presets of customers.
NOTICED = "nurture_silent_preset_ids"
#: How often customers are looked at for those who went silent.
NOTICE_EVERY = timedelta(days=1)
#: Seconds after which a run leaves the others to the next one.
NOTICE_SECONDS = 20
#: So many leads are made at a time.
CHUNK = 500


class NurtureSequence(models.Model):
    """Silent customers: whoever a preset of customers finds becomes a lead, lost because it went
    silent, which enters like every other. One lead is made for each silence."""

    _inherit = "nurture.sequence"

    silent_scan_date = fields.Datetime(
        string="Customers Scanned On",
        readonly=True,
        copy=False,
        help="When all customers were last scanned for those who went silent. It is done once a "
        "day, and when the choice has changed.",
    )
    silent_scan_choice = fields.Char(
        readonly=True, copy=False, help="The choice of customers of that time, as a checksum."
    )

    @api.constrains("domain")
    def _check_customers_allowed(self):
        """Nobody has customers looked for whose orders they may not see."""
        for sequence in self:
            orders = self.env["sale.order"].with_user(self.env.user)
            presets = (
                sequence._get_customer_presets()
                | sequence._get_profiles().preset_id.filtered(
                    lambda preset: preset.kind == "customers"
                )
            )
            if presets and not orders.has_access("read"):
                raise UserError(
                    self.env._("You may not see orders: no sequence of yours can be for customers.")
                )

    # ------------------------------------------------------------
    # WHO IS SILENT
    # ------------------------------------------------------------

    def _get_named_presets(self):
        """Ids of the presets of customers that the choice of leads names."""
        self.ensure_one()
        if NOTICED not in (self.domain or ""):
            # that is quick, and so with nearly all of them
            return []
        try:
            return sorted(named_ids(read_domain(self.domain), NOTICED))
        except ERRORS:
            return []

    def _get_customer_profiles(self):
        """The profiles that are for customers and whose turn has come: customers become leads when
        these may enter."""
        return self._get_open_profiles().filtered(
            lambda profile: profile.preset_id.kind == "customers"
        )

    def _get_customer_presets(self):
        """The presets of customers that the choice of leads names, and those of the profiles whose
        turn has come."""
        # which ones there are does not matter to who may not see them: those of its companies count
        presets = self.env["nurture.preset"].sudo().browse(self._get_named_presets()).exists()
        presets |= self._get_customer_profiles().preset_id._origin
        companies = self._get_companies()
        return presets.filtered(
            lambda preset: (
                preset.kind == "customers"
                and preset.active
                and (not preset.company_id or preset.company_id in companies)
            )
        )

    def _get_silent_queries(self):
        """``{preset: SQL of its customers}``, see :meth:`nurture.preset._select_customers`, with
        the rights of who chose it and of the user, if somebody looks on."""
        presets = self._get_customer_presets()
        if not presets:
            return {}
        companies = self._get_companies()
        # who named a preset in the filter, or has put it into the list of profiles
        chosen_by = {
            profile.preset_id._origin: profile.author_id
            for profile in self._get_customer_profiles()
        }
        author = self.sudo().domain_author_id
        queries = {}
        for preset in presets:
            users = self.env["crm.lead"]._nurture_get_finders(
                [chosen_by.get(preset, author)], companies, self._get_viewer()
            )
            queries[preset] = preset._select_customers(users, companies)
        return queries

    @api.model
    def _sql_known(self):
        """The silence of the customer ``found`` that was noticed already: it lasts until there is
        an order after the last one of that time."""
        return SQL(
            "SELECT silence.id FROM nurture_silence silence"
            " WHERE silence.partner_id = found.partner_id"
            " AND silence.company_id = found.company_id AND silence.since >= found.since"
            " ORDER BY silence.since DESC LIMIT 1"
        )

    def _get_customer_problems(self):
        known = set(self._get_customer_presets().ids)
        # those of the list of profiles are kept while they are in it
        if self._get_named_presets() and not known.intersection(self._get_named_presets()):
            return [self.env._("The preset of the customers that it is for is gone.")]
        return []

    # ------------------------------------------------------------
    # BECOMING LEADS
    # ------------------------------------------------------------

    def _is_silence_due(self):
        """Whether customers have to be looked at for those who went silent."""
        self.ensure_one()
        if not self._get_customer_presets():
            return False
        now = fields.Datetime.now()
        # a clock that was set back must not end it
        return (
            not (self.silent_scan_date and self.last_scan_date)
            or abs(now - self.silent_scan_date) >= NOTICE_EVERY
            or self.silent_scan_choice != self._get_customer_checksum()
        )

    def _get_customer_checksum(self):
        """A checksum of all settings that say which customers become leads."""
        presets = self._get_customer_presets()
        choice = [
            (preset.id, [repr(preset[name]) for name in ("company_id", *CUSTOMER_FIELDS)])
            for preset in presets
        ]
        choice += [self._get_companies().ids, self.domain_author_id.id, self.start_date]
        return self._get_checksum(choice)

    def _notice_silence(self):
        """Make leads of the customers who went silent, if it is time to. Commits."""
        if not self._is_silence_due():
            return
        now = fields.Datetime.now()
        end = time.monotonic() + NOTICE_SECONDS
        for preset, query in self._get_silent_queries().items():
            rows = self._find_silences(query)
            self._note_silences(preset, [row[3] for row in rows if row[3]])
            fresh = [row[:3] for row in rows if not row[3]]
            for start in range(0, len(fresh), CHUNK):
                self._make_silent_leads(preset, fresh[start : start + CHUNK])
                has_time = self.env["ir.cron"]._commit_progress() and time.monotonic() < end
                if not has_time and start + CHUNK < len(fresh):
                    # somebody waits, and so do mails that are due: the next run goes on
                    self.silent_scan_date = False
                    self._wake_cron()
                    return
        self.write({"silent_scan_date": now, "silent_scan_choice": self._get_customer_checksum()})

    @api.model
    def _find_silences(self, query):
        """The customers whom ``query`` selects.

        :return: list of (id of the customer, id of the company, date of the last order, id of the
            ``nurture.silence`` that was noticed already, or None)
        """
        return self.env.execute_query(
            SQL(
                "SELECT found.partner_id, found.company_id, found.since, (%s) FROM (%s) found",
                self._sql_known(),
                query,
            )
        )

    @api.model
    def _note_silences(self, preset, silence_ids):
        """Note that ``preset`` has noticed these silences, too."""
        self.env.execute_query(
            SQL(
                "INSERT INTO nurture_silence_preset_rel (nurture_silence_id, nurture_preset_id)"
                " SELECT unnest(%s::int[]), %s ON CONFLICT DO NOTHING RETURNING 1",
                silence_ids,
                preset.id,
            )
        )

    def _make_silent_leads(self, preset, rows):
        """Make a lead of each silence.

        :param rows: list of (id of the customer, id of the company, date of the last order)
        """
        partners = self.env["res.partner"].sudo().browse(row[0] for row in rows)
        companies = self.env["res.company"].sudo()
        reason = self.env.ref("lost_lead_nurture.lost_reason_silent", raise_if_not_found=False)
        now = fields.Datetime.now()
        silences = (
            self.env["nurture.silence"]
            .sudo()
            .create(
                [
                    {
                        "partner_id": partner.id,
                        "company_id": company_id,
                        "since": since,
                        "preset_ids": [Command.set(preset.ids)],
                    }
                    for partner, (_id, company_id, since) in zip(partners, rows, strict=True)
                ]
            )
        )
        # nobody is written to because a lead was made, or assigned
        leads = self.env["crm.lead"].sudo().with_context(tracking_disable=True)
        leads = leads.create(
            [
                {
                    "name": self.env._("Silent since %s", on_day(self.env, silence.since)),
                    "type": "opportunity",
                    "partner_id": silence.partner_id.id,
                    "user_id": silence.partner_id.user_id._nurture_at_work(
                        companies.browse(silence.company_id.id)
                    ).id,
                    "company_id": silence.company_id.id,
                    "active": False,
                    "probability": 0.0,
                    "automated_probability": 0.0,
                    "lost_reason_id": reason and reason.id,
                    "date_closed": now,
                    "nurture_silent_since": silence.since,
                }
                for silence in silences
            ]
        )
        for silence, lead in zip(silences, leads, strict=True):
            silence.lead_id = lead

    # ------------------------------------------------------------
    # BEFORE THEY ARE LEADS
    # ------------------------------------------------------------

    def _count_silent(self, limit=MANY_LEADS):
        """How many customers will become leads first, and how many of these would enter. Nothing is
        written.

        :param limit: at most so many are looked at; None: all
        :return: (number, how many of them would enter), or (0, 0) for who may not see them
        """
        groups = self._group_silent(limit)
        return sum(map(len, groups.values())), len(groups.get(None, []))

    def _group_silent(self, limit=None):
        """The customers who will become leads first, by what comes of it.

        :param limit: at most so many are looked at; None: all
        :return: ``{reason why they would not enter: ids of customers}``, with the key None for
            those who would; empty for who may not see them
        """
        found = self._select_unnoticed(limit)
        if not found:
            return {}
        groups = self._sort_out_source(self._sql_leads_of(found))
        return {reason: [-id_ for id_ in ids] for reason, ids in groups.items()}

    @api.model
    def _sql_leads_of(self, found):
        """The leads that customers would be, to judge them by the conditions for leads: one row for
        each of them, with all columns of a lead, and the negative id of the customer.

        :param found: SQL of ``partner_id`` and ``company_id``
        """
        self.env.flush_all()
        return SQL(
            """
            (SELECT made.*
               FROM (%s) found
               JOIN res_partner customer ON customer.id = found.partner_id
         CROSS JOIN LATERAL jsonb_populate_record(NULL::crm_lead, jsonb_build_object(
                    'id', -customer.id, 'partner_id', customer.id,
                    'company_id', found.company_id, 'user_id', customer.user_id,
                    'email_normalized', customer.email_normalized,
                    'phone_sanitized', customer.phone_sanitized, 'won_status', 'lost',
                    'active', false, 'date_closed', %s::timestamp)) made) lead
            """,
            found,
            fields.Datetime.now(),
        )

    def _select_unnoticed(self, limit=None):
        """SQL of the customers who went silent and are no leads for it yet, or None."""
        try:
            with self.env.cr.savepoint(flush=False):
                queries = self._get_silent_queries()
        except (AccessError, UserError):
            return None
        if not queries:
            return None
        return SQL(
            "SELECT DISTINCT found.partner_id, found.company_id FROM (%s) found"
            " WHERE NOT EXISTS (%s) LIMIT %s",
            SQL(" UNION ALL ").join(SQL("(%s)", query) for query in queries.values()),
            self._sql_known(),
            limit,
        )

    def _open_silent(self):
        """Open the customers who will become leads, as far as the user may see them."""
        self.ensure_one()
        self.check_access("read")
        found = self._select_unnoticed(MANY_LEADS)
        rows = self.env.execute_query(found) if found else []
        return self._open_list(
            "res.partner",
            self.env._("Silent Customers"),
            [("id", "in", sorted({row[0] for row in rows}))],
        )
