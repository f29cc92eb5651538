from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.pace import GRACE, REASONS
from ...tools.zones import recipient_zone

#: Who opened or clicked a mail in so many days is an active recipient.
ACTIVE_DAYS = 90


class NurtureTrace(models.Model):
    """When a mail may go under the limits of its sequence, its mail provider and its mail
    server. Whoever waits for one does not keep others from leaving."""

    _inherit = "nurture.trace"

    def _judge_pace(self, verdicts, mailing):
        """Take those out of the accepted whose mail has no place yet, and put down until when.
        Who opened or clicked something lately comes first.

        :param mailing: what the accepted get
        """
        if not verdicts.accept:
            return
        sequence = self.sequence_id
        pace = self.env["nurture.pace"].sudo()
        pacer = pace._make_pacer(sequence, mailing)
        if not pacer:
            return
        now = fields.Datetime.now()
        schedule = sequence._get_sending_hours()
        rows = self._get_paced(verdicts.accept)
        providers = self.env["nurture.provider"].sudo()
        codes = providers._get_codes({address for _id, address, *_rest in rows})
        verdicts.accept = []
        names, places = {}, []
        for trace_id, address, kept, kept_date, *recipient in rows:
            code = codes.get(address)
            place = schedule and partial(schedule.place, zone=recipient_zone(*recipient))
            if until := pacer.get_held(code, now):
                # what place it has it does not need then
                date, reason, limits = (
                    place(until, share=0) if place else until,
                    "provider_held",
                    None,
                )
                # not all of them at the moment when the hold ends
                date = date and providers._spread(date, trace_id)
            else:
                kept = kept.split(",") if kept else ()
                date, key = pacer.judge(code, now, place, kept, kept_date)
                wanted = pacer.get_keys(code)
                keys = ",".join(wanted)
                if not key:
                    verdicts.accept.append(trace_id)
                    if keys:
                        has_place = set(wanted) <= set(kept)
                        places.append((trace_id, keys, kept_date if has_place else now))
                    continue
                # who has no place at all has none tomorrow, either
                reason, limits = REASONS[key.partition(":")[0]], keys if date else ""
            if reason.startswith("provider") and code not in names:
                names[code] = providers._describe(code)
            detail = names[code] if reason.startswith("provider") else None
            date = date or now + timedelta(days=1)
            verdicts.defer[trace_id] = (date, reason, detail, limits)
        pace._keep(pacer.slots)
        self._note_places(places)

    @api.model
    def _note_places(self, places):
        """Note which places those have who go ahead: should their mails be taken out of the queue
        again, others leave in them.

        :param places: rows of trace id, keys of limits, and when the place is
        """
        if not places:
            return
        self.flush_model(["limits", "place_date"])
        self.env.execute_query(
            SQL(
                "UPDATE nurture_trace SET limits = place.keys, place_date = place.date"
                " FROM (VALUES %s) place (id, keys, date) WHERE nurture_trace.id = place.id"
                " RETURNING nurture_trace.id",
                SQL(", ").join(SQL("(%s, %s, %s::timestamp)", *row) for row in places),
            )
        )
        traces = self.browse(trace_id for trace_id, *_place in places)
        traces.invalidate_recordset(["limits", "place_date"], flush=False)

    @api.model
    def _sql_lost_place(self):
        """Which traces have a place that they do not need any more: they are neither in the queue,
        nor done, nor waiting for that very moment."""
        return SQL(
            "nurture_trace.limits IS NOT NULL AND nurture_trace.state <> 'processed'"
            " AND NOT (nurture_trace.state = 'scheduled' AND nurture_trace.reason IN %s"
            " AND nurture_trace.schedule_date = nurture_trace.place_date)",
            tuple(REASONS.values()),
        )

    def _get_paced(self, ids):
        """What decides when mails may go, active recipients first.

        :return: rows of trace id, address, keys of the limits under which the trace has its place,
            when that is, and the time zone of the contact, the country and the company
        """
        now = fields.Datetime.now()
        recipient, recipient_joins = self.sequence_id._sql_recipient()
        return self.env.execute_query(
            SQL(
                """
                SELECT trace.id, lead.email_normalized,
                       CASE WHEN trace.place_date >= %(grace)s THEN trace.limits
                            -- the place of a day is good all day
                            WHEN trace.place_date >= %(today)s
                            THEN substring(trace.limits FROM 'server-day:[0-9]+') END,
                       trace.place_date, %(recipient)s
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
                grace=now - GRACE,
                today=now.replace(hour=0, minute=0, second=0, microsecond=0),
                recipient=recipient,
                recipient_joins=recipient_joins,
                since=now - timedelta(days=ACTIVE_DAYS),
                ids=tuple(ids),
            )
        )
