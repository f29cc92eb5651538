"""What leads and contacts tell of the mails they got."""

from odoo.tests import tagged

from ..common import ANN, NurtureHttpCase, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestChatter(TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.contact = self.env["res.partner"].create({"name": "Ann Smith", "email": ANN})
        self.ann.partner_id = self.contact
        self.first.mailing_id.subject = "For {{object.contact_name ||| you}} & others"

    def said(self, record):
        """The messages on ``record`` that tell of a mail."""
        messages = self.env["mail.message"].search(
            [("model", "=", record._name), ("res_id", "=", record.id)], order="id"
        )
        return messages.filtered(lambda message: "&amp; others" in str(message.body))

    def check(self, lead, contact):
        (message,) = self.said(lead)
        self.assertEqual(message.subject, f"For {lead.contact_name} & others")
        self.assertIn(f"<b>For {lead.contact_name} &amp; others</b>", message.body)
        (on_contact,) = self.said(contact)
        self.assertIn(f"<b>For {lead.contact_name} &amp; others</b>", on_contact.body)
        self.assertIn(f'data-oe-id="{lead.id}"', on_contact.body)
        for text in (message.body, on_contact.body):
            self.assertNotIn("{{", text)
        return message

    def test_step(self):
        self.sequence.action_start()
        self.advance()
        message = self.check(self.ann, self.contact)
        participant = self.participant(self.ann)
        self.assertIn("Restock</a>", message.body)
        self.assertIn('data-oe-model="nurture.participant"', message.body)
        self.assertIn(f'data-oe-id="{participant.id}"', message.body)
        self.assertEqual(len(self.said(self.bob)), 1)
        # the timeline and the preview show the mail alone
        preview = self.trace(self.ann, self.first).get_preview()
        self.assertNotIn("Restock", preview["html"])

    def test_mailing(self):
        mailing = self.make_mailing(self.first.mailing_id.subject)
        mailing._action_send_mail((self.ann | self.bob).ids)
        self.send_mails()
        self.check(self.ann, self.contact)
        self.assertEqual(len(self.said(self.bob)), 1)

    def test_answers_elsewhere(self):
        """Also when core would keep no message: where answers do not come here."""
        mailing = self.make_mailing(
            self.first.mailing_id.subject, reply_to_mode="new", reply_to="shop@test.example.com"
        )
        mailing._action_send_mail(self.ann.ids)
        self.send_mails()
        self.mail_to(ANN)
        self.check(self.ann, self.contact)

    def test_not_mailed(self):
        """Who got nothing gets no line."""
        self.env["mail.blacklist"]._add(ANN)
        mailing = self.make_mailing(self.first.mailing_id.subject)
        mailing._action_send_mail((self.ann | self.bob).ids)
        self.send_mails()
        self.assertFalse(self.said(self.ann))
        self.assertFalse(self.said(self.contact))

    def test_recalled(self):
        """A mail that did not leave any more is not on the contact."""
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(len(self.said(self.contact)), 1)
        self.sequence.action_stop()
        self.send_mails()
        self.assertFalse(self.catcher.messages)
        self.assertFalse(self.said(self.contact))

    def test_one_contact_of_two_leads(self):
        self.bob.partner_id = self.contact
        # the same mail twice would go out once
        self.bob.contact_name = "Bob"
        mailing = self.make_mailing(self.first.mailing_id.subject)
        mailing._action_send_mail((self.ann | self.bob).ids)
        said = self.said(self.contact)
        self.assertEqual(len(said), 2)
        for lead, message in zip(self.ann | self.bob, said, strict=True):
            self.assertIn(f'data-oe-id="{lead.id}"', message.body)

    def test_queries(self):
        """However many lines about a mail, it takes the same number of queries."""
        counts = []
        for number in (2, 20):
            leads = self.env["crm.lead"]
            for index in range(number):
                address = f"recipient{number}.{index}@recipient.example.com"
                contact = self.env["res.partner"].create({"name": address, "email": address})
                leads |= self.make_lead(address, partner_id=contact.id)
            mails = self.env["mail.mail"].create(
                [
                    {
                        "mailing_id": self.first.mailing_id.id,
                        "model": "crm.lead",
                        "res_id": lead.id,
                        "subject": "For you & others",
                    }
                    for lead in leads
                ]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            leads._message_mail_after_hook(mails)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(self.said(leads[0].partner_id)), 1)
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_names(self):
        """Wherever a mailing is named, it reads as somebody gets it of whom nothing is known."""
        mailing = self.make_mailing("For {{object.contact_name ||| you}}: {{object.name}}")
        self.assertEqual(mailing.display_name, "For you:")
        self.assertEqual(self.make_mailing("{{object.name}}").display_name, "…")
        for one in mailing | self.make_mailing("{{object.name}}"):
            self.assertNotIn("{{", one.source_id.name)
        mailing.subject = "Now {{object.contact_name ||| all}}"
        self.assertEqual(mailing.display_name, "Now all")
        self.assertNotIn("{{", mailing.source_id.name)
