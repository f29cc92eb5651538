"""The analysis of very much: from sums that the scheduled action keeps, the same as counted now."""

from ast import literal_eval
from unittest.mock import patch

from odoo.tests import tagged

from ...report import nurture_report_kept
from ...report.cube import CUBES
from ...report.nurture_report import RATES_OF
from ...report.nurture_report_mixin import MEASURES
from ..common import ANN, BOB, DealMixin, NurtureHttpCase, SecondStepMixin, TwoLeadsMixin

AGGREGATES = (
    "__count",
    *(f"{name}:sum" for name in MEASURES),
    *(f"{name}:avg" for name in RATES_OF),
)
#: How dates are grouped.
GRAINS = {"date": "date:day", "lost_month": "lost_month:month"}


@tagged("post_install", "-at_install")
class TestKept(SecondStepMixin, DealMixin, TwoLeadsMixin, NurtureHttpCase):
    def setUp(self):
        super().setUp()
        self.patch(nurture_report_kept, "MANY_TRACES", 1)
        self.bob.country_id = self.env.ref("base.be")
        self.first.action_add_variant()
        self.start()
        self.click(self.mail_to(ANN))
        self.pay(self.invoice(self.order(self.ann)))
        self.env["nurture.outcome"]._catch_up()

    def count(self):
        self.env["nurture.report.kept"]._count()

    def sums(self, groupby=(), aggregates=AGGREGATES, domain=(), user=None, **context):
        self.env.flush_all()
        self.env.invalidate_all()
        report = self.env["nurture.report"].with_user(user or self.marketer)
        return report.with_context(**context)._read_group(
            [("sequence_id", "=", self.sequence.id), *domain], groupby, aggregates
        )

    def sum_all(self):
        """All that there is a cube for, by each of its dimensions and by all at once."""
        return {
            names: sorted(self.sums([GRAINS.get(name, name) for name in names]), key=str)
            for cube in CUBES
            for names in (cube, *((name,) for name in cube))
        }

    def test_same_as_now(self):
        """Every measure in every cube is what it is when it is counted as somebody looks."""
        now = self.sum_all()
        self.count()
        with self.not_counted_now():
            kept = self.sum_all()
        for groupby, rows in now.items():
            with self.subTest(groupby):
                self.assertEqual(self.rounded(kept[groupby]), self.rounded(rows))

    def rounded(self, rows):
        return [
            tuple(round(float(one), 6) if isinstance(one, float) else one for one in row)
            for row in rows
        ]

    def not_counted_now(self):
        """Fail where somebody counts now."""
        reports = type(self.env["nurture.report"])
        return patch.object(reports, "_sql_facts", side_effect=AssertionError("counted now"))

    def test_total(self):
        now = self.sums()
        self.count()
        with self.not_counted_now():
            self.assertEqual(self.rounded(self.sums()), self.rounded(now))

    def test_archived(self):
        """What is archived has happened all the same."""
        self.count()
        kept = self.rounded(self.sums())
        self.sequence.action_stop()
        self.sequence.active = False
        with self.not_counted_now():
            self.assertEqual(self.rounded(self.sums()), kept)

    def test_pivot(self):
        """As the pivot asks for it: by several groupings at once."""
        report = self.env["nurture.report"].with_user(self.marketer)
        question = ([], [[], ["step_id"]], ["sent:sum", "opened_rate:avg"])
        now = report.formatted_read_grouping_sets(*question)
        self.count()
        with self.not_counted_now():
            self.assertEqual(report.formatted_read_grouping_sets(*question), now)

    def test_filters(self):
        """Each filter that is ready is answered from kept sums."""
        self.count()
        report = self.env["nurture.report"].with_user(self.marketer)
        filters = self.env["ir.filters"].search([("model_id", "=", "nurture.report")])
        self.assertTrue(filters)
        for one in filters:
            context = literal_eval(one.context)
            measures = [
                f"{name}:{report._fields[name].aggregator}" for name in context["pivot_measures"]
            ]
            with self.subTest(one.name), self.not_counted_now():
                report.formatted_read_group(literal_eval(one.domain), context["group_by"], measures)
        with self.not_counted_now():
            for method in ("get_funnel", "get_hours", "get_cohorts"):
                getattr(report, method)()

    def test_as_of(self):
        """Until it is counted again, numbers are of the last time; lists, and what no cube has, are
        of now."""
        report = self.env["nurture.report"].with_user(self.marketer)
        self.assertFalse(report.get_count_date())
        self.count()
        self.assertEqual(report.get_count_date(), self.clock)
        self.read_mail(self.mail_to(BOB))
        opened = ["opened:sum"]
        self.assertEqual(self.sums(aggregates=opened), [(1,)])
        self.assertEqual(self.sums(["step_id", "provider"], opened)[0][2], 2)
        self.assertEqual(self.sums(aggregates=opened, domain=[("opened", "=", 1)]), [(2,)])
        self.assertEqual(len(report.search([("opened", "=", 1)])), 2)
        self.env.ref("lost_lead_nurture.ir_cron_nurture_statistics").method_direct_trigger()
        self.assertEqual(self.sums(aggregates=opened), [(2,)])

    def test_few(self):
        """What is counted in no time is counted when somebody looks."""
        self.count()
        self.patch(nurture_report_kept, "MANY_TRACES", 1000)
        self.count()
        self.assertFalse(self.env["nurture.report"].get_count_date())
        self.assertFalse(self.env["nurture.report.kept"].search([]))

    def test_narrower_rule(self):
        """Who sees participants by more than their company gets no sums of all."""
        self.ann.user_id = self.colleague
        self.env["ir.rule"].create(
            {
                "name": "Own ones",
                "model_id": self.env["ir.model"]._get_id("nurture.participant"),
                "domain_force": "[('lead_id.user_id', '=', %d)]" % self.colleague.id,
            }
        )
        self.count()
        self.assertEqual(self.sums(aggregates=["entered:sum"]), [(1,)])

    def test_other_company(self):
        self.count()
        stranger = self.make_marketer(self.env["res.company"].create({"name": "Elsewhere"}))
        self.assertFalse(any(self.sums(aggregates=["entered:sum"], user=stranger)[0]))

    def test_no_client_chooses(self):
        """What a client sends in the context opens no kept sums."""
        self.env["nurture.report.kept"]._count()
        self.env.cr.execute("UPDATE nurture_report_kept SET entered = 99")
        domain = [("opened", "=", 0)]
        for value in (list(CUBES[0]), {"dimensions": CUBES[0]}, True):
            rows = self.sums(aggregates=["entered:sum"], domain=domain, nurture_cube=value)
            self.assertEqual(rows, [(2,)])
