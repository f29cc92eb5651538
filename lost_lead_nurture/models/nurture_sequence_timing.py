from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .nurture_step import MAX_DELAY


class NurtureSequence(models.Model):
    """When messages are sent, and how many an address gets."""

    _inherit = "nurture.sequence"

    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Sending Hours",
        ondelete="restrict",
        help="Messages leave in these hours only, by the reader's clock: that of the contact, else "
        "of the lead's country where it has one time zone only, else of the company. What falls "
        "due at other times is spread over the next hours. Empty: at any time.",
    )
    cap_own = fields.Boolean(
        string="Own Frequency Cap", help="Instead of the company's, which is in the settings."
    )
    cap_number = fields.Integer(
        string="Messages at Most",
        help="An address gets no more marketing mails and SMS than this in the days beside it, "
        "those of other sequences and mailings included. 0: no limit.",
    )
    cap_days = fields.Integer(string="In Days", default=7)

    @api.constrains("cap_number", "cap_days")
    def _check_cap(self):
        for sequence in self:
            if sequence.cap_number < 0 or not 1 <= sequence.cap_days <= MAX_DELAY["days"]:
                raise ValidationError(
                    self.env._(
                        "“%s”: a frequency cap is a number of messages, not negative, in one day "
                        "or more.",
                        sequence.name,
                    )
                )

    def _get_problems(self):
        problems = super()._get_problems()
        if self.calendar_id and not self._get_window().next_opening(fields.Datetime.now(), "UTC"):
            problems.append(
                self.env._("Its sending hours “%s” are never open.", self.calendar_id.display_name)
            )
        return problems

    def _get_window(self):
        """The hours in which messages leave (:class:`Window`), or None for any time."""
        return self.calendar_id.sudo()._nurture_window() if self.calendar_id else None

    def _get_cap(self):
        """How many marketing messages an address may get: (number, days); number 0 is no limit."""
        if self.cap_own:
            return self.cap_number, self.cap_days
        company = (self.company_id or self.user_id.company_id or self.env.company).sudo()
        return company.nurture_cap_number, company.nurture_cap_days

    def _get_company_zone(self):
        """The time zone of the company."""
        return (self.company_id or self.user_id.company_id or self.env.company).sudo().partner_id.tz
