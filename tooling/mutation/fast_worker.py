"""Runs the tests of the add-on's plain Python on changed modules, each time in a fresh process.

It reads jobs, a JSON object a line, and answers each with one. What the tests need of others is
imported once; a child process inherits it.

    {"texts": {module: [file, text]}, "tests": [[id, seconds it takes], …], "follow": bool}
"""

import importlib
import json
import os
import resource
import signal
import sys
import time
import unittest

from tooling.mutation.substitute import Finder
from tooling.tests import pure

#: What tests and modules import from elsewhere.
COMMON = (
    *("hypothesis.strategies", "lxml.html", "markupsafe", "pytz", "babel.dates", "psycopg2"),
    *("werkzeug.urls", "odoo.fields", "odoo.tools.mail", "odoo.exceptions"),
    *("unittest.mock", "email.policy", "requests.adapters", "idna"),
    "statsmodels.stats.proportion",
)
#: A mutant may ask for more and more.
MEMORY = 3 * 2**30
#: Seconds of the processor that a test may take, besides ten times what it takes without a
#: mutant. How busy the computer is kills nobody.
PATIENCE = 5
#: Seconds that all tests of a job may take, whatever they wait for.
LONG = 3600


class Watcher(unittest.TestResult):
    """Notes how long each test takes and which lines it runs."""

    def __init__(self, covered, usual):
        super().__init__()
        self._usual = usual
        self.failfast = True
        self.failed = ""
        self.seconds, self.lines = {}, {}
        self._covered = covered

    def startTest(self, test):  # noqa: N802
        super().startTest(test)
        usual = self._usual.get(test.id())
        if usual is not None:
            # without a handler the signal ends the process, wherever it hangs
            signal.setitimer(signal.ITIMER_PROF, PATIENCE + 10 * usual)
        for lines in self._covered.values():
            lines.clear()
        self._start = time.process_time()

    def stopTest(self, test):  # noqa: N802
        super().stopTest(test)
        self.seconds[test.id()] = time.process_time() - self._start
        self.lines[test.id()] = {name: sorted(lines) for name, lines in self._covered.items()}

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        self.failed = self.failed or test.id()

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        self.failed = self.failed or test.id()

    def addSubTest(self, test, subtest, err):  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err:
            self.failed = self.failed or test.id()


def run(job):
    """Run the tests of a job in this process."""
    covered = {} if job["follow"] else None
    Finder({name: tuple(text) for name, text in job["texts"].items()}, covered).install()
    watcher = Watcher({} if covered is None else covered, dict(job["tests"]))
    tests = load([name for name, _seconds in job["tests"]])
    unittest.TestSuite(tests).run(watcher)
    return {
        "failed": watcher.failed or ("" if watcher.wasSuccessful() else "?"),
        "trace": (watcher.failures + watcher.errors)[0][1][-2000:] if watcher.failed else "",
        "seconds": watcher.seconds,
        "lines": watcher.lines,
        "loaded": sorted(name for name in sys.modules if name.startswith(f"{pure.PACKAGE}.")),
    }


def load(names):
    """The tests of these names, in their order; modules give all that they have."""
    loader = unittest.TestLoader()
    for name in names:
        # an error while importing is one of the mutant, and no test of the loader's own
        importlib.import_module(name.split(".Test")[0])
    return [test for name in names for test in _flatten(loader.loadTestsFromName(name))]


def _flatten(suite):
    for one in suite:
        if isinstance(one, unittest.TestSuite):
            yield from _flatten(one)
        else:
            yield one


def in_child(job):
    """Run a job in a child process; what does not end is ended."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        signal.alarm(LONG)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.dup2(2, 1)
        try:
            answer = run(job)
        except BaseException as error:
            # of a mutant that cannot even be imported
            answer = {"failed": "import", "trace": f"{type(error).__name__}: {error}"}
        with os.fdopen(writing, "w") as out:
            json.dump(answer, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    os.waitpid(pid, 0)
    return json.loads(answer) if answer else {"failed": "time", "trace": ""}


def main():
    """Answer jobs until there are no more."""
    for name in COMMON:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(in_child(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
