"""Sequences for several presets: one after the other, or all at once."""

import gc
import itertools
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common import NOW, NurtureCase


class ProfilesMixin:
    """Two profiles, of builders and of those who are rich; one lead is both."""

    def setUp(self):
        super().setUp()
        presets = self.env["nurture.preset"].with_user(self.marketer)
        self.builders, self.rich = presets.create(
            [
                {"name": "Builders", "extra_domain": "[('city', '=', 'Ghent')]"},
                {"name": "Rich", "extra_domain": "[('expected_revenue', '>', 1000)]"},
            ]
        )
        self.builder = self.make_lead("builder@recipient.example.com", city="Ghent")
        self.both = self.make_lead(
            "both@recipient.example.com", city="Ghent", expected_revenue=5000
        )
        self.owner = self.make_lead("owner@recipient.example.com", expected_revenue=5000)
        self.nobody = self.make_lead("nobody@recipient.example.com")
        self.sequence = self.make_sequence(domain="[]")
        self.first = self.make_step(self.sequence, subject="First")

    def set_profiles(self, *presets, mode="in_turn", days=7, excluded=()):
        """Put the presets into the list, as a marketer does."""
        self.sequence.with_user(self.marketer).write(
            {
                "profile_mode": mode,
                "profile_days": days,
                "profile_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {"preset_id": one.id, "position": place, "excludes": one in excluded}
                        )
                        for place, one in enumerate(presets)
                    ),
                ],
            }
        )

    def by_profile(self):
        """Who has entered by which."""
        return {
            preset: participants.lead_id
            for preset, participants in self.sequence.participant_ids.grouped("profile_id").items()
        }


@tagged("post_install", "-at_install")
class TestProfiles(ProfilesMixin, NurtureCase):
    def test_in_turn(self):
        """The leads of the next one enter some days later; who fits both enters with the first."""
        self.set_profiles(self.builders, self.rich)
        self.start()
        self.assertEqual(self.by_profile(), {self.builders: self.builder | self.both})
        self.advance(days=6)
        self.assertNotIn(self.owner, self.entered())
        self.advance(days=1)
        self.assertEqual(
            self.by_profile(), {self.builders: self.builder | self.both, self.rich: self.owner}
        )

    def test_the_other_way_round(self):
        self.set_profiles(self.rich, self.builders)
        self.start()
        self.assertEqual(self.by_profile(), {self.rich: self.both | self.owner})
        self.advance(days=7)
        self.assertEqual(self.by_profile()[self.builders], self.builder)

    def test_at_once(self):
        self.set_profiles(self.builders, self.rich, mode="at_once")
        self.start()
        self.assertEqual(
            self.by_profile(), {self.builders: self.builder | self.both, self.rich: self.owner}
        )

    def test_time_passes(self):
        """Where all have their turn now, no second that passes meanwhile shuts one out."""
        self.set_profiles(self.builders, self.rich, mode="at_once")
        seconds = itertools.count()
        self.patch(fields.Datetime, "now", lambda *_args: NOW + timedelta(seconds=next(seconds)))
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual((audience["matching"], audience["entering"]), (3, 3))
        self.assertEqual([one["date"] for one in audience["profiles"]], [False, False])

    def test_woken_when_its_turn_comes(self):
        self.set_profiles(self.builders, self.rich)
        with self.capture_triggers(self.cron.id) as captured:
            self.sequence.action_start()
        self.assertIn(NOW + timedelta(days=7), captured.records.mapped("call_at"))

    def test_excluding_line(self):
        """Its leads enter by no other profile either, and it takes no turn."""
        self.set_profiles(self.rich, self.builders, excluded=self.rich)
        self.start()
        self.assertEqual(self.by_profile(), {self.builders: self.builder})
        groups = self.sequence._group_by_exclusion()
        self.assertEqual(groups["suppressed"], self.both.ids)
        why = self.sequence.with_user(self.marketer).explain(self.both.id)
        parts = {one["reason"]: one["parts"] for one in why["conditions"]}
        self.assertEqual([part["text"] for part in parts["suppressed"]], ["In “Rich”"])

    def test_filter_narrows_all(self):
        self.set_profiles(self.builders, self.rich, mode="at_once")
        self.start(domain="[('expected_revenue', '<', 1000)]")
        self.assertEqual(self.entered(), self.builder)

    def test_one_choice_is_as_before(self):
        """A list that is not used is kept, and chooses nobody."""
        self.set_profiles(self.builders, mode="one")
        self.start()
        self.assertEqual(self.entered(), self.builder | self.both | self.owner | self.nobody)
        self.assertFalse(self.sequence.participant_ids.profile_id)

    def test_by_hand(self):
        """Whoever is added by hand enters by no profile, whoever's turn it is."""
        self.set_profiles(self.builders, self.rich)
        self.start()
        self.sequence.enrol(self.owner.ids)
        self.assertFalse(self.participant(self.owner).profile_id)

    def test_two_leads_of_one_address(self):
        """The one enters whose profile comes first, and the other one not afterwards."""
        twin = self.make_lead("owner@recipient.example.com", city="Ghent")
        self.set_profiles(self.builders, self.rich)
        self.start()
        self.advance(days=8)
        self.assertIn(twin, self.entered())
        self.assertNotIn(self.owner, self.entered())

    # ------------------------------------------------------------
    # WHAT IS SAID
    # ------------------------------------------------------------

    def test_audience(self):
        """Who waits for the turn of a profile is no mistake, and each profile says how many."""
        self.set_profiles(self.builders, self.rich)
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual((audience["matching"], audience["entering"]), (3, 2))
        self.assertEqual(
            [(one["reason"], one["count"]) for one in audience["excluded"]], [("not_turn", 1)]
        )
        self.assertEqual(
            [(one["name"], one["date"], one["count"]) for one in audience["profiles"]],
            [("Builders", False, 2), ("Rich", "2026-03-09 09:00:00", 1)],
        )

    def test_number_opens_its_leads(self):
        self.set_profiles(self.builders, self.rich)
        sequence = self.sequence.with_user(self.marketer)
        for preset, leads in ((self.builders, self.builder | self.both), (self.rich, self.owner)):
            action = sequence.action_view_audience(f"profile_{preset.id}")
            self.assertEqual(action["domain"], [("id", "in", sorted(leads.ids))])
        with self.assertRaisesRegex(UserError, "is none of"):
            sequence.action_view_audience("profile_0")

    def test_audience_while_edited(self):
        """Counted as the form has it, which is not saved."""
        new = self.env["nurture.sequence"].with_user(self.marketer)
        values = {
            **{"domain": "[]", "company_id": self.company.id, "profile_mode": "in_turn"},
            **{"profile_days": 3, "profile_ids": [[self.rich.id, False], [self.builders.id, True]]},
        }
        audience = new.get_audience(values)
        self.assertEqual((audience["matching"], audience["entering"]), (2, 1))
        values["profile_ids"].reverse()
        values["profile_ids"] = [[self.builders.id, False], [self.rich.id, False]]
        audience = new.get_audience(values)
        self.assertEqual([one["count"] for one in audience["profiles"]], [2, 1])
        self.assertEqual(audience["profiles"][1]["date"], "2026-03-05 09:00:00")
        for bad in (1, [1], [[1]], [[self.rich.id, 1]], "ab", {}):
            audience = new.get_audience({**values, "profile_ids": bad})
            self.assertIn("These are no values", audience["error"], bad)
        audience = new.get_audience({**values, "profile_ids": [[True, False]]})
        self.assertIn("no id of a record", audience["error"])
        audience = new.get_audience({**values, "profile_days": 0})
        self.assertIn("one day at least", audience["error"])
        self.assertFalse(self.env["nurture.profile"].search([]))

    def test_dry_run(self):
        """Which profile lets in how many, when, and what they are sent then."""
        self.set_profiles(self.builders, self.rich)
        action = self.sequence.with_user(self.marketer).action_dry_run()
        dry_run = self.env["nurture.dry.run"].with_user(self.marketer).browse(action["res_id"])
        self.assertEqual(
            [(one.preset_id, one.date, one.lead_count) for one in dry_run.profile_ids],
            [(self.builders, NOW, 2), (self.rich, NOW + timedelta(days=7), 1)],
        )
        self.assertEqual(
            [(str(send.date), send.message_count) for send in dry_run.send_ids],
            [("2026-03-02", 2), ("2026-03-09", 1)],
        )
        self.assertEqual(dry_run.entering_count, 2)
        opened = dry_run.profile_ids[1].action_view_leads()
        self.assertEqual(opened["domain"], [("id", "in", self.owner.ids)])

    def test_why(self):
        """Which profile it fits, and when that one has its turn."""
        self.set_profiles(self.builders, self.rich)
        self.sequence.action_start()
        sequence = self.sequence.with_user(self.marketer)
        why = sequence.explain(self.owner.id)
        self.assertFalse(why["enters"])
        self.assertEqual(
            why["profile"],
            {"preset_id": self.rich.id, "name": "Rich", "date": "2026-03-09 09:00:00"},
        )
        no = [one for one in why["conditions"] if not one["ok"]]
        self.assertEqual([one["reason"] for one in no], ["not_turn"])
        self.assertEqual(
            no[0]["parts"][0]["text"], "It fits “Rich”, whose turn comes on Mar 9, 2026"
        )
        self.assertEqual(sequence.explain(self.both.id)["profile"]["name"], "Builders")
        why = sequence.explain(self.nobody.id)
        self.assertFalse(why["profile"])
        no = [one for one in why["conditions"] if not one["ok"]]
        self.assertEqual({one["reason"] for one in no}, {"unmatched"})
        texts = [part["text"] for part in no[0]["parts"]]
        self.assertEqual(
            texts,
            [
                "Not in “Builders”: City = Ghent",
                "Not in “Rich”: Expected Revenue greater than 1,000",
            ],
        )

    def test_journey_says_it(self):
        """Also to salespeople, who see no presets."""
        self.set_profiles(self.builders, self.rich)
        self.start()
        journey = self.participant(self.builder).with_user(self.salesman)
        self.assertIn("matched the profile “Builders”", journey._get_decisions()[0][3])
        entry = journey.get_timeline()["entries"][0]
        self.assertIn("matched the profile “Builders”", entry["why"])
        explained = self.sequence.with_user(self.salesman).explain(self.builder.id)
        self.assertEqual(explained["journeys"][0]["profile"], "Builders")
        self.assertEqual(explained["profile"]["name"], "Builders")

    def test_on_the_axis_of_days(self):
        self.set_profiles(self.builders, self.rich, days=5)
        profiles = self.sequence.with_user(self.salesman).workflow["profiles"]
        self.assertEqual(
            [(one["name"], one["day"], one["date"]) for one in profiles],
            [("Builders", 0, False), ("Rich", 5, False)],
        )
        self.sequence.action_start()
        self.env.invalidate_all()
        self.assertEqual(self.sequence.workflow["profiles"][1]["date"], "Mar 7, 2026")

    def test_analysis(self):
        self.set_profiles(self.builders, self.rich, mode="at_once")
        self.start()
        rows = (
            self.env["nurture.report"]
            .with_user(self.marketer)
            ._read_group([("sequence_id", "=", self.sequence.id)], ["profile_id"], ["entered:sum"])
        )
        self.assertEqual(dict(rows), {self.builders: 2, self.rich: 1})
        line = self.sequence.with_user(self.marketer).profile_ids[0]
        self.assertEqual(line.entered_count, 2)
        domain = line.action_view_entered()["domain"]
        participants = self.env["nurture.participant"].with_user(self.marketer)
        self.assertEqual(participants.search_count(domain), 2)

    # ------------------------------------------------------------
    # EDITED WHILE IT RUNS
    # ------------------------------------------------------------

    def test_edited_while_running(self):
        """Who is inside stays where it entered; the others come as the list is now."""
        self.set_profiles(self.builders, self.rich)
        self.start()
        self.make_step(self.sequence, "after", self.first, 30, subject="Second")
        self.assertTrue(self.sequence.is_edited)
        self.sequence.is_edited = False
        lines = self.sequence.profile_ids.with_user(self.marketer)
        lines[0].position, lines[1].position = 9, 1
        self.assertTrue(self.sequence.is_edited)
        self.advance(hours=1)
        self.assertEqual(
            self.by_profile(), {self.builders: self.builder | self.both, self.rich: self.owner}
        )

    def test_preset_edited(self):
        """What a preset chooses is looked up when somebody may enter."""
        self.set_profiles(self.builders)
        self.start()
        self.builders.extra_domain = "[('city', 'in', ('Ghent', False))]"
        self.assertTrue(self.sequence.is_edited)
        self.advance(hours=1)
        self.assertIn(self.nobody, self.entered())

    def test_turns_begin_when_they_are_wanted(self):
        """In a sequence that has run for long nobody's turn has passed."""
        self.set_profiles(self.builders, self.rich, mode="at_once", excluded=self.rich)
        self.start()
        self.advance(days=100)
        self.set_profiles(self.builders, self.rich)
        self.advance(hours=1)
        self.assertNotIn(self.owner, self.entered())
        self.advance(days=7)
        self.assertIn(self.owner, self.entered())

    def test_turns_begin_again(self):
        """Turns that were taken long ago, before there was one choice of leads, are over."""
        self.set_profiles(self.builders)
        self.start()
        nobody = repr([("id", "=", 0)])
        self.sequence.with_user(self.marketer).write({"profile_mode": "one", "domain": nobody})
        self.advance(days=100)
        self.sequence.domain = "[]"
        self.set_profiles(self.builders, self.rich)
        self.advance(hours=1)
        self.assertNotIn(self.owner, self.entered())
        self.advance(days=7)
        self.assertIn(self.owner, self.entered())

    def test_pause(self):
        """Where all dates are moved by a pause, the turns are, too."""
        self.set_profiles(self.builders, self.rich)
        self.start()
        self.sequence.action_stop()
        self.clock += timedelta(days=5)
        self.sequence.action_start("shift")
        self.advance(days=3)
        self.assertNotIn(self.owner, self.entered())
        self.advance(days=4)
        self.assertIn(self.owner, self.entered())

    def test_leave_when_not_matching(self):
        """Of any of the profiles: it is no longer for who is in none."""
        self.set_profiles(self.builders, self.rich)
        self.start(exit_on_unmatched=True)
        self.assertEqual(self.sequence._get_unmatched(), self.sequence.participant_ids.browse())
        self.builder.city = "Bruges"
        self.both.city = "Bruges"
        self.assertEqual(self.sequence._get_unmatched().lead_id, self.builder)

    # ------------------------------------------------------------
    # SET UP
    # ------------------------------------------------------------

    def test_form(self):
        """The preset that was chosen becomes the first profile."""
        with Form(self.env["nurture.sequence"].with_user(self.marketer)) as form:
            form.name = "Two profiles"
            form.preset_id = self.builders
            form.profile_mode = "in_turn"
            self.assertFalse(form.preset_id)
            with form.profile_ids.new() as line:
                line.preset_id = self.rich
        sequence = form.record
        self.assertEqual(sequence.profile_ids.preset_id, self.builders | self.rich)
        lost = self.env["crm.lead"]._nurture_lost_domain()
        self.assertEqual(sequence.domain, repr(lost))
        self.assertEqual(sequence.profile_ids.author_id, self.marketer)

    def test_copied(self):
        """With the sequence, into a template, and from there into the next sequence."""
        self.set_profiles(self.builders, self.rich, excluded=self.rich)
        template = self.sequence.with_user(self.marketer)._save_as_template({})
        new = self.env["nurture.sequence.new"].with_user(self.marketer)
        wizard = new.create({"template_id": template.id})
        self.assertTrue(wizard.keep_domain)
        self.assertEqual(wizard.matching_count, 2)
        self.assertEqual(len(wizard.action_view_leads()["domain"][0][2]), 2)
        sequence = self.env["nurture.sequence"].browse(
            wizard.action_create()["infos"]["sequence_id"]
        )
        self.assertEqual(sequence.profile_mode, "in_turn")
        self.assertEqual(
            [(line.preset_id, line.excludes) for line in sequence.profile_ids],
            [(self.builders, False), (self.rich, True)],
        )
        # whoever chooses other leads has them instead
        wizard = new.create(
            {"template_id": template.id, "keep_domain": False, "audience": "preset"}
        )
        wizard.preset_id = self.rich
        sequence = sequence.browse(wizard.action_create()["infos"]["sequence_id"])
        self.assertEqual((sequence.profile_mode, sequence.preset_id), ("one", self.rich))
        self.assertFalse(sequence.profile_ids)

    def test_problems(self):
        self.set_profiles(self.rich, excluded=self.rich)
        with self.assertRaisesRegex(UserError, "no preset whose leads enter"):
            self.sequence.action_start()
        self.set_profiles(self.rich)
        self.rich.active = False
        with self.assertRaisesRegex(UserError, "“Rich” in its list of profiles is archived"):
            self.sequence.action_start()
        with self.assertRaisesRegex(ValidationError, "one day at least"):
            self.sequence.profile_days = 0
        with self.assertRaisesRegex(UserError, "is, or was, a profile"):
            self.rich.with_user(self.marketer).unlink()

    def test_lines_take_each_others_presets(self):
        """As long as each preset is in the list once in the end."""
        self.set_profiles(self.builders, self.rich)
        first, second = self.sequence.profile_ids
        sequence = self.sequence.with_user(self.marketer)
        sequence.profile_ids = [
            Command.update(first.id, {"preset_id": self.rich.id}),
            Command.update(second.id, {"preset_id": self.builders.id}),
        ]
        self.assertEqual((first.preset_id, second.preset_id), (self.rich, self.builders))
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError):
            sequence.profile_ids = [Command.create({"preset_id": self.rich.id})]

    def test_running_without_profiles(self):
        """The last one is not taken away from a sequence that runs."""
        self.set_profiles(self.builders)
        self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "no preset whose leads enter"):
            self.sequence.profile_ids.with_user(self.marketer).unlink()

    # ------------------------------------------------------------
    # RIGHTS, COMPANIES, COST
    # ------------------------------------------------------------

    def test_rights(self):
        self.set_profiles(self.builders)
        line = self.sequence.profile_ids
        with self.assertRaises(AccessError):
            line.with_user(self.salesman).read(["preset_id"])
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).read(["profile_ids"])
        other = self.env["res.company"].create({"name": "Other Company"})
        foreign = self.env["nurture.preset"].create({"name": "Foreign", "company_id": other.id})
        with self.assertRaises(AccessError):
            self.set_profiles(foreign)
        stranger = self.make_marketer(other)
        lines = self.env["nurture.profile"].with_user(stranger)
        with self.assertRaises(AccessError):
            lines.create({"sequence_id": self.sequence.id, "preset_id": self.rich.id})

    def test_company_changes(self):
        """Neither the preset nor the sequence goes to another company without the other one: who
        works for the sequence would not see its own list."""
        other = self.env["res.company"].create({"name": "Other Company"})
        self.marketer.company_ids += other
        self.set_profiles(self.builders)
        self.sequence.with_user(self.marketer).excluded_preset_ids = self.rich
        for preset in (self.builders, self.rich):
            with self.assertRaisesRegex(ValidationError, "take the preset out there first"):
                preset.with_user(self.marketer).company_id = other
            preset.with_user(self.marketer).company_id = self.company
        with self.assertRaisesRegex(ValidationError, "“Restock” is not for leads of"):
            self.sequence.with_user(self.marketer).company_id = other
        (self.builders | self.rich).company_id = False
        self.sequence.with_user(self.marketer).company_id = other

    def test_author(self):
        """What a profile looks at is what both may see: who wrote the preset, who put it there."""
        nosy = repr([("partner_id.comment", "ilike", "secret")])
        self.builders.with_user(self.env.user).extra_domain = nosy
        self.assertEqual(self.builders.author_id, self.env.user)
        self.set_profiles(self.builders)
        self.sequence.action_start()
        self.assertFalse(self.sequence.rights_problem)
        self.sequence.profile_ids.author_id.active = False
        self.env.invalidate_all()
        self.assertIn("is not there any more", self.sequence.rights_problem)
        other = new_test_user(self.env, "nurture_second", "lost_lead_nurture.group_user")
        self.sequence.with_user(other).action_take_over()
        self.assertEqual(self.sequence.profile_ids.author_id, other)
        self.assertFalse(self.sequence.rights_problem)

    def test_beyond_the_lead(self):
        """Profiles that look at contacts: each finds what its authors may see."""
        contacts = self.env["res.partner"].create(
            [{"name": name, "function": name} for name in ("Baker", "Butcher")]
        )
        for lead, contact in zip((self.builder, self.owner), contacts, strict=True):
            lead.partner_id = contact
        for preset, contact in zip((self.builders, self.rich), contacts, strict=True):
            preset.extra_domain = repr([("partner_id.function", "=", contact.name)])
        self.set_profiles(self.builders, self.rich)
        audience = self.sequence.with_user(self.marketer).get_audience()
        self.assertEqual([one["count"] for one in audience["profiles"]], [1, 1])
        action = self.sequence.with_user(self.marketer).action_view_matching_leads()
        self.assertEqual(set(action["domain"][0][2]), {self.builder.id, self.owner.id})
        self.start()
        self.advance(days=8)
        self.assertEqual(self.by_profile(), {self.builders: self.builder, self.rich: self.owner})

    def test_lost_reason_counts_it(self):
        """A running sequence is for the lost reasons of its profiles, too."""
        self.rich.lost_reason_ids = self.reason_price
        self.set_profiles(self.builders, self.rich)
        self.sequence.action_start()
        reason = self.reason_price.with_user(self.marketer)
        self.assertEqual(reason.nurture_sequence_count, 1)
        sequences = self.env["nurture.sequence"].with_user(self.marketer)
        self.assertEqual(
            sequences.search(reason.action_nurture_sequences()["domain"]), self.sequence
        )
        self.assertEqual(self.sequence.with_user(self.marketer)._say_presets(), "Builders, Rich")

    def test_several_companies(self):
        """Leads of the companies of the sequence only, whatever a profile chooses."""
        other = self.env["res.company"].create({"name": "Other Company"})
        far = self.make_lead(
            "far@recipient.example.com",
            city="Ghent",
            company_id=other.id,
            team_id=False,
            user_id=False,
        )
        self.set_profiles(self.builders)
        self.start()
        self.assertNotIn(far, self.entered())

    def test_one_statement(self):
        """However many leads, and each profile adds none of its own."""

        def count(number, *presets):
            self.set_profiles(*presets, mode="at_once")
            for place in range(number):
                self.make_lead(f"lead{self.made}{place}@recipient.example.com", city="Ghent")
            self.made += 1
            self.env.flush_all()
            self.env.invalidate_all()
            # environments keep the user's time zone until nothing refers to them
            gc.collect()
            before = self.env.cr.sql_log_count
            entered = self.sequence._enrol()
            return len(entered), self.env.cr.sql_log_count - before

        self.made = 0
        self.sequence.action_start()
        count(1, self.builders)
        few = count(2, self.builders, self.rich)
        many = count(30, self.builders, self.rich)
        self.assertEqual((few[0], many[0]), (3, 30))
        self.assertLessEqual(many[1], few[1])

    # ------------------------------------------------------------
    # SILENT CUSTOMERS
    # ------------------------------------------------------------

    def test_silent_customers(self):
        """Those of a profile become leads when it has its turn."""
        silent = self.env["nurture.preset"].create(
            {"name": "Silent", "kind": "customers", "silent_days": 90}
        )
        customer = self.env["res.partner"].create(
            {"name": "Carl", "email": "carl@recipient.example.com"}
        )
        order = self.env["sale.order"].create({"partner_id": customer.id})
        order.write({"state": "sale", "date_order": NOW - timedelta(days=200)})
        with self.assertRaisesRegex(UserError, "may not see orders"):
            self.set_profiles(self.builders, silent)
        self.marketer.group_ids += self.env.ref("sales_team.group_sale_salesman_all_leads")
        self.set_profiles(self.builders, silent)
        self.start()
        leads = self.env["crm.lead"].with_context(active_test=False)
        of_carl = [("partner_id", "=", customer.id)]
        self.assertFalse(leads.search(of_carl))
        self.advance(days=8)
        lead = leads.search(of_carl)
        self.assertEqual(lead.won_status, "lost")
        self.assertEqual(self.participant(lead).profile_id, silent)
