from odoo import api, fields, models
from odoo.tools import SQL

SMS_REASONS = [
    ("no_phone", "The lead has no phone number"),
    ("invalid_phone", "The phone number is not valid"),
    ("phone_blacklisted", "The phone number is blacklisted"),
    ("sms_duplicate", "The phone number already got this SMS"),
    ("sms_cancelled", "The SMS was cancelled"),
    ("sms_failed", "The SMS could not be sent"),
]
#: ``nurture.trace.reason`` by ``mailing.trace.failure_type``
REASON_OF_FAILURE = {
    "sms_number_missing": "no_phone",
    "sms_number_format": "invalid_phone",
    "sms_blacklist": "phone_blacklisted",
    "sms_duplicate": "sms_duplicate",
    "sms_optout": "opt_out",
}


def _retire(traces):
    """The add-on is uninstalled, and its steps are archived."""
    traces.write({"reason": "step_archived"})


class NurtureTrace(models.Model):
    _inherit = "nurture.trace"

    reason = fields.Selection(
        selection_add=SMS_REASONS, ondelete={reason: _retire for reason, _label in SMS_REASONS}
    )

    def _retry(self):
        # An SMS is composed anew, for today's number and by today's blacklist. The one that failed
        # must not be sent any more, by whatever button.
        mailing_traces = self._filter_sms().mailing_trace_ids
        mailing_traces.nurture_trace_id = False
        mailing_traces._nurture_get_sms("error", "outgoing").unlink()
        return super()._retry()

    def _filter_sms(self):
        return self.filtered(lambda trace: trace.step_id.step_type == "sms")

    # ------------------------------------------------------------
    # DECIDE
    # ------------------------------------------------------------

    @api.model
    def _sql_exclusions(self):
        phone = self.env["crm.lead"]._nurture_sql_phone()
        return super()._sql_exclusions() + [
            (
                "no_phone",
                SQL(
                    """
                    step.step_type = 'sms' AND COALESCE(lead.phone, '') = ''
                    AND NOT EXISTS (
                        SELECT 1 FROM res_partner partner
                         WHERE partner.id = lead.partner_id AND partner.phone != '')
                    """
                ),
            ),
            ("invalid_phone", SQL("step.step_type = 'sms' AND %s IS NULL", phone)),
            (
                "phone_blacklisted",
                SQL(
                    """
                    step.step_type = 'sms' AND EXISTS (
                        SELECT 1 FROM phone_blacklist blacklist
                         WHERE blacklist.active AND blacklist.number = %s)
                    """,
                    phone,
                ),
            ),
            (
                "sms_duplicate",
                SQL(
                    """
                    step.step_type = 'sms' AND EXISTS (
                        SELECT 1 FROM mailing_trace
                          JOIN nurture_trace done ON done.id = mailing_trace.nurture_trace_id
                          JOIN nurture_participant other ON other.id = done.participant_id
                         WHERE done.step_id = step.id
                           AND mailing_trace.sms_number = %s
                           AND mailing_trace.trace_status NOT IN ('cancel', 'error')
                           AND other.dedup_key != participant.dedup_key)
                    """,
                    phone,
                ),
            ),
        ]

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _get_reasons_of_failure(self):
        return super()._get_reasons_of_failure() | REASON_OF_FAILURE

    def _handle(self, event, link=None):
        if event == "accepted":
            return self._handle_accepted()
        return super()._handle(event, link)

    def _handle_accepted(self):
        """The provider has it and will report when it leaves. Should that report never come, what
        waits for it expires with the attribution window of the sequence."""
        self._update(
            SQL("parent_id IN %s AND nurture_trace.state = 'waiting'", tuple(self.ids)),
            expire_date=self._sql_window(fields.Datetime.now()),
        )
        self.participant_id._complete()

    def _handle_not_sent(self, state, get_reason):
        default = "sms_failed" if state == "error" else "sms_cancelled"

        def get_reason_by_type(mailing_trace):
            if mailing_trace.trace_type == "sms":
                return REASON_OF_FAILURE.get(mailing_trace.failure_type, default)
            return get_reason(mailing_trace)

        return super()._handle_not_sent(state, get_reason_by_type)

    def _handle_last_word(self, event, scheduled):
        # A bounced SMS says nothing of the mail address: the lead stays in the sequence, and of
        # what follows the SMS only the branch for a bounce goes on.
        bounced = self._filter_sms() if event == "bounce" else self.browse()
        if bounced:
            self._update(
                SQL(
                    "parent_id IN %s AND id NOT IN %s AND state IN ('waiting', 'scheduled')",
                    tuple(bounced.ids),
                    tuple(scheduled.ids) or (0,),
                ),
                state="cancelled",
                reason="parent_failed",
            )
        return super(NurtureTrace, self - bounced)._handle_last_word(event, scheduled)
