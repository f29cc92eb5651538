from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools.sending_hours import share_of
from ...tools.zones import recipient_zone


class NurtureTrace(models.Model):
    """When a message may go: not too many to one address, in the sending hours, and none to those
    who have been silent for too long."""

    _inherit = "nurture.trace"

    def _judge_timing(self, verdicts):
        """Take those out of the accepted whose message has to wait, and put down until when."""
        step, sequence = self.step_id, self.sequence_id
        number, days = sequence._get_cap()
        schedule = sequence._get_sending_hours()
        sunset = sequence.silent_limit if step.trigger != "silent" else 0
        if not verdicts.accept or not (number or schedule or sunset):
            return
        now = fields.Datetime.now()
        accepted, verdicts.accept = verdicts.accept, []
        in_batch = {}
        silent = self._get_silent(accepted, sunset) if sunset else {}
        for row in self._get_timing(accepted, number, days):
            trace_id, participant_id, lead_id, address, count, free_on, reason, *recipient = row
            address = address or lead_id
            if participant_id in silent:
                self._judge_silence(verdicts, trace_id, participant_id, silent[participant_id])
                continue
            if schedule and reason != "run_now":
                # the share that the forecast takes, too; whose turn came too late for the hours
                # goes first in the next ones, and is not too late again
                share = 0 if reason == "sending_hours" else share_of(lead_id, step.id)
                date = schedule.place(now, recipient_zone(*recipient), share)
                if not date:
                    # it never opens since somebody emptied it: look again tomorrow
                    date = now + timedelta(days=1)
                if date > now:
                    verdicts.defer[trace_id] = (date, "sending_hours")
                    continue
            if number and count + in_batch.get(address, 0) >= number:
                if step.over_cap == "skip":
                    verdicts.put("reject", "cap", trace_id)
                elif free_on:
                    verdicts.defer[trace_id] = (free_on, "cap")
                # else the batch itself has the last message the address may get: the next batch
                # sees that
                continue
            in_batch[address] = in_batch.get(address, 0) + 1
            verdicts.accept.append(trace_id)

    def _get_timing(self, ids, number, days):
        """What decides when messages may go.

        :param number: the frequency cap; 0 for none
        :param days: the days of the cap
        :return: rows of trace id, participant id, lead id, address, how many messages the address
            got in the days of the cap, from when on it may get another one, why the trace was
            deferred or brought forward, and the time zone of the contact, the country and the
            company
        """
        now = fields.Datetime.now()
        contacts = SQL(
            """
            LEFT JOIN LATERAL (
                 SELECT count(*) AS number,
                        (array_agg(contact.date ORDER BY contact.date DESC))[%(number)s]
                        + %(days)s * interval '1 day' AS free_on
                   FROM (%(contacts)s) contact
                  WHERE contact.date > %(now)s - %(days)s * interval '1 day'
                 ) cap ON true
            """,
            number=number,
            days=days,
            contacts=SQL(" UNION ALL ").join(self.env["crm.lead"]._nurture_sql_contacts()),
            now=now,
        )
        recipient, recipient_joins = self.sequence_id._sql_recipient()
        return self.env.execute_query(
            SQL(
                """
                SELECT trace.id, participant.id, lead.id, lead.email_normalized, %(cap)s,
                       trace.reason, %(recipient)s
                  FROM nurture_trace trace
                  JOIN nurture_participant participant ON participant.id = trace.participant_id
                  JOIN crm_lead lead ON lead.id = participant.lead_id
                       %(recipient_joins)s
                       %(contacts)s
                 WHERE trace.id IN %(ids)s
              ORDER BY trace.schedule_date, trace.id
                """,
                cap=SQL("cap.number, cap.free_on") if number else SQL("0, NULL"),
                recipient=recipient,
                recipient_joins=recipient_joins,
                contacts=contacts if number else SQL(),
                ids=tuple(ids),
            )
        )

    # ------------------------------------------------------------
    # SUNSET
    # ------------------------------------------------------------

    def _judge_silence(self, verdicts, trace_id, participant_id, last_chance):
        """A participant has been silent for too long: it leaves, unless a last-chance mail is still
        to ask for engagement, or has been sent not long enough ago.

        :param last_chance: state of the last-chance mail's trace, and when its mail left
        """
        sequence = self.sequence_id
        now = fields.Datetime.now()
        state, sent_on = last_chance
        patience = timedelta(days=sequence.silent_days)
        if state is None and sequence._get_last_chance():
            verdicts.last_chance.append(participant_id)
            verdicts.defer[trace_id] = (now + patience, "last_chance")
        elif sent_on and sent_on + patience > now:
            verdicts.defer[trace_id] = (sent_on + patience, "last_chance")
        elif not sent_on and state in ("scheduled", "processed", "error"):
            # it waits for its hours, in the queue, or to be tried again
            verdicts.defer[trace_id] = (now + patience, "last_chance")
        else:
            verdicts.put("leave", "silent", trace_id)

    def _get_silent(self, ids, limit):
        """Participants who did not open their last mails, ``limit`` of them or more.

        :return: ``{participant id: (state of the last-chance mail's trace, when it left)}``
        """
        rows = self.env.execute_query(
            SQL(
                """
                SELECT trace.participant_id, last_chance.state, last_chance.sent_on
                  FROM nurture_trace trace
                  JOIN LATERAL (
                       SELECT count(*) FILTER (WHERE mailing_trace.trace_status = 'sent'
                                            AND mailing_trace.sent_datetime >= life.last) AS number
                         FROM nurture_trace done
                         JOIN nurture_step step ON step.id = done.step_id
                          AND step.trigger != 'silent'
                         JOIN mailing_trace ON mailing_trace.nurture_trace_id = done.id
                          AND mailing_trace.trace_type = 'mail'
                   CROSS JOIN LATERAL (
                              SELECT COALESCE(max(GREATEST(alive.open_datetime,
                                                           alive.links_click_datetime,
                                                           alive.reply_datetime)),
                                              '-infinity') AS last
                                FROM nurture_trace other
                                JOIN mailing_trace alive ON alive.nurture_trace_id = other.id
                               WHERE other.participant_id = done.participant_id
                              ) life
                        WHERE done.participant_id = trace.participant_id
                       ) silent ON silent.number >= %(limit)s
             LEFT JOIN LATERAL (
                       SELECT done.state, mailing_trace.sent_datetime AS sent_on
                         FROM nurture_trace done
                         JOIN nurture_step step ON step.id = done.step_id
                          AND step.trigger = 'silent' AND step.active
                          AND done.reason IS DISTINCT FROM 'opposite'
                    LEFT JOIN mailing_trace ON mailing_trace.nurture_trace_id = done.id
                        WHERE done.participant_id = trace.participant_id
                     ORDER BY mailing_trace.sent_datetime DESC NULLS LAST
                        LIMIT 1
                       ) last_chance ON true
                 WHERE trace.id IN %(ids)s
                """,
                limit=limit,
                ids=tuple(ids),
            )
        )
        return {participant_id: (state, sent_on) for participant_id, state, sent_on in rows}

    @api.model
    def _sql_may_be_outdated(self):
        """Of which sequences (alias ``sequence``) messages are looked at once more before they
        leave, see :meth:`_find_outdated`."""
        return SQL("sequence.entry = 'price'")

    def _find_outdated(self):
        """Whose message of these traces, which are in the queue, does not leave after all: what was
        true when it was queued is not any more. Mails and SMS ask it in the transaction in which
        they leave; other add-ons extend both methods.

        :return: ``{participant id: exit reason}``
        """
        priced = self.sudo().filtered(lambda trace: trace.sequence_id.entry == "price")
        return priced.participant_id._find_risen()

    def _leave_outdated(self):
        """Let those leave whose message does not, see :meth:`_find_outdated`."""
        outdated = self._find_outdated()
        for reason in set(outdated.values()):
            ids = [id_ for id_, why in outdated.items() if why == reason]
            self.env["nurture.participant"].browse(ids)._leave(reason)

    @api.model
    def _begin_last_chance(self, participant_ids):
        """Send these participants the last-chance mail, which asks for engagement."""
        if not participant_ids:
            return
        now = fields.Datetime.now()
        # somebody read a mail before it was sent last time, and has fallen silent again
        self._update(
            SQL("%s AND reason = 'opposite'", self._sql_last_chance(participant_ids, "cancelled")),
            state="scheduled",
            reason=None,
            base_date=now,
            schedule_date=self._sql_due(now),
        )
        self._begin(list(participant_ids), "silent")
        self.env["nurture.sequence"]._wake_cron()

    def _end_silence(self):
        """Somebody engaged: whoever was deferred for the last-chance mail goes on at once, and
        a last-chance mail that has not been sent yet is not any more.

        :return: the traces of last-chance mails that are cancelled
        """
        alive = self.filtered(lambda trace: trace.sequence_id.silent_limit).participant_id
        if not alive:
            return self.browse()
        cancelled = self._update(
            self._sql_last_chance(alive.ids, "scheduled"), state="cancelled", reason="opposite"
        )
        self._update(
            SQL(
                "participant_id IN %s AND state = 'scheduled' AND reason = 'last_chance'",
                tuple(alive.ids),
            ),
            state="scheduled",
            reason=None,
            schedule_date=fields.Datetime.now(),
        )
        return cancelled

    @api.model
    def _sql_last_chance(self, participant_ids, state):
        """Condition on the traces of the last-chance mail of these participants in ``state``."""
        return SQL(
            "participant_id IN %s AND nurture_trace.state = %s"
            " AND step_id IN (SELECT id FROM nurture_step WHERE trigger = 'silent')",
            tuple(participant_ids),
            state,
        )
