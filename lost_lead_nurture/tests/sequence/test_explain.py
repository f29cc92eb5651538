"""Why: each condition of entry with yes or no, and all that was decided inside, in words."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, get_db_name, tagged
from odoo.tools import mute_logger

from ...tools.reasons import EXCLUSION_REASONS
from ..common import ANN, NurtureHttpCase
from ..living import LivingMixin


@tagged("post_install", "-at_install")
class TestExplain(LivingMixin, NurtureHttpCase):
    def explain(self, lead, user=None):
        return self.sequence.with_user(user or self.marketer).explain(lead.id)

    def exclusions(self, lead):
        """What speaks against the lead; whether it really enters has to agree."""
        explanation = self.explain(lead)
        no = [one["reason"] for one in explanation["conditions"] if not one["ok"]]
        self.assertEqual(explanation["enters"], not no)
        if self.sequence.state == "running":
            before = self.participant(lead)
            self.run_cron()
            self.assertEqual(bool(self.participant(lead) - before), not no)
        return no

    def test_each_exclusion_reason_has_its_words(self):
        """A new one without them would not be explained, but fail."""
        reasons = {reason for reason, _label in EXCLUSION_REASONS}
        self.assertLessEqual(reasons, self.sequence._get_condition_labels().keys())

    def test_never_in(self):
        explanation = self.explain(self.ann)
        self.assertFalse(explanation["enters"])
        self.assertEqual(explanation["journeys"], [])
        no = [one["label"] for one in explanation["conditions"] if not one["ok"]]
        self.assertEqual(no, ["The sequence is running"])
        self.sequence.action_start()
        self.assertTrue(self.explain(self.ann)["enters"])

    def test_each_exclusion(self):
        self.sequence.action_start()
        preset = self.env["nurture.preset"].create(
            {"name": "Rich", "extra_domain": "[('expected_revenue', '>', 1000)]"}
        )
        self.sequence.excluded_preset_ids = preset
        self.sequence.exclude_other_sequences = True
        other = self.make_sequence(
            name="Other", domain=repr([("lost_reason_id", "=", self.reason_price.id)])
        )
        self.make_step(other, delay=9, subject="Other")
        other.action_start()
        self.make_lead("other@recipient.example.com", self.reason_price)
        self.run_cron()
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        customer = self.env["res.partner"].create({"name": "C", "email": "c@recipient.example.com"})
        company = self.env["res.company"].create({"name": "Other Company"})
        cases = {
            "not_lost": self.make_lead("open@recipient.example.com", lost=False),
            "company": self.make_lead(
                "far@recipient.example.com", company_id=company.id, team_id=False, user_id=False
            ),
            "no_address": self.make_lead(False),
            "blacklisted": self.make_lead("black@recipient.example.com"),
            "unmatched": self.make_lead("price@recipient.example.com", self.reason_price),
            "inside": self.ann,
            "other_sequence": self.make_lead("other@recipient.example.com"),
            "customer": self.make_lead("c@recipient.example.com"),
            "open_deal": self.make_lead("deal@recipient.example.com"),
            "suppressed": self.make_lead("rich@recipient.example.com", expected_revenue=5000),
            "duplicate": self.make_lead("twin@recipient.example.com"),
            "no_basis": self.make_lead("basis@recipient.example.com"),
        }
        self.env["sale.order"].create(
            {"partner_id": customer.id, "state": "sale", "date_order": self.clock}
        )
        cases["customer"].date_closed = self.clock.replace(year=2025)
        self.make_lead("deal@recipient.example.com", lost=False)
        twin = self.make_lead("twin@recipient.example.com")
        cases["duplicate"].date_closed = self.clock.replace(year=2025)
        # all but one have a basis on which the company writes
        self.company.nurture_basis_interest = True
        for lead in self.env["crm.lead"].search(
            [("active", "in", [True, False]), ("email_normalized", "!=", False)]
        ):
            if lead != cases["no_basis"]:
                lead.nurture_note_basis("interest", "Known for years")
        found = {
            reason: self.explain(lead, reason == "company" and self.env.user)["conditions"]
            for reason, lead in cases.items()
            if reason != "inside"
        }
        # whatever is not lost, or of another company, does not match, either
        also = {"not_lost": {"unmatched"}, "company": {"unmatched"}, "no_address": {"no_basis"}}
        for reason, conditions in found.items():
            no = {one["reason"] for one in conditions if not one["ok"]}
            self.assertEqual(no, {reason} | also.get(reason, set()))
        self.assertTrue(self.explain(twin)["enters"])
        entered = self.sequence.participant_ids.lead_id
        self.run_cron()
        self.assertEqual(self.sequence.participant_ids.lead_id - entered, twin)
        self.assertEqual(self.exclusions(cases["inside"]), ["inside"])

    def test_parts_of_the_filter(self):
        """Which rules do not hold, in the words of the domain editor; of alternatives, that none
        does. As a domain, too, for who reads it by a program."""
        belgium = self.env.ref("base.be")
        self.sequence.domain = repr(
            [
                *self.env["crm.lead"]._nurture_lost_domain(),
                ("expected_revenue", ">", 50),
                ("country_id", "in", belgium.ids),
                *("|", ("city", "=", "Ghent"), ("city", "=", "Bruges")),
            ]
        )
        self.bob.write({"country_id": belgium.id, "city": "Bruges"})
        conditions = {one["reason"]: one for one in self.explain(self.ann)["conditions"]}
        parts = conditions.pop("unmatched")["parts"]
        self.assertEqual(
            parts,
            [
                {
                    "domain": repr([("country_id", "in", belgium.ids)]),
                    "text": "Country = Belgium",
                },
                {
                    "domain": repr(["|", ("city", "=", "Ghent"), ("city", "=", "Bruges")]),
                    "text": "None of these: City = Ghent or City = Bruges",
                },
            ],
        )
        self.assertFalse(any(one["parts"] for one in conditions.values()))
        self.assertFalse(any(one["parts"] for one in self.explain(self.bob)["conditions"]))
        wizards = self.env["nurture.explain"].with_user(self.salesman)
        wizard = wizards.create({"sequence_id": self.sequence.id, "lead_id": self.ann.id})
        self.assertIn("Country = Belgium", wizard.conditions)

    def test_parts_that_look_further(self):
        """They are evaluated as the whole is: with the rights of the author and who asks."""
        self.sequence.with_user(self.marketer).domain = repr(
            [("partner_id.country_id.code", "=", "BE"), ("expected_revenue", "<", 50)]
        )
        self.ann.partner_id = self.env["res.partner"].create(
            {"name": "Ann", "email": ANN, "country_id": self.env.ref("base.be").id}
        )
        for lead, number in ((self.ann, 1), (self.bob, 2)):
            conditions = self.explain(lead)["conditions"]
            (parts,) = [one["parts"] for one in conditions if one["reason"] == "unmatched"]
            texts = [part["text"] for part in parts]
            self.assertEqual(len(texts), number)
            self.assertEqual(texts[-1], "Expected Revenue lower than 50")
        self.assertRegex(texts[0], "➔ Country ➔ .* = BE")

    def test_preset_that_is_excluded(self):
        """Which one chooses it, for who sees presets."""
        preset = self.env["nurture.preset"].create({"name": "Spam"})
        self.sequence.excluded_preset_ids = preset

        def parts(user):
            conditions = self.explain(self.ann, user)["conditions"]
            (found,) = [one["parts"] for one in conditions if one["reason"] == "suppressed"]
            return [part["text"] for part in found]

        self.assertEqual(parts(self.marketer), ["In “Spam”"])
        self.assertEqual(parts(self.salesman), [])

    def test_filter_of_a_step(self):
        """The rule that did not hold then, whatever the filter is by now, in the words of whoever
        looks."""
        partner = self.env["res.partner"].create({"name": "Secret Buyer"})
        self.first.filter_domain = repr(
            [
                *("|", ("city", "=", "Ghent"), ("expected_revenue", ">", 1000)),
                ("partner_id", "in", partner.ids),
            ]
        )
        self.bob.write({"expected_revenue": 5000})
        self.start()
        self.first.filter_domain = "[]"

        def detail(lead, user=None):
            (journey,) = self.explain(lead, user)["journeys"]
            self.assertEqual(journey["steps"][0]["reason"], "filtered")
            return journey["steps"][0]["decisions"][-1]["detail"]

        self.assertEqual(detail(self.bob), "Did not hold: Contact = Secret Buyer")
        self.assertEqual(
            detail(self.ann),
            "Did not hold: Contact = Secret Buyer; "
            "none of these: City = Ghent or Expected Revenue greater than 1,000",
        )
        journey = self.participant(self.ann).with_user(self.marketer)
        reasons = [why for entry in journey.get_timeline()["entries"] for why in entry["why"]]
        self.assertIn("did not hold: Contact = Secret Buyer", reasons)
        self.assertIn("none of these: City = Ghent or Expected Revenue greater than 1,000", reasons)
        # a contact of a company for which the user does not work
        partner.company_id = self.env["res.company"].create({"name": "Other Company"})
        self.env.flush_all()
        self.env.invalidate_all()
        for text in (
            detail(self.bob),
            self.participant(self.bob).with_user(self.salesman).decisions,
        ):
            self.assertIn("one that you may not see", text)
            self.assertNotIn("Secret", text)

    def test_by_hand(self):
        self.sequence.entry = "manual"
        self.sequence.action_start()
        self.assertEqual(self.exclusions(self.ann), ["automatic"])

    def test_on_a_date(self):
        self.sequence.write(
            {
                "entry": "date",
                "entry_field_id": self.env["ir.model.fields"]._get("crm.lead", "date_closed").id,
                "entry_offset": 3,
            }
        )
        self.ann.date_closed = self.clock
        self.sequence.action_start()
        self.assertEqual(self.exclusions(self.ann), ["not_due"])
        self.clock = self.days(3)
        self.assertEqual(self.exclusions(self.ann), [])

    def test_again(self):
        """The words say how often it may enter."""

        def words():
            conditions = self.explain(self.ann)["conditions"]
            return [one["label"] for one in conditions if one["reason"] == "inside"]

        self.assertEqual(words(), ["It has not been in the sequence before"])
        self.sequence.write({"reentry": "days", "reentry_days": 30})
        self.assertEqual(words(), ["It is not in the sequence, nor was it in the last 30 days"])
        self.sequence.reentry = "lost"
        self.assertIn("has been lost again", words()[0])

    def test_inside_and_left(self):
        """What was decided at each step, with date and reason, till it left."""
        second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.start()
        (journey,) = self.explain(self.ann)["journeys"]
        self.assertEqual(
            (journey["state"], journey["exit_reason"], journey["exit_date"]),
            ("running", False, False),
        )
        first, coming = journey["steps"]
        self.assertEqual(
            (first["step"], first["state"], first["reason"]), ("First", "processed", "done")
        )
        self.assertEqual(
            [line["what"].replace("\u202f", " ") for line in first["decisions"]],
            ["Scheduled, for Mar 2, 2026, 9:00 AM", "Processed"],
        )
        self.assertEqual(coming["schedule_date"], "2026-03-09 09:00:00")
        self.assertEqual(
            [(line["date"], line["what"].replace("\u202f", " ")) for line in coming["decisions"]],
            [
                ("2026-03-02 09:00:00", "Waiting"),
                ("2026-03-02 09:00:00", "Scheduled, for Mar 9, 2026, 9:00 AM"),
            ],
        )
        self.clock = self.days(2)
        self.answer(self.mail_to(ANN))
        (journey,) = self.explain(self.ann)["journeys"]
        self.assertEqual((journey["state"], journey["exit_reason"]), ("exited", "replied"))
        self.assertEqual(journey["exit_date"], "2026-03-04 09:00:00")
        self.assertEqual(
            journey["steps"][1]["decisions"][-1]["what"], "Cancelled: The lead left the sequence"
        )
        text = self.participant(self.ann).with_user(self.salesman).decisions
        for words in ("Entered the sequence", "Ended: Replied", "The lead left the sequence"):
            self.assertIn(words, text)
        self.assertIn("The lead left", self.trace(self.ann, second).decisions)

    def test_error_is_shown(self):
        """What went wrong is shown as text, whatever is in it."""
        with self.breaking_mail_of(self.ann):
            self.start()
        decision = self.explain(self.ann)["journeys"][0]["steps"][0]["decisions"][-1]
        self.assertEqual(decision["what"], "Error: The step failed")
        self.assertIn("this lead breaks the template", decision["detail"])
        trace = self.trace(self.ann, self.first)
        trace._fail(ValueError("<script>alert(1)</script>"))
        self.assertNotIn("<script>", self.participant(self.ann).decisions)
        self.assertIn("alert(1)", self.participant(self.ann).decisions)

    def test_over_xmlrpc(self):
        """Without a None, which XML-RPC cannot carry; before, inside and after."""
        self.make_step(self.sequence, "mail_open", self.first, subject="Second")

        def call(lead_id, user=None):
            user = user or self.marketer
            with mute_logger("odoo.http", "odoo.addons.rpc.controllers.xmlrpc"):
                return self.xmlrpc_object.execute_kw(
                    get_db_name(),
                    user.id,
                    user.login,
                    "nurture.sequence",
                    "explain",
                    [self.sequence.id, lead_id],
                )

        self.assertFalse(call(self.ann.id)["enters"])
        self.start()
        self.assertEqual(call(self.ann.id)["journeys"][0]["state"], "running")
        self.participant(self.ann).action_remove()
        explanation = call(self.ann.id, self.salesman)
        self.assertEqual(explanation["journeys"][0]["exit_reason"], "removed")
        self.assertEqual(explanation, self.explain(self.ann, self.salesman))
        with self.assertRaisesRegex(Exception, "There is no such lead"):
            call(self.ann.id + 10**6)

    def test_rights(self):
        """A salesperson asks about own leads, an employee about none."""
        self.start()
        self.assertTrue(self.explain(self.ann, self.salesman)["journeys"])
        others = self.make_lead("others@recipient.example.com", user_id=self.colleague.id)
        for lead, user in ((others, self.salesman), (self.ann, self.employee)):
            with self.assertRaises(AccessError):
                self.explain(lead, user)
        others.unlink()
        with self.assertRaisesRegex(UserError, "no such lead"):
            self.explain(others)
        with self.assertRaisesRegex(UserError, "no id of a record"):
            self.explain(self.env["crm.lead"])

    def test_wizard(self):
        """From the sequence choose a lead, a lost one included; from the lead choose a sequence."""
        self.start()
        wizards = self.env["nurture.explain"].with_user(self.salesman)
        form = Form(
            wizards.with_context(active_model="nurture.sequence", active_id=self.sequence.id)
        )
        self.assertEqual(form.sequence_id, self.sequence)
        self.assertFalse(form.conditions)
        form.lead_id = self.ann.with_user(self.salesman)
        self.assertIn("It has not been in the sequence before", form.conditions)
        self.assertIn("Entered the sequence", form.decisions)
        self.assertFalse(form.enters or form.inside, "it is through")
        form = Form(wizards.with_context(active_model="crm.lead", active_id=self.bob.id))
        self.assertEqual(form.lead_id, self.bob)
        form.sequence_id = self.sequence
        self.assertTrue(form.decisions)

    def test_wizard_held_out(self):
        """Who enters only for comparison is not promised a mail."""
        self.sequence.action_start()
        wizards = self.env["nurture.explain"].with_user(self.salesman)
        wizard = wizards.create({"sequence_id": self.sequence.id, "lead_id": self.ann.id})
        self.assertEqual((wizard.enters, wizard.held_out), (True, False))
        self.sequence.holdout_percent = 99.9999
        self.env.invalidate_all()
        self.assertEqual((wizard.enters, wizard.held_out), (True, True))
