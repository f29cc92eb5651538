from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.core_checks import CoreCase

from . import core_methods


@tagged("post_install", "-at_install")
class TestCore(CoreCase):
    module = "lost_lead_nurture_website"
    methods = core_methods

    def test_overridden(self):
        self.check_overridden()

    def test_called(self):
        self.check_called()
