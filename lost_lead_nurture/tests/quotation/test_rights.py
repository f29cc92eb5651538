"""Whose rights count for quotations that are shown in mails and made by their links."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..common import NurtureCase
from ..quotations import QuotationMixin


@tagged("post_install", "-at_install")
class TestQuotationRights(QuotationMixin, NurtureCase):
    def setUp(self):
        super().setUp()
        self.make_price_sequence()
        self.cut(self.desk, 80.0)

    def shown_to(self, user):
        """What the placeholder shows to somebody who looks at a mail before it is sent."""
        self.env.invalidate_all()
        lead = self.ann.with_user(user)
        return self.sequence.with_user(user)._offering(lead).nurture_quotation

    def test_placeholder(self):
        """Who may not see the quotation does not see it in a preview; without the sequence whose
        mail it is there is nothing."""
        self.assertIn("Desk (test)", self.shown_to(self.seller))
        self.assertIn("Desk (test)", self.shown_to(self.salesman))
        self.assertFalse(self.shown_to(self.colleague))
        self.assertFalse(self.shown_to(self.marketer))
        self.assertFalse(self.ann.with_user(self.seller).nurture_quotation)
        expressions = self.env["crm.lead"].with_user(self.marketer).mail_allowed_qweb_expressions()
        self.assertIn("object.nurture_quotation", expressions)

    def test_on_the_lead(self):
        self.assertTrue(self.ann.with_user(self.salesman).nurture_refused)
        self.assertFalse(self.ann.with_user(self.colleague).nurture_refused)
        mailer = new_test_user(self.env, "nurture_mailer", "mass_mailing.group_mass_mailing_user")
        with self.assertRaises(AccessError):
            self.ann.with_user(mailer).read(["nurture_refused"])

    def test_kept_prices(self):
        """They are the engine's."""
        self.env["nurture.price"]._work_out(self.refused)
        for user in (self.seller, self.salesman, self.marketer, self.employee):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.env["nurture.price"].with_user(user).search([]).read(["amount"])

    def test_set_up_by_a_marketer(self):
        """Who may make no quotations promises none: the sequence does not start until somebody of
        Sales takes the step over."""
        self.first.sudo().author_id = self.marketer
        with self.assertRaisesRegex(UserError, "may make none"):
            self.sequence.action_start()
        with self.assertRaisesRegex(UserError, "may make none"):
            self.first.with_user(self.marketer).action_take_over()
        self.first.with_user(self.seller).action_take_over()
        self.sequence.action_start()

    def test_text_of_a_marketer(self):
        """Whoever puts the quotation into the text of a mail, or such a mail into a step, answers
        for it, and not who had set the step up; who corrects the text does not."""
        with_it, mailing = self.first.mailing_id.body_html, self.first.mailing_id
        mailing.with_user(self.marketer).body_html = f"{with_it}<p>Soon.</p>"
        self.assertEqual(self.first.author_id, self.seller)
        mailing.body_html = mailing.body_html.replace("nurture_quotation", "contact_name")
        self.assertFalse(self.first.shows_quotation)
        mailing.with_user(self.marketer).body_html = with_it
        self.assertEqual(self.first.author_id, self.marketer)
        self.first.with_user(self.seller).action_take_over()
        other = self.make_mailing("Another", with_it)
        self.first.with_user(self.marketer).mailing_id = other
        self.assertEqual(self.first.author_id, self.marketer)
        self.first.with_user(self.seller).action_take_over()
        version = self.make_mailing("Version", with_it)
        self.env["nurture.variant"].with_user(self.marketer).create(
            {"step_id": self.first.id, "mailing_id": version.id}
        )
        self.assertEqual(self.first.author_id, self.marketer)
        with self.assertRaisesRegex(UserError, "may make none"):
            self.sequence.action_start()

    def test_discount_of_a_marketer(self):
        """Who may make no quotations grants no discount on them, nor changes how large one is that
        somebody of Sales has set up."""
        discount = self.make_step(
            self.sequence, step_type="action", action_kind="discount", mailing_id=False
        )
        discount.sudo().author_id = self.marketer
        with self.assertRaisesRegex(UserError, "may make no quotations"):
            self.sequence.action_start()
        discount.with_user(self.seller).action_take_over()
        self.sequence.action_start()
        sequence = self.sequence.with_user(self.marketer)
        sequence.write({"price_below": 5.0, "fresh_days": 10})
        self.assertEqual(discount.author_id, self.seller)
        sequence.write({"price_below": 15.0})
        self.advance(minutes=5)
        trace = self.trace(self.ann, discount)
        self.assertEqual((trace.state, trace.reason), ("error", "not_allowed"))
        self.assertFalse(self.participant(self.ann).granted_date)

    def test_what_was_asked_for(self):
        """The page leads the customer there: nobody puts a quotation of their own in its place."""
        mine = self.quote(self.ann, (self.lamp, 1), user_id=self.colleague.id)
        self.env.flush_all()
        with self.assertRaises(AccessError):
            mine.with_user(self.colleague).write({"nurture_refused_id": self.refused.id})
        with self.assertRaises(AccessError):
            self.env["sale.order"].with_user(self.colleague).create(
                {"partner_id": self.customer.id, "nurture_refused_id": self.refused.id}
            )

    def test_quotation_that_the_author_does_not_see(self):
        """A lead whose quotation is a colleague's gets no mail that would offer it, and the trace
        names who may not."""
        author = new_test_user(
            self.env,
            "nurture_own",
            "sales_team.group_sale_salesman,lost_lead_nurture.group_user",
        )
        self.first.sudo().author_id = author
        self.sequence.action_start()
        self.advance(minutes=5)
        trace = self.trace(self.ann, self.first)
        self.assertEqual((trace.state, trace.reason), ("error", "not_allowed"))
        self.assertIn("does not see the quotation", trace.detail)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_other_company(self):
        """A marketer of another company steers no sequence of this one, and reads nothing of its
        quotations."""
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.make_marketer(other)
        with self.assertRaises(AccessError):
            self.sequence.with_user(stranger).write({"price_below": 1.0})
        with self.assertRaises(AccessError):
            self.sequence.with_user(stranger).explain(self.ann.id)
        with self.assertRaises(AccessError):
            self.ann.with_user(stranger).read(["nurture_refused"])

    def test_only_words(self):
        """A subject has no place for a table."""
        self.first.mailing_id.subject = "{{object.nurture_quotation}}"
        with self.assertRaisesRegex(UserError, "only words are possible"):
            self.sequence.action_start()

    def test_many_recipients(self):
        """Which quotation is whose is asked once, however many get the mail."""
        leads = self.env["crm.lead"].union(
            *(self.make_lead(f"lead{number}@recipient.example.com") for number in range(12))
        )
        for lead in leads:
            self.quote(lead, (self.desk, 1))

        def count(some):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            found = self.env["sale.order"]._nurture_find_refused(some, self.company)
            self.assertEqual(len(found), len(some))
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(leads[:2]), count(leads[2:]))
