from odoo.fields import Datetime
from odoo.tests import tagged

from ... import hooks
from ..install_checks import InstallCase


@tagged("post_install", "-at_install")
class TestInstall(InstallCase):
    module = "lost_lead_nurture"
    changes = hooks.CHANGES

    def test_columns(self):
        """No row of core's tables is written, nor a table locked for long, by a new field."""
        self.check_columns()

    def test_indexes(self):
        """All indexes of core's tables are made while everybody can write."""
        self.check_indexes()

    def test_references(self):
        """What refers to a table that is written all day is made in a moment of its own."""
        self.check_references()

    def test_nobody_is_scored(self):
        """Leads of before the installation, and those made by SQL, have 0 points."""
        self.env.cr.execute(
            "INSERT INTO crm_lead (name, type, active, create_date) VALUES (%s, %s, true, %s)"
            " RETURNING id",
            ["Old", "lead", Datetime.now()],
        )
        leads = self.env["crm.lead"].browse(self.env.cr.fetchone())
        leads += leads.create({"name": "New"})
        self.assertEqual(leads.mapped("nurture_score"), [0, 0])
        self.assertEqual(
            leads.search([("nurture_score", "=", 0), ("id", "in", leads.ids)], order="id"), leads
        )
