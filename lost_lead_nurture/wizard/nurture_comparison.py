from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

from ..models.core.results_mixin import REVENUE_GROUPS
from ..models.sequence.lift import GOALS, OF_COMPANIES, OF_SEQUENCES, TOGETHER
from ..tools.arguments import check_records
from ..tools.shares import say_percent

#: How those who are compared are divided: the column of ``participant`` by which they are, and
#: what draws who is held out.
DIVISIONS = {
    "all": (TOGETHER, OF_SEQUENCES),
    "sequence": (SQL("participant.sequence_id"), OF_SEQUENCES),
    "reason": (SQL("participant.lost_reason_id"), OF_SEQUENCES),
    "global": (TOGETHER, OF_COMPANIES),
}
#: What a row is of.
MODELS = {"sequence": "nurture.sequence", "reason": "crm.lost.reason"}


class NurtureComparison(models.TransientModel):
    """What sequences cause, pooled: all of them, or apart by sequence or lost reason, and what all
    of them together cause beside those whom none writes to."""

    _name = "nurture.comparison"
    _description = "Nurture Comparison"

    by = fields.Selection(
        [
            ("all", "All Sequences Together"),
            ("sequence", "Each Sequence"),
            ("reason", "Each Lost Reason"),
            ("global", "The Global Holdout"),
        ],
        string="Compare",
        required=True,
        default="all",
    )
    goal = fields.Selection(
        [("quotation", "A Quotation"), ("order", "An Order")],
        string="Who Got",
        required=True,
        default="quotation",
    )
    sequence_ids = fields.Many2many(
        "nurture.sequence",
        string="Sequences",
        domain=[("state", "!=", "draft")],
        help="Only these; all, if none is chosen.",
    )
    line_ids = fields.One2many(
        "nurture.comparison.line",
        "comparison_id",
        compute="_compute_line_ids",
        # whose numbers one sees is up to who asks
        compute_sudo=False,
        store=True,
        readonly=True,
    )

    count_date = fields.Datetime(
        string="Counted On",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        help="Of many participants it is done every quarter of an hour; the lists are of now.",
    )

    def _compute_display_name(self):
        self.display_name = self.env._("Comparison")

    @api.depends("by", "goal", "sequence_ids")
    def _compute_line_ids(self):
        for comparison in self:
            lifts, date = comparison._get_lifts()
            comparison.count_date = date
            comparison.line_ids = [
                Command.clear(),
                *(
                    Command.create(comparison._describe(value, lift))
                    for value, lift in lifts.items()
                ),
            ]

    def _get_sequences(self):
        self.ensure_one()
        if chosen := self.sequence_ids:
            # what a form names is not more than the user may see
            return self.env["nurture.sequence"].search([("id", "in", chosen.ids)])
        started = [("state", "!=", "draft")]
        return self.env["nurture.sequence"].with_context(active_test=False).search(started)

    def _get_lifts(self):
        """The lift of each row, the largest first, those only that hold somebody out; and when it
        was counted."""
        division = self.by or "all"
        by, experiment = DIVISIONS[division]
        lifts, date = self._get_sequences()._get_kept_lifts(
            self.env.company.currency_id, division, experiment, by
        )
        compared = {value: lift for value, lift in lifts.items() if lift["holdout"]["leads"]}
        ordered = sorted(compared.items(), key=lambda item: -item[1]["written_to"]["leads"])
        return dict(ordered), date

    def _describe(self, value, lift):
        """Values of the row of ``value``."""
        goal = self.goal if self.goal in GOALS else GOALS[0]
        sequences = self.env["nurture.sequence"]
        currency = self.env.company.currency_id
        return {
            "name": self._get_name(value),
            "res_id": value,
            "written_to": lift["written_to"]["leads"],
            "held_out": lift["holdout"]["leads"],
            "written_to_reached": lift["written_to"][goal],
            "held_out_reached": lift["holdout"][goal],
            "difference": sequences._say_difference(lift["goals"][goal]),
            "is_decided": lift["goals"][goal]["decided"] and lift["is_divided_as_planned"],
            "verdict": sequences._say_verdict(lift, goal),
            "written_to_earned": sequences._say_earned(lift["written_to"], currency),
            "held_out_earned": sequences._say_earned(lift["holdout"], currency),
        }

    def _get_name(self, value):
        if self.by in MODELS:
            record = self.env[MODELS[self.by]].browse(value or ())
            return record.sudo().display_name or self.env._("None")
        return dict(self._fields["by"]._description_selection(self.env))[self.by or "all"]


class NurtureComparisonLine(models.TransientModel):
    """A row of the comparison: those written to beside those held out."""

    _name = "nurture.comparison.line"
    _description = "Nurture Comparison: Row"

    comparison_id = fields.Many2one("nurture.comparison", required=True, ondelete="cascade")
    name = fields.Char(readonly=True)
    res_id = fields.Integer(readonly=True, help="Of which sequence, or lost reason, it is.")
    written_to = fields.Integer(string="Written to", readonly=True)
    held_out = fields.Integer(readonly=True)
    written_to_reached = fields.Integer(string="Reached It", readonly=True)
    held_out_reached = fields.Integer(string="Reached It, Held Out", readonly=True)
    written_to_rate = fields.Char(string="Rate", compute="_compute_rates")
    held_out_rate = fields.Char(string="Rate, Held Out", compute="_compute_rates")
    difference = fields.Char(readonly=True, help="In percentage points, with its range.")
    is_decided = fields.Boolean(readonly=True)
    verdict = fields.Char(readonly=True)
    written_to_earned = fields.Char(string="Paid per Lead", readonly=True, groups=REVENUE_GROUPS)
    held_out_earned = fields.Char(
        string="Paid per Lead, Held Out", readonly=True, groups=REVENUE_GROUPS
    )

    @api.depends("written_to", "held_out", "written_to_reached", "held_out_reached")
    def _compute_rates(self):
        for line in self:
            for arm in ("written_to", "held_out"):
                leads, reached = line[arm], line[f"{arm}_reached"]
                line[f"{arm}_rate"] = say_percent(self.env, reached / leads) if leads else "–"

    def action_view_participants(self):
        """Open who is counted; the context key ``nurture_statistic`` says where: ``written_to``,
        ``held_out``, ``written_to_reached`` or ``held_out_reached``.

        :raise UserError: when it is none of them
        """
        check_records(self, one=True)
        statistic = self.env.context.get("nurture_statistic", "written_to")
        arm, reached, _rest = str(statistic).partition("_reached")
        if arm not in ("written_to", "held_out"):
            raise UserError(self.env._("“%s” is none of the numbers of the comparison.", statistic))
        comparison = self.comparison_id
        by, experiment = DIVISIONS[comparison.by]
        ids = comparison._get_sequences()._find_arm(
            "holdout" if arm == "held_out" else "written_to",
            experiment,
            by,
            self.res_id or None,
            comparison.goal if reached else None,
        )
        return self.env["nurture.sequence"]._open_list(
            "nurture.participant",
            self._fields[statistic]._description_string(self.env),
            [("id", "in", ids)],
        )
