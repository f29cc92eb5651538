from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.zones import midnight

# from so many traces on, a sequence shows the statistics of its last count
from ..core.kept import MANY_TRACES
from ..step.workflow import CHART_DAYS, chart_days

#: What is counted on its own.
PARTS = (
    *("participants", "reasons", "waits", "traces", "mails", "mail_days", "versions", "coming"),
    "lift",
)
#: Fields of a trace with the day on which it was processed or rejected.
CHART_DATES = {"processed": "processed_date", "rejected": "write_date"}
#: Statistics of messages that are counted by day, with the date that says on which. Core keeps none
#: of a bounce: it counts on the day on which its message left.
MAIL_DATES = {
    "sent": "sent_datetime",
    "delivered": "sent_datetime",
    "opened": "open_datetime",
    "clicked": "links_click_datetime",
    "replied": "reply_datetime",
    "bounced": "sent_datetime",
    "unsubscribed": "nurture_unsubscribe_date",
    "complained": "nurture_complaint_date",
}


class NurtureStatistics(models.Model):
    """What a big sequence came to when it was last counted: counting a million traces takes
    seconds, and nobody waits for that before a form."""

    _name = "nurture.statistics"
    _description = "Nurture Statistics"
    _log_access = False

    sequence_id = fields.Many2one(
        "nurture.sequence", required=True, readonly=True, ondelete="cascade"
    )
    date = fields.Datetime(required=True, readonly=True, help="When it was counted.")
    counts = fields.Json(
        required=True, readonly=True, help="See nurture.sequence._count_statistics()."
    )

    _sequence_unique = models.Constraint("UNIQUE (sequence_id)", "Statistics are kept once.")


class NurtureSequence(models.Model):
    """Statistics: counted when somebody looks; those of big sequences by a scheduled action."""

    _inherit = "nurture.sequence"

    statistics_date = fields.Datetime(
        string="Statistics of",
        compute="_compute_statistics_date",
        help="The statistics of a big sequence are counted every quarter of an hour.",
    )

    def _compute_statistics_date(self):
        kept = self._get_kept_statistics()
        for sequence in self:
            sequence.statistics_date = kept[sequence].date if sequence in kept else False

    def _get_statistics(self, *parts):
        """What these sequences have come to, as far as the user may see it: of the last count where
        there is one, else of now.

        :param parts: what is wanted, see :meth:`_count_statistics`
        :return: ``{sequence: counts}``
        """
        kept = self._get_kept_statistics()
        others = self.filtered(lambda sequence: sequence not in kept)
        statistics = {sequence: statistics.counts for sequence, statistics in kept.items()}
        return statistics | (others._count_statistics(*parts) if others else {})

    def _get_kept_statistics(self):
        """The last counts, of those sequences of which the user may see all.

        :return: ``{sequence: nurture.statistics}``
        """
        if not self._sees_all_leads():
            return {}
        own = {one._origin.id: one for one in self if one._origin}
        if not own:
            return {}
        kept = self.env["nurture.statistics"].sudo().search([("sequence_id", "in", list(own))])
        return {
            own[statistics.sequence_id.id]: statistics
            for statistics in kept
            if own[statistics.sequence_id.id]._is_seen_whole(statistics.counts)
        }

    def _is_seen_whole(self, counts):
        """Whether no company's rule hides participants of the sequence from the user. One without
        company may have those of several.

        :param counts: what is kept of it
        """
        if self.env.su or self.company_id:
            return True
        # what was counted by an earlier version does not have them
        companies = counts.get("companies")
        return companies is not None and {*companies} <= {*self.env.companies.ids}

    @api.model
    def _sees_all_leads(self):
        """Whether statistics are of all leads. Other salespeople see those of their own leads only,
        of mails and money, too."""
        return self.env.su or self.env.user.has_groups(
            "lost_lead_nurture.group_user,sales_team.group_sale_salesman_all_leads"
        )

    def _own_mailing_traces_domain(self):
        """The mailing traces that count in the statistics that the user sees."""
        if self._sees_all_leads():
            return Domain.TRUE
        # as far as the rules of traces let the user find them
        return Domain("nurture_trace_id", "any", [("sequence_id", "in", self.ids)])

    def _credits_domain(self):
        """The credits that count in the statistics that the user sees, whosever documents they are
        of."""
        credited = Domain("sequence_id", "in", self.ids)
        credited &= Domain("company_id", "in", [*self.env.companies.ids, False])
        if self._sees_all_leads():
            return credited
        own = self.env["nurture.participant"]._search([("sequence_id", "in", self.ids)])
        return credited & Domain("participant_id", "in", own)

    def _count_statistics(self, *parts):
        """Count what these sequences have come to, with the rights of the user; mails with all.
        The number of queries does not grow with the sequences, but for ``lift``.

        :param parts: of :data:`PARTS`; all, if none is named
        :return: ``{sequence: counts}``; counts are ``participants`` {state: number}, ``won_back``,
            ``holdout_returned`` (those held out who returned) and ``exits`` {reason: number};
            ``steps`` {step id: {state: number of traces}} and ``days`` {step id: {state: {day:
            number of traces}}} of the last :data:`CHART_DAYS` days; ``mails`` {mailing id:
            {statistic: number}}, ``mail_days`` {statistic: {day: number of mails}} of the same
            days, ``versions`` {step id: {``since``: when its A/B test began, ``counts``: {letter:
            {statistic: number}}}}, ``coming`` {day: number of messages that are scheduled}, and
            ``waits``, see :meth:`_count_waits`; ``companies``, the ids of those whose leads took
            part; ``reasons`` {lost reason id, 0 for none: {``participants``, ``holdout``,
            ``won_back``: number, ``expected_revenue``: amount}}; ``lift``, see :meth:`get_lift`,
            but in the sequence's own currency, None where nobody is held out. Ids and days are
            texts, as in JSON.
        """
        statistics = {
            sequence: {
                "participants": {},
                "won_back": 0,
                "holdout_returned": 0,
                "exits": {},
                "waits": {},
                "steps": {},
                "days": {},
                "mails": {},
                "mail_days": {},
                "versions": {},
                "coming": {},
                "companies": [],
                "reasons": {},
                "lift": None,
            }
            for sequence in self
        }
        for part in parts or PARTS:
            getattr(self, f"_count_{part}")(statistics)
        return statistics

    def _count_participants(self, statistics):
        by_id = self._by_id(statistics)
        rows = self.env["nurture.participant"]._read_group(
            [("sequence_id", "in", self.ids)],
            ["sequence_id", "state", "exit_reason"],
            ["__count", "company_id:array_agg_distinct"],
        )
        for sequence, state, reason, number, companies in rows:
            counts = by_id[sequence.id]
            counts["companies"] = sorted({*counts["companies"], *filter(None, companies)})
            counts["participants"][state] = counts["participants"].get(state, 0) + number
            if reason and state != "running":
                counts["exits"][reason] = counts["exits"].get(reason, 0) + number
        # leads, not journeys: one that enters again may be won back twice
        rows = self.env["nurture.participant"]._read_group(
            [("sequence_id", "in", self.ids), ("won_back_date", "!=", False)],
            ["sequence_id"],
            ["lead_id:count_distinct"],
        )
        for sequence, number in rows:
            by_id[sequence.id]["won_back"] = number
        rows = self.env["nurture.participant"]._read_group(
            [("sequence_id", "in", self.ids), ("return_date", "!=", False)],
            ["sequence_id"],
            ["__count"],
        )
        for sequence, number in rows:
            by_id[sequence.id]["holdout_returned"] = number

    def _count_reasons(self, statistics):
        """What became of participants by the reason why they had been lost."""
        by_id = self._by_id(statistics)
        participants = self.env["nurture.participant"]
        own = Domain("sequence_id", "in", self.ids)
        rows = participants._read_group(
            own,
            ["sequence_id", "lost_reason_id"],
            ["__count", "expected_revenue:sum"],
        )
        for sequence, reason, number, expected in rows:
            by_id[sequence.id]["reasons"][str(reason.id or 0)] = {
                "participants": number,
                "expected_revenue": float(expected or 0.0),
                "holdout": 0,
                "won_back": 0,
            }
        for name, domain, aggregate in (
            ("holdout", Domain("state", "=", "holdout"), "__count"),
            # leads, not journeys, as everywhere
            ("won_back", Domain("won_back_date", "!=", False), "lead_id:count_distinct"),
        ):
            for sequence, reason, number in participants._read_group(
                own & domain, ["sequence_id", "lost_reason_id"], [aggregate]
            ):
                by_id[sequence.id]["reasons"][str(reason.id or 0)][name] = number

    @api.model
    def _by_id(self, statistics):
        return {sequence._origin.id: counts for sequence, counts in statistics.items()}

    def _count_mails(self, statistics):
        mailings = {sequence: sequence._get_mailings() for sequence in self}
        counts = (
            self.env["mailing.mailing"]
            .union(*mailings.values())
            ._nurture_statistics_by_mailing(self._own_mailing_traces_domain())
        )
        for sequence, own in mailings.items():
            statistics[sequence]["mails"] = {str(mailing.id): counts[mailing] for mailing in own}

    def _count_traces(self, statistics):
        by_id = self._by_id(statistics)
        rows = self.env["nurture.trace"]._read_group(
            [("sequence_id", "in", self.ids)], ["sequence_id", "step_id", "state"], ["__count"]
        )
        for sequence, step, state, number in rows:
            by_id[sequence.id]["steps"].setdefault(str(step.id), {})[state] = number
        self._count_days(by_id)

    def _count_days(self, by_id):
        """What was processed and rejected on each of the last days, in the user's time zone."""
        since = fields.Datetime.subtract(fields.Datetime.now(), days=CHART_DAYS)
        traces = self.env["nurture.trace"].with_context(tz=self.env.tz.zone)
        for state, date in CHART_DATES.items():
            rows = traces._read_group(
                [("sequence_id", "in", self.ids), ("state", "=", state), (date, ">=", since)],
                ["sequence_id", "step_id", f"{date}:day"],
                ["__count"],
            )
            for sequence, step, moment, number in rows:
                days = by_id[sequence.id]["days"].setdefault(str(step.id), {})
                days.setdefault(state, {})[str(moment.date())] = number

    def _count_mail_days(self, statistics):
        """What became of messages on each of the last days, in the user's time zone. One query."""
        sequences = {
            mailing.id: sequence for sequence in self for mailing in sequence._get_mailings()
        }
        mailing_traces = self.env["mailing.trace"].sudo()
        mailing_traces.flush_model()
        conditions = mailing_traces._nurture_sql_statistics()
        own = self.env["mailing.trace"]._nurture_narrow(self._own_mailing_traces_domain())
        dates = {
            name: SQL("mailing_trace.%s", SQL.identifier(date)) for name, date in MAIL_DATES.items()
        }
        rows = self.env.execute_query(
            SQL(
                """
                SELECT mass_mailing_id, event.name,
                       timezone(%(zone)s, timezone('UTC', event.date))::date, count(*)
                  FROM mailing_trace
            CROSS JOIN LATERAL (VALUES %(events)s) AS event(name, date, holds)
                 WHERE %(mailings)s AND GREATEST(%(dates)s) >= %(since)s
                   AND event.holds AND event.date >= %(since)s
              GROUP BY 1, 2, 3
                """,
                zone=self.env.tz.zone,
                events=SQL(", ").join(
                    SQL("(%s, %s, %s)", name, date, conditions[name])
                    for name, date in dates.items()
                ),
                mailings=mailing_traces._search(
                    Domain("mass_mailing_id", "in", list(sequences)) & own
                ).where_clause,
                dates=SQL(", ").join(dates.values()),
                since=midnight(chart_days(self)[0], self.env.tz),
            )
        )
        for mailing_id, name, day, number in rows:
            days = statistics[sequences[mailing_id]]["mail_days"].setdefault(name, {})
            days[str(day)] = days.get(str(day), 0) + number

    def _count_versions(self, statistics):
        """What came of the versions of messages in A/B tests."""
        by_id = self._by_id(statistics)
        steps = self.with_context(active_test=False).step_ids.filtered("variant_ids")
        for step, counts in steps._count_versions().items() if steps else ():
            by_id[step.sequence_id.id]["versions"][str(step.id)] = {
                "since": fields.Datetime.to_string(step.ab_start_date),
                "counts": counts,
            }

    def _count_coming(self, statistics):
        """The messages that are scheduled, by day in the user's time zone."""
        by_id = self._by_id(statistics)
        traces = self.env["nurture.trace"].with_context(tz=self.env.tz.zone)
        rows = traces._read_group(
            self._coming_domain(), ["sequence_id", "schedule_date:day"], ["__count"]
        )
        for sequence, moment, number in rows:
            by_id[sequence.id]["coming"][str(moment.date())] = number

    # ------------------------------------------------------------
    # THE LAST COUNT
    # ------------------------------------------------------------

    def action_count_statistics(self):
        """Count the statistics of big sequences now."""
        self.check_access("read")
        self.sudo()._keep_statistics()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _cron_count_statistics(self):
        """The scheduled action: count what the big sequences have come to, and have in the ledger
        what is not there yet. Commits."""
        last = 0
        while last := self.env["nurture.outcome"]._catch_up_missed(last):
            self.env["ir.cron"]._commit_progress(1)
        sequences = self.with_context(active_test=False)
        for sequence in sequences.search([("state", "!=", "draft")]):
            sequence._keep_statistics()
            self.env["ir.cron"]._commit_progress(1)
        self.env["nurture.report.kept"]._count()
        self.env["ir.cron"]._commit_progress(1)

    def _keep_statistics(self):
        """Keep the statistics of those that are big, and no others."""
        statistics = self.env["nurture.statistics"].sudo()
        for sequence in self:
            kept = statistics.search([("sequence_id", "=", sequence.id)])
            if not sequence._is_big():
                kept.unlink()
                continue
            zone = sequence._get_company_zone() or "UTC"
            # those of the sequence, whichever the scheduled action or the user works for
            companies = sequence._get_companies().ids
            counted = sequence.with_context(tz=zone, allowed_company_ids=companies)
            values = {
                "sequence_id": sequence.id,
                "date": fields.Datetime.now(),
                "counts": counted._count_statistics()[sequence],
            }
            if kept:
                kept.write(values)
            else:
                kept.create(values)

    def _is_big(self):
        traces = self.env["nurture.trace"].sudo()
        many = traces.search_count([("sequence_id", "=", self.id)], limit=MANY_TRACES)
        return many >= MANY_TRACES
