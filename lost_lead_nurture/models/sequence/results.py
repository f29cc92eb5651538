import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.osutil import clean_filename

from ...tools.arguments import check_records
from ...tools.dates import as_local
from ...tools.versions import get_shares, get_split
from ...tools.workbook import MAX_ROWS, Share, Sheet, make_workbook
from ..core.results_mixin import EARNED
from ..credit.credit import MODELS
from ..credit.outcome import KINDS
from ..mail.mailing_trace_statistics import RATE_OF, STATISTICS
from ..step.ab_statistics import SHOWN
from .lift import ARMS, GOALS

#: What is written of a participant.
_PARTICIPANT_FIELDS = (
    *("lead_name", "email", "lost_reason_id", "date_lost", "user_id", "team_id"),
    *("expected_revenue", "entered_date", "state", "exit_reason", "exit_date"),
    *("won_back_date", "credited_step_id", "return_date", "return_reason"),
)
#: What is written of its money.
_MONEY_FIELDS = (
    *("fixed_cost", "message_cost", "total_cost", "budget", "budget_used", "discount_granted"),
    *("revenue", "margin", "revenue_without_margin", "deal_count", "cost_per_deal", "roi"),
)
#: So many participants are in memory at once.
_BATCH = 1000
#: What is written of the traces of a step.
_STATES = ("waiting", "scheduled", "processed", "rejected", "error")


class NurtureSequence(models.Model):
    """What a sequence came to, as a workbook to take along: the same numbers as on its screens, and
    no more than the user sees there."""

    _inherit = "nurture.sequence"

    # ------------------------------------------------------------
    # DOORS
    # ------------------------------------------------------------

    def action_export_results(self):
        """Download the workbook, see :meth:`export_results`."""
        check_records(self, one=True)
        self.check_access("read")
        cids = "-".join(map(str, self.env.companies.ids))
        return {
            "type": "ir.actions.act_url",
            # a download has none of the context that the web client sends along
            "url": f"/nurture/sequence/{self.id}/results.xlsx?cids={cids}",
            "target": "download",
        }

    def action_print_results(self):
        """Print what it came to on a page or two."""
        check_records(self)
        self.check_access("read")
        return self.env.ref("lost_lead_nurture.nurture_result_report").report_action(self)

    def export_results(self):
        """What the sequence came to, as far as the user may see it, as an Excel workbook: its
        statistics, steps, the versions of their messages, lost reasons, links, the comparison with
        those held out, what it cost and earned, and, for who may export, its participants.

        :return: ``{"name": of the file, "content": the file, in base64}``
        :raise UserError: when more participants were in it than a sheet has rows
        """
        check_records(self, one=True)
        content = self._make_results_workbook()
        return {
            "name": self._get_results_file_name(),
            "content": base64.b64encode(content).decode(),
        }

    def _get_results_file_name(self):
        return clean_filename(f"{self.name}.xlsx")

    def _make_results_workbook(self):
        self.check_access("read")
        return make_workbook(self._get_results())

    # ------------------------------------------------------------
    # SHEETS
    # ------------------------------------------------------------

    def _get_results(self):
        """All that there is to say, as sheets; those that the user may not see, or that have
        nothing in them, are missing."""
        self.ensure_one()
        statistics = self._get_statistics("participants", "traces", "mails", "lift", "versions")[
            self
        ]
        sheets = [
            self._get_summary_sheet(),
            self._get_steps_sheet(statistics),
            self._get_versions_sheet(statistics),
            self._get_reasons_sheet(),
            self._get_links_sheet(),
            self._get_comparison_sheet(statistics.get("lift")),
            self._get_money_sheet(),
            self._get_participants_sheet(),
        ]
        return [sheet for sheet in sheets if sheet and sheet.rows]

    def _get_summary_sheet(self):
        env = self.env
        states = dict(self._fields["state"]._description_selection(env))
        about = [
            [env._("Sequence"), self.name],
            [env._("State"), states[self.state]],
            [env._("Company"), self.company_id.name],
            [env._("Responsible"), self.user_id.name],
            # people may see the preset of a sequence only if it is theirs
            [env._("Preset"), self._say_presets()],
            [env._("Started On"), as_local(env, self.start_date)],
            [env._("Attribution Window (days)"), self.window_days],
            [env._("Holdout"), Share(self.holdout_percent / 100)],
            [env._("Written On"), as_local(env, fields.Datetime.now())],
            [env._("Time Zone"), env.tz.zone],
            [env._("Statistics Counted On"), as_local(env, self.statistics_date)],
            [env._("Leads"), env._("Your own") if self.is_own_only else env._("All")],
        ]
        numbers = [
            [label, number, share] for _name, label, number, share in self._get_summary_numbers()
        ]
        return Sheet(
            env._("Summary"),
            [env._("What"), env._("Number"), env._("Share")],
            [[*line, None] for line in about if line[1]] + numbers,
        )

    def _get_summary_numbers(self):
        """The statistics of the sequence, as on its form.

        :return: list of (name of the statistic, label, number, its share or None)
        """
        env = self.env
        written_to = self.participant_count - self.holdout_count
        numbers = [
            ("participants", env._("Participants"), self.participant_count, None),
            ("running", env._("In It"), self.running_count, None),
            ("ended", env._("Done"), self.ended_count, None),
            ("holdout", env._("Held Out"), self.holdout_count, None),
            ("returned", env._("Returned without Mails"), self.holdout_return_count, None),
            *self._get_mail_numbers(),
            ("won_back", env._("Won Back"), self.lead_count, _share(self.lead_count, written_to)),
        ]
        if self._shows("quotation_count"):
            numbers.append(("quotations", env._("Quotations"), self.quotation_count, None))
        if self._shows("invoiced_amount"):
            label = env._("Invoiced (Paid), %s", self.currency_id.name)
            numbers.append(("invoiced", label, self.invoiced_amount, None))
        return numbers

    def _get_mail_numbers(self):
        if not self._shows("sent_count"):
            return []
        counts = {name: self[f"{name}_count"] for name in STATISTICS}
        return [
            (name, label, counts[name], self._get_share(counts, name))
            for name, label in self._get_statistic_labels()
        ]

    def _get_statistic_labels(self):
        names = self.env["mailing.trace"]._nurture_get_statistic_names()
        return [(name, names[name]) for name in STATISTICS]

    @api.model
    def _get_share(self, counts, name):
        """A statistic as a share of what its rate is of; None where it has no rate, or where
        nothing was sent.

        :param counts: ``{statistic: number}``
        """
        return _share(counts[name], counts[RATE_OF[name]]) if name in RATE_OF else None

    def _shows(self, name):
        """Whether the user sees this statistic of sequences at all."""
        return self._has_field_access(self._fields[name], "read")

    def _get_steps_sheet(self, statistics):
        """A row for each step, and one for each of its mails where it has several."""
        env = self.env
        steps = self.with_context(active_test=False).step_ids
        states = dict(env["nurture.trace"]._fields["state"]._description_selection(env))
        has_mails = self._shows("sent_count")
        labels = self._get_statistic_labels() if has_mails else []
        columns = [
            *(env._("Step"), env._("Version"), env._("Type"), env._("When"), env._("After")),
            *(states[state] for state in _STATES),
        ]
        for name, label in labels:
            columns += [label, env._("%s (%%)", label)] if name in RATE_OF else [label]
        rows = []
        for step in steps:
            traces = statistics["steps"].get(str(step.id), {})
            mails = step._add_up(statistics["mails"]) if has_mails else False
            types = dict(step._fields["step_type"]._description_selection(env))
            about = [types[step.step_type], step.when, step.parent_id.name]
            numbers = [traces.get(state, 0) for state in _STATES]
            rows.append([step.name, None, *about, *numbers, *self._list_mails(mails)])
            if has_mails:
                rows += [
                    [
                        step.name,
                        version,
                        *about,
                        *([None] * len(_STATES)),
                        *self._list_mails(counts),
                    ]
                    for version, counts in step._get_versions(statistics["mails"])
                ]
        return Sheet(env._("Steps"), columns, rows)

    @api.model
    def _list_mails(self, counts):
        """The cells of the statistics of a mail, each with its rate where it has one.

        :param counts: ``{statistic: number}``, or False where no mail is sent
        """
        cells = []
        for name in STATISTICS if counts else ():
            cells.append(counts[name])
            if name in RATE_OF:
                cells.append(self._get_share(counts, name))
        return cells

    def _get_versions_sheet(self, statistics):
        """A row for each version of a message in an A/B test, with what came of it."""
        if not self._shows("sent_count"):
            return None
        env = self.env
        names = env["mailing.trace"]._nurture_get_statistic_names()
        has_money = self._sees_revenue()
        columns = [
            *(env._("Step"), env._("Version"), env._("Subject"), env._("When"), env._("Share")),
            *(env._("Compared Since"), env._("Winner")),
        ]
        for name in SHOWN:
            label = names.get(name) or env._("Won Back")
            columns += [label] if name == "sent" else [label, env._("%s (%%)", label)]
        if has_money:
            columns.append(env._("Invoiced (Paid), %s", self._get_kept_currency().name))
        rows = []
        for step in self.with_context(active_test=False).step_ids:
            counted = step._get_counted_versions(statistics)
            shares = get_shares(get_split(step._get_wanted_shares()))
            for letter, mailing in step.sudo()._get_mail_by_letter().items() if counted else ():
                counts = counted[letter]
                row = [
                    *(step.name, letter, mailing.display_name, step._get_when(letter)),
                    Share(shares.get(letter, 0.0)),
                    as_local(self.env, step.ab_start_date),
                    env._("Yes") if letter == step.ab_winner else None,
                ]
                for name in SHOWN:
                    row.append(counts[name])
                    if name != "sent":
                        row.append(_share(counts[name], counts["delivered"]))
                rows.append([*row, counts["earned"]] if has_money else row)
        return Sheet(env._("Versions"), columns, rows)

    def _get_reasons_sheet(self):
        env = self.env
        has_money = self._shows("invoiced_amount")
        columns = [
            *(env._("Lost Reason"), env._("Participants"), env._("Held Out"), env._("Won Back")),
            *(env._("Won Back (%)"), env._("Expected Revenue at Entry")),
        ]
        if has_money:
            columns.append(env._("Invoiced (Paid), %s", self.currency_id.name))
        rows = []
        for reason, counts in self._count_by_reason().items():
            written_to = counts["participants"] - counts["holdout"]
            row = [
                reason.name or env._("None"),
                *(counts["participants"], counts["holdout"], counts["won_back"]),
                _share(counts["won_back"], written_to),
                float(counts["expected_revenue"]),
            ]
            rows.append([*row, counts["earned"]] if has_money else row)
        return Sheet(env._("Lost Reasons"), columns, rows)

    def _count_by_reason(self):
        """What became of participants by the reason why they had been lost, most of them first.

        :return: ``{crm.lost.reason: {"participants", "holdout", "won_back": number,
            "expected_revenue", "earned": amount}}``
        """
        kept = self._get_statistics("reasons")[self].get("reasons")
        if kept is None:
            # it was counted by an earlier version
            kept = self._count_statistics("reasons")[self]["reasons"]
        # JSON in PostgreSQL has no order
        kept = sorted(kept.items(), key=lambda item: (-item[1]["participants"], int(item[0])))
        reasons = self.env["crm.lost.reason"]
        # one that was deleted since is none from the next count on
        known = reasons.browse(int(id_) for id_, _numbers in kept).exists()
        known = {0: reasons, **{reason.id: reason for reason in known}}
        counts = {
            known[int(reason_id)]: {**numbers, "earned": 0.0}
            for reason_id, numbers in kept
            if int(reason_id) in known
        }
        earned = self.env["nurture.credit"]._earned(
            "lost_reason_id", self._credits_domain(), lambda _reason: self.currency_id
        )
        by_id = {reason.id: one for reason, one in counts.items()}
        for reason_id, amount in earned.items():
            if reason_id in by_id:
                by_id[reason_id]["earned"] = amount
        return counts

    def _get_links_sheet(self):
        links = self.env["link.tracker"]
        if not links._has_field_access(links._fields["nurture_unique_clicks"], "read"):
            return None
        env = self.env
        found = links.with_context(active_test=False).search(
            [("mass_mailing_id", "in", self._get_mailings().ids)]
        )
        rows = [
            [link.nurture_mail, link.url, link.label, link.count, link.nurture_unique_clicks]
            for link in found.sorted("nurture_unique_clicks", reverse=True)
        ]
        columns = [env._("Mail"), env._("Link"), env._("Button"), env._("Clicks")]
        return Sheet(env._("Links"), [*columns, env._("Unique Clicks")], rows)

    def _get_comparison_sheet(self, lift):
        """Those written to beside those held out, and what may be said of it."""
        if not lift:
            return None
        env = self.env
        names = self._goal_names
        arms = [(arm, lift[arm]) for arm in ARMS]
        rows = [[env._("Leads"), *(own["leads"] for _arm, own in arms)]]
        for goal in GOALS:
            compared = lift["goals"][goal]
            rows.append(
                [
                    names[goal],
                    *(own[goal] for _arm, own in arms),
                    *(_share(own[goal], own["leads"]) for _arm, own in arms),
                    *(Share(compared[name]) for name in ("difference", "low", "high")),
                    compared["e_value"],
                    self._say_verdict(lift, goal),
                ]
            )
        if self._sees_revenue():
            earned = env._("Paid, %s", self._get_kept_currency().name)
            rows.append([earned, *(own["earned"] for _arm, own in arms)])
        columns = [
            *(env._("What"), env._("Written to"), env._("Held out")),
            *(env._("Written to (%)"), env._("Held out (%)")),
            *(env._("Difference"), env._("From"), env._("To"), env._("E-value"), env._("Verdict")),
        ]
        return Sheet(env._("Comparison"), columns, rows)

    def _get_money_sheet(self):
        """What it cost and earned, and what came of it by each model of attribution."""
        if not (self._shows("total_cost") or self._shows("invoiced_amount")):
            return None
        env = self.env
        rows = [[None, label, None, amount, None] for label, amount in self._list_money() if amount]
        if self._shows("invoiced_amount"):
            rows += self._list_credits()
        currency = self.currency_id.name
        columns = [env._("Attribution"), env._("What"), env._("Shares")]
        columns += [env._("Amount, %s", currency), env._("Margin, %s", currency)]
        return Sheet(env._("Money"), columns, rows)

    def _list_money(self):
        """Costs and what was earned, as on the page Money, as far as the user sees them.

        :return: list of (label, number)
        """
        currency = self.cost_currency_id.name
        numbers = []
        for name in filter(self._shows, _MONEY_FIELDS):
            field, number = self._fields[name], self[name]
            label = field._description_string(self.env)
            if field.type == "monetary":
                label = f"{label}, {currency}"
            numbers.append((label, number))
        return numbers

    def _list_credits(self):
        """What is credited to it, a row for each model of attribution and what it is."""
        env = self.env
        models_ = dict(env["nurture.credit"]._fields["model"]._description_selection(env))
        kinds = dict(env["nurture.outcome"]._fields["kind"]._description_selection(env))
        counts = self._count_credits()
        rows = [
            [models_[model], kinds[kind], *counts[model, kind]]
            for model, _label in MODELS
            for kind, _label in KINDS
            if (model, kind) in counts
        ]
        for model, _label in MODELS:
            amounts = [counts[model, kind] for kind in EARNED if (model, kind) in counts]
            if amounts:
                total = [sum(column) for column in zip(*amounts, strict=True)]
                rows.append([models_[model], env._("Invoiced (Paid)"), *total])
        return rows

    def _count_credits(self):
        """What is credited to the sequence, in its currency.

        :return: ``{(model, kind): [sum of shares, amount, margin]}``
        """
        self.env["nurture.outcome"]._catch_up()
        rows = (
            self.env["nurture.credit"]
            .sudo()
            ._read_group(
                self._credits_domain(),
                ["model", "kind", "company_id"],
                ["share:sum", "company_amount:sum", "margin:sum"],
            )
        )
        today = fields.Date.context_today(self)
        counts = {}
        for model, kind, company, share, *amounts in rows:
            total = counts.setdefault((model, kind), [0.0, 0.0, 0.0])
            total[0] += share
            for place, amount in enumerate(amounts, start=1):
                total[place] += (company.currency_id or self.currency_id)._convert(
                    amount, self.currency_id, company or self.env.company, today
                )
        return counts

    def _get_participants_sheet(self):
        """Who was in it: for who may take lists out of Odoo at all, as core asks it."""
        if not self.env.user.has_group("base.group_allow_export"):
            return None
        participants = self.env["nurture.participant"].with_context(tz=self.env.tz.zone)
        number = participants.search_count([("sequence_id", "=", self.id)])
        if number > MAX_ROWS:
            raise UserError(
                self.env._(
                    "%(count)s participants are more than the %(limit)s rows of a sheet. Export "
                    "them from the list of participants, by year for instance.",
                    count=number,
                    limit=MAX_ROWS,
                )
            )
        columns = [
            participants._fields[name]._description_string(self.env) for name in _PARTICIPANT_FIELDS
        ]
        rows = self._iterate_participants(participants) if number else []
        return Sheet(self.env._("Participants"), columns, rows)

    def _iterate_participants(self, participants):
        """A row for each of the sequence's participants, read a batch at a time."""
        batch = participants
        while batch := participants.search(
            [("sequence_id", "=", self.id), ("id", ">", batch[-1:].id or 0)],
            order="id",
            limit=_BATCH,
        ):
            yield from batch.export_data(list(_PARTICIPANT_FIELDS))["datas"]
            # what was read of them is not needed any more
            batch.invalidate_recordset(flush=False)


def _share(number, whole):
    return Share(number / whole) if whole else None
