"""Replays: a sequence that really ran is played over the same time, and what the engine decides
then is compared with what it decided; nothing is written."""

import random
from datetime import timedelta

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ...wizard import nurture_replay
from ..common import ANN, BOB, NOW, NurtureCase, NurtureHttpCase
from ..replays import ReplayMixin

SEED = 20260309
DAYS = 22
LEADS = 27
#: When the scheduled action runs: hour and minute.
TURNS = ((0, 5), (9, 1), (11, 0), (13, 0), (15, 0), (16, 59))


@tagged("post_install", "-at_install")
class TestReplayed(ReplayMixin, NurtureHttpCase):
    """Weeks in which anything happens to leads."""

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.company.write({"nurture_cap_number": 2, "nurture_cap_days": 7})
        self.sequence = self.make_sequence(
            domain=repr(
                [
                    ("lost_reason_id", "in", (self.reason_stock | self.reason_price).ids),
                    ("days_since_lost", ">=", 2),
                ]
            ),
            calendar_id=self.make_hours().id,
            reentry="lost",
            exclude_open_deals=False,
            exit_on_quotation=False,
            window_days=6,
        )
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 2, subject="Second")
        self.opened = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        self.make_step(self.sequence, "mail_not_click", self.second, 6, subject="No click")
        self.make_step(self.sequence, "after", self.second, 3, subject="Third")
        self.plain = self.make_mailing("A mailing")
        self.leads = [
            self.make_lead(f"lead{n}@recipient.example.com", lost=False) for n in range(LEADS)
        ]
        self.events = []

    def test_same_decisions(self):
        self.plan()
        self.live()
        really = self.read_decisions(self.env, self.sequence)
        kinds = {value[1] for key, value in really.items() if key[0] == "exit"}
        # all of that has happened
        self.assertLessEqual(
            {"won", "blacklisted", "replied", "order", "restored", "finished"}, kinds
        )
        self.assertGreater(len(really), 150)
        mails = len(self.catcher.messages)
        before = self.read_database()
        played = self.play(self.sequence)
        self.assertEqual(self.read_database(), before, "written")
        self.assertEqual(len(self.catcher.messages), mails)
        share, other = self.compare(really, played)
        self.assertGreaterEqual(share, 0.99, other)
        # in parts it is the same
        self.assertEqual(self.compare(played, self.play(self.sequence, parts=3))[1], {})

    # ------------------------------------------------------------
    # WHAT HAPPENS
    # ------------------------------------------------------------

    def plan(self):
        def at(days):
            moment = NOW + timedelta(days=days, minutes=self.random.randint(-600, 800))
            return moment.replace(microsecond=0)

        for number, lead in enumerate(self.leads):
            lost = self.random.uniform(-3, DAYS - 13)
            lost = max(lost, 0.7)
            self.events.append((at(lost), self.lose, lead))
            kind = number % 9
            later = lost + self.random.uniform(3, 12)
            happens = {
                0: self.win,
                1: self.blacklist,
                2: self.restore,
                3: self.order,
                4: self.reply,
                5: self.open,
                6: self.click,
                7: self.mail,
            }
            if kind in happens:
                self.events.append((at(later), happens[kind], lead))
            if kind == 2:
                self.events.append((at(later + 2), self.lose, lead))
            if kind == 7:
                self.events += [(at(lost + days), self.mail, lead) for days in (1, 3, 4)]
        self.events.sort(key=lambda event: event[0])

    def live(self):
        """Let it all happen: the clock goes to whatever is next."""
        self.sequence.action_start()
        self.run_cron()
        midnight = NOW.replace(hour=0)
        turns = [
            midnight + timedelta(days=day, hours=hour, minutes=minute)
            for day in range(DAYS)
            for hour, minute in TURNS
        ]
        for turn in turns:
            while self.events and self.events[0][0] <= turn:
                self.clock, happen, lead = self.events.pop(0)
                happen(lead)
                self.env.flush_all()
            if turn > NOW:
                self.clock = turn
                self.run_cron()
                self.send_mails()
        self.clock += timedelta(seconds=1)

    def lose(self, lead):
        reason = self.random.choice([self.reason_stock, self.reason_price])
        if lead.won_status == "pending":
            lead.action_set_lost(lost_reason_id=reason.id)

    def win(self, lead):
        lead.action_set_won()

    def restore(self, lead):
        if lead.won_status == "lost":
            lead.action_restore()

    def blacklist(self, lead):
        self.env["mail.blacklist"]._add(lead.email_normalized)

    def order(self, lead):
        partner = self.env["res.partner"].create({"name": "Buyer", "email": lead.email_from})
        self.env["sale.order"].create({"partner_id": partner.id, "opportunity_id": lead.id})
        order = self.env["sale.order"].search([("opportunity_id", "=", lead.id)])
        order.action_confirm()

    def mails_of(self, lead):
        return self.env["mailing.trace"].search(
            [
                *(("model", "=", "crm.lead"), ("res_id", "=", lead.id)),
                *(("sent_datetime", "!=", False), ("nurture_trace_id", "!=", False)),
            ],
            order="id desc",
            limit=1,
        )

    def open(self, lead):
        self.mails_of(lead).set_opened()

    def click(self, lead):
        self.mails_of(lead).set_clicked()

    def reply(self, lead):
        self.mails_of(lead).set_replied()

    def mail(self, lead):
        """Email Marketing sends a mailing."""
        self.env["mailing.trace"].create(
            {
                "mass_mailing_id": self.plain.id,
                "model": "crm.lead",
                "res_id": lead.id,
                "email": lead.email_normalized,
                "sent_datetime": self.clock,
                "trace_status": "sent",
            }
        )


@tagged("post_install", "-at_install")
class TestReplay(ReplayMixin, NurtureCase):
    """What a marketer sees of a replay."""

    def setUp(self):
        super().setUp()
        # however slow a computer is
        self.patch(nurture_replay, "PART_SECONDS", 600)
        self.sequence = self.make_sequence()
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 10, subject="Second")

    def lost_on(self, days, email, **values):
        """A lead that was lost so many days before the test."""
        self.clock = NOW - timedelta(days=days)
        lead = self.make_lead(email, **values)
        self.env.flush_all()
        self.clock = NOW
        return lead

    def press(self, **choices):
        """Press Replay, choose, and press it there."""
        sequence = self.sequence.with_user(self.marketer)
        action = sequence.action_replay()
        choose = self.env[action["res_model"]].with_user(self.marketer)
        form = Form(choose.with_context(**action["context"]))
        for name, value in choices.items():
            form[name] = value
        action = form.save().action_replay()
        return self.env[action["res_model"]].with_user(self.marketer).browse(action["res_id"])

    def opened(self, action):
        records = self.env[action["res_model"]].with_user(self.marketer)
        return records.search(action["domain"])

    def test_who_when_what(self):
        old = self.lost_on(100, "old@recipient.example.com")
        ann = self.lost_on(60, ANN, expected_revenue=200.0)
        bob = self.lost_on(40, BOB, expected_revenue=300.0)
        self.lost_on(35, "other@recipient.example.com", reason=self.reason_price)
        self.clock = NOW - timedelta(days=33)
        bob.action_set_won()
        self.env.flush_all()
        self.clock = NOW
        replay = self.press(months=3, assumption="nobody")
        self.assertEqual(replay.state, "done")
        entered = {entry.lead_id: entry.date for entry in replay.entry_ids}
        self.assertEqual(
            {lead: date.date() for lead, date in entered.items()},
            {
                old: replay.since_date.date(),
                ann: (NOW - timedelta(days=60)).date(),
                bob: (NOW - timedelta(days=40)).date(),
            },
        )
        self.assertEqual((replay.entered_count, replay.backlog_count), (3, 1))
        # Bob was won before the second one
        self.assertEqual((replay.mail_count, replay.sms_count), (5, 0))
        left = replay.entry_ids.filtered(lambda entry: entry.lead_id == bob)
        self.assertEqual((left.state, left.exit_reason), ("exited", "won"))
        self.assertEqual((replay.lost_count, replay.back_count, replay.won_count), (2, 1, 1))
        self.assertEqual(replay.back_value, 300.0)
        for kind in ("month", "week"):
            periods = replay.period_ids.filtered(lambda one, kind=kind: one.kind == kind)
            self.assertEqual(sum(periods.mapped("entered_count")), 3)
            self.assertEqual(sum(periods.mapped("mail_count")), 5)
        for name in (
            *("entered", "backlog", "held_out", "mails", "sms", "unsent", "collisions"),
            *("busiest", "lost", "back", "won"),
        ):
            count = {"mails": "mail_count", "collisions": "collision_count"}.get(
                name, f"{name}_count"
            )
            action = getattr(replay, f"action_view_{name}")()
            self.assertEqual(len(self.opened(action)), replay[count], name)
            # phones show cards
            self.assertIn("kanban", action["view_mode"].split(","))
        for period in replay.period_ids:
            self.assertEqual(len(self.opened(period.action_view_entered())), period.entered_count)
            self.assertEqual(len(self.opened(period.action_view_mails())), period.mail_count)
        self.assertIn("nobody opens", replay.notes)
        self.assertIn("those of today", replay.notes)
        # nothing of it has happened
        self.assertEqual(self.sequence.state, "draft")
        self.assertFalse(self.sequence.participant_ids)
        self.assertFalse(self.first.mailing_id.mailing_trace_ids)

    def test_profiles_in_turn(self):
        """Their turns are counted from when the replay begins, in a draft and in a sequence that
        runs."""
        presets = self.env["nurture.preset"].create(
            [
                {"name": city, "extra_domain": repr([("city", "=", city)])}
                for city in ("Ghent", "Bruges")
            ]
        )
        ann = self.lost_on(100, ANN, city="Ghent")
        bob = self.lost_on(100, BOB, city="Bruges")
        self.sequence.write(
            {
                "profile_mode": "in_turn",
                "profile_days": 10,
                "profile_ids": [Command.create({"preset_id": one.id}) for one in presets],
            }
        )
        for start in (False, True):
            if start:
                self.sequence.action_start()
            replay = self.press(months=2, assumption="nobody")
            entered = {one.lead_id: (one.date - replay.since_date).days for one in replay.entry_ids}
            self.assertEqual(entered, {ann: 0, bob: 10})

    def test_nobody(self):
        self.sequence.domain = repr([("id", "=", 0)])
        replay = self.press(months=1)
        self.assertEqual((replay.state, replay.entered_count), ("done", 0))
        self.assertTrue(replay.period_ids)

    def test_reactions(self):
        """By the assumption, and always the same."""
        opened = self.make_step(self.sequence, "mail_open", self.first, 1, subject="Opened")
        for number in range(20):
            self.lost_on(40, f"lead{number}@recipient.example.com")
        # of the mails so far half were opened, after two hours
        self.mail_earlier(self.make_lead("earlier@recipient.example.com", lost=False), 20, 20)
        counted = {}
        for assumption in ("nobody", "rates", "everybody", "rates"):
            replay = self.press(months=2, assumption=assumption)
            mails = replay.message_ids.filtered(lambda one: one.step_id == opened)
            if assumption in counted:
                self.assertEqual(mails.lead_id, counted[assumption])
            counted[assumption] = mails.lead_id
        self.assertFalse(counted["nobody"])
        self.assertEqual(len(counted["everybody"]), 20)
        self.assertTrue(4 <= len(counted["rates"]) <= 16, counted["rates"])
        self.assertIn("50.0%", replay.notes)

    def mail_earlier(self, recipient, opened, unopened):
        """So many mails to the recipient that were opened, after two hours, and that were not."""
        mailing = self.make_mailing("Earlier")
        self.env["mailing.trace"].create(
            [
                {
                    "mass_mailing_id": mailing.id,
                    "model": recipient._name,
                    "res_id": recipient.id,
                    "email": f"earlier{number}@recipient.example.com",
                    "sent_datetime": NOW - timedelta(days=200),
                    "trace_status": "open" if number < opened else "sent",
                    "open_datetime": number < opened and NOW - timedelta(days=200, hours=-2),
                }
                for number in range(opened + unopened)
            ]
        )

    def test_reactions_elsewhere(self):
        """How people react to another company's mails is not known, nor of leads of which nobody
        knows any more whose they were; those of no company are anybody's."""
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = {"company_id": other.id, "team_id": False, "user_id": False, "lost": False}
        contacts = self.env["res.partner"].create(
            [{"name": "Theirs", "company_id": other.id}, {"name": "Anybody's"}]
        )
        gone = self.make_lead("gone@recipient.example.com", lost=False)
        self.mail_earlier(self.make_lead("own@recipient.example.com", lost=False), 1, 1)
        self.mail_earlier(contacts[1], 0, 2)
        for recipient in (self.make_lead(BOB, **foreign), contacts[0], gone):
            self.mail_earlier(recipient, 7, 0)
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM crm_lead WHERE id = %s", [gone.id])
        self.assertIn("25.0% open", self.press(months=1).notes)
        shares = self.env["nurture.replay"].sudo()._get_assumed("rates", other)
        self.assertEqual(shares, [("open", 14 / 16, 7200.0)])

    def test_lost_restored_and_lost_again(self):
        """By what core tracks, where the history of lost reasons knows nothing."""
        self.sequence.reentry = "lost"
        tracking = {"tracking_disable": False, "mail_notrack": False}
        self.clock = NOW - timedelta(days=80)
        lead = self.make_lead(ANN, lost=False).with_context(**tracking)
        self.env.cr.flush()
        for days, act in ((70, "lose"), (50, "restore"), (30, "lose"), (10, "restore")):
            self.clock = NOW - timedelta(days=days)
            if act == "lose":
                lead.action_set_lost(lost_reason_id=self.reason_stock.id)
            else:
                lead.action_unarchive()
            self.env.cr.flush()
            # core dates messages by the real clock
            tracked = lead.message_ids.filtered(lambda one: one.date > NOW)
            self.assertTrue(tracked.tracking_value_ids)
            tracked.date = self.clock
        self.env["nurture.reason.history"].search([("lead_id", "=", lead.id)]).unlink()
        self.clock = NOW
        replay = self.press(months=3, assumption="nobody")
        days = [
            ((NOW - entry.date).days, (NOW - entry.exit_date).days, entry.exit_reason)
            for entry in replay.entry_ids
        ]
        # after the last mail, but still in the attribution window
        self.assertEqual(days, [(70, 50, "restored"), (30, 10, "restored")])

    def test_collisions(self):
        """With another sequence, with mailings, and with the cap."""
        self.company.write({"nurture_cap_number": 1, "nurture_cap_days": 3})
        other = self.make_sequence(name="Other", domain=repr([("email_from", "=", BOB)]))
        self.make_step(other, subject="Other")
        waits = self.make_step(other, "after", other.step_ids, 30, subject="Much later")
        ann = self.lost_on(40, ANN)
        bob = self.lost_on(41, BOB)
        self.clock = NOW - timedelta(days=40, hours=-1)
        other.action_start()
        self.run_cron()
        self.assertEqual(other.participant_ids.lead_id, bob)
        mailing = self.make_mailing("Plain")
        self.env["mailing.trace"].create(
            {
                "mass_mailing_id": mailing.id,
                "model": "crm.lead",
                "res_id": ann.id,
                "email": ANN,
                "sent_datetime": NOW - timedelta(days=31),
                "trace_status": "sent",
            }
        )
        self.env.flush_all()
        self.clock = NOW
        replay = self.press(months=2, assumption="nobody")
        found = {
            (one.lead_id, one.kind, one.with_sequence_id, one.with_mailing_id)
            for one in replay.collision_ids
        }
        none = self.env["mailing.mailing"]
        self.assertIn((ann, "cap", other.browse(), mailing), found)
        self.assertTrue(waits)
        self.sequence.exclude_other_sequences = True
        self.sequence.domain = repr([("days_since_lost", ">=", 5)])
        replay = self.press(months=2, assumption="nobody")
        excluded = {
            (one.lead_id, one.with_sequence_id, one.with_mailing_id)
            for one in replay.collision_ids
            if one.kind == "excluded"
        }
        self.assertEqual(excluded, {(bob, other, none)})
        self.assertNotIn(bob, replay.entry_ids.lead_id)

    def test_collision_elsewhere(self):
        """That somebody is in another company's sequence counts; which one is not shown to who does
        not work there."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.lost_on(20, ANN)
        lead = self.lost_on(
            *(25, ANN), company_id=other.id, team_id=False, user_id=False, name="Theirs"
        )
        theirs = self.make_sequence(name="Theirs", company_id=other.id)
        self.make_step(theirs, "after", self.make_step(theirs, subject="Theirs"), 30)
        self.clock = NOW - timedelta(days=24)
        theirs.action_start()
        self.run_cron()
        self.clock = NOW
        self.assertEqual(theirs.participant_ids.lead_id, lead)
        self.sequence.exclude_other_sequences = False
        replay = self.press(months=1, assumption="nobody")
        inside = replay.collision_ids.filtered(lambda one: one.kind == "inside_other")
        self.assertEqual(len(inside), 1)
        self.assertFalse(inside.with_sequence_id)
        self.marketer.company_ids += other
        replay = self.press(months=1, assumption="nobody")
        inside = replay.collision_ids.filtered(lambda one: one.kind == "inside_other")
        self.assertEqual(inside.sudo().with_sequence_id, theirs)

    def test_part_by_part(self):
        """Of many leads a replay shows how far it is."""
        for number in range(4):
            self.lost_on(50 - 10 * number, f"lead{number}@recipient.example.com")
        whole = self.press(months=2, assumption="nobody")
        self.patch(nurture_replay, "PART_SECONDS", 0.1)
        replay = self.press(months=2, assumption="nobody")
        self.assertEqual((replay.state, replay.entered_count), ("playing", 0))
        self.assertLess(replay.progress, 100)
        for _turn in range(1000):
            if replay.state == "done":
                break
            replay.action_go_on()
        names = ("entered_count", "mail_count", "unsent_count", "busiest_date", "lost_count")
        self.assertEqual([replay[name] for name in names], [whole[name] for name in names])
        self.assertFalse(replay.sudo().kept)

    def test_each_part_gets_on(self):
        """Also where it takes longer than a part until all who were lost before are in."""
        self.lost_on(50, ANN)
        self.patch(nurture_replay, "PART_SECONDS", 0)
        replay = self.press(months=1)
        first = replay.moment
        self.assertGreater(first, replay.since_date)
        replay.action_go_on()
        self.assertGreater(replay.moment, first)

    def test_changed_meanwhile(self):
        """What was played does not fit a sequence that somebody edits: that is said. What the
        engine writes is no change."""
        self.lost_on(50, ANN)
        self.patch(nurture_replay, "PART_SECONDS", 0)
        third = self.make_step(self.sequence, "after", self.second, 1, subject="Third")
        replay = self.press(months=2)
        before = replay.moment
        self.sequence.action_start()
        self.run_cron()
        replay.action_go_on()
        self.assertGreater(replay.moment, before)
        self.sequence.action_stop()
        for edit in (
            lambda: self.second.write({"delay": 11}),
            lambda: self.sequence.write({"window_days": 3}),
            third.unlink,
        ):
            replay = self.press(months=2)
            replay.action_go_on()
            edit()
            for _time in range(2):
                with self.assertRaisesRegex(UserError, "was changed while it was played"):
                    replay.action_go_on()

    def test_over_rpc(self):
        self.lost_on(20, ANN)
        result = self.sequence.with_user(self.marketer).replay(2, "nobody")
        self.assertEqual((result["state"], result["entered_count"]), ("done", 1))
        self.assertEqual((result["mail_count"], result["won_count"]), (2, 0))
        months = [one for one in result["periods"] if one["kind"] == "month"]
        self.assertEqual(sum(one["mail_count"] for one in months), 2)
        self.assertTrue(all(isinstance(note, str) for note in result["notes"]))
        for arguments in ((0,), (25,), ("3",), (3, "luck")):
            with self.assertRaises(UserError):
                self.sequence.replay(*arguments)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_whose(self):
        """It is its maker's, and for who may change the sequence."""
        replay = self.press(months=1)
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).replay(1)
        other = self.make_marketer(self.company)
        with self.assertRaises(AccessError):
            replay.with_user(other).get_result()
        with self.assertRaises(AccessError):
            replay.with_user(self.marketer).write({"entered_count": 9})

    def test_bad_input(self):
        with self.assertRaises(ValidationError):
            self.press(months=25)
        empty = self.make_sequence(name="Empty")
        with self.assertRaisesRegex(UserError, "no step to begin with"):
            empty.replay(1)

    def test_what_writes_is_refused(self):
        """PostgreSQL refuses what an add-on might write in a replay."""
        self.lost_on(20, ANN)
        tags = self.env["crm.tag"]

        def pretend(step, _traces):
            step.env["crm.tag"].create({"name": "Written"})

        self.patch(type(self.first), "_pretend", pretend)
        with mute_logger("odoo.sql_db"), self.assertRaisesRegex(UserError, "cannot be replayed"):
            self.press(months=1)
        self.assertFalse(tags.search([("name", "=", "Written")]))
