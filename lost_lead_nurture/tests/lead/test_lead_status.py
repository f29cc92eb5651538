"""Where a lead stands in its sequences: on the form, on cards, in lists and filters."""

from ast import literal_eval
from datetime import timedelta

from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..common import ANN, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin

#: What cards, lists and the form read.
CARD = ["nurture_state", "nurture_label"]
FORM = [*CARD, "nurture_status", "nurture_detail", "nurture_next_date"]


@tagged("post_install", "-at_install")
class TestLeadStatus(SecondStepMixin, TwoLeadsMixin, NurtureHttpCase):
    def assertStatus(self, lead, state, status):  # noqa: N802
        lead = lead.with_user(self.salesman)
        self.assertEqual((lead.nurture_state, lead.nurture_status), (state, status))

    def test_in_none(self):
        self.assertStatus(self.ann, False, False)
        self.assertFalse(self.ann.nurture_label or self.ann.nurture_detail)

    def test_running(self):
        """The sequence, and what comes next and when."""
        self.start()
        self.assertStatus(self.ann, "running", "Running")
        self.assertEqual(self.ann.nurture_label, "In nurture: Restock")
        self.assertEqual(self.ann.nurture_next_date, self.clock + timedelta(days=7))
        self.assertIn("Next: “Second” on Mar 9, 2026", self.ann.nurture_detail)

    def test_due_now(self):
        self.sequence.action_start()
        self.sequence.enrol(self.ann.ids)
        self.assertEqual(self.ann.nurture_detail, "Next: “First”, in a moment.")

    def test_in_the_queue(self):
        """What follows a mail is not dated before it has left."""
        self.sequence.action_start()
        self.run_cron()
        self.assertFalse(self.ann.nurture_next_date)
        self.assertEqual(self.ann.nurture_detail, "A mail is about to leave.")

    def test_waiting_for_a_reaction(self):
        self.second.action_archive()
        self.make_step(self.sequence, "mail_click", self.first)
        self.start()
        self.assertRegex(self.ann.nurture_detail, r"^Waits for a reaction, until May 31, 2026")

    def test_failed(self):
        with self.breaking_mail_of(self.ann):
            self.start()
        self.assertEqual(self.ann.nurture_detail, "“First” failed: a marketer has to look at it.")

    def test_stopped(self):
        self.start()
        self.sequence.action_stop()
        self.env.invalidate_all()
        self.assertStatus(self.ann, "running", "Sequence stopped")
        self.assertFalse(self.ann.nurture_next_date)
        self.assertIn("is stopped", self.ann.nurture_detail)

    def test_won_back(self):
        self.start()
        self.answer(self.mail_to(ANN))
        self.assertStatus(self.ann, "won_back", "Replied")
        self.assertEqual(self.ann.nurture_label, "Won back by Restock")
        self.assertEqual(self.ann.nurture_detail, "Replied on Mar 2, 2026.")
        self.assertStatus(self.bob, "running", "Running")

    def test_won_back_and_still_running(self):
        """Who was won back by an answer may be in the branch for answers."""
        reply = self.make_step(self.sequence, "mail_reply", self.first)
        self.make_step(self.sequence, "after", reply, 3)
        self.start()
        self.answer(self.mail_to(ANN))
        self.assertEqual(self.participant(self.ann).state, "running")
        self.assertStatus(self.ann, "won_back", "Running")
        self.assertEqual(self.ann.nurture_detail, "Won back on Mar 2, 2026.")

    def test_lost_again(self):
        """Who was won back and is lost again is not won back."""
        self.start()
        self.answer(self.mail_to(ANN))
        self.ann.action_set_lost(lost_reason_id=self.reason_price.id)
        self.assertStatus(self.ann, "left", "Replied")

    def test_left(self):
        self.start()
        self.bounce(self.mail_to(ANN))
        self.assertStatus(self.ann, "left", "Mail bounced")
        self.participant(self.bob).action_remove()
        self.assertStatus(self.bob, "left", "Removed by hand")

    def test_completed(self):
        self.start()
        self.advance(days=8)
        self.assertStatus(self.ann, "completed", "Went through all steps")

    def test_held_out(self):
        self.start(holdout_percent=99.99)
        self.assertStatus(self.ann, "holdout", "Held out for comparison")

    def test_of_several(self):
        """The journey it is on counts more than a later one that has ended."""
        self.start()
        other = self.make_sequence(name="Other", entry="manual")
        self.make_step(other)
        other.action_start()
        other.enrol(self.ann.ids)
        last = self.participant(self.ann).filtered(lambda journey: journey.sequence_id == other)
        self.assertEqual(self.ann.nurture_label, "In nurture: Other")
        last.action_remove()
        self.assertEqual(self.ann.nurture_label, "In nurture: Restock")
        action = self.ann.with_user(self.salesman).action_view_nurture()
        self.assertFalse(action["res_id"], "both are listed")

    def test_merged(self):
        """The lead that is left shows the journey of the one that is gone."""
        self.start()
        carl = self.make_lead("carl@recipient.example.com")
        (carl | self.ann).with_context(active_test=False).merge_opportunity()
        left = (carl | self.ann).exists()
        self.assertEqual(len(left), 1)
        self.assertStatus(left, "running", "Running")
        self.assertFalse(left.copy().nurture_state, "a copy is another lead")

    def test_remove(self):
        """A marketer takes the lead out; a salesperson does not."""
        self.start()
        with self.assertRaises(AccessError):
            self.ann.with_user(self.salesman).action_nurture_remove()
        self.ann.with_user(self.marketer).action_nurture_remove()
        self.assertStatus(self.ann, "left", "Removed by hand")
        with self.assertRaisesRegex(UserError, "no sequence any more"):
            self.ann.with_user(self.marketer).action_nurture_remove()

    def test_open(self):
        self.start()
        participant = self.participant(self.ann)
        for user in (self.salesman, self.marketer):
            action = self.ann.with_user(user).action_view_nurture()
            self.assertEqual(action["res_id"], participant.id)

    def test_open_unassigned(self):
        """Where nobody may look yet it says so, instead of opening an empty list."""
        self.ann.user_id = False
        self.start()
        self.assertStatus(self.ann, "running", "Running")
        with self.assertRaisesRegex(UserError, "Assign the lead first"):
            self.ann.with_user(self.salesman).action_view_nurture()

    def test_forms(self):
        """Salesperson and marketer open the lead; who may not change it has no such buttons."""
        self.start()
        for user, buttons in ((self.salesman, True), (self.marketer, False)):
            leads = self.env["crm.lead"].with_user(user)
            arch = leads.get_view(self.env.ref("crm.crm_lead_view_form").id, "form")["arch"]
            for name in ("action_restore", "action_set_won_rainbowman"):
                self.assertEqual(f'name="{name}"' in arch, buttons, name)
            self.assertEqual('name="action_nurture_remove"' in arch, not buttons)
            self.assertIn('name="action_view_nurture"', arch)
            form = Form(self.ann.with_user(user), self.env.ref("crm.crm_lead_view_form"))
            self.assertEqual(form.nurture_state, "running")

    def test_lists(self):
        """Who may not lose leads has no button for it in lists either."""
        lost = self.env.ref("crm.crm_lead_lost_action").id
        for user, button in ((self.salesman, True), (self.marketer, False)):
            leads = self.env["crm.lead"].with_user(user)
            for view in ("crm_case_tree_view_leads", "crm_case_tree_view_oppor"):
                arch = leads.get_view(self.env.ref(f"crm.{view}").id, "list")["arch"]
                self.assertEqual(f'name="{lost}"' in arch, button, view)
                self.assertIn('name="nurture_state"', arch)

    def test_constant_queries(self):
        """Forty cards cost as many queries as ten."""
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"lead{number}@recipient.example.com") for number in range(40))
        )
        self.start()
        for fields, known in ((CARD, 6), (FORM, 11)):
            for some in (leads[:10], leads):
                some.with_user(self.salesman).read(fields)  # caches of rights
                self.env.flush_all()
                self.env.invalidate_all()
                with self.assertQueryCount(known):
                    some.with_user(self.salesman).read(fields)


@tagged("post_install", "-at_install")
class TestLeadFilters(NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.sequence = self.make_sequence(entry="manual")
        first = self.make_step(self.sequence, subject="First")
        self.make_step(self.sequence, "after", first, 7)
        self.sequence.action_start()
        emails = ("run", "back", "left", "none")
        self.leads = {
            name: self.make_lead(f"{name}@recipient.example.com", name=name) for name in emails
        }
        inside = [self.leads[name].id for name in ("run", "back", "left")]
        self.sequence.enrol(inside)
        self.advance()
        self.answer(self.mail_to("back@recipient.example.com"))
        self.participant(self.leads["left"]).action_remove()
        self.own = [("id", "in", [lead.id for lead in self.leads.values()])]

    def found(self, domain, user=None):
        leads = self.env["crm.lead"].with_user(user or self.salesman)
        return set(leads.with_context(active_test=False).search(self.own + domain).mapped("name"))

    def test_by_state(self):
        expected = {"running": "run", "won_back": "back", "left": "left", False: "none"}
        for state, name in expected.items():
            for user in (self.salesman, self.marketer):
                self.assertEqual(self.found([("nurture_state", "=", state)], user), {name})
            self.assertEqual(self.leads[name].nurture_state, state)
            self.assertEqual(
                self.found([("nurture_state", "!=", state)]), set(expected.values()) - {name}
            )
        self.assertEqual(self.found([("nurture_state", "in", ["running", False])]), {"run", "none"})
        self.assertEqual(self.found([("nurture_state", "in", [])]), set())
        for nonsense in (5, True, "x"):
            self.assertEqual(self.found([("nurture_state", "=", nonsense)]), set())

    def test_filters_of_the_search_views(self):
        """What the filters say is what is found, archived or not."""
        expected = {
            "filter_in_nurture": {"run"},
            "filter_won_back": {"back"},
            "filter_nurture_possible": {"left", "none"},
        }
        for view in ("view_crm_case_leads_filter", "view_crm_case_opportunities_filter"):
            for user in (self.salesman, self.marketer):
                leads = self.env["crm.lead"].with_user(user)
                arch = leads.get_view(self.env.ref(f"crm.{view}").id, "search")["arch"]
                tree = etree.fromstring(arch)
                for name, names in expected.items():
                    (node,) = tree.xpath(f"//filter[@name='{name}']")
                    context = literal_eval(node.get("context", "{}"))
                    domain = self.own + literal_eval(node.get("domain"))
                    found = leads.with_context(**context).search(domain)
                    self.assertEqual(set(found.mapped("name")), names, name)
                    # as columns of cards count them
                    groups = leads.with_context(**context).web_read_group(
                        domain, ["stage_id"], ["__count"]
                    )["groups"]
                    self.assertEqual(sum(group["__count"] for group in groups), len(names), name)
                self.assertTrue(tree.xpath("//filter[@name='group_nurture_state']"))

    def test_group_by(self):
        leads = self.env["crm.lead"].with_user(self.salesman).with_context(active_test=False)
        self.assertTrue(leads.fields_get(["nurture_state"])["nurture_state"]["groupable"])
        groups = leads._read_group(self.own, ["nurture_state"], ["__count"])
        self.assertEqual(dict(groups), {"running": 1, "won_back": 1, "left": 1, False: 1})
        groups = leads.formatted_read_group(self.own, ["nurture_state", "user_id"], ["__count"])
        for group in groups:
            domain = list(group["__extra_domain"])
            self.assertEqual(len(self.found(domain)), group["__count"])

    def test_who_may_be_nurtured(self):
        """Lost, with an address that may be written to, and nobody writes to it now."""
        make = self.make_lead
        cases = {
            "open": make("open@recipient.example.com", lost=False),
            "nobody": make(False),
            "black": make("black@recipient.example.com"),
            "twin": make("run@recipient.example.com"),
            "silent": make("silent@recipient.example.com"),
            "fresh": make("fresh@recipient.example.com"),
        }
        for name, lead in cases.items():
            lead.name = name
        self.env["mail.blacklist"]._add("black@recipient.example.com")
        self.sequence.enrol(cases["silent"].ids)
        self.participant(cases["silent"])._leave("silent")
        leads = self.env["crm.lead"].union(*cases.values())
        self.own = [("id", "in", leads.ids)]
        self.assertEqual(self.found([("nurture_possible", "=", True)]), {"fresh"})
        self.assertEqual(self.found([("nurture_possible", "=", False)]), set(cases) - {"fresh"})
        self.assertEqual(leads.filtered("nurture_possible"), cases["fresh"])

    def test_nobody_else(self):
        with self.assertRaises(AccessError):
            self.found([("nurture_state", "=", "running")], self.employee)
