from odoo import api, fields, models
from odoo.fields import Domain

from ...tools.arguments import check_records, read_choice
from ..mail.mailing_trace_statistics import RATE_OF, STATISTICS


class NurtureSequence(models.Model):
    """What the workflow builder draws."""

    _inherit = "nurture.sequence"

    workflow = fields.Json(
        compute="_compute_workflow",
        exportable=False,
        help="The steps with their statistics, and what can be added where, for the builder. The "
        "number of queries does not grow with the steps.",
    )

    @api.depends("profile_mode", "profile_days", "profiles_since")
    @api.depends_context("lang", "tz", "uid")
    def _compute_workflow(self):
        steps = self.env["nurture.step"]
        shared = {
            "mails_readable": self.env["mailing.mailing"].has_access("read"),
            "offers": steps._get_offers(),
            "rate_of": RATE_OF,
            "definitions": self._get_definitions(),
            "types": steps._get_types(),
        }
        by_sequence = (
            steps.with_context(active_test=False)
            .search([("sequence_id", "in", self.ids)])
            .grouped("sequence_id")
        )
        parts = ("participants", "traces", "mails", "versions")
        for sequence, statistics in self._get_statistics(*parts).items():
            sequence.workflow = {
                **shared,
                # who may look only is not offered to change it
                "editable": steps.has_access("write") and sequence._origin.has_access("write"),
                "steps": by_sequence.get(sequence._origin, steps)._get_cards(statistics),
                "exits": self._get_exits(statistics["exits"]),
                "profiles": sequence._describe_profiles(),
            }

    @api.model
    def _get_definitions(self):
        """What the numbers on cards mean, as everywhere: those that are rates, and others."""
        fields_ = self.env["nurture.report"]._fields
        names = {name: f"{name}_rate" if name in RATE_OF else name for name in STATISTICS}
        return {name: fields_[field]._description_help(self.env) for name, field in names.items()}

    @api.model
    def _get_exits(self, counts):
        """How many left, by reason, the most frequent first."""
        participants = self.env["nurture.participant"]
        reasons = dict(participants._fields["exit_reason"]._description_selection(self.env))
        return [
            {"reason": reason, "label": reasons.get(reason), "count": count}
            for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _find_recipient(self):
        """A lead to show mails with: of those that match, or are or were inside, the one with an
        address that was lost last; else the one that a test begins with."""
        self.ensure_one()
        leads = self.env["crm.lead"].with_context(active_test=False)
        inside = Domain("nurture_participant_ids.sequence_id", "in", self.ids)
        for domain in (self._get_lead_domain(), inside):
            reachable = Domain(domain) & Domain("email_normalized", "!=", False)
            if lead := leads.search(reachable, order="date_closed desc, id desc", limit=1):
                return lead
        return self.env["nurture.test"]._find_lead(self)

    def action_view_exits(self, reason):
        """Open the participants who left for ``reason``."""
        check_records(self, one=True)
        field = self.env["nurture.participant"]._fields["exit_reason"]
        read_choice(self.env, reason, dict(field._description_selection(self.env)))
        return self._open_list(
            "nurture.participant",
            self.env._("Participants"),
            [("sequence_id", "=", self.id), ("exit_reason", "=", reason)],
        )
