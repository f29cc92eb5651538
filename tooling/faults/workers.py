"""Odoo's processes, forked as fast as its own server forks them, and killed as hard."""

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .. import odoo, shell

SCRIPT = Path(__file__).with_name("inside.py")
#: No job takes as long as this (seconds).
LIMIT = 300


class Workers:
    """A process with Odoo loaded that forks a worker for each job (a context manager).

    :param arguments: more arguments for Odoo
    """

    def __init__(self, database, smtp_port, *arguments):
        self.database = database
        self._smtp_port = smtp_port
        self._arguments = arguments
        self._ended = {}
        self._unread = b""
        self.killed = 0

    def __enter__(self):
        orders, self._orders = os.pipe()
        self._reports, reports = os.pipe()
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0
        log = Path(self._folder.name, "parent")
        with SCRIPT.open() as script, log.open("w") as out:
            self._process = subprocess.Popen(
                odoo.command("shell", "-d", self.database, "--no-http", "--log-level=warn")
                + list(self._arguments),
                stdin=script,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=(orders, reports),
                env=odoo.environment()
                | {"FAULTS_PIPES": f"{orders} {reports}", "FAULTS_SMTP_PORT": str(self._smtp_port)},
                preexec_fn=shell.die_with_parent,
            )
        os.close(orders)
        os.close(reports)
        return self

    def __exit__(self, *_exception):
        os.close(self._orders)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()
        os.close(self._reports)
        self._folder.cleanup()

    def begin(self, job, *, kill=None, clock=None, file_size=None, smtp_timeout=10, **arguments):
        """Let a new worker do a job of `inside.py`.

        :param kill: where it kills itself, as arguments of `_die_at` there
        :param clock: days that its clock is ahead
        :param file_size: the longest file it can write (bytes)
        :param smtp_timeout: how long it waits for the mail server (seconds)
        """
        self._count += 1
        output = Path(self._folder.name, str(self._count))
        order = {
            "job": job,
            "arguments": arguments,
            "output": str(output),
            "kill": kill,
            "clock": clock,
            "file_size": file_size,
            "smtp_timeout": smtp_timeout,
        }
        os.write(self._orders, json.dumps(order).encode() + b"\n")
        while "begun" not in (report := self._read()):
            self._ended[report["ended"]] = report["status"]
        return Worker(self, report["begun"], output)

    def do(self, job, **options):
        """Let a worker do a job and return its result."""
        return self.begin(job, **options).result()

    def wait(self, pid):
        """Return the exit status of a worker, once it has ended."""
        while pid not in self._ended:
            report = self._read()
            self._ended[report["ended"]] = report["status"]
        status = self._ended.pop(pid)
        self.killed += status == -signal.SIGKILL
        return status

    def _read(self):
        while b"\n" not in self._unread:
            if not select.select([self._reports], [], [], LIMIT)[0]:
                raise shell.Failure(f"A worker has not come to an end in {LIMIT} seconds.")
            received = os.read(self._reports, 65536)
            if not received:
                log = Path(self._folder.name, "parent")
                raise shell.Failure(f"The parent of the workers ended:\n{shell.tail(log, 20)}")
            self._unread += received
        line, _newline, self._unread = self._unread.partition(b"\n")
        return json.loads(line)


@dataclass
class Worker:
    """A process that does one job."""

    workers: Workers
    pid: int
    output: Path

    def kill(self):
        """Kill it, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, *expected):
        """Wait for its end.

        :param expected: exit statuses that are fine besides 0
        :return: the status
        """
        status = self.workers.wait(self.pid)
        if status not in (0, *expected):
            text = self.output.read_text(errors="replace")
            raise shell.Failure(f"A worker ended with status {status}:\n{text[-4000:]}")
        return status

    def result(self):
        """Wait for its end and return what its job returned."""
        self.wait()
        return json.loads(self.output.read_text(errors="replace").rpartition("\nRESULT ")[2])
