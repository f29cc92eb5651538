from odoo import models
from odoo.tools import SQL


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "nurture.consent.mixin"]

    def _nurture_get_consent_values(self):
        return {**super()._nurture_get_consent_values(), "lead_id": self.id}

    def _nurture_find_without_basis(self, company, written):
        """Those of ``self`` to whom their company may not write.

        :param company: that writes to leads of none
        :param written: ``{lead id: the addresses that a mail goes to}``, each of which needs a
            basis: several of the lead, or its contact's
        """
        consents = self.env["nurture.consent"]
        home = SQL("COALESCE(lead.company_id, %s)", company.id)
        conditions = consents._sql_no_basis(home, address=SQL("written.address"))
        pairs = [(lead.id, address) for lead in self for address in written.get(lead.id, ())]
        if not (conditions and pairs):
            return self.browse()
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT lead.id FROM crm_lead lead"
                " JOIN unnest(%s::int[], %s::text[]) written (id, address) ON written.id = lead.id"
                " WHERE %s",
                [lead_id for lead_id, _address in pairs],
                [address for _lead_id, address in pairs],
                SQL(" OR ").join(conditions),
            )
        )
        return self.browse(id_ for (id_,) in rows)

    def _nurture_get_contact(self):
        return self.partner_id
