"""The dry run: who would enter and who not, what would be sent when; compared with what then
happens, and nothing written."""

from collections import Counter
from datetime import timedelta

from odoo import sql_db
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged, test_cursor

from ...models.sequence import audience as sequence_audience
from ...wizard import nurture_dry_run
from ..common import ANN, BOB, NurtureHttpCase
from ..living import LivingMixin

#: What a dry run may write.
OWN = {"nurture_dry_run", "nurture_dry_run_line", "nurture_dry_run_send"}


@tagged("post_install", "-at_install")
class TestDryRun(LivingMixin, NurtureHttpCase):
    def dry_run(self):
        """Press the button."""
        action = self.sequence.with_user(self.marketer).action_dry_run()
        return self.env[action["res_model"]].with_user(self.marketer).browse(action["res_id"])

    def opened(self, action):
        """The records that an action shows to the marketer."""
        records = self.env[action["res_model"]].with_user(self.marketer)
        return records.with_context(**action["context"]).search(action["domain"])

    def expected(self, dry_run):
        """``{(day, subject): messages}``"""
        return {(one.date, one.step_id.name): one.message_count for one in dry_run.send_ids}

    def sent(self):
        """What leaves when it runs and nobody reacts, as :meth:`expected`. The clock jumps to
        whatever is due next."""
        self.patch(sql_db.Cursor, "now", lambda _cursor: self.clock)
        self.patch(test_cursor.TestCursor, "now", lambda _cursor: self.clock)
        seen = Counter()
        self.sequence.action_start()
        for _turn in range(1000):
            known = len(self.catcher.messages)
            self.run_cron()
            self.send_mails()
            for mail in self.catcher.messages[known:]:
                seen[self.sequence._get_local_day(self.clock), mail["Subject"]] += 1
            coming = self.env["nurture.trace"].search(
                [("sequence_id", "=", self.sequence.id), ("state", "=", "scheduled")], limit=1
            )
            if not coming:
                return dict(seen)
            self.clock = max(self.clock, coming.schedule_date)
        raise AssertionError(f"{coming} is deferred for ever")

    def make_calendar(self, days, hour_from, hour_to, tz="UTC"):
        return self.env["resource.calendar"].create(
            {
                "name": "Hours",
                "tz": tz,
                "attendance_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {
                                "name": day,
                                "dayofweek": day,
                                "hour_from": hour_from,
                                "hour_to": hour_to,
                            }
                        )
                        for day in days
                    ),
                ],
            }
        )

    def count_rows(self):
        self.env.flush_all()
        counts = {}
        self.env.cr.execute(
            "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY relname"
        )
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = self.env.cr.fetchone()[0]
        return counts

    # ------------------------------------------------------------
    # WHO
    # ------------------------------------------------------------

    def test_who(self):
        """Counts, per reason, are those of the lists behind them and of what really happens."""
        self.env["mail.blacklist"]._add(BOB)
        self.make_lead(False)
        self.make_lead("deal@recipient.example.com")
        self.make_lead("deal@recipient.example.com", self.reason_price, lost=False)
        older = self.make_lead("twin@recipient.example.com")
        older.date_closed = self.clock.replace(year=2025)
        self.make_lead("twin@recipient.example.com")
        self.make_lead("price@recipient.example.com", self.reason_price)
        for number in range(30):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.holdout_percent = 30
        dry_run = self.dry_run()
        lines = {line.reason: line for line in dry_run.line_ids}
        self.assertEqual(
            {reason: line.lead_count for reason, line in lines.items()},
            {"blacklisted": 1, "no_address": 1, "open_deal": 1, "duplicate": 1},
        )
        self.assertEqual(dry_run.excluded_count, 4)
        self.assertEqual(dry_run.entering_count + dry_run.held_out_count, 32)
        self.assertGreater(dry_run.held_out_count, 3)
        self.assertEqual(self.opened(lines["blacklisted"].action_view_leads()), self.bob)
        self.assertEqual(self.opened(lines["duplicate"].action_view_leads()), older)
        entering = self.opened(dry_run.action_view_entering())
        held_out = self.opened(dry_run.action_view_held_out())
        self.assertEqual(len(entering), dry_run.entering_count)
        self.assertEqual(len(held_out), dry_run.held_out_count)
        self.assertEqual(len(self.opened(dry_run.action_view_excluded())), 4)
        self.sequence.action_start()
        self.run_cron()
        journeys = self.sequence.participant_ids.grouped("state")
        self.assertEqual(journeys["holdout"].lead_id, held_out)
        self.assertEqual((self.sequence.participant_ids - journeys["holdout"]).lead_id, entering)

    def test_while_running(self):
        """In a running sequence it is about those who are still to enter."""
        self.start()
        cat = self.make_lead("cat@recipient.example.com")
        dry_run = self.dry_run()
        self.assertEqual(self.opened(dry_run.action_view_entering()), cat)
        self.assertEqual((dry_run.inside_count, dry_run.excluded_count), (2, 0))
        self.assertFalse(dry_run.line_ids, "whoever is inside already is not excluded")
        self.assertEqual(len(self.opened(dry_run.action_view_inside())), 2)
        self.assertEqual(dry_run.message_count, 1)

    def test_nothing_is_written(self):
        self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.dry_run()
        before = self.count_rows()
        touched = {}
        for table in ("crm_lead", "nurture_sequence", "nurture_step", "mailing_mailing"):
            self.env.cr.execute(f"SELECT array_agg(t::text ORDER BY id) FROM {table} t")
            touched[table] = self.env.cr.fetchone()
        dry_run = self.dry_run()
        dry_run.action_view_entering()
        dry_run.action_view_sends()
        self.assertEqual(dry_run.message_count, 4)
        after = self.count_rows()
        changed = {table for table in after if after[table] != before.get(table)}
        self.assertEqual(changed, OWN - {"nurture_dry_run_line"})
        for table, rows in touched.items():
            self.env.cr.execute(f"SELECT array_agg(t::text ORDER BY id) FROM {table} t")
            self.assertEqual(self.env.cr.fetchone(), rows, table)
        self.assertEqual(self.sequence.state, "draft")
        self.assertFalse(self.catcher.messages)

    def test_rights(self):
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).action_dry_run()
        runs = self.env["nurture.dry.run"].with_user(self.salesman)
        with self.assertRaises(AccessError):
            runs.create({"sequence_id": self.sequence.id})

    def test_own_ones(self):
        """Nobody else reads a dry run, and nobody says for whom it is reckoned: it is with all
        rights."""
        dry_run = self.dry_run()
        self.assertTrue(dry_run.send_ids)
        colleague = new_test_user(self.env, "nurture_nosy", "lost_lead_nurture.group_user")
        for records in (dry_run, dry_run.send_ids):
            self.assertFalse(records.with_user(colleague).search([]))
        with self.assertRaises(AccessError):
            dry_run.coming_lead_ids = [1]

    def test_many_leads(self):
        """With many leads it is done bit by bit, and comes to the same."""
        for number in range(8):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.make_lead(False)
        at_once = self.dry_run()
        self.assertEqual(at_once.state, "done")
        self.patch(sequence_audience, "MANY_LEADS", 5)
        self.patch(nurture_dry_run, "SLICE", 4)
        dry_run = self.dry_run()
        self.assertEqual((dry_run.state, dry_run.entering_count), ("counting", 0))
        seen = []
        while dry_run.state != "done":
            dry_run.action_go_on()
            seen.append((dry_run.state, dry_run.entering_count, dry_run.reckoned_count))
        self.assertEqual(
            seen,
            [("reckoning", 10, 0), ("reckoning", 10, 4), ("reckoning", 10, 8), ("done", 10, 10)],
        )
        self.assertEqual(self.expected(dry_run), self.expected(at_once))
        self.assertEqual(dry_run.message_count, at_once.message_count)
        self.assertEqual(dry_run.excluded_count, 1)
        self.assertTrue(dry_run.action_go_on(), "once more does nothing")
        self.assertEqual(dry_run.message_count, at_once.message_count)

    def test_many_leads_rights(self):
        dry_run = self.dry_run()
        with self.assertRaises(AccessError):
            dry_run.with_user(self.salesman).action_go_on()

    def test_form(self):
        """The form and the calendar behind it open."""
        dry_run = self.dry_run()
        form = Form(dry_run)
        self.assertEqual((form.entering_count, form.message_count), (2, 2))
        action = dry_run.action_view_sends()
        self.assertEqual(action["view_mode"].split(",")[0], "calendar")
        (send,) = self.opened(action)
        self.assertEqual(send.display_name, "2 × First")
        for view in action["view_mode"].split(","):
            self.env["nurture.dry.run.send"].with_user(self.marketer).get_view(view_type=view)

    # ------------------------------------------------------------
    # WHEN
    # ------------------------------------------------------------

    def check_forecast(self):
        expected = self.expected(self.dry_run())
        self.maxDiff = None
        self.assertEqual(self.sent(), expected)
        return expected

    def test_when_plain(self):
        """Delays, absences, branches, filters; what waits for a reaction does not come."""
        second = self.make_step(self.sequence, "mail_not_open", self.first, 3, subject="Second")
        self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        self.make_step(self.sequence, "after", second, 1, "weeks", subject="Third")
        self.make_step(
            self.sequence,
            "after",
            self.first,
            2,
            subject="Only Ann",
            filter_domain=repr([("email_from", "=", ANN)]),
        )
        days = {subject: day for day, subject in self.check_forecast()}
        self.assertEqual((days["Third"] - days["First"]).days, 10)
        self.assertNotIn("Opened", days)

    def test_when_hours(self):
        """Sending hours by the recipients' clocks, over a weekend."""
        self.sequence.calendar_id = self.make_calendar("01234", 9, 12)
        self.ann.country_id = self.env.ref("base.jp")
        self.bob.country_id = self.env.ref("base.de")
        self.company.partner_id.tz = "America/New_York"
        for number in range(6):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.clock = self.days(4).replace(hour=13)  # a Friday
        second = self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.make_step(self.sequence, "after", second, 5, subject="Third")
        days = self.check_forecast()
        self.assertEqual(sum(days.values()), 24)
        self.assertTrue(all(day.weekday() < 5 or day.weekday() == 6 for day, _step in days), days)

    def test_when_around_the_clock(self):
        """An opening that spans days spreads what waited; both draw the same share."""
        self.sequence.calendar_id = self.make_calendar("01234", 0, 24)
        self.company.partner_id.tz = "Asia/Tokyo"
        for lead in self.ann | self.bob:
            lead.country_id = self.env.ref("base.de")
        for number in range(12):
            self.make_lead(
                f"lead{number}@recipient.example.com", country_id=self.env.ref("base.de").id
            )
        self.clock = self.days(5)  # a Saturday
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        days = self.check_forecast()
        self.assertGreater(len(days), 2)

    def test_when_cap(self):
        """The cap counts what the address got before, other branches, and defers or skips."""
        other = self.make_sequence(name="Other", domain=repr([("email_from", "=", ANN)]))
        self.make_step(other, subject="Other")
        other.action_start()
        self.advance()
        self.catcher.clear()
        other.action_stop()
        self.clock += timedelta(days=1)
        self.sequence.write({"cap_own": True, "cap_number": 2, "cap_days": 5})
        self.make_step(self.sequence, "after", self.first, 1, subject="Second")
        self.make_step(self.sequence, "after", self.first, 2, subject="Third", over_cap="skip")
        third = self.make_step(self.sequence, "after", self.first, 3, subject="Fourth")
        self.make_step(self.sequence, "after", third, 2, subject="Fifth")
        expected = self.check_forecast()
        self.assertNotIn("Third", [subject for _day, subject in expected])

    def test_when_cap_and_hours(self):
        self.sequence.calendar_id = self.make_calendar("0123", 9, 17)
        self.sequence.write({"cap_own": True, "cap_number": 1, "cap_days": 3})
        for delay in (1, 2, 4):
            self.make_step(self.sequence, "after", self.first, delay, subject=f"After {delay}")
        for number in range(4):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.check_forecast()

    def test_late_for_the_sending_hours(self):
        """Whose turn came just before the hours ended is not deferred day after day."""
        self.sequence.calendar_id = self.make_calendar("01234", 9, 10)
        self.clock = self.days(0).replace(hour=20)
        for number in range(20):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.sequence.action_start()
        for _quarter in range(4 * 24 * 2):
            self.advance(minutes=15)
        self.assertEqual(len(self.catcher.messages), 22)

    def test_when_silent(self):
        """After so many silent mails the last-chance mail comes, and nothing more."""
        self.sequence.write({"silent_limit": 2, "silent_days": 3})
        for delay in (2, 4, 6, 8):
            self.make_step(self.sequence, "after", self.first, delay, subject=f"After {delay}")
        self.make_step(self.sequence, "silent", delay=1, subject="Last Chance")
        days = {subject for _day, subject in self.check_forecast()}
        self.assertEqual(days, {"First", "After 2", "Last Chance"})

    def test_when_restored(self):
        """A step that takes the lead out of the sequence ends what is expected."""
        restore = self.env["nurture.step"].create(
            {
                "sequence_id": self.sequence.id,
                "parent_id": self.first.id,
                "trigger": "after",
                "delay": 3,
                "step_type": "action",
                "action_kind": "restore",
                "name": "Restore",
            }
        )
        self.make_step(self.sequence, "after", restore, 1, subject="After restore")
        self.make_step(self.sequence, "after", self.first, 2, subject="Before")
        self.make_step(self.sequence, "after", self.first, 5, subject="Never")
        days = {subject for _day, subject in self.check_forecast()}
        self.assertEqual(days, {"First", "Before"})

    # ------------------------------------------------------------
    # HOW LONG
    # ------------------------------------------------------------

    def test_constant_queries(self):
        self.sequence.write(
            {
                "cap_own": True,
                "cap_number": 2,
                "calendar_id": self.make_calendar("01234", 9, 17).id,
                "holdout_percent": 10,
            }
        )
        self.make_step(
            self.sequence, "after", self.first, 3, filter_domain="[('expected_revenue', '>', 5)]"
        )
        counts = {}
        for size in (4, 5, 60):  # the first one warms caches
            for number in range(size):
                self.make_lead(f"size{size}-{number}@recipient.example.com")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.dry_run()
            self.env.flush_all()
            counts[size] = self.env.cr.sql_log_count - before
        # one more where somebody is held out, which depends on the id of the sequence
        self.assertLessEqual(counts[60], counts[5] + 1, counts)
