from odoo import api, fields, models

from ..mail.mailing_trace import HONEYPOT_PARAMETER


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    nurture_cap_number = fields.Integer(related="company_id.nurture_cap_number", readonly=False)
    nurture_cap_days = fields.Integer(related="company_id.nurture_cap_days", readonly=False)
    nurture_window_days = fields.Integer(related="company_id.nurture_window_days", readonly=False)
    nurture_mail_cost = fields.Float(related="company_id.nurture_mail_cost", readonly=False)
    nurture_holdout_percent = fields.Float(
        related="company_id.nurture_holdout_percent", readonly=False
    )
    nurture_basis_consent = fields.Boolean(
        related="company_id.nurture_basis_consent", readonly=False
    )
    nurture_basis_confirmed = fields.Boolean(
        related="company_id.nurture_basis_confirmed", readonly=False
    )
    nurture_basis_customer = fields.Boolean(
        related="company_id.nurture_basis_customer", readonly=False
    )
    nurture_basis_interest = fields.Boolean(
        related="company_id.nurture_basis_interest", readonly=False
    )
    nurture_retention_months = fields.Integer(
        related="company_id.nurture_retention_months", readonly=False
    )
    nurture_honeypot = fields.Boolean(
        string="Invisible Link",
        config_parameter=HONEYPOT_PARAMETER,
        help="Adds a link to the mails of sequences that nobody sees, and that programs follow "
        "which check all links: what they open and click is then known to be a program's. Some "
        "spam filters do not like such a link.",
    )
    nurture_feedback_address = fields.Char(
        related="company_id.nurture_feedback_address", readonly=False
    )
    nurture_workers = fields.Selection(
        "_selection_nurture_workers",
        string="Workers",
        required=True,
        default="1",
        help="Scheduled actions that share what is due.",
    )

    @api.model
    def _selection_nurture_workers(self):
        helpers = self.env["nurture.sequence"]._get_helpers(active=False)
        return [(str(number), str(number)) for number in range(1, len(helpers) + 2)]

    @api.model
    def get_values(self):
        values = super().get_values()
        helpers = self.env["nurture.sequence"]._get_helpers()
        return {**values, "nurture_workers": str(len(helpers) + 1)}

    def set_values(self):  # pylint: disable=missing-return
        super().set_values()
        helpers = self.env["nurture.sequence"]._get_helpers(active=False)
        wanted = helpers[: int(self.nurture_workers) - 1]
        # only what changes: one that is at work cannot be written
        (wanted - wanted.filtered("active")).active = True
        (helpers - wanted).filtered("active").active = False
