"""When messages go: sending hours by the recipient's clock, the frequency cap."""

from datetime import datetime, timedelta

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..common import ANN, BOB, NOW, NurtureHttpCase
from ..timing import TimingMixin


@tagged("post_install", "-at_install")
class TestSendingHours(TimingMixin, NurtureHttpCase):
    """NOW is Monday 2 March 2026, 9:00 UTC."""

    def test_deferred_to_the_hours(self):
        """What falls due outside waits for the next opening, says so, and leaves then."""
        lead = self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((14, 16))
        self.sequence.action_start()
        self.advance()
        self.assertFalse(self.catcher.messages)
        trace = self.trace(lead, self.first)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "sending_hours"))
        self.assertTrue(
            NOW.replace(hour=14) <= trace.schedule_date < NOW.replace(hour=16), trace.schedule_date
        )
        self.assertIn("Deferred to the sending hours", trace.decisions)
        self.pass_by_the_cron(hours=7)
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual(trace.state, "processed")

    def test_open_now(self):
        self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((8, 10))
        self.sequence.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 1)

    def test_spread(self):
        """What waited is spread over the hours, not poured out in their first minute."""
        for number in range(40):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.calendar_id = self.make_hours((10, 14))
        self.sequence.action_start()
        self.advance()
        due = self.sequence.participant_ids.trace_ids.mapped("schedule_date")
        hours = [moment.hour for moment in due]
        self.assertEqual(set(hours), {10, 11, 12, 13})
        self.assertLess(max(map(hours.count, set(hours))), 20)
        self.pass_by_the_cron(hours=2, minutes=30)
        sent = len(self.catcher.messages)
        self.assertTrue(5 <= sent <= 30, sent)
        self.pass_by_the_cron(hours=2, minutes=30)
        self.assertEqual(len(self.catcher.messages), 40)

    def test_zone_of_the_contact(self):
        """Ten in the morning is ten on the recipient's clock."""
        tokyo = self.make_contact(tz="Asia/Tokyo")
        paris = self.make_contact(email=BOB, tz="Europe/Paris")
        in_tokyo = self.make_lead(ANN, partner_id=tokyo.id)
        in_paris = self.make_lead(BOB, partner_id=paris.id)
        self.sequence.calendar_id = self.make_hours((10, 11))
        self.sequence.action_start()
        self.advance()
        # 9:00 UTC is 10:00 in Paris, and 18:00 in Tokyo
        self.assertEqual(len(self.mails_to(BOB)), 1)
        self.assertEqual(self.trace(in_paris, self.first).state, "processed")
        self.assertEqual(
            self.trace(in_tokyo, self.first).schedule_date.replace(minute=0, second=0),
            datetime(2026, 3, 3, 1),
        )

    def test_zone_of_the_country(self):
        """Without one of the contact it is that of a country with one clock, else the company's."""
        self.company.partner_id.tz = "America/New_York"
        japan = self.make_lead(ANN, country_id=self.env.ref("base.jp").id)
        brazil = self.make_lead(BOB, country_id=self.env.ref("base.br").id)
        self.sequence.calendar_id = self.make_hours((10, 11))
        self.sequence.action_start()
        self.advance()
        due = {
            lead: self.trace(lead, self.first).schedule_date.replace(minute=0, second=0)
            for lead in (japan, brazil)
        }
        self.assertEqual(due, {japan: datetime(2026, 3, 3, 1), brazil: datetime(2026, 3, 2, 15)})

    def test_over_midnight(self):
        self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((22, 24), (0, 2))
        self.sequence.action_start()
        self.advance()
        trace = self.sequence.participant_ids.trace_ids
        self.assertTrue(
            NOW.replace(hour=22) <= trace.schedule_date < datetime(2026, 3, 3, 2),
            trace.schedule_date,
        )

    def test_daylight_saving(self):
        """In New York the clock goes forward on 8 March 2026: nine o'clock is an hour earlier."""
        self.company.partner_id.tz = "America/New_York"
        lead = self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((9, 10))
        for day, hour in ((7, 14), (8, 13)):
            self.clock = datetime(2026, 3, day, 5)
            self.sequence.participant_ids.sudo().unlink()
            self.sequence.action_start()
            self.advance()
            self.assertEqual(
                self.trace(lead, self.first).schedule_date.replace(minute=0, second=0),
                datetime(2026, 3, day, hour),
            )

    def test_days_off(self):
        """Days off count by the recipient's clock, wherever that is."""
        hours = self.make_hours((8, 18), days=range(5), tz="Europe/Paris")
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Closed on Tuesday",
                "calendar_id": hours.id,
                "company_id": False,
                # the whole of 3 March in Paris
                "date_from": datetime(2026, 3, 2, 23),
                "date_to": datetime(2026, 3, 3, 22, 59, 59),
            }
        )
        tokyo = self.make_contact(tz="Asia/Tokyo")
        lead = self.make_lead(ANN, partner_id=tokyo.id)
        self.sequence.calendar_id = hours
        self.clock = datetime(2026, 3, 2, 16)  # one in the morning of 3 March in Tokyo
        self.sequence.action_start()
        self.advance()
        due = self.trace(lead, self.first).schedule_date
        self.assertEqual((due + timedelta(hours=9)).date(), datetime(2026, 3, 4).date())

    def test_actions_do_not_wait(self):
        """Hours are for what reaches the lead."""
        lead = self.make_lead(ANN)
        step = self.make_step(
            self.sequence,
            step_type="action",
            action_kind="priority",
            priority="2",
            mailing_id=False,
        )
        self.sequence.calendar_id = self.make_hours((14, 16))
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.trace(lead, step).state, "processed")
        self.assertEqual(lead.priority, "2")

    def test_never_open(self):
        self.sequence.calendar_id = self.make_hours()
        with self.assertRaisesRegex(UserError, "are never open"):
            self.sequence.action_start()

    def test_run_now(self):
        """Somebody who says now means now."""
        lead = self.make_lead(ANN)
        self.sequence.calendar_id = self.make_hours((14, 16))
        self.sequence.action_start()
        self.advance()
        done = self.trace(lead, self.first).with_user(self.marketer).action_run_now()
        self.assertEqual(done, {"done": 1, "deferred": False})
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN)), 1)


@tagged("post_install", "-at_install")
class TestBounces(TimingMixin, NurtureHttpCase):
    def send_and_bounce(self, sent, bounced):
        for number in range(sent):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()
        self.advance()
        for message in self.catcher.messages[:bounced]:
            self.bounce(message)

    def test_spike(self):
        """Too many bounces stop the sequence, and its responsible is notified."""
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.send_and_bounce(50, 6)
        self.assertEqual(self.sequence.state, "stopped")
        self.assertIn("6 of the last 50 mails bounced", self.sequence.last_error)
        self.assertEqual(self.sequence.activity_ids.user_id, self.marketer)
        self.advance(days=2)
        self.assertFalse([m for m in self.catcher.messages if m["Subject"] == "Second"])
        # whoever starts it again wants it to go on
        self.sequence.action_start()
        self.advance(days=3)
        self.assertEqual(self.sequence.state, "running")
        self.assertFalse(self.sequence.last_error)

    def test_a_few(self):
        self.send_and_bounce(50, 5)
        self.assertEqual(self.sequence.state, "running")

    def test_few_mails_say_little(self):
        self.send_and_bounce(10, 3)
        self.assertEqual(self.sequence.state, "running")

    def test_switched_off(self):
        self.sequence.bounce_limit = 0
        self.send_and_bounce(50, 10)
        self.assertEqual(self.sequence.state, "running")


@tagged("post_install", "-at_install")
class TestFrequencyCap(TimingMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.company.write({"nurture_cap_number": 1, "nurture_cap_days": 7})
        self.other = self.make_sequence(name="Other")
        self.second = self.make_step(self.other, "begin", delay=1, subject="Second")

    def start(self):
        (self.sequence | self.other).action_start()
        self.advance()
        self.advance(days=1)

    def test_defer(self):
        """Over the cap it waits until the oldest message is long enough ago."""
        lead = self.make_lead(ANN)
        self.start()
        trace = self.trace(lead, self.second)
        self.assertEqual((trace.state, trace.reason), ("scheduled", "cap"))
        self.assertEqual(trace.schedule_date, NOW + timedelta(days=7))
        self.advance(days=5)
        self.assertFalse(self.mails_to(ANN, "Second"))
        self.advance(days=1)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_skip(self):
        """… or is skipped, where the step says so, with the reason shown."""
        self.second.over_cap = "skip"
        after = self.make_step(self.other, "after", self.second, 1)
        lead = self.make_lead(ANN)
        self.start()
        trace = self.trace(lead, self.second)
        self.assertEqual((trace.state, trace.reason), ("rejected", "cap"))
        self.assertFalse(self.trace(lead, after))

    def test_plain_mailings_count(self):
        """A mailing of Email Marketing is marketing, too; other addresses do not count."""
        lead = self.make_lead(ANN)
        self.make_lead(BOB)
        mailing = self.make_mailing(
            "Newsletter", mailing_domain=repr([("id", "=", lead.id), ("active", "=", False)])
        )
        mailing._action_send_mail()
        self.send_mails()
        self.assertEqual(len(self.mails_to(ANN, "Newsletter")), 1)
        self.sequence.action_start()
        self.advance()
        self.assertEqual(self.trace(lead, self.first).reason, "cap")
        self.assertEqual(len(self.mails_to(BOB, "First")), 1)

    def test_queued_mails_count(self):
        """Two steps that fall due in the same minute are two messages."""
        self.second.delay = 0
        self.make_lead(ANN)
        (self.sequence | self.other).action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN)), 2)

    def test_two_leads_in_one_batch(self):
        """An address that is in a batch twice gets the second message when it may."""
        self.sequence.entry_per = "lead"
        for number in range(2):
            self.make_lead(ANN, name=f"Desk {number}")
        self.first.mailing_id.subject = "About {{object.name}}"
        self.sequence.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 1)
        self.assertEqual(
            sorted(self.sequence.participant_ids.trace_ids.mapped("state")),
            ["processed", "scheduled"],
        )
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN)), 2)

    def test_as_many_as_it_may_get(self):
        """Of three messages in a batch an address gets as many as the cap says, no fewer."""
        self.company.nurture_cap_number = 2
        self.sequence.entry_per = "lead"
        for number in range(3):
            self.make_lead(ANN, name=f"Desk {number}")
        self.first.mailing_id.subject = "About {{object.name}}"
        self.sequence.action_start()
        self.advance()
        self.assertEqual(len(self.mails_to(ANN)), 2)
        self.advance(days=7)
        self.assertEqual(len(self.mails_to(ANN)), 3)

    def test_own_cap(self):
        """A sequence may have its own cap, for instance none."""
        self.other.write({"cap_own": True, "cap_number": 0})
        self.make_lead(ANN)
        self.start()
        self.assertEqual(len(self.mails_to(ANN)), 2)

    def test_cap_and_hours(self):
        """A message has to meet both."""
        self.other.calendar_id = self.make_hours((20, 22))
        lead = self.make_lead(ANN)
        self.start()
        trace = self.trace(lead, self.second)
        self.assertEqual((trace.reason, trace.schedule_date.hour // 2), ("sending_hours", 10))
        self.pass_by_the_cron(hours=13)
        self.assertEqual((trace.reason, trace.schedule_date), ("cap", NOW + timedelta(days=7)))
        self.clock = NOW + timedelta(days=7)
        self.advance()
        self.assertEqual((trace.reason, trace.schedule_date.hour // 2), ("sending_hours", 10))
        self.pass_by_the_cron(hours=13)
        self.assertEqual(len(self.mails_to(ANN, "Second")), 1)

    def test_bad_numbers(self):
        with self.assertRaisesRegex(ValidationError, "not negative"):
            self.company.nurture_cap_number = -1
        with self.assertRaisesRegex(ValidationError, "one day or more"):
            self.sequence.cap_days = 0

    def test_settings(self):
        settings = self.env["res.config.settings"].create({"nurture_cap_number": 4})
        settings.execute()
        self.assertEqual(self.company.nurture_cap_number, 4)

    def test_constant_queries(self):
        """Hours and cap cost a batch the same, however many are in it."""
        self.sequence.calendar_id = self.make_hours((8, 18))
        self.env["ir.config_parameter"].set_param("mail.batch_size", "100")
        costs = []
        for size in (3, 30):
            for number in range(size):
                self.make_lead(f"lead{size}.{number}@recipient.example.com")
            if self.sequence.state == "draft":
                self.sequence.action_start()
            self.sequence._enrol_matching()
            traces = self.env["nurture.trace"]._claim(self.first, 100)
            self.assertEqual(len(traces), size)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            traces._decide()
            costs.append(self.env.cr.sql_log_count - before)
            traces._set_state("cancelled", "by_hand")
        self.assertEqual(*costs)
