"""How many mails leave at a time, and mail providers that take no more for now."""

from datetime import datetime, timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...tools import pace
from ...tools.delivery import Refusal
from ...tools.dns import NoAnswer
from ..common import NurtureCase, NurtureHttpCase, SequenceMixin
from ..smtp import SMTP_LOGGERS, RefusedMixin

GMAIL_RATE = "421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP"
OUTLOOK_AUTH = "550 5.7.515 Access denied, sending domain doesn't meet the required level"


@tagged("post_install", "-at_install")
class TestProviders(RefusedMixin, SequenceMixin, NurtureHttpCase):
    """Servers replay what mail providers say."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.google = cls.env.ref("lost_lead_nurture.nurture_provider_google")

    def setUp(self):
        super().setUp()
        self.gmail = [self.make_lead(f"ann{n}@gmail.com") for n in range(4)]
        self.others = [self.make_lead("bob@yahoo.com"), self.make_lead("carl@shop.example.com")]

    def start_refused(self, answer=GMAIL_RATE):
        self.catcher.replays = {"gmail.com": [answer]}
        self.sequence.action_start()
        self.send()

    def sent_to(self):
        return {address for addresses, _content in self.catcher.envelopes for address in addresses}

    def test_that_provider_only(self):
        """Who is refused first has all of its provider wait, and nobody else."""
        self.start_refused()
        self.assertEqual(self.sent_to(), {"bob@yahoo.com", "carl@shop.example.com"})
        self.assertEqual(self.google.held_date, self.clock + timedelta(hours=1))
        self.assertIn("unusual rate", self.google.said)
        first, *waiting = (self.trace(lead, self.first) for lead in self.gmail)
        self.assertEqual((first.state, first.reason), ("processed", "mail_deferred"))
        self.assertIn("Gmail takes no more", first.detail)
        for trace in waiting:
            self.assertEqual((trace.state, trace.reason), ("processed", "provider_held"))
            self.assertIn("Google: 421 4.7.28", trace.detail)
            mail = trace.mailing_trace_ids.mail_mail_id
            self.assertEqual(mail.state, "outgoing")
            self.assertGreaterEqual(mail.scheduled_date, self.google.held_date)
            self.assertEqual(trace.schedule_date, mail.scheduled_date)
            self.assertFalse(trace.mailing_trace_ids.nurture_sending_date)
        self.check_shown(waiting[0])

    def check_shown(self, trace):
        """Everywhere it is said why it waits, and until when."""
        timeline = trace.participant_id.with_user(self.marketer).get_timeline()
        (coming,) = [entry for entry in timeline["entries"] if entry["kind"] == "queued"]
        self.assertIn("waits until", coming["text"])
        self.assertTrue(any("takes no more" in why for why in coming["why"]), coming)
        waits = self.sequence.with_user(self.marketer).waits
        self.assertTrue(waits["held"].startswith("4 wait for mail providers"), waits)
        action = self.sequence.with_context(nurture_wait="held").action_view_waits()
        held = self.env["nurture.participant"].search(action["domain"])
        self.assertEqual(len(held), 4)
        days = self.env["nurture.coming"].search([("sequence_id", "=", self.sequence.id)])
        self.assertEqual({day.state: day.lead_count for day in days}, {"done": 2, "to_come": 4})

    def test_commit_by_commit(self):
        """The scheduled action commits after each mail, and has noted by then that the next one is
        leaving: that is taken back when it is for the provider that is held."""
        self.catcher.replays = {"gmail.com": [GMAIL_RATE]}
        self.sequence.action_start()
        self.run_cron()
        self.env.flush_all()
        with self.registry.cursor() as cr, mute_logger(*SMTP_LOGGERS):
            mails = self.env(cr=cr)["mail.mail"].search([("state", "=", "outgoing")], order="id")
            mails.send(auto_commit=True)
        self.env.invalidate_all()
        self.assertEqual(self.sent_to(), {"bob@yahoo.com", "carl@shop.example.com"})
        mailing_traces = self.traces().mailing_trace_ids
        self.assertFalse(mailing_traces.filtered("nurture_sending_date"))
        held = self.traces().filtered(lambda trace: trace.reason == "provider_held")
        self.assertEqual(len(held), 3)
        self.assertEqual(set(held.mailing_trace_ids.mail_mail_id.mapped("state")), {"outgoing"})

    def test_they_leave_later(self):
        self.start_refused()
        self.clock += timedelta(hours=2)
        # core's queue goes by the real clock
        self.env["mail.mail"].search([("state", "=", "outgoing")]).scheduled_date = datetime(
            2020, 1, 1
        )
        self.send()
        self.assertEqual(len(self.sent_to()), 6)
        self.assertEqual(set(self.traces().mapped("reason")), {"done"})

    def test_whoever_falls_due_meanwhile(self):
        """Mails to the held provider are not even queued, the others are."""
        self.start_refused()
        late = [self.make_lead("dora@googlemail.com"), self.make_lead("emil@yahoo.com")]
        self.sequence.last_scan_date = False
        self.send(minutes=10)
        self.assertIn("emil@yahoo.com", self.sent_to())
        trace = self.trace(late[0], self.first)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "provider_held"))
        self.assertGreaterEqual(trace.schedule_date, self.google.held_date)
        # nothing is decided again until then
        decisions = len(trace.decision_log)
        self.send(minutes=10)
        self.assertEqual(len(trace.decision_log), decisions)
        self.google.action_release()
        self.send()
        self.assertIn("dora@googlemail.com", self.sent_to())

    def test_held_again(self):
        """Who says it again is held twice as long."""
        refusal = Refusal("rcpt", 421, GMAIL_RATE[4:])
        self.google._take_answer("ann@gmail.com", refusal)
        self.google._take_answer("bea@gmail.com", refusal)
        self.assertEqual(self.google.held_date, self.clock + timedelta(hours=1), "once")
        self.clock += timedelta(hours=3)
        self.google._take_answer("ann@gmail.com", refusal)
        self.assertEqual(self.google.held_date, self.clock + timedelta(hours=2))
        self.clock += timedelta(days=3)
        self.google._take_answer("ann@gmail.com", refusal)
        self.assertEqual(self.google.held_date, self.clock + timedelta(hours=1))

    def test_hold_is_no_try(self):
        """A mail is tried for two days: those on which its provider takes nothing
        do not count, but not for ever."""
        self.start_refused()
        trace = self.trace(self.gmail[0], self.first)
        mailing_trace = trace.mailing_trace_ids
        refusal = Refusal("rcpt", 421, GMAIL_RATE[4:])
        for _day in range(5):
            self.clock = self.google.held_date + timedelta(minutes=1)
            self.google._take_answer("ann@gmail.com", refusal)
            self.assertTrue(mailing_trace._nurture_try_later("Refused", self.google))
        self.assertGreater(self.clock, trace.processed_date + timedelta(hours=24))
        self.google.hold_count = 13
        self.assertFalse(mailing_trace._nurture_try_later("Refused", self.google))

    def test_own_mail_server(self):
        """What our own mail server says of itself holds nobody's provider."""
        for stage, text in (
            ("rcpt", "4.7.0 Throttling failure: Maximum sending rate exceeded."),
            ("mail", "4.7.0 too many messages, slow down"),
        ):
            refusal = Refusal(stage, 454, text)
            words, held, _waiting = self.google._take_answer("ann@gmail.com", refusal)
            self.assertFalse(held)
            self.assertFalse(self.google.held_date)
            self.assertTrue(words)

    def test_leaves_bit_by_bit(self):
        """The queue is looked at every five minutes when a hold ends."""
        self.start_refused()
        queue = self.env.ref("mail.ir_cron_mail_scheduler_action")
        calls = self.env["ir.cron.trigger"].search([("cron_id", "=", queue.id)])
        dates = {self.google.held_date + timedelta(minutes=5 * part) for part in range(7)}
        self.assertLessEqual(dates, set(calls.mapped("call_at")))

    def test_unknown_provider(self):
        """It is the domain."""
        self.catcher.replays = {"shop.example.com": ["451 4.7.1 Too many mails, slow down"]}
        more = self.make_lead("dora@shop.example.com")
        self.sequence.action_start()
        self.send()
        self.assertEqual(len(self.sent_to()), 5)
        provider = self.env["nurture.provider"].search([("code", "=", "shop.example.com")])
        self.assertTrue(provider.held_date)
        self.assertEqual(self.trace(more, self.first).reason, "provider_held")

    def test_greylisting_holds_nobody(self):
        self.start_refused("450 4.2.0 Greylisted, try again later")
        self.assertEqual(len(self.sent_to()), 5)
        self.assertFalse(self.google.held_date)

    def test_slow(self):
        self.env["nurture.provider.answer"].create(
            {
                "name": "Slower",
                "provider_id": self.google.id,
                "sequence": 1,
                "phrases": "unusual rate",
                "action": "slow",
                "minutes": 60,
                "number": 12,
            }
        )
        self.start_refused()
        self.assertFalse(self.google.held_date)
        self.assertEqual(self.google._get_slow(self.clock), 12)
        self.assertEqual(self.google._get_slow(self.clock + timedelta(hours=2)), 0)

    def test_refusal_in_words(self):
        """What a refusal means, and what to do, stands where the refusal is."""
        outlook = self.make_lead("dora@outlook.com")
        self.catcher.replays = {"outlook.com": [OUTLOOK_AUTH]}
        self.sequence.action_start()
        self.send()
        trace = self.trace(outlook, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "mail_failed"))
        self.assertIn("5.7.515", trace.detail)
        self.assertIn("SPF, DKIM and DMARC", trace.detail)

    def test_released_by_who_may(self):
        with self.assertRaises(AccessError):
            self.google.with_user(self.marketer).action_release()
        with self.assertRaises(AccessError):
            self.google.with_user(self.marketer).hourly_limit = 5
        manager = new_test_user(
            self.env,
            "nurture_manager",
            "lost_lead_nurture.group_user,sales_team.group_sale_manager",
        )
        self.google.with_user(manager).hourly_limit = 5
        self.google.with_user(manager).action_release()

    def test_stopped_meanwhile(self):
        """Stop means stop: what waits for a provider is recalled, too."""
        self.start_refused()
        self.sequence.action_stop()
        self.assertFalse(self.env["mail.mail"].search([("state", "=", "outgoing")]))


@tagged("post_install", "-at_install")
class TestPace(SequenceMixin, NurtureCase):
    def make_leads(self, number, domain="recipient.example.com"):
        return [self.make_lead(f"lead{n}@{domain}") for n in range(number)]

    def waiting(self, reason):
        return self.traces().filtered(lambda trace: trace.reason == reason)

    def test_limit_of_sequence(self):
        """Mails are spread over the hour, and each is decided about once."""
        self.sequence.hourly_limit = 24
        leads = self.make_leads(7)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        waiting = self.waiting("sequence_limit")
        dates = sorted(waiting.mapped("schedule_date"))
        minutes = [(date - self.clock) // timedelta(minutes=1) for date in dates]
        self.assertEqual(minutes, [5, 5, 10, 10, 15])
        self.clock += timedelta(minutes=16)
        self.run_cron()
        self.assertEqual(self.processed(), len(leads))
        self.assertEqual(
            {len(trace.decision_log) for trace in self.traces()}, {2, 3}, "no more than once"
        )

    def test_no_limit(self):
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 3)
        self.assertFalse(self.env["nurture.pace"].search([]))

    def test_limit_is_changed(self):
        self.sequence.hourly_limit = 12
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 1)
        self.sequence.hourly_limit = 0
        self.run_cron()
        self.assertEqual(self.processed(), 3)

    def places(self, key):
        """``{date: how many places are taken}``, in order."""
        rows = self.env["nurture.pace"].search([("key", "=", key), ("number", "!=", 0)])
        return {row.date: row.number for row in rows}

    def test_places_are_given_back(self):
        """Another limit gives all places anew, and leaves what has left already counted."""
        self.env.ref("lost_lead_nurture.nurture_provider_google").hourly_limit = 60
        self.sequence.hourly_limit = 12
        self.make_leads(4, "gmail.com")
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(list(self.places("provider:google").values()), [1, 1, 1, 1])
        self.sequence.hourly_limit = 24
        key = f"sequence:{self.sequence.id}"
        self.assertEqual(self.places(key), {self.clock: 1})
        self.assertEqual(self.places("provider:google"), {self.clock: 1})
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        self.assertEqual(list(self.places(key).values()), [2, 2])
        self.assertEqual(list(self.places("provider:google").values()), [2, 2])

    def test_slow_provider_recovers(self):
        """Who waits for it waits as long as it is slow, and a little longer."""
        google = self.env.ref("lost_lead_nurture.nurture_provider_google")
        google.write({"slow_limit": 12, "slow_date": self.clock + timedelta(hours=1)})
        self.make_leads(80, "gmail.com")
        self.sequence.action_start()
        self.run_cron()
        dates = sorted(self.waiting("provider_limit").mapped("schedule_date"))
        hours = [(date - self.clock) // timedelta(hours=1) for date in dates]
        # one has left
        self.assertEqual([hours.count(hour) for hour in range(4)], [11, 24, 44, 0])

    def test_provider(self):
        """Others do not wait for it."""
        self.env.ref("lost_lead_nurture.nurture_provider_google").hourly_limit = 12
        self.make_leads(3, "gmail.com")
        self.make_leads(3, "yahoo.com")
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 4)
        waiting = self.waiting("provider_limit")
        self.assertEqual(waiting.mapped("detail"), ["Google", "Google"])

    def test_provider_by_the_dns(self):
        """A company with a domain of its own may have its mailboxes at a provider."""

        class Resolver:
            asked = []

            def resolve(self, name, kind):
                self.asked.append(name)
                if name == "dead.example.com":
                    raise NoAnswer
                return {"firm.example.com": ["aspmx.l.google.com"]}.get(name, [])

        domains = type(self.env["nurture.mail.domain"])
        self.patch(domains, "_get_resolver", lambda _self: Resolver())
        self.env.ref("lost_lead_nurture.nurture_provider_google").hourly_limit = 12
        firm = [self.make_lead(f"{name}@firm.example.com") for name in ("ann", "bob")]
        self.make_lead("carl@dead.example.com")
        self.make_lead("dora@gmail.com")
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(set(Resolver.asked), {"firm.example.com", "dead.example.com"})
        self.assertEqual(len(self.waiting("provider_limit")), 2, "gmail.com's is the same limit")
        codes = self.env["nurture.provider"]._get_codes([firm[0].email_normalized])
        self.assertEqual(set(codes.values()), {"google"})
        self.run_cron()
        self.assertEqual(len(Resolver.asked), 2, "once")
        self.clock += timedelta(hours=2)
        self.make_lead("emil@dead.example.com")
        self.sequence.last_scan_date = False
        self.run_cron()
        self.assertEqual(Resolver.asked[2:], ["dead.example.com"], "which has not answered")

    def test_dns_fails(self):
        """What was known stays known."""

        class Resolver:
            def resolve(self, name, kind):
                raise NoAnswer

        domains = self.env["nurture.mail.domain"]
        self.patch(type(domains), "_get_resolver", lambda _self: Resolver())
        known = domains.create(
            {
                "domain": "firm.example.com",
                "mail_host": "aspmx.l.google.com",
                "provider_code": "google",
                "is_answered": True,
                "checked_date": self.clock - timedelta(days=40),
            }
        )
        self.env.ref("lost_lead_nurture.nurture_provider_google").hourly_limit = 12
        self.make_leads(2, "firm.example.com")
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(known.checked_date, self.clock)
        self.assertEqual(len(self.waiting("provider_limit")), 1)

    def test_active_recipients_first(self):
        self.sequence.hourly_limit = 12
        leads = self.make_leads(3)
        self.env["mailing.trace"].create(
            {
                "model": "crm.lead",
                "res_id": leads[2].id,
                "email": leads[2].email_normalized,
                "trace_status": "open",
                "sent_datetime": self.clock - timedelta(days=3),
                "open_datetime": self.clock - timedelta(days=2),
            }
        )
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.trace(leads[2], self.first).state, "processed")
        self.assertEqual(self.processed(), 1)

    def set_hours(self, begin, end):
        """Send between these hours, every day."""
        hours = {"name": "x", "hour_from": begin, "hour_to": end}
        self.company.partner_id.tz = "UTC"
        self.sequence.calendar_id = self.env["resource.calendar"].create(
            {
                "name": "Office",
                "tz": "UTC",
                "attendance_ids": [
                    (5, 0, 0),
                    *((0, 0, {**hours, "dayofweek": str(day)}) for day in range(7)),
                ],
            }
        )

    def test_hours_without_places(self):
        """Who sets one mail an hour, in hours in which it has no place, reads that at the start."""
        self.set_hours(9.5, 9.75)
        self.sequence.hourly_limit = 1
        self.make_leads(1)
        with self.assertRaisesRegex(UserError, "are too short for 1 mails an hour"):
            self.sequence.action_start()
        self.sequence.hourly_limit = 12
        self.sequence.action_start()

    def test_sending_hours(self):
        """A place outside of them is none."""
        self.set_hours(8, 10)
        self.sequence.hourly_limit = 2
        self.make_leads(4)
        self.sequence.action_start()
        self.run_cron()
        dates = sorted(self.waiting("sequence_limit").mapped("schedule_date"))
        self.assertEqual(
            dates,
            [self.clock.replace(hour=9, minute=30)]
            + [self.clock.replace(day=3, hour=8), self.clock.replace(day=3, hour=8, minute=30)],
        )

    def make_server(self, **values):
        self.env["ir.mail_server"].search([]).active = False
        return self.env["ir.mail_server"].create(
            {"name": "New", "smtp_host": "127.0.0.1", **values}
        )

    def test_warm_up(self):
        """A new mail server sends more each day."""
        self.make_server(
            nurture_warm_up_date=self.clock.date(),
            nurture_warm_up_first=2,
            nurture_warm_up_growth=100,
        )
        self.make_leads(9)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        days = [trace.schedule_date.day for trace in self.waiting("server_limit")]
        self.assertEqual(days, [3, 3, 3, 3, 4, 4, 4])

    def test_warm_up_by_the_hour(self):
        """A later day's mails are spread over it, and keep the other limits."""
        server = self.make_server(
            nurture_warm_up_date=self.clock.date(),
            nurture_warm_up_first=2,
            nurture_warm_up_growth=100,
            nurture_hourly_limit=1,
        )
        self.make_leads(7)
        self.sequence.action_start()
        self.run_cron()
        dates = sorted(self.waiting("server_limit").mapped("schedule_date"))
        tomorrow = self.clock.replace(day=3, hour=0, minute=0, second=0)
        self.assertEqual([date.day for date in dates], [2, 3, 3, 3, 3, 4])
        self.assertGreater(dates[4], tomorrow + timedelta(hours=12))
        self.assertEqual(set(self.places(f"server:{server.id}").values()), {1})

    def test_warm_up_goes_on(self):
        """Another growth or limit does not begin it anew, nor forget what left today."""
        server = self.make_server(
            nurture_warm_up_date=self.clock.date(),
            nurture_warm_up_first=2,
            nurture_warm_up_growth=100,
        )
        leads = self.make_leads(2)
        self.sequence.action_start()
        self.run_cron()
        begun = server.nurture_warm_up_date
        self.clock += timedelta(days=2)
        leads += self.make_leads(12, "later.example.com")
        self.sequence.last_scan_date = False
        self.run_cron()
        self.assertEqual(self.processed(), 2 + 8)
        server.nurture_warm_up_growth = 150
        self.run_cron()
        self.assertEqual(server.nurture_warm_up_date, begun)
        self.assertEqual(self.processed(), 2 + 12, "the third day takes 12")

    def test_place_of_a_day(self):
        """Who comes late on the day of its place still has it."""
        server = self.make_server(nurture_daily_limit=2)
        self.make_leads(4)
        self.sequence.action_start()
        self.run_cron()
        self.clock = self.clock.replace(day=3, hour=23)
        self.run_cron()
        self.assertEqual(self.processed(), 4)
        self.assertEqual(list(self.places(f"server-day:{server.id}").values()), [2, 2])

    def test_place_of_a_day_and_of_an_hour(self):
        """Who has to wait for another limit keeps its place of the day."""
        server = self.make_server(nurture_daily_limit=2, nurture_hourly_limit=12)
        self.make_leads(4)
        self.sequence.action_start()
        self.run_cron()
        self.clock += timedelta(minutes=5)
        self.run_cron()
        self.clock = self.clock.replace(day=3, hour=23)
        self.run_cron()
        self.assertEqual(self.processed(), 3)
        self.clock += timedelta(minutes=5)
        self.run_cron()
        self.assertEqual(self.processed(), 4)
        self.assertEqual(list(self.places(f"server-day:{server.id}").values()), [2, 2])

    def test_no_place_at_all(self):
        """Who has none is looked at again tomorrow, and leaves under the limit, too."""
        self.patch(pace, "HORIZON", timedelta(hours=3))
        self.sequence.hourly_limit = 1
        self.make_leads(8)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 1)
        key = f"sequence:{self.sequence.id}"
        self.assertLess(sum(self.places(key).values()), 8)
        self.clock += timedelta(days=1)
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        self.sequence.hourly_limit = 2
        self.assertTrue(all(number > 0 for number in self.places(key).values()))
        self.sequence.hourly_limit = 0
        self.run_cron()
        self.assertEqual(self.processed(), 8)

    def test_run_now_keeps_the_limit(self):
        """Who is brought forward gives its place back, time and again, and loses nothing by it."""
        self.sequence.hourly_limit = 12
        leads = self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        trace = self.waiting("sequence_limit").sorted("schedule_date")[-1]
        date = trace.schedule_date
        for _time in range(3):
            trace._bring_forward()
            self.run_cron()
            self.assertEqual(trace.schedule_date, date)
        places = self.places(f"sequence:{self.sequence.id}")
        self.assertEqual(list(places.values()), [1] * len(leads))

    def test_place_of_somebody_who_leaves(self):
        """It is free for others."""
        self.sequence.hourly_limit = 12
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        leaving = self.waiting("sequence_limit").sorted("schedule_date")
        dates = leaving.mapped("schedule_date")
        leaving.participant_id._leave("removed")
        self.make_leads(2, "later.example.com")
        self.sequence.last_scan_date = False
        self.run_cron()
        waiting = self.waiting("sequence_limit").sorted("schedule_date")
        self.assertEqual(waiting.mapped("schedule_date"), dates)

    def start_waiting(self, number=3):
        """One mail each five minutes: the first is in the queue, the others have a place."""
        self.sequence.hourly_limit = 12
        self.make_leads(number)
        self.sequence.action_start()
        self.run_cron()
        return self.waiting("sequence_limit").sorted("schedule_date")

    def taken(self):
        """How many places of the sequence's limit are taken in each slice, in order."""
        return list(self.places(f"sequence:{self.sequence.id}").values())

    def test_places_of_recalled_mails(self):
        """Whose mail is taken out of the queue has not left: others leave in its place."""
        self.start_waiting()
        self.assertEqual(self.taken(), [1, 1, 1])
        self.sequence.action_stop()
        self.assertEqual(self.taken(), [])
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 1, "at once")
        self.assertEqual(self.taken(), [1])
        queued = self.traces().filtered(lambda trace: trace.state == "processed")
        queued.participant_id._leave("removed")
        self.assertEqual(self.taken(), [])

    def test_places_of_sent_mails(self):
        """What has left, or was refused, has used its place."""
        waiting = self.start_waiting()
        sent = self.traces().mailing_trace_ids
        sent.mail_mail_id.state = "sent"
        sent.set_sent()
        self.clock = waiting[0].schedule_date
        self.run_cron()
        refused = waiting[0].mailing_trace_ids
        refused.mail_mail_id.state = "exception"
        refused.set_failed()
        self.assertEqual(waiting[0].state, "error")
        self.sequence.action_stop()
        self.assertEqual(self.taken(), [1, 1])
        self.traces().participant_id._leave("removed")
        self.assertEqual(self.taken(), [1, 1])

    def test_places_of_cancelled_steps(self):
        """However it comes that a mail is not sent: its place is free, and given back once."""
        waiting = self.start_waiting(7)
        self.assertEqual(len(waiting), 6)
        waiting[0].with_user(self.marketer).action_cancel()
        self.assertEqual(self.taken(), [1] * 6)
        waiting[0].action_cancel()
        self.assertEqual(self.taken(), [1] * 6)
        waiting[1]._set_state("rejected", "filtered")
        waiting[2]._fail(ValueError("broken"))
        self.assertEqual(self.taken(), [1] * 4)
        # it waits for something else than the limit then
        waiting[3]._defer({waiting[3].id: (self.clock + timedelta(days=1), "frequency_cap")})
        self.assertEqual(self.taken(), [1] * 3)
        self.assertFalse(waiting[3].limits)
        self.assertEqual(len(waiting.filtered("limits")), 2)

    def test_places_of_an_archived_step(self):
        other = self.make_step(self.sequence)
        self.start_waiting()
        self.assertEqual(self.taken(), [1] * 6)
        other.active = False
        self.assertEqual(self.taken(), [1] * 3)

    def test_places_of_a_branch_that_ends(self):
        """What follows a mail that is not sent after all does not leave either."""
        self.first.mailing_id.mail_server_id = self.make_server()
        second = self.make_step(self.sequence, "after", self.first)
        limited = {"name": "Slow", "smtp_host": "127.0.0.1", "nurture_hourly_limit": 12}
        server = self.env["ir.mail_server"].create(limited)
        second.mailing_id.mail_server_id = server
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        self.traces(self.first).mailing_trace_ids.set_sent()
        self.run_cron()
        key = f"server:{server.id}"
        self.assertEqual(list(self.places(key).values()), [1, 1, 1])
        waiting = self.traces(second).filtered(lambda trace: trace.state == "scheduled")
        waiting[0].parent_id._handle("failed")
        self.assertEqual(waiting[0].reason, "parent_failed")
        self.assertEqual(sum(self.places(key).values()), 2)

    def test_stopped_and_started(self):
        """What waits under a limit goes on where it was."""
        server = self.make_server(nurture_hourly_limit=12)
        leads = self.make_leads(4)
        self.sequence.action_start()
        self.run_cron()
        self.sequence.action_stop()
        self.assertFalse(self.places(f"server:{server.id}"), "others may leave")
        self.sequence.action_start()
        # the first one was still in the queue
        for number, _lead in enumerate(leads, 1):
            self.clock += timedelta(minutes=5)
            self.run_cron()
            self.assertEqual(self.processed(), number)

    def test_warm_up_after_a_long_stop(self):
        """Mails that had places and have not left warm nothing up."""
        self.make_server(
            nurture_warm_up_date=self.clock.date(),
            nurture_warm_up_first=2,
            nurture_warm_up_growth=100,
        )
        self.make_leads(30)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        self.sequence.action_stop()
        self.clock += timedelta(days=31)
        self.sequence.action_start()
        self.clock += timedelta(days=1, hours=14)
        self.run_cron()
        self.assertEqual(self.processed(), 2, "as on the first day")

    def test_another_server(self):
        """A place under the limits of one server is none under those of another."""
        self.make_server(nurture_hourly_limit=12)
        self.make_leads(3)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(len(self.waiting("server_limit")), 2)
        other = self.make_server(nurture_hourly_limit=12)
        self.first.mailing_id.mail_server_id = other
        self.clock += timedelta(minutes=11)
        self.run_cron()
        self.assertEqual(self.processed(), 2)
        self.assertEqual(list(self.places(f"server:{other.id}").values()), [1, 1])

    def test_server_of_a_version(self):
        """Another version, or another language, has the limits of the server by which it leaves."""
        server = self.make_server(nurture_hourly_limit=12)
        self.first.mailing_id.mail_server_id = self.make_server()
        server.active = True
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        french = self.make_mailing("Bonjour", mail_server_id=server.id)
        self.first.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": french.id})]
        for lead in self.make_leads(3):
            lead.lang_id = lang
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 1)
        self.assertEqual(len(self.waiting("server_limit")), 2)

    def test_personal_server(self):
        """Core sends so many a minute by the server of a person: that is known before."""
        self.env["ir.config_parameter"].set_param("mail.server.personal.limit.minutes", "1")
        # core lets nobody write by the mail server of another user
        server = self.make_server(owner_user_id=self.env.uid)
        self.first.mailing_id.mail_server_id = server
        self.make_leads(7)
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.processed(), 5)
        self.assertEqual(len(self.waiting("server_limit")), 2)

    def test_dry_run(self):
        """It knows of limits, also when it is done bit by bit."""
        self.sequence.hourly_limit = 1
        leads = self.make_leads(30)
        dry_run = self.env["nurture.dry.run"].create({"sequence_id": self.sequence.id})
        expected = {send.date.day: send.message_count for send in dry_run.send_ids}
        self.assertEqual(sum(expected.values()), len(leads))
        self.assertEqual(sorted(expected), [2, 3])
        self.sequence.action_start()
        self.run_cron()
        days = [trace.schedule_date.day for trace in self.traces()]
        self.assertEqual({day: days.count(day) for day in set(days)}, expected)

    def test_dry_run_by_version(self):
        """Each version leaves by the mail server of its own mail, and has its limits."""
        slow = self.make_server(nurture_daily_limit=2)
        fast = self.make_server()
        self.env["ir.mail_server"].browse((slow.id, fast.id)).active = True
        version = self.env["nurture.variant"].browse(self.first.action_add_variant())
        self.first.mailing_id.mail_server_id = fast
        version.mailing_id.write({"mail_server_id": slow.id, "subject": "Other"})
        self.make_leads(12)
        dry_run = self.env["nurture.dry.run"].create({"sequence_id": self.sequence.id})
        expected = {send.date.day: send.message_count for send in dry_run.send_ids}
        self.assertGreater(len(expected), 1)
        self.sequence.action_start()
        # each run queues the mails of one version
        for _run in range(3):
            self.run_cron()
        days = [trace.schedule_date.day for trace in self.traces()]
        self.assertEqual({day: days.count(day) for day in set(days)}, expected)
        slowed = self.traces().filtered(lambda trace: trace.variant == "B")
        self.assertEqual(expected[2], 12 - len(slowed) + 2)

    def test_dry_run_by_language(self):
        slow = self.make_server(nurture_daily_limit=1)
        self.first.mailing_id.mail_server_id = self.make_server()
        slow.active = True
        lang = self.env["res.lang"]._activate_lang("fr_FR")
        french = self.make_mailing("Bonjour", mail_server_id=slow.id)
        self.first.translation_ids = [(0, 0, {"lang_id": lang.id, "mailing_id": french.id})]
        leads = self.make_leads(5)
        for lead in leads[:3]:
            lead.lang_id = lang
        dry_run = self.env["nurture.dry.run"].create({"sequence_id": self.sequence.id})
        expected = {send.date.day: send.message_count for send in dry_run.send_ids}
        self.assertEqual(expected, {2: 3, 3: 1, 4: 1})

    def test_queries(self):
        """Limits cost a number of queries that does not grow with the batch, whoever waits."""
        self.env.ref("lost_lead_nurture.nurture_provider_google").hourly_limit = 12
        counts = []
        for number in (2, 20):
            for index in range(number):
                self.make_lead(f"lead{number}.{index}@gmail.com")
            self.sequence.action_start()
            self.sequence._enrol()
            traces = self.traces().filtered(lambda one: one.state == "scheduled")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            verdicts = traces._decide()
            counts.append(self.env.cr.sql_log_count - before)
            self.assertEqual(len(verdicts.accept) + len(verdicts.defer), len(traces))
            self.assertTrue(verdicts.defer)
            traces._set_state("processed", "done")
            # somebody is accepted in each
            self.clock += timedelta(hours=1)
        self.assertEqual(counts[0], counts[1])

    def test_bad_input(self):
        for values in ({"hourly_limit": -1}, {"hourly_limit": 10**7}):
            with self.assertRaises(ValidationError):
                self.sequence.write(values)
        answers = self.env["nurture.provider.answer"]
        for values in (
            {"code": "abc"},
            {"code": "4"} | {"action": "hold", "minutes": 0},
            {"phrases": " "},
        ):
            with self.assertRaises(ValidationError):
                answers.create({"name": "Bad", **values})
        with self.assertRaises(ValidationError):
            self.make_server(nurture_hourly_limit=-1)
