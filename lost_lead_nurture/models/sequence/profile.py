from contextlib import contextmanager

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.arguments import check_records
from ...tools.domains import check_domain
from ...tools.inside import is_inside

#: What of a profile says who may enter.
CHOOSING = ("preset_id", "excludes", "position", "sequence_id")


class NurtureProfile(models.Model):
    """One preset in the list of a sequence: its leads enter when its turn comes, or never."""

    _name = "nurture.profile"
    _description = "Profile of a Nurture Sequence"
    _inherit = ["nurture.guard.mixin"]
    _order = "sequence_id, position, id"
    _rec_name = "preset_id"
    _authors = {"preset_id": "author_id"}

    sequence_id = fields.Many2one("nurture.sequence", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="sequence_id.company_id", store=True)
    position = fields.Integer(
        default=10, help="A lead that fits two profiles enters with the first one."
    )
    preset_id = fields.Many2one("nurture.preset", required=True, index=True, ondelete="restrict")
    excludes = fields.Boolean(
        string="Excluded", help="Leads that this preset chooses do not enter by any other either."
    )
    author_id = fields.Many2one(
        "res.users",
        compute="_compute_authors",
        store=True,
        string="Chosen By",
        readonly=True,
        copy=False,
        ondelete="set null",
        help="Whose rights count for what the preset looks at, beside those of who wrote it.",
    )
    turn_date = fields.Datetime(
        compute="_compute_turn_date",
        string="Its Turn",
        help="From when on its leads enter, if the sequence is started now or was started already.",
    )
    entered_count = fields.Integer(
        compute="_compute_entered_count",
        string="Entered",
        help="Journeys of this sequence that began by the profile, those held out included.",
    )

    _preset_unique = models.Constraint(
        # of a list that is edited: when all of it is written
        "UNIQUE (sequence_id, preset_id) DEFERRABLE",
        "Each preset is in the list once.",
    )

    @api.depends(
        *("sequence_id.profile_mode", "sequence_id.profile_days", "sequence_id.profiles_since"),
        *("sequence_id.profile_ids.position", "sequence_id.profile_ids.excludes"),
    )
    def _compute_turn_date(self):
        for profile in self:
            profile.turn_date = profile.sequence_id._get_turns().get(profile, False)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_entered_count(self):
        rows = self.env["nurture.participant"]._read_group(
            [("sequence_id", "in", self.sequence_id.ids), ("profile_id", "!=", False)],
            ["sequence_id", "profile_id"],
            ["__count"],
        )
        counts = {(sequence, preset): count for sequence, preset, count in rows}
        for profile in self:
            key = profile.sequence_id._origin, profile.preset_id._origin
            profile.entered_count = counts.get(key, 0)

    # ------------------------------------------------------------
    # CONSTRAINTS, CRUD
    # ------------------------------------------------------------

    @api.constrains("preset_id")
    def _check_preset(self):
        for profile in self:
            check_domain(self.env["crm.lead"], profile.sudo().preset_id.full_domain)
            profile.sequence_id._check_customers_allowed()

    @api.constrains("sequence_id", "preset_id", "excludes")
    def _check_runnable(self):
        if not is_inside(self.env, "nurture_list"):
            self.sequence_id._check_runnable()

    @api.model_create_multi
    def create(self, vals_list):
        sequences = self.env["nurture.sequence"].browse(
            {vals["sequence_id"] for vals in vals_list if vals.get("sequence_id")}
        )
        # nobody adds to a sequence that is not theirs to change
        sequences.check_access("write")
        profiles = super().create(vals_list)
        profiles.sequence_id._note_profiles_changed()
        return profiles

    def write(self, vals):
        if vals.get("sequence_id"):
            self.env["nurture.sequence"].browse(vals["sequence_id"]).check_access("write")
        sequences = self.sequence_id
        result = super().write(vals)
        if set(CHOOSING) & vals.keys():
            (sequences | self.sequence_id)._note_profiles_changed()
        return result

    def unlink(self):
        sequences = self.sequence_id
        result = super().unlink()
        if not is_inside(self.env, "nurture_list"):
            sequences.exists()._check_runnable()
        sequences.exists()._note_profiles_changed()
        return result

    @api.model
    @contextmanager
    def _writing_list(self, is_written):
        """Whether each preset is in a list once is looked at when all of the list is written, if it
        is: two lines may take each other's."""
        if not is_written:
            yield
            return
        constraint = SQL.identifier(self._preset_unique.full_name(self))
        self.env.cr.execute(SQL("SET CONSTRAINTS %s DEFERRED", constraint))
        yield
        self.flush_model()
        self.env.cr.execute(SQL("SET CONSTRAINTS %s IMMEDIATE", constraint))

    def _check_written(self):
        self._check_preset()

    def _get_steered(self):
        return self.sequence_id

    def _get_own_companies(self):
        return self.sequence_id._get_companies()

    # ------------------------------------------------------------
    # WHOM IT CHOOSES
    # ------------------------------------------------------------

    def _get_choice(self, sequence):
        """The leads that it chooses, see :meth:`nurture.sequence._get_choice`: who wrote the preset
        and who chose it have their say.

        :param sequence: its sequence, with the rights of who looks on
        """
        self.ensure_one()
        return sequence.env["crm.lead"]._nurture_choose(
            self.preset_id.full_domain,
            [self.preset_id.author_id, self.author_id],
            sequence._get_companies(),
            sequence._get_viewer(),
        )

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_view_entered(self):
        """Open the journeys that began by this profile."""
        check_records(self, one=True)
        return self.sequence_id._open_participants(
            self.preset_id.display_name, [("profile_id", "=", self.preset_id.id)]
        )
