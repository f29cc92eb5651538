from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...tools.arguments import check_records
from ...tools.versions import LETTERS
from .step import DELAY_UNITS, MAX_DELAY

#: What says when a version is due.
DELAY = ("has_delay", "delay", "delay_unit")


class NurtureVariant(models.Model):
    """One more version of the message of a step, for its A/B test; the first one, A, is the step's
    own. What the test does is on the step (``ab_test.py``)."""

    _name = "nurture.variant"
    _description = "Version of a Nurture Step"
    _inherit = ["nurture.further.mail.mixin"]
    _order = "step_id, letter"
    _rec_name = "letter"

    letter = fields.Selection(
        [(letter, letter) for letter in LETTERS[1:]],
        string="Version",
        required=True,
        readonly=True,
        help="What the version is called. It stays, whatever becomes of the others.",
    )
    share = fields.Integer(
        string="Share (%)",
        required=True,
        help="How many of 100 leads get this version. Shares that do not add up to 100 are taken "
        "in proportion. At 0 nobody gets it.",
    )
    has_delay = fields.Boolean(
        string="Own Delay",
        help="It comes after a delay of its own, counted from the same moment as that of the step.",
    )
    delay = fields.Integer(
        default=0, help="How long after its trigger this version is due; not negative."
    )
    delay_unit = fields.Selection(DELAY_UNITS, string="Unit", required=True, default="days")
    mailing_id = fields.Many2one(
        domain="[('nurture_is_free', '=', True)]",
        help="What leads get who are drawn for this version. It is sent by the sequence only.",
    )

    _step_letter_unique = models.Constraint(
        "UNIQUE (step_id, letter)", "A step has each version once."
    )

    # ------------------------------------------------------------
    # CONSTRAINTS, CRUD
    # ------------------------------------------------------------

    @api.constrains("share")
    def _check_share(self):
        for variant in self:
            if not 0 <= variant.share <= 100:
                raise ValidationError(
                    self.env._("Version %s: its share is from 0 to 100 %%.", variant.letter)
                )

    @api.constrains("delay", "delay_unit")
    def _check_delay(self):
        # the database refuses those without a unit
        for variant in self.filtered("delay_unit"):
            if not 0 <= variant.delay <= MAX_DELAY[variant.delay_unit]:
                raise ValidationError(
                    self.env._(
                        "Version %s: its delay is not negative, and ten years at most.",
                        variant.letter,
                    )
                )

    @api.constrains("step_id")
    def _check_first(self):
        for step in self.step_id:
            if not step._is_message() or not step.mailing_id:
                raise ValidationError(
                    self.env._(
                        "“%s” has no message yet, or sends none: there is nothing to have another "
                        "version of.",
                        step.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Without a letter it gets the next one, without a share all versions get the same."""
        variants = super().create(self._with_letters(vals_list))
        uneven = [
            variant.step_id.id
            for variant, vals in zip(variants, vals_list, strict=True)
            if "share" not in vals
        ]
        variants.step_id.filtered(lambda step: step.id in uneven)._share_evenly()
        variants.step_id._start_ab_test()
        return variants

    @api.model
    def _with_letters(self, vals_list):
        """The values of new versions with what is filled in for them."""
        taken, completed = {}, []
        for vals in vals_list:
            step_id = vals.get("step_id")
            # what is no id the ORM refuses
            step = self.env["nurture.step"].browse(step_id if type(step_id) is int else ())
            letters = taken.setdefault(step, set(step.variant_ids.mapped("letter")))
            letter = vals.get("letter") or self._get_next_letter(step, letters)
            letters.add(letter)
            completed.append({"share": 0, **vals, "letter": letter})
        return completed

    @api.model
    def _get_next_letter(self, step, taken):
        """The first letter that is not ``taken``.

        :raise UserError: when all are
        """
        for letter in LETTERS[1:]:
            if letter not in taken:
                return letter
        raise UserError(
            self.env._(
                "“%(step)s” has %(most)s versions: there are no more in one test.",
                step=step.name,
                most=len(LETTERS),
            )
        )

    def write(self, vals):
        if self._is_changed_by(vals, ("step_id", "letter")) or (
            self._is_changed_by(vals, ("mailing_id",)) and self._is_sent()
        ):
            raise UserError(
                self.env._(
                    "Somebody has got this version, or it is another one: edit its text, or add a "
                    "version."
                )
            )
        is_delayed = self._is_changed_by(vals, DELAY)
        changes = is_delayed or self._is_changed_by(vals, ("mailing_id", "share"))
        result = super().write(vals)
        if changes:
            self.step_id._start_ab_test()
        if is_delayed:
            self.step_id.sequence_id._mark_edited()
        return result

    def _is_sent(self):
        """Whether a lead has got one of these versions."""
        return any(
            self.env["nurture.trace"]
            .sudo()
            .search_count(
                [
                    ("step_id", "=", variant.step_id.id),
                    ("variant", "=", variant.letter),
                    ("mailing_trace_ids", "!=", False),
                ],
                limit=1,
            )
            for variant in self
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sent(self):
        if self._is_sent():
            raise UserError(
                self.env._(
                    "Somebody has got this version, so that it stays with its statistics. Let its "
                    "share be 0, or choose the version that all others get."
                )
            )

    def unlink(self):
        steps = self.step_id
        delayed = self.filtered("has_delay").step_id.sequence_id
        result = super().unlink()
        steps.exists()._start_ab_test()
        delayed.exists()._mark_edited()
        return result

    # ------------------------------------------------------------
    # ACTIONS
    # ------------------------------------------------------------

    def action_write_mail(self):
        """Open the mail of the version in the editor."""
        check_records(self, one=True)
        self.check_access("write")
        return self.mailing_id._nurture_open_form()

    def action_choose(self):
        """Let this version win: see :meth:`nurture.step.action_choose_variant`."""
        check_records(self, one=True)
        return self.step_id.action_choose_variant(self.letter)
