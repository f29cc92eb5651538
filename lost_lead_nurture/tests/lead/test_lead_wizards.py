"""Losing leads, and adding lost ones to a sequence: what is offered, and what is said before."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from ..common import ANN, BOB, NurtureCase


class LeadWizardCase(NurtureCase):
    def setUp(self):
        super().setUp()
        # a salesperson who reads UTC
        self.salesman.tz = self.marketer.tz = "UTC"
        self.by_hand = self.make_campaign("By hand", self.reason_stock)

    def make_campaign(self, name, *reasons, entry="manual", **values):
        """A running sequence of three mails in three weeks, for leads lost for these reasons."""
        reasons = self.env["crm.lost.reason"].concat(*reasons)
        preset = self.env["nurture.preset"]._of_reasons(reasons)
        sequence = self.make_sequence(
            name=name, preset_id=preset.id, domain=preset.full_domain, entry=entry, **values
        )
        first = self.make_step(sequence, delay=1)
        second = self.make_step(sequence, "after", first, 7)
        self.make_step(sequence, "after", second, 2, "weeks")
        sequence.action_start()
        return sequence

    def open_lead(self, address=ANN, **values):
        return self.make_lead(address, lost=False, **values)

    def lost_wizard(self, leads, reason=None, user=None):
        wizards = self.env["crm.lead.lost"].with_user(user or self.salesman)
        wizard = Form(wizards.with_context(default_lead_ids=leads.ids))
        if reason:
            wizard.lost_reason_id = reason
        return wizard

    def enrol_wizard(self, leads, user=None):
        wizards = self.env["nurture.enrol"].with_user(user or self.salesman)
        return Form(wizards.with_context(active_model="crm.lead", active_ids=leads.ids))


@tagged("post_install", "-at_install")
class TestLostWizard(LeadWizardCase):
    def test_offer(self):
        """What fits the reason is offered, with what it will do."""
        lead = self.open_lead()
        wizard = self.lost_wizard(lead, self.reason_stock)
        self.assertEqual(wizard.nurture_sequence_id, self.by_hand)
        self.assertEqual(
            wizard.nurture_preview,
            "3 mails over 21 days, the first tomorrow at 9:00\u202fAM. "
            "It stops as soon as they answer.",
        )
        self.assertFalse(wizard.nurture_exclusion_reason or wizard.nurture_automatic)
        self.assertEqual(lead.won_status, "pending", "nothing has happened yet")
        result = wizard.save().action_lost_reason_apply()
        self.assertEqual(result["params"]["message"], "1 lead entered “By hand”.")
        self.assertEqual(self.participant(lead).sequence_id, self.by_hand)

    def test_nothing_fits(self):
        """Nothing is pushed; core does what it does."""
        lead = self.open_lead()
        wizard = self.lost_wizard(lead, self.reason_price)
        self.assertFalse(wizard.nurture_sequence_id or wizard.nurture_preview)
        self.assertFalse(wizard.nurture_exclusion_reason or wizard.nurture_automatic)
        core = self.open_lead(BOB).action_set_lost(lost_reason_id=self.reason_price.id)
        self.assertEqual(wizard.save().action_lost_reason_apply(), core)
        self.assertEqual(lead.won_status, "lost")
        self.assertFalse(self.participant(lead))

    def test_declined(self):
        """What was offered and taken out again does not happen."""
        lead = self.open_lead()
        wizard = self.lost_wizard(lead, self.reason_stock)
        wizard.nurture_sequence_id = self.env["nurture.sequence"]
        wizard.save().action_lost_reason_apply()
        self.assertEqual(lead.won_status, "lost")
        self.assertFalse(self.participant(lead))

    def test_code(self):
        """Code that loses leads for a reason has chosen no sequence."""
        lead = self.open_lead()
        wizards = self.env["crm.lead.lost"].with_user(self.salesman)
        wizards.create(
            {"lead_ids": lead.ids, "lost_reason_id": self.reason_stock.id}
        ).action_lost_reason_apply()
        self.assertEqual(lead.lost_reason_id, self.reason_stock)
        self.assertFalse(self.participant(lead))

    def test_none_is_running(self):
        self.by_hand.action_stop()
        wizard = self.lost_wizard(self.open_lead(), self.reason_stock)
        self.assertFalse(wizard.nurture_available or wizard.nurture_sequence_id)

    def test_most_particular(self):
        """Of two that fit the one for this reason alone is offered."""
        self.by_hand.action_stop()
        self.make_campaign("A both", self.reason_stock, self.reason_price)
        alone = self.make_campaign("B alone", self.reason_stock)
        wizard = self.lost_wizard(self.open_lead(), self.reason_stock)
        self.assertEqual(wizard.nurture_sequence_id, alone)

    def test_choice_of_leads(self):
        """One for other salespeople's leads does not fit."""
        self.by_hand.preset_id.user_ids = self.colleague
        self.by_hand.domain = self.by_hand.preset_id.full_domain
        wizard = self.lost_wizard(self.open_lead(), self.reason_stock)
        self.assertFalse(wizard.nurture_sequence_id)

    def test_choice_cannot_be_read(self):
        """A broken choice of leads keeps nobody from losing a lead."""
        self.env.cr.execute(
            "UPDATE nurture_sequence SET domain = %s WHERE id = %s",
            ["[('lost_reason_id', '=', nothing", self.by_hand.id],
        )
        self.env.invalidate_all()
        lead = self.open_lead()
        wizard = self.lost_wizard(lead, self.reason_stock)
        self.assertFalse(wizard.nurture_sequence_id)
        wizard.save().action_lost_reason_apply()
        self.assertEqual(lead.won_status, "lost")

    def assertCannotEnter(self, lead, why):  # noqa: N802
        wizard = self.lost_wizard(lead, self.reason_stock)
        self.assertFalse(wizard.nurture_sequence_id, "nothing is offered that does nothing")
        self.assertFalse(wizard.nurture_preview)
        self.assertEqual(wizard.nurture_exclusion_reason, f"Cannot enter “By hand”: {why}")
        wizard.save().action_lost_reason_apply()
        self.assertEqual(lead.won_status, "lost")

    def test_no_address(self):
        self.assertCannotEnter(self.open_lead(False), "No email address")

    def test_blacklisted(self):
        self.env["mail.blacklist"]._add(ANN)
        self.assertCannotEnter(self.open_lead(), "Address blacklisted")

    def test_open_deal(self):
        self.open_lead()
        self.assertCannotEnter(self.open_lead(), "Another opportunity with this customer is open")

    def test_has_been_inside(self):
        lead = self.make_lead(ANN)
        self.by_hand.enrol(lead.ids)
        lead.action_restore()
        self.assertCannotEnter(lead, "Is or was in this sequence")

    def test_chosen_all_the_same(self):
        """Who insists learns of it, and the lead is lost."""
        lead = self.open_lead(False)
        wizard = self.lost_wizard(lead, self.reason_stock)
        wizard.nurture_sequence_id = self.by_hand
        result = wizard.save().action_lost_reason_apply()
        self.assertIn("No email address: 1", result["params"]["message"])
        self.assertEqual(lead.won_status, "lost")

    def test_automatic(self):
        """What leads enter automatically is said, not asked."""
        self.by_hand.action_stop()
        auto = self.make_campaign("Auto", self.reason_stock, entry="auto")
        lead = self.open_lead()
        wizard = self.lost_wizard(lead, self.reason_stock)
        self.assertEqual(
            wizard.nurture_automatic,
            "“Auto” takes over automatically. 3 mails over 21 days, "
            "the first tomorrow at 9:00\u202fAM. "
            "It stops as soon as they answer.",
        )
        self.assertFalse(wizard.nurture_sequence_id)
        self.assertFalse(wizard.save().action_lost_reason_apply(), "as core")
        self.run_cron()
        self.assertEqual(self.participant(lead).sequence_id, auto)

    def test_automatic_but_cannot(self):
        self.by_hand.action_stop()
        self.make_campaign("Auto", self.reason_stock, entry="auto")
        wizard = self.lost_wizard(self.open_lead(False), self.reason_stock)
        self.assertFalse(wizard.nurture_automatic)
        self.assertEqual(wizard.nurture_exclusion_reason, "Cannot enter “Auto”: No email address")

    def test_held_out(self):
        self.by_hand.holdout_percent = 99.99
        wizard = self.lost_wizard(self.open_lead(name="Desk"), self.reason_stock)
        self.assertEqual(wizard.nurture_preview, "Held out for comparison, getting nothing: Desk.")

    def test_several(self):
        """How many enter, and who does not."""
        leads = self.env["crm.lead"].concat(
            self.open_lead("one@recipient.example.com", name="One"),
            self.open_lead("two@recipient.example.com", name="Two"),
            *(self.open_lead(False, name=f"None {number}") for number in range(5)),
        )
        # two of somebody are lost together: neither is in the way of the other
        leads |= self.open_lead("two@recipient.example.com", name="Again")
        wizard = self.lost_wizard(leads, self.reason_stock)
        self.assertIn("2 of 8 leads enter: 3 mails over 21 days", wizard.nurture_preview)
        self.assertEqual(
            wizard.nurture_exclusion_reason,
            "Cannot enter “By hand”:\n"
            "No email address: None 0, None 1, None 2 and 2 more\n"
            "Another of these leads has the same address: Two",
        )
        result = wizard.save().action_lost_reason_apply()
        self.assertIn("2 leads entered “By hand”.", result["params"]["message"])
        self.assertEqual(set(leads.mapped("won_status")), {"lost"})
        entered = self.by_hand.participant_ids.lead_id
        self.assertEqual(set(entered.mapped("name")), {"One", "Again"})

    def test_constant_queries(self):
        """Many leads cost as much as a few."""

        def count(number):
            leads = self.env["crm.lead"].concat(
                *(self.open_lead(f"{number}.{one}@recipient.example.com") for one in range(number))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.lost_wizard(leads, self.reason_stock)
            return self.cr.sql_log_count - before

        count(2)  # caches
        self.assertEqual(count(3), count(30))

    def test_not_for_marketers(self):
        """Who only reads leads loses none."""
        with self.assertRaises(AccessError):
            self.lost_wizard(self.open_lead(), user=self.marketer)

    def test_company(self):
        """Sequences of companies that somebody does not work for are not offered."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.by_hand.action_stop()
        self.make_campaign("Theirs", self.reason_stock, company_id=other.id)
        wizard = self.lost_wizard(self.open_lead(), self.reason_stock)
        self.assertFalse(wizard.nurture_available or wizard.nurture_sequence_id)


@tagged("post_install", "-at_install")
class TestEnrolWizard(LeadWizardCase):
    def test_offer(self):
        """Salesperson and marketer are offered what fits, and shown what it does."""
        for user, address in ((self.salesman, ANN), (self.marketer, BOB)):
            lead = self.make_lead(address)
            wizard = self.enrol_wizard(lead, user)
            self.assertEqual(wizard.sequence_id, self.by_hand)
            self.assertTrue(wizard.can_enter)
            self.assertEqual(
                wizard.preview,
                "3 mails over 21 days, the first tomorrow at 9:00\u202fAM. "
                "It stops as soon as they answer.",
            )
            result = wizard.save().action_enrol()
            self.assertEqual(result["params"]["message"], "1 lead entered “By hand”.")
            self.assertEqual(lead.with_user(user).nurture_state, "running")

    def test_another_one(self):
        """The preview is that of the sequence chosen."""
        other = self.make_sequence(name="Other", entry="manual", exit_on_replied=False)
        self.make_step(other)
        other.action_start()
        wizard = self.enrol_wizard(self.make_lead(ANN))
        wizard.sequence_id = other
        self.assertEqual(wizard.preview, "1 mail, at once.")

    def test_fitting_first(self):
        """In the drop-down, those meant for the reason come before the others."""
        self.make_campaign("A price", self.reason_price)
        fitting = self.make_campaign("Z stock", self.reason_stock)
        wizard = self.enrol_wizard(self.make_lead(ANN))
        sequences = self.env["nurture.sequence"].with_user(self.salesman)
        reasons = wizard.lost_reason_ids.ids
        self.assertEqual(reasons, self.reason_stock.ids)
        found = sequences.with_context(nurture_reason_ids=reasons).name_search(
            "", [("state", "=", "running")], limit=2
        )
        self.assertEqual([id_ for id_, _name in found], (self.by_hand | fitting).ids)

    def test_why_not(self):
        """Why it cannot enter is said before; there is nothing to press."""
        cases = {
            "No email address": self.make_lead(False),
            "Address blacklisted": self.make_lead("black@recipient.example.com"),
            "Not lost": self.open_lead(
                "open@recipient.example.com", lost_reason_id=self.reason_stock.id
            ),
            "Is or was in this sequence": self.make_lead(ANN),
            "Another opportunity with this customer is open": self.make_lead(BOB),
        }
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        self.by_hand.enrol(cases["Is or was in this sequence"].ids)
        self.open_lead(BOB)
        for why, lead in cases.items():
            wizard = self.enrol_wizard(lead)
            wizard.sequence_id = self.by_hand
            self.assertFalse(wizard.can_enter, why)
            self.assertFalse(wizard.preview, why)
            self.assertEqual(wizard.exclusion_reason, f"Cannot enter “By hand”: {why}")

    def test_none_is_running(self):
        self.by_hand.action_stop()
        wizard = self.enrol_wizard(self.make_lead(ANN))
        self.assertFalse(wizard.available or wizard.sequence_id or wizard.can_enter)

    def test_stopped_meanwhile(self):
        wizard = self.enrol_wizard(self.make_lead(ANN))
        self.by_hand.action_stop()
        with self.assertRaisesRegex(UserError, "is not running"):
            wizard.save().action_enrol()

    def test_several(self):
        """Counts, and who is left out, in a constant number of queries."""
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        leads = self.make_lead(ANN, name="Ann") | self.make_lead(BOB, name="Bob")
        leads |= self.make_lead("black@recipient.example.com", name="Black")
        wizard = self.enrol_wizard(leads)
        self.assertEqual(wizard.lead_count, 3)
        self.assertIn("2 of 3 leads enter:", wizard.preview)
        self.assertEqual(
            wizard.exclusion_reason, "Cannot enter “By hand”:\nAddress blacklisted: Black"
        )
        wizard.save().action_enrol()
        self.assertEqual(self.by_hand.participant_ids.lead_id, leads[:2])

    def test_rights(self):
        """Nobody learns of leads that are not for their eyes."""
        others = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        with self.assertRaises(AccessError):
            self.by_hand.with_user(self.salesman)._preview_entry(others.with_user(self.salesman))
        with self.assertRaises(AccessError):
            self.enrol_wizard(others, self.employee)

    def test_all_documents(self):
        """The team leader adds everybody's."""
        boss = new_test_user(self.env, "boss", "sales_team.group_sale_salesman_all_leads")
        lead = self.make_lead(ANN, user_id=self.colleague.id)
        self.enrol_wizard(lead, boss).save().action_enrol()
        self.assertTrue(self.participant(lead))
