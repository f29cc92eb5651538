from odoo import api, fields, models


class NurtureStepTranslation(models.Model):
    """The message of a step in one more language."""

    _name = "nurture.step.translation"
    _description = "Nurture Step in Another Language"
    _inherit = ["nurture.guard.mixin"]
    _order = "lang_id, id"
    _rec_name = "lang_id"

    step_id = fields.Many2one("nurture.step", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="step_id.company_id", store=True)
    lang_id = fields.Many2one("res.lang", string="Language", required=True, ondelete="restrict")
    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Mail",
        required=True,
        ondelete="restrict",
        domain="[('mailing_type', '=', 'mail'), ('nurture_is_free', '=', True)]",
        help="The same mail in this language. Leads with this language get it.",
    )

    _step_lang_unique = models.Constraint(
        "UNIQUE (step_id, lang_id)", "A step has one mail per language."
    )
    _mailing_unique = models.Constraint(
        "UNIQUE (mailing_id)",
        "This mail already belongs to a step. Duplicate it to use its text again.",
    )

    @api.constrains("mailing_id")
    def _check_mailing(self):
        self.step_id._check_mailing()
        self.step_id._check_runnable()

    @api.model_create_multi
    def create(self, vals_list):
        translations = super().create(vals_list)
        translations.mailing_id._nurture_mark()
        return translations

    def write(self, vals):
        if vals.get("step_id") and not self.env.su:
            self.env["nurture.step"].browse(vals["step_id"]).check_access("write")
        result = super().write(vals)
        if "mailing_id" in vals:
            self.mailing_id._nurture_mark()
        return result

    def _get_steered(self):
        return self.step_id.sequence_id

    def _get_own_companies(self):
        return self.step_id.sequence_id._get_companies()

    def copy_data(self, default=None):
        """A copy gets a mail of its own, as that of its step does."""
        vals_list = super().copy_data(default)
        for translation, vals in zip(self, vals_list, strict=True):
            vals["mailing_id"] = translation.mailing_id.sudo().copy({"user_id": self.env.uid}).id
        return vals_list
