from odoo.tests import tagged

from .. import core_methods
from ..core_checks import CoreCase


@tagged("post_install", "-at_install")
class TestCore(CoreCase):
    module = "lost_lead_nurture"
    methods = core_methods

    def test_overridden(self):
        self.check_overridden()

    def test_called(self):
        self.check_called()
