"""Entry by hand: from CRM, from the Lost wizard, over RPC."""

from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from ..common import NurtureCase, NurtureHttpCase


@tagged("post_install", "-at_install")
class TestEntry(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(entry="manual")
        self.first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", self.first, 7)
        self.ann = self.make_lead("ann@recipient.example.com")

    def test_by_hand_only(self):
        self.sequence.action_start()
        self.advance()
        self.assertFalse(self.sequence.participant_ids)
        result = self.sequence.with_user(self.salesman).enrol(self.ann.ids)
        self.assertEqual(result, {"entered": self.ann.ids, "excluded": {}, "unknown": []})
        self.advance()
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "First")), 1)

    def test_filter_does_not_apply(self):
        self.sequence.write({"domain": "[('id', '=', 0)]", "entry": "auto"})
        self.sequence.action_start()
        self.assertTrue(self.sequence.enrol(self.ann.ids)["entered"])

    def test_who_is_excluded(self):
        self.sequence.action_start()
        self.sequence.enrol(self.ann.ids)
        other = self.env["res.company"].create({"name": "Other Company"})
        leads = {
            "inside": self.ann,
            "not_lost": self.make_lead("open@recipient.example.com", lost=False),
            "no_address": self.make_lead(False),
            "blacklisted": self.make_lead("black@recipient.example.com"),
            "company": self.make_lead(
                "far@recipient.example.com", company_id=other.id, team_id=False, user_id=False
            ),
        }
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        older = self.make_lead("twin@recipient.example.com")
        newer = self.make_lead("twin@recipient.example.com")
        older.date_closed = newer.date_closed.replace(year=2025)
        wanted = self.env["crm.lead"].concat(*leads.values(), older, newer)
        result = self.sequence.enrol(wanted.ids)
        self.assertEqual(result["entered"], newer.ids)
        self.assertEqual(
            result["excluded"],
            {reason: lead.ids for reason, lead in leads.items()} | {"duplicate": older.ids},
        )
        message = self.sequence._enrol_notification(result)["params"]["message"]
        self.assertIn("Address blacklisted: 1", message)

    def test_not_running(self):
        with self.assertRaisesRegex(UserError, "is not running"):
            self.sequence.enrol(self.ann.ids)

    def test_rights(self):
        """A salesperson adds own leads, a marketer any of the company's."""
        self.sequence.action_start()
        others = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).enrol(others.ids)
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.employee).enrol(self.ann.ids)
        self.assertTrue(self.sequence.with_user(self.marketer).enrol(others.ids)["entered"])

    def test_action_in_crm(self):
        self.sequence.action_start()
        wizard = Form(
            self.env["nurture.enrol"]
            .with_user(self.salesman)
            .with_context(active_model="crm.lead", active_ids=self.ann.ids)
        )
        self.assertEqual(wizard.lead_count, 1)
        wizard.sequence_id = self.sequence
        result = wizard.save().action_enrol()
        self.assertIn("1 lead entered", result["params"]["message"])
        self.assertTrue(self.participant(self.ann))

    def test_lost_wizard(self):
        """Losing a lead offers the sequence that is meant for the reason."""
        preset = self.env["nurture.preset"].create(
            {"name": "Stock", "lost_reason_ids": self.reason_stock.ids}
        )
        self.sequence.preset_id = preset
        self.sequence.action_start()
        lead = self.make_lead("new@recipient.example.com", lost=False)
        wizard = Form(
            self.env["crm.lead.lost"]
            .with_user(self.salesman)
            .with_context(default_lead_ids=lead.ids)
        )
        self.assertFalse(wizard.nurture_sequence_id)
        wizard.lost_reason_id = self.reason_price
        self.assertFalse(wizard.nurture_sequence_id)
        wizard.lost_reason_id = self.reason_stock
        self.assertEqual(wizard.nurture_sequence_id, self.sequence)
        result = wizard.save().action_lost_reason_apply()
        self.assertIn("1 lead entered", result["params"]["message"])
        self.assertEqual(lead.won_status, "lost")
        self.assertEqual(self.participant(lead).lost_reason_id, self.reason_stock)

    def test_lost_wizard_without(self):
        self.sequence.action_start()
        lead = self.make_lead("new@recipient.example.com", lost=False)
        wizard = self.env["crm.lead.lost"].create({"lead_ids": lead.ids})
        wizard.action_lost_reason_apply()
        self.assertEqual(lead.won_status, "lost")
        self.assertFalse(self.participant(lead))


@tagged("post_install", "-at_install")
class TestLookingThrough(NurtureCase):
    """Who may enter is looked for among all leads once an hour; who is lost enters at once."""

    def setUp(self):
        super().setUp()
        self.tag = self.env["crm.tag"].create({"name": "Nurture me"})
        self.sequence = self.make_sequence(domain=repr([("tag_ids", "in", self.tag.ids)]))
        self.make_step(self.sequence, subject="First")
        self.ann = self.make_lead("ann@recipient.example.com")
        self.clock += relativedelta(days=30)
        self.sequence.action_start()
        self.advance()
        self.assertFalse(self.sequence.participant_ids)

    def assertInside(self, *leads):  # noqa: N802
        self.assertEqual(self.sequence.participant_ids.lead_id, self.env["crm.lead"].concat(*leads))

    def test_matching_since(self):
        self.ann.tag_ids = self.tag
        self.advance(minutes=15)
        self.assertInside()
        self.advance(minutes=50)
        self.assertInside(self.ann)

    def test_lost_since(self):
        self.advance(minutes=15)
        bob = self.make_lead("bob@recipient.example.com", tag_ids=self.tag.ids)
        self.advance(minutes=15)
        self.assertInside(bob)

    def test_another_choice(self):
        self.sequence.domain = repr([("id", "=", self.ann.id)])
        self.advance(minutes=1)
        self.assertInside(self.ann)

    def test_another_exclusion(self):
        self.make_lead("ann@recipient.example.com", lost=False, tag_ids=self.tag.ids)
        self.ann.tag_ids = self.tag
        self.advance(hours=2)
        self.assertInside()
        self.sequence.exclude_open_deals = False
        self.advance(minutes=1)
        self.assertInside(self.ann)

    def test_now(self):
        self.ann.tag_ids = self.tag
        self.sequence.action_advance()
        self.assertInside(self.ann)

    def test_clock_set_back(self):
        self.ann.tag_ids = self.tag
        self.advance(days=-3)
        self.assertInside(self.ann)

    def test_nothing_to_do(self):
        """However many sequences there are, leads are asked once whether one was lost lately."""
        one = self.count_idle()
        for number in range(9):
            preset = self.env["nurture.preset"].create({"name": f"Not these {number}"})
            sequence = self.make_sequence(excluded_preset_ids=preset.ids)
            self.make_step(sequence, subject=f"Number {number}")
            sequence.action_start()
        self.advance()
        # for the presets of all of them together
        self.assertLessEqual(self.count_idle(), one + 12)

    def count_idle(self):
        """Queries of asking all running sequences whether somebody may enter, when nobody may."""
        self.clock += relativedelta(minutes=10)
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        running = self.env["nurture.sequence"].search([("state", "=", "running")])
        with patch.object(type(running), "_enrol_matching") as enrol:
            running._enrol_all()
        enrol.assert_not_called()
        return self.env.cr.sql_log_count - before


@tagged("post_install", "-at_install")
class TestStepRules(NurtureHttpCase):
    """Expiry and filter of a step."""

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead("ann@recipient.example.com")
        self.bob = self.make_lead("bob@recipient.example.com", expected_revenue=5000)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")

    def test_filter_narrows_the_branch(self):
        big = self.make_step(
            self.sequence,
            "after",
            self.first,
            1,
            subject="Big",
            filter_domain="[('expected_revenue', '>', 1000)]",
        )
        then = self.make_step(self.sequence, "after", big, 1, subject="Then")
        self.sequence.action_start()
        self.advance()
        self.advance(days=1)
        self.advance(days=1)
        for subject in ("Big", "Then"):
            self.assertFalse(self.mails_to("ann@recipient.example.com", subject))
            self.assertEqual(len(self.mails_to("bob@recipient.example.com", subject)), 1)
        trace = self.trace(self.ann, big)
        self.assertEqual((trace.state, trace.reason), ("rejected", "filtered"))
        self.assertFalse(self.trace(self.ann, then))
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")

    def test_event_expires(self):
        """After its expiry an event is not waited for any more."""
        clicked = self.make_step(
            self.sequence, "mail_click", self.first, subject="Clicked", expiry=5
        )
        self.sequence.action_start()
        self.advance()
        self.advance(days=4)
        self.click(self.mail_to("ann@recipient.example.com"))
        self.advance(days=1)
        self.assertEqual(len(self.mails_to("ann@recipient.example.com", "Clicked")), 1)
        self.assertEqual(self.trace(self.bob, clicked).reason, "no_reaction")
        self.click(self.mail_to("bob@recipient.example.com"))
        self.advance(days=1)
        self.assertFalse(self.mails_to("bob@recipient.example.com", "Clicked"))

    def test_too_late(self):
        """A step that fell due while the sequence stood still is not done for ever after."""
        after = self.make_step(
            self.sequence, "after", self.first, 1, subject="After", expiry=12, expiry_unit="hours"
        )
        self.sequence.action_start()
        self.advance()
        self.sequence.action_stop()
        self.advance(days=3)
        self.sequence.action_start("spread")
        self.advance()
        self.assertFalse(self.mails_to("ann@recipient.example.com", "After"))
        self.assertEqual(self.trace(self.ann, after).reason, "expired")

    def test_bad_rules(self):
        with self.assertRaisesRegex(ValidationError, "cannot be used"):
            self.first.filter_domain = "[('nothing', '=', 1)]"
        with self.assertRaisesRegex(ValidationError, "cannot expire"):
            self.first.expiry = -1
