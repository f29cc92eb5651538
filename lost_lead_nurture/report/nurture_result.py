from odoo import api, models
from odoo.tools import format_amount, formatLang

from ..models.credit.outcome import KINDS
from ..tools.dates import on_clock, on_day
from ..tools.shares import say_amount, say_percent

#: From the lead that is written to, to the lead that is won back.
_FUNNEL = ("sent", "delivered", "opened", "clicked", "replied")
#: What the table of steps says of mails.
_OF_STEPS = ("sent", "opened", "clicked", "replied", "bounced")
#: As many steps and reasons as find room on two pages.
_MAX_STEPS = 20
_MAX_REASONS = 8


class NurtureResultReport(models.AbstractModel):
    """What a sequence came to, on a page or two to print. The same numbers as on its screens, and
    no more than the user sees there."""

    _name = "report.lost_lead_nurture.report_nurture_result"
    _description = "Nurture: Results of a Sequence"

    @api.model
    def _get_report_values(self, docids, data=None):
        sequences = self.env["nurture.sequence"].browse(docids or (data or {}).get("ids"))
        # core renders whatever it is asked for
        sequences.check_access("read")
        return {
            "doc_ids": sequences.ids,
            "doc_model": sequences._name,
            "docs": sequences,
            "results": {sequence.id: self._describe(sequence) for sequence in sequences},
        }

    @api.model
    def _describe(self, sequence):
        """What the page of a sequence says, in words."""
        statistics = sequence._get_statistics("participants", "traces", "mails")[sequence]
        numbers = {
            name: (label, number, share)
            for name, label, number, share in sequence._get_summary_numbers()
        }
        return {
            "about": self._say_about(sequence),
            "highlights": self._say_highlights(sequence, numbers),
            "funnel": self._say_funnel(numbers),
            "steps": self._say_steps(sequence, statistics) if "sent" in numbers else None,
            "reasons": self._say_reasons(sequence),
            "earned": self._say_earned(sequence),
        }

    @api.model
    def _say_about(self, sequence):
        """Whom it is for, and since when: list of (label, text)."""
        env = self.env
        states = dict(sequence._fields["state"]._description_selection(env))
        lines = [
            # people may see the preset of a sequence only if it is theirs
            (env._("For"), sequence._say_presets()),
            (env._("Responsible"), sequence.user_id.name),
            (env._("State"), states[sequence.state]),
            (env._("Started on"), sequence.start_date and on_day(env, sequence.start_date)),
            (env._("Attribution window"), env._("%s days", sequence.window_days)),
            (env._("Statistics of"), self._say_counted(sequence)),
        ]
        return [(label, text) for label, text in lines if text]

    @api.model
    def _say_counted(self, sequence):
        moment = on_clock(self.env, sequence.statistics_date or self.env.cr.now())
        if sequence.is_own_only:
            return self.env._("%s, your leads only", moment)
        return moment

    @api.model
    def _say_highlights(self, sequence, numbers):
        """The statistics that stand in large type: list of (label, number, below it)."""
        highlights = []
        for name in ("participants", "won_back", "quotations", "invoiced"):
            if name not in numbers:
                continue
            label, number, share = numbers[name]
            if name == "invoiced":
                label = self.env._("Invoiced (Paid)")
                text = say_amount(self.env, number, sequence.currency_id)
            else:
                text = self._say_number(number)
            highlights.append((label, text, share is not None and say_percent(self.env, share)))
        return highlights

    @api.model
    def _say_funnel(self, numbers):
        """From sent to replied: list of (label, number, share of what its rate is of, width of the
        bar in percent of the widest)."""
        if not numbers.get("sent", (None, 0))[1]:
            return []
        most = numbers["sent"][1]
        return [
            (
                label,
                self._say_number(number),
                "" if share is None else say_percent(self.env, share),
                round(100 * number / most),
            )
            for label, number, share in (numbers[name] for name in _FUNNEL)
        ]

    @api.model
    def _say_steps(self, sequence, statistics):
        """The steps, in their order, with what became of their mails.

        :return: ``{"names": of the statistics, "rows": [(name, when, texts)], "more": how many
            find no room}``
        """
        labels = dict(sequence._get_statistic_labels())
        steps = sequence.with_context(active_test=False).step_ids
        rows = []
        for step in steps[:_MAX_STEPS]:
            mails = step._add_up(statistics["mails"])
            rows.append(
                (
                    step.name,
                    step.when,
                    self._say_number(statistics["steps"].get(str(step.id), {}).get("processed", 0)),
                    [self._say_statistic(sequence, mails, name) for name in _OF_STEPS],
                )
            )
        return {
            "names": [labels[name] for name in _OF_STEPS],
            "rows": rows,
            "more": len(steps) - len(rows),
        }

    @api.model
    def _say_statistic(self, sequence, mails, name):
        """The rate of a statistic where it has one, else its number."""
        if not mails:
            return ""
        if name == "sent":
            return self._say_number(mails[name])
        share = sequence._get_share(mails, name)
        return "–" if share is None else say_percent(self.env, share)

    @api.model
    def _say_reasons(self, sequence):
        """The lost reasons of most participants: list of (name, participants, won back, share)."""
        rows = []
        for reason, counts in list(sequence._count_by_reason().items())[:_MAX_REASONS]:
            written_to = counts["participants"] - counts["holdout"]
            share = counts["won_back"] / written_to if written_to else 0
            rows.append(
                (
                    reason.name or self.env._("None"),
                    self._say_number(counts["participants"]),
                    self._say_number(counts["won_back"]),
                    say_percent(self.env, share) if written_to else "–",
                )
            )
        return rows

    @api.model
    def _say_earned(self, sequence):
        """What is credited to it by the last touch, to who may know: list of (what, how many,
        amount)."""
        if not sequence._shows("invoiced_amount"):
            return []
        counts = sequence._count_credits()
        kinds = dict(self.env["nurture.outcome"]._fields["kind"]._description_selection(self.env))
        rows = []
        for kind, _label in KINDS:
            if ("last", kind) not in counts:
                continue
            number, amount, _margin = counts["last", kind]
            text = format_amount(self.env, amount, sequence.currency_id)
            rows.append((kinds[kind], self._say_number(round(number)), text if amount else ""))
        return rows

    @api.model
    def _say_number(self, number):
        return formatLang(self.env, number, digits=0)
