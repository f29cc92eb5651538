from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

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
#: So many of the last mails are looked at for bounces; of fewer than half of them nothing is said.
BOUNCE_SAMPLE = 100


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
    bounce_limit = fields.Float(
        string="Bounces at Most (%)",
        default=10.0,
        help="When more of the last hundred mails bounced, once fifty have left, the sequence "
        "stops automatically and its responsible is notified: mail providers punish who goes on. "
        "0: never.",
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

    @api.constrains("bounce_limit")
    def _check_bounce_limit(self):
        for sequence in self:
            if not 0 <= sequence.bounce_limit <= 100:
                raise ValidationError(
                    self.env._("“%s”: bounces are a percentage from 0 to 100.", sequence.name)
                )

    def _stop_if_bouncing(self):
        """Stop when too many of the last mails bounced."""
        for sequence in self.filtered(lambda one: one.state == "running" and one.bounce_limit):
            sent, bounced = sequence._count_last_bounces()
            if sent < BOUNCE_SAMPLE / 2 or bounced <= sent * sequence.bounce_limit / 100:
                continue
            sequence.action_stop()
            sequence.last_error = self.env._(
                "Stopped automatically: %(bounced)s of the last %(sent)s mails bounced. Check the "
                "addresses before you start it again.",
                bounced=bounced,
                sent=sent,
            )
            sequence._warn(self.env._("Too many mails bounced"), sequence.last_error)

    def _count_last_bounces(self):
        """Of the last mails that left: how many, and how many bounced. Those before the last
        start do not count again."""
        mailing_traces = self.env["mailing.trace"].sudo()
        last = mailing_traces.search(
            [
                ("nurture_trace_id.sequence_id", "=", self.id),
                ("trace_type", "=", "mail"),
                ("sent_datetime", ">=", self.resume_date or self.start_date),
            ],
            order="sent_datetime desc, id desc",
            limit=BOUNCE_SAMPLE,
        )
        return len(last), len(last.filtered(lambda one: one.trace_status == "bounce"))

    def _get_timing_problems(self):
        if self.calendar_id and not self._get_sending_hours().next_opening(
            fields.Datetime.now(), "UTC"
        ):
            hours = self.calendar_id.display_name
            return [self.env._("Its sending hours “%s” are never open.", hours)]
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
