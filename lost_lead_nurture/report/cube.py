from dataclasses import dataclass

from .nurture_report_mixin import DIMENSIONS

#: What every sum is by.
_COMMON = ("kind", "company_id", "sequence_id")
#: What the analysis is looked at by, each on its own.
_VIEWS = (
    *(("step_id", "variant"), ("lost_reason_id",), ("user_id", "team_id"), ("country_id",)),
    *(("lost_month",), ("provider",), ("device", "client"), ("profile_id",)),
)
#: Of these there are too many by day.
_TIMELESS_VIEWS = (("sent_weekday", "sent_hour"), ("read_weekday", "read_hour"))
#: The dimensions of each cube, the smallest first.
CUBES = (
    *((*_COMMON, *view) for view in (*_VIEWS, *_TIMELESS_VIEWS)),
    *((*_COMMON, "date", *view) for view in _VIEWS),
)


@dataclass(frozen=True)
class Cube:
    """A cube to count from; no client can send one in its context.

    :param dimensions: one of :data:`CUBES`
    """

    dimensions: tuple

    @property
    def number(self):
        """What PostgreSQL's GROUPING() says of its rows: a bit for each dimension that it has
        not."""
        return sum(
            1 << place
            for place, name in enumerate(reversed(DIMENSIONS))
            if name not in self.dimensions
        )
