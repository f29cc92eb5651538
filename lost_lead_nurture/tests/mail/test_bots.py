"""Nothing is decided on a bot's click, a prefetched picture or an automatic answer. The rules
themselves are tested without Odoo; here is what they do to real requests and messages."""

import re
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.mail import hit as hit_module
from ...tools import bots
from ...tools.bots import HOLD, TOO_FAST, Request
from ...tools.inside import INSIDE
from ..common import ANN, BOB, BROWSER, TWO_LINKS
from ..hits import BotCase

GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
APPLE = "Mozilla/5.0"


@tagged("post_install", "-at_install")
class TestBots(BotCase):
    def test_person(self):
        """A click counts as of its own time, once no bot gave itself away."""
        self.start()
        moment = self.clock
        with self.capture_triggers("lost_lead_nurture.ir_cron_nurture") as woken:
            response = self._get(self.links_of(self.mail)[0])
            self._get(self.pixel_of(self.mail))
        self.assertIn("https://shop.example.com/limited", response.headers["Location"])
        (call,) = woken.records.mapped("call_at")
        self.assertTrue(HOLD <= call - moment < HOLD + timedelta(minutes=1))
        self.assertPerson()
        self.clock += HOLD - timedelta(seconds=1)
        self.run_cron()
        self.assertPerson()
        self.clock = call
        self.run_cron()
        self.assertPerson("open", "click")
        self.assertFalse(self.mailing_trace.nurture_bot_reason)
        self.assertEqual(self.mailing_trace.open_datetime, moment)
        self.assertEqual(self.mailing_trace.links_click_datetime, moment)
        for step in (self.opened, self.clicked):
            due = self.trace(self.ann, step).schedule_date
            self.assertEqual(due, moment + timedelta(hours=1), step.trigger)

    def test_clicks_of_bots(self):
        """They get the page, and change nothing."""
        self.start()
        link = self.links_of(self.mail)[0]
        for reason, url, headers in (
            ("user_agent", link, {"user_agent": "curl/8.5.0"}),
            ("user_agent", link, {"user_agent": ""}),
            ("prefetch", link, {"Sec-Purpose": "prefetch"}),
            ("forged", link.partition("?")[0], {}),
            ("forged", link[:-1] + "~", {}),
            ("forged", link + "%C3%A9", {}),
        ):
            with self.subTest(reason, url=url, headers=headers):
                self.mailing_trace.nurture_bot_reason = False
                response = self._get(url, **headers)
                self.assertIn("https://shop.example.com/limited", response.headers["Location"])
                self.assertBot(reason)

    def test_link_of_somebody_else(self):
        """The token of one's own mail is no good for another one."""
        self.start()
        other = self.trace(self.bob, self.first).mailing_trace_ids
        link = self.links_of(self.mail_to(BOB, "First"))[0]
        self._get(link.replace(f"/m/{other.id}", f"/m/{self.mailing_trace.id}"))
        self.assertBot("forged")
        first, second = self.links_of(self.mail)
        self._get(f"{second.partition('?')[0]}?{first.partition('?')[2]}")
        self.assertBot("forged")

    def test_head(self):
        self.start()
        for url in (self.links_of(self.mail)[0], self.pixel_of(self.mail)):
            self.url_open(
                url, method="HEAD", headers={"User-Agent": BROWSER}, allow_redirects=False
            )
            self.assertBot("head_request")

    def test_too_fast(self):
        self.start(seconds=TOO_FAST.seconds - 1)
        self._get(self.pixel_of(self.mail))
        self._get(self.links_of(self.mail)[0])
        self.assertBot("too_fast")
        self.click(self.mail)
        self.assertPerson("open", "click")

    def test_burst(self):
        """The first click of a bot looks like a person's, until the next one."""
        self.start()
        self._get(self.pixel_of(self.mail))
        self.clock += timedelta(seconds=20)
        first, second = self.links_of(self.mail)
        self._get(first)
        self.clock += timedelta(seconds=1)
        self._get(second)
        self.assertBot("burst")

        self.clock += timedelta(minutes=5)
        self.click(self.mail)
        self.assertPerson("open", "click")
        self.assertEqual(
            self.mailing_trace.nurture_bot_reason, "burst", "it was there all the same"
        )

    def test_burst_of_somebody_else(self):
        """It is about one mail, not about all that is hit at that time."""
        self.start()
        for link in self.links_of(self.mail_to(BOB, "First")):
            self._get(link)
        self._get(self.links_of(self.mail)[0])
        self.believe()
        self.assertPerson("open", "click")

    def test_burst_around_a_run(self):
        """What was judged already still tells of what comes near it."""
        self.start()
        first, second = self.links_of(self.mail)
        self._get(first)
        self._get(second)
        self.clock += timedelta(seconds=50)
        self._get(first)
        self.assertBot("burst")
        self.assertBot("burst")

    def test_two_links_one_after_the_other(self):
        self.start()
        for link in self.links_of(self.mail):
            self._get(link)
            self.clock += timedelta(seconds=3)
        self.believe()
        self.assertEqual(len(self.mailing_trace.links_click_ids), 2)
        self.assertEqual(self.trace(self.ann, self.clicked).state, "scheduled")

    def test_honeypot(self):
        self.start()
        self._get(self.links_of(self.mail)[0])
        self._get(self.pixel_of(self.mail))
        self.clock += timedelta(seconds=40)
        self.assertEqual(self._get(self.honeypot_of(self.mail)).status_code, 204)
        self.assertBot("honeypot")
        self.clock += timedelta(minutes=2)
        self.click(self.mail)
        self.assertPerson("open", "click")

    def test_honeypot_is_not_seen(self):
        """It has nothing to show, and the plain text does not tell of it."""
        self.start()
        anchor = re.findall(r"<a [^>]*/nurture/t/.*?</a>", self.html_of(self.mail))
        self.assertEqual(len(anchor), 1)
        self.assertTrue(anchor[0].endswith('aria-hidden="true" tabindex="-1"></a>'))
        text = self.mail.get_body(("plain",)).get_content()
        self.assertNotIn("/nurture/", text)
        self.assertIn(self.links_of(self.mail)[0], text, "links of the text are signed, too")
        self.assertNotIn("/nurture/", self.ann.message_ids[0].body)

    def test_honeypot_is_a_choice(self):
        """Without it in the settings, where an administrator finds it off, no mail has it."""
        settings = self.env["res.config.settings"]
        settings.create({"nurture_honeypot": False}).execute()
        self.start()
        self.assertNotIn("/nurture/t/", self.html_of(self.mail))
        settings.create({"nurture_honeypot": True}).execute()
        self.assertIn("/nurture/t/", self.mailing_trace._nurture_add_honeypot("<p>Hello</p>"))

    def test_addresses_are_forgotten(self):
        """That it was a person, and from which country, is kept; from which address is not."""
        self.start()
        self.click(self.mail)
        clicks = self.mailing_trace.links_click_ids
        plain = self.env["mailing.trace"].create({"model": "crm.lead", "res_id": self.ann.id})
        other = clicks.copy({"mailing_trace_id": plain.id})
        (clicks | other).ip = "192.0.2.1"
        self.env.flush_all()
        for days, ip in ((29, "192.0.2.1"), (2, False)):
            self.clock += timedelta(days=days)
            self.env["link.tracker.click"]._nurture_forget_ips()
            self.assertEqual(clicks.ip, ip)
        self.assertEqual(other.ip, "192.0.2.1", "plain mailings are Odoo's")
        self.assertEqual(self.mailing_trace.trace_status, "open")
        self.assertTrue(self.mailing_trace.links_click_datetime)

    @mute_logger("odoo.http")
    def test_forged_honeypot(self):
        """Nobody makes another recipient's clicks count for nothing."""
        self.start()
        honeypot = self.honeypot_of(self.mail)
        plain = self.env["mailing.trace"].create({"model": "crm.lead", "res_id": self.ann.id})
        for url in (
            honeypot[:-1] + "~",
            honeypot.replace(f"/t/{self.mailing_trace.id}/", f"/t/{plain.id}/"),
            honeypot.replace(f"/t/{self.mailing_trace.id}/", "/t/99999999999999/"),
        ):
            response = self.url_open(url, headers={"User-Agent": BROWSER})
            self.assertEqual(response.status_code, 404)
        self.click(self.mail)
        self.assertPerson("open", "click")

    def test_forged_burst(self):
        """The same, with links that can be made up."""
        self.start()
        for link in self.links_of(self.mail):
            self._get(link.partition("?")[0])
        self.click(self.mail)
        self.assertPerson("open", "click")

    def test_thousands_of_forged_hits(self):
        """What anybody can make is not kept without end, and pushes out nobody's click."""
        self.start()
        _first, second = self.links_of(self.mail)
        with patch.object(hit_module, "MAX_SAME", 3):
            for _time in range(5):
                self._get(second.partition("?")[0])
            hits = self.env["nurture.hit"].search([])
            self.assertEqual(hits.mapped("reason"), ["forged"] * 3)
            self.click(self.mail)
            self.assertPerson("open", "click")

    def test_thousands_of_clicks(self):
        """Of one link those that came first count."""
        self.start()
        first, second = self.links_of(self.mail)
        with patch.object(hit_module, "MAX_SAME", 3):
            for _time in range(5):
                self._get(first)
            self.clock += timedelta(minutes=1)
            self._get(second)
            self.assertEqual(self.env["nurture.hit"].search_count([]), 4)
        self.believe()
        self.assertPerson("open", "click", clicks=4)

    def test_leaving_in_the_meantime(self):
        """Who left before the click was believed is not written to, but did click."""
        self.start()
        self._get(self.links_of(self.mail)[0])
        self.unsubscribe(self.mail)
        self.believe()
        participant = self.participant(self.ann)
        self.assertEqual(participant.exit_reason, "unsubscribed")
        self.assertEqual(self.trace(self.ann, self.clicked).state, "cancelled")
        self.assertEqual(self.sequence.clicked_count, 1)

    def test_pictures(self):
        """Apple loads them unasked; Google when the mail is opened."""
        self.start()
        self._get(self.pixel_of(self.mail), user_agent=APPLE)
        self.assertBot("prefetch")
        self._get(self.pixel_of(self.mail), user_agent=GMAIL)
        self.believe()
        self.assertPerson("open")

    def test_click_of_an_apple_recipient(self):
        self.start()
        self._get(self.pixel_of(self.mail), user_agent=APPLE)
        self.click(self.mail)
        self.assertPerson("open", "click")

    def test_opened_again_and_again(self):
        self.start()
        moment = self.clock
        for _time in range(3):
            self.read_mail(self.mail)
        self.assertPerson("open")
        self.assertEqual(self.mailing_trace.open_datetime, moment)

    def test_core_called_directly(self):
        """Whoever calls core's methods for a program's answer changes nothing."""
        self.start()
        quiet = self.mailing_trace.with_context(nurture_ignore_reaction=INSIDE)
        domain = [("id", "=", self.mailing_trace.id)]
        for method in ("set_opened", "set_clicked", "set_replied", "set_bounced"):
            getattr(quiet, method)()
            getattr(quiet.browse(), method)(domain)
        self.assertPerson()
        self.assertEqual(self.mailing_trace.trace_status, "sent")

    def test_one_that_cannot_be_applied(self):
        """It does not keep the others from being handled."""
        self.start()
        clicks = type(self.env["link.tracker.click"])
        original = clicks.add_click

        def add_click(records, code, **values):
            if values["mailing_trace_id"] == self.mailing_trace.id and "nurture_judged" in (
                records.env.context
            ):
                raise ZeroDivisionError
            return original(records, code, **values)

        self._get(self.links_of(self.mail)[0])
        with (
            patch.object(clicks, "add_click", add_click),
            mute_logger("odoo.addons.lost_lead_nurture.models.mail.hit"),
        ):
            self.click(self.mail_to(BOB, "First"))
        self.assertEqual(self.trace(self.bob, self.clicked).state, "scheduled")
        self.assertEqual(self.trace(self.ann, self.clicked).state, "waiting")
        self.assertEqual(self.sequence.activity_ids.user_id, self.marketer)
        self.assertIn("is lost", self.sequence.activity_ids.summary)

    def test_notified_once(self):
        """Core writes down each event once, and the sequence is notified of each once, of what many
        people did together."""
        self.start()
        traces = type(self.env["nurture.trace"])
        mails = type(self.env["mailing.trace"])
        written, handled = [], []

        def note(name, called):
            def noted(records, *args, **kwargs):
                (handled if name == "_handle" else written).append((name, *args[:1]))
                return called(records, *args, **kwargs)

            return noted

        self._get(self.links_of(self.mail)[0])
        self._get(self.links_of(self.mail_to(BOB, "First"))[0])
        with (
            patch.object(mails, "set_opened", note("set_opened", mails.set_opened)),
            patch.object(mails, "set_clicked", note("set_clicked", mails.set_clicked)),
            patch.object(traces, "_handle", note("_handle", traces._handle)),
        ):
            self.believe()
        self.assertEqual(sorted(written), [("set_clicked",)] * 2 + [("set_opened",)] * 2)
        self.assertEqual(handled, [("_handle", "open"), ("_handle", "click")])

    def test_nothing_is_kept(self):
        self.start()
        self._get(self.links_of(self.mail)[0])
        self._get(self.honeypot_of(self.mail))
        self.believe()
        self.assertEqual(self.env["nurture.hit"].search_count([]), 2)
        self.advance(hours=2)
        self.assertFalse(self.env["nurture.hit"].search([]))

    def test_deleted_mail(self):
        self.start()
        self._get(self.links_of(self.mail)[0])
        self.mailing_trace.unlink()
        self.believe()
        self.assertFalse(self.env["nurture.hit"].search([]))


@tagged("post_install", "-at_install")
class TestPlainMailings(BotCase):
    """What is not a sequence's is core's."""

    def setUp(self):
        super().setUp()
        mailing = self.make_mailing(
            "Plain", TWO_LINKS, mailing_domain=f"[('id', '=', {self.bob.id})]"
        )
        self.bob.action_restore()
        mailing.action_send_mail()
        self.send_mails()
        self.plain = mailing.mailing_trace_ids
        self.mail = self.mail_to(BOB, "Plain")

    def test_at_once(self):
        for url in (self.pixel_of(self.mail), *self.links_of(self.mail)):
            self._get(url, user_agent="curl/8.5.0")
        self.assertEqual(self.plain.trace_status, "open")
        self.assertEqual(self.plain.links_click_datetime, self.clock)
        self.assertEqual(len(self.plain.links_click_ids), 2)
        self.assertFalse(self.env["nurture.hit"].search([]))

    def test_links(self):
        self.assertNotIn("/nurture/", self.html_of(self.mail))
        for link in self.links_of(self.mail):
            self.assertTrue(link.endswith(f"/m/{self.plain.id}"), link)


@tagged("post_install", "-at_install")
class TestCost(BotCase):
    def count(self, operation):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        operation()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_queries(self):
        """While a recipient waits for the page, less is done than core does."""
        self.start()
        code = re.search(r"/r/([^/]+)/m/", self.links_of(self.mail)[0])[1]
        request = Request(user_agent=BROWSER, token=self.mailing_trace._nurture_token(code))
        held = self.env(context={"nurture_request": request})
        domain = [("mail_mail_id_int", "=", self.mailing_trace.mail_mail_id_int)]
        values = {"mailing_trace_id": self.mailing_trace.id, "ip": "127.0.0.1"}

        def click(env):
            env["link.tracker.click"].add_click(code, **values)

        def look(env):
            env["mailing.trace"].set_opened(domain=domain)

        for operation in (look, click):  # fill the caches of xml ids and parameters
            operation(held)
        ours = [self.count(lambda what=what: what(held)) for what in (look, click)]
        other = self.trace(self.bob, self.first).mailing_trace_ids
        domain = [("mail_mail_id_int", "=", other.mail_mail_id_int)]
        values["mailing_trace_id"] = other.id
        other.nurture_trace_id = False
        core = [self.count(lambda what=what: what(self.env)) for what in (look, click)]
        for mine, theirs in zip(ours, core, strict=True):
            self.assertLessEqual(mine, theirs, (ours, core))

    def test_many_on_one_mail(self):
        """Ten times as many hits on one mail are ten times the work, not a hundred times."""
        self.start()
        few, many = (self.judge(count) for count in (hit_module.BATCH, 10 * hit_module.BATCH))
        self.assertLessEqual(many[0], 10 * few[0], "facts that were looked at")
        self.assertLessEqual(many[1], 10 * few[1], "queries")

    def judge(self, count):
        """Judge so many forged hits within ten seconds.

        :return: how many facts the rules looked at, and how many queries it took
        """
        self.clock += timedelta(hours=1)
        self.env["nurture.hit"].create(
            [
                {
                    "mailing_trace_id": self.mailing_trace.id,
                    "kind": "click",
                    "code": f"code{number % 5}",
                    "reason": "forged",
                    "date": self.clock + timedelta(seconds=number % 10),
                }
                for number in range(count)
            ]
        )
        self.clock += HOLD + timedelta(minutes=1)
        seen = []
        judge_together = bots.judge_together

        def look(hits):
            seen.extend(hits)
            return judge_together(hits)

        with patch.object(bots, "judge_together", look):
            queries = self.count(self.judge_all)
        self.assertFalse(self.env["nurture.hit"].search_count([("judged", "=", False)]))
        return len(seen), queries

    def judge_all(self):
        """What the scheduled action does, without its commits."""
        while hits := self.env["nurture.hit"]._claim():
            hits._judge()


@tagged("post_install", "-at_install")
class TestAnswers(BotCase):
    def assertNothingHappened(self):  # noqa: N802
        self.assertEqual(self.ann.won_status, "lost")
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertEqual(self.mailing_trace.trace_status, "sent")
        self.assertPerson()

    def report(self, kind, to, *parts):
        """A report about Ann's mail (RFC 3462)."""
        body = "".join(f"--part\nContent-Type: {type_}\n\n{text}\n" for type_, text in parts)
        self._receive(
            f"From: Ann <{ANN}>\n"
            f"To: {to}\n"
            "Subject: About your mail\n"
            f"Message-ID: <report.{kind}.{len(body)}@recipient.example.com>\n"
            f"In-Reply-To: {self.mail['Message-ID']}\n"
            f"References: {self.mail['Message-ID']}\n"
            "MIME-Version: 1.0\n"
            f'Content-Type: multipart/report; report-type={kind}; boundary="part"\n'
            f"\n{body}--part--\n"
        )

    def test_out_of_office(self):
        self.start()
        for headers in (
            "Auto-Submitted: auto-replied; owner-email=ann@recipient.example.com\n",
            "Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All\n",
            "Return-Path: <>\n",
            "X-Auto-Reply-From: ann@recipient.example.com\n",
        ):
            with self.subTest(headers):
                self.answer(self.mail, f"I am away ({headers}).", headers=headers)
                self.assertNothingHappened()

    def test_out_of_office_at_the_bounce_address(self):
        """RFC 3834 sends it there."""
        self.start()
        self._receive(
            f"From: Ann <{ANN}>\nTo: {self.alias_domain.bounce_email}\n"
            "Subject: Away\nMessage-ID: <away@recipient.example.com>\n"
            f"In-Reply-To: {self.mail['Message-ID']}\nAuto-Submitted: auto-replied\n"
            "Content-Type: text/plain\n\nI am away.\n"
        )
        self.assertNothingHappened()

    def test_person_behind_exchange(self):
        self.start()
        self.answer(self.mail, headers="X-Auto-Response-Suppress: DR, OOF, AutoReply\n")
        self.assertEqual(self.ann.won_status, "pending")

    def test_read_receipt(self):
        """Core takes it for a bounce, which would take the recipient out of the sequence."""
        self.start()
        parts = [
            ("text/plain", "Your message was displayed."),
            (
                "message/disposition-notification",
                f"Final-Recipient: rfc822; {ANN}\n"
                f"Original-Message-ID: {self.mail['Message-ID']}\n"
                "Disposition: manual-action/MDN-sent-manually; displayed",
            ),
        ]
        headers = ("text/rfc822-headers", f"Message-ID: {self.mail['Message-ID']}\n")
        for to in (self.mail["Reply-To"], self.alias_domain.bounce_email):
            for given in (parts, [*parts, headers]):
                self.report("disposition-notification", to, *given)
                self.assertNothingHappened()

    def status(self, action):
        self.report(
            "delivery-status",
            self.alias_domain.bounce_email,
            ("text/plain", "See below."),
            (
                "message/delivery-status",
                "Reporting-MTA: dns; mx.recipient.example.com\n\n"
                f"Final-Recipient: rfc822; {ANN}\nAction: {action}\nStatus: 4.4.1\n",
            ),
            ("message/rfc822", f"Message-ID: {self.mail['Message-ID']}\nTo: {ANN}\n\n"),
        )

    def test_late_is_not_lost(self):
        self.start()
        for action in ("delayed", "delivered", "relayed"):
            self.status(action)
            self.assertNothingHappened()
            self.assertFalse(self.mailing_trace.nurture_soft_bounce_date)
        # a host that is not reached is no address at which nobody gets mail
        self.status("failed")
        self.assertNothingHappened()
        self.assertTrue(self.mailing_trace.nurture_soft_bounce_date)
