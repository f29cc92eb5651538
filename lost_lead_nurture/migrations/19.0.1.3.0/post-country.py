"""Participants know the country of their lead: those that are there get the one it has now."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE nurture_participant
           SET country_id = lead.country_id
          FROM crm_lead lead
         WHERE lead.id = nurture_participant.lead_id AND lead.country_id IS NOT NULL
        """
    )
