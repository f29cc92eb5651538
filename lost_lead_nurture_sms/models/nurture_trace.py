from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.lost_lead_nurture.tools import triggers

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

    def action_retry(self):
        failed = self._filter_sms().filtered(lambda trace: trace.state == "error")
        result = super().action_retry()
        # It is composed anew, for today's number and by today's blacklist. The one that failed
        # must not be sent any more, by whatever button.
        retried = failed.sudo().filtered(lambda trace: trace.state == "scheduled")
        messages = retried.mailing_trace_ids
        messages.nurture_trace_id = False
        messages._nurture_get_sms("error", "outgoing").unlink()
        return result

    def _filter_sms(self):
        return self.filtered(lambda trace: trace.step_id.step_type == "sms")

    # ------------------------------------------------------------
    # DECIDE
    # ------------------------------------------------------------

    @api.model
    def _sql_obstacles(self):
        phone = self.env["crm.lead"]._nurture_sql_phone()
        return super()._sql_obstacles() + [
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
                        SELECT 1 FROM mailing_trace other
                         WHERE other.mass_mailing_id = step.mailing_id
                           AND other.sms_number = %s
                           AND other.res_id != lead.id
                           AND other.trace_status NOT IN ('cancel', 'error'))
                    """,
                    phone,
                ),
            ),
        ]

    # ------------------------------------------------------------
    # HEAR
    # ------------------------------------------------------------

    @api.model
    def _get_reasons_of_failure(self):
        return super()._get_reasons_of_failure() | REASON_OF_FAILURE

    def _hear(self, event):
        if event == "accepted":
            return self._hear_accepted()
        bounced = self._filter_sms() if event == "bounce" else self.browse()
        if bounced:
            bounced._hear_sms_bounce()
        if others := self - bounced:
            return super(NurtureTrace, others)._hear(event)
        return None

    def _hear_accepted(self):
        """The provider has it and will report when it leaves. Should that report never come, what
        waits for it is given up with the window of the sequence."""
        self._update(
            SQL("parent_id IN %s AND state = 'waiting'", tuple(self.ids)),
            expire_date=self._sql_window(fields.Datetime.now()),
        )
        self.participant_id._complete()

    def _hear_sms_bounce(self):
        """The number cannot be reached. That says nothing of the mail address: the lead stays in
        the sequence, and of what follows the SMS only the branch for a bounce goes on."""
        branch = self._update(
            self._sql_children(triggers.wanting("bounce"), "waiting"),
            state="scheduled",
            schedule_date=self._sql_due(fields.Datetime.now()),
            expire_date=None,
        )
        self._update(
            SQL(
                "parent_id IN %s AND id NOT IN %s AND state IN ('waiting', 'scheduled')",
                tuple(self.ids),
                tuple(branch.ids) or (0,),
            ),
            state="cancelled",
            reason="parent_failed",
        )
        self.participant_id._complete()

    def _hear_not_sent(self, state, get_reason):
        sms = self._filter_sms().filtered(lambda trace: trace.state == "processed")
        super()._hear_not_sent(state, get_reason)
        labels = dict(
            self.env["mailing.trace"]._fields["failure_type"]._description_selection(self.env)
        )
        default = "sms_failed" if state == "error" else "sms_cancelled"
        causes = {}
        for trace in sms:
            message = trace.mailing_trace_ids.sorted("id")[-1:]
            cause = (
                REASON_OF_FAILURE.get(message.failure_type, default),
                message.failure_reason or labels.get(message.failure_type),
            )
            causes[cause] = causes.get(cause, self.browse()) | trace
        for (reason, detail), traces in causes.items():
            traces._set_state(state, reason, detail)
