from collections import Counter
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import formatLang
from odoo.tools.misc import get_lang

from ...tools.arguments import check_records, read_choice
from ...tools.dates import on_axis, on_day
from ...tools.mail_texts import fill_text
from ...tools.shares import say_amount
from ...tools.zones import midnight
from ..mail.mailing_trace_statistics import rate
from ..step.workflow import chart_days
from .statistics import MAIL_DATES

_OF_CREDITS = ("quotations", "invoices")
WEEKS = ("this", "last")
#: How far ahead it is said what comes.
COMING_DAYS = 7
#: As many sequences as find room, and messages without which a rate says nothing.
MAX_SEQUENCES = 10
MANY_MESSAGES = 20
#: Best is who was it in so many days.
BEST_DAYS = 30


class NurtureSequence(models.Model):
    """The dashboard: what happened this week beside the one before, what needs a person, and what
    comes next, of all sequences together. Whatever it counts it also opens."""

    _inherit = "nurture.sequence"

    # ------------------------------------------------------------
    # DOORS
    # ------------------------------------------------------------

    @api.model
    def get_dashboard(self):
        """What the first page of the app shows, in plain values. The number of queries does not
        grow with the sequences, and big ones are as they were counted last.

        :return: ``week``: list of ``{"name", "label", "this", "last"}``, numbers as people write
            them; ``days``: ``{"this", "last"}``, each week in words; ``needs``: what needs a
            person, list of ``{"name", "label", "count"}``; ``best``; ``coming``: messages of the
            next days; ``sequences`` that run; ``counted``: when the oldest of these statistics was
            counted, if that is not now; ``is_empty``: whether none has ever been started, and how
            many ``drafts`` there are
        :raise AccessError: for who is no marketer
        """
        self._check_marketer()
        sequences = self._get_for_dashboard()
        parts = ("participants", "mails", "mail_days", "coming")
        statistics = sequences._get_statistics(*parts)
        weeks = self._get_weeks()
        dates = [kept.date for kept in sequences._get_kept_statistics().values()]
        return {
            "week": sequences._describe_week(statistics, weeks),
            "days": {
                name: self._say_days(begin, end - timedelta(days=1))
                for name, (begin, end) in weeks.items()
            },
            "needs": sequences._describe_needs(statistics),
            "best": sequences._describe_best(statistics),
            "coming": sequences._describe_coming(statistics),
            "sequences": sequences._describe_running(statistics, weeks),
            "is_empty": not sequences,
            "drafts": self.search_count([("is_template", "=", False), ("state", "=", "draft")]),
            "counted": fields.Datetime.to_string(min(dates, default=False)),
        }

    def action_view_dashboard(self, what, week="this"):
        """Open what is behind a number of the dashboard.

        :param what: a name of the dashboard's; of these sequences, or of all if there are none
        :param week: ``this`` or ``last``, for what has weeks
        :raise UserError: when there is no such number
        :raise AccessError: for who is no marketer
        """
        check_records(self)
        self._check_marketer()
        sequences = self or self._get_for_dashboard()
        sequences.check_access("read")
        names = self._get_dashboard_names()
        read_choice(self.env, what, names)
        begin, end = self._get_moments(*self._get_weeks()[read_choice(self.env, week, WEEKS)])
        name = names[what]
        if what in MAIL_DATES:
            date = Domain(MAIL_DATES[what], ">=", begin) & Domain(MAIL_DATES[what], "<", end)
            mailings = sequences._get_mailings()
            return mailings._nurture_open_mailing_traces(
                what, date & sequences._own_mailing_traces_domain()
            )
        if what in _OF_CREDITS:
            domain = self._get_credits_between(sequences, begin, end)
            return self.env["nurture.credit"]._open(what, name, domain)
        if what == "won_back":
            return self._open_leads_of(name, sequences._get_won_back_between(begin, end))
        return sequences._open_need(what, name)

    @api.model
    def _check_marketer(self):
        if not self.env.su and not self.env.user.has_group("lost_lead_nurture.group_user"):
            raise AccessError(self.env._("The dashboard is for marketers."))

    @api.model
    def _get_for_dashboard(self):
        """Whatever has begun: those that are stopped or archived have numbers, too."""
        return self.with_context(active_test=False).search(
            [("is_template", "=", False), ("state", "!=", "draft")]
        )

    @api.model
    def _get_dashboard_names(self):
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        return {
            **{name: names[name] for name in MAIL_DATES},
            "won_back": self.env._("Won Back"),
            "quotations": self.env._("Quotations"),
            "invoices": self.env._("Invoiced (Paid)"),
            "failed": self.env._("Steps that failed"),
            "answers": self.env._("Answers with an activity to do"),
            "stopped": self.env._("Stopped, with leads in them"),
            "problems": self.env._("With a problem"),
            "empty": self.env._("Running, with nobody in them"),
            "coming": self.env._("Messages of the next days"),
        }

    # ------------------------------------------------------------
    # THE WEEK
    # ------------------------------------------------------------

    @api.model
    def _get_weeks(self):
        """This week and the last one, as days of the user, from the first day of the week in the
        user's language on.

        :return: ``{"this": (first day, day after the last), "last": …}``
        """
        today = self._get_today()
        first = int(get_lang(self.env).week_start) - 1
        begin = today - timedelta(days=(today.weekday() - first) % 7)
        week = timedelta(days=7)
        return {"this": (begin, begin + week), "last": (begin - week, begin)}

    @api.model
    def _get_moments(self, *days):
        """When these days begin, for a search."""
        return [fields.Datetime.to_string(midnight(day, self.env.tz)) for day in days]

    @api.model
    def _say_days(self, first, last):
        return f"{on_axis(self.env, first)} – {on_day(self.env, last)}"

    def _describe_week(self, statistics, weeks):
        numbers = {week: Counter() for week in WEEKS}
        for counts in statistics.values():
            for name in MAIL_DATES:
                for week, (begin, end) in weeks.items():
                    numbers[week][name] += _add_days(counts, name, begin, end)
        for week, days in weeks.items():
            numbers[week].update(self._count_between(*self._get_moments(*days)))
        names = self._get_dashboard_names()
        return [
            {
                "name": name,
                "label": names[name],
                **{week: self._say_number(name, numbers[week][name]) for week in WEEKS},
            }
            for name in (*MAIL_DATES, "won_back", *_OF_CREDITS)
        ]

    def _count_between(self, begin, end):
        """Who was won back, and what is credited, in a time: ``{name: number}``."""
        # leads, not journeys, as everywhere
        ((won_back,),) = self.env["nurture.participant"]._read_group(
            self._get_won_back_between(begin, end), [], ["lead_id:count_distinct"]
        )
        credits_ = self.env["nurture.credit"]
        domain = self._get_credits_between(self, begin, end)
        currency = self.env.company.currency_id
        earned = credits_._earned("sequence_id", domain, lambda _sequence: currency)
        return {
            "won_back": won_back,
            "quotations": len(credits_._get("quotations", domain)),
            "invoices": sum(earned.values()),
        }

    def _get_won_back_between(self, begin, end):
        between = Domain("won_back_date", ">=", begin) & Domain("won_back_date", "<", end)
        return Domain("sequence_id", "in", self.ids) & between

    @api.model
    def _get_credits_between(self, sequences, begin, end):
        between = Domain("date", ">=", begin) & Domain("date", "<", end)
        return sequences._credits_domain() & between

    @api.model
    def _say_number(self, name, number):
        if name == "invoices":
            currency = self.env.company.currency_id
            return say_amount(self.env, number, currency)
        return formatLang(self.env, number, digits=0)

    # ------------------------------------------------------------
    # WHAT NEEDS A PERSON
    # ------------------------------------------------------------

    def _describe_needs(self, statistics):
        """What needs a person, as far as there is anything."""
        names = self._get_dashboard_names()
        counts = {
            "failed": self.env["nurture.trace"].search_count(self._get_failed_domain()),
            "answers": self.env["nurture.participant"].search_count(self._get_answers_domain()),
            "stopped": len(self._filter_need("stopped", statistics)),
            "problems": len(self._filter_need("problems", statistics)),
            "empty": len(self._filter_need("empty", statistics)),
        }
        return [
            {"name": name, "label": names[name], "count": count}
            for name, count in counts.items()
            if count
        ]

    def _get_answers_domain(self):
        """Who answered, and has an activity that nobody has done."""
        answered = Domain("sequence_id", "in", self.ids) & Domain("exit_reason", "=", "replied")
        return answered & Domain("lead_id.activity_ids", "any", [("active", "=", True)])

    def _filter_need(self, what, statistics):
        """The sequences that need a person for a reason."""

        def count_running(sequence):
            return statistics[sequence]["participants"].get("running", 0)

        return self.filtered(
            {
                "stopped": lambda one: one.active and one.state == "stopped" and count_running(one),
                "problems": lambda one: one.active and one.last_error,
                "empty": lambda one: one.state == "running" and not count_running(one),
            }[what]
        )

    def _open_need(self, what, name):
        """Open what needs a person, or what comes."""
        if what == "failed":
            return self._open_list("nurture.trace", name, self._get_failed_domain())
        if what == "answers":
            return self._open_list("nurture.participant", name, self._get_answers_domain())
        if what == "coming":
            until = self._get_today() + timedelta(days=COMING_DAYS - 1)
            running = self.filtered(lambda sequence: sequence.state == "running")
            return self._open_list("nurture.trace", name, running._coming_domain(until))
        found = self._filter_need(what, self._get_statistics("participants"))
        return self._open_list(
            "nurture.sequence", name, [("id", "in", found.ids)], view_mode="kanban,list,form"
        )

    # ------------------------------------------------------------
    # WHAT WORKS, AND WHAT COMES
    # ------------------------------------------------------------

    def _describe_best(self, statistics):
        """The step to which most leads that were won back lately are credited, and the subject that
        is opened most often, as far as there are any.

        :return: list of ``{"label", "text", "detail", "model", "id"}``
        """
        best = []
        since = fields.Datetime.now() - timedelta(days=BEST_DAYS)
        rows = self.env["nurture.participant"]._read_group(
            [
                ("sequence_id", "in", self.ids),
                ("won_back_date", ">=", since),
                ("credited_step_id", "!=", False),
            ],
            ["credited_step_id"],
            ["lead_id:count_distinct"],
            order="lead_id:count_distinct DESC, credited_step_id",
            limit=1,
        )
        for step, number in rows:
            best.append(
                {
                    "label": self.env._("Step that won back most in %s days", BEST_DAYS),
                    "text": step.name,
                    "detail": self.env._(
                        "%(number)s in “%(sequence)s”",
                        number=number,
                        sequence=step.sequence_id.name,
                    ),
                    "model": "nurture.sequence",
                    "id": step.sequence_id.id,
                }
            )
        mails = {
            mailing_id: counts
            for one in statistics.values()
            for mailing_id, counts in one["mails"].items()
            if counts["delivered"] >= MANY_MESSAGES and counts["opened"]
        }
        if mails:
            mailing_id = max(mails, key=lambda one: (rate(mails[one], "opened"), int(one)))
            counts = mails[mailing_id]
            mailing = self.env["mailing.mailing"].browse(int(mailing_id))
            best.append(
                {
                    "label": self.env._("Subject that is opened most often"),
                    "text": fill_text(mailing.subject),
                    "detail": self.env._(
                        "%(opened)s of %(delivered)s delivered",
                        opened=counts["opened"],
                        delivered=counts["delivered"],
                    ),
                    "model": "mailing.mailing",
                    "id": mailing.id,
                }
            )
        return best

    def _describe_coming(self, statistics):
        """The messages of the next days; what is due already is of today.

        :return: ``{"total": number, "days": [{"label", "count"}]}``
        """
        today = self._get_today()
        numbers = Counter()
        for sequence, counts in statistics.items():
            if sequence.state == "running":
                for day, number in counts["coming"].items():
                    numbers[max(fields.Date.to_date(day), today)] += number
        days = [today + timedelta(days=ahead) for ahead in range(COMING_DAYS)]
        return {
            "total": sum(numbers[day] for day in days),
            "days": [{"label": on_axis(self.env, day), "count": numbers[day]} for day in days],
        }

    def _describe_running(self, statistics, weeks):
        """The running sequences, those first that sent most this week."""
        running = self.filtered(lambda sequence: sequence.state == "running")
        sent = {
            sequence: _add_days(statistics[sequence], "sent", *weeks["this"])
            for sequence in running
        }
        first = running.sorted(lambda one: (-sent[one], one.name))[:MAX_SEQUENCES]
        return {
            "total": len(running),
            "rows": [
                {
                    "id": sequence.id,
                    "name": sequence.name,
                    "sent": sent[sequence],
                    **self._describe_row(statistics[sequence]),
                }
                for sequence in first
            ],
        }

    @api.model
    def _describe_row(self, counts):
        """What the dashboard says of a sequence, as its card does; rates are None where nothing was
        delivered."""
        total = Counter()
        for mail in counts["mails"].values():
            total.update(mail)
        sent = _get_days(counts, "sent")
        return {
            "running": counts["participants"].get("running", 0),
            "won_back": counts["won_back"],
            **{
                name: round(rate(total, name)) if total["delivered"] else None
                for name in ("opened", "clicked")
            },
            "chart": [sent.get(str(day), 0) for day in chart_days(self)],
        }


def _add_days(counts, name, begin, end):
    """A statistic of messages, from a day until before another."""
    days = _get_days(counts, name)
    return sum(number for day, number in days.items() if str(begin) <= day < str(end))


def _get_days(counts, name):
    """A statistic of the messages of a sequence by day; what was counted by an earlier version has
    not all of them."""
    return (counts.get("mail_days") or {}).get(name, {})
