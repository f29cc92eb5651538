"""SMS leave by HTTP to a provider on loopback, which reports to Odoo's webhook; clicks follow the
short link found in the text that arrived."""

import re
from types import SimpleNamespace

from odoo.tests.test_cursor import TestCursor

from odoo.addons.iap.tools import iap_tools
from odoo.addons.lost_lead_nurture.tests.common import NurtureHttpCase

from .provider import Provider

TEXT = "Hello {{object.contact_name}}, the desk is back: https://shop.example.com/limited"


class SmsCase(NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.provider = Provider()
        cls.provider.start()
        cls.addClassCleanup(cls.provider.stop)
        cls.env["ir.config_parameter"].set_param("sms.endpoint", cls.provider.url)
        cls.sms_cron = cls.env.ref("sms.ir_cron_sms_scheduler_action")

    def setUp(self):
        super().setUp()
        self.provider.clear()
        # core calls no provider in tests
        no_test = SimpleNamespace(module=SimpleNamespace(current_test=None))
        self.patch(iap_tools, "modules", no_test)
        # what core dates an SMS by
        self.patch(TestCursor, "now", lambda _cr: self.clock)

    def make_sms_step(self, sequence, trigger="begin", parent=None, delay=0, **values):
        return sequence.env["nurture.step"].create(
            {
                "name": f"SMS {trigger}",
                "sequence_id": sequence.id,
                "parent_id": parent and parent.id,
                "step_type": "sms",
                "trigger": trigger,
                "delay": delay,
                "sms_text": TEXT,
                **values,
            }
        )

    def advance(self, **delta):
        """Let time pass, run the scheduled action, and send mails and SMS."""
        result = super().advance(**delta)
        self.send_sms()
        return result

    def send_sms(self):
        self.sms_cron.method_direct_trigger()
        self.env.invalidate_all()

    def sms_to(self, lead):
        """What the provider was given for ``lead``, oldest first."""
        return [sms for sms in self.provider.messages if sms["number"] == lead.phone]

    def link_of(self, sms):
        (link,) = re.findall(r"https?://\S+/r/\S+", sms["text"])
        return link

    def follow(self, sms):
        """Follow the short link in the text, and let the time pass until that is believed."""
        self._get(self.link_of(sms))
        self.believe()

    def report(self, status, *messages):
        """The provider reports what became of some SMS."""
        uuids = [sms["uuid"] for sms in messages]
        answer = self.make_jsonrpc_request(
            self.provider.webhook, {"message_statuses": [{"sms_status": status, "uuids": uuids}]}
        )
        self.assertEqual(answer, "OK")
        self.env.invalidate_all()

    def assertTrace(self, lead, step, state, reason=False):  # noqa: N802
        trace = self.trace(lead, step)
        self.assertEqual((trace.state, trace.reason), (state, reason), trace.detail)
        return trace
