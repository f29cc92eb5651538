import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools.dates import on_axis, on_day
from ...tools.zones import midnight
from ..mail.mailing_trace_statistics import RATE_OF, STATISTICS, rate
from ..step.workflow import chart_days

#: Statistics that are added up for a group of sequences.
SUMS = {
    "participant_count",
    "running_count",
    "lead_count",
    *("holdout_count", "holdout_return_count"),
    *(f"{statistic}_count" for statistic in STATISTICS),
    "quotation_count",
    *("invoiced_amount", "total_cost", "discount_granted"),
}
#: Ratios of a group of sequences are those of all its mails together: a sequence with ten mails
#: does not weigh as much as one with ten thousand.
RATIOS = {f"{statistic}_ratio": statistic for statistic in ("opened", "clicked", "replied")}


class NurtureSequence(models.Model):
    """The overview: what is on the card of each sequence, and what groups of them came to."""

    _inherit = "nurture.sequence"

    is_own_only = fields.Boolean(
        compute="_compute_is_own_only",
        string="Your Leads",
        help="Whether statistics are of the user's own leads only.",
    )
    ended_count = fields.Integer(
        compute="_compute_ended_count", string="Done", help="Participants whose journey is over."
    )
    chart = fields.Text(
        compute="_compute_chart",
        groups="mass_mailing.group_mass_mailing_user",
        help="Mails sent and opened on each of the last days, as JSON; empty if there were none.",
    )
    coming_count = fields.Integer(
        compute="_compute_coming",
        string="Coming Mails",
        help="Mails that go out until tomorrow, or on the first day after that on which any do.",
    )
    coming_date = fields.Date(compute="_compute_coming", string="Coming Mails Until")
    coming = fields.Char(compute="_compute_coming", string="Next")

    # ------------------------------------------------------------
    # CARD
    # ------------------------------------------------------------

    @api.depends_context("uid")
    def _compute_is_own_only(self):
        self.is_own_only = not self._sees_all_leads()

    @api.depends("participant_count", "running_count")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_ended_count(self):
        for sequence in self:
            sequence.ended_count = sequence.participant_count - sequence.running_count

    @api.depends_context("tz", "lang", "uid")
    def _compute_chart(self):
        days = chart_days(self)
        labels = [on_axis(self.env, day) for day in days]
        names = {"sent": self.env._("Sent"), "opened": self.env._("Opened")}
        for sequence, statistics in self._get_statistics("mail_days").items():
            # what was counted by an earlier version does not have them
            by_statistic = statistics.get("mail_days") or {}
            lines = [
                {
                    "key": names[statistic],
                    "values": [
                        {"x": label, "y": by_statistic.get(statistic, {}).get(str(day), 0)}
                        for day, label in zip(days, labels, strict=True)
                    ],
                }
                for statistic in names
            ]
            has_any = any(by_statistic.get(statistic) for statistic in names)
            sequence.chart = json.dumps(lines) if has_any else False

    @api.depends("state")
    @api.depends_context("tz", "lang", "uid", "allowed_company_ids")
    def _compute_coming(self):
        tomorrow = self._get_today() + timedelta(days=1)
        for sequence, statistics in self._get_statistics("coming").items():
            coming = statistics.get("coming") if sequence.state == "running" else None
            by_day = {fields.Date.to_date(day): count for day, count in (coming or {}).items()}
            until = max(tomorrow, min(by_day)) if by_day else False
            count = sum(number for day, number in by_day.items() if day <= until)
            sequence.coming_count = count
            sequence.coming_date = until
            sequence.coming = sequence._say_coming(count, until, tomorrow)

    @api.model
    def _get_today(self):
        return fields.Datetime.context_timestamp(self, fields.Datetime.now()).date()

    def _say_coming(self, count, until, tomorrow):
        """When the next mails go out, in words."""
        if not count:
            return False
        values = {"count": count, "date": on_day(self.env, until)}
        if until > tomorrow:
            if count == 1:
                return self.env._("The next mail goes out on %(date)s", **values)
            return self.env._("The next %(count)s mails go out on %(date)s", **values)
        if count == 1:
            return self.env._("1 mail goes out until tomorrow")
        return self.env._("%(count)s mails go out until tomorrow", **values)

    def _coming_domain(self, until=None):
        """The messages that are scheduled.

        :param until: last day, in the user's time zone; without it, all
        """
        steps = self.with_context(active_test=False).step_ids
        messages = steps.filtered(lambda step: step._is_message())
        domain = Domain("step_id", "in", messages.ids) & Domain("state", "=", "scheduled")
        if until:
            end = midnight(until + timedelta(days=1), self.env.tz)
            domain &= Domain("schedule_date", "<", end)
        return domain

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_running(self):
        """Open the participants who are on their journey."""
        return self._open_participants(
            self.env._("Running Participants"), [("state", "=", "running")]
        )

    def action_view_ended(self):
        """Open the participants whose journey is over."""
        return self._open_participants(
            self.env._("Participants: Done"), [("state", "!=", "running")]
        )

    def action_view_coming(self):
        """Open what is behind the next mails.

        :raise UserError: when none are scheduled
        """
        self.ensure_one()
        if not self.coming_count:
            raise UserError(self.env._("No mails of “%s” are scheduled.", self.name))
        domain = self._coming_domain(self.coming_date)
        return self._open_list("nurture.trace", self.env._("Coming Mails"), domain)

    def action_view_calendar(self):
        """Open the calendar of what was done and what is to come."""
        return self._open_report("nurture_coming_action")

    def action_view_analysis(self):
        """Open the analysis of these sequences."""
        return self._open_report("nurture_report_action")

    def action_view_links(self):
        """Open the links in the mails, with their clicks."""
        self.env["mailing.mailing"].check_access("read")
        action = self._open_report("nurture_link_tracker_action")
        action["domain"] = [("mass_mailing_id", "in", self._get_mailings().ids)]
        return action

    def _open_report(self, action):
        """Open one of the add-on's reports, about these sequences only."""
        self.check_access("read")
        values = self.env["ir.actions.actions"]._for_xml_id(f"lost_lead_nurture.{action}")
        return values | {"domain": [("sequence_id", "in", self.ids)]}

    # ------------------------------------------------------------
    # GROUPS: statistics are counted, not stored
    # ------------------------------------------------------------

    def _read_group_select(self, aggregate_spec, query):
        if name := self._get_counted(aggregate_spec):
            self._check_field_access(self._fields[name], "read")
            return super()._read_group_select("id:recordset", query)
        return super()._read_group_select(aggregate_spec, query)

    def _read_group_postprocess_aggregate(self, aggregate_spec, raw_values):
        name = self._get_counted(aggregate_spec)
        if not name:
            return super()._read_group_postprocess_aggregate(aggregate_spec, raw_values)
        groups = super()._read_group_postprocess_aggregate("id:recordset", raw_values)
        return (sequences._add_up_statistic(name) for sequences in groups)

    @api.model
    def _get_counted(self, aggregate_spec):
        """The name of the field that ``aggregate_spec`` is about, if it is one we add up."""
        name, _colon, function = aggregate_spec.partition(":")
        is_amount = name in self._fields and self._fields[name].type == "monetary"
        counted = (
            (function == "sum" and name in SUMS)
            or (function == "sum_currency" and name in SUMS and is_amount)
            or (function == "avg" and name in RATIOS)
            or (function == "array_agg_distinct" and name == "currency_id")
        )
        return counted and name

    def _add_up_statistic(self, name):
        """A statistic of all these sequences together; amounts in the currency they have in common,
        else in that of the user's company."""
        if name == "currency_id":
            return self.currency_id.ids
        if name in RATIOS:
            statistics = (RATIOS[name], RATE_OF[RATIOS[name]])
            total = {statistic: sum(self.mapped(f"{statistic}_count")) for statistic in statistics}
            return rate(total, RATIOS[name])
        field = self._fields[name]
        currency_name = field.type == "monetary" and field.get_currency_field(self)
        if currency_name and len(self[currency_name]) > 1:
            return sum(sequence._convert_amount(name, currency_name) for sequence in self)
        return sum(self.mapped(name))

    def _convert_amount(self, name, currency_name):
        """An amount of the sequence in the currency of the user's company."""
        company = self.env.company
        return self[currency_name]._convert(
            self[name], company.currency_id, company, self._get_today()
        )
