"""The filter of a step while it is edited: how many it is for, and which."""

from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.step import audience as step_audience
from ..common import NurtureCase
from ..filters import SECRET, FilterMixin
from ..living import LivingMixin

RICH = "[('expected_revenue', '>', 1000)]"


@tagged("post_install", "-at_install")
class TestStepFilter(LivingMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.bob.expected_revenue = 5000
        # open leads, and lost ones that the sequence does not choose
        self.make_lead("open@recipient.example.com", lost=False, expected_revenue=5000)
        self.make_lead("other@recipient.example.com", self.reason_price, expected_revenue=5000)
        self.step = self.first.with_user(self.marketer)
        self.new = self.step.browse()

    def values(self, domain="[]"):
        return {"sequence_id": self.sequence.id, "filter_domain": domain}

    def ask(self, step, *args):
        """(how many match, of how many, whether these are inside); the list is as long."""
        audience = step.get_filter_audience(*args)
        listed = step.get_filter_audience(*(args or [None]), with_leads=True)["lead_ids"]
        self.assertEqual(len(listed), audience["matching"])
        return audience["matching"], audience["total"], audience["inside"]

    def test_whom_the_sequence_chooses(self):
        """While nobody is inside: not whoever is in CRM. Nothing has to be saved for it."""
        self.assertEqual(self.ask(self.step), (2, 2, False))
        for step in (self.new, self.step):
            self.assertEqual(self.ask(step, self.values()), (2, 2, False))
            self.assertEqual(self.ask(step, self.values(RICH)), (1, 2, False))
        found = self.new.get_filter_audience(self.values(RICH), with_leads=True)
        self.assertEqual(found["lead_ids"], self.bob.ids)
        self.assertEqual(self.step.filter_domain, "[]")

    def test_who_is_inside(self):
        """Those who are there now, archived as they are; not those to come, nor who has left."""
        self.make_step(self.sequence, "after", self.first, 7)
        self.start()
        self.make_lead("late@recipient.example.com", expected_revenue=5000)
        self.assertEqual(self.ask(self.step, self.values()), (2, 2, True))
        self.assertEqual(self.ask(self.new, self.values(RICH)), (1, 2, True))
        self.participant(self.bob).action_remove()
        self.assertEqual(self.ask(self.new, self.values(RICH)), (0, 1, True))
        self.first.filter_domain = RICH
        self.assertEqual(self.ask(self.step), (0, 1, True))

    def test_many(self):
        """What is counted up to a limit says so."""
        with patch.object(step_audience, "MANY_LEADS", 1):
            audience = self.new.get_filter_audience(self.values(), with_leads=True)
        self.assertEqual((audience["matching"], audience["total"]), (1, 1))
        self.assertTrue(audience["matching_capped"] and audience["total_capped"])
        self.assertEqual(len(audience["lead_ids"]), 1)

    def test_errors_are_words(self):
        for domain in ("[('no_such_field', '=', 1)]", "[(", "1"):
            with self.subTest(domain):
                answer = self.new.get_filter_audience(self.values(domain))
                self.assertEqual(answer, {"error": "This filter cannot be used."})
        answer = self.new.get_filter_audience({"filter_domain": "[]"})
        self.assertEqual(answer, {"error": "The step is in no sequence yet."})
        for values in ("[]", {"sequence_id": self.sequence.id, "filter_domain": [1]}):
            answer = self.new.get_filter_audience(values)
            self.assertEqual(answer, {"error": "These are no values of a step."})
        self.assertIn("error", self.new.get_filter_audience({"sequence_id": "x"}))

    def test_rights(self):
        """A salesperson counts own leads, with the filter as it is saved, and tries no other."""
        self.bob.user_id = self.colleague
        self.env.flush_all()
        step = self.first.with_user(self.salesman)
        self.assertEqual(self.ask(step), (1, 1, False))
        new = step.browse()
        for records, values in ((new, self.values()), (new, None), (step, self.values())):
            with self.assertRaises(AccessError):
                records.get_filter_audience(values)


@tagged("post_install", "-at_install")
class TestStepFilterRights(FilterMixin, NurtureCase):
    def test_what_is_not_said(self):
        """Nobody finds out by numbers what they may not see, with whatever values."""
        step = self.step.with_user(self.marketer)

        def ask(number):
            values = {"sequence_id": self.sequence.id, "filter_domain": self.nosy(number)}
            return sum(one.get_filter_audience(values)["matching"] for one in (step, step.browse()))

        self.assertEqual(self.read_bits(ask), 1)

    def test_looked_at_by_less(self):
        """Of a filter that somebody wrote who sees more: what both may find. As it is written
        anew it is one's own."""
        both = self.make_marketer(self.company | self.other)
        self.sequence.write({"company_id": False, "user_id": both.id})
        self.step.with_user(both).filter_domain = self.nosy(SECRET - 1)
        self.assertEqual(self.step.with_user(both).get_filter_audience()["matching"], 1)
        step = self.step.with_user(self.marketer)
        for values in (None, {"filter_domain": self.step.filter_domain}):
            self.assertEqual(step.get_filter_audience(values)["matching"], 0)

    def test_lost_rights(self):
        """The author has left: it says so, until somebody else writes the filter."""
        author = self.make_marketer(self.company)
        self.step.with_user(author).filter_domain = "[('partner_id.country_id.code', '=', 'BE')]"
        author.active = False
        step = self.step.with_user(self.marketer)
        self.assertIn("is not there any more", step.get_filter_audience()["error"])
        values = {"filter_domain": "[('partner_id.country_id.code', 'in', ['BE'])]"}
        self.assertEqual(step.get_filter_audience(values)["matching"], 1)
