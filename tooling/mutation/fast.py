"""The mutants of the add-on's plain Python, and the tests that need no database."""

import collections
import hashlib
import json
import os
import queue
import subprocess
import sys
from pathlib import Path

from .. import odoo_source, settings, shell
from .memory import Memory
from .report import Result
from .substitute import body_lines, statement_lines

TESTS = "tooling/tests"
PACKAGE = "lost_lead_nurture_tools"


class Group:
    """Tests mutants in children of worker processes.

    :param root: the copy of the project
    :param sources: {path: text} of what is mutated
    """

    def __init__(self, root, sources):
        self.root = root
        self.sources = sources
        self._workers = queue.LifoQueue()
        self._started = []
        self.tests = {path: Tests(text) for path, text in sources.items()}

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for worker in self._started:
            worker.end()

    def memory(self):
        """What earlier runs found."""
        contents = {
            f"tooling.tests.{file.stem}": hashlib.sha256(file.read_bytes()).hexdigest()[:16]
            for file in sorted((self.root / TESTS).glob("*.py"))
        }
        return Memory(settings.DEV / "mutate" / "fast.jsonl", contents)

    def test(self, mutant):
        """Run the tests that come to the line of a mutant, or all of its file where that runs when
        it is imported."""
        tests = self.tests[mutant.path].choose(mutant.line)
        if not tests:
            return Result(mutant, False)
        answer = self._ask(
            texts={_module(mutant.path): [mutant.path, mutant.source]},
            tests=[[name, self.tests[mutant.path].seconds[name]] for name in tests],
        )
        return Result(mutant, bool(answer["failed"]), answer["failed"])

    def rounds(self):
        """Run all tests once, and note which lines of the mutated files each of them runs."""
        texts = {_module(path): [path, text] for path, text in self.sources.items()}
        for file in sorted((self.root / TESTS).glob("test_*.py")):
            if "pure" not in file.read_text():
                continue
            name = f"tooling.tests.{file.stem}"
            answer = self._ask(texts=texts, tests=[[name, None]], follow=True)
            if answer["failed"]:
                raise shell.Failure(f"{answer['failed']} fails as it is:\n{answer['trace']}")
            for path, tests in self.tests.items():
                if _module(path) in answer["loaded"]:
                    tests.learn(_module(path), answer)
        yield

    def _ask(self, follow=False, **job):
        try:
            worker = self._workers.get_nowait()
        except queue.Empty:
            worker = _Worker(self.root)
            self._started.append(worker)
        try:
            return worker.ask({"follow": follow, **job})
        finally:
            self._workers.put(worker)


class _Worker:
    """A process that answers jobs (see fast_worker.py)."""

    def __init__(self, root):
        paths = (root, odoo_source.find().python_path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tooling.mutation.fast_worker"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            preexec_fn=shell.die_with_parent,
        )

    def ask(self, job):
        """Have it do a job."""
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise shell.Failure("A process that tests mutants has ended.")
        return json.loads(line)

    def end(self):
        """Let it go."""
        self._process.stdin.close()
        self._process.wait()


class Tests:
    """Which tests come to which statement of a file."""

    def __init__(self, text):
        self._statements = statement_lines(text)
        self._bodies = body_lines(text)
        self._by_line = collections.defaultdict(list)
        self.seconds = {}

    def learn(self, module, answer):
        """Take what the tests of one file did."""
        self.seconds.update(answer["seconds"])
        for test, lines in answer["lines"].items():
            for line in lines.get(module, ()):
                self._by_line[line].append(test)

    def choose(self, line):
        """The tests to run for a mistake in a line, the quickest first. Those that never come to a
        function do not notice what is wrong in it, and take most of the time of what survives."""
        coming = self._by_line[self._statements.get(line)] if line in self._bodies else ()
        return sorted(coming or self.seconds, key=self.seconds.get)


def _module(path):
    return f"{PACKAGE}.{Path(path).stem}"
