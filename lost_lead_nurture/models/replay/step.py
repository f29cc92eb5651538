from odoo import fields, models
from odoo.tools import SQL

#: How a journey ends by what a step does to its lead.
EXITS = {"restore": "restored", "blacklist": "blacklisted"}


class NurtureStep(models.Model):
    """Steps in the past: what follows from them is decided, and nothing is done."""

    _inherit = "nurture.step"

    def _pretend(self, traces):
        """In a replay: what the engine knows after :meth:`_do`, and what becomes of the message."""
        self.ensure_one()
        if not self._is_message():
            if self._ends_journey():
                traces.participant_id._reach(EXITS[self.action_kind])
            return
        ((mailing, batch),) = self._get_batches(traces)
        if values := self._get_pretended():
            self._note_pretended(batch, mailing, values)
            self._expect_reactions(batch)
        batch._handle("sent")

    def _get_pretended(self):
        """In a replay: what stands on a message of this step, as columns of ``mailing_trace``, for
        the alias ``lead``; nothing where it is not counted.

        :return: ``{column: SQL}``
        """
        if self.step_type != "email":
            return {}
        return {"trace_type": SQL("'mail'"), "email": SQL("lead.email_normalized")}

    def _note_pretended(self, traces, mailing, values):
        now = fields.Datetime.now()
        values = {
            **values,
            "trace_status": SQL("'sent'"),
            "model": SQL("'crm.lead'"),
            "res_id": SQL("lead.id"),
            "mass_mailing_id": SQL("%s", mailing.id),
            "nurture_trace_id": SQL("trace.id"),
            "sent_datetime": SQL("%s", now),
            "create_date": SQL("%s", now),
        }
        self.env.cr.execute(
            SQL(
                "INSERT INTO nurture_past_sent (%s) SELECT %s FROM nurture_trace trace"
                " JOIN nurture_participant participant ON participant.id = trace.participant_id"
                " JOIN crm_lead lead ON lead.id = participant.lead_id WHERE trace.id IN %s",
                SQL(", ").join(map(SQL.identifier, values)),
                SQL(", ").join(values.values()),
                tuple(traces.ids),
            )
        )
        self.env["mailing.trace"].invalidate_model(flush=False)
        traces.invalidate_recordset(["mailing_trace_ids"], flush=False)

    def _expect_reactions(self, traces):
        """What becomes of messages that are sent now: what really did, after as long as it took
        then, where the same lead got the same message; else what is assumed. Who reacts by the
        assumption is drawn by a hash: whoever clicks opens, too."""
        past = self.env["nurture.past"]
        self.env.cr.execute(
            SQL(
                """
                WITH sent AS (
                     SELECT trace.id, trace.step_id, participant.dedup_key, real.id AS real_id,
                            real.sent_datetime, real.open_datetime, real.links_click_datetime,
                            real.reply_datetime, real.trace_status
                       FROM nurture_trace trace
                       JOIN nurture_participant participant ON participant.id = trace.participant_id
                  LEFT JOIN %(participants)s known ON known.sequence_id = participant.sequence_id
                        AND known.lead_id = participant.lead_id
                        AND known.enrolment_number = participant.enrolment_number
                  LEFT JOIN %(traces)s done ON done.participant_id = known.id
                        AND done.step_id = trace.step_id
                  LEFT JOIN %(messages)s real ON real.nurture_trace_id = done.id
                        AND real.sent_datetime IS NOT NULL
                      WHERE trace.id IN %(ids)s
                     )
                INSERT INTO nurture_past_reaction (date, event, trace_id)
                SELECT %(now)s + (happened.date - sent.sent_datetime), happened.event, sent.id
                  FROM sent
            CROSS JOIN LATERAL (VALUES ('open', sent.open_datetime),
                                       ('click', sent.links_click_datetime),
                                       ('reply', sent.reply_datetime),
                                       ('bounce', CASE WHEN sent.trace_status = 'bounce'
                                                       THEN sent.sent_datetime END)
                       ) happened (event, date)
                 WHERE happened.date IS NOT NULL
             UNION ALL
                SELECT %(now)s + assumed.after, assumed.event, sent.id
                  FROM sent
                  JOIN nurture_past_assumed assumed
                    ON ('x' || substr(md5('replay ' || sent.step_id || ':' || sent.dedup_key), 1, 8)
                       )::bit(32)::bigint < assumed.share * 4294967296
                 WHERE sent.real_id IS NULL
                """,
                participants=past._sql_real("nurture_participant"),
                traces=past._sql_real("nurture_trace"),
                messages=past._sql_real("mailing_trace"),
                ids=tuple(traces.ids),
                now=fields.Datetime.now(),
            )
        )
