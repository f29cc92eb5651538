"""What the benchmark tells."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from tooling.bench import report


def measurement(value, key="tick"):
    return report.Measurement(key, "A tick", value, "core", 0.2, 1.5)


class TestReport(unittest.TestCase):
    def write(self, measurements, scale=1):
        """Return the exit status, the result and the page."""
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.md")
            with (
                patch.object(report, "PAGE", page),
                patch.object(report, "_describe_computer", lambda: "A computer."),
                contextlib.redirect_stdout(io.StringIO()) as output,
            ):
                status = report.write(measurements, scale)
            text = page.read_text() if page.exists() else ""
        return status, json.loads(output.getvalue().splitlines()[-1]), text

    def test_reached(self):
        status, result, text = self.write([measurement(0.3)])
        self.assertEqual((status, result), (0, {"scale": 1, "tick": 1.5}))
        self.assertIn("| A tick | 300.0 ms | core | 200.0 ms | **1.50** | 1.5 |", text)

    def test_not_reached(self):
        status, result, text = self.write([measurement(0.2, "other"), measurement(0.31)])
        self.assertEqual((status, result), (1, {"scale": 1, "other": 1.0, "tick": 1.55}))
        self.assertIn("not reached", text)

    def test_a_quick_look_leaves_the_page_alone(self):
        self.assertEqual(self.write([measurement(0.3)], scale=0.1)[2], "")
