from odoo import api, fields, models
from odoo.fields import Domain


class MailingTrace(models.Model):
    """Recipients who have had enough: they unsubscribe in a mail, or call it spam."""

    _inherit = "mailing.trace"

    nurture_unsubscribe_date = fields.Datetime(
        string="Unsubscribed On",
        readonly=True,
        copy=False,
        help="When the recipient unsubscribed by the link of this message, or the button that mail "
        "programs make of it.",
    )
    nurture_complaint_date = fields.Datetime(
        string="Complained On",
        readonly=True,
        copy=False,
        help="When the recipient's mail provider reported that the recipient calls this mail spam.",
    )

    @api.model
    def _nurture_note_unsubscribed(self, domain):
        """Somebody unsubscribed in one of the messages in ``domain``; the first time counts."""
        mailing_traces = self.search(
            Domain(domain)
            & Domain("is_test_trace", "=", False)
            & Domain("nurture_unsubscribe_date", "=", False)
        )
        mailing_traces.nurture_unsubscribe_date = fields.Datetime.now()

    @api.model
    def _nurture_take_complaint(self, complaint):
        """Whoever complained leaves all sequences at once, and gets no mailing any more.

        :param complaint: :class:`~tools.complaints.Complaint`
        :return: whether it is about a mail of ours
        """
        mailing_traces = self._nurture_find_complained(complaint)
        if not mailing_traces:
            return False
        mailing_traces.filtered(
            lambda one: not one.nurture_complaint_date
        ).nurture_complaint_date = fields.Datetime.now()
        addresses = sorted({one.email for one in mailing_traces if one.email})
        participants = self.env["nurture.participant"].sudo()
        participants._find_running(addresses)._leave("complained")
        for address in addresses:
            self.env["mail.blacklist"].sudo()._add(
                address,
                message=self.env._(
                    "The mail provider reported a complaint about “%s”.",
                    mailing_traces.mass_mailing_id[:1].display_name,
                ),
            )
        return True

    @api.model
    def _nurture_find_complained(self, complaint):
        """The mail that a complaint names."""
        return self.search(
            Domain("message_id", "in", complaint.message_ids)
            & Domain("sent_datetime", "!=", False)
            & Domain("is_test_trace", "=", False)
        )
