from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.install_checks import InstallCase
from odoo.addons.lost_lead_nurture_website import hooks


@tagged("post_install", "-at_install")
class TestInstall(InstallCase):
    module = "lost_lead_nurture_website"
    changes = hooks.CHANGES

    def test_prepared(self):
        """What tables of core get does not lock them for long."""
        self.check_columns()
        self.check_indexes()
        self.check_references()
