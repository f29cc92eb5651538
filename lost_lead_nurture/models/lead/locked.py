from odoo import fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    """Which lost leads are behind a line of the report of locked value: for searches only, so that
    it opens a hundred thousand leads as it opens ten."""

    _inherit = "crm.lead"

    nurture_locked_id = fields.Many2one(
        "nurture.locked",
        string="Line of Locked Value",
        compute="_compute_nurture_locked",
        search="_search_nurture_locked_id",
        groups="sales_team.group_sale_salesman,lost_lead_nurture.group_user",
    )
    nurture_unaddressed_id = fields.Many2one(
        "nurture.locked",
        string="Line of Locked Value, Not Addressed",
        compute="_compute_nurture_locked",
        search="_search_nurture_unaddressed_id",
        groups="sales_team.group_sale_salesman,lost_lead_nurture.group_user",
    )

    def _compute_nurture_locked(self):
        """A lead may be behind several lines: nobody reads it here."""
        self.nurture_locked_id = self.nurture_unaddressed_id = False

    def _search_nurture_locked_id(self, operator, value):
        return self._nurture_search_locked(operator, value, unaddressed=False)

    def _search_nurture_unaddressed_id(self, operator, value):
        return self._nurture_search_locked(operator, value, unaddressed=True)

    def _nurture_search_locked(self, operator, value, unaddressed):
        if operator != "in":
            return NotImplemented
        # what the user may not see is behind no line of theirs
        lines = self.sudo(False).env["nurture.locked"]
        lines = lines.browse(id_ for id_ in value if id_).exists()
        return Domain("id", "in", lines._sql_leads(unaddressed))
