"""An SMS in the timeline of a participant."""

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.timelines import TimelineMixin

from .common import SmsCase

ANN = "+32456001101"


@tagged("post_install", "-at_install")
class TestSmsTimeline(SmsCase, TimelineMixin):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com", phone=ANN)
        self.sequence = self.make_sequence()
        self.first = self.make_sms_step(self.sequence)

    def test_sent_and_clicked(self):
        """With its own icon; a click says what it led to, a program's click leads to nothing."""
        self.make_sms_step(self.sequence, "sms_click", self.first, 2, name="Thanks")
        self.sequence.action_start()
        self.advance()
        (sms,) = self.sms_to(self.ann)
        self._get(self.link_of(sms), **{"Sec-Purpose": "prefetch"})
        self.follow(sms)
        self.assertEqual(
            self.lines(self.ann),
            [
                ("entered", "Entered"),
                ("sent", "SMS begin sent"),
                ("bot", "A link clicked by a program that fetches in advance"),
                ("clicked", "Clicked https://shop.example.com/limited"),
                ("scheduled", "Thanks is scheduled"),
            ],
        )
        sent = self.entry(self.ann, "sent")
        self.assertEqual((sent["type"], sent["icon"]), ("sms", "fa-mobile"))
        self.assertIn(
            "branch “SMS clicked” taken: “Thanks” scheduled", self.why(self.ann, "clicked")
        )

    def test_text(self):
        """As it was sent; once core has deleted it, what it is today."""
        self.sequence.action_start()
        self.advance()
        trace = self.trace(self.ann, self.first).with_user(self.salesman)
        message = trace.sudo().mailing_trace_ids
        self.env["sms.sms"].search([("id", "=", message.sms_id_int)]).unlink()
        text = trace.get_preview()
        self.assertIn("Hello Ann, the desk is back", text["html"])
        self.assertIn("What was sent is not kept", text["note"])

    def test_text_in_the_queue(self):
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.lines(self.ann)[-1], ("queued", "SMS begin is in the queue"))
        text = self.trace(self.ann, self.first).with_user(self.salesman).get_preview()
        self.assertEqual(text["subject"], f"SMS to {ANN}")
        self.assertIn("Hello Ann", text["html"])
        self.assertIn("As it is going to be sent", text["note"])
