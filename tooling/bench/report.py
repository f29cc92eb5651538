"""What was measured, for people and for programs."""

import json
import os
import platform
from dataclasses import dataclass

from .. import cluster, settings

PAGE = settings.ROOT / "docs" / "benchmark.md"

INTRODUCTION = """# How fast it is

Written by `./dev bench`, or part by part by `./dev bench --only PART`. A measurement is a ratio of
two times that were measured in turns: computers differ, ratios hardly. The rival is what nobody can
be faster than (the bare writes in SQL), core doing the same, or the same with little data. The
limit is what the project allows.

- *Judged and handled*: the request, and the work that a mail's opens and clicks cause a minute
  later, when it is known whether a person did it. Core is an Odoo without the add-on.
- A reply restores the lead, with a note and something to do. Core does the same with the reply, by
  its own methods in a server action.
- Forms and lists are what the server does when the browser asks for them.
"""

HEADER = ("| what | measured | rival | its time | ratio | limit |", "|---|--:|---|--:|--:|--:|")


@dataclass
class Measurement:
    """A measure, its rival's, and how many times that it may be at most."""

    key: str
    title: str
    value: float
    rival: str
    rival_value: float
    limit: float
    unit: str = "s"

    @property
    def ratio(self):
        """How many times the rival's."""
        return self.value / self.rival_value

    @property
    def is_reached(self):
        return self.ratio <= self.limit

    def __str__(self):
        return (
            f"{self.title}: {self.show(self.value)}, {self.rival} {self.show(self.rival_value)},"
            f" ratio {self.ratio:.2f} (at most {self.limit})"
        )

    def show(self, value):
        """Write a value with its unit."""
        if self.unit != "s":
            return f"{value:.0f} {self.unit}"
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.1f} s"


def write(measurements, scale, whole=True):
    """Print the measurements, write the page, print a line of JSON; return the exit status."""
    rows = {
        one.title: f"| {one.title} | {one.show(one.value)}"
        f" | {one.rival} | {one.show(one.rival_value)}"
        f" | **{one.ratio:.2f}** | {one.limit}{'' if one.is_reached else ' — not reached'} |"
        for one in measurements
    }
    print("\n".join([*HEADER, *rows.values()]))
    if scale == 1:
        # what was not measured now stays
        lines = (rows if whole else _read_rows() | rows).values()
        PAGE.write_text("\n".join([INTRODUCTION, *HEADER, *lines, "", _describe_computer(), ""]))
    result = {
        "scale": scale,
        **{measurement.key: round(measurement.ratio, 2) for measurement in measurements},
    }
    print(json.dumps(result), flush=True)
    return 0 if all(measurement.is_reached for measurement in measurements) else 1


def _read_rows():
    """The rows of the page, by what they are about."""
    lines = PAGE.read_text().splitlines() if PAGE.exists() else []
    rows = [line for line in lines if line.startswith("|") and line not in HEADER]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def _describe_computer():
    with cluster.connect() as connection:
        version = connection.server_version // 10000
    return (
        f"Measured with {os.cpu_count()} cores, Python {platform.python_version()} and PostgreSQL"
        f" {version}, whose settings are those of `tooling/cluster.py`."
    )
