from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL


class NurtureTrace(models.Model):
    """Messages to recipients who want a pause, or fewer mails, wait."""

    _inherit = "nurture.trace"

    def _judge_preferences(self, verdicts):
        """Take those out of the accepted whose recipient wants the message later."""
        address_of = self._get_addresses_with_wishes(verdicts.accept)
        if not address_of:
            return
        preferences = self.env["nurture.preference"].sudo()
        wishes = preferences._get_wishes(set(address_of.values()), queued=True)
        is_email = self.step_id.step_type == "email"
        accepted, verdicts.accept = verdicts.accept, []
        in_batch = Counter()
        for trace_id in accepted:
            address = address_of.get(trace_id)
            wish = wishes.get(address)
            if wish and not is_email:
                # how many mails it may be says nothing of other messages
                wish = wish._replace(number=None)
            if date := wish and wish.get_date(in_batch[address]):
                verdicts.defer[trace_id] = (date, "preference")
                continue
            in_batch[address] += 1
            verdicts.accept.append(trace_id)

    def _get_addresses_with_wishes(self, ids):
        """The addresses that want fewer mails or a pause, of these traces; almost none does.

        :return: ``{trace id: address}``
        """
        if not ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT trace.id, preference.email FROM nurture_trace trace"
                " JOIN nurture_participant participant ON participant.id = trace.participant_id"
                " JOIN crm_lead lead ON lead.id = participant.lead_id"
                " JOIN nurture_preference preference ON preference.email = lead.email_normalized"
                " AND preference.ended_date IS NULL AND preference.kind IN ('fewer', 'pause')"
                " WHERE trace.id IN %s",
                tuple(ids),
            )
        )
        return dict(rows)

    @api.model
    def _look_again(self, emails):
        """Have those looked at again that wait as their recipients wanted: they want something
        else now."""
        looked_at = self._update(
            SQL(
                "nurture_trace.state = 'scheduled' AND nurture_trace.reason = 'preference'"
                " AND participant_id IN (SELECT participant.id FROM nurture_participant participant"
                " JOIN crm_lead lead ON lead.id = participant.lead_id"
                " WHERE lead.email_normalized = ANY(%s) AND participant.state = 'running')",
                list(emails),
            ),
            state="scheduled",
            reason=None,
            schedule_date=fields.Datetime.now(),
        )
        if looked_at:
            self.env["nurture.sequence"]._wake_cron()
