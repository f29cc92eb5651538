import re

from odoo.tests import tagged

from odoo.addons.lost_lead_nurture.tests.common import NurtureCase, NurtureHttpCase

from .common import WaitingMixin


class LeadsMixin(WaitingMixin):
    """Leads that want one desk each, the first the most valuable."""

    def make_leads(self, number):
        leads = self.env["crm.lead"]
        for place in range(number):
            leads |= self.lose(f"lead{place}", (self.desk, 1), revenue=1000 - place)
        return leads


@tagged("post_install", "-at_install")
class TestWaves(LeadsMixin, NurtureHttpCase):
    """No more leads are written to than there is enough for, until they have had their days."""

    def addresses(self):
        """The leads to which mails left, in that order."""
        recipients = [message["To"].partition("@")[0] for message in self.catcher.messages]
        return [re.sub('.*[<" ]', "", one) for one in recipients if "lead" in one]

    def test_next_wave(self):
        """Three for ten leads: three get a mail, and when they do not answer the next three."""
        leads = self.make_leads(10)
        self.receive(self.desk, 3)
        self.advance(hours=2)
        self.assertEqual(sorted(self.addresses()), ["lead0", "lead1", "lead2"])
        self.assertEqual(self.excluded()["stock_taken"], leads[3:])
        self.advance(days=6)
        self.assertEqual(len(self.addresses()), 3)
        self.advance(days=1)
        self.assertEqual(sorted(self.addresses()[3:]), ["lead3", "lead4", "lead5"])
        # those of the first wave were not short of anything
        self.advance(days=8)
        self.assertEqual(sorted(self.addresses()[6:]), ["lead6", "lead7", "lead8"])

    def test_new_stock_is_another_wave(self):
        self.make_leads(5)
        self.receive(self.desk, 2)
        self.advance(hours=2)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(sorted(self.addresses()), ["lead0", "lead1", "lead2"])

    def test_most_have_answered(self):
        """Where most of the wave answered, what the others were offered stays theirs while they are
        in the sequence; what somebody ordered is gone, and what was answered is not for others."""
        self.sequence.write({"wave_share": 50, "goal_restore": True})
        self.make_step(self.sequence, "after", self.first, 60, subject="Second")
        leads = self.make_leads(6)
        self.receive(self.desk, 3)
        self.advance(hours=2)
        for lead in leads[:2]:
            self.answer(self.mail_to(lead.email_from))
        self.assertEqual(set(self.participant(leads[0]).mapped("exit_reason")), {"replied"})
        self.advance(days=5)
        self.assertEqual(len(self.addresses()), 3)
        self.advance(days=4)
        # the days of those who answered are over, not the time of the silent one
        self.assertEqual(sorted(self.addresses()[3:]), ["lead3", "lead4"])

    def test_who_leaves_makes_room_at_once(self):
        leads = self.make_leads(3)
        self.receive(self.desk, 1)
        self.make_step(self.sequence, "after", self.first, 60, subject="Second")
        self.advance(hours=2)
        self.unsubscribe(self.mail_to(leads[0].email_from))
        self.advance(hours=2)
        self.assertEqual(self.addresses(), ["lead0", "lead1"])

    def test_by_hand_again(self):
        """Where leads enter by hand, too, others may have it when the days to answer are over."""
        self.sequence.entry = "manual"
        leads = self.make_leads(2)
        self.receive(self.desk, 1)
        self.assertEqual(self.sequence.enrol(leads[0].ids)["entered"], leads[0].ids)
        self.advance(hours=1)
        excluded = self.sequence.enrol(leads[1].ids)["excluded"]
        self.assertEqual(excluded, {"stock_taken": leads[1].ids})
        self.advance(days=8)
        self.assertEqual(self.sequence.enrol(leads[1].ids)["entered"], leads[1].ids)

    def test_second_mail_while_others_have_it(self):
        """Who was silent made room for others: the second mail does not offer it once more."""
        self.make_step(self.sequence, "after", self.first, 10, subject="Second")
        leads = self.make_leads(2)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.advance(days=8)
        self.assertEqual(self.addresses(), ["lead0", "lead1"])
        self.advance(days=3)
        self.assertEqual(self.addresses(), ["lead0", "lead1"])
        self.assertEqual(self.participant(leads[0]).exit_reason, "stock_taken")

    def test_second_mail_where_nobody_else_waits(self):
        self.make_step(self.sequence, "after", self.first, 10, subject="Second")
        lead = self.make_leads(1)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.advance(days=8)
        self.advance(days=3)
        self.assertEqual(self.addresses(), ["lead0", "lead0"])
        self.assertFalse(self.participant(lead).stock_claim_ids.filtered("released_date"))


@tagged("post_install", "-at_install")
class TestAllocation(LeadsMixin, NurtureCase):
    """Who comes first, and who takes what."""

    def test_all_products_have_to_be_there(self):
        both = self.lose("both", (self.desk, 1), (self.lamp, 1), revenue=1000)
        lamp = self.lose("lamp", (self.lamp, 1), revenue=10)
        self.receive(self.lamp, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), lamp)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.excluded()["stock_taken"], both)

    def test_who_needs_more_than_there_is_waits(self):
        many = self.lose("many", (self.desk, 5), revenue=1000)
        one = self.lose("one", (self.desk, 1), revenue=10)
        self.receive(self.desk, 3)
        self.advance(hours=2)
        self.assertEqual(self.entered(), one)
        self.receive(self.desk, 2)
        self.advance(hours=2)
        self.assertEqual(self.excluded()["stock_taken"], many)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), one | many)

    def test_one_of_an_address(self):
        """Of two leads with one address one enters, and one takes."""
        self.make_leads(1)
        again = self.lose("lead0", (self.desk, 1), revenue=1)
        other = self.lose("other", (self.desk, 1), revenue=1)
        self.clock += self.hours(1)
        self.receive(self.desk, 2)
        self.advance(hours=2)
        self.assertEqual(self.entered(), again | other)

    def test_excluded_leads_take_nothing(self):
        leads = self.make_leads(2)
        self.env["mail.blacklist"]._add(leads[0].email_normalized)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), leads[1])

    def test_two_sequences(self):
        """What one sequence offered no other one offers."""
        other = self.make_sequence(name="Other", wait_for_stock="free", reentry="stock")
        self.make_step(other)
        other.action_start()
        leads = self.make_leads(2)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        entered = self.env["nurture.participant"].search([("lead_id", "in", leads.ids)])
        self.assertEqual(len(entered), 1)
        self.assertEqual(entered.lead_id, leads[0])

    def test_stopped_sequence(self):
        """What a sequence offered that was stopped others may offer after the days to answer."""
        self.make_leads(1)
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.sequence.action_stop()
        other = self.make_sequence(name="Other", wait_for_stock="free", reentry="stock")
        self.make_step(other)
        other.action_start()
        self.lose("other", (self.desk, 1))
        self.advance(days=5)
        self.assertFalse(other.participant_ids)
        self.advance(days=5)
        self.assertTrue(other.participant_ids)

    def test_held_out_takes_nothing(self):
        self.sequence.holdout_percent = 50
        leads = self.make_leads(12)
        self.receive(self.desk, 3)
        self.advance(hours=2)
        states = self.sequence.participant_ids.mapped("state")
        self.assertEqual(len(states) - states.count("holdout"), 3)
        self.assertGreater(states.count("holdout"), 0)
        held_out = self.sequence.participant_ids.filtered(lambda one: one.state == "holdout")
        self.assertEqual(len(held_out.stock_claim_ids.filtered("released_date")), len(held_out))
        self.advance(hours=2)
        self.assertEqual(len(self.sequence.participant_ids & held_out), len(held_out))
        self.assertLess(len(self.entered()), len(leads))

    def test_by_hand(self):
        """Whoever is added by hand does not come before the stock either."""
        lead = self.lose("hand", (self.desk, 1))
        result = self.sequence.enrol(lead.ids)
        self.assertEqual(result["excluded"], {"not_in_stock": lead.ids})
        self.receive(self.desk, 1)
        self.assertEqual(self.sequence.enrol(lead.ids)["entered"], lead.ids)

    def test_ordered_is_not_counted_twice(self):
        """Who orders has it reserved: for the others it is gone once."""
        leads = self.make_leads(3)
        self.receive(self.desk, 2)
        self.sequence.wave_days = 60
        self.clock += self.hours(2)
        self.run_cron()
        order = leads[0].order_ids
        order.date_order = self.clock
        order.action_confirm()
        self.receive(self.desk, 1)
        self.advance(hours=2)
        self.assertEqual(self.entered(), leads)

    def test_lost_just_now_does_not_come_before_others(self):
        leads = self.make_leads(2)
        self.advance(hours=2)
        self.receive(self.desk, 1)
        self.clock += self.hours(0.2)
        late = self.lose("late", (self.desk, 1), revenue=1)
        self.run_cron()
        self.assertFalse(self.entered())
        self.advance(hours=1)
        self.assertEqual(self.entered(), leads[0])
        self.assertIn(late, self.excluded()["stock_taken"])

    def test_queries_do_not_grow(self):
        """However many leads wait, stock is read once."""
        self.make_leads(3)
        self.receive(self.desk, 2)
        self.sequence._group_by_exclusion()
        self.env.invalidate_all()
        with self.assertQueryCount(60):
            few = self.count_queries()
        self.make_more()
        self.env.invalidate_all()
        self.assertLessEqual(self.count_queries(), few)

    def make_more(self):
        for place in range(20):
            self.lose(f"more{place}", (self.desk, 1))
        self.env.flush_all()

    def count_queries(self):
        before = self.env.cr.sql_log_count
        self.sequence._group_by_exclusion()
        return self.env.cr.sql_log_count - before
