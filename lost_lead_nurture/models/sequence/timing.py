from functools import partial

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...tools.pace import SLICE, Slots, per_hour
from ..mail.provider import MAX_HOURLY
from ..step.step import MAX_DELAY

#: The most messages that a frequency cap can be about.
MAX_CAP = 1000
#: What decides where the people of a lead are, for the alias ``lead``.
RECIPIENT_JOINS = SQL(
    """
     LEFT JOIN res_partner contact ON contact.id = lead.partner_id
     LEFT JOIN res_country country ON country.id = COALESCE(lead.country_id, contact.country_id)
    """
)


class NurtureSequence(models.Model):
    """When messages are sent, and how many an address gets."""

    _inherit = "nurture.sequence"

    calendar_id = fields.Many2one(
        "resource.calendar",
        string="Sending Hours",
        ondelete="restrict",
        help="Messages leave in these hours only, by the recipient's clock: that of the contact, "
        "else of the lead's country where it has one time zone only, else of the company. What "
        "falls due at other times is spread over the next hours. Empty: at any time.",
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
    hourly_limit = fields.Integer(
        string="Mails per Hour at Most",
        help="No more mails of the sequence than this leave in an hour, spread over it; active "
        "recipients first. Mail providers and mail servers may have limits, too. 0: no limit.",
    )

    @api.constrains("cap_number", "cap_days")
    def _check_cap(self):
        for sequence in self:
            if (
                not 0 <= sequence.cap_number <= MAX_CAP
                or not 1 <= sequence.cap_days <= MAX_DELAY["days"]
            ):
                raise ValidationError(
                    self.env._(
                        "“%(sequence)s”: a frequency cap is a number of messages from 0 to "
                        "%(most)s, in one day or more.",
                        sequence=sequence.name,
                        most=MAX_CAP,
                    )
                )

    @api.constrains("hourly_limit")
    def _check_hourly_limit(self):
        for sequence in self:
            if not 0 <= sequence.hourly_limit <= MAX_HOURLY:
                raise ValidationError(
                    self.env._(
                        "“%(sequence)s”: mails per hour are a number from 0 to %(most)s.",
                        sequence=sequence.name,
                        most=MAX_HOURLY,
                    )
                )

    def _change_hourly_limit(self):
        """What waits under the limit gets a place anew."""
        for sequence in self:
            # whoever gets here may write the sequence
            self.env["nurture.pace"].sudo()._give_anew(f"sequence:{sequence.id}")

    def _give_places_back(self):
        """These are stopped: others leave meanwhile. What waits gets a place anew when it goes
        on. Whose message was recalled has given its place back already."""
        if self:
            # whoever gets here may write the sequence
            places = self.env["nurture.pace"].sudo()
            waiting = SQL(
                "nurture_trace.state = 'scheduled' AND sequence_id IN %s", tuple(self.ids)
            )
            places._give_back(waiting)

    def _get_timing_problems(self):
        if not self.calendar_id:
            return []
        now, schedule = fields.Datetime.now(), self._get_sending_hours()
        hours = self.calendar_id.display_name
        if not schedule.next_opening(now, "UTC"):
            return [self.env._("Its sending hours “%s” are never open.", hours)]
        slots = self.hourly_limit and Slots(SLICE, per_hour(self.hourly_limit))
        if slots and not slots.find(now, partial(schedule.place, zone="UTC")):
            # an hour's few mails have their places at certain minutes
            return [
                self.env._(
                    "Its sending hours “%(hours)s” are too short for %(number)s mails an hour: "
                    "open them for longer, or let more mails leave.",
                    hours=hours,
                    number=self.hourly_limit,
                )
            ]
        return []

    def _get_sending_hours(self):
        """The hours in which messages leave (:class:`SendingHours`), or None for any time."""
        return self.calendar_id.sudo()._nurture_sending_hours() if self.calendar_id else None

    def _get_cap(self):
        """How many marketing messages an address may get: (number, days); number 0 is no limit."""
        if self.cap_own:
            return self.cap_number, self.cap_days
        company = self._get_company()
        return company.nurture_cap_number, company.nurture_cap_days

    def _get_company(self):
        """Whose frequency cap and clock apply: the sequence's company, or without one that of its
        responsible."""
        sequence = self.sudo()
        return sequence.company_id or sequence.user_id.company_id or sequence.env.company

    def _get_company_zone(self):
        """The time zone of the company; False when it has none."""
        return self._get_company().partner_id.tz

    def _sql_recipient(self):
        """What decides in which time zone a recipient is, for the alias ``lead``.

        :return: SQL of the three columns that :func:`recipient_zone` takes, SQL of the joins that
            they need
        """
        return (
            SQL("contact.tz, country.code, %s::text", self._get_company_zone() or None),
            RECIPIENT_JOINS,
        )
