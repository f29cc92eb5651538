"""The funnel, the hours and the months lost: every number opens the records that it counts."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import ANN, BOB, DealMixin, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin


@tagged("post_install", "-at_install")
class TestPages(SecondStepMixin, DealMixin, TwoLeadsMixin, NurtureHttpCase):
    def page(self, method, *arguments):
        self.env["nurture.outcome"]._catch_up()
        self.env.invalidate_all()
        return getattr(self.env["nurture.report"].with_user(self.marketer), method)(*arguments)

    def found(self, domain):
        return self.env["nurture.report"].with_user(self.marketer).search(domain)

    def test_funnel(self):
        """Each stage counts participants once, and opens them."""
        self.start()
        self.click(self.mail_to(ANN))
        self.advance(days=7)
        self.read_mail(self.mail_to(BOB, "Second"))
        self.pay(self.invoice(self.order(self.ann)))
        stages = self.page("get_funnel", self.sequence.id)["stages"]
        counts = {stage["name"]: stage["count"] for stage in stages}
        self.assertEqual(
            list(counts.values()),
            [2, 2, 2, 2, 1, 0, 1, 1, 1, 1],
            counts,
        )
        for stage in stages:
            with self.subTest(stage["name"]):
                found = self.found(stage["domain"])
                self.assertEqual(len(found.participant_id), stage["count"])
                self.assertEqual(len(found), stage["count"])
                self.assertEqual(stage["rate"], 100 * stage["count"] / 2)

    def test_funnel_leaves_those_held_out_aside(self):
        self.start()
        self.env.cr.execute(
            "UPDATE nurture_participant SET state = 'holdout' WHERE id = %s",
            [self.participant(self.bob).id],
        )
        stages = self.page("get_funnel", self.sequence.id)["stages"]
        self.assertEqual(stages[0]["count"], 1)

    def test_hours(self):
        """On the recipient's clock; each cell opens its messages."""
        self.company.partner_id.tz = "Europe/Berlin"
        self.start()
        self.clock = self.clock.replace(hour=12)
        self.click(self.mail_to(ANN))
        self.read_mail(self.mail_to(BOB))
        page = self.page("get_hours", self.sequence.id)
        monday = page["rows"][0]["cells"]
        self.assertEqual((monday[13]["opened"], monday[13]["clicked"]), (2, 1))
        self.assertEqual(sum(cell["opened"] for row in page["rows"] for cell in row["cells"]), 2)
        for name, count in (("opened", 2), ("clicked", 1)):
            self.assertEqual(len(self.found(monday[13]["domains"][name])), count)

    def test_cohorts(self):
        """Won back until the end of each month since the loss."""
        self.ann.date_closed = "2026-01-10 12:00:00"
        self.bob.date_closed = "2026-01-20 12:00:00"
        self.start()
        self.click(self.mail_to(ANN))
        self.ann.action_restore()
        (row,) = self.page("get_cohorts", self.sequence.id)["rows"]
        self.assertEqual(row["count"], 2)
        # January, February, March: it is March now
        self.assertEqual([cell["count"] for cell in row["cells"]], [0, 0, 1])
        self.assertEqual(row["cells"][2]["rate"], 50)
        self.assertEqual(len(self.found(row["domain"])), 2)
        for cell in row["cells"]:
            self.assertEqual(len(self.found(cell["domain"])), cell["count"])

    def test_nothing_yet(self):
        for method in ("get_funnel", "get_hours", "get_cohorts"):
            self.assertTrue(self.page(method, self.sequence.id))

    def test_nonsense(self):
        for value in ("all", 1.5, [1], -1):
            for method in ("get_funnel", "get_hours", "get_cohorts"):
                with self.subTest(method, value=value), self.assertRaises(UserError):
                    self.page(method, value)

    def test_rights(self):
        for method in ("get_funnel", "get_hours", "get_cohorts", "get_count_date"):
            for user in (self.salesman, self.employee):
                with self.subTest(method, user=user.login), self.assertRaises(AccessError):
                    getattr(self.env["nurture.report"].with_user(user), method)()
