"""Analysis and links: what came of it, in statistics that are right in every group."""

from ast import literal_eval

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ...models.mail.mailing_trace_statistics import STATISTICS
from ..common import NurtureHttpCase

RATES = ("opened_rate:avg", "clicked_rate:avg", "won_back_rate:avg")
SUMS = ("entered:sum", "sent:sum", "opened:sum", "won_back:sum")


@tagged("post_install", "-at_install")
class TestReports(NurtureHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = new_test_user(cls.env, "nurture_manager", "sales_team.group_sale_manager")

    def setUp(self):
        super().setUp()
        self.stock = [self.make_lead(f"stock{number}@recipient.example.com") for number in range(3)]
        self.price = self.make_lead("price@recipient.example.com", reason=self.reason_price)
        self.sequence = self.make_sequence(
            domain=repr([("lost_reason_id", "in", (self.reason_stock | self.reason_price).ids)])
        )
        self.first = self.make_step(self.sequence, subject="First")
        self.second = self.make_step(self.sequence, "after", self.first, 7, subject="Second")
        self.sequence.action_start()
        self.advance()
        self.click(self.mail_to("stock0@recipient.example.com"))
        self.stock[0].action_restore()
        self.advance(days=7)

    def statistics(self, groupby, aggregates, user=None, domain=()):
        self.env.flush_all()
        self.env.invalidate_all()
        report = self.env["nurture.report"].with_user(user or self.marketer)
        rows = report._read_group(
            [("sequence_id", "=", self.sequence.id), *domain],
            [groupby] if groupby else [],
            aggregates,
        )
        if not groupby:
            return rows[0]
        return {row[0]: row[1:] for row in rows}

    def test_by_lost_reason(self):
        rows = self.statistics("lost_reason_id", [*SUMS, *RATES])
        # three of the first mail, two of the second: one was won back
        self.assertEqual(rows[self.reason_stock][:4], (3, 5, 1, 1))
        opened, clicked, won_back = rows[self.reason_stock][4:]
        self.assertAlmostEqual(opened, 100 / 5)
        self.assertAlmostEqual(clicked, 100 / 5)
        self.assertAlmostEqual(won_back, 100 / 3)
        self.assertEqual(rows[self.reason_price], (1, 2, 0, 0, 0, 0, 0))

    def test_total(self):
        """The rate of all is not the average of the rates."""
        self.assertEqual(self.statistics(None, ["won_back_rate:avg"]), (25,))

    def test_by_step(self):
        rows = self.statistics("step_id", ["sent:sum", "won_back:sum", "opened_rate:avg"])
        self.assertEqual(rows[self.first], (4, 1, 25))
        self.assertEqual(rows[self.second], (3, 0, 0))

    def test_by_week(self):
        rows = self.statistics("date:week", ["entered:sum", "sent:sum", "won_back:sum"])
        self.assertEqual(sorted(rows.values()), [(0, 3, 0), (4, 4, 1)])

    def test_by_salesperson(self):
        self.assertEqual(self.statistics("user_id", ["entered:sum"]), {self.salesman: (4,)})

    def test_same_as_the_sequence(self):
        """Each statistic of mails is defined here as it is there."""
        self.answer(self.mail_to("stock1@recipient.example.com", "Second"))
        self.bounce(self.mail_to("stock2@recipient.example.com", "Second"))
        mail = self.mail_to("price@recipient.example.com", "Second")
        self.unsubscribe(mail)
        self.complain(mail)
        counted = self.statistics(None, [f"{name}:sum" for name in (*STATISTICS, "won_back")])
        shown = [self.sequence[f"{name}_count"] for name in (*STATISTICS, "lead")]
        self.assertEqual(list(counted), shown)
        self.assertTrue(all(counted), "each of them happened")

    def test_held_out_do_not_count(self):
        """Who is not written to cannot be won back by it."""
        participant = self.participant(self.price)
        self.env.cr.execute(
            "UPDATE nurture_participant SET state = 'holdout' WHERE id = %s", [participant.id]
        )
        won_back, entered = self.statistics(None, ["won_back_rate:avg", "entered:sum"])
        self.assertAlmostEqual(won_back, 100 / 3)
        self.assertEqual(entered, 4)

    def test_records(self):
        """Each thing that happened is one record, and leads to its participant."""
        self.env.flush_all()
        report = self.env["nurture.report"].with_user(self.marketer)
        records = report.search([("sequence_id", "=", self.sequence.id)])
        self.assertEqual(len(records), 4 + 7 + 1)
        won_back = records.filtered("won_back")
        self.assertEqual(won_back.step_id, self.first)
        action = won_back.action_open()
        self.assertEqual(action["res_id"], self.participant(self.stock[0]).id)

    def test_rights(self):
        entered = ["entered:sum"]
        self.assertEqual(self.statistics(None, entered, self.manager), (4,))
        for user in (self.salesman, self.employee):
            with self.assertRaises(AccessError):
                self.statistics(None, entered, user)

    def test_companies(self):
        company = self.env["res.company"].create({"name": "Other Company"})
        stranger = self.make_marketer(company)
        self.env.flush_all()
        for model in ("nurture.report", "nurture.coming"):
            records = self.env[model].with_user(stranger).search([])
            self.assertFalse(records.filtered(lambda one: one.sudo().sequence_id == self.sequence))
        mailings = self.sequence._get_mailings()
        self.assertFalse(mailings & self.all_links(stranger).mass_mailing_id)
        self.assertTrue(mailings & self.all_links(self.marketer).mass_mailing_id)

    def test_links(self):
        message = self.mail_to("stock1@recipient.example.com", "First")
        self.click(message)
        self.advance(hours=1)
        self.click(message)
        scanned = self.links_of(self.mail_to("stock2@recipient.example.com", "Second"))[0]
        self._get(scanned, user_agent="curl/8.5.0")
        self.believe()
        action = self.sequence.with_user(self.marketer).action_view_links()
        links = self.env["link.tracker"].with_user(self.marketer).search(action["domain"])
        link = links.filtered(lambda one: one.mass_mailing_id == self.first.mailing_id)
        self.assertEqual((link.count, link.nurture_unique_clicks), (3, 2))
        other = links.filtered(lambda one: one.mass_mailing_id == self.second.mailing_id)
        self.assertEqual((other.count, other.nurture_unique_clicks), (0, 0))
        link.mass_mailing_id.subject = "{{object.contact_name ||| Dear customer}}, it is back"
        self.assertEqual(link.nurture_mail, "Dear customer, it is back")
        action = link.action_view_nurture_clicks()
        clicks = self.env["link.tracker.click"].with_user(self.marketer).search(action["domain"])
        self.assertEqual(len(clicks), 3)
        self.assertEqual(clicks.nurture_participant_id.lead_id, self.stock[0] | self.stock[1])
        self.assertLessEqual(links, self.all_links(self.marketer))

    def all_links(self, user):
        """What the menu shows."""
        action = self.env.ref("lost_lead_nurture.nurture_link_tracker_action")
        trackers = self.env[action.res_model].with_user(user)
        return trackers.with_context(**literal_eval(action.context)).search(
            literal_eval(action.domain)
        )

    def test_links_are_not_for_everybody(self):
        """Whoever reads clicks in core does not learn of our leads."""
        self.assertNotIn(
            "nurture_participant_id",
            self.env["link.tracker.click"].with_user(self.employee).fields_get(),
        )
        with self.assertRaises(AccessError):
            self.sequence.with_user(self.salesman).action_view_links()
