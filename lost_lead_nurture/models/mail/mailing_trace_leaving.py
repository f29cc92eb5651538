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
        """Somebody unsubscribed in one of the messages in ``domain``."""
        self._nurture_note_leaving(domain, "unsubscribe")

    @api.model
    def _nurture_note_complained(self, domain):
        """Somebody called one of the messages in ``domain`` spam."""
        self._nurture_note_leaving(domain, "complaint")

    @api.model
    def _nurture_note_leaving(self, domain, kind):
        """Note when it happened on the messages in ``domain``; the first time counts.

        :param kind: ``unsubscribe`` or ``complaint``, as guardrails call it
        """
        date = f"nurture_{kind}_date"
        mailing_traces = self.search(
            Domain(domain) & Domain("is_test_trace", "=", False) & Domain(date, "=", False)
        )
        mailing_traces[date] = fields.Datetime.now()
        # whoever leaves sees no sequence
        mailing_traces.sudo().nurture_trace_id.sequence_id._check_guardrail(kind)

    @api.model
    def _nurture_take_complaint(self, complaint):
        """Whoever complained leaves all sequences at once, and gets no mailing any more.

        :param complaint: :class:`~tools.complaints.Complaint`
        :return: whether it is about a mail of ours
        """
        mailing_traces = self._nurture_find_named(complaint.message_ids)
        if not mailing_traces:
            return False
        self._nurture_note_complained([("id", "in", mailing_traces.ids)])
        addresses = sorted({one.email for one in mailing_traces if one.email})
        participants = self.env["nurture.participant"].sudo()
        participants._find_running(addresses)._leave("complained")
        mailing = mailing_traces.mass_mailing_id[:1]
        preferences = self.env["nurture.preference"].sudo()
        preferences._note(
            addresses,
            "complaint",
            "complaint",
            wording=self.env._("Called a mail spam, as the mail provider reports"),
            mailing_id=mailing.id,
            company_id=mailing_traces._nurture_get_company().id,
        )
        said = self.env._(
            "The mail provider reported a complaint about “%s”.", mailing.display_name
        )
        for address in addresses:
            preferences._get_blacklist("complaint")._add(address, message=said)
        return True

    @api.model
    def _nurture_find_named(self, message_ids):
        """The mails that a feedback report names, and that have left."""
        return self.search(
            Domain("message_id", "in", message_ids)
            & Domain("sent_datetime", "!=", False)
            & Domain("is_test_trace", "=", False)
        )

    def _nurture_get_company(self):
        """The company whose lead these messages went to, if that is known."""
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        found = self.filtered(lambda one: one.model == "crm.lead")[:1]
        return leads.browse(found.res_id).exists().company_id

    def _nurture_wait_until(self, date):
        """Leave these mails of sequences in the queue until ``date``, as their recipient wants
        it."""
        self.mail_mail_id._nurture_defer(date)
        self.nurture_trace_id.sudo()._note_deferral(None, date, reason="preference")

    def _nurture_cancel_plain(self, failure_type):
        """Take these plain mailings out of the queue: their recipient does not want them."""
        if not self:
            return
        labels = dict(self._fields["failure_type"]._description_selection(self.env))
        self.mail_mail_id.write(
            {
                "state": "cancel",
                "failure_type": failure_type,
                "failure_reason": labels.get(failure_type),
            }
        )
        self.set_canceled()
        self.failure_type = failure_type
