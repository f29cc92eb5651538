from datetime import timedelta
from functools import partial

from odoo import fields, models
from odoo.tools import SQL

from ...tools.pace import GRACE, STAGES
from ...tools.zones import recipient_zone

#: Who opened or clicked a mail in so many days is an active recipient.
ACTIVE_DAYS = 90


class NurtureTrace(models.Model):
    """When a mail may go under the limits of its sequence, its mail provider and its mail
    server. Whoever waits for one does not keep others from leaving."""

    _inherit = "nurture.trace"

    def _judge_pace(self, verdicts):
        """Take those out of the accepted whose mail has no place yet, and put down until when.
        Who opened or clicked something lately comes first."""
        if not verdicts.accept:
            return
        step, sequence = self.step_id, self.sequence_id
        pace = self.env["nurture.pace"].sudo()
        pacer = pace._make_pacer(sequence, step.mailing_id)
        if not pacer:
            return
        now = fields.Datetime.now()
        schedule = sequence._get_sending_hours()
        rows = self._get_paced(verdicts.accept)
        providers = self.env["nurture.provider"].sudo()
        codes = providers._get_codes({address for _id, address, *_rest in rows})
        verdicts.accept = []
        names = {}
        for trace_id, address, reason, due, *recipient in rows:
            code = codes.get(address)
            place = schedule and partial(schedule.place, zone=recipient_zone(*recipient), share=0)
            passed = reason if reason in STAGES and due >= now - GRACE else None
            date, stage = pacer.judge(code, now, place, passed)
            if not stage:
                verdicts.accept.append(trace_id)
                continue
            if stage == "provider_held" and date:
                # not all of them at the moment when the hold ends
                date = providers._spread(date, trace_id)
            if stage.startswith("provider") and code not in names:
                names[code] = providers._describe(code)
            detail = names[code] if stage.startswith("provider") else None
            verdicts.defer[trace_id] = (date or now + timedelta(days=1), stage, detail)
        pace._keep(pacer.slots)

    def _get_paced(self, ids):
        """What decides when mails may go, active recipients first.

        :return: rows of trace id, address, why the trace was deferred, when it is due, and the time
            zone of the contact, the country and the company
        """
        now = fields.Datetime.now()
        recipient, recipient_joins = self.sequence_id._sql_recipient()
        return self.env.execute_query(
            SQL(
                """
                SELECT trace.id, lead.email_normalized, trace.reason, trace.schedule_date,
                       %(recipient)s
                  FROM nurture_trace trace
                  JOIN nurture_participant participant ON participant.id = trace.participant_id
                  JOIN crm_lead lead ON lead.id = participant.lead_id
                       %(recipient_joins)s
             LEFT JOIN LATERAL (
                       SELECT max(GREATEST(open_datetime, links_click_datetime)) AS date
                         FROM mailing_trace
                        WHERE mailing_trace.email = lead.email_normalized
                          AND GREATEST(open_datetime, links_click_datetime) > %(since)s
                       ) active ON true
                 WHERE trace.id IN %(ids)s
              ORDER BY active.date DESC NULLS LAST, trace.schedule_date, trace.id
                """,
                recipient=recipient,
                recipient_joins=recipient_joins,
                since=now - timedelta(days=ACTIVE_DAYS),
                ids=tuple(ids),
            )
        )
