from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, formatLang

from ...tools import inference
from ...tools.arguments import check_records, read_choice
from ...tools.dates import on_day
from ...tools.shares import say_percent
from ...tools.versions import get_shares, get_split
from ..core.results_mixin import REVENUE_GROUPS
from ..mail.mailing_trace_statistics import RATES

#: What the versions are compared by: a statistic, and what it is of.
COMPARED = {
    **{name: RATES[name] for name in ("clicked", "click_to_open", "replied")},
    "won_back": ("won_back", "delivered"),
    "revenue": ("earned", "delivered"),
}
#: The versions are judged by those who have had so much time since the message was due. A batch is
#: of one version: right after the sending one of them has been out for longer.
TIME_TO_REACT = timedelta(days=1)
#: How many days a delay is at most, in each unit.
DAYS = {"hours": 1 / 24, "days": 1, "weeks": 7, "months": 31}
#: What is shown of each version.
SHOWN = ("sent", "opened", "clicked", "replied", "won_back")


@dataclass
class Verdict:
    """What may be said of the versions."""

    #: the letter of the version that did better; nothing before that is certain
    winner: str | None = None
    #: about how many recipients more it takes; None when that cannot be said
    missing: int | None = None
    #: whether as much of each has left as of the others, as far as chance goes
    is_divided_as_planned: bool = True


def _get_judged(statistics):
    """Of what was counted of versions, see :meth:`_count_versions`, that of those judged by."""
    return {letter: counts["judged"] for letter, counts in statistics.items()}


def _find_best(did, wholes):
    """Which of several rates is the highest, by its number."""
    rates = [one / number if number else 0.0 for one, number in zip(did, wholes, strict=True)]
    return rates.index(max(rates))


class NurtureStep(models.Model):
    """What came of the versions in an A/B test, and what may be said of it. Counted are those who
    were drawn for a version and got it while the test went on; whoever gets the message once it is
    decided does not get it by chance."""

    _inherit = "nurture.step"

    ab_result = fields.Html(
        compute="_compute_ab_result",
        help="What came of each version, and whether one of them did better.",
    )

    @api.depends_context("uid", "lang", "tz", "allowed_company_ids")
    def _compute_ab_result(self):
        tested = self.filtered(lambda step: step._origin.variant_ids)
        (self - tested).ab_result = False
        kept = tested._origin.sequence_id._get_statistics("versions")
        for shown in tested:
            step = shown._origin
            counts = step._get_counted_versions(kept[step.sequence_id])
            shown.ab_result = bool(counts) and self.env["ir.qweb"]._render(
                "lost_lead_nurture.nurture_variants", step._prepare_ab_result(counts)
            )

    def get_ab_test(self):
        """How the A/B test of the step stands. Plain values, for integrators as well.

        :return: ``versions`` {letter: {statistic: number}}: ``sent``, ``delivered``, ``opened``,
            ``clicked``, ``replied``, ``won_back`` and, for who sees what was earned, ``earned`` in
            the currency of the sequence; ``criterion``; ``winner``, the letter of the version that
            everybody gets from now on, or False; ``missing``, about how many recipients more it
            takes until one wins, 0 where it cannot be said; and ``delays`` {letter: [number,
            unit]}, how long after the trigger of the step each version is due
        :raise UserError: when the step has one version only
        """
        check_records(self, one=True)
        self.check_access("read")
        self._check_has_versions()
        statistics = self._count_versions()[self]
        names = [*SHOWN, "delivered"]
        if self.env.user.has_groups(REVENUE_GROUPS):
            names.append("earned")
        missing = not self.ab_winner and self._judge_versions(_get_judged(statistics)).missing
        return {
            "versions": {
                letter: {name: counts[name] for name in names}
                for letter, counts in statistics.items()
            },
            "criterion": self.ab_criterion,
            "winner": self.ab_winner,
            "missing": missing or 0,
            "delays": {letter: self._get_delay_of(letter) for letter in statistics},
        }

    # ------------------------------------------------------------
    # COUNTING
    # ------------------------------------------------------------

    def _get_counted_versions(self, statistics):
        """What came of the versions, see :meth:`_count_versions`; counted now where the test began
        anew, or a version was added or taken away, since the sequence was; empty without an A/B
        test.

        :param statistics: of the sequence, see ``nurture.sequence._count_statistics``
        """
        if not self.variant_ids or not self._is_message():
            return {}
        # what was counted by an earlier version of the add-on does not have them
        kept = statistics.get("versions", {}).get(str(self.id), {})
        is_of_this_test = kept.get("since") == fields.Datetime.to_string(self.ab_start_date)
        if is_of_this_test and kept["counts"].keys() == self._get_wanted_shares().keys():
            return kept["counts"]
        return self._count_versions()[self]

    def _describe_versions(self, statistics):
        """The versions as the card of the step shows them; False without an A/B test.

        :param statistics: see :meth:`_get_counted_versions`
        """
        statistics = self._get_counted_versions(statistics)
        if not statistics:
            return False
        shares = get_shares(get_split(self._get_wanted_shares()))
        delayed = self.variant_ids.filtered("has_delay")
        waits = {one.letter: self._say_wait(one.delay, one.delay_unit) for one in delayed}
        return {
            "verdict": self._say_ab_verdict(statistics),
            "versions": [
                {
                    "letter": letter,
                    "share": say_percent(self.env, shares.get(letter, 0.0), digits=0),
                    "wait": waits.get(letter, ""),
                    "winner": letter == self.ab_winner,
                    # what was earned is not for everybody
                    "counts": {name: counts[name] for name in (*SHOWN, "delivered")},
                }
                for letter, counts in statistics.items()
            ],
        }

    def _compared_domain(self, letter):
        """The traces of those who got a version while the test went on."""
        self.ensure_one()
        start = fields.Datetime.to_string(self.ab_start_date)
        domain = Domain("step_id", "=", self.id) & Domain("variant", "=", letter)
        domain &= Domain("processed_date", ">=", start)
        if self.ab_end_date:
            domain &= Domain("processed_date", "<=", fields.Datetime.to_string(self.ab_end_date))
        return domain

    def _judged_domain(self):
        """The traces of those whom the versions are judged by: they came to the step so long ago
        that it was due, in any version, and have had the message for so long that they have had
        time to react. It may have had to wait."""
        self.ensure_one()
        since = fields.Datetime.now() - TIME_TO_REACT
        return Domain("processed_date", "<=", fields.Datetime.to_string(since)) & Domain(
            "base_date", "<=", fields.Datetime.to_string(since - self._get_longest_delay())
        )

    def _get_longest_delay(self):
        self.ensure_one()
        delays = map(self._get_delay_of, self._get_wanted_shares())
        return max(timedelta(days=number * DAYS[unit]) for number, unit in delays)

    def _compared_mails_domain(self, letters=None, judged=False):
        """The mailing traces of those who got a version while the test of its step went on.

        :param letters: of these versions only
        :param judged: of those only whom the versions are judged by
        """
        mailings, traces = self.env["mailing.mailing"], Domain.FALSE
        for step in self:
            counted = step._judged_domain() if judged else Domain.TRUE
            for letter, mailing in step._get_mail_by_letter().items():
                if not letters or letter in letters:
                    mailings |= mailing
                    traces |= step._compared_domain(letter) & counted
        # together: apart PostgreSQL would go through the traces once for each version
        return Domain("mass_mailing_id", "in", mailings.ids) & Domain(
            "nurture_trace_id", "any", traces
        )

    def _count_versions(self):
        """What came of the versions of these steps, as far as the leads are the user's to see. The
        number of queries does not grow with the steps.

        :return: ``{step: {letter: {statistic: number}}}``, with the statistics of messages,
            ``won_back``, how many of them were won back then, ``earned``, in the currency of the
            sequence, ``queued``, how many messages were made, whatever became of them, and in
            ``judged`` the same of those whom the versions are judged by
        """
        shown = self._count_those(self.sudo()._compared_mails_domain())
        judged = self._count_judged()
        return {
            step: {
                letter: {**counts, "judged": judged[step][letter]}
                for letter, counts in shown[step].items()
            }
            for step in self
        }

    def _count_judged(self):
        """:meth:`_count_versions` of those only whom the versions are judged by."""
        return self._count_those(self.sudo()._compared_mails_domain(judged=True))

    def _count_those(self, mails):
        """What came of some of those who got a version, see :meth:`_count_versions`.

        :param mails: domain of their mailing traces
        """
        mailing_traces = self.env["mailing.trace"]
        mailings = self.sudo()._get_mailings().with_env(self.env)
        counts = mailing_traces._nurture_count_statistics(mailings, mails)
        own = mailing_traces._nurture_narrow(mails)
        won_back, earned = self._count_won_back(own), self._count_earned(own)
        queued = dict(mailing_traces.sudo()._read_group(own, ["mass_mailing_id"], ["__count"]))
        return {
            step: {
                letter: {
                    **counts[mailing],
                    "queued": queued.get(mailing, 0),
                    "won_back": won_back.get((step.id, letter), 0),
                    "earned": earned.get(mailing.id, 0.0),
                }
                for letter, mailing in step.sudo()._get_mail_by_letter().items()
            }
            for step in self
        }

    @api.model
    def _won_back_domain(self, own):
        """Those of compared traces whose leads were won back, whichever step is credited.

        :param own: domain of the mailing traces that count
        """
        delivered = self.env["mailing.trace"]._nurture_get_statistics()["delivered"]
        return Domain("mailing_trace_ids", "any", own & delivered) & Domain(
            "participant_id.won_back_date", "!=", False
        )

    def _count_won_back(self, own):
        rows = (
            self.env["nurture.trace"]
            .sudo()
            ._read_group(
                Domain("step_id", "in", self.ids) & self._won_back_domain(own),
                ["step_id", "variant"],
                ["__count"],
            )
        )
        return {(step.id, letter): number for step, letter, number in rows}

    def _count_earned(self, own):
        currencies = {
            mailing.id: step.sequence_id._get_kept_currency()
            for step in self
            for mailing in step.sudo()._get_mail_by_letter().values()
        }
        return self.env["nurture.credit"]._earned(
            "mailing_id",
            Domain("step_id", "in", self.ids) & Domain("mailing_trace_id", "any", own),
            lambda mailing: currencies[mailing.id],
        )

    def _get_payments(self, letters):
        """What recipients of these versions paid first, in the order of time, see
        :func:`inference.log_e_value_of_amounts`. What they pay later, and get back, is in what was
        earned.

        :return: list of (number of the version in ``letters``, amount)
        """
        versions = self.sudo()._get_mail_by_letter()
        arms = {versions[letter].id: number for number, letter in enumerate(letters)}
        mails = self.sudo()._compared_mails_domain(letters, judged=True)
        delivered = self.env["mailing.trace"]._nurture_get_statistics()["delivered"]
        paid = (
            self.env["nurture.credit"]
            .sudo()
            .search(
                Domain("step_id", "=", self.id)
                & Domain("model", "=", "last")
                & Domain("kind", "=", "paid")
                & Domain("company_amount", ">", 0)
                & Domain(
                    "mailing_trace_id",
                    "any",
                    self.env["mailing.trace"]._nurture_narrow(mails) & delivered,
                ),
                order="date, id",
            )
        )
        currency = self.sequence_id._get_kept_currency()
        today = fields.Date.context_today(self)
        first = {}
        for credit in paid:
            own = credit.company_id.currency_id
            amount = own._convert(credit.company_amount, currency, credit.company_id, today)
            known = first.setdefault(
                credit.mailing_trace_id, [credit.date, arms[credit.mailing_id.id], 0.0]
            )
            if known[0] == credit.date:
                known[2] += amount
        return [(arm, amount) for _date, arm, amount in first.values()]

    # ------------------------------------------------------------
    # DECIDING
    # ------------------------------------------------------------

    def _judge_versions(self, judged):
        """Whether a version did better, as far as can be said.

        :param judged: of this step, see :meth:`_count_judged`
        :return: :class:`Verdict`
        """
        self.ensure_one()
        judged = {
            letter: judged[letter] for letter, share in self._get_wanted_shares().items() if share
        }
        letters = [letter for letter, counts in judged.items() if counts["delivered"]]
        queued = {letter: counts["queued"] for letter, counts in judged.items() if counts["queued"]}
        sent = [judged[letter]["sent"] for letter in queued]
        # who was drawn for each is certain: what could be missing are messages that do not leave
        if len(queued) > 1 and inference.is_decided(sent, list(queued.values())):
            return Verdict(is_divided_as_planned=False)
        if len(letters) < 2:
            return Verdict()
        statistic, whole = COMPARED[self.ab_criterion]
        did = [judged[letter][statistic] for letter in letters]
        wholes = [judged[letter][whole] for letter in letters]
        best = _find_best(did, wholes)
        if self.ab_criterion == "revenue":
            payments = self._get_payments(letters)
            # what speaks for a version are first payments: refunds may speak for another one
            paid = [
                sum(amount for arm, amount in payments if arm == one) for one in range(len(did))
            ]
            is_decided = (
                inference.log_e_value_of_amounts(payments, wholes) >= inference.LOG_DECIDED
                and _find_best(paid, wholes) == best
            )
            missing = inference.missing_of_amounts(payments, wholes)
        else:
            is_decided = inference.is_decided(did, wholes)
            missing = inference.missing(did, wholes)
        return Verdict(winner=letters[best]) if is_decided else Verdict(missing=missing)

    # ------------------------------------------------------------
    # IN WORDS
    # ------------------------------------------------------------

    def _say_decision(self):
        """What was decided; empty as long as nothing is."""
        self.ensure_one()
        if not self.ab_winner:
            return ""
        criteria = dict(self._fields["ab_criterion"]._description_selection(self.env))
        values = {"version": self.ab_winner, "criterion": criteria[self.ab_criterion]}
        if self.ab_reason == "better":
            return self.env._(
                "version %(version)s did better (%(criterion)s) and goes to everybody who has not "
                "got the message yet.",
                **values,
            )
        if self.ab_reason == "no_difference":
            return self.env._(
                "no difference was seen in time (%(criterion)s), version %(version)s stays.",
                **values,
            )
        return self.env._(
            "version %(version)s was chosen by hand and goes to everybody who has not got the "
            "message yet.",
            **values,
        )

    def _say_ab_verdict(self, statistics):
        """What may be said, and never more than that."""
        if decision := self._say_decision():
            day = fields.Datetime.context_timestamp(self, self.ab_end_date).date()
            return self.env._(
                "Decided on %(date)s: %(decision)s", date=on_day(self.env, day), decision=decision
            )
        if not any(version["sent"] for version in statistics.values()):
            return self.env._("Nobody has got one of the versions yet.")
        judged = _get_judged(statistics)
        if not any(version["sent"] for version in judged.values()):
            return self.env._("Too early to say: nobody has had the message for a day yet.")
        verdict = self._judge_versions(judged)
        if not verdict.is_divided_as_planned:
            return self.env._(
                "Nothing can be said: one version did not leave as often as it should have. Look "
                "whether it fails."
            )
        if verdict.winner:
            return self.env._(
                "They differ, and version %s is ahead: with the next run it goes to all others.",
                verdict.winner,
            )
        if verdict.missing:
            return self.env._(
                "Not enough yet to say: about %s recipients more, if it goes on like this.",
                formatLang(self.env, verdict.missing, digits=0),
            )
        return self.env._("Not enough yet to say, and no difference to be seen so far.")

    def _prepare_ab_result(self, statistics):
        """Values of the template."""
        criteria = dict(self._fields["ab_criterion"]._description_selection(self.env))
        versions = [
            {"letter": letter, "winner": letter == self.ab_winner, **self._say_rate(counts)}
            for letter, counts in statistics.items()
        ]
        statistic, whole = COMPARED[self.ab_criterion]
        wholes = [(counts[statistic], counts[whole]) for counts in _get_judged(statistics).values()]
        if self.ab_criterion != "revenue" and all(number for _did, number in wholes):
            for version, chance in zip(versions, inference.probability_best(wholes), strict=True):
                version["best"] = say_percent(self.env, chance)
        return {
            "versions": versions,
            "criterion": criteria[self.ab_criterion],
            "verdict": self._say_ab_verdict(statistics),
        }

    def _say_rate(self, counts):
        """How a version did by the criterion, in words."""
        statistic, whole = COMPARED[self.ab_criterion]
        did, number = counts[statistic], counts[whole]
        said = {"sent": counts["sent"], "rate": "–", "best": "–"}
        if not number:
            return said
        if self.ab_criterion == "revenue":
            if self.env.user.has_groups(REVENUE_GROUPS):
                currency = self.sequence_id._get_kept_currency()
                said["rate"] = format_amount(self.env, did / number, currency)
            return said
        interval = inference.wilson(did, number)
        return {
            **said,
            "rate": say_percent(self.env, did / number),
            "of": self.env._("%(did)s of %(whole)s", did=did, whole=number),
            "low": say_percent(self.env, interval.low),
            "high": say_percent(self.env, interval.high),
        }

    # ------------------------------------------------------------
    # LISTS
    # ------------------------------------------------------------

    def action_view_variant(self, variant, statistic):
        """Open what is behind a number of a version.

        :param variant: its letter
        :param statistic: ``sent``, ``opened``, ``clicked``, ``replied`` or ``won_back``
        :raise UserError: when the step has no such version, or it is no such statistic
        """
        check_records(self, one=True)
        self.check_access("read")
        self._check_has_versions()
        read_choice(self.env, variant, list(self._get_mail_by_letter()))
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        names["won_back"] = self.env._("Won Back")
        read_choice(self.env, statistic, {name: names[name] for name in SHOWN})
        name = self.env._(
            "%(step)s, version %(version)s: %(statistic)s",
            step=self.name,
            version=variant,
            statistic=names[statistic],
        )
        mails = self.sudo()._compared_mails_domain([variant])
        if statistic != "won_back":
            action = self._get_mailings()._nurture_open_mailing_traces(statistic, mails)
            return {**action, "name": name}
        own = self.env["mailing.trace"]._nurture_narrow(mails)
        won_back = self.env["nurture.trace"].sudo().search(self._won_back_domain(own))
        return self.env["nurture.sequence"]._open_list(
            "nurture.participant", name, [("id", "in", won_back.participant_id.ids)]
        )
