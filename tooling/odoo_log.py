"""Reading Odoo's log: what ran, what failed, what should not have been logged."""

import re
from dataclasses import dataclass, field

ENTRY = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "
    r"(?P<level>[A-Z]+) (?P<database>\S+) (?P<logger>\S+): (?P<message>.*)"
)
RESULT = re.compile(r"(?P<failed>\d+) failed, (?P<errors>\d+) error\(s\) of (?P<run>\d+) tests")
STARTING = re.compile(r"^Starting (?P<test>\w+\.\w+) \.\.\.")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Warnings that core logs on its own, whatever our add-ons do: (logger, message).
ALLOWED = (
    # a slow computer may need longer than core's five seconds to end the browser
    (r"\.browser$", r"Killing chrome headless with pid"),
)


@dataclass
class Entry:
    """One entry of the log, with the lines that belong to it."""

    level: str
    logger: str
    lines: list

    @property
    def text(self):
        """Return the whole entry."""
        return "\n".join(self.lines)

    def is_problem(self, allowed):
        """Tell whether a clean run would not have logged this."""
        if self.level in ("ERROR", "CRITICAL"):
            return True
        return self.level == "WARNING" and not any(
            re.search(logger, self.logger) and re.search(message, self.text)
            for logger, message in allowed
        )


@dataclass
class Report:
    """What a log tells about a test run."""

    run: int = 0
    failed: int = 0
    problems: list = field(default_factory=list)

    @property
    def passed(self):
        """Return the number of tests that passed."""
        return max(0, self.run - self.failed)


class LogParser:
    """Takes the log line by line, so that progress can be shown while Odoo runs.

    :param provoked: warnings that what runs causes on purpose, like `ALLOWED`
    """

    def __init__(self, provoked=()):
        self.report = Report()
        self._allowed = (*ALLOWED, *provoked)
        self._entry = None

    def feed(self, line):
        """Take a line; return the name of the test that it says is starting, if it does."""
        line = COLOURS.sub("", line.rstrip("\n"))
        found = ENTRY.match(line)
        if not found:
            if self._entry:
                self._entry.lines.append(line)
            return None
        self._close()
        self._entry = Entry(found["level"], found["logger"], [line])
        if found["logger"] == "odoo.tests.result":
            self._count(found["message"])
        starting = STARTING.match(found["message"])
        return starting["test"] if starting else None

    def finish(self):
        """Return the report on all that was read."""
        self._close()
        return self.report

    def _close(self):
        if self._entry and self._entry.is_problem(self._allowed):
            self.report.problems.append(self._entry.text)
        self._entry = None

    def _count(self, message):
        # Odoo may load a database more than once; its counts go on, so the last line counts.
        if result := RESULT.search(message):
            self.report.run = int(result["run"])
            self.report.failed = int(result["failed"]) + int(result["errors"])


def read(path, provoked=()):
    """Return the report on a log file, see `LogParser`."""
    parser = LogParser(provoked)
    with path.open(errors="replace") as lines:
        for line in lines:
            parser.feed(line)
    return parser.finish()
