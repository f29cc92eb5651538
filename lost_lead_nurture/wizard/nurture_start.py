from odoo import api, fields, models


class NurtureStart(models.TransientModel):
    """Start a sequence: how many leads it is for is said before, and what became of them after."""

    _name = "nurture.start"
    _inherit = ["nurture.choice.mixin"]
    _description = "Start a Nurture Sequence"

    sequence_id = fields.Many2one("nurture.sequence", required=True, ondelete="cascade")
    entry = fields.Selection(related="sequence_id.entry", related_sudo=False)
    is_by_behaviour = fields.Boolean(related="sequence_id.is_by_behaviour", related_sudo=False)
    matching_count = fields.Integer(compute="_compute_counts")
    is_capped = fields.Boolean(
        compute="_compute_is_capped",
        help="More leads match than are looked at here: they enter in the background.",
    )
    entering_count = fields.Integer(compute="_compute_counts")
    held_out_count = fields.Integer(compute="_compute_counts")
    detectable = fields.Char(
        compute="_compute_counts", help="What a comparison with those held out can show at all."
    )
    inside_count = fields.Integer(
        compute="_compute_counts", help="Leads that are or were inside, and do not enter again."
    )
    excluded_count = fields.Integer(compute="_compute_counts")
    gets = fields.Char(
        compute="_compute_counts", help="What a lead gets that enters now and never reacts."
    )

    @api.depends("sequence_id")
    @api.depends_context("lang", "tz", "uid")
    def _compute_counts(self):
        for start in self:
            sequence = start.sequence_id
            found = sequence._get_audience() if sequence else {}
            start.matching_count = sum(map(len, found.values()))
            entering, held_out = sequence.sudo()._split_holdout(found.pop(None, []))
            start.entering_count = len(entering)
            start.held_out_count = len(held_out)
            start.detectable = sequence._say_detectable(len(entering), len(held_out))
            start.inside_count = len(found.pop("inside", []))
            start.excluded_count = sum(map(len, found.values()))
            start.gets = start._describe(entering)

    @api.depends("sequence_id")
    @api.depends_context("uid")
    def _compute_is_capped(self):
        # apart: who starts it need not have all leads sorted out again
        for start in self:
            start.is_capped = bool(start.sequence_id) and start.sequence_id._has_many_leads()

    def _describe(self, lead_ids):
        """What the first of these leads gets, in words; False without leads."""
        lead = self.env["crm.lead"].browse(lead_ids[:1])
        return bool(lead) and self.sequence_id._describe_messages(lead)

    def action_view_entering(self):
        """Open the leads that would enter."""
        self.ensure_one()
        return self.sequence_id.action_view_audience("entering")

    def action_view_held_out(self):
        """Open the leads that would be held out for comparison."""
        self.ensure_one()
        return self.sequence_id.action_view_audience("held_out")

    def action_view_inside(self):
        """Open the leads that are or were inside, and do not enter again."""
        self.ensure_one()
        return self.sequence_id.action_view_audience("inside")

    def action_view_excluded(self):
        """Open the leads that are excluded; the list says why."""
        self.ensure_one()
        return self.sequence_id.action_view_audience("excluded")

    def action_start(self):
        """Start the sequence and let the leads enter, unless they are many: those enter in the
        background.

        :raise UserError: when something keeps it from running
        """
        self.ensure_one()
        sequence, in_background = self.sequence_id, self.is_capped
        sequence.action_start()
        if sequence.entry == "manual":
            message = self.env._("“%s” is running. Add leads to it from CRM.", sequence.name)
            return sequence._notify(message)
        if in_background:
            message = self.env._(
                "“%s” is running. The leads enter in the background, within minutes.",
                sequence.name,
            )
            return sequence._notify(message)
        return self._describe_entered(sequence.sudo()._enrol())

    def _describe_entered(self, lead_ids):
        """Tell how many entered, and when they are written to.

        :param lead_ids: ids of those who entered, held-out ones included
        """
        sequence = self.sequence_id
        entered, held_out = sequence.sudo()._split_holdout(lead_ids)
        if not lead_ids and sequence.is_by_behaviour:
            message = self.env._(
                "“%s” is running. Leads enter once they do what lets them in.", sequence.name
            )
            return sequence._notify(message)
        if not lead_ids:
            message = self.env._(
                "“%s” is running, and nobody has entered. Leads that are lost from now on and "
                "match enter automatically.",
                sequence.name,
            )
            return sequence._notify(message, "warning", sticky=True)
        lines = [sequence._say_entered(len(entered))]
        if held_out:
            lines.append(self.env._("Held out for comparison: %s.", len(held_out)))
        if gets := self._describe(entered):
            lines.append(gets)
        return sequence._notify("\n".join(lines))
