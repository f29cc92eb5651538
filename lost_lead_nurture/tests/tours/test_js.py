"""The add-on's JavaScript unit tests (HOOT), in a browser."""

from odoo.tests import HttpCase, no_retry, tagged

from odoo.addons.web.tests.test_js import HOOTCommon, unit_test_error_checker


@tagged("post_install", "-at_install")
class TestJavaScript(HttpCase):
    @no_retry
    def test_unit_desktop(self):
        # HOOT knows a suite by the hash of its path
        suite = HOOTCommon._generate_hash(self, "@lost_lead_nurture")
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={suite}",
            "",
            "",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=unit_test_error_checker,
        )
