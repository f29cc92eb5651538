from odoo import models
from odoo.tools import SQL


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["crm.lead", "nurture.consent.mixin"]

    def _nurture_get_consent_values(self):
        return {**super()._nurture_get_consent_values(), "lead_id": self.id}

    def _nurture_find_without_basis(self, company):
        """Those of ``self`` to whom their company may not write.

        :param company: that writes to leads of none
        """
        consents = self.env["nurture.consent"]
        conditions = consents._sql_no_basis(SQL("COALESCE(lead.company_id, %s)", company.id))
        if not (conditions and self):
            return self.browse()
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT lead.id FROM crm_lead lead WHERE lead.id IN %s AND (%s)",
                tuple(self.ids),
                SQL(" OR ").join(conditions),
            )
        )
        return self.browse(id_ for (id_,) in rows)

    def _nurture_get_contact(self):
        return self.partner_id
