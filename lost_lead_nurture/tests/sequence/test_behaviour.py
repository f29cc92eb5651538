"""Leads enter by what they do: in mails that arrive, with orders, or by being new."""

from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import ANN, BOB, BODY, NOW, TWO_LINKS, NurtureCase, NurtureHttpCase

#: How a mail server of the recipient calls itself.
SCANNER = "Mozilla/5.0 (compatible; Barracuda Sentinel)"


class BehaviourMixin:
    """A sequence that leads enter by what they do, and two that are lost."""

    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence(domain="[]")
        self.first = self.make_step(self.sequence, subject="First")

    def watch(self, entry, **values):
        self.sequence.write({"entry": entry, **values})
        self.sequence.action_start()
        self.advance(minutes=1)


@tagged("post_install", "-at_install")
class TestInMails(BehaviourMixin, NurtureHttpCase):
    def send_plain(self, *leads, body=BODY, subject="Spring"):
        """A mailing as Email Marketing sends it."""
        mailing = self.make_mailing(
            subject, body, mailing_domain=repr([("id", "in", [lead.id for lead in leads])])
        )
        mailing.with_context(active_test=False).action_send_mail(
            res_ids=[lead.id for lead in leads]
        )
        self.send_mails()
        return mailing

    def test_clicked_in_a_mailing(self):
        """Once for the click, within a minute after it is believed; and it says so."""
        self.watch("click")
        self.send_plain(self.ann, self.bob)
        self.assertEqual(self.reasons_against(self.ann), ["no_event"])
        with self.capture_triggers(self.cron.id) as captured:
            self.click(self.mail_to(ANN, "Spring"))
        self.assertTrue(captured.records)
        self.assertEqual(self.sequence._group_by_exclusion().get(None), self.ann.ids)
        self.assertFalse(self.reasons_against(self.ann))
        self.advance()
        self.assertEqual(self.entered(), self.ann)
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)
        journey = self.participant(self.ann).with_user(self.salesman)
        self.assertIn("clicked in a mail on Mar 2, 2026", journey._get_decisions()[0][3])
        self.assertIn(
            "clicked in a mail on Mar 2, 2026", journey.get_timeline()["entries"][0]["why"]
        )
        self.advance(hours=2)
        self.assertEqual(len(self.participant(self.ann)), 1)
        self.assertEqual(self.reasons_against(self.bob), ["no_event"])

    def test_bots(self):
        """A scanner's click in a plain mailing lets nobody in, nor do several at once."""
        self.watch("click")
        self.send_plain(self.ann, self.bob, body=TWO_LINKS)
        self.clock += timedelta(minutes=1)
        for link in self.links_of(self.mail_to(ANN, "Spring")):
            self._get(link)
        self._get(self.links_of(self.mail_to(BOB, "Spring"))[0], user_agent=SCANNER)
        self.believe()
        self.advance()
        self.assertFalse(self.entered())
        self.assertFalse(self.env["mailing.trace"].search([("links_click_datetime", "!=", False)]))

    def test_plain_mailings_that_nobody_watches(self):
        """Core counts their clicks as ever, at once."""
        other = self.send_plain(self.ann, subject="Other")
        watched = self.send_plain(self.ann)
        self.watch("click", entry_mailing_ids=[Command.set(watched.ids)])
        self.clock += timedelta(minutes=1)
        self._get(self.links_of(self.mail_to(ANN, "Other"))[0])
        self.assertTrue(other.mailing_trace_ids.links_click_datetime)
        self.advance()
        self.assertFalse(self.entered())
        self.click(self.mail_to(ANN, "Spring"))
        self.advance()
        self.assertEqual(self.entered(), self.ann)

    def test_named_mailing_stays(self):
        """Without the only mailing that it names a sequence would wait for any: it cannot be
        deleted, and whoever tries hears why."""
        self.sequence.write({"entry": "click", "active": False})
        mailing = self.make_mailing("Spring")
        self.sequence.entry_mailing_ids = mailing
        with self.assertRaisesRegex(UserError, "leads enter the sequence “Restock”"):
            mailing.unlink()
        self.sequence.entry_mailing_ids = False
        mailing.unlink()

    def test_one_link(self):
        self.watch("click", entry_url="https://shop.example.com/a*")
        self.send_plain(self.ann, self.bob, body=TWO_LINKS)
        self.click(self.mail_to(ANN, "Spring"))
        message = self.mail_to(BOB, "Spring")
        self._take_time(message, self.links_of(message)[1])
        self.advance()
        self.assertEqual(self.entered(), self.bob)
        self.assertEqual(self.participant(self.bob).event_name, "https://shop.example.com/all")

    def test_mail_of_another_sequence(self):
        """Those of the sequence itself never count."""
        other = self.make_sequence(name="Other", domain="[]")
        self.make_step(other, subject="Elsewhere")
        other.action_start()
        self.watch("click", reentry="event")
        self.advance(minutes=1)
        self.click(self.mail_to(ANN, "Elsewhere"))
        self.advance()
        self.assertEqual(self.entered(), self.ann)
        self.click(self.mail_to(ANN, "First"))
        self.participant(self.ann)._leave("removed")
        self.advance(hours=1)
        self.assertEqual(len(self.participant(self.ann).filtered("event_date")), 1)

    def test_before_the_start(self):
        """Does not count, unless somebody wants it to."""
        self.send_plain(self.ann)
        message = self.mail_to(ANN, "Spring")
        self.clock += timedelta(minutes=1)
        self._get(self.links_of(message)[0])
        self.advance(days=3)
        self.watch("click")
        self.assertFalse(self.entered())
        self.sequence.entry_past_days = 5
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.ann)

    def test_long_ago(self):
        """Whoever was excluded for longer than a week after the click does not come any more."""
        self.watch("click")
        self.send_plain(self.ann)
        block = self.env["mail.blacklist"]._add(ANN)
        self.click(self.mail_to(ANN, "Spring"))
        self.advance(days=2)
        self.assertFalse(self.entered())
        block.active = False
        self.env["nurture.preference"].search([]).ended_date = self.clock
        self.advance(days=1)
        self.assertEqual(self.entered(), self.ann)

    def test_each_time(self):
        """Where the sequence says so, it enters with each new click."""
        self.watch("click", reentry="event")
        self.send_plain(self.ann)
        message = self.mail_to(ANN, "Spring")
        self.click(message)
        self.advance()
        self.advance(days=1)
        self.assertEqual(self.participant(self.ann).state, "completed")
        self.click(message)
        self.advance()
        self.assertEqual(sorted(self.participant(self.ann).mapped("enrolment_number")), [1, 2])

    def test_answered(self):
        """A person's answer, not the out-of-office, which core counts."""
        self.watch("reply")
        mailing = self.send_plain(self.ann, self.bob)
        self.answer(
            self.mail_to(BOB, "Spring"), "I am away", headers="Auto-Submitted: auto-replied\n"
        )
        self.answer(self.mail_to(ANN, "Spring"))
        self.assertEqual(
            mailing.mailing_trace_ids.filtered("reply_datetime").mapped("res_id"), self.ann.ids
        )
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.ann)
        why = self.participant(self.ann).get_timeline()["entries"][0]["why"]
        self.assertIn("answered a mail on Mar 2, 2026", why)

    def test_clicked_but_did_not_answer(self):
        """Who answers the mail in which it clicked leaves, and gets nothing."""
        self.first.write({"delay": 2})
        self.watch("click")
        self.send_plain(self.ann, self.bob)
        for address in (ANN, BOB):
            self.click(self.mail_to(address, "Spring"))
        self.advance()
        self.assertEqual(self.entered(), self.ann | self.bob)
        self.answer(self.mail_to(BOB, "Spring"))
        self.advance(days=2, hours=1)
        self.assertEqual(self.participant(self.bob).exit_reason, "replied")
        self.assertFalse(self.mails_to(BOB, "First"))
        self.assertEqual(len(self.mails_to(ANN, "First")), 1)

    def click_in_news(self):
        """Somebody clicks in a mailing to contacts, at the address of Ann's lead."""
        contact = self.env["res.partner"].create({"name": "Ann", "email": ANN})
        mailing = self.make_mailing(
            "News",
            mailing_model_id=self.env["ir.model"]._get_id("res.partner"),
            mailing_domain=repr([("id", "=", contact.id)]),
        )
        mailing.action_send_mail(res_ids=contact.ids)
        self.send_mails()
        self.click(self.mail_to(ANN, "News"))
        self.advance()

    def test_mailing_to_contacts(self):
        """What somebody does with a mail to a contact is done by the leads of that address."""
        self.watch("click")
        self.click_in_news()
        self.assertEqual(self.entered(), self.ann)

    def test_leads_of_other_companies(self):
        """What somebody does with a mail to a contact lets in no lead of another company with that
        address, nor one that the sequence does not choose."""
        other = self.env["res.company"].create({"name": "Other"})
        theirs = self.make_lead(ANN, user_id=False, team_id=False, company_id=other.id)
        foreign = self.make_lead(ANN, self.reason_price)
        self.ann.action_restore()
        self.sequence.domain = repr([("lost_reason_id", "=", self.reason_stock.id)])
        self.watch("click", exclude_open_deals=False)
        self.click_in_news()
        self.assertFalse(self.entered())
        with self.assertRaises(AccessError):
            self.reasons_against(theirs)
        self.assertEqual(self.reasons_against(foreign), ["unmatched"])
        self.assertEqual(self.reasons_against(self.ann)[0], "not_lost")

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_who_says_by_what(self):
        """Only marketers of its company say by what leads enter."""
        other = self.env["res.company"].create({"name": "Other"})
        mailer = new_test_user(self.env, "nurture_mailer", "mass_mailing.group_mass_mailing_user")
        for user in (mailer, self.salesman, self.employee, self.make_marketer(other)):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.sequence.with_user(user).write({"entry": "click", "entry_url": "*"})
        self.sequence.with_user(self.marketer).write({"entry": "click", "entry_url": "*"})

    def test_complained(self):
        """Something is done about it, and nothing is written."""
        tag = self.env["crm.tag"].create({"name": "Complained (test)"})
        with self.assertRaisesRegex(UserError, "not written to: take the step “First” out"):
            self.watch("complaint")
        self.first.unlink()
        self.make_step(
            self.sequence,
            step_type="action",
            action_kind="add_tags",
            tag_ids=[Command.set(tag.ids)],
            mailing_id=False,
        )
        self.watch("complaint")
        self.send_plain(self.ann, self.bob)
        self.complain(self.mail_to(ANN, "Spring"))
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.ann)
        self.assertEqual(self.ann.tag_ids, tag)
        self.assertEqual(self.participant(self.ann).state, "completed")
        with self.assertRaisesRegex(UserError, "not written to"):
            self.make_step(self.sequence, subject="Sorry")

    def test_queries_do_not_grow(self):
        """However many have clicked, they enter at once."""
        leads = [self.make_lead(f"lead{n}@recipient.example.com") for n in range(30)]
        self.watch("click")
        mailing = self.send_plain(*leads)
        traces = mailing.mailing_trace_ids.sorted("res_id")

        def count(clicking):
            self.clock += timedelta(minutes=1)
            clicking.links_click_datetime = self.clock
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            entered = self.sequence._enrol()
            self.assertEqual(len(entered), len(clicking))
            return self.env.cr.sql_log_count - before

        count(traces[:1])
        few, many = count(traces[1:3]), count(traces[3:])
        self.assertLessEqual(many, few)


@tagged("post_install", "-at_install")
class TestOrdered(BehaviourMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.product = self.env["product.product"].create({"name": "Desk (test)"})
        self.open = self.make_lead("open@recipient.example.com", lost=False)

    def order(self, partner, lead=None):
        """A salesperson makes a quotation and confirms it."""
        order = (
            self.env["sale.order"]
            .with_user(self.salesman)
            .create(
                {
                    "partner_id": partner.id,
                    "opportunity_id": lead and lead.id,
                    "order_line": [Command.create({"product_id": self.product.id})],
                }
            )
        )
        # by the clock of the test, which core's is not
        order.with_context(date_order=self.clock).action_confirm()
        order.sudo().date_order = self.clock
        return order

    def customer(self, lead):
        return self.env["res.partner"].create(
            {"name": "Ann", "email": lead.email_from, "user_id": self.salesman.id}
        )

    def test_lead_of_the_order(self):
        """It enters while it is open, goes on when it is won, and leaves with the next order."""
        self.watch("order", reentry="event", exit_on_quotation=False)
        self.make_step(self.sequence, "after", self.first, 30, subject="Second")
        customer = self.customer(self.open)
        with self.capture_triggers(self.cron.id) as captured:
            order = self.order(customer, self.open)
        self.assertTrue(captured.records)
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.open)
        journey = self.participant(self.open)
        self.assertEqual((journey.entry_status, journey.event_name), ("pending", order.name))
        self.assertIn(f"ordered ({order.name}) on", journey._get_decisions()[0][3])
        self.open.action_set_won()
        self.advance(days=2)
        self.assertEqual(journey.state, "running")
        self.order(customer, self.open)
        self.advance(days=1)
        self.assertEqual(journey.exit_reason, "order")
        self.assertFalse(journey.won_back_date, "it was never lost")
        self.assertEqual(len(self.participant(self.open)), 2)

    def test_customer_without_a_lead_of_the_order(self):
        """The leads of the customer, by its address or its company; lost ones do not enter."""
        self.watch("order")
        self.order(self.customer(self.open))
        self.order(self.customer(self.ann))
        self.advance(minutes=1)
        self.assertEqual(self.entered(), self.open)
        self.assertIn("not_open", self.reasons_against(self.ann))
        result = self.sequence.enrol(self.ann.ids)
        self.assertEqual(result["excluded"], {"not_open": self.ann.ids})

    def test_quotation_is_no_order(self):
        self.watch("order")
        self.env["sale.order"].create(
            {"partner_id": self.customer(self.open).id, "opportunity_id": self.open.id}
        )
        self.advance(minutes=1)
        self.assertFalse(self.entered())

    def test_orders_of_other_companies(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        self.watch("order")
        order = self.order(self.customer(self.open))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET company_id = %s WHERE id = %s", (other.id, order.id)
        )
        self.env.invalidate_all()
        self.advance(minutes=1)
        self.assertFalse(self.entered())


@tagged("post_install", "-at_install")
class TestWelcome(BehaviourMixin, NurtureHttpCase):
    def make_new(self, address, **values):
        """A lead that is made now, by the clock of the test."""
        lead = self.make_lead(address, lost=False, **values)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_lead SET create_date = %s WHERE id = %s", (self.clock, lead.id)
        )
        lead.invalidate_recordset(["create_date"])
        return lead

    def test_new_leads(self):
        """Those that are made from now on and are open; lost ones never."""
        self.make_new("before@recipient.example.com")
        self.clock += timedelta(days=1)
        self.watch("welcome")
        with self.capture_triggers(self.cron.id) as captured:
            new = self.make_new("new@recipient.example.com")
        self.assertTrue(captured.records)
        lost = self.make_new("lost@recipient.example.com")
        lost.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.advance(minutes=1)
        self.assertEqual(self.entered(), new)
        journey = self.participant(new)
        self.assertEqual((journey.exit_reason, journey.entry_status), ("finished", "pending"))
        self.assertFalse(journey.loss.startswith("lost"))
        self.assertIn("not_open", self.reasons_against(lost))
        self.assertEqual(new.won_status, "pending")

    def enter(self):
        self.watch("welcome")
        self.make_step(self.sequence, "after", self.first, 30, subject="Second")
        new = self.make_new("new@recipient.example.com")
        self.advance(minutes=1)
        return new, self.participant(new)

    def test_lost(self):
        """Leaves at once, and its mail is taken out of the queue."""
        new, journey = self.enter()
        new.action_set_lost(lost_reason_id=self.reason_stock.id)
        self.assertEqual((journey.state, journey.exit_reason), ("exited", "lost"))

    def test_won(self):
        new, journey = self.enter()
        new.action_set_won()
        self.assertEqual(journey.exit_reason, "won")
        self.assertFalse(journey.won_back_date, "it was never lost")
        self.assertFalse(self.sequence.lead_count)

    def test_answered(self):
        """Leaves, and is won back by nobody: it stays where it is."""
        new, journey = self.enter()
        stage = new.stage_id
        self.answer(self.mail_to(new.email_from, "First"))
        self.assertEqual(journey.exit_reason, "replied")
        self.assertFalse(journey.won_back_date)
        self.assertEqual((new.stage_id, new.won_status), (stage, "pending"))

    def test_stays_open(self):
        """That it is not lost ends nothing: the next step comes."""
        _new, journey = self.enter()
        self.advance(days=31)
        self.assertEqual(journey.exit_reason, "finished")
        self.assertEqual(len(journey.trace_ids.filtered(lambda one: one.state == "processed")), 2)

    def test_test_run(self):
        """A test plays it for a lead that is open."""
        self.sequence.entry = "welcome"
        new = self.make_new("new@recipient.example.com")
        test = self.env["nurture.test"].with_user(self.marketer)
        self.marketer.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        form = test.create({"sequence_id": self.sequence.id, "lead_id": new.id})
        self.assertTrue(form.timeline)
        self.assertEqual(new.won_status, "pending")

    def test_presets_are_for_lost_leads(self):
        """The form takes them away, and whoever writes them all the same hears why."""
        preset = self.env["nurture.preset"].create({"name": "Preset (test)"})
        self.sequence.preset_id = preset
        with Form(self.sequence.with_user(self.marketer)) as form:
            form.entry = "welcome"
        self.assertFalse(self.sequence.preset_id)
        self.assertEqual(self.sequence.domain, "[]")
        self.sequence.preset_id = preset
        with self.assertRaisesRegex(UserError, "Presets choose lost leads"):
            self.sequence.action_start()
        self.sequence.preset_id = False
        with self.assertRaisesRegex(UserError, "Its filter asks for lost leads"):
            self.sequence.action_start()
        self.sequence.domain = repr(self.env["crm.lead"]._nurture_lost_domain())
        self.sequence.action_start()

    def test_lost_dialog_offers_it_not(self):
        self.sequence.entry = "welcome"
        self.sequence.action_start()
        new = self.make_new("new@recipient.example.com")
        chosen = self.sequence._get_chosen(new, self.reason_stock)
        self.assertFalse(chosen)
        preview = self.sequence._preview_entry(new, losing=True)
        self.assertEqual(preview, {"not_open": new})

    def test_bad_settings(self):
        with self.assertRaisesRegex(ValidationError, "0 days to ten years"):
            self.sequence.entry_past_days = -1
        self.sequence.entry_past_days = 0
        with self.assertRaisesRegex(ValidationError, "only where they enter by what they do"):
            self.sequence.reentry = "event"


@tagged("post_install", "-at_install")
class TestDays(BehaviourMixin, NurtureHttpCase):
    """Steps that are done on some days only."""

    def setUp(self):
        super().setUp()
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.third = self.make_step(self.sequence, "after", self.second, 1, subject="Third")

    def test_too_early(self):
        self.second.first_date = NOW + timedelta(days=8)
        self.start()
        self.advance(days=7)
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "not_today"))
        self.assertFalse(self.trace(self.ann, self.third))
        self.assertEqual(self.participant(self.ann).state, "completed")

    def test_too_late(self):
        self.second.last_date = NOW + timedelta(days=6)
        self.start()
        self.advance(days=7)
        self.assertEqual(self.trace(self.ann, self.second).reason, "not_today")

    def test_on_its_days(self):
        """Both ends are among them."""
        day = (NOW + timedelta(days=7)).date()
        self.second.write({"first_date": day, "last_date": day})
        self.start()
        self.advance(days=7)
        self.assertEqual(self.trace(self.ann, self.second).state, "processed")

    def test_clock_of_the_company(self):
        self.company.partner_id.tz = "Pacific/Auckland"
        # the next day has begun there
        self.clock = NOW.replace(hour=12)
        self.first.last_date = NOW.date()
        self.start()
        self.assertEqual(self.trace(self.ann, self.first).reason, "not_today")

    def test_forecast(self):
        self.second.last_date = NOW + timedelta(days=6)
        self.sequence.action_start()
        sends = self.sequence._forecast(self.ann.ids)
        self.assertEqual({step_id for _day, step_id in sends}, {self.first.id})

    def test_words(self):
        self.second.write({"first_date": "2026-03-05", "last_date": "2026-03-20"})
        self.assertIn("from Mar 5, 2026 to Mar 20, 2026", self.second.when)
        with self.assertRaisesRegex(ValidationError, "its last day comes before its first"):
            self.second.last_date = "2026-03-04"
