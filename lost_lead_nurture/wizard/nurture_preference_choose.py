from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..models.mail.preference import KINDS

#: What a recipient may say to a person; a complaint is one about mails, too.
_SAID = [one for one in KINDS if one[0] != "topic"]


class NurturePreferenceChoose(models.TransientModel):
    """A recipient said on the phone, or in an answer, which mails are wanted: somebody notes it."""

    _name = "nurture.preference.choose"
    _description = "Note What a Recipient Wants"

    lead_id = fields.Many2one("crm.lead", required=True, context={"active_test": False})
    email = fields.Char(compute="_compute_email", string="Address")
    kind = fields.Selection(_SAID, string="Wants", required=True, default="pause")
    number = fields.Integer(string="Mails a Month", default=1)
    until_date = fields.Date(string="Until")
    sequence_id = fields.Many2one("nurture.sequence")
    opt_out_reason_id = fields.Many2one(
        "mailing.subscription.optout",
        string="Reason",
        # others may not see the reasons
        groups="mass_mailing.group_mass_mailing_user",
    )
    feedback = fields.Text(string="What Was Said", help="Everybody who reads the lead reads it.")

    @api.depends("lead_id")
    def _compute_email(self):
        for wizard in self:
            wizard.email = wizard.lead_id.email_normalized

    def action_note(self):
        """Note it, and obey it from now on.

        :raise AccessError: for who may change neither the lead nor sequences, or may take nobody
            off the blacklist
        :raise UserError: when the lead has no address, or one that nobody but the user knows
        :raise ValidationError: when it is not said what exactly
        """
        self.ensure_one()
        lead = self.lead_id
        lead.check_access("read")
        if not self.env["nurture.sequence"].has_access("write"):
            lead.check_access("write")
        if self.sequence_id:
            self.sequence_id.check_access("read")
        if self.kind == "return" and lead.is_blacklisted:
            # to take somebody off the blacklist is for who may do that in Odoo
            self.env["mail.blacklist"].check_access("write")
        if not lead.email_normalized:
            raise UserError(self.env._("This lead has no email address."))
        lead._nurture_check_address()
        if self.kind == "sequence" and not self.sequence_id:
            raise UserError(self.env._("Which sequence is it about?"))
        # the log is written for the recipient; who may note it was asked above
        self.env["nurture.preference"].sudo()._choose(
            lead.email_normalized, self.kind, "person", **self._get_values()
        )
        return {"type": "ir.actions.act_window_close"}

    def _get_values(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        values = {
            "wording": labels[self.kind],
            "company_id": self.lead_id.company_id.id,
            "opt_out_reason_id": self.sudo().opt_out_reason_id.id,
            "feedback": self.feedback,
        }
        if self.kind == "sequence":
            values["sequence_id"] = self.sequence_id.id
        elif self.kind == "fewer":
            values["number"] = self.number
            values["wording"] = self.env._("At most %s mails a month", self.number)
            if self.number == 1:
                values["wording"] = self.env._("At most one mail a month")
        elif self.kind == "pause":
            values["until_date"] = self.until_date
            until = format_date(self.env, self.until_date)
            values["wording"] = self.env._("A pause until %s", until)
        return values
