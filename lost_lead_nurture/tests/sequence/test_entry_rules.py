"""Who may enter, how often, and on which day."""

from datetime import date, datetime, timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..common import NOW, NurtureHttpCase, SequenceMixin

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"


class EntryRulesCase(SequenceMixin, NurtureHttpCase):
    def assertEntered(self, *leads):  # noqa: N802
        self.assertEqual(
            set(self.sequence.participant_ids.lead_id.ids), {lead.id for lead in leads}
        )

    def assertExcluded(self, lead, reason):  # noqa: N802
        """The lead did not enter automatically, nor does it by hand, and both say why."""
        self.assertNotIn(lead, self.sequence.participant_ids.lead_id)
        self.assertEqual(self.sequence._group_by_exclusion().get(reason), lead.ids)
        result = self.sequence.enrol(lead.ids)
        self.assertEqual(result, {"entered": [], "excluded": {reason: lead.ids}, "unknown": []})


@tagged("post_install", "-at_install")
class TestHowOften(EntryRulesCase):
    def test_per_address(self):
        """Of several leads of somebody the one lost last enters."""
        older, newer = self.make_lead(ANN), self.make_lead(ANN)
        older.date_closed = NOW - timedelta(days=100)
        newer.date_closed = NOW - timedelta(days=10)
        self.start()
        self.assertEntered(newer)

    def test_per_lead(self):
        """Each lead goes its own way, those without an address too."""
        leads = self.make_lead(ANN, name="One") | self.make_lead(ANN, name="Two")
        nobody = self.make_lead(False)
        self.first.mailing_id.subject = "About {{object.name}}"
        action = self.make_step(
            self.sequence,
            step_type="action",
            action_kind="priority",
            priority="3",
            mailing_id=False,
        )
        self.start(entry_per="lead")
        self.assertEntered(*leads, nobody)
        self.assertEqual(
            {mail["Subject"] for mail in self.mails_to(ANN)}, {"About One", "About Two"}
        )
        self.assertEqual(self.trace(nobody, self.first).reason, "no_address")
        self.assertEqual(self.trace(nobody, action).state, "processed")
        with self.assertRaisesRegex(ValidationError, "cannot be changed any more"):
            self.sequence.entry_per = "address"

    def test_never_again(self):
        lead = self.make_lead(ANN)
        self.start()
        lead.action_restore()
        self.clock += timedelta(days=400)
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.advance()
        self.assertEqual(len(self.participant(lead)), 1)

    def test_again_after_some_days(self):
        lead = self.make_lead(ANN)
        self.start(reentry="days", reentry_days=30)
        participant = self.participant(lead)
        self.assertEqual(participant.state, "completed")
        self.advance(days=29)
        self.assertEqual(self.participant(lead), participant)
        self.advance(days=2)
        again = self.participant(lead) - participant
        self.assertEqual(again.enrolment_number, 2)
        self.assertEqual(len(self.mails_to(ANN, "First")), 2)

    def test_not_again_while_inside(self):
        lead = self.make_lead(ANN)
        self.make_step(self.sequence, "after", self.first, 60)
        self.start(reentry="days", reentry_days=30)
        self.advance(days=40)
        self.assertEqual(len(self.participant(lead)), 1)

    def test_each_time_it_is_lost_again(self):
        lead = self.make_lead(ANN)
        lead.date_closed = NOW
        self.start(reentry="lost")
        self.advance(days=300)
        self.assertEqual(len(self.participant(lead)), 1, "it was not lost again")
        lead.action_restore()
        lead.action_set_lost(lost_reason_id=self.reason_stock.id)
        lead.date_closed = self.clock
        self.advance(days=1)
        self.assertEqual(sorted(self.participant(lead).mapped("enrolment_number")), [1, 2])
        self.assertEqual(len(self.mails_to(ANN, "First")), 2)
        self.advance(days=1)
        self.assertEqual(len(self.participant(lead)), 2)

    def test_held_out_stay_held_out(self):
        """The draw is the same for each enrolment."""
        for number in range(30):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.start(reentry="days", reentry_days=30, holdout_percent=40)
        self.advance(days=31)
        enrolments = self.sequence.participant_ids.grouped("enrolment_number")
        held_out = [
            set(enrolments[number].filtered(lambda one: one.state == "holdout").mapped("email"))
            for number in (1, 2)
        ]
        self.assertTrue(held_out[0])
        self.assertEqual(*held_out)

    def test_bad_days(self):
        with self.assertRaisesRegex(ValidationError, "after one day"):
            self.sequence.write({"reentry": "days", "reentry_days": 0})


@tagged("post_install", "-at_install")
class TestExcluded(EntryRulesCase):
    def setUp(self):
        super().setUp()
        self.customer_company = self.env["res.partner"].create(
            {"name": "Recipient Ltd", "is_company": True}
        )
        self.customer, self.colleague_there = self.env["res.partner"].create(
            [
                {"name": name, "email": address, "parent_id": self.customer_company.id}
                for name, address in (("Ann", ANN), ("Carl", "carl@recipient.example.com"))
            ]
        )
        self.lead = self.make_lead(ANN, partner_id=self.customer.id)
        self.lead.date_closed = NOW - timedelta(days=30)
        # somebody who always enters
        self.make_lead(BOB)

    def order(self, partner, **values):
        order = self.env["sale.order"].create({"partner_id": partner.id, **values})
        order.action_confirm()
        return order

    def test_customer_since(self):
        self.order(self.customer)
        self.start()
        self.assertExcluded(self.lead, "customer")
        self.assertEqual(len(self.mails_to(BOB)), 1)

    def test_colleague_ordered_since(self):
        self.order(self.colleague_there)
        self.start()
        self.assertExcluded(self.lead, "customer")

    def test_same_address_ordered_since(self):
        """Also when the customer of the order is another contact with that address."""
        self.order(self.env["res.partner"].create({"name": "Ann again", "email": f"Ann <{ANN}>"}))
        self.start()
        self.assertExcluded(self.lead, "customer")

    def test_customer_before(self):
        """Who ordered before the lead was lost may be written to."""
        self.order(self.customer).date_order = NOW - timedelta(days=60)
        self.start()
        self.assertTrue(self.participant(self.lead))

    def test_customers_allowed(self):
        self.order(self.customer)
        self.start(exclude_customers=False, exit_on_order=False)
        self.assertTrue(self.participant(self.lead))

    def test_open_deal_with_the_address(self):
        self.make_lead(ANN, lost=False)
        self.start()
        self.assertExcluded(self.lead, "open_deal")

    def test_open_deal_with_the_company(self):
        self.make_lead("carl@recipient.example.com", lost=False, partner_id=self.colleague_there.id)
        self.start()
        self.assertExcluded(self.lead, "open_deal")

    def test_deal_elsewhere(self):
        """The pipeline of another company of ours does not count."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.make_lead(ANN, lost=False, company_id=other.id, team_id=False, user_id=False)
        self.start()
        self.assertTrue(self.participant(self.lead))

    def test_open_deals_allowed(self):
        self.make_lead(ANN, lost=False)
        self.start(exclude_open_deals=False, exit_on_open_deal=False)
        self.assertTrue(self.participant(self.lead))

    def test_in_another_sequence(self):
        other = self.make_sequence(name="Other", entry="manual")
        self.make_step(other, "begin", delay=20)
        other.action_start()
        other.enrol(self.lead.ids)
        self.start(exclude_other_sequences=True)
        self.assertExcluded(self.lead, "other_sequence")
        other.action_stop()
        self.advance(days=1)
        self.assertIn(self.lead, self.sequence.participant_ids.lead_id)

    def test_suppressed(self):
        preset = self.env["nurture.preset"].create(
            {"name": "Not these", "extra_domain": repr([("name", "ilike", "Ann's")])}
        )
        self.lead.name = "Ann's desk"
        self.start(excluded_preset_ids=preset.ids)
        self.assertExcluded(self.lead, "suppressed")

    def test_numbers_add_up(self):
        """Whoever is chosen enters or is excluded, for one reason."""
        self.make_lead(ANN, lost=False)
        self.make_lead(False)
        self.make_lead(BOB, name="Another one")
        self.env["mail.blacklist"]._add("dora@recipient.example.com")
        self.make_lead("dora@recipient.example.com")
        self.sequence.action_start()
        groups = self.sequence._group_by_exclusion()
        self.assertEqual(
            {reason: len(ids) for reason, ids in groups.items()},
            {None: 1, "open_deal": 1, "no_address": 1, "blacklisted": 1, "duplicate": 1},
        )
        self.advance()
        self.assertEqual(self.sequence.participant_ids.lead_id.ids, groups[None])


@tagged("post_install", "-at_install")
class TestOnADate(EntryRulesCase):
    def setUp(self):
        super().setUp()
        self.sequence.write(
            {
                "entry": "date",
                "entry_field_id": self.env["ir.model.fields"]._get("crm.lead", "date_closed").id,
            }
        )
        self.lead = self.make_lead(ANN)

    def test_days_after(self):
        """Sixty days after it was lost, on that day and once."""
        self.lead.date_closed = NOW
        self.sequence.entry_offset = 60
        self.start()
        self.advance(days=59)
        self.assertEntered()
        self.assertEqual(self.sequence._group_by_exclusion(), {"not_due": self.lead.ids})
        self.advance(days=1)
        self.assertEntered(self.lead)
        self.advance(days=1)
        self.assertEqual(len(self.participant(self.lead)), 1)

    def test_days_before(self):
        self.sequence.write(
            {
                "entry_field_id": self.env["ir.model.fields"]._get("crm.lead", "date_deadline").id,
                "entry_offset": -14,
            }
        )
        self.lead.date_deadline = date(2026, 4, 1)
        self.start()
        self.clock = datetime(2026, 3, 17, 12)
        self.advance()
        self.assertEntered()
        self.advance(days=1)
        self.assertEntered(self.lead)

    def test_every_year(self):
        """On each anniversary, a new enrolment."""
        self.lead.date_closed = datetime(2024, 2, 29, 12)
        self.sequence.entry_yearly = True
        self.clock = datetime(2027, 2, 27, 12)
        self.start()
        self.assertEntered()
        self.advance(days=1)
        self.assertEqual(
            self.participant(self.lead).enrolment_number, 1, "28 February in other years"
        )
        self.advance(days=3)
        self.assertEqual(len(self.participant(self.lead)), 1)
        self.clock = datetime(2028, 2, 28, 12)
        self.advance()
        self.assertEqual(len(self.participant(self.lead)), 1)
        self.advance(days=1)
        self.assertEqual(sorted(self.participant(self.lead).mapped("enrolment_number")), [1, 2])
        self.assertEqual(len(self.mails_to(ANN, "First")), 2)

    def test_not_on_the_day_itself(self):
        """An anniversary is a year later, not the day of the loss."""
        self.lead.date_closed = NOW
        self.sequence.entry_yearly = True
        self.start()
        self.assertEntered()

    def test_day_of_the_company(self):
        """The day is that of the company's clock."""
        self.company.partner_id.tz = "Asia/Tokyo"
        self.lead.date_closed = datetime(2026, 3, 2, 16)  # 3 March in Tokyo
        self.sequence.entry_offset = 1
        self.clock = datetime(2026, 3, 3, 14)  # 3 March in Tokyo
        self.start()
        self.assertEntered()
        self.clock = datetime(2026, 3, 3, 16)  # 4 March in Tokyo
        self.advance()
        self.assertEntered(self.lead)

    def test_late(self):
        """A few days late is late, not never: the server was down. Weeks late is never."""
        self.start()
        old = self.make_lead(BOB)
        self.clock = NOW + timedelta(days=20)
        self.lead.date_closed = NOW + timedelta(days=15)
        old.date_closed = NOW + timedelta(days=5)
        self.advance()
        self.assertEntered(self.lead)

    def test_dates_before_the_start(self):
        """Starting it does not write to everybody whose day has just passed."""
        self.lead.date_closed = NOW - timedelta(days=2)
        self.start()
        self.assertEntered()

    def test_bad_dates(self):
        with self.assertRaisesRegex(ValidationError, "not a date of leads"):
            self.sequence.entry_field_id = self.env["ir.model.fields"]._get("crm.lead", "name")
        self.sequence.entry_field_id = False
        with self.assertRaisesRegex(UserError, "on which date"):
            self.sequence.action_start()

    def test_by_hand_any_day(self):
        self.start(entry_offset=60)
        self.assertEqual(self.sequence.enrol(self.lead.ids)["entered"], self.lead.ids)
