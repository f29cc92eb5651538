from odoo import api, models
from odoo.tools import SQL, ormcache

from ..models.core.results_mixin import EARNED
from ..models.mail.mailing_trace_statistics import STATISTICS
from ..models.sequence.timing import RECIPIENT_JOINS
from ..tools.providers import DOMAINS
from ..tools.zones import zones_of_countries
from .nurture_report_mixin import (
    DIMENSIONS,
    JOURNEY_MAILS,
    JOURNEY_OUTCOMES,
    KINDS,
    MEASURES,
    look_up,
)


class NurtureReport(models.Model):
    """What happened, as one SELECT for each kind, all of the same columns. A dimension that a kind
    does not know is empty, a measure is 0."""

    _inherit = "nurture.report"

    def _sql_facts(self, participants, kinds=tuple(dict(KINDS))):
        """What happened to these participants: one row for each thing. Nothing is worked out that
        nobody asks for: PostgreSQL looks into a UNION ALL, not into one with WITH.

        :param participants: SQL that selects from ``nurture_participant``
        :param kinds: values of :data:`KINDS`
        """
        # named once, as each date needs it
        participants = SQL(
            "(SELECT *, %s AS zone FROM (%s) participant) participant",
            self._sql_company_zone(),
            participants,
        )
        return SQL(" UNION ALL ").join(
            getattr(self, f"_select_{kind}")(participants) for kind in kinds
        )

    def _select_entered(self, participants):
        is_held_out = SQL("participant.state = 'holdout'")
        is_won_back = SQL("participant.won_back_date IS NOT NULL")
        return self._select_kind(
            "entered",
            SQL("FROM %s", participants),
            SQL("participant.id"),
            date=self._sql_local(SQL("participant.entered_date")),
            entered=SQL("1"),
            written_to=SQL("NOT %s", is_held_out),
            won_back_entered=SQL("%s AND NOT %s", is_won_back, is_held_out),
            held_out=is_held_out,
            holdout_returned=SQL("participant.return_date IS NOT NULL"),
            **self._sql_journeys(),
        )

    def _sql_journeys(self):
        """How far participants got: whether a message of theirs was opened, whether something was
        paid, … Nothing of it is looked for unless somebody asks for it."""
        statistics = self.env["mailing.trace"]._nurture_sql_statistics()
        mail = SQL(
            "SELECT FROM nurture_trace trace"
            " JOIN mailing_trace ON mailing_trace.nurture_trace_id = trace.id"
            " WHERE trace.participant_id = participant.id"
        )
        outcome = SQL(
            "SELECT FROM nurture_credit credit"
            " WHERE credit.participant_id = participant.id AND credit.model = 'last' AND %s",
            self._sql_credit_seen(),
        )
        return {
            f"journeys_{name}": SQL("EXISTS (%s AND %s)", mail, statistics[name])
            for name in JOURNEY_MAILS
        } | {
            f"journeys_{name}": SQL("EXISTS (%s AND credit.kind IN %s)", outcome, kinds)
            for name, kinds in JOURNEY_OUTCOMES.items()
        }

    def _select_mail(self, participants):
        """Messages with what became of them, as all screens count it."""
        statistics = self.env["mailing.trace"]._nurture_sql_statistics()
        sent, read = (
            self._sql_clock(moment)
            for moment in (
                SQL("mailing_trace.sent_datetime"),
                SQL("LEAST(mailing_trace.open_datetime, mailing_trace.links_click_datetime)"),
            )
        )
        origin = "CASE WHEN %s THEN COALESCE(%s, 'unknown') END"
        return self._select_kind(
            "mail",
            SQL(
                "FROM mailing_trace"
                " JOIN nurture_trace trace ON trace.id = mailing_trace.nurture_trace_id"
                " JOIN %s ON participant.id = trace.participant_id"
                " LEFT JOIN crm_lead lead ON lead.id = participant.lead_id %s WHERE %s",
                participants,
                RECIPIENT_JOINS,
                statistics["sent"],
            ),
            SQL("mailing_trace.id"),
            date=self._sql_local(SQL("mailing_trace.sent_datetime")),
            step_id=SQL("trace.step_id"),
            variant=SQL("trace.variant"),
            provider=SQL(
                "CASE WHEN mailing_trace.trace_type = 'mail' THEN %s END",
                SQL(
                    "COALESCE(%s, mailing_trace.nurture_provider, %s)",
                    self._sql_provider(SQL("mailing_trace.email")),
                    self._sql_provider_of_participant(),
                ),
            ),
            device=SQL(origin, statistics["opened"], SQL("mailing_trace.nurture_device")),
            client=SQL(origin, statistics["opened"], SQL("mailing_trace.nurture_client")),
            sent_weekday=SQL("to_char(%s, 'ID')", sent),
            sent_hour=SQL("to_char(%s, 'HH24')", sent),
            read_weekday=SQL("to_char(%s, 'ID')", read),
            read_hour=SQL("to_char(%s, 'HH24')", read),
            **{name: statistics[name] for name in STATISTICS},
        )

    def _select_won_back(self, participants):
        return self._select_kind(
            "won_back",
            SQL("FROM %s WHERE participant.won_back_date IS NOT NULL", participants),
            SQL("participant.id"),
            date=self._sql_local(SQL("participant.won_back_date")),
            step_id=SQL("participant.credited_step_id"),
            variant=self._sql_version_of(SQL("participant.credited_step_id")),
            won_back=SQL("1"),
        )

    def _select_outcome(self, participants):
        """What the ledger credits to messages of sequences, by last touch."""
        company = SQL("COALESCE(credit.company_id, participant.company_id)")
        return self._select_kind(
            "outcome",
            SQL(
                "FROM nurture_credit credit"
                " JOIN %s ON participant.id = credit.participant_id"
                " WHERE credit.model = 'last' AND credit.kind IN %s AND %s",
                participants,
                ("quotation", "order", "invoiced", *EARNED),
                self._sql_credit_seen(),
            ),
            SQL("credit.id"),
            date=self._sql_local(SQL("credit.date")),
            company_id=company,
            step_id=SQL("credit.step_id"),
            variant=self._sql_version_of(SQL("credit.step_id")),
            quotations=SQL("credit.kind = 'quotation'"),
            orders=SQL("credit.kind = 'order'"),
            invoiced_amount=SQL(
                "CASE WHEN credit.kind = 'invoiced' THEN credit.company_amount END"
            ),
            paid_amount=SQL("CASE WHEN credit.kind IN %s THEN credit.company_amount END", EARNED),
            margin=SQL("CASE WHEN credit.kind IN %s THEN credit.margin END", EARNED),
        )

    def _sql_version_of(self, step):
        """The version of the message of ``step`` that the participant was drawn for."""
        return SQL(
            "(SELECT trace.variant FROM nurture_trace trace"
            " WHERE trace.participant_id = participant.id AND trace.step_id = %s)",
            step,
        )

    def _sql_credit_seen(self):
        """Whether the user works for the company of a credit, whosever document it is of."""
        if self.env.su:
            return SQL("TRUE")
        return SQL(
            "(credit.company_id IS NULL OR credit.company_id = ANY(%s))", self.env.companies.ids
        )

    def _select_kind(self, kind, source, id_, **columns):
        """SELECT of the records of a kind. Their ids are kept apart by what is left when they are
        divided by the number of kinds.

        :param source: SQL from FROM on, with ``participant``
        :param id_: SQL of what is one of the kind
        :param columns: SQL of what it knows beside its participant
        """
        kinds = [value for value, _label in KINDS]
        columns = {
            "kind": SQL("%s", kind),
            **{
                name: SQL.identifier("participant", name)
                for name in (
                    *("company_id", "sequence_id", "lost_reason_id", "user_id", "team_id"),
                    "profile_id",
                )
            },
            "country_id": SQL("participant.country_id"),
            "lost_month": SQL(
                "date_trunc('month', %s)", self._sql_local(SQL("participant.date_lost"))
            ),
            "provider": self._sql_provider_of_participant(),
            "record_count": SQL("1"),
            **columns,
        }
        missing = dict.fromkeys(DIMENSIONS, SQL("NULL")) | dict.fromkeys(MEASURES, SQL("0"))
        return SQL(
            "SELECT %s * %s::bigint + %s AS id, participant.id AS participant_id, %s %s",
            id_,
            len(kinds),
            kinds.index(kind),
            SQL(", ").join(
                SQL("(%s)::%s AS %s", term, self._get_type(name), SQL.identifier(name))
                for name, term in (missing | columns).items()
            ),
            source,
        )

    def _get_type(self, name):
        return SQL(self._fields[name].column_type[1])

    # ------------------------------------------------------------
    # CLOCKS AND MAILBOXES
    # ------------------------------------------------------------

    def _sql_local(self, moment):
        """A moment on the clock of the participant's company."""
        return SQL("timezone(participant.zone, timezone('UTC', %s))", moment)

    def _sql_clock(self, moment):
        """A moment on the recipient's clock, as :func:`recipient_zone` finds it, where there are
        the joins of :data:`RECIPIENT_JOINS`."""
        names = self._get_zones()
        countries = {code: zone for code, zone in zones_of_countries().items() if zone in names}
        return SQL(
            "timezone(COALESCE(%s, %s, participant.zone), timezone('UTC', %s))",
            look_up({name: name for name in names}, SQL("contact.tz")),
            look_up(countries, SQL("country.code")),
            moment,
        )

    def _sql_company_zone(self):
        """The time zone of a participant's company."""
        names = self._get_zones()
        zones = {
            str(company.id): company.partner_id.tz
            for company in self.env["res.company"].sudo().search([])
            if company.partner_id.tz in names
        }
        return SQL("COALESCE(%s, 'UTC')", look_up(zones, SQL("participant.company_id::text")))

    @api.model
    @ormcache()
    def _get_zones(self):
        """Names of the time zones that PostgreSQL knows."""
        rows = self.env.execute_query(SQL("SELECT name FROM pg_timezone_names"))
        return frozenset(name for (name,) in rows if not name.startswith("posix"))

    @api.model
    def _sql_provider_of_participant(self):
        """It stays known of whom nobody knows the address any more."""
        return SQL(
            "COALESCE(%s, participant.provider)", self._sql_provider(SQL("participant.email"))
        )

    @api.model
    def _sql_provider(self, address):
        return SQL(
            "CASE WHEN strpos(%(address)s, '@') > 0 THEN COALESCE(%(provider)s, 'other') END",
            address=address,
            provider=look_up(DOMAINS, SQL("lower(substring(%s from '[^@]*$'))", address)),
        )
