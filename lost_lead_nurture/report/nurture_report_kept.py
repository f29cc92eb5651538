from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.core.kept import MANY_TRACES
from .cube import CUBES, Cube
from .nurture_report_mixin import AMOUNTS, DIMENSIONS, MEASURES, MEASURES_OF


class NurtureReportKept(models.Model):
    """The sums that the analysis shows, as they were when they were counted last: to add up what
    happened to a hundred thousand participants takes seconds, and nobody waits for that.

    Each row belongs to a cube, the sums by some dimensions.
    """

    _name = "nurture.report.kept"
    _inherit = ["nurture.report.mixin"]
    _description = "Kept Analysis"
    _log_access = False

    cube = fields.Integer(required=True, readonly=True, index=True, help="See Cube.number.")
    counted_date = fields.Datetime(required=True, readonly=True)

    @api.model
    def _count(self):
        """Count all cubes anew where there is so much that nobody would wait for it; else keep
        none."""
        self.env.flush_all()
        self.env.execute_query(SQL("DELETE FROM nurture_report_kept RETURNING id"))
        traces = self.env["nurture.trace"].sudo()
        if traces.search_count([], limit=MANY_TRACES) >= MANY_TRACES:
            for kind, measures in MEASURES_OF.items():
                self._insert(kind, ("record_count", *measures))
        self.invalidate_model()

    @api.model
    def _insert(self, kind, measures):
        """Count the records of a kind, for all cubes in one statement.

        :param measures: what is added up of them; everything else is 0
        """
        dimensions = SQL(", ").join(map(SQL.identifier, DIMENSIONS))
        participants = SQL("SELECT * FROM nurture_participant")
        self.env.execute_query(
            SQL(
                """
                INSERT INTO nurture_report_kept (cube, counted_date, %(dimensions)s, %(measures)s)
                     SELECT GROUPING(%(dimensions)s), %(now)s, %(dimensions)s, %(sums)s
                       FROM (%(facts)s) fact
                   GROUP BY GROUPING SETS (%(cubes)s)
                  RETURNING 1
                """,
                dimensions=dimensions,
                measures=SQL(", ").join(map(SQL.identifier, MEASURES)),
                now=fields.Datetime.now(),
                sums=SQL(", ").join(
                    SQL("SUM(%s)", SQL.identifier(name)) if name in measures else SQL("0")
                    for name in MEASURES
                ),
                facts=self.env["nurture.report"].sudo()._sql_facts(participants, [kind]),
                cubes=SQL(", ").join(
                    SQL("(%s)", SQL(", ").join(map(SQL.identifier, cube))) for cube in CUBES
                ),
            )
        )


class NurtureReport(models.Model):
    """The analysis takes sums from the kept ones where it can. They serve who sees participants by
    their company alone, as marketers do, and what is grouped and filtered by what one cube has.
    Everything else, lists included, is counted when somebody looks."""

    _inherit = "nurture.report"

    def _read_group(self, domain, groupby=(), aggregates=(), **kwargs):
        self = self._take_kept(domain, groupby, aggregates)
        return super()._read_group(domain, groupby, aggregates, **kwargs)

    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), **kwargs):
        groupby = [spec for specs in grouping_sets for spec in specs]
        self = self._take_kept(domain, groupby, aggregates)
        return super()._read_grouping_sets(domain, grouping_sets, aggregates, **kwargs)

    def _take_kept(self, domain, groupby, aggregates):
        """This model, with its numbers from a cube, if there is one that has them."""
        used = {condition.field_expr for condition in Domain(domain).iter_conditions()}
        used = {name.split(".")[0] for name in used} | {spec.split(":")[0] for spec in groupby}
        cube = next((cube for cube in CUBES if used <= {*cube}), None)
        added = {*aggregates} <= self._get_kept_aggregates()
        if not (cube and added and self._is_seen_by_company() and self.get_count_date()):
            return self
        return self.with_context(nurture_cube=Cube(cube))

    def _get_kept_aggregates(self):
        rates = (name for name, field in self._fields.items() if field.aggregator == "avg")
        return {
            "__count",
            "currency_id:array_agg_distinct",
            *(f"{name}:sum" for name in MEASURES),
            *(f"{name}:sum_currency" for name in AMOUNTS),
            *(f"{name}:avg" for name in rates),
        }

    def _get_rule(self):
        """Which participants the user sees."""
        return (
            Domain.TRUE
            if self.env.su
            else self.env["ir.rule"]._compute_domain("nurture.participant", "read")
        )

    def _is_seen_by_company(self):
        return all(
            condition.field_expr == "company_id" for condition in self._get_rule().iter_conditions()
        )

    def _sql_kept(self, cube):
        """The sums of a cube, as far as the user sees the participants."""
        # those that are archived have numbers, too
        sequences = self.env["nurture.sequence"].with_context(active_test=False)._search([])
        seen = Domain("cube", "=", cube.number) & Domain("sequence_id", "in", sequences)
        kept = self.env["nurture.report.kept"].sudo()._search(seen & self._get_rule())
        names = ("id", *DIMENSIONS, *MEASURES)
        return kept.select(
            SQL("NULL::integer AS participant_id"),
            *(SQL.identifier(kept.table, name) for name in names),
        )

    @api.model
    def get_count_date(self):
        """When the kept sums were counted last.

        :return: the date and time in UTC; False while nothing is kept, and all is of now
        """
        self.check_access("read")
        ((date,),) = self.env.execute_query(
            SQL("SELECT (SELECT counted_date FROM nurture_report_kept LIMIT 1)")
        )
        return date or False
