"""Odoo's command line, with some modules from other texts, and the tests in an order of ours.

Run as a program (see odoo_group.py), with the file of a job as its first argument:

    {"texts": {module: [file, text]}, "tests": [[id, seconds it takes], …],
     "modules": [name, …], "follow": bool, "answer": file}

It runs ``tests`` in that order, or all tests of ``modules``; what it saw is in ``answer`` then.
"""

import json
import signal
import sys
import time
from pathlib import Path

import substitute

# Odoo must not take the modules beside this file for top-level ones.
sys.path.pop(0)

import odoo.cli.server
from odoo.tests import loader, result

job = json.loads(Path(sys.argv.pop(1)).read_text())

#: Seconds to load the modules, or to set up a class, on a busy computer.
LOADING = 300
#: Seconds that a test may take at least, however short it is without a mutant.
PATIENCE = 90

seen = {"failed": "", "tests": {}}
covered = {} if job["follow"] else None


def name_of(test):
    """The name of a test, also of a part of one."""
    test = getattr(test, "test_case", test)
    if not hasattr(test, "_testMethodName"):
        return test.id()
    return f"{type(test).__module__}.{type(test).__qualname__}.{test._testMethodName}"


class Result(result.OdooTestResult):
    """Notes what failed, and which lines each test ran."""

    _class_lines = None
    _class_name = None

    def startTest(self, test):  # noqa: N802
        super().startTest(test)
        name = name_of(test)
        # without a handler the signal ends the process, wherever it hangs
        signal.alarm(int(PATIENCE + 10 * known.get(name, PATIENCE)))
        if type(test) is not self._class_name:
            self._class_name, self._class_lines = type(test), take_lines()
        take_lines()
        self._start = time.perf_counter()

    def stopTest(self, test):  # noqa: N802
        super().stopTest(test)
        signal.alarm(LOADING)
        lines = take_lines()
        for module, numbers in self._class_lines.items():
            lines[module] = sorted({*lines.get(module, ()), *numbers})
        seconds = time.perf_counter() - self._start
        seen["tests"][name_of(test)] = {"seconds": seconds, "lines": lines}

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        note_failure(test)

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        note_failure(test)


def take_lines():
    """{module: lines that ran since the last call}."""
    lines = {name: sorted(numbers) for name, numbers in (covered or {}).items() if numbers}
    for numbers in (covered or {}).values():
        numbers.clear()
    return lines


def note_failure(test):
    seen["failed"] = seen["failed"] or name_of(test)
    seen.setdefault("all_failed", []).append(name_of(test))


def choose(module_names, position="at_install"):
    """The tests to run, in the order wanted."""
    suite = make_suite(module_names, position)
    tests = {name_of(test): test for test in suite}
    if job["modules"]:
        wanted = [name for name in tests if name.rsplit(".", 2)[0] in job["modules"]]
    else:
        wanted = [name for name, _seconds in job["tests"] if name in tests]
    chosen = type(suite)([tests[name] for name in wanted])
    # else all assets are made first; what a page needs is made when it is asked for
    chosen.has_http_case = lambda: False
    return chosen


def run_suite(suite, global_report=None):
    """Run them, and tell."""
    try:
        return run_as_ever(suite, global_report)
    finally:
        if suite.countTestCases() or seen["tests"]:
            Path(job["answer"]).write_text(json.dumps(seen))


known = dict(job["tests"])
make_suite, loader.make_suite = loader.make_suite, choose
run_as_ever, loader.run_suite = loader.run_suite, run_suite
loader.OdooTestResult = Result
# In a container everything runs as root, and nobody but this computer reaches the server.
odoo.cli.server.check_root_user = lambda: None

if __name__ == "__main__":
    substitute.Finder({name: tuple(text) for name, text in job["texts"].items()}, covered).install()
    signal.alarm(LOADING)
    odoo.cli.main()
