"""Say of the mails of sequences in which of them somebody unsubscribed before that was kept: the
last one that the recipient had got, of whatever sequence."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE mailing_trace
           SET nurture_unsubscribe_date = last.exit_date
          FROM (SELECT DISTINCT ON (mail.email, participant.exit_date)
                       mail.id, participant.exit_date
                  FROM nurture_participant participant
                  JOIN nurture_trace trace ON trace.participant_id = participant.id
                  JOIN mailing_trace mail ON mail.nurture_trace_id = trace.id
                 WHERE participant.exit_reason = 'unsubscribed'
                   AND mail.trace_type = 'mail' AND mail.is_test_trace IS NOT TRUE
                   AND mail.sent_datetime <= participant.exit_date
              ORDER BY mail.email, participant.exit_date, mail.sent_datetime DESC, mail.id DESC
               ) last
         WHERE last.id = mailing_trace.id AND nurture_unsubscribe_date IS NULL
        """
    )
