"""Goals: what ends a lead's journey, by the real event, and what then becomes of the lead."""

from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import ForeignKeyViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ...tools.bots import TOO_FAST
from ...tools.links import is_about
from ...tools.reasons import EXIT_REASONS, WON_BACK
from ..common import NurtureHttpCase

ANN = "ann@recipient.example.com"
BOB = "bob@recipient.example.com"
SHOP = "https://shop.example.com/limited"


class GoalsCase(NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create(
            {"name": "Limited item", "type": "service", "taxes_id": False}
        )
        cls.other_company = cls.env["res.company"].create({"name": "Other Company"})
        cls.customer = cls.env["res.partner"].create({"name": "Ann's Company", "is_company": True})
        cls.contact, cls.buyer = cls.env["res.partner"].create(
            [
                {"name": "Ann", "email": ANN, "parent_id": cls.customer.id},
                {"name": "Buyer", "email": "buyer@ann.example.com", "parent_id": cls.customer.id},
            ]
        )

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN, partner_id=self.contact.id)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")

    def start(self, **values):
        """Start with these settings, and send the first mail to Ann and Bob."""
        self.sequence.write(values)
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.participant(self.ann).state, "running")

    def order(self, user=None, **values):
        """A quotation made by the salesperson, who knows nothing of marketing."""
        orders = self.env["sale.order"].with_user(user or self.salesman)
        return orders.create(
            {
                "partner_id": self.contact.id,
                "date_order": self.clock,
                "order_line": [
                    Command.create({"product_id": self.product.id, "price_unit": 250.0})
                ],
                **values,
            }
        )

    def book(self, user=None, **values):
        """A meeting booked by the salesperson."""
        return (
            self.env["calendar.event"]
            .with_user(user or self.salesman)
            .create(
                {
                    "name": "Demonstration",
                    "start": self.clock + timedelta(days=3),
                    "stop": self.clock + timedelta(days=3, hours=1),
                    **values,
                }
            )
        )

    def note(self, lead):
        notes = lead.message_ids.filtered(lambda message: "Won back" in message.body)
        self.assertEqual(len(notes), 1)
        return notes

    def assertReached(self, lead, reason, restored=True, credited=True):  # noqa: N802
        """The lead left for a goal: it says so, is in the pipeline, and gets nothing more."""
        participant = self.participant(lead)
        self.assertEqual((participant.state, participant.exit_reason), ("exited", reason))
        self.assertTrue(participant.exit_date)
        self.assertEqual(bool(participant.won_back_date), credited)
        self.assertEqual(bool(participant.credited_step_id), credited)
        self.assertEqual(lead.won_status == "pending", restored)
        labels = dict(EXIT_REASONS)
        self.assertEqual(lead.nurture_status, labels[reason])
        self.assertFalse(
            participant.trace_ids.filtered(lambda trace: trace.state in ("waiting", "scheduled"))
        )
        self.assertTrue(all(participant.trace_ids.mapped("reason")))
        before = len(self.mails_to(lead.email_normalized))
        self.advance(days=30)
        self.assertEqual(len(self.mails_to(lead.email_normalized)), before)

    def assertStays(self, lead):  # noqa: N802
        """Nothing of what happened ends the lead's journey: the next mail reaches it."""
        self.assertEqual(self.participant(lead).state, "running")
        self.assertEqual(lead.won_status, "lost")
        self.advance(days=7)
        self.assertTrue(self.mails_to(lead.email_normalized, "Second"))
        self.assertEqual(self.participant(lead).exit_reason, "finished")


@tagged("post_install", "-at_install")
class TestGoals(GoalsCase):
    # ------------------------------------------------------------
    # EACH GOAL, ON AND OFF
    # ------------------------------------------------------------

    def test_replied(self):
        self.start()
        self.answer(self.mail_to(ANN))
        self.assertReached(self.ann, "replied")

    def test_replied_off(self):
        """A reply is an event like others: what waits for it is done, all else goes on."""
        self.make_step(self.sequence, "mail_reply", self.first, subject="Thanks")
        self.start(exit_on_replied=False)
        self.answer(self.mail_to(ANN))
        self.advance()
        self.assertTrue(self.mails_to(ANN, "Thanks"))
        self.assertFalse(self.participant(self.ann).won_back_date)
        self.assertStays(self.ann)

    def test_restored_off(self):
        self.start(exit_on_restored=False, exit_on_open_deal=False)
        self.ann.with_user(self.salesman).action_restore()
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=7)
        self.assertTrue(self.mails_to(ANN, "Second"))

    def test_restored_behind_our_back(self):
        """By SQL, by another add-on: it is noticed before the next step."""
        self.start()
        self.touch(self.ann)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET active = true, won_status = 'pending' WHERE id = %s", [self.ann.id]
        )
        self.env.invalidate_all()
        self.advance(days=7)
        self.assertReached(self.ann, "restored")

    def test_won(self):
        self.start()
        self.touch(self.ann)
        self.ann.with_user(self.salesman).action_set_won()
        self.assertReached(self.ann, "won", restored=False)

    def test_won_off(self):
        self.start(exit_on_won=False)
        self.ann.action_set_won()
        self.assertEqual(self.participant(self.ann).state, "running")

    def test_quotation_of_the_opportunity(self):
        self.start()
        self.touch(self.ann)
        order = self.order(opportunity_id=self.ann.id)
        self.assertReached(self.ann, "quotation")
        self.assertEqual(self.journey_of(order), self.participant(self.ann))

    def test_quotation_of_the_customer(self):
        """A colleague of the contact asks for an offer; nobody thinks of the lost opportunity."""
        self.start()
        self.touch(self.ann)
        order = self.order(partner_id=self.buyer.id)
        self.assertReached(self.ann, "quotation")
        self.assertEqual(self.journey_of(order), self.participant(self.ann))
        self.assertEqual(self.participant(self.bob).exit_reason, "finished")

    def test_quotation_of_the_address(self):
        """Bob's lead has no contact: he is known by his address."""
        partner = self.env["res.partner"].create({"name": "Bob", "email": f"Bob <{BOB}>"})
        self.start()
        self.touch(self.bob)
        order = self.order(partner_id=partner.id)
        self.assertReached(self.bob, "quotation")
        self.assertEqual(self.journey_of(order), self.participant(self.bob))

    def test_quotation_off(self):
        self.start(exit_on_quotation=False)
        order = self.order(opportunity_id=self.ann.id)
        self.assertFalse(self.journey_of(order))
        self.assertStays(self.ann)

    def test_quotation_off_order_on(self):
        self.start(exit_on_quotation=False)
        self.touch(self.ann)
        order = self.order(opportunity_id=self.ann.id)
        order.action_confirm()
        self.assertReached(self.ann, "order")
        self.assertEqual(self.journey_of(order), self.participant(self.ann))

    def test_old_quotation(self):
        """What was quoted before the lead entered says nothing, until it is ordered."""
        order = self.order(opportunity_id=self.ann.id, date_order=self.clock - timedelta(days=1))
        self.start()
        order.action_quotation_sent()
        self.assertEqual(self.participant(self.ann).state, "running")
        self.touch(self.ann)
        self.clock += timedelta(days=2)
        order.action_confirm()
        self.assertReached(self.ann, "order")
        self.assertEqual(self.journey_of(order), self.participant(self.ann))

    def test_order(self):
        self.start()
        self.touch(self.ann)
        self.order(partner_id=self.buyer.id, state="sale")
        self.assertReached(self.ann, "order")

    def test_order_off(self):
        self.start(exit_on_quotation=False, exit_on_order=False)
        self.order(opportunity_id=self.ann.id).action_confirm()
        self.assertStays(self.ann)

    def test_cancelled_quotation(self):
        self.start(exit_on_quotation=False)
        order = self.order(opportunity_id=self.ann.id)
        self.sequence.exit_on_quotation = True
        order.action_cancel()
        self.assertStays(self.ann)

    def test_order_in_another_company(self):
        """Each company of the database has customers of its own."""
        self.salesman.company_ids |= self.other_company
        self.start()
        orders = self.env["sale.order"].with_company(self.other_company)
        order = orders.create(
            {"partner_id": self.buyer.id, "state": "sale", "date_order": self.clock}
        )
        self.assertEqual(order.company_id, self.other_company)
        self.assertFalse(self.journey_of(order))
        self.assertStays(self.ann)

    def test_order_confirmed_by_the_customer(self):
        """In the portal, or paid in a shop: whoever it is has no rights at all."""
        portal = new_test_user(self.env, "nurture_portal", "base.group_portal")
        self.start(exit_on_quotation=False)
        order = self.order(opportunity_id=self.ann.id)
        for user in (portal, self.env.ref("base.public_user")):
            self.assertEqual(self.participant(self.ann).state, "running")
            with self.subTest(user.login), self.env.cr.savepoint() as savepoint:
                order.with_user(user).sudo().action_confirm()
                participant = self.participant(self.ann)
                self.assertEqual(participant.exit_reason, "order")
                self.assertEqual(self.ann.user_id, self.salesman)
                self.assertEqual(self.ann.activity_ids.user_id, self.salesman)
                self.assertEqual(self.note(self.ann).author_id, self.env.ref("base.partner_root"))
                self.assertTrue(self.note(self.ann).subtype_id.internal)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_portal_sees_nothing_of_it(self):
        portal = new_test_user(self.env, "nurture_portal", "base.group_portal")
        portal.partner_id.parent_id = self.customer
        self.start()
        self.touch(self.ann)
        order = self.order(partner_id=portal.partner_id.id, opportunity_id=self.ann.id)
        order.action_quotation_sent()
        order.message_subscribe(portal.partner_id.ids)
        self.assertTrue(order.with_user(portal).read(["name"]))
        with self.assertRaises(AccessError):
            self.credits_of(order).with_user(portal).read(["share"])

    def test_quotation_by_who_may_not_see_the_lead(self):
        """The colleague sees only own leads; the quotation is for the same company."""
        self.start()
        self.touch(self.ann)
        self.order(self.colleague, partner_id=self.buyer.id)
        self.assertFalse(self.ann.with_user(self.colleague).has_access("read"))
        self.assertReached(self.ann, "quotation")

    def test_order_whatever_happens(self):
        """What goes wrong in a sequence does not keep anybody from ordering. The responsible is
        notified, and the lead is looked at again before its next step."""
        self.start()
        self.touch(self.ann)
        leads = type(self.env["crm.lead"])
        with (
            patch.object(leads, "_nurture_hand_over", side_effect=ZeroDivisionError),
            mute_logger("odoo.addons.lost_lead_nurture.models.participant.goals"),
        ):
            order = self.order(opportunity_id=self.ann.id)
        self.assertTrue(order.exists().order_line)
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertEqual(self.ann.won_status, "lost", "all or nothing")
        self.assertEqual(self.sequence.activity_ids.user_id, self.sequence.user_id)
        self.assertIn("could not be taken in", self.sequence.activity_ids.summary)
        self.advance(days=7)
        self.assertReached(self.ann, "quotation")

    def test_meeting_about_the_opportunity(self):
        self.start()
        self.touch(self.ann)
        self.book(opportunity_id=self.ann.id)
        self.assertReached(self.ann, "meeting")

    def test_meeting_with_the_contact(self):
        self.start()
        self.touch(self.ann)
        self.book(partner_ids=[Command.set(self.contact.ids)])
        self.assertReached(self.ann, "meeting")

    def test_meeting_with_the_address(self):
        partner = self.env["res.partner"].create({"name": "Bob", "email": BOB})
        self.start()
        self.touch(self.bob)
        event = self.book()
        self.assertEqual(self.participant(self.bob).state, "running")
        event.partner_ids += partner
        self.assertReached(self.bob, "meeting")

    def test_meeting_with_somebody_else(self):
        self.start()
        self.book(partner_ids=[Command.set((self.salesman.partner_id + self.buyer).ids)])
        self.assertStays(self.ann)

    def test_meeting_booked_by_a_visitor(self):
        self.start()
        self.touch(self.ann)
        events = self.env["calendar.event"].with_user(self.env.ref("base.public_user")).sudo()
        events.create(
            {
                "name": "Call",
                "start": self.clock,
                "stop": self.clock + timedelta(hours=1),
                "partner_ids": [Command.set(self.contact.ids)],
            }
        )
        self.assertReached(self.ann, "meeting")

    def test_meeting_off(self):
        self.start(exit_on_meeting=False)
        self.book(opportunity_id=self.ann.id)
        self.assertStays(self.ann)

    def test_old_meeting(self):
        event = self.book(opportunity_id=self.ann.id)
        self.start_after(event)
        self.assertStays(self.ann)

    def start_after(self, event):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE calendar_event SET create_date = %s WHERE id = %s",
            [self.clock - timedelta(days=1), event.id],
        )
        self.env.invalidate_all()
        self.start()

    def test_clicked(self):
        self.start(goal_link="https://shop.example.com/*")
        self.trace(self.ann, self.first)._handle("click", SHOP)
        participant = self.participant(self.ann)
        self.assertEqual(participant.credited_step_id, self.first)
        self.assertReached(self.ann, "clicked")

    def test_clicked_in_the_mail(self):
        self.start(goal_link=SHOP)
        self.click(self.mail_to(ANN))
        self.assertReached(self.ann, "clicked")

    def test_clicked_something_else(self):
        self.start(goal_link="https://shop.example.com/checkout*")
        self.trace(self.ann, self.first)._handle("click", SHOP)
        self.trace(self.ann, self.first)._handle("click")
        self.assertStays(self.ann)

    def test_clicked_without_goal(self):
        self.start(goal_link=" ")
        self.trace(self.ann, self.first)._handle("click")
        self.trace(self.ann, self.first)._handle("click", SHOP)
        self.assertStays(self.ann)

    def test_clicked_too_late(self):
        """Only who is in the sequence, or completed it not too long ago, is won back by a click."""
        self.start(goal_link=SHOP)
        self.participant(self.ann).action_remove()
        self.trace(self.ann, self.first)._handle("click", SHOP)
        self.assertEqual(self.ann.won_status, "lost")
        self.advance(days=7)
        self.assertEqual(self.participant(self.bob).state, "completed")
        self.clock += timedelta(days=self.sequence.window_days + 1)
        self.trace(self.bob, self.first)._handle("click", SHOP)
        self.assertEqual(self.bob.won_status, "lost")
        self.assertEqual(self.participant(self.bob).exit_reason, "finished")

    def test_open_deal_at_the_same_company(self):
        """A colleague of the contact is in the pipeline: the lost lead is left alone, and stays
        lost. It is noticed before the next step."""
        self.start()
        self.make_lead(
            self.buyer.email, lost=False, partner_id=self.buyer.id, user_id=self.colleague.id
        )
        self.advance(days=7)
        self.assertReached(self.ann, "open_deal", restored=False, credited=False)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)

    def test_open_deal_with_the_same_address(self):
        self.start()
        self.make_lead(BOB, lost=False)
        self.advance(days=7)
        self.assertReached(self.bob, "open_deal", restored=False, credited=False)

    def test_open_deal_off(self):
        self.start(exit_on_open_deal=False)
        self.make_lead(BOB, lost=False)
        self.assertStays(self.bob)

    def test_no_open_deal(self):
        """Won, lost and archived ones are not open, nor is one of another company."""
        self.start()
        self.make_lead(BOB, lost=False).action_set_won()
        self.make_lead(BOB, reason=self.reason_price)
        self.make_lead(BOB, lost=False).action_archive()
        self.make_lead(
            BOB, lost=False, company_id=self.other_company.id, team_id=False, user_id=False
        )
        self.assertStays(self.bob)

    def test_open_deal_of_a_lead_of_all_companies(self):
        """A lead that belongs to no company, in a sequence of none: any deal counts."""
        self.bob.write({"company_id": False, "user_id": False, "team_id": False})
        self.start(company_id=False)
        self.assertFalse(self.participant(self.bob).company_id)
        self.make_lead(BOB, lost=False)
        self.advance(days=7)
        self.assertEqual(self.participant(self.bob).exit_reason, "open_deal")

    def test_unsubscribed_off(self):
        """Whoever unsubscribes gets no mail; for steps that are no mails the lead stays."""
        action = self.make_step(
            self.sequence,
            delay=8,
            step_type="action",
            action_kind="score",
            score=5,
            mailing_id=False,
        )
        self.start(exit_on_blacklisted=False)
        self.unsubscribe(self.mail_to(ANN))
        self.advance(days=8)
        self.assertFalse(self.mails_to(ANN, "Second"))
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "blacklisted"))
        self.assertEqual(self.trace(self.ann, action).state, "processed")
        self.assertEqual(self.ann.nurture_score, 5)

    def test_blacklisted_off_while_a_mail_is_queued(self):
        """Mails are never sent to blacklisted addresses, those in the queue included."""
        self.sequence.exit_on_blacklisted = False
        self.sequence.action_start()
        self.run_cron()
        self.env["mail.blacklist"]._add(ANN)
        self.send_mails()
        self.assertFalse(self.mails_to(ANN))
        self.assertTrue(self.mails_to(BOB))
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("rejected", "blacklisted"))
        self.assertEqual(self.trace(self.ann, self.second).reason, "parent_failed")
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_order_of_who_unsubscribed(self):
        """Who went through, unsubscribed, and then orders, is in the pipeline again, no thanks to
        the mail."""
        self.start()
        self.advance(days=7)
        self.unsubscribe(self.mail_to(ANN, "Second"))
        self.assertEqual(self.participant(self.ann).exit_reason, "finished")
        self.order(opportunity_id=self.ann.id)
        self.assertReached(self.ann, "quotation", credited=False)

    def test_bounced_off(self):
        self.start(exit_on_bounced=False, exclude_bounced=False)
        self.bounce(self.mail_to(ANN))
        self.assertStays(self.ann)

    def test_unmatched(self):
        self.start(exit_on_unmatched=True, domain="[('priority', '=', '0')]")
        self.ann.priority = "2"
        self.advance(days=7)
        self.assertReached(self.ann, "unmatched", restored=False, credited=False)
        self.assertEqual(len(self.mails_to(BOB, "Second")), 1)

    def test_unmatched_off(self):
        self.start(domain="[('priority', '=', '0')]")
        self.ann.priority = "2"
        self.assertStays(self.ann)

    def test_batch(self):
        """Of many who are due together each one goes for its own reason; the batch is judged in
        one query, however many they are."""
        leads = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(8)]
        self.start()
        for lead in leads[1:]:
            self.touch(lead)
        with patch.object(type(self.env["nurture.participant"]), "_check_goals"):
            for lead in leads[:3]:
                self.order(opportunity_id=lead.id, state="sale")
            leads[3].action_restore()
            self.book(opportunity_id=leads[4].id)
        self.make_lead(leads[5].email_normalized, lost=False)
        self.advance(days=7)
        reasons = ["order"] * 3 + ["restored", "meeting", "open_deal", "finished", "finished"]
        for lead, reason in zip(leads, reasons, strict=True):
            participant = self.participant(lead)
            self.assertEqual(participant.exit_reason, reason)
            self.assertEqual(
                bool(participant.won_back_date), reason in WON_BACK and lead != leads[0]
            )
            second = self.mails_to(lead.email_normalized, "Second")
            self.assertEqual(len(second), int(reason == "finished"))

    # ------------------------------------------------------------
    # COST
    # ------------------------------------------------------------

    def test_cost_without_sequences(self):
        """Where nobody has ever been in a sequence a quotation or a meeting asks that only."""
        self.env["nurture.participant"].search([]).unlink()
        order = self.order(opportunity_id=self.ann.id)
        event = self.book()
        self.env.flush_all()
        with self.assertQueryCount(1):
            order._nurture_check_goals()
        with self.assertQueryCount(1):
            event._nurture_check_goals()

    def test_cost_for_strangers(self):
        """A hundred orders of people who are in no sequence cost no more than one."""
        strangers = self.env["res.partner"].create(
            [{"name": f"No {number}", "email": f"no{number}@example.com"} for number in range(100)]
        )
        self.start()
        orders = self.env["sale.order"].create(
            [{"partner_id": stranger.id, "date_order": self.clock} for stranger in strangers]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(8):
            orders._nurture_check_goals()
        self.env.invalidate_all()
        with self.assertQueryCount(8):
            self.env["nurture.outcome"]._sync_orders(orders)

    # ------------------------------------------------------------
    # BEING WON BACK LATER, TWICE, BY SEVERAL JOURNEYS
    # ------------------------------------------------------------

    def test_completed(self):
        """Who went through all steps and is won back in the attribution window was woken by the
        mail clicked in."""
        for name, event in (
            ("order", lambda lead: self.order(opportunity_id=lead.id, state="sale")),
            ("meeting", lambda lead: self.book(opportunity_id=lead.id)),
            ("restored", lambda lead: lead.action_restore()),
            ("won", lambda lead: lead.action_set_won()),
        ):
            lead = self.make_lead(f"{name}@recipient.example.com")
            self.sequence.action_start()
            self.advance()
            self.advance(days=7)
            self.assertEqual(self.participant(lead).state, "completed")
            self.touch(lead)
            self.clock += timedelta(days=80)
            event(lead)
            self.assertEqual(self.participant(lead).credited_step_id, self.second, name)
            self.assertReached(lead, name, restored=name != "won")

    def test_completed_and_too_late(self):
        self.start()
        self.advance(days=7)
        self.touch(self.ann)
        self.clock += timedelta(days=91)
        order = self.order(opportunity_id=self.ann.id, state="sale")
        self.assertFalse(self.journey_of(order))
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "finished"))
        self.assertEqual(self.ann.won_status, "lost")

    def test_before_any_mail(self):
        """Somebody orders before the first mail has left: the lead is won back, but the sequence
        has not earned it, and says so."""
        self.sequence.action_start()
        self.run_cron()
        order = self.order(opportunity_id=self.ann.id)
        self.send_mails()
        self.assertFalse(self.mails_to(ANN), "recalled")
        self.assertFalse(self.journey_of(order))
        self.assertIn("not thanks to", self.note(self.ann).body)
        self.assertReached(self.ann, "quotation", credited=False)

    def test_order_in_reply_branch(self):
        """Who replied gets the steps made for that, until an order ends those too. The reply is
        what is credited."""
        reply = self.make_step(self.sequence, "mail_reply", self.first, 2, subject="Thanks")
        self.make_step(self.sequence, "after", reply, 2, subject="Still there?")
        self.start()
        self.answer(self.mail_to(ANN))
        participant = self.participant(self.ann)
        won_back = participant.won_back_date
        self.assertEqual(participant.state, "running")
        self.advance(days=2)
        self.assertTrue(self.mails_to(ANN, "Thanks"))
        order = self.order(opportunity_id=self.ann.id, state="sale")
        self.assertEqual(participant.won_back_date, won_back)
        self.assertEqual(participant.credited_step_id, self.first)
        self.assertEqual(self.journey_of(order), participant)
        self.assertReached(self.ann, "order")
        self.note(self.ann)

    def test_second_reply_leaves_the_reply_branch_alone(self):
        """A reply to another mail, which has no branch of its own, stops nothing."""
        self.make_step(self.sequence, "mail_reply", self.second, 2, subject="Thanks")
        self.start()
        self.advance(days=7)
        self.answer(self.mail_to(ANN, "Second"))
        self.answer(self.mail_to(ANN, "First"), "And one more thing.")
        self.assertEqual(self.participant(self.ann).state, "running")
        self.advance(days=2)
        self.assertTrue(self.mails_to(ANN, "Thanks"))
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")

    def test_end_of_reply_branch_is_kept(self):
        """Who left by a reply has left by a reply, whatever comes of it."""
        self.make_step(self.sequence, "mail_reply", self.first, 2, subject="Thanks")
        self.start()
        self.answer(self.mail_to(ANN))
        self.advance(days=2)
        order = self.order(opportunity_id=self.ann.id, state="sale")
        participant = self.participant(self.ann)
        self.assertEqual((participant.state, participant.exit_reason), ("completed", "replied"))
        self.assertEqual(self.journey_of(order), participant)

    def test_two_sequences(self):
        """A lead that is won back is credited once: to the sequence in whose mail it clicked last.
        It leaves the other one."""
        other = self.make_sequence(name="Other")
        step = self.make_step(other, subject="Other mail")
        self.make_step(other, "after", step, 30)
        other.action_start()
        self.sequence.action_start()
        self.advance()
        self.click(self.mail_to(ANN, "Other mail"))
        self.order(opportunity_id=self.ann.id)
        journeys = {journey.sequence_id: journey for journey in self.participant(self.ann)}
        self.assertEqual(journeys[other].exit_reason, "quotation")
        self.assertEqual(journeys[other].credited_step_id, step)
        self.assertEqual(journeys[self.sequence].exit_reason, "restored")
        self.assertFalse(journeys[self.sequence].won_back_date)
        self.note(self.ann)

    def test_other_sequence_that_goes_on(self):
        """A sequence for leads that are not lost any more goes on."""
        other = self.make_sequence(name="Other", exit_on_restored=False, exit_on_open_deal=False)
        step = self.make_step(other, subject="Other mail")
        self.make_step(other, "after", step, 7, subject="Other second")
        other.action_start()
        self.sequence.action_start()
        self.advance()
        self.answer(self.mail_to(ANN, "First"))
        self.advance(days=7)
        self.assertTrue(self.mails_to(ANN, "Other second"))
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.assertEqual(
            sum(bool(journey.won_back_date) for journey in self.participant(self.ann)), 1
        )

    def test_lost_again(self):
        """A goal restores once: who was lost again since, and enters again, is another matter."""
        self.start(reentry="lost")
        self.answer(self.mail_to(ANN))
        self.advance(days=1)
        self.ann.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.advance(days=1)
        self.assertEqual(len(self.participant(self.ann)), 2)
        again, first = self.participant(self.ann)
        self.assertEqual((first.exit_reason, again.state), ("replied", "running"))
        self.touch(self.ann)
        self.order(opportunity_id=self.ann.id)
        self.assertEqual((again.exit_reason, again.state), ("quotation", "exited"))
        self.assertGreater(again.won_back_date, first.won_back_date)

    # ------------------------------------------------------------
    # WHAT BECOMES OF THE LEAD
    # ------------------------------------------------------------

    def test_restore_off(self):
        """It stays lost where it was, for somebody to look at."""
        stage = self.ann.stage_id
        lost_on = self.ann.date_closed
        other_stage = self.env["crm.stage"].create({"name": "Won back"})
        self.start(goal_restore=False, goal_stage_id=other_stage.id)
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.stage_id, stage)
        self.assertEqual(self.ann.date_closed, lost_on)
        self.assertEqual(self.ann.lost_reason_id, self.reason_stock)
        self.assertEqual(self.ann.activity_ids.user_id, self.salesman)
        self.assertIn("Restock", self.note(self.ann).body)
        self.assertReached(self.ann, "replied", restored=False)

    def test_stage(self):
        stage = self.env["crm.stage"].create({"name": "Won back"})
        self.start(goal_stage_id=stage.id)
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.stage_id, stage)
        self.assertReached(self.ann, "replied")

    def test_stage_cannot_be_deleted(self):
        stage = self.env["crm.stage"].create({"name": "Won back"})
        self.sequence.goal_stage_id = stage
        with self.assertRaises(ForeignKeyViolation), mute_logger("odoo.sql_db"):
            stage.unlink()

    def test_stage_kept(self):
        stage = self.env["crm.stage"].create({"name": "Negotiation"})
        lead = self.make_lead("neg@recipient.example.com", stage_id=stage.id)
        self.start()
        self.answer(self.mail_to("neg@recipient.example.com"))
        self.assertEqual(lead.stage_id, stage)

    def test_kept_salesperson(self):
        """Whom the lead belongs to, else whom it belonged to when it entered, else the leader."""
        self.ann.user_id = self.colleague
        self.start()
        self.bob.user_id = False
        self.answer(self.mail_to(ANN))
        self.answer(self.mail_to(BOB))
        self.assertEqual(self.ann.user_id, self.colleague)
        self.assertEqual(self.bob.user_id, self.salesman)
        self.assertEqual(self.participant(self.bob).handed_user_id, self.salesman)

    def test_nobody_there(self):
        """No salesperson, no leader: the lead is nobody's, the responsible has the call to make."""
        self.start()
        (self.salesman | self.colleague).active = False
        self.answer(self.mail_to(ANN))
        self.assertFalse(self.ann.user_id)
        self.assertFalse(self.participant(self.ann).handed_user_id)
        self.assertEqual(self.ann.activity_ids.user_id, self.marketer)
        self.assertReached(self.ann, "replied")

    def test_nobody_at_all(self):
        self.start()
        (self.salesman | self.colleague | self.marketer).active = False
        self.order(self.env.user, opportunity_id=self.ann.id)
        self.assertFalse(self.ann.user_id)
        self.assertEqual(len(self.ann.activity_ids), 1)
        self.assertFalse(self.ann.activity_ids.user_id, "not whoever happens to press the button")

    def test_somebody_else(self):
        self.start(goal_assign="user", goal_user_id=self.colleague.id)
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.user_id, self.colleague)
        self.assertEqual(self.ann.activity_ids.user_id, self.colleague)
        self.colleague.active = False
        self.answer(self.mail_to(BOB))
        self.assertEqual(self.bob.user_id, self.salesman, "the old one, where the new one is gone")

    def test_somebody_of_another_company(self):
        self.start(goal_assign="user", goal_user_id=self.colleague.id)
        self.colleague.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.user_id, self.salesman)
        self.assertEqual(self.ann.company_id, self.company)

    def test_somebody_without_rights(self):
        """Who takes over has left sales: the lead is won back all the same."""
        self.start(goal_assign="user", goal_user_id=self.employee.id)
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.ann.user_id, self.employee)
        self.assertReached(self.ann, "replied")

    def test_somebody_has_to_be_named(self):
        self.sequence.goal_assign = "user"
        with self.assertRaisesRegex(UserError, "handed to"):
            self.sequence.action_start()
        self.sequence.goal_assign = "keep"
        self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "handed to"):
            self.sequence.goal_assign = "user"

    def make_team(self, *users, **values):
        return self.env["crm.team"].create(
            {
                "name": "Winners",
                "crm_team_member_ids": [Command.create({"user_id": user.id}) for user in users],
                **values,
            }
        )

    def make_users(self, number):
        return self.env["res.users"].concat(
            *(
                new_test_user(self.env, f"nurture_{index}", "sales_team.group_sale_salesman")
                for index in range(number)
            )
        )

    def test_team_in_turn(self):
        """Each gets one, also of those that are won back in the same moment; next time whoever has
        waited longest. Archived members and users, paused ones and those who do not work for the
        company are passed over."""
        users = self.make_users(7)
        *members, gone, left, away, far = users
        team = self.make_team(*users)
        left.active = False
        far.write(
            {
                "company_ids": [Command.set(self.other_company.ids)],
                "company_id": self.other_company.id,
            }
        )
        team.crm_team_member_ids.filtered(lambda one: one.user_id == gone).action_archive()
        team.crm_team_member_ids.filtered(lambda one: one.user_id == away).assignment_optout = True
        leads = [self.make_lead(f"lead{number}@recipient.example.com") for number in range(7)]
        self.start(goal_assign="team", goal_team_id=team.id)
        for lead in leads[:5]:
            self.answer(self.mail_to(lead.email_normalized))
        got = [lead.user_id for lead in leads[:5]]
        self.assertEqual(got, [*members, *members[:2]])
        self.assertEqual(leads[0].team_id, team)
        self.clock += timedelta(hours=1)
        self.answer(self.mail_to(leads[5].email_normalized))
        self.assertEqual(leads[5].user_id, members[0])
        self.clock += timedelta(hours=1)
        self.answer(self.mail_to(leads[6].email_normalized))
        self.assertEqual(leads[6].user_id, members[1])

    def test_own_team_in_turn(self):
        users = self.make_users(2)
        team = self.make_team(*users, user_id=self.colleague.id)
        self.ann.team_id = team
        self.start(goal_assign="team")
        self.answer(self.mail_to(ANN))
        self.assertEqual((self.ann.user_id, self.ann.team_id), (users[0], team))

    def test_team_without_members(self):
        self.start(goal_assign="team", goal_team_id=self.make_team().id)
        team = self.ann.team_id
        self.answer(self.mail_to(ANN))
        self.assertEqual((self.ann.user_id, self.ann.team_id), (self.salesman, team))

    def test_activity(self):
        todo = self.env.ref("mail.mail_activity_data_todo")
        self.start(goal_activity_type_id=todo.id, goal_activity_summary="Call Ann")
        self.answer(self.mail_to(ANN))
        activity = self.ann.activity_ids
        self.assertEqual((activity.activity_type_id, activity.summary), (todo, "Call Ann"))

    def test_no_activity(self):
        self.start(goal_activity_type_id=False)
        self.answer(self.mail_to(ANN))
        self.assertFalse(self.ann.activity_ids)
        self.assertReached(self.ann, "replied")

    def test_added_tags(self):
        old, new = self.env["crm.tag"].create([{"name": "Old"}, {"name": "Won back (test)"}])
        self.ann.tag_ids = old
        self.start(goal_tag_ids=[Command.set(new.ids)])
        self.answer(self.mail_to(ANN))
        self.bob.action_restore()
        self.assertEqual(self.ann.tag_ids, old | new)
        self.assertEqual(self.bob.tag_ids, new, "by hand, too")

    def test_note(self):
        self.start()
        self.touch(self.ann)
        self.order(opportunity_id=self.ann.id)
        note = self.note(self.ann)
        for text in ("Won back by the sequence", "Restock", "Got a quotation", "No stock (test)"):
            self.assertIn(text, note.body)
        self.assertTrue(note.subtype_id.internal)

    # ------------------------------------------------------------
    # CREDIT
    # ------------------------------------------------------------

    def test_credit_of_later_orders(self):
        """What is quoted in the attribution window after the reply is credited, with opportunity or
        without; before and after it is not, and another company's neither."""
        self.start()
        self.answer(self.mail_to(ANN))
        participant = self.participant(self.ann)
        back = participant.won_back_date
        window = timedelta(days=self.sequence.window_days)
        none = participant.browse()
        for what, credited, values in (
            ("opportunity", participant, {"opportunity_id": self.ann.id}),
            ("customer", participant, {"partner_id": self.buyer.id}),
            ("before", none, {"date_order": back - timedelta(days=1)}),
            ("last day", participant, {"date_order": back + window}),
            ("after", none, {"date_order": back + window + timedelta(days=1)}),
            ("another one", none, {"opportunity_id": self.bob.id}),
            ("somebody else", none, {"partner_id": self.salesman.partner_id.id}),
        ):
            with self.subTest(what):
                self.assertEqual(self.journey_of(self.order(**values)), credited)
        far = self.env["sale.order"].with_company(self.other_company)
        order = far.create({"partner_id": self.buyer.id, "date_order": self.clock})
        self.assertFalse(self.journey_of(order))
        self.assertEqual(self.sequence.quotation_count, 3)
        self.assertEqual(self.sequence.lead_count, 1, "Bob has not reacted")

    def test_click_that_is_believed_later(self):
        """Somebody clicks and calls at once; the lead is restored before the click is believed."""
        self.start()
        message = self.mail_to(ANN)
        self.clock += TOO_FAST
        self._get(self.links_of(message)[0])
        self.ann.action_restore()
        participant = self.participant(self.ann)
        self.assertEqual((participant.exit_reason, participant.won_back_date), ("restored", False))
        self.believe()
        self.assertEqual(participant.credited_step_id, self.first)
        self.assertEqual(participant.won_back_date, participant.exit_date)
        self.assertEqual(self.sequence.lead_count, 1)

    def test_credit_is_not_written(self):
        """What was credited is worked out, and nobody's to write."""
        self.start()
        self.answer(self.mail_to(ANN))
        credits_ = self.credits_of(self.order(opportunity_id=self.ann.id))
        self.assertTrue(credits_.with_user(self.marketer).read(["company_amount"]))
        with self.assertRaises(AccessError):
            # what was earned is not for salespeople
            credits_.with_user(self.salesman).read(["company_amount"])
        for user in (self.salesman, self.marketer):
            for records in (credits_, credits_.outcome_id):
                with self.subTest(user.login, model=records._name):
                    self.assertTrue(records.with_user(user).read(["kind", "date"]))
                    for change in (
                        lambda own: own.write({"company_amount": 1}),
                        lambda own: own.unlink(),
                        lambda own: own.copy(),
                    ):
                        with self.assertRaises(AccessError):
                            change(records.with_user(user))

    def test_credit_goes_to_the_step_that_woke(self):
        """The mail clicked is credited, whatever was sent or opened since; to open one is not
        enough."""
        carl = self.make_lead("carl@recipient.example.com")
        self.start()
        self.advance(days=7)
        self.click(self.mail_to(ANN, "First"))
        self.read_mail(self.mail_to(ANN, "Second"))
        self.read_mail(self.mail_to(BOB, "First"))
        orders = [self.order(opportunity_id=lead.id) for lead in (self.ann, self.bob, carl)]
        steps = [self.credits_of(order).step_id for order in orders]
        self.assertEqual(steps, [self.first, self.first.browse(), self.first.browse()])
        self.assertEqual(self.participant(self.ann).credited_step_id, self.first)
        self.assertFalse((self.participant(self.bob) | self.participant(carl)).credited_step_id)
        self.assertEqual(self.first.mailing_id.nurture_quotation_count, 1)
        self.assertEqual(self.second.mailing_id.nurture_quotation_count, 0)

    def test_statistics(self):
        self.start()
        self.touch(self.ann)
        self.order(opportunity_id=self.ann.id)
        self.assertEqual((self.sequence.lead_count, self.sequence.quotation_count), (1, 1))
        self.assertEqual(self.sequence.running_count, 1)
        domain = self.sequence.action_view_leads()["domain"]
        leads = self.env["crm.lead"].with_context(active_test=False)
        self.assertEqual(leads.search(domain), self.ann)

    def test_reasons_have_labels(self):
        reasons = [reason for reason, _condition in self.env["crm.lead"]._nurture_exit_conditions()]
        self.assertLessEqual({*reasons, *WON_BACK}, dict(EXIT_REASONS).keys())

    def test_numbers(self):
        with self.assertRaises(ValidationError):
            self.sequence.silent_limit = -1
        with self.assertRaises(ValidationError):
            self.sequence.silent_days = 0


@tagged("post_install", "-at_install")
class TestLinks(TransactionCase):
    def test_is_about(self):
        for pattern, url, expected in (
            (SHOP, SHOP, True),
            (f" {SHOP} ", SHOP, True),
            (SHOP, SHOP + "/", False),
            (SHOP, "", False),
            (SHOP, None, False),
            ("https://shop.example.com/*", SHOP, True),
            ("https://shop.example.com/*", "https://shop.example.com/", True),
            (
                "https://shop.example.com/*",
                "https://evil.example.com/?https://shop.example.com/",
                False,
            ),
            ("*limited*", SHOP, True),
            ("*limited", SHOP, True),
            ("*limited", SHOP + "?utm=1", False),
            ("https://*/limited", SHOP, True),
            ("https://*shop*/limited", SHOP, True),
            ("https://*shop*stop*", SHOP, False),
            ("ab*ba", "aba", False),
            ("a*a*a", "aa", False),
            ("a*a*a", "aaa", True),
            ("https://shop.example.com/.imited", SHOP, False),
            ("https://shop.example.com/?imited", SHOP, False),
            ("*", SHOP, True),
            ("**", SHOP, True),
            ("*", None, True),
            ("", SHOP, False),
            ("", "", False),
            (" ", None, False),
            (None, None, False),
            (False, SHOP, False),
        ):
            with self.subTest(pattern=pattern, url=url):
                self.assertIs(is_about(pattern, url), expected)

    def test_costly_pattern(self):
        """No pattern keeps the server busy."""
        self.assertFalse(is_about("a*" * 50 + "b", "a" * 5000))
