"""Survivors that no test can kill, or none should: a committed list with the reason of each.

One line says: file, place, the line as it is, the line with the mistake, and why it may live. They
are matched by what they say, so that a list stays true when lines move.
"""

from pathlib import Path

FILE = Path(__file__).parent / "explained.txt"
SEPARATOR = " ⟶ "


class BadList(ValueError):
    """A line of the list that cannot be read."""


def read(text):
    """{key of a mutant: why it may live}.

    :raise BadList: when a line lacks a part, or the reason
    """
    reasons = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(SEPARATOR)]
        if len(parts) != 5 or not all((parts[0], parts[2], parts[4])):
            raise BadList(f"line {number} is not: file, place, before, after, reason")
        *key, why = parts
        reasons[tuple(key)] = why
    return reasons


def write_line(mutant, why):
    """The line of the list about a mutant."""
    return SEPARATOR.join((*mutant.key, why))


def outdated(reasons, mutants):
    """The keys of the list that are about no mutant any more, in files that have mutants here."""
    keys = {mutant.key for mutant in mutants}
    files = {mutant.path for mutant in mutants}
    return sorted(key for key in reasons if key[0] in files and key not in keys)
