"""Who has called a mail spam is kept as a mail preference from now on, so that it is said why an
address is excluded: in the company whose mail it was."""


def migrate(cr, version):
    cr.execute(
        """
        INSERT INTO nurture_preference (email, kind, source, date, mailing_id, wording,
                    company_id, create_uid, create_date, write_uid, write_date)
        SELECT DISTINCT ON (trace.email)
               trace.email, 'complaint', 'complaint', trace.nurture_complaint_date,
               trace.mass_mailing_id, 'Called a mail spam, as the mail provider reports',
               COALESCE(own.company_id, lead.company_id),
               1, now() AT TIME ZONE 'UTC', 1, now() AT TIME ZONE 'UTC'
          FROM mailing_trace trace
     LEFT JOIN nurture_trace own ON own.id = trace.nurture_trace_id
     LEFT JOIN crm_lead lead ON lead.id = trace.res_id AND trace.model = 'crm.lead'
          JOIN mail_blacklist blacklist ON blacklist.email = trace.email AND blacklist.active
         WHERE trace.nurture_complaint_date IS NOT NULL AND trace.email IS NOT NULL
      ORDER BY trace.email, trace.nurture_complaint_date
   ON CONFLICT DO NOTHING
        """
    )
