"""Odoo's tests in two halves that run side by side: Odoo runs one test after the other."""

import ast

from . import settings

#: How many others a test takes as long as, by a part of the name of its class.
SLOW = {"": 1, "Tour": 8, "Fuzz": 60}


def split(modules):
    """Return the test tags of two halves that take about as long.

    The second half is what the first one is not, so that each test is in one of them.
    """
    first = set()
    lengths = [0, 0]
    for tag, length in sorted(count(modules).items(), key=lambda item: (-item[1], item[0])):
        half = lengths.index(min(lengths))
        lengths[half] += length
        if half == 0:
            first.add(tag)
    tags = sorted(first)
    rest = [f"post_install/{module}" for module in modules] + [f"-{tag}" for tag in tags]
    return ",".join(tags), ",".join(rest)


def count(modules):
    """Return {test tag of a class: how many tests it has, slow ones counted as several}."""
    counted = {}
    for module in modules:
        for file in (settings.ROOT / module / "tests").rglob("test_*.py"):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
                    tag = f"/{module}:{node.name}"
                    counted[tag] = counted.get(tag, 0) + _length(node)
    return counted


def _length(node):
    tests = sum(getattr(child, "name", "").startswith("test_") for child in node.body)
    weight = max(weight for part, weight in SLOW.items() if part in node.name)
    return max(tests, 1) * weight
