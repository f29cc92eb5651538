"""Fill the ledger with what came of leads before there was one: from the leads that were restored,
and from the orders, invoices and payments that are there."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute(
        """
        SELECT lead_id, date FROM nurture_credit_before
         UNION
        SELECT lead_id, won_back_date FROM nurture_participant
         WHERE won_back_date IS NOT NULL AND lead_id IS NOT NULL
      ORDER BY 1, 2
        """
    )
    outcomes = env["nurture.outcome"]
    for lead_id, date in cr.fetchall():
        lead = env["crm.lead"].browse(lead_id)
        journey = lead.nurture_participant_ids.sorted("entered_date")[-1:]
        outcomes._note_restored({lead: lead.lost_reason_id or journey.lost_reason_id}, date)
    cr.execute("DROP TABLE nurture_credit_before")
    last = 0
    while last := outcomes._catch_up_missed(last):
        pass
