"""Who has called a mail spam is kept as a mail preference from now on, so that it is said why an
address is excluded, and stays so when somebody takes it off the blacklist for another reason."""


def migrate(cr, version):
    cr.execute(
        """
        INSERT INTO nurture_preference (email, kind, source, date, mailing_id, wording,
                    create_uid, create_date, write_uid, write_date)
        SELECT DISTINCT ON (trace.email)
               trace.email, 'complaint', 'complaint', trace.nurture_complaint_date,
               trace.mass_mailing_id, 'Called a mail spam, as the mail provider reports',
               1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
          FROM mailing_trace trace
          JOIN mail_blacklist blacklist ON blacklist.email = trace.email AND blacklist.active
         WHERE trace.nurture_complaint_date IS NOT NULL AND trace.email IS NOT NULL
      ORDER BY trace.email, trace.nurture_complaint_date
   ON CONFLICT DO NOTHING
        """
    )
