"""Results of SMS mailings: each button opens what it counts."""

from datetime import timedelta

from odoo.tests import new_test_user, tagged

from odoo.addons.lost_lead_nurture.tests.buttons import ButtonsMixin

from .common import TEXT, SmsCase


@tagged("post_install", "-at_install")
class TestSmsResults(ButtonsMixin, SmsCase):
    def setUp(self):
        super().setUp()
        self.leads = [
            self.make_lead(f"lead{number}@recipient.example.com", phone=f"+3245600110{number}")
            for number in range(1, 6)
        ]
        mailer = "mass_mailing.group_mass_mailing_user"
        self.users = (
            self.marketer,
            new_test_user(self.env, "nurture_mailer", mailer),
            new_test_user(self.env, "nurture_seller", f"sales_team.group_sale_salesman,{mailer}"),
        )

    def check(self, mailing):
        """One followed the link, two arrived, one bounced and one is at the provider."""
        texts = [self.sms_to(lead)[0] for lead in self.leads]
        self.report("delivered", *texts[:3])
        self.report("rejected", texts[3])
        self.follow(texts[0])
        self.clock += timedelta(days=2)
        self.env.invalidate_all()
        statistics = (mailing.sent, mailing.delivered, mailing.clicked, mailing.bounced)
        self.assertEqual(statistics, (5, 3, 1, 1))
        self.assertEqual((mailing.ignored, mailing.clicks_ratio), (3, 25))
        for user in self.users:
            seen = self.check_buttons(mailing, user)
            self.assertLessEqual({"Clicked", "Received", "Bounced", "Ignored"}, seen.keys())

    def test_step(self):
        sequence = self.make_sequence(exit_on_bounced=False)
        step = self.make_sms_step(sequence)
        sequence.action_start()
        self.advance()
        self.check(step.mailing_id)

    def test_cost(self):
        """1.00, five SMS at 0.075 each, which the company's settings say: 0.375, to the cent."""
        self.company.nurture_sms_cost = 0.075
        sequence = self.make_sequence(fixed_cost=1.0)
        self.make_sms_step(sequence)
        sequence.action_start()
        self.advance()
        # the provider takes an SMS before it is sent: its report says that it left
        self.report("delivered", *(self.sms_to(lead)[0] for lead in self.leads))
        self.assertEqual(sequence.sent_count, 5)
        self.assertEqual((sequence.message_cost, sequence.total_cost), (0.38, 1.38))

    def test_plain(self):
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Text",
                "sms_subject": "Text",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("crm.lead"),
                "body_plaintext": TEXT,
            }
        )
        mailing.action_send_sms([lead.id for lead in self.leads])
        self.send_sms()
        self.check(mailing)
