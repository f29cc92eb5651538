"""What recipients want is asked on a page, noted, and obeyed from then on."""

import re
from datetime import timedelta

from lxml import html

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import format_date, mute_logger

from ..common import ANN, BOB, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin
from ..leaving import PageMixin


class PreferenceCase(PageMixin, SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    """Both have had the first mail."""

    def setUp(self):
        super().setUp()
        self.reason = self.env.ref("mass_mailing.mailing_subscription_optout_data_2")
        self.sequence.action_start()
        self.advance()
        self.mail = self.mail_to(ANN)

    def queue_mailings(self):
        """Have plain mailings wait in the queue, however small they are."""
        self.env["ir.config_parameter"].set_param("mail.mail.force.send.limit", "0")

    def second_to(self, address):
        return self.mails_to(address, "Second")


@tagged("post_install", "-at_install")
class TestPage(PreferenceCase):
    def test_to_look_changes_nothing(self):
        """Programs follow all links: neither page acts, whatever it is asked by."""
        paths = [self.link_of(self.mail)]
        paths.append(paths[0].replace("confirm_unsubscribe", "unsubscribe"))
        for path in paths:
            for again in ("", "&utm_source=x&fbclid=y"):
                page = self.url_open(path + again)
                self.assertEqual(page.status_code, 200)
                self.assertIn("Which mails would you like to get?", page.text)
                self.assertIn("at most 2 a month", page.text)
        self.assertEqual(self.url_open(paths[0], method="HEAD").status_code, 200)
        everything = {**self.parameters_of(self.mail), "choice": "everything"}
        everything["mailing_id"] = self.first.mailing_id.id
        options = self.url_open("/mailing/confirm_unsubscribe", params=everything, method="OPTIONS")
        self.assertEqual(options.status_code, 405)
        self.env.invalidate_all()
        self.assertFalse(self.preferences())
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        self.assertEqual(self.participant(self.ann).state, "running")

    def test_this_campaign(self):
        """One sequence ends, and does not begin again; another one goes on."""
        other = self.make_sequence(name="Other", reentry="days", reentry_days=1)
        self.make_step(other, delay=1, subject="Other")
        other.action_start()
        self.run_cron()
        page = self.fill_in(self.mail, "sequence", opt_out_reason_id=self.reason.id)
        self.assertIn("No more mails of this campaign", page.text)
        noted = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("sequence", "page"))
        self.assertEqual(noted.wording, "No more mails of this campaign")
        self.assertEqual(noted.date, self.clock)
        self.assertEqual(noted.sequence_id, self.sequence)
        self.assertEqual(noted.mailing_id, self.first.mailing_id)
        self.assertEqual(noted.opt_out_reason_id, self.reason)
        participants = self.participant(self.ann).grouped("sequence_id")
        self.assertEqual(participants[self.sequence].exit_reason, "unsubscribed")
        self.assertEqual(participants[other].state, "running")
        self.assertTrue(self.trace(self.ann, self.first).mailing_trace_ids.nurture_unsubscribe_date)
        self.advance(days=8)
        self.assertFalse(self.second_to(ANN))
        self.assertTrue(self.mails_to(ANN, "Other"))
        self.assertTrue(self.second_to(BOB))
        self.assertEqual(self.sequence._group_by_exclusion(self.ann)["opted_out"], self.ann.ids)

    def test_everything(self):
        self.fill_in(self.mail, "everything", opt_out_reason_id=self.reason.id)
        (noted,) = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("everything", "page"))
        self.assertEqual(noted.wording, "Unsubscribe from all mails")
        entry = self.env["mail.blacklist"].search([("email", "=", ANN)])
        self.assertEqual(entry.opt_out_reason_id, self.reason)
        self.assertEqual(self.participant(self.ann).exit_reason, "unsubscribed")
        self.assertEqual(self.participant(self.bob).state, "running")

    def test_twice(self):
        for _time in range(2):
            self.assertEqual(self.fill_in(self.mail, "everything").status_code, 200)
        self.assertEqual(len(self.preferences()), 1)

    def test_one_click(self):
        """What mail programs post says everything, however often; it comes without a session."""
        path = self.path_of(self.mail["List-Unsubscribe"].strip("<>"))
        for _time in range(2):
            response = self.url_open(path, data={"List-Unsubscribe": "One-Click"})
            self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()
        (noted,) = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("everything", "one_click"))
        self.assertEqual(self.participant(self.ann).exit_reason, "unsubscribed")
        self.assertEqual(self.url_open(path).status_code, 405, "a link in a mail does not act")

    def test_complaint(self):
        self.fill_in(self.mail, "complaint", feedback="Who are you?\x00")
        (noted,) = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("complaint", "page"))
        self.assertEqual(noted.feedback, "Who are you?")
        self.assertEqual(self.participant(self.ann).exit_reason, "complained")
        self.assertTrue(self.trace(self.ann, self.first).mailing_trace_ids.nurture_complaint_date)
        self.assertTrue(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        other = self.make_sequence(name="Other")
        groups = other._group_by_exclusion(self.ann)
        self.assertEqual(groups, {"complained": self.ann.ids})

    def test_come_again(self):
        """Who wants mails again gets them: what waited goes on, and the log keeps both."""
        self.fill_in(self.mail, "pause", until=self.day(days=60))
        self.advance(days=8)
        self.assertFalse(self.second_to(ANN))
        self.assertIn("A pause: until", self.url_open(self.link_of(self.mail)).text)
        self.fill_in(self.mail, "return")
        self.advance()
        self.assertEqual(len(self.second_to(ANN)), 1)
        self.assertEqual(self.preferences().mapped("kind"), ["pause", "return"])
        self.assertTrue(all(self.preferences().mapped("ended_date")))

    def test_come_again_twice(self):
        """To post it twice is to post it once, of what put the address on the blacklist, too."""
        for choice in ("pause", "everything"):
            self.fill_in(self.mail, choice, until=self.day(days=60))
        for _time in range(2):
            page = self.post(self.mail, choice="return")
            self.assertEqual(page.status_code, 200)
            self.assertIn("All mails again", page.text)
        self.assertEqual(self.preferences().mapped("kind"), ["pause", "everything", "return"])
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", ANN)]))

    def test_blacklisted(self):
        """To no mails at all nothing can be added: the page says so and offers to take it back,
        also to those who were blacklisted before anything was noted."""
        self.env["mail.blacklist"]._add(ANN)
        self.env["nurture.preference"].search([]).unlink()
        page = self.url_open(self.link_of(self.mail)).text
        self.assertIn("No mails are sent to this address", page)
        self.assertEqual(
            re.findall(r'name="choice"[^>]*value="([^"]+)"', " ".join(page.split())),
            ["everything", "complaint", "return"],
        )
        # a page that was opened before
        for choice, fields_ in (
            ("fewer", {"number": "1"}),
            ("pause", {"until": self.day(days=20)}),
            ("sequence", {}),
        ):
            page = self.post(self.mail, choice=choice, **fields_)
            self.assertEqual(page.status_code, 400)
            self.assertIn("No mails at all are sent to ann@recipient.example.com", page.text)
        self.assertFalse(self.preferences())
        self.assertEqual(self.fill_in(self.mail, "return").status_code, 200)
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", ANN)]))
        self.assertEqual(self.post(self.mail, choice="fewer", number="1").status_code, 200)

    def test_what_cannot_be(self):
        """It is said on the page, and nothing is written."""
        today = self.day()
        for choice, fields_ in (
            ("nothing", {}),
            ("fewer", {"number": "0"}),
            ("fewer", {"number": "99"}),
            ("fewer", {"number": "x"}),
            ("pause", {}),
            ("pause", {"until": today}),
            ("pause", {"until": "9999-12-31"}),
            ("pause", {"until": "soon"}),
            ("topics", {}),
            ("return", {}),
        ):
            with self.subTest(choice=choice, **fields_):
                page = self.fill_in(self.mail, choice, **fields_)
                self.assertEqual(page.status_code, 400)
                self.assertIn('role="alert"', page.text)
        self.assertFalse(self.preferences())

    def test_what_was_filled_in(self):
        """It is still there beside what is wrong: saved once more it means the same."""
        fields_ = {"number": "2", "until": "2020-02-29", "feedback": "Until <spring>"}
        page = self.fill_in(self.mail, "pause", opt_out_reason_id=self.reason.id, **fields_)
        tree = html.fromstring(page.text)
        self.assertEqual(tree.xpath("//input[@name='choice'][@checked]/@value"), ["pause"])
        self.assertEqual(tree.xpath("//input[@name='until']/@value"), ["2020-02-29"])
        selected = tree.xpath("//form//option[@selected]/@value")
        self.assertEqual(selected, ["2", str(self.reason.id)])
        self.assertEqual(tree.xpath("//textarea/text()"), ["Until <spring>"])

    def test_details_choose(self):
        """Whoever sets a day wants a pause, without a click on it."""
        self.start_tour(self.link_of(self.mail), "nurture_preference_tour")
        self.env.invalidate_all()
        self.assertEqual(self.preferences().mapped("kind"), ["pause"])

    def test_wrong_token(self):
        """It is answered as an unknown mailing is, and changes nothing."""
        parameters = self.parameters_of(self.mail)
        bobs = self.parameters_of(self.mail_to(BOB))
        path = f"/mailing/{self.first.mailing_id.id}"
        answers = set()
        for page, wrong in (
            (f"{path}/confirm_unsubscribe", {"hash_token": bobs["hash_token"]}),
            (f"{path}/unsubscribe", {"email": BOB}),
            (f"{path}/unsubscribe", {"document_id": bobs["document_id"]}),
            ("/mailing/2147483647/unsubscribe", {}),
            (f"/mailing/{10**30}/unsubscribe", {}),
            (f"{path}/unsubscribe", {"document_id": "x"}),
            (f"{path}/unsubscribe", {"hash_token": "ü"}),
        ):
            response = self.url_open(page, params=parameters | wrong)
            # the page has a token of the session, which changes by the second
            text = re.sub(r'csrf_token: "[^"]*"', "", response.text)
            answers.add((response.status_code, text))
            page = page.replace("/confirm_", "/").replace("unsubscribe", "unsubscribe_oneclick")
            posted = self.url_open(page, params=parameters | wrong, method="POST")
            self.assertEqual(posted.status_code, response.status_code, page)
        self.assertEqual(len(answers), 1)
        self.env.invalidate_all()
        self.assertFalse(self.env["nurture.preference"].search([("email", "in", [ANN, BOB])]))

    def test_language(self):
        """The page is in the language in which the recipient gets mails, whatever the browser
        asks for; what is noted are the words that were shown."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env.ref("base.module_lost_lead_nurture")._update_translations(["fr_FR"])
        self.ann.lang_id = self.env["res.lang"]._lang_get("fr_FR")
        self.env.flush_all()
        page = self.url_open(self.link_of(self.mail), headers={"Accept-Language": "de"})
        self.assertIn('lang="fr', page.text)
        self.assertIn("Quels e-mails souhaitez-vous recevoir", page.text)
        self.assertIn("Ces e-mails sont envoyés à", page.text)
        page = self.fill_in(self.mail, "fewer", number="1")
        self.assertIn("Vous avez déjà choisi", self.url_open(self.link_of(self.mail)).text)
        self.assertEqual(self.preferences().wording, "Moins d'e-mails: un par mois au plus")
        self.assertIn("Voici ce que nous avons noté", page.text)
        english = self.url_open(self.link_of(self.mail_to(BOB)))
        self.assertIn("Which mails would you like to get?", english.text)

    def test_slash_of_the_base_address(self):
        """A base address that ends with a slash makes links that work."""
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("web.base.url", parameters.get_param("web.base.url") + "/")
        self.catcher.clear()
        self.make_lead("carl@recipient.example.com")
        self.advance(hours=1)
        mail = self.mail_to("carl@recipient.example.com")
        one_click = mail["List-Unsubscribe"].strip("<>")
        for url in (one_click, re.findall(r'href="([^"]+confirm_un[^"]+)"', self.html_of(mail))[0]):
            self.assertNotIn("//", url.partition("://")[2])
        self.assertEqual(self.url_open(self.path_of(one_click), method="POST").status_code, 200)

    def test_in_both_texts(self):
        """The plain text has the link of this recipient, too."""
        text = self.mail.get_body(("plain",)).get_content()
        self.assertIn(self.parameters_of(self.mail)["hash_token"], text.replace("=\n", ""))
        self.assertNotIn("unsubscribe_from_list", text)

    def test_mail_without_its_link(self):
        """A link that placeholders leave out is noticed for the lead for whom they do."""
        body = str(self.second.mailing_id.body_html)
        self.second.mailing_id.body_html = body.replace(
            '<p><a href="/unsubscribe_from_list">',
            """<p t-if="object.contact_name == 'Bob'"><a href="/unsubscribe_from_list">""",
        )
        self.bob.contact_name = "Bob"
        with mute_logger("odoo.addons.mail.models.mail_mail"):
            self.advance(days=8)
        self.assertTrue(self.second_to(BOB))
        self.assertFalse(self.second_to(ANN))
        trace = self.trace(self.ann, self.second)
        self.assertEqual(trace.state, "error")
        self.assertIn("link to unsubscribe", trace.detail)


@tagged("post_install", "-at_install")
class TestObeyed(PreferenceCase):
    def test_fewer(self):
        """At most one a month: the second mail waits until the first one is a month old."""
        self.fill_in(self.mail, "fewer", number="1")
        self.assertEqual(self.preferences().number, 1)
        self.assertIn("at most one a month", self.preferences().wording)
        self.advance(days=8)
        self.assertFalse(self.second_to(ANN))
        trace = self.trace(self.ann, self.second)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "preference"))
        self.assertTrue(self.second_to(BOB))
        self.advance(days=23)
        self.assertEqual(len(self.second_to(ANN)), 1)

    def test_pause_in_the_next_batch(self):
        self.fill_in(self.mail, "pause", until=self.day(days=20))
        self.advance(days=8)
        self.assertFalse(self.second_to(ANN))
        self.advance(days=13)
        self.assertEqual(len(self.second_to(ANN)), 1)

    def test_pause_for_what_is_queued(self):
        """A mail that is in the queue stays there until the day; it is the queue that knows."""
        self.clock += timedelta(days=8)
        self.run_cron()
        self.fill_in(self.mail, "pause", until=self.day(days=20))
        trace = self.trace(self.ann, self.second)
        queued = trace.mailing_trace_ids.mail_mail_id
        self.assertEqual((queued.state, trace.reason), ("outgoing", "preference"))
        self.send_mails()
        self.assertFalse(self.second_to(ANN))
        self.assertTrue(self.second_to(BOB))
        self.check_shown(trace)
        # whoever presses Send Now on the mail does not know
        queued.send()
        self.assertFalse(self.second_to(ANN))
        self.clock += timedelta(days=22)
        self.send_mails()
        self.assertEqual(len(self.second_to(ANN)), 1)
        self.assertEqual(trace.reason, "done")

    def check_shown(self, trace):
        """Everywhere it is said what a mail in the queue waits for, and until when."""
        until = trace.mailing_trace_ids.mail_mail_id.scheduled_date
        self.assertEqual(trace.schedule_date, until)
        timeline = trace.participant_id.with_user(self.marketer).get_timeline()
        (coming,) = [entry for entry in timeline["entries"] if entry["kind"] == "queued"]
        self.assertIn("waits until Mar 30, 2026", coming["text"])
        self.assertIn("the recipient wants a pause", str(coming["why"]))
        self.assertNotIn("next run", str(coming["why"]))
        waits = self.sequence.with_user(self.marketer).waits
        self.assertEqual(waits["mail"], "1 waits for the next mail (on Mar 30, 2026)")
        action = self.sequence.with_context(nurture_wait="mail").action_view_waits()
        waiting = self.env["nurture.participant"].search(action["domain"])
        self.assertEqual(waiting, trace.participant_id)
        lead = self.ann.with_user(self.salesman)
        self.assertIn("Next: “Second” on Mar 30, 2026", lead.nurture_detail)
        days = self.env["nurture.coming"].search(
            [("step_id", "=", self.second.id), ("state", "=", "to_come")]
        )
        self.assertEqual((days.date, days.lead_count), (until.date(), 1))

    def test_queued_meanwhile(self):
        """A batch that was not committed yet queued a mail while its recipient chose: the queue
        looks once more."""
        self.clock += timedelta(days=8)
        self.run_cron()
        preferences = self.env["nurture.preference"]
        preferences._note([ANN], "pause", "page", until_date=self.day(days=20))
        preferences._note([BOB], "sequence", "page", sequence_id=self.sequence.id)
        self.send_mails()
        self.assertFalse(self.second_to(ANN))
        self.assertFalse(self.second_to(BOB))
        self.assertEqual(self.trace(self.ann, self.second).reason, "preference")
        self.assertEqual(self.participant(self.bob).exit_reason, "unsubscribed")

    def test_batch_after_the_choice(self):
        """A participant who is still inside gets no mail that was opted out of."""
        self.env["nurture.preference"]._note(
            [ANN], "sequence", "page", sequence_id=self.sequence.id
        )
        self.advance(days=8)
        self.assertEqual(self.trace(self.ann, self.second).reason, "opt_out")
        self.assertFalse(self.second_to(ANN))

    def test_topics(self):
        kitchens, baths = self.env["nurture.topic"].create([{"name": "Kitchens"}, {"name": "Bath"}])
        self.sequence.topic_id = kitchens
        other = self.make_sequence(name="Other", topic_id=baths.id)
        self.make_step(other, delay=1, subject="Other")
        other.action_start()
        self.run_cron()
        self.assertIn("Kitchens", self.url_open(self.link_of(self.mail)).text)
        self.fill_in(self.mail, "topics", topics=[str(baths.id), "0", "x"])
        self.assertEqual(self.preferences().topic_id, kitchens)
        journeys = self.participant(self.ann).grouped("sequence_id")
        self.assertEqual(journeys[self.sequence].exit_reason, "unsubscribed")
        self.assertEqual(journeys[other].state, "running")
        self.fill_in(self.mail, "topics", topics=[str(baths.id), str(kitchens.id)])
        self.assertFalse(self.preferences().filtered(lambda one: not one.ended_date))

    def test_the_log_keeps_what_it_is_about(self):
        """A topic, or a sequence, that somebody did not want is archived, not deleted."""
        topic, unused = self.env["nurture.topic"].create([{"name": "Kitchens"}, {"name": "Bath"}])
        self.sequence.topic_id = topic
        self.fill_in(self.mail, "topics", topics=[])
        draft = self.make_sequence(name="Draft")
        wizards = self.env["nurture.preference.choose"].with_user(self.marketer)
        wizards.create(
            {"lead_id": self.bob.id, "kind": "sequence", "sequence_id": draft.id}
        ).action_note()
        for record in (topic | unused, draft):
            with self.assertRaisesRegex(UserError, "log of mail preferences.*rchive"):
                record.with_user(self.marketer).unlink()
        topic.with_user(self.marketer).active = False
        unused.with_user(self.marketer).unlink()
        self.assertEqual(self.preferences().topic_id, topic)
        self.assertEqual(self.preferences(BOB).sequence_id, draft)

    def test_plain_mailings(self):
        """A pause, and fewer mails, hold for plain mailings, too, in the queue as well."""
        only = repr([("id", "in", (self.ann | self.bob).ids), ("active", "=", False)])
        self.queue_mailings()
        queued = self.make_mailing("Queued", mailing_domain=only)
        queued.action_send_mail()
        self.fill_in(self.mail, "pause", until=self.day(days=20))
        self.fill_in(self.mail_to(BOB), "fewer", number="2")
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "Queued"))
        self.assertTrue(self.mails_to(BOB, "Queued"))
        trace = queued.mailing_trace_ids.filtered(lambda one: one.email == ANN)
        self.assertEqual((trace.trace_status, trace.failure_type), ("cancel", "mail_optout"))
        later = self.make_mailing("Later", mailing_domain=only)
        later.action_send_mail()
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "Later"))
        self.assertFalse(self.mails_to(BOB, "Later"), "the third in a month")
        self.assertEqual(set(later.mailing_trace_ids.mapped("failure_type")), {"mail_optout"})

    def test_blacklisted_with_a_plain_mailing_in_the_queue(self):
        # a mail to one recipient alone never waits
        only = repr([("id", "in", (self.ann | self.bob).ids), ("active", "=", False)])
        mailing = self.make_mailing("Queued", mailing_domain=only)
        self.queue_mailings()
        mailing.action_send_mail()
        self.env["mail.blacklist"]._add(ANN)
        self.send_mails()
        self.assertFalse(self.mails_to(ANN, "Queued"))
        self.assertTrue(self.mails_to(BOB, "Queued"))
        cancelled = mailing.mailing_trace_ids.filtered(lambda one: one.email == ANN)
        self.assertEqual(cancelled.failure_type, "mail_bl")

    def test_each_spelling(self):
        """An international domain is one address, also for what its owner wants."""
        lead = self.make_lead("info@bücher.example")
        self.env["nurture.preference"]._choose(
            "info@xn--bcher-kva.example", "pause", "person", until_date=self.day(days=30)
        )
        self.assertEqual(lead.nurture_preference_count, 1)
        self.advance(hours=1)
        self.assertEqual(self.trace(lead, self.first).reason, "preference")

    def test_queries(self):
        """To look for preferences is one query for a batch, and to obey them one more."""
        self.clock += timedelta(days=8)
        traces = self.traces(self.second)
        self.env.flush_all()
        with self.assertQueryCount(1):
            self.assertEqual(traces._get_addresses_with_wishes(traces.ids), {})
        preferences = self.env["nurture.preference"]
        for address in (ANN, BOB):
            preferences._note([address], "fewer", "page", number=1)
        with self.assertQueryCount(1):
            self.assertEqual(len(preferences._get_wishes([ANN, BOB], queued=True)), 2)


@tagged("post_install", "-at_install")
class TestNoted(PreferenceCase):
    def test_on_the_lead(self):
        """Whoever reads the lead reads what was chosen, by whom and how; nobody else does."""
        self.fill_in(self.mail, "pause", until=self.day(days=20), feedback="Holidays <b>")
        twin = self.make_lead(ANN, user_id=self.colleague.id)
        for lead, user in ((self.ann, self.salesman), (twin, self.colleague)):
            log = lead.with_user(user).nurture_preferences
            self.assertIn("A pause: until", log)
            self.assertIn("Page behind the link", log)
            self.assertIn("Holidays &lt;b&gt;", log)
        with self.assertRaises(AccessError):
            self.env["nurture.preference"].with_user(self.salesman).search([])
        self.assertTrue(self.env["nurture.preference"].with_user(self.marketer).search([]))

    def test_by_a_person(self):
        action = self.ann.with_user(self.salesman).action_nurture_preference()
        form = Form.from_action(self.env(user=self.salesman), action)
        form.kind = "fewer"
        form.number = 1
        form.feedback = "On the phone"
        form.save().action_note()
        (noted,) = self.preferences()
        self.assertEqual((noted.source, noted.user_id), ("person", self.salesman))
        self.assertEqual(noted.wording, "At most one mail a month")
        self.advance(days=8)
        self.assertFalse(self.second_to(ANN))

    def test_words_of_a_person(self):
        """What a person notes reads as on the page: dates as the language writes them."""
        wizards = self.env["nurture.preference.choose"].with_user(self.salesman)
        until = self.day(days=20)
        for values in ({"kind": "fewer", "number": 3}, {"kind": "pause", "until_date": until}):
            wizards.create({"lead_id": self.ann.id, **values}).action_note()
        self.assertEqual(
            set(self.preferences().mapped("wording")),
            {"At most 3 mails a month", f"A pause until {format_date(self.env, until)}"},
        )

    def test_by_who_may(self):
        """Others' leads are not for whoever may not write them, nor another company's."""
        other = self.env["res.company"].create({"name": "Other"})
        elsewhere = self.make_marketer(other)
        lead = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        for user in (self.salesman, elsewhere, self.employee):
            wizards = self.env["nurture.preference.choose"].with_user(user)
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                wizards.create({"lead_id": lead.id, "kind": "everything"}).action_note()
        wizard = self.env["nurture.preference.choose"].with_user(self.marketer)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            wizard.create({"lead_id": lead.id, "kind": "pause"}).action_note()
        self.assertFalse(self.preferences("others@recipient.example.com"))

    def test_address_of_ones_own_making(self):
        """Whoever may not blacklist in Odoo notes what somebody said for an address that somebody
        else wrote into the lead, or that has got a mail about it: not for any address that there
        is."""
        victim = "victim@recipient.example.com"
        salesman = self.env(user=self.salesman)
        lead = salesman["crm.lead"].browse(self.ann.id)
        lead.write({"email_from": victim})
        invented = salesman["crm.lead"].create({"name": "Mine", "email_from": victim})
        wizards = salesman["nurture.preference.choose"]
        for values in ({"kind": "everything"}, {"kind": "fewer", "number": 1}):
            for one in (lead, invented):
                with self.assertRaisesRegex(UserError, "wrote this address"):
                    wizards.create({"lead_id": one.id, **values}).action_note()
        for one in (lead, invented):
            with self.assertRaisesRegex(UserError, "wrote this address"):
                one.nurture_note_basis("withdrawn", "A call")
        self.assertFalse(self.preferences(victim))
        self.assertFalse(self.env["mail.blacklist"].search([("email", "=", victim)]))
        # what has got a mail about the lead is the lead's, whoever wrote it
        lead.write({"email_from": ANN})
        wizards.create({"lead_id": lead.id, "kind": "everything"}).action_note()
        self.assertEqual(self.preferences().user_id, self.salesman)
        # so is what a colleague wrote, with no mail at all
        other = self.make_lead("new@recipient.example.com", lost=False)
        self.env.flush_all()
        wizards.create({"lead_id": other.id, "kind": "everything"}).action_note()
        self.assertTrue(self.preferences("new@recipient.example.com"))
        # a marketer may blacklist anybody in Odoo
        invented.with_user(self.marketer).nurture_note_basis("withdrawn", "A call")
        self.assertTrue(self.preferences(victim))

    def test_blacklisted_wants_fewer(self):
        """To note that changes nothing either, and is refused."""
        self.env["mail.blacklist"]._add(ANN)
        wizard = self.env["nurture.preference.choose"].with_user(self.salesman)
        wizard = wizard.create({"lead_id": self.ann.id, "kind": "fewer", "number": 1})
        with self.assertRaisesRegex(ValidationError, "No mails at all are sent"):
            wizard.action_note()
        self.assertEqual(self.preferences().mapped("kind"), ["everything"])

    def test_off_the_blacklist(self):
        """That is for who may take somebody off it in Odoo."""
        self.env["mail.blacklist"]._add(ANN)
        wizards = self.env["nurture.preference.choose"]
        values = {"lead_id": self.ann.id, "kind": "return"}
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizards.with_user(self.salesman).create(values).action_note()
        wizards.with_user(self.marketer).create(values).action_note()
        self.env.invalidate_all()
        self.assertFalse(self.ann.is_blacklisted)

    def test_another_company(self):
        """What was said to another company counts here, too; what it was about is theirs."""
        other = self.env["res.company"].create({"name": "Other"})
        self.env["nurture.preference"]._note(
            [ANN],
            "everything",
            "page",
            wording="No mails",
            feedback="A secret",
            mailing_id=self.first.mailing_id.id,
            company_id=other.id,
        )
        log = self.ann.with_user(self.salesman).nurture_preferences
        self.assertIn("No mails", log)
        self.assertNotIn("secret", log)
        self.assertNotIn("First", log)
        self.assertFalse(self.env["nurture.preference"].with_user(self.marketer).search([]))

    def test_blacklist_by_hand(self):
        mailer = new_test_user(
            self.env, "nurture_mailer", "base.group_user,mass_mailing.group_mass_mailing_user"
        )
        self.env["mail.blacklist"].with_user(mailer)._add(ANN)
        self.env["mail.blacklist"].with_user(mailer)._remove(ANN)
        noted = self.preferences()
        self.assertEqual(noted.mapped("kind"), ["everything", "return"])
        self.assertEqual(noted.mapped("source"), ["person"] * 2)
        self.assertEqual(noted.user_id, mailer)
        self.assertTrue(all(noted.mapped("ended_date")))
        # once more is a new line
        self.env["mail.blacklist"].with_user(mailer)._add(ANN)
        self.assertEqual(len(self.preferences()), 3)

    def test_complaint_at_the_provider(self):
        self.complain(self.mail)
        (noted,) = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("complaint", "complaint"))
        self.assertEqual(self.participant(self.ann).exit_reason, "complained")
        # taken off the blacklist by mistake is not meant
        self.env["mail.blacklist"]._remove(ANN)
        self.assertTrue(noted.ended_date)

    def test_answer_that_says_stop(self):
        """It is no answer that wins somebody back, and only the recipient's own counts."""
        self.answer(self.mail_to(BOB), "Please call me.")
        self.answer(self.mail, "Unsubscribe!\n\nAnn\n\nYou wrote:\n> Hello")
        (noted,) = self.preferences()
        self.assertEqual((noted.kind, noted.source), ("everything", "reply"))
        self.assertIn("Unsubscribe!", noted.wording)
        journey = self.participant(self.ann)
        self.assertEqual((journey.exit_reason, journey.won_back_date), ("unsubscribed", False))
        self.assertEqual(self.ann.won_status, "lost")
        self.assertIn("Unsubscribe!", str(self.ann.message_ids[:1].body), "somebody reads it")
        self.assertEqual(self.participant(self.bob).exit_reason, "replied")
        self.assertFalse(self.preferences(BOB))

    def test_forgotten(self):
        self.fill_in(self.mail, "pause", until=self.day(days=20), feedback="It is me, Ann")
        noted = self.preferences()
        self.participant(self.ann).action_forget()
        self.assertEqual((noted.email, noted.feedback), (False, False))
