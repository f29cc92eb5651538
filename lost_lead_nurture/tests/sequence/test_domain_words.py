"""Domains in the words of the domain editor."""

from odoo.fields import Domain
from odoo.tests import TransactionCase, new_test_user, tagged

from ...tools.domain_words import describe
from ...tools.domains import finds_archived, get_parts

ARCHIVED = ["|", ("active", "=", True), ("active", "=", False)]


@tagged("post_install", "-at_install")
class TestDomainWords(TransactionCase):
    def words(self, *domain, user=None):
        return describe(self.env["crm.lead"].with_user(user or self.env.user), Domain(list(domain)))

    def test_conditions(self):
        stage = self.env["crm.stage"].create({"name": "Offer made"})
        reason = self.env["crm.lost.reason"].create({"name": "Too dear"})
        for condition, words in {
            ("city", "=", "Ghent"): "City = Ghent",
            ("city", "in", ("Ghent", "Bruges")): "City = Ghent or Bruges",
            ("city", "not ilike", "Gh"): "City does not contain Gh",
            ("city", "=ilike", "Gh%"): "City starts with Gh",
            ("city", "=", False): "City is not set",
            ("city", "!=", False): "City is set",
            ("expected_revenue", "=", 0): "Expected Revenue = 0",
            ("expected_revenue", ">=", 1234.5): "Expected Revenue greater or equal to 1,234.50",
            ("days_since_lost", "<=", 365): "Days since Lost lower or equal to 365",
            ("is_blacklisted", "=", False): "Blacklist is not set",
            ("is_blacklisted", "!=", True): "Blacklist is not set",
            ("won_status", "=", "lost"): "Won/Lost = Lost",
            ("stage_id", "not in", (stage.id,)): "Stage not = Offer made",
            ("lost_reason_id", "in", (reason.id, False)): "Lost Reason = Too dear or nothing",
            ("lost_reason_id", "=", 2**30): "(one that you may not see, or that is gone)",
            ("lost_reason_id.name", "=", "Too dear"): "Lost Reason ➔ Description = Too dear",
            ("date_closed", ">", "2026-03-09 09:00:00"): "Closed Date after Mar 9, 2026",
            ("date_deadline", "<", "today -7d"): "Expected Closing before today -7d",
            ("no_such_field", "=", 1): "no_such_field = 1",
        }.items():
            with self.subTest(condition):
                self.assertIn(words, self.words(condition))

    def test_more_than_a_condition(self):
        ghent, rich = ("city", "=", "Ghent"), ("expected_revenue", ">", 10)
        both = "City = Ghent and Expected Revenue greater than 10"
        self.assertEqual(self.words(ghent, rich), both)
        self.assertEqual(self.words(*ARCHIVED, ghent, rich), both)
        self.assertEqual(
            self.words("|", "&", ghent, rich, ("city", "=", "Bruges")),
            f"( {both} ) or City = Bruges",
        )
        self.assertEqual(
            self.words("!", ("partner_id.city", "=", "Ghent")),
            "not ( Contact ➔ City = Ghent )",
        )
        self.assertEqual(
            self.words(("partner_id", "any", [("city", "=", "Ghent")])),
            "Contact matches ( City = Ghent )",
        )
        self.assertEqual(self.words((0, "=", 1)), "nothing matches")

    def test_many_values(self):
        words = self.words(("city", "in", [f"City {number}" for number in range(30)]))
        self.assertIn("City 9 or …", words)
        self.assertNotIn("City 10", words)

    def test_names_that_the_user_may_not_see(self):
        """Nobody learns the name of a record that they may not see."""
        company = self.env["res.company"].create({"name": "Other Company"})
        partner = self.env["res.partner"].create({"name": "Secret", "company_id": company.id})
        user = new_test_user(self.env, "words_marketer", "lost_lead_nurture.group_user")
        condition = ("partner_id", "=", partner.id)
        self.assertEqual(self.words(condition), "Contact = Secret")
        self.assertNotIn("Secret", self.words(condition, user=user))

    def test_parts(self):
        """What lets archived leads be found is none, however it is written."""
        ghent = ("city", "=", "Ghent")
        for archived in (ARCHIVED, [("active", "in", [True, False])]):
            self.assertTrue(finds_archived(Domain(archived)))
            self.assertEqual(get_parts(Domain(archived + [ghent])), [Domain([ghent])])
            self.assertEqual(get_parts(Domain(archived)), [])
        for other in ([("active", "=", True)], [("active", "in", [False])], [ghent]):
            self.assertFalse(finds_archived(Domain(other)))
