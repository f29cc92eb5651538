from odoo import fields, models


class NurtureStepTranslation(models.Model):
    """The message of a step in one more language."""

    _name = "nurture.step.translation"
    _description = "Nurture Step in Another Language"
    _inherit = ["nurture.further.mail.mixin"]
    _order = "lang_id, id"
    _rec_name = "lang_id"

    lang_id = fields.Many2one("res.lang", string="Language", required=True, ondelete="restrict")
    mailing_id = fields.Many2one(
        domain="[('mailing_type', '=', 'mail'), ('nurture_is_free', '=', True)]",
        help="The same mail in this language. Leads with this language get it.",
    )

    _step_lang_unique = models.Constraint(
        "UNIQUE (step_id, lang_id)", "A step has one mail per language."
    )

    def write(self, vals):
        if vals.get("step_id") and not self.env.su:
            self.env["nurture.step"].browse(vals["step_id"]).check_access("write")
        return super().write(vals)
