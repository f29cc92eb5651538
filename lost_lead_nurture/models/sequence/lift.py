from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, float_round, format_amount, formatLang

from ...tools import inference
from ...tools.arguments import check_records
from ...tools.shares import say_percent
from ..core.results_mixin import EARNED, REVENUE_GROUPS

#: Outcomes by which those who are written to are compared with those held out: what customers do,
#: and the sequence does not do itself, as it restores leads.
GOALS = ("quotation", "order")
ARMS = ("written_to", "holdout")
#: Larger e-values say no more, and JSON has no infinity.
MAX_E_VALUE = 1e12


class Experiment(NamedTuple):
    """Who was divided into two arms, and how: SQL on the table ``nurture_participant``."""

    #: who counts once
    unit: SQL
    #: what of one stratum have in common, beside the share held out
    stratum: SQL
    #: the share held out when they entered, in percent
    percent: SQL
    held_out: SQL
    #: who takes part
    takes_part: SQL


#: The column by which nobody is apart.
TOGETHER = SQL("NULL::int")
#: Each sequence draws on its own,
OF_SEQUENCES = Experiment(
    SQL("participant.sequence_id, participant.dedup_key"),
    SQL("participant.sequence_id"),
    SQL("participant.holdout_percent"),
    SQL("participant.state = 'holdout'"),
    # no sequence at all writes to the others: they would show what all of them cause
    SQL("participant.is_held_out_globally IS NOT TRUE"),
)
#: and each company once for all its sequences.
OF_COMPANIES = Experiment(
    # whose address was erased is known by what was kept of it
    SQL("participant.company_id, COALESCE(participant.email, participant.dedup_key)"),
    SQL("participant.company_id"),
    SQL("participant.global_holdout_percent"),
    SQL("participant.is_held_out_globally"),
    # before a company held anybody out there was nothing to compare
    SQL("participant.global_holdout_percent > 0"),
)


class NurtureSequence(models.Model):
    """Lift: what a sequence causes, which is what becomes of those it writes to less what becomes
    of those held out, whoever is credited. Everybody counts who entered, whatever they did.

    Who was held out while another share was is compared with those of that time, and sequences are
    pooled in the same way: adding up would compare times and sequences."""

    _inherit = "nurture.sequence"

    lift = fields.Html(
        compute="_compute_lift",
        help="What became of those written to and of those held out, in the attribution window "
        "after they entered.",
    )

    @property
    def _goal_names(self):
        return {"quotation": self.env._("Quotation"), "order": self.env._("Order")}

    @api.depends_context("uid", "lang", "allowed_company_ids")
    def _compute_lift(self):
        for sequence, statistics in self._get_statistics("lift").items():
            # what was counted by an earlier version does not have it
            lift = statistics.get("lift")
            sequence.lift = bool(lift) and self.env["ir.qweb"]._render(
                "lost_lead_nurture.nurture_lift", sequence._prepare_lift(lift)
            )

    def _get_kept_currency(self):
        """The currency of what is kept of a sequence, whoever counts it and whoever looks."""
        # whoever may not see costs may see what was paid
        return self.sudo().cost_currency_id or self.env.company.currency_id

    def _count_lift(self, statistics):
        """A part of the statistics (:meth:`_count_statistics`); None where nobody is held out."""
        held_out = [
            ("sequence_id", "in", self.ids),
            ("state", "=", "holdout"),
            ("is_held_out_globally", "=", False),
        ]
        compared = self.env["nurture.participant"]._read_group(held_out, ["sequence_id"])
        for (sequence,) in compared:
            self._by_id(statistics)[sequence.id]["lift"] = sequence._get_lift(
                sequence._get_kept_currency()
            )

    def get_lift(self):
        """What these sequences, pooled, cause. Plain values, for integrators as well.

        :return: ``written_to`` and ``holdout``: ``{"leads": number, "quotation": number, "order":
            number, "earned": amount}``, amounts in the currency of the user's company, for who sees
            what was earned; ``is_divided_as_planned``; and ``goals``: for ``quotation`` and
            ``order`` the ``difference`` of the rates (from -1 to 1) with its ``low`` and ``high``,
            ``e_value``, whether it is ``decided``, and about how many leads are ``missing`` until
            it will be; 0 where it cannot be said
        """
        check_records(self)
        self.check_access("read")
        lift = self._get_lift(self.env.company.currency_id)
        if not self._sees_revenue():
            for arm in ARMS:
                del lift[arm]["earned"]
        return lift

    def _sees_revenue(self):
        return self.env.user.has_groups(REVENUE_GROUPS)

    # ------------------------------------------------------------
    # COUNTING
    # ------------------------------------------------------------

    def _get_lift(self, currency):
        return self._get_lifts(currency).get(None) or self._make_lift({}, currency)

    def _get_lifts(self, currency, experiment=OF_SEQUENCES, by=TOGETHER):
        """What these sequences cause, apart for each value of a column.

        :param currency: that of amounts
        :param by: SQL of a column of ``participant``
        :return: ``{value: lift}``, see :meth:`get_lift`
        """
        return self._make_lifts(self._count_arms(experiment, by), currency)

    def _get_kept_lifts(self, currency, division, experiment, by):
        """The same, of the last quarter of an hour where there are many participants.

        :param division: what ``experiment`` and ``by`` are called
        :return: the lifts, and when they were counted; False, if that was now
        """
        # whose rights change looks at something else
        groups = sorted(self.env.user.all_group_ids.ids)
        seen = [self.env.su, self.env.uid, groups, self.env.companies.ids, sorted(self.ids)]
        rows, date = self.env["nurture.kept"]._get(
            "lift", [division, *seen], lambda: self._count_arms(experiment, by)
        )
        return self._make_lifts(rows, currency), date

    def _make_lifts(self, rows, currency):
        """The lifts of what :meth:`_count_arms` has counted."""
        grouped = self._group_arms(rows).items()
        return {value: self._make_lift(groups, currency) for value, groups in grouped}

    def _make_lift(self, groups, currency):
        return {
            **{arm: self._add_up(groups, arm, currency) for arm in ARMS},
            "is_divided_as_planned": self._is_divided_as_planned(groups),
            "goals": {goal: self._compare(groups, goal) for goal in GOALS},
        }

    def _count_arms(self, experiment, by):
        """What became of participants, with the rights of the user, by stratum and by the share
        that was held out when they entered: rows for :meth:`_group_arms`."""
        self.env["nurture.outcome"]._catch_up()
        return self.env.execute_query(
            SQL(
                """
                %(arms)s
                SELECT by, stratum, percent, held_out, NULL AS company_id,
                       count(DISTINCT participant_id) FILTER (WHERE quotation),
                       count(DISTINCT participant_id) FILTER (WHERE ordered), 0,
                       count(DISTINCT participant_id)
                  FROM outcome GROUP BY 1, 2, 3, 4
                 UNION ALL
                SELECT by, stratum, percent, held_out, company_id, 0, 0, SUM(earned), 0
                  FROM outcome WHERE earned IS NOT NULL GROUP BY 1, 2, 3, 4, 5
                """,
                arms=self._sql_arms(experiment, by),
            )
        )

    @api.model
    def _group_arms(self, rows):
        """What :meth:`_count_arms` has counted, by what it is compared by.

        :return: ``{value of by: {(stratum, percent held out): {arm: {"leads": number, goal: number,
            "earned": {company id: amount}}}}}``; the percentage is None for those of whom it is not
            known
        """
        counted = defaultdict(
            lambda: defaultdict(lambda: {"written_to": _nothing(), "holdout": _nothing()})
        )
        for by_value, stratum, percent, held_out, company_id, *numbers, leads in rows:
            quotation, order, earned = numbers
            arm = counted[by_value][stratum, percent]["holdout" if held_out else "written_to"]
            arm["leads"] += leads
            arm["quotation"] += quotation
            arm["order"] += order
            if company_id:
                arm["earned"][company_id] += earned
        return counted

    def _sql_arms(self, experiment, by):
        """WITH of two tables: ``entered``, the first journey of everybody, and ``outcome``, the
        same with what came of it in the attribution window, a row for each company that earned."""
        participants = self.env["nurture.participant"]._search([("sequence_id", "in", self.ids)])
        self.env["nurture.outcome"].flush_model()
        return SQL(
            """
            WITH entered AS (
                SELECT DISTINCT ON (%(unit)s) participant.id AS participant_id, %(by)s AS by,
                       %(stratum)s AS stratum, %(percent)s AS percent, %(held_out)s AS held_out,
                       participant.lead_id, participant.entered_date AS begin,
                       participant.entered_date
                       + make_interval(days => sequence.window_days) AS over
                  FROM nurture_participant participant
                  JOIN nurture_sequence sequence ON sequence.id = participant.sequence_id
                 WHERE participant.id IN %(participants)s AND %(takes_part)s
              ORDER BY %(unit)s, participant.id
            ), outcome AS (
                SELECT entered.*, own.*
                  FROM entered
             LEFT JOIN LATERAL (
                       SELECT company_id, bool_or(kind = 'quotation') AS quotation,
                              bool_or(kind = 'order') AS ordered,
                              SUM(company_amount) FILTER (WHERE kind IN %(earned)s) AS earned
                         FROM nurture_outcome
                        WHERE lead_id = entered.lead_id
                          AND credit_date >= entered.begin AND credit_date <= entered.over
                          AND (company_id IS NULL OR company_id IN %(companies)s)
                     GROUP BY company_id
                       ) own ON true
            )
            """,
            unit=experiment.unit,
            by=by,
            stratum=experiment.stratum,
            percent=experiment.percent,
            held_out=experiment.held_out,
            participants=participants.subselect(),
            takes_part=experiment.takes_part,
            earned=EARNED,
            companies=tuple(self.env.companies.ids),
        )

    def _find_arm(self, arm, experiment=OF_SEQUENCES, by=TOGETHER, value=None, goal=None):
        """The participants who are counted in an arm, as ids.

        :param goal: those only that a quotation or an order came of
        """
        reached = {None: SQL("true"), "quotation": SQL("quotation"), "order": SQL("ordered")}[goal]
        rows = self.env.execute_query(
            SQL(
                "%s SELECT DISTINCT participant_id FROM outcome"
                " WHERE held_out IS NOT DISTINCT FROM %s AND by IS NOT DISTINCT FROM %s AND %s",
                self._sql_arms(experiment, by),
                arm == "holdout",
                value,
                reached,
            )
        )
        return [id_ for (id_,) in rows]

    def _add_up(self, groups, arm, currency):
        """What became of an arm in all groups together."""
        today = fields.Date.context_today(self)
        earned = 0.0
        for group in groups.values():
            for company_id, amount in group[arm]["earned"].items():
                company = self.env["res.company"].sudo().browse(company_id)
                earned += company.currency_id._convert(amount, currency, company, today)
        numbers = {
            name: sum(group[arm][name] for group in groups.values()) for name in ("leads", *GOALS)
        }
        return {**numbers, "earned": currency.round(earned)}

    def _is_divided_as_planned(self, groups):
        """Whether as many were held out as should be, as far as chance goes. Where they were not,
        leads are missing in one of the arms, and no comparison holds."""
        logarithm = sum(
            inference.log_e_value(
                [group["written_to"]["leads"], group["holdout"]["leads"]],
                [100 - percent, percent],
            )
            for (_sequence_id, percent), group in groups.items()
            if percent
        )
        return logarithm < inference.LOG_DECIDED

    def _compare(self, groups, goal):
        """The difference of the arms by a goal, over all groups that have both."""
        tables = [
            [value for arm in ARMS for value in (group[arm][goal], group[arm]["leads"])]
            for group in groups.values()
            if group["written_to"]["leads"] and group["holdout"]["leads"]
        ]
        difference, interval = inference.pooled_difference(tables)
        # chance would have to have been at work in each of them
        logarithm = sum(inference.log_e_value(table[::2], table[1::2]) for table in tables)
        is_decided = logarithm >= inference.LOG_DECIDED
        counts, leads = (
            [sum(table[i] for table in tables) for i in where] for where in ((0, 2), (1, 3))
        )
        return {
            "difference": difference or 0.0,
            "low": interval.low,
            "high": interval.high,
            "e_value": min(inference.from_log(logarithm), MAX_E_VALUE),
            "decided": is_decided,
            "missing": 0 if is_decided else inference.missing(counts, leads) or 0,
        }

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _prepare_lift(self, lift):
        """Values of the template."""
        names = {
            "written_to": self.env._("Written to"),
            "holdout": self.env._("Held out"),
        }
        currency = self._get_kept_currency()
        return {
            "arms": [
                {
                    "name": name,
                    "leads": lift[arm]["leads"],
                    "goals": [self._say_rate(lift[arm], goal) for goal in GOALS],
                    "earned": self._sees_revenue() and self._say_earned(lift[arm], currency),
                }
                for arm, name in names.items()
            ],
            "goal_names": [self._goal_names[goal] for goal in GOALS],
            "differences": [self._say_difference(lift["goals"][goal]) for goal in GOALS],
            "verdicts": [(self._goal_names[goal], self._say_verdict(lift, goal)) for goal in GOALS],
        }

    def _say_rate(self, arm, goal):
        if not arm["leads"]:
            return "–"
        rate = say_percent(self.env, arm[goal] / arm["leads"])
        return self.env._("%(number)s (%(rate)s)", number=arm[goal], rate=rate)

    def _say_earned(self, arm, currency):
        each = arm["earned"] / arm["leads"] if arm["leads"] else 0.0
        return format_amount(self.env, each, currency)

    def _say_difference(self, compared):
        return self.env._(
            "%(difference)s points, from %(low)s to %(high)s",
            difference=self._say_points(compared["difference"]),
            low=self._say_points(compared["low"]),
            high=self._say_points(compared["high"]),
        )

    def _say_verdict(self, lift, goal):
        """What may be said, and never more than that."""
        compared = lift["goals"][goal]
        if not lift["is_divided_as_planned"]:
            return self.env._(
                "Nothing can be said: those held out are not as many as they should be, so that "
                "leads are missing on one side."
            )
        if compared["decided"]:
            if compared["difference"] > 0:
                return self.env._("The sequence makes a difference: more than without it.")
            return self.env._("The sequence makes a difference: fewer than without it.")
        if compared["missing"]:
            return self.env._(
                "Not enough yet to say: about %s leads more, if it goes on like this.",
                formatLang(self.env, compared["missing"], digits=0),
            )
        return self.env._("Not enough yet to say, and no difference to be seen so far.")

    def _say_points(self, share):
        rounded = float_round(100 * share, precision_digits=1) or 0.0
        return formatLang(self.env, rounded, digits=1)

    def _say_detectable(self, written_to, held_out):
        """What so many leads can show at all, before anybody is written to.

        :param written_to: how many leads will be
        :param held_out: how many will not
        """
        if not written_to or not held_out:
            return False
        rate = self._get_usual_rate()
        # as much as that many in each of two equal arms
        each = 2 / (1 / written_to + 1 / held_out)
        other = inference.detectable(rate, each)
        if other is None:
            return self.env._(
                "These are too few to compare: whatever the sequence does, it would not show."
            )
        return self.env._(
            "If %(rate)s return on their own, only a sequence that brings back %(other)s or more "
            "shows beside one that does nothing.",
            rate=say_percent(self.env, rate),
            other=say_percent(self.env, other),
        )

    def _get_usual_rate(self):
        """How many of those held out returned so far, in all sequences; of few, 5 %."""
        held_out = [("state", "=", "holdout")]
        ((leads, returned),) = (
            self.env["nurture.participant"]
            .sudo()
            ._read_group(held_out, [], ["__count", "return_date:count"])
        )
        return max(returned / leads, 0.005) if leads >= 100 else 0.05


def _nothing():
    return {"leads": 0, **dict.fromkeys(GOALS, 0), "earned": defaultdict(float)}
