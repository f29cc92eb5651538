from odoo import api, fields, models


class NurtureFurtherMailMixin(models.AbstractModel):
    """One more mail of a step beside its own: in another language, or another version of it."""

    _name = "nurture.further.mail.mixin"
    _inherit = ["nurture.guard.mixin"]
    _description = "Nurture: Further Mail of a Step"

    step_id = fields.Many2one("nurture.step", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="step_id.company_id", store=True)
    mailing_id = fields.Many2one(
        "mailing.mailing", string="Mail", required=True, ondelete="restrict"
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
        mails = super().create(vals_list)
        mails._note_new_mailings()
        return mails

    def write(self, vals):
        result = super().write(vals)
        if "mailing_id" in vals:
            self._note_new_mailings()
        return result

    def _note_new_mailings(self):
        self.mailing_id._nurture_mark()
        for mail in self:
            mail.step_id._take_quotation_over(mail.mailing_id)

    def copy_data(self, default=None):
        """A copy gets a mail of its own, as that of its step does."""
        vals_list = super().copy_data(default)
        for mail, vals in zip(self, vals_list, strict=True):
            vals["mailing_id"] = mail.mailing_id.sudo().copy({"user_id": self.env.uid}).id
        return vals_list

    def _get_steered(self):
        return self.step_id.sequence_id

    def _get_own_companies(self):
        return self.step_id.sequence_id._get_companies()
