"""The mail of a step is sent by its sequence and by nobody else, whatever the way; and a mailing of
its own does not reach the open pipeline unasked."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_qweb import QWebError

from ...tools.send_batch import SendBatch, get_composed, get_sent
from ..common import ANN, BOB, NurtureHttpCase, TwoLeadsMixin
from ..smtp import RELAY_DENIED, SMTP_LOGGERS

#: The context of the fields in which the mails of steps are made.
FOR_A_STEP = {"default_mailing_type": "mail", "default_nurture_only": True}


class GuardCase(TwoLeadsMixin, NurtureHttpCase):
    """Two lost leads, an open and a won one, and a mail made for a step that is not saved."""

    def setUp(self):
        super().setUp()
        self.open = self.make_lead("open@recipient.example.com", lost=False)
        self.won = self.make_lead("won@recipient.example.com", lost=False)
        self.won.action_set_won()
        self.model = self.env["ir.model"]._get_id("crm.lead")
        self.mailings = self.env["mailing.mailing"].with_user(self.marketer)
        self.mail = self.make_for_a_step("Draft of a step")

    def make_for_a_step(self, subject):
        mailings = self.mailings.with_context(**FOR_A_STEP, default_mailing_model_id=self.model)
        mail = mailings.browse(mailings.name_create(subject)[0]).with_env(self.mailings.env)
        mail.write({"body_html": "<p>Hello</p>", "body_arch": "<p>Hello</p>"})
        return mail

    def run_queue(self):
        """Core's scheduled action sends the mailings that are in the queue."""
        self.env.flush_all()
        self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").method_direct_trigger()
        self.env.invalidate_all()

    def check_nobody_got(self, mailing):
        self.run_queue()
        self.send_mails()
        self.assertFalse(mailing.mailing_trace_ids)
        self.assertFalse(self.catcher.messages)

    def refused(self, act, message="for a sequence|is a step of the sequence"):
        with self.assertRaisesRegex(UserError, message), self.env.cr.savepoint():
            act()
            self.env.flush_all()


@tagged("post_install", "-at_install")
class TestGuard(GuardCase):
    def choices(self, mailing):
        """All that sends a mailing in core, by button, wizard and RPC."""
        forged = {"nurture_send_batch": {str(self.open.id): 1}, "nurture_ask": False}
        schedule = self.env["mailing.mailing.schedule.date"].with_user(self.marketer)
        composer = self.env["mail.compose.message"].with_user(self.marketer)
        return {
            "launch": mailing.action_launch,
            "launch by a forged context": mailing.with_context(**forged).action_launch,
            "schedule": mailing.action_schedule,
            "schedule for a date": lambda: schedule.create(
                {"mass_mailing_id": mailing.id, "schedule_date": "2030-01-01"}
            ).action_schedule_date(),
            "queue": mailing.action_put_in_queue,
            "send": mailing.action_send_mail,
            "send to somebody": lambda: mailing.action_send_mail([self.open.id]),
            "send by a forged context": lambda: mailing.with_context(**forged).action_send_mail(
                [self.open.id]
            ),
            "winner": mailing.action_select_as_winner,
            "send the winner": mailing.action_send_winner_mailing,
            "test A/B": lambda: mailing.write({"ab_testing_enabled": True}),
            "state": lambda: mailing.write({"state": "in_queue"}),
            "state of one that is sending": lambda: mailing.write({"state": "sending"}),
            "by a composer": lambda: composer.create(
                {
                    "composition_mode": "mass_mail",
                    "model": "crm.lead",
                    "res_ids": repr(self.open.ids),
                    "mass_mailing_id": mailing.id,
                    "subject": "Hello",
                    "body": "<p>Hello</p>",
                }
            )._action_send_mail(),
        }

    def test_no_way_sends_it(self):
        """Neither before the step is saved, nor as its mail, nor after the step is gone."""
        orphan = self.make_for_a_step("Orphan")
        self.make_step(self.sequence, "after", self.first, mailing_id=orphan.id).unlink()
        for mailing in (self.mail, self.first.mailing_id.with_user(self.marketer), orphan):
            for door, act in self.choices(mailing).items():
                with self.subTest(door, mailing=mailing.subject):
                    self.refused(act)
            with self.subTest("in the queue by other means", mailing=mailing.subject):
                self.env.cr.execute(
                    "UPDATE mailing_mailing SET state = 'in_queue' WHERE id = %s", [mailing.id]
                )
                mailing.invalidate_recordset()
                self.check_nobody_got(mailing)

    def test_created_in_the_queue(self):
        values = {"subject": "Now", "mailing_model_id": self.model, "state": "in_queue"}
        self.refused(lambda: self.mailings.with_context(**FOR_A_STEP).create(values))

    def test_recipients(self):
        self.assertEqual(self.mail._get_remaining_recipients(), [])
        self.assertFalse(self.mail.total)

    def test_mark_is_not_written_by_hand(self):
        self.refused(lambda: self.mail.write({"nurture_only": False}), "not written by hand")
        self.assertTrue(self.mail.nurture_only)

    def test_a_mail_that_is_chosen_becomes_the_step_s(self):
        for field, step in (("mailing_id", self.first), ("translation_ids", self.first)):
            chosen = self.make_mailing(f"Chosen as {field}", ab_testing_enabled=True)
            if field == "mailing_id":
                step.mailing_id = chosen
            else:
                lang = self.env["res.lang"]._activate_lang("fr_FR")
                step.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": chosen.id})]
            self.assertTrue(chosen.nurture_only)
            self.assertFalse(chosen.ab_testing_enabled)

    def test_winner_of_an_ab_test(self):
        """A step's mail is no candidate, and does not stand in the way of the others."""
        campaign = self.env["utm.campaign"].create({"name": "A/B"})
        values = {"campaign_id": campaign.id, "ab_testing_enabled": True}
        tested = self.make_mailing(
            "Tested", mailing_domain=f"[('id', '=', {self.open.id})]", **values
        )
        of_step = self.make_mailing("Of a step", **values)
        self.make_step(self.sequence, "after", self.first, mailing_id=of_step.id)
        self.env.cr.execute(
            "UPDATE mailing_mailing SET ab_testing_enabled = true, state = 'done' WHERE id IN %s",
            [(of_step.id, tested.id)],
        )
        self.env.invalidate_all()
        self.assertEqual(tested._get_ab_testing_siblings_mailings(), tested)
        tested.action_send_winner_mailing()
        winner = campaign.ab_testing_winner_mailing_id
        self.assertEqual((winner.subject, winner.state), ("Tested", "in_queue"))

    def test_retry(self):
        self.refused(self.mail.action_retry_failed, "belongs to no step")

    def test_retry_of_a_plain_mailing(self):
        """It is core's, who knows nothing of steps."""
        plain = self.make_mailing("Plain", mailing_domain=repr([("id", "=", self.open.id)]))
        self.catcher.answers = {self.open.email_from: RELAY_DENIED}
        with mute_logger(*SMTP_LOGGERS):
            plain.action_send_mail()
            self.send_mails()
        self.assertEqual(plain.mailing_trace_ids.trace_status, "error")
        self.catcher.clear()
        plain.with_user(self.marketer).action_retry_failed()
        self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").method_direct_trigger()
        self.send_mails()
        self.env.invalidate_all()
        self.assertEqual(plain.mailing_trace_ids.trace_status, "sent")
        self.mail_to(self.open.email_from, "Plain")

    def test_test_mail_to_oneself(self):
        wizard = self.env["mailing.mailing.test"].with_user(self.marketer)
        wizard.create({"mass_mailing_id": self.mail.id, "email_to": "me@test.example.com"})
        wizard.search([], limit=1).send_mail_test()
        self.assertEqual(
            [message["To"] for message in self.catcher.messages], ["me@test.example.com"]
        )

    def test_duplicate(self):
        """What a person duplicates is a mailing of its own, to lost leads; in a dialog of the step,
        too. The copy of a step has a mail of its own, which is a step's."""
        for mailing in (self.mail, self.first.mailing_id):
            duplicate = mailing.with_context(**FOR_A_STEP).copy()
            self.assertFalse(duplicate.nurture_only)
            self.assertEqual(
                set(duplicate._get_remaining_recipients()),
                set(self.env["crm.lead"].search(self.env["crm.lead"]._nurture_lost_domain()).ids),
            )
        self.assertTrue(self.first.copy().mailing_id.nurture_only)
        plain = self.make_mailing("Plain", mailing_domain=f"[('id', '=', {self.open.id})]")
        self.assertEqual(plain.copy().mailing_domain, plain.mailing_domain)

    def test_release(self):
        """What belongs to no step may become a mailing of its own."""
        self.refused(
            self.first.mailing_id.with_user(self.marketer).action_nurture_release,
            "is the mail of the step “First”",
        )
        self.mail.action_nurture_release()
        self.assertFalse(self.mail.nurture_only)
        self.assertFalse({self.open.id, self.won.id} & set(self.mail._get_remaining_recipients()))
        self.mail.action_launch()
        self.assertEqual(self.mail.state, "in_queue")

    def test_delete(self):
        """It is refused in words: alone, among others, and of an archived step of a company that
        the user does not work for."""
        other = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(other)
        self.first.active = False
        mailing = self.first.mailing_id
        for mailings in (mailing, self.mail | mailing):
            self.refused(
                mailings.with_user(stranger).unlink,
                "cannot be deleted: it is the mail of the step “First” of the sequence “Restock”",
            )
        self.mail.unlink()
        self.assertFalse(self.mail.exists())

    def test_form(self):
        """Buttons that send are not on the form of a mail that is made for a step."""
        view = self.env.ref("mass_mailing.view_mail_mass_mailing_form")
        mailings = self.mailings.with_context(**FOR_A_STEP, default_mailing_model_id=self.model)
        with Form(mailings, view) as form:
            form.subject = "In the form"
            self.assertTrue(form.nurture_only)
        self.assertTrue(form.record.nurture_only)


@tagged("post_install", "-at_install")
class TestFreeMails(GuardCase):
    def test_list(self):
        """The list of a step's mails offers what is free, whatever uses the others."""
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        french = self.make_mailing("De retour")
        self.first.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": french.id})]
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = self.make_step(self.make_sequence(company_id=other.id), subject="Foreign")
        archived = self.make_step(self.sequence, "after", self.first, subject="Archived")
        archived.active = False
        sent = self.make_mailing("Sent")
        sent.state = "done"
        tested = self.make_mailing("Tested", ab_testing_enabled=True)
        people = self.make_mailing(
            "People", mailing_model_id=self.env["ir.model"]._get_id("res.partner")
        )
        used = self.first.mailing_id | french | foreign.mailing_id | archived.mailing_id
        domain = [("mailing_type", "=", "mail"), ("nurture_is_free", "=", True)]
        offered = self.mailings.search(domain)
        self.assertIn(self.mail, offered)
        self.assertFalse(offered & (used | sent | tested | people))
        self.assertTrue(self.mail.nurture_is_free)
        self.assertFalse(any(used.mapped("nurture_is_free")))
        taken = self.mailings.search([("nurture_is_free", "=", False)])
        self.assertEqual(taken & (used | self.mail), used)

    def test_write_the_mail(self):
        step = self.make_step(self.sequence, "after", self.first, 7, mailing_id=False)
        step = step.with_user(self.marketer)
        action = step.action_write_mail()
        mail = step.mailing_id
        self.assertEqual((action["res_model"], action["res_id"]), ("mailing.mailing", mail.id))
        self.assertEqual((mail.subject, mail.mailing_model_real), ("Restock", "crm.lead"))
        self.assertTrue(mail.nurture_only)
        self.assertEqual(mail.nurture_sequence_id, self.sequence)
        self.assertEqual(step.action_write_mail()["res_id"], mail.id, "it is written once")
        named = self.make_step(
            self.sequence, "after", self.first, 8, mailing_id=False, name="Last chance"
        )
        named.action_write_mail()
        self.assertEqual(named.mailing_id.subject, "Last chance")
        action = self.make_step(
            self.sequence, "after", self.first, 9, mailing_id=False, step_type="action"
        )
        self.refused(action.action_write_mail, "not a step that sends a mail")


@tagged("post_install", "-at_install")
class TestOptOut(GuardCase):
    def test_start_without(self):
        """Neither the mail nor that of another language may lack the link."""
        mailing = self.first.mailing_id
        for body in (
            "<p>Hello</p>",
            "<p>Hello</p><!-- <a href='/unsubscribe_from_list'>Unsubscribe</a> -->",
            "<p>/unsubscribe_from_list</p>",
        ):
            mailing.body_html = body
            self.refused(self.sequence.action_start, "mail of step “First” has no unsubscribe link")
        self.first.action_add_opt_out()
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        french = self.make_mailing("De retour", "<p>Bonjour</p>")
        self.first.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": french.id})]
        self.assertTrue(self.first.lacks_opt_out)
        self.refused(self.sequence.action_start, "has no unsubscribe link in French")
        self.first.action_add_opt_out()
        self.assertFalse(self.first.lacks_opt_out)
        self.sequence.action_start()
        self.refused(lambda: mailing.write({"body_html": "<p>Hello</p>"}), "no unsubscribe link")

    def test_add(self):
        """It is added once, to what is sent and to what the editor shows, and works."""
        arch = (
            '<div class="o_layout"><div class="container o_mail_wrapper"><div class="row">'
            '<div class="col o_mail_wrapper_td oe_structure"><section class="s_text_block">'
            '<p>Hello <t t-out="object.contact_name">there</t></p>'
            "</section></div></div></div></div>"
        )
        mailing = self.first.mailing_id
        mailing.write({"body_arch": arch, "body_html": arch})
        self.assertTrue(mailing.nurture_lacks_opt_out)
        for _time in range(2):
            mailing.with_user(self.marketer).action_nurture_add_opt_out()
        self.assertFalse(mailing.nurture_lacks_opt_out)
        for body in (mailing.body_arch, mailing.body_html):
            self.assertEqual(body.count('href="/unsubscribe_from_list"'), 1)
            self.assertIn('<t t-out="object.contact_name">there</t>', body)
        self.assertRegex(mailing.body_arch, r"(?s)</section><section class=.s_footer_one_liner")
        self.sequence.action_start()
        self.advance()
        self.unsubscribe(self.mail_to(ANN))
        self.assertTrue(self.env["mail.blacklist"].search([("email", "=", ANN)]))

    def test_add_to_nothing(self):
        self.mail.body_html = False
        self.refused(self.mail.action_nurture_add_opt_out, "is empty: write it first")

    def test_wording_in_the_language_of_the_mail(self):
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        footer = self.env.ref("mass_mailing.s_mail_block_footer_one_liner")
        footer.update_field_translations("arch_db", {"fr_FR": {"Unsubscribe": "Se désabonner"}})
        french = self.make_mailing("De retour", "<p>Bonjour</p>")
        self.first.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": french.id})]
        self.first.action_add_opt_out()
        self.assertIn(">Se désabonner</a>", french.body_html)

    def test_plain_mailing(self):
        """What is not of a sequence is core's."""
        self.assertFalse(self.make_mailing("Plain", "<p>Hello</p>").nurture_lacks_opt_out)


@tagged("post_install", "-at_install")
class TestOpenPipeline(GuardCase):
    def setUp(self):
        super().setUp()
        self.leads = self.ann | self.bob | self.open | self.won
        self.plain = self.make_plain([("id", "in", self.leads.ids), self.both])

    both = ("active", "in", (True, False))

    def make_plain(self, domain, **values):
        return self.make_mailing("Plain", mailing_domain=repr(domain), **values).with_user(
            self.marketer
        )

    def ask(self, act):
        """What the wizard says that the button opens."""
        action = act()
        self.assertEqual(action["res_model"], "nurture.reach")
        return self.env["nurture.reach"].with_user(self.marketer).browse(action["res_id"])

    def counts(self, question):
        return question.open_count, question.won_count, question.lost_count

    def test_asked_on_the_screen(self):
        asking = self.plain.with_context(nurture_ask=True)
        question = self.ask(asking.action_launch)
        self.assertEqual(self.counts(question), (1, 1, 2))
        self.assertEqual(self.plain.state, "draft")
        question.action_confirm()
        self.assertEqual(self.plain.state, "in_queue")
        self.assertEqual(self.plain.schedule_type, "now")

    def test_named_as_it_reads(self):
        self.plain.subject = "For {{object.contact_name ||| you}}"
        question = self.ask(self.plain.with_context(nurture_ask=True).action_launch)
        self.assertEqual(question.subject, "For you")

    def test_asked_for_each_button(self):
        for name in ("action_put_in_queue", "action_send_mail"):
            plain = self.make_plain([("id", "in", self.leads.ids)])
            question = self.ask(getattr(plain.with_context(nurture_ask=True), name))
            self.assertEqual(self.counts(question), (1, 1, 0))
            self.assertEqual(plain.state, "draft")
            question.action_confirm()
            self.assertIn(plain.state, ("in_queue", "done"))

    def test_scheduled(self):
        """Asked once the date is known."""
        action = self.plain.with_context(nurture_ask=True).action_schedule()
        self.assertEqual(action["res_model"], "mailing.mailing.schedule.date")
        wizard = (
            self.env["mailing.mailing.schedule.date"]
            .with_user(self.marketer)
            .with_context(**action["context"])
            .create({"schedule_date": "2030-01-01 08:00:00"})
        )
        question = self.ask(wizard.action_schedule_date)
        self.assertEqual((self.plain.state, self.plain.schedule_date), ("draft", False))
        question.action_confirm()
        self.assertEqual(self.plain.state, "in_queue")
        self.assertEqual(str(self.plain.schedule_date), "2030-01-01 08:00:00")
        later = self.make_plain(
            [("id", "=", self.open.id)],
            schedule_type="scheduled",
            schedule_date="2031-01-01 08:00:00",
        )
        self.ask(later.with_context(nurture_ask=True).action_schedule).action_confirm()
        self.assertEqual(later.state, "in_queue")

    def test_ab_test(self):
        campaign = self.env["utm.campaign"].create({"name": "A/B"})
        tested = self.make_plain(
            [("id", "in", self.leads.ids)],
            campaign_id=campaign.id,
            ab_testing_enabled=True,
            ab_testing_pc=50,
        )
        question = self.ask(tested.with_context(nurture_ask=True).action_launch)
        self.assertEqual((self.counts(question), question.ab_testing_pc), ((1, 1, 0), 50))
        question.action_confirm()
        self.run_queue()
        self.assertEqual(len(tested.mailing_trace_ids), 1)
        question = self.ask(tested.with_context(nurture_ask=True).action_select_as_winner)
        self.assertEqual(sum(self.counts(question)), 1, "who has had one gets no other")
        self.assertEqual(question.ab_testing_pc, 100)
        self.assertFalse(campaign.ab_testing_winner_mailing_id)
        question.action_confirm()
        self.assertEqual(campaign.ab_testing_winner_mailing_id.state, "in_queue")

    def test_not_asked(self):
        """Neither code nor RPC, nor for lost leads, nor for what is not for leads."""
        lost = self.make_plain(self.env["crm.lead"]._nurture_lost_domain())
        people = self.make_mailing(
            "People", mailing_model_id=self.env["ir.model"]._get_id("res.partner")
        )
        for mailing in (self.plain, lost, people):
            asks = mailing != self.plain
            mailing.with_context(nurture_ask=asks).action_launch()
            self.assertEqual(mailing.state, "in_queue")

    def test_counted_as_core_mails(self):
        """Each address once, and none that is blacklisted or has had it."""
        for address in ("twin@recipient.example.com", "twin@recipient.example.com", False):
            self.leads |= self.make_lead(address, lost=False)
        blacklisted = self.make_lead("black@recipient.example.com", lost=False)
        self.env["mail.blacklist"]._add(blacklisted.email_from)
        self.leads |= blacklisted
        plain = self.make_plain([("id", "in", self.leads.ids), self.both])
        question = self.ask(plain.with_context(nurture_ask=True).action_launch)
        reached = self.counts(question)
        self.assertEqual(reached, (2, 1, 2))
        question.action_confirm()
        with mute_logger("odoo.addons.mail.models.mail_mail"):
            self.run_queue()
            self.send_mails()
        self.assertEqual(len(self.catcher.messages), sum(reached))
        self.assertEqual(plain._nurture_find_reached(), ({}, False))

    def test_leads_of_others_count(self):
        """Core mails leads that the user may not see; what they are is not said by a search through
        what the user may not see."""
        seller = new_test_user(
            self.env,
            "nurture_seller",
            "sales_team.group_sale_salesman,mass_mailing.group_mass_mailing_user",
        )
        own = self.make_lead("own@recipient.example.com", lost=False, user_id=seller.id)
        leads = self.open | own
        for domain, reached in (
            ([("id", "in", leads.ids)], (2, False)),
            ([("id", "in", leads.ids), ("user_id.login", "!=", "x")], (1, True)),
        ):
            mailing = self.make_mailing("Mine", mailing_domain=repr(domain)).with_user(seller)
            question = self.ask(mailing.with_context(nurture_ask=True).action_launch)
            self.assertEqual((question.open_count, question.is_partial), reached)


@tagged("post_install", "-at_install")
class TestForgedContext(GuardCase):
    """A client sends the context along. What decides who is mailed or what is recorded cannot come
    from there."""

    def test_values_of_clients(self):
        for value in (True, 1, "x", [1], {str(self.ann.id): 1}):
            env = self.env(context={"nurture_send_batch": value})
            self.assertIsNone(get_composed(env))
            self.assertIsNone(get_sent(env))

    def test_restored(self):
        """Who is restored leaves its sequence, whatever the client says."""
        self.sequence.action_start()
        self.run_cron()
        restorer = self.ann.with_user(self.salesman).with_context(nurture_skip_check=True)
        restorer.action_restore()
        self.assertEqual(self.participant(self.ann).state, "exited")

    def test_reactions(self):
        self.sequence.action_start()
        self.advance()
        mail = self.trace(self.ann, self.first).mailing_trace_ids
        forged = mail.with_context(
            nurture_ignore_reaction=True,
            nurture_send_batch={"is_queue": True, "delivery": {"accepted": True}},
            nurture_judged={"dates": {str(mail.id): "2001-01-01"}},
            nurture_link_code="x",
        )
        forged.set_replied()
        self.assertEqual(self.participant(self.ann).exit_reason, "replied")
        self.assertEqual(mail.reply_datetime, self.clock)

    def test_plain_mailing(self):
        """It is not taken for one of the engine's: its addresses are mailed once."""
        self.make_lead(BOB, lost=False)
        plain = self.make_mailing("Plain", mailing_domain=f"[('email_normalized', '=', '{BOB}')]")
        forged = plain.with_context(
            nurture_send_batch={"trace_by_lead": {}, "links": {}}, nurture_request="x"
        )
        forged.action_send_mail()
        self.assertEqual(plain._get_seen_list(), {BOB})
        self.assertEqual(forged._get_seen_list(), {BOB})

    def test_foreign_statistics(self):
        """What becomes of a plain mailing is not taken for what becomes of a step."""
        self.sequence.action_start()
        self.run_cron()
        trace = self.trace(self.ann, self.first)
        plain = self.make_mailing("Plain", mailing_domain=f"[('id', '=', {self.open.id})]")
        plain.with_context(default_nurture_trace_id=trace.id).action_send_mail()
        self.assertFalse(plain.mailing_trace_ids.nurture_trace_id)


@tagged("post_install", "-at_install")
class TestBatch(GuardCase):
    """What a batch does once for all its mails."""

    CODE = '<p t-out="object.env.cr.dbname"/>'

    def render(self, composer, text):
        return composer._render_template(text, "crm.lead", (self.ann + self.bob).ids, "qweb")

    def test_text_is_compiled_once(self):
        qweb = type(self.env["ir.qweb"])
        generate, compiled = qweb._generate_code, []

        def note(records, template):
            if "raise_on_forbidden_code_for_model" in records.env.context:
                compiled.append(template)
            return generate(records, template)

        text = '<p>Dear <t t-out="object.name"/></p>'
        batch = SendBatch()
        composer = batch.carried_by(self.env["mail.compose.message"])
        with patch.object(qweb, "_generate_code", note):
            texts = self.render(composer, text)
            self.assertEqual(len(compiled), 2, "by core, which looks for code, and to render")
            self.render(composer, text)
            self.assertEqual(len(compiled), 3, "by core")
        self.assertEqual(texts[self.bob.id], f"<p>Dear {self.bob.name}</p>")
        self.assertEqual(texts, self.render(self.env["mail.compose.message"], text))

    def test_code_of_marketers(self):
        """A batch finds the code that core finds, and lets nobody run more of it than core does."""
        composers = self.env["mail.compose.message"].with_user(self.marketer)
        for composer in (composers, SendBatch().carried_by(composers)):
            self.assertTrue(composer._has_unsafe_expression_template_qweb(self.CODE, "crm.lead"))
            harmless = '<p t-out="object.name"/>'
            self.assertFalse(composer._has_unsafe_expression_template_qweb(harmless, "crm.lead"))
            with self.assertRaises(AccessError):
                self.render(composer, self.CODE)

    def test_text_without_code_runs_none(self):
        """What core takes for a text without code is compiled so that there is none."""
        composer = SendBatch().carried_by(self.env["mail.compose.message"])
        with self.assertRaises(QWebError) as raised:
            composer._render_template_qweb_regex(self.CODE, "crm.lead", self.ann.ids)
        self.assertIsInstance(raised.exception.__cause__, PermissionError)

    def test_comments(self):
        """What is only for Outlook arrives there, by a sequence as by a mailing."""
        text = '<p>Dear <t t-out="object.name"/></p><!--[if mso]><table><tr><td><![endif]-->'
        composers = self.env["mail.compose.message"]
        texts = self.render(SendBatch().carried_by(composers), text)
        self.assertIn("<!--[if mso]><table><tr><td><![endif]-->", texts[self.bob.id])
        self.assertEqual(texts, self.render(composers, text))

    def test_characters_of_html(self):
        """What is written about a tag is no tag, by a sequence as by a mailing."""
        text = (
            "<style>p > a {color: red}</style><p>5 &lt; 6 &amp; &lt;b&gt;"
            '<t t-out="object.name"></t> &lt;i&gt;</p>&gt;'
        )
        composers = self.env["mail.compose.message"]
        texts = self.render(SendBatch().carried_by(composers), text)
        self.assertIn("<p>5 &lt; 6 &amp; &lt;b&gt;", texts[self.bob.id])
        self.assertEqual(texts, self.render(composers, text))
