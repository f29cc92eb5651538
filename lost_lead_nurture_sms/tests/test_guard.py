"""The SMS of a step is sent by its sequence only, and an SMS mailing asks before it goes to open
leads."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import TEXT, SmsCase


@tagged("post_install", "-at_install")
class TestSmsGuard(SmsCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com", phone="+32456001101")
        self.open = self.make_lead("open@recipient.example.com", phone="+32456001102", lost=False)
        self.sequence = self.make_sequence()
        self.first = self.make_sms_step(self.sequence)

    def make_sms(self, **values):
        return (
            self.env["mailing.mailing"]
            .with_user(self.marketer)
            .create(
                {
                    "subject": "An SMS",
                    "mailing_type": "sms",
                    "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                    "body_plaintext": TEXT,
                    **values,
                }
            )
        )

    def test_no_way_sends_it(self):
        """Neither that of a step nor one that is made for a step."""
        forged = {"nurture_send_batch": {str(self.open.id): 1}}
        composer = self.env["sms.composer"].with_user(self.marketer)
        for mailing in (
            self.first.mailing_id.with_user(self.marketer),
            self.make_sms(nurture_only=True, sms_force_send=True),
        ):
            values = {
                "composition_mode": "mass",
                "res_model": "crm.lead",
                "res_ids": repr(self.open.ids),
                "body": TEXT,
                "mailing_id": mailing.id,
            }
            for door, act in {
                "queue": mailing.action_put_in_queue,
                "send now": mailing.action_send_mail,
                "send to somebody": lambda one=mailing: one.action_send_mail(self.open.ids),
                "send SMS": lambda one=mailing: one.action_send_sms(self.open.ids),
                "forged": lambda one=mailing: one.with_context(**forged).action_send_sms(
                    self.open.ids
                ),
                "by a composer": lambda given=values: composer.create(given)._action_send_sms(),
            }.items():
                with (
                    self.subTest(door, mailing=mailing.subject),
                    self.assertRaises(UserError),
                    self.env.cr.savepoint(),
                ):
                    act()
        self.send_sms()
        self.assertFalse(self.sms_to(self.open))

    def test_report_on_a_test(self):
        """The provider's report on a test of it does not put it into core's queue."""
        mailing = self.first.mailing_id
        sms = self.env["mailing.trace"].create(
            {
                "is_test_trace": True,
                "mass_mailing_id": mailing.id,
                "model": "crm.lead",
                "res_id": self.open.id,
                "sms_number": self.open.phone_sanitized,
                "sms_tracker_ids": [(0, 0, {"sms_uuid": "0" * 32})],
                "trace_type": "sms",
            }
        )
        sms.sms_tracker_ids._action_update_from_sms_state("process")
        self.assertEqual(mailing.state, "draft")

    def test_free_ones_are_offered(self):
        free = self.make_sms(nurture_only=True)
        sms = self.env["mailing.mailing"].search(
            [("mailing_type", "=", "sms"), ("nurture_is_free", "=", True)]
        )
        self.assertIn(free, sms)
        self.assertNotIn(self.first.mailing_id, sms)

    def test_asked_before_open_leads(self):
        """Counted by number: each once, without those that are blacklisted."""
        leads = self.ann | self.open
        for number, address in ((2, "twin"), (3, "black")):
            leads |= self.make_lead(
                f"{address}@recipient.example.com", phone=f"+3245600110{number}", lost=False
            )
        self.env["phone.blacklist"].add("+32456001103")
        plain = self.make_sms(
            mailing_domain=repr([("id", "in", leads.ids), ("active", "in", (True, False))])
        )
        action = plain.with_context(nurture_ask=True).action_put_in_queue()
        question = self.env["nurture.reach"].with_user(self.marketer).browse(action["res_id"])
        self.assertEqual((question.open_count, question.lost_count), (1, 1))
        question.action_confirm()
        self.assertEqual(plain.state, "in_queue")

    def test_retry_of_a_plain_mailing(self):
        """It is core's, who knows nothing of steps."""
        plain = self.make_sms(mailing_domain=repr([("id", "=", self.open.id)]))
        self.provider.answers[self.open.phone] = "server_error"
        plain.action_send_sms()
        self.send_sms()
        self.assertEqual(plain.mailing_trace_ids.trace_status, "error")
        self.provider.answers.clear()
        plain.with_user(self.marketer).action_retry_failed()
        self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").method_direct_trigger()
        self.send_sms()
        self.assertEqual([sms["state"] for sms in self.sms_to(self.open)][1:], ["success"])

    def test_number_of_a_contact_of_others(self):
        """Core writes to the contact, whoever may see it."""
        contact = self.env["res.partner"].create({"name": "Carl", "phone": "+32456001104"})
        lead = self.make_lead("carl@recipient.example.com", partner_id=contact.id, lost=False)
        lead.phone = False
        contact.write(
            {
                "company_id": self.env["res.company"].create({"name": "Other Company"}).id,
                "phone": "+32456001104",
            }
        )
        lead.phone = False
        self.env.invalidate_all()
        plain = self.make_sms(
            mailing_domain=repr([("id", "=", lead.id), ("user_id.login", "!=", "x")])
        )
        self.assertEqual(len(plain._nurture_find_reached()[0]["pending"]), 1)
