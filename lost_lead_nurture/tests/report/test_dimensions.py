"""What the analysis groups by: where, when and on what people read, and what came of it."""

from datetime import date

from odoo.tests import new_test_user, tagged

from ...tools.providers import get_provider
from ..common import ANN, BOB, DealMixin, NurtureHttpCase, TwoLeadsMixin

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like"
    " Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"


class ReportMixin:
    def group(self, groupby, *measures, user=None, domain=()):
        """``{group: numbers}`` of the sequence, as a marketer groups it."""
        self.env["nurture.outcome"]._catch_up()
        self.env.invalidate_all()
        rows = (
            self.env["nurture.report"]
            .with_user(user or self.marketer)
            ._read_group(
                [("sequence_id", "=", self.sequence.id), *domain],
                [groupby],
                [f"{name}:avg" if name.endswith("_rate") else f"{name}:sum" for name in measures],
            )
        )
        return {group: numbers[0] if len(numbers) == 1 else numbers for group, *numbers in rows}


@tagged("post_install", "-at_install")
class TestDimensions(ReportMixin, TwoLeadsMixin, NurtureHttpCase):
    def open_with(self, address, *user_agents):
        """Load the picture of a mail with each of these programs, and wait until it is judged."""
        self.clock = self.later(address)
        for user_agent in user_agents:
            self._get(self.pixel_of(self.mail_to(address)), user_agent=user_agent)
        self.believe()

    def later(self, address):
        message = self.mail_to(address)
        mail = self.env["mailing.trace"].search([("message_id", "=", message["Message-ID"])])
        return max(self.clock, mail.sent_datetime).replace(microsecond=0, hour=12)

    def mailing_trace(self, lead):
        return self.trace(lead, self.first).mailing_trace_ids

    def test_origin(self):
        """A proxy shows the mail program and hides the device, which a click shows then. The user
        agent itself is kept nowhere."""
        self.start()
        self.open_with(ANN, GMAIL)
        self.assertEqual(self.mailing_trace(self.ann).nurture_client, "gmail")
        self.assertFalse(self.mailing_trace(self.ann).nurture_device)
        self.clock = self.clock.replace(hour=14)
        self._get(self.links_of(self.mail_to(ANN))[0], user_agent=PHONE)
        self.believe()
        self.assertEqual(self.mailing_trace(self.ann).nurture_device, "phone")
        self.assertEqual(self.mailing_trace(self.ann).nurture_client, "gmail")
        self.env.cr.execute(
            "SELECT count(*) FROM nurture_hit hit WHERE hit::text ILIKE '%Mozilla%'"
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_first_origin_stays(self):
        self.start()
        self.open_with(ANN, OUTLOOK)
        self.clock = self.clock.replace(hour=15)
        self._get(self.links_of(self.mail_to(ANN))[0], user_agent=PHONE)
        self.believe()
        self.assertEqual(self.mailing_trace(self.ann).nurture_device, "desktop")
        self.assertEqual(self.mailing_trace(self.ann).nurture_client, "outlook")

    def test_bots_show_nothing(self):
        self.start()
        self.open_with(ANN, "Mozilla/5.0 (Windows NT 10.0) Barracuda Sentinel")
        self.assertFalse(self.mailing_trace(self.ann).nurture_device)

    def test_devices_of_what_was_opened(self):
        """What does not show it is unknown; what was not opened has no device."""
        self.start()
        self.open_with(ANN, OUTLOOK)
        self.open_with(BOB, GMAIL)
        mails = [("kind", "=", "mail")]
        self.assertEqual(self.group("device", "opened", domain=mails), {"desktop": 1, "unknown": 1})
        self.assertEqual(self.group("client", "opened", domain=mails), {"outlook": 1, "gmail": 1})
        self.make_lead("carl@recipient.example.com")
        self.advance(hours=2)
        self.assertEqual(self.group("device", "sent", domain=mails)[False], 1)

    def test_nobody_writes_it(self):
        self.start()
        trace = self.mailing_trace(self.ann).with_user(self.marketer)
        self.assertFalse(trace._has_field_access(trace._fields["nurture_device"], "write"))

    def test_providers(self):
        """SQL and Python know the same mailboxes."""
        addresses = [
            *("carl@gmail.com", "dora@hotmail.co.uk", "eve@web.de", "fay@gmail.com.example.com"),
        ]
        for address in addresses:
            self.make_lead(address)
        self.start()
        expected = {}
        for address in (ANN, BOB, *addresses):
            provider = get_provider(address)
            expected[provider] = expected.get(provider, 0) + 1
        self.assertEqual(self.group("provider", "entered"), expected)
        self.assertEqual(self.group("provider", "sent"), expected)

    def test_providers_of_whom_nobody_knows(self):
        """Whoever is anonymised after some months, or forgotten, counts for the mail provider as
        before, each mail for the one that it went to."""
        gmail = self.make_lead("carl@gmail.com")
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.start()
        gmail.email_from = "carl@web.de"
        self.advance(days=1)
        before = self.group("provider", "entered", "sent")
        self.assertEqual(before, {"other": [2, 4], "google": [1, 1], "gmx": [0, 1]})
        participants = self.sequence.participant_ids
        participants.filtered(lambda one: one.lead_id != self.bob).action_remove()
        self.company.nurture_retention_months = 6
        self.clock = self.clock.replace(month=10)
        self.env.ref("lost_lead_nurture.ir_cron_nurture_retention").method_direct_trigger()
        self.participant(self.bob).action_forget()
        self.env.invalidate_all()
        self.assertFalse(any(participants.mapped("email")))
        self.assertFalse(any(participants.trace_ids.mailing_trace_ids.mapped("email")))
        self.assertEqual(self.group("provider", "entered", "sent"), before)

    def test_versions(self):
        """Messages, and what came of them, by the version that the lead was drawn for; what has no
        A/B test has no version."""
        self.first.action_add_variant()
        self.first.action_choose_variant("B")
        plain = self.make_step(self.sequence, "after", self.first, subject="Plain")
        self.start()
        self.advance(hours=1)
        self.click(self.mail_to(ANN, "First"))
        self.ann.action_restore()
        self.assertEqual(self.group("variant", "sent", domain=[("kind", "=", "mail")])["B"], 2)
        of_plain = [("kind", "=", "mail"), ("step_id", "=", plain.id)]
        self.assertEqual(set(self.group("variant", "sent", domain=of_plain)), {False})
        self.assertEqual(self.group("variant", "won_back", "clicked")["B"], [1, 1])

    def test_country_and_month_lost(self):
        """As they were when the lead entered."""
        belgium = self.env.ref("base.be")
        self.ann.country_id = belgium
        self.ann.date_closed = "2025-12-31 23:30:00"
        self.company.partner_id.tz = "Europe/Brussels"
        self.start()
        self.ann.country_id = self.env.ref("base.fr")
        self.assertEqual(self.group("country_id", "entered")[belgium], 1)
        self.assertEqual(
            self.group("lost_month:month", "entered"), {date(2026, 1, 1): 1, date(2026, 3, 1): 1}
        )

    def test_clock_of_the_recipient(self):
        """Sent on Monday at 9:00 UTC: for Ann, whose contact is in Tokyo, that is the evening."""
        self.company.partner_id.tz = "Europe/Berlin"
        self.ann.partner_id = self.env["res.partner"].create(
            {"name": "Ann", "email": ANN, "tz": "Asia/Tokyo"}
        )
        self.bob.country_id = self.env.ref("base.in")
        self.make_lead("carl@recipient.example.com")
        self.start()
        mails = [("kind", "=", "mail")]
        self.assertEqual(self.group("sent_hour", "sent", domain=mails), {"18": 1, "14": 1, "10": 1})
        self.assertEqual(self.group("sent_weekday", "sent", domain=mails), {"1": 3})
        self.clock = self.clock.replace(hour=20)
        self.read_mail(self.mail_to(ANN))
        read = [("read_hour", "!=", False)]
        self.assertEqual(self.group("read_hour", "opened", domain=read), {"05": 1})
        self.assertEqual(self.group("read_weekday", "opened", domain=read), {"2": 1})

    def test_unknown_zone(self):
        """A zone that PostgreSQL does not know is passed over."""
        self.company.partner_id.tz = "Europe/Berlin"
        self.ann.partner_id = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET tz = 'Mars/Olympus' WHERE id = %s", [self.ann.partner_id.id]
        )
        self.start()
        self.assertEqual(self.group("sent_hour", "sent", domain=[("kind", "=", "mail")]), {"10": 2})


@tagged("post_install", "-at_install")
class TestMoney(ReportMixin, DealMixin, TwoLeadsMixin, NurtureHttpCase):
    AMOUNTS = ("quotations", "orders", "invoiced_amount", "paid_amount")

    def test_outcomes(self):
        """What is credited to a step by last touch; an order that nobody clicked for is not."""
        self.start()
        self.click(self.mail_to(ANN))
        invoice = self.invoice(self.order(self.ann))
        self.order(self.bob)
        self.assertEqual(self.group("step_id", *self.AMOUNTS)[self.first], [1, 1, 250, 0])
        self.pay(invoice)
        self.assertEqual(self.group("step_id", *self.AMOUNTS)[self.first], [1, 1, 250, 250])
        self.assertEqual(
            self.group("lost_reason_id", *self.AMOUNTS), {self.reason_stock: [1, 1, 250, 250]}
        )

    def test_currency(self):
        """Amounts are in the currency of the user's company."""
        self.start()
        self.click(self.mail_to(ANN))
        self.pay(self.invoice(self.order(self.ann)))
        currency = self.env["res.currency"].create(
            {
                "name": "TST",
                "symbol": "T",
                "rate_ids": [(0, 0, {"name": "2020-01-01", "rate": 2 * self.rate()})],
            }
        )
        other = self.env["res.company"].create({"name": "Other", "currency_id": currency.id})
        self.marketer.company_ids += other
        report = self.env["nurture.report"].with_user(self.marketer)
        report = report.with_context(allowed_company_ids=[other.id, self.company.id])
        self.env["nurture.outcome"]._catch_up()
        rows = report._read_group(
            [("sequence_id", "=", self.sequence.id)], ["currency_id"], ["paid_amount:sum"]
        )
        self.assertEqual(rows[0][0], currency)
        self.assertAlmostEqual(rows[0][1], 500)

    def rate(self):
        """The rate of the company's currency, in that of the database's rates."""
        return self.company.currency_id.rate

    def test_rights(self):
        """Amounts are for who may see what is earned."""
        manager = new_test_user(self.env, "nurture_manager", "sales_team.group_sale_manager")
        report = self.env["nurture.report"]
        self.assertNotIn("paid_amount", report.with_user(manager).fields_get())
        self.assertIn("quotations", report.with_user(manager).fields_get())
        self.assertIn("paid_amount", report.with_user(self.marketer).fields_get())

    def test_other_company_s_money(self):
        """Who does not work for the company of an order does not see its amount."""
        self.sequence.company_id = False
        self.ann.company_id = False
        self.start()
        self.click(self.mail_to(ANN))
        self.pay(self.invoice(self.order(self.ann)))
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Elsewhere"}))
        mine = self.group("sequence_id", "quotations")
        self.assertEqual(mine, {self.sequence: 1})
        self.assertFalse(any(self.group("sequence_id", "quotations", user=stranger).values()))
