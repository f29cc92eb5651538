"""The audience of a sequence while it is edited: how many would enter, and why the others not."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged

from ...models.sequence import audience as sequence_audience
from ..common import ANN, BOB, NurtureCase


@tagged("post_install", "-at_install")
class TestAudience(NurtureCase):
    def setUp(self):
        super().setUp()
        self.ann = self.make_lead(ANN)
        self.bob = self.make_lead(BOB)
        self.sequence = self.make_sequence().with_user(self.marketer)
        self.new = self.env["nurture.sequence"].with_user(self.marketer)

    def values(self, **values):
        """What the form of a new sequence tells."""
        return {
            "domain": self.sequence.domain,
            "company_id": self.company.id,
            "exclude_other_sequences": False,
            **values,
        }

    def excluded(self, audience):
        return {row["reason"]: row["count"] for row in audience["excluded"]}

    def opened(self, action, user=None):
        """The leads that an action shows."""
        leads = self.env["crm.lead"].with_user(user or self.marketer)
        return leads.with_context(**action["context"]).search(action["domain"])

    def make_order(self, lead, **values):
        partner = self.env["res.partner"].create({"name": "Ann", "email": lead.email_normalized})
        order = self.env["sale.order"].create({"partner_id": partner.id, **values})
        order.write({"state": "sale", "date_order": self.clock})
        return order

    # ------------------------------------------------------------
    # HOW MANY, AND WHY
    # ------------------------------------------------------------

    def test_numbers_open_their_leads(self):
        """Each number is that of the list behind it; a list of who is excluded says why."""
        self.env["mail.blacklist"]._add(BOB)
        nobody = self.make_lead(False)
        older = self.make_lead("twin@recipient.example.com")
        older.date_closed = self.clock.replace(year=2025)
        twin = self.make_lead("twin@recipient.example.com")
        self.make_lead("price@recipient.example.com", self.reason_price)
        audience = self.sequence.get_audience()
        self.assertEqual((audience["matching"], audience["entering"]), (5, 2))
        self.assertEqual(
            audience["excluded"],
            [
                {"reason": "no_address", "label": "No email address", "count": 1},
                {"reason": "blacklisted", "label": "Address blacklisted", "count": 1},
                {
                    "reason": "duplicate",
                    "label": "Another of these leads has the same address",
                    "count": 1,
                },
            ],
        )
        every = self.ann | self.bob | nobody | older | twin
        self.assertEqual(self.opened(self.sequence.action_view_audience("matching")), every)
        entering = self.opened(self.sequence.action_view_audience("entering"))
        self.assertEqual(entering, self.ann | twin)
        for reason, lead in (("no_address", nobody), ("blacklisted", self.bob)):
            self.assertEqual(self.opened(self.sequence.action_view_audience(reason)), lead)
        self.assertEqual(
            {
                lead.id: lead.nurture_exclusion_reason
                for lead in self.opened(self.sequence.action_view_audience("excluded"))
            },
            {
                nobody.id: "No email address",
                self.bob.id: "Address blacklisted",
                older.id: "Another of these leads has the same address",
            },
        )
        # on its own page the twin is not there
        (alone,) = self.opened(self.sequence.action_view_audience("duplicate"))
        self.assertEqual(
            alone.nurture_exclusion_reason, "Another of these leads has the same address"
        )

    def test_what_is_counted_enters(self):
        self.make_lead(False)
        self.make_step(self.sequence.sudo())
        audience = self.sequence.get_audience()
        self.sequence.action_start()
        self.run_cron()
        self.assertEqual(self.sequence.participant_count, audience["entering"])
        after = self.sequence.get_audience()
        self.assertEqual((after["matching"], after["entering"]), (3, 0))
        self.assertEqual(self.excluded(after), {"no_address": 1, "inside": 2})

    def test_unknown_reason(self):
        """What could be given is named as people know it, with the value that is to be given."""
        with self.assertRaises(UserError) as refused:
            self.sequence.action_view_audience("nonsense")
        labels = self.sequence._get_exclusion_labels()
        self.assertIn("“nonsense” is none of: matching; entering; ", str(refused.exception))
        self.assertIn(f"; {labels['no_address']} (no_address); ", str(refused.exception))

    # ------------------------------------------------------------
    # WHILE IT IS EDITED
    # ------------------------------------------------------------

    def test_switches(self):
        """What is edited counts before it is saved, in a new sequence and in one that is there."""
        self.make_order(self.ann)
        self.make_lead(BOB, self.reason_price, lost=False)
        other = self.make_sequence(name="Other")
        self.make_step(other)
        eve = self.make_lead("eve@recipient.example.com")
        other.domain = repr([("id", "=", eve.id)])
        other.action_start()
        other._enrol_matching()
        preset = self.env["nurture.preset"].create(
            {"name": "Eve", "extra_domain": repr([("id", "=", eve.id)])}
        )
        for sequence in (self.new, self.sequence):
            for values, expected in (
                ({}, {"customer": 1, "open_deal": 1}),
                ({"exclude_customers": False}, {"open_deal": 1}),
                ({"exclude_open_deals": False}, {"customer": 1}),
                (
                    {"exclude_other_sequences": True},
                    {"customer": 1, "open_deal": 1, "other_sequence": 1},
                ),
                (
                    {"excluded_preset_ids": preset.ids},
                    {"customer": 1, "open_deal": 1, "suppressed": 1},
                ),
                ({"domain": repr([("id", "=", eve.id)])}, {}),
            ):
                with self.subTest(values=values, sequence=sequence):
                    audience = sequence.get_audience(self.values(**values))
                    self.assertEqual(self.excluded(audience), expected)
        self.env.invalidate_all()
        self.assertTrue(self.sequence.exclude_customers, "nothing of it is kept")

    def test_once_per_lead(self):
        self.make_lead(ANN)
        self.make_lead(False)
        per_address = self.new.get_audience(self.values())
        self.assertEqual(self.excluded(per_address), {"no_address": 1, "duplicate": 1})
        per_lead = self.new.get_audience(self.values(entry_per="lead"))
        self.assertEqual((per_lead["entering"], per_lead["excluded"]), (4, []))

    def test_entry_on_date(self):
        field = self.env["ir.model.fields"]._get("crm.lead", "date_closed")
        dated = self.values(entry="date", entry_field_id=field.id, entry_offset=30)
        self.assertEqual(self.excluded(self.new.get_audience(dated)), {"not_due": 2})
        no_date = self.new.get_audience(self.values(entry="date"))
        self.assertEqual(no_date, {"error": "It does not say on which date leads enter."})

    def test_holdout(self):
        """Who is held out is drawn with the sequence's id: before it has one, it is a guess."""
        for number in range(38):
            self.make_lead(f"lead{number}@recipient.example.com")
        guess = self.new.get_audience(self.values(holdout_percent=25))
        self.assertEqual((guess["held_out"], guess["entering"]), (10, 30))
        self.assertFalse(guess["is_drawn"])
        drawn = self.sequence.get_audience(self.values(holdout_percent=25))
        self.assertTrue(drawn["is_drawn"])
        self.sequence.holdout_percent = 25
        held_out = self.opened(self.sequence.action_view_audience("held_out"))
        self.assertEqual(len(held_out), drawn["held_out"])
        entering = self.opened(self.sequence.action_view_audience("entering"))
        self.assertEqual(len(entering), 40 - len(held_out))

    def test_form_of_a_new_sequence(self):
        """The preset's filter is what is counted."""
        preset = self.env["nurture.preset"].create(
            {"name": "Stock", "lost_reason_ids": self.reason_stock.ids, "lost_max_days": 0}
        )
        form = Form(self.new)
        form.preset_id = preset
        audience = self.new.get_audience({"domain": form.domain})
        self.assertEqual((audience["matching"], audience["entering"]), (2, 2))

    def test_bad_values(self):
        """A clear word, whatever was written."""
        bad_filter = {"error": "The filter cannot be used. Change it, or choose a preset."}
        for domain in ("[", "nonsense", "[('nonsense', '=', 1)]", "[('id', '=', uid)]"):
            self.assertEqual(self.new.get_audience(self.values(domain=domain)), bad_filter, domain)
        for values in (
            {"holdout_percent": 100},
            {"holdout_percent": "much"},
            {"reentry": "days", "reentry_days": 0},
            {"reentry": "days", "reentry_days": 2**31 - 1},
            {"user_id": "somebody"},
            {"company_id": {"name": "Made up"}},
            {"company_id": 0},
            {"entry": "date", "entry_field_id": 0},
            {"excluded_preset_ids": [["a"]]},
            {"excluded_preset_ids": True},
        ):
            self.assertIn("error", self.new.get_audience(self.values(**values)), values)
        for values in ([1], "x", 5):
            self.assertIn("error", self.new.get_audience(values), values)

    # ------------------------------------------------------------
    # MANY LEADS
    # ------------------------------------------------------------

    def test_many_leads(self):
        """Of many leads those are looked at that were lost last."""
        self.bob.date_closed = self.clock.replace(year=2025)
        self.env["mail.blacklist"]._add(BOB)
        with patch.object(sequence_audience, "MANY_LEADS", 2):
            self.assertFalse(self.sequence.get_audience()["is_capped"])
            self.make_lead("eve@recipient.example.com")
            audience = self.sequence.get_audience()
            self.assertTrue(audience["is_capped"])
            self.assertEqual((audience["matching"], audience["entering"]), (2, 2))
            self.assertFalse(audience["excluded"])

    def test_queries_do_not_grow(self):
        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.sequence.get_audience(self.values())
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        for number in range(20):
            self.make_lead(f"lead{number}@recipient.example.com")
        self.env.flush_all()
        self.assertEqual(count(), few)

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_salesperson(self):
        """Salespeople see the numbers of their own leads, of sequences as they are."""
        self.make_lead("other@recipient.example.com", user_id=self.colleague.id)
        self.assertEqual(self.sequence.get_audience()["matching"], 3)
        sequence = self.sequence.with_user(self.salesman)
        self.assertEqual(sequence.get_audience()["matching"], 2)
        self.env["mail.blacklist"]._add(ANN)
        excluded = self.opened(sequence.action_view_audience("excluded"), self.salesman)
        self.assertEqual(excluded, self.ann)
        self.assertEqual(excluded.nurture_exclusion_reason, "Address blacklisted")
        for asked in (sequence, self.new.with_user(self.salesman)):
            with self.assertRaises(AccessError):
                asked.get_audience(self.values())

    def test_others(self):
        employee = self.sequence.with_user(self.employee)
        for call in (employee.get_audience, lambda: employee.action_view_audience("excluded")):
            with self.assertRaises(AccessError):
                call()

    def test_made_up_preset(self):
        """What a preset excludes is counted with all rights: one that nobody has checked would
        tell what the user may not see."""
        nosy = {"name": "Nosy", "extra_domain": "[('user_id.totp_secret', '=', False)]"}
        preset = self.env["nurture.preset"].create({"name": "Checked"})
        for command in (
            Command.create(nosy),
            Command.update(preset.id, nosy),
            Command.set(preset.ids),
        ):
            audience = self.new.get_audience(self.values(excluded_preset_ids=[list(command)]))
            self.assertEqual(audience, {"error": "These are no values of a sequence."})
        preset.company_id = self.env["res.company"].create({"name": "Other Company"})
        with self.assertRaises(AccessError):
            self.new.get_audience(self.values(excluded_preset_ids=preset.ids))

    def test_company_of_the_responsible(self):
        """Without a company leads of those of the responsible's enter: nobody makes somebody
        responsible to get at leads of more companies."""
        other = self.env["res.company"].create({"name": "Other Company"})
        both = self.make_marketer(self.company | other)
        values = self.values(company_id=False, user_id=both.id)
        refusal = "You do not work for Other Company. Choose one of your companies."
        self.assertEqual(self.new.get_audience(values), {"error": refusal})
        with self.assertRaisesRegex(ValidationError, "do not work for Other"):
            self.new.create({"name": "All of them", **values})
        # of a company of one's own anybody may be responsible
        self.new.create({"name": "Mine", **values, "company_id": self.company.id})
        shared = self.env["nurture.sequence"].create({"name": "Shared", **values})
        shared = shared.with_user(self.marketer)
        as_shown = {"company_id": False, "user_id": both.id}
        self.assertEqual(shared.get_audience(as_shown)["matching"], 2)

    def test_lead_of_who_sees_no_sequences(self):
        """Whoever may read leads, as portal users with a bridge of core's do, reads all fields."""
        self.env["ir.model.access"].create(
            {
                "name": "Leads for employees",
                "model_id": self.env["ir.model"]._get_id("crm.lead"),
                "group_id": self.env.ref("base.group_user").id,
                "perm_read": True,
            }
        )
        lead = self.ann.with_user(self.employee).with_context(active_test=False)
        self.assertFalse(lead.read(["nurture_exclusion_reason"])[0]["nurture_exclusion_reason"])
        with self.assertRaises(AccessError):
            lead.with_context(nurture_excluded_from=self.sequence.id).read(
                ["nurture_exclusion_reason"]
            )

    def test_company(self):
        """Only the leads of the user's companies, and of the one that is chosen."""
        other = self.env["res.company"].create({"name": "Other Company"})
        both = self.make_marketer(self.company | other)
        self.make_lead(
            "other@recipient.example.com", company_id=other.id, user_id=False, team_id=False
        )
        new = self.new.with_user(both).with_context(allowed_company_ids=(self.company | other).ids)
        self.assertEqual(new.get_audience(self.values())["matching"], 2)
        self.assertEqual(new.get_audience(self.values(company_id=other.id))["matching"], 1)
        foreign = self.new.get_audience(self.values(company_id=other.id))
        self.assertEqual(
            foreign, {"error": "You do not work for Other Company. Choose one of your companies."}
        )
