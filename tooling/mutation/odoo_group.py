"""Mutants of what needs a database, and the tests of Odoo."""

import collections
import contextlib
import hashlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from .. import addons, databases, odoo, odoo_log, odoo_source, settings, shell, templates
from .memory import Memory
from .report import Result
from .substitute import statement_lines

ADDON = "lost_lead_nurture"
TESTS = f"{ADDON}/tests"
#: Rooms of tests, in the order in which mutants are shown to them: those of the next round see only
#: what has survived the one before. The last round is all other rooms.
ROUNDS = (("trace", "step", "participant"), ("sequence", "timeline", "mail", "credit"))
#: Rooms whose tests start a browser, or ask every door the same: slow, and about other code.
LEFT_OUT = ("doors", "tours")
#: Of how many versions of the code it is kept which tests come to which lines.
LEARNED = 3
PROGRAM = Path(__file__).parent / "odoo_worker.py"


class Group:
    """Tests each mutant in an Odoo of its own, on a copy of a database with the add-ons.

    :param root: the copy of the project
    :param paths: the files of which it is learned which tests come to which of their lines
    :param workers: how many Odoos run at once
    """

    def __init__(self, root, paths, workers):
        self.root = root
        self.workers = workers
        self._known = {}
        sources = {path: (root / path).read_text() for path in paths}
        self.sources = sources
        self.folder = settings.DEV / "mutate"
        self.files = {_module(str(path.relative_to(root))): path for path in find_tests(root)}
        self._contents = {name: _digest(file.read_bytes()) for name, file in self.files.items()}
        self._statements = {path: statement_lines(text) for path, text in sources.items()}
        self._number = 0
        self._lock = threading.Lock()
        self._killers = collections.Counter()

    def __enter__(self):
        odoo.clean_start()
        self._clean_up()
        self.base = databases.temporary("mutate")
        template, content = templates.with_addons()
        databases.copy(template, self.base)
        if content != addons.installed_content():
            with shell.timed("Updating the add-ons"):
                shell.run(
                    odoo.command("-d", self.base, "-u", ",".join(addons.names()))
                    + ["--stop-after-init", "--no-http", "--max-cron-threads=0"],
                    log=settings.LOGS / "mutate-update.log",
                    failure="Odoo could not update the add-ons.",
                    env=odoo.environment(),
                    preexec_fn=shell.die_with_parent,
                )
        return self

    def __exit__(self, *_error):
        databases.drop(self.base)

    def _clean_up(self):
        """Remove what killed runs left, and what was learned of code that is no more."""
        for file in self.folder.glob("run_*"):
            owner = databases.TEMPORARY.match(file.name)
            if owner and not shell.is_run_alive(owner[1]):
                file.unlink()
        learned = sorted(self.folder.glob("lines-*.json"), key=lambda file: file.stat().st_mtime)
        for file in learned[:-LEARNED]:
            file.unlink()

    def memory(self):
        """What earlier runs found."""
        return Memory(self.folder / "odoo.jsonl", self._contents)

    def test(self, mutant):
        """Run the tests that come to the line of a mutant."""
        tests = self.choose(mutant)
        if not tests:
            return Result(mutant, False)
        answer, problems = self._run(
            {_module(mutant.path): [str(self.root / mutant.path), mutant.source]}, tests=tests
        )
        failed = answer["failed"] or (f"the log: {problems[0][:200]}" if problems else "")
        if failed:
            self._killers[_class_of(failed)] += 1
        return Result(mutant, bool(failed), failed)

    def choose(self, mutant):
        """The tests that come to the line of a mutant, class by class: first those that have killed
        others, then the quickest."""
        line = self._statements[mutant.path].get(mutant.line)
        classes = collections.defaultdict(list)
        for name, (seconds, lines) in self._known.items():
            if line in lines.get(_module(mutant.path), ()):
                classes[_class_of(name)].append((seconds, name))
        order = sorted(
            classes, key=lambda one: (-self._killers[one], sum(s for s, _ in classes[one]))
        )
        return [[name, seconds] for one in order for seconds, name in sorted(classes[one])]

    def rounds(self):
        """Get to know the tests of one round after the other."""
        rooms = [file.parent.name for file in self.files.values()]
        for wanted in (*ROUNDS, set(rooms).difference(*ROUNDS)):
            names = [name for name, file in self.files.items() if file.parent.name in wanted]
            if names:
                self._learn(names)
                yield

    def _learn(self, names):
        """Note which lines each test of some files runs, by a run of those that are not known as
        they are."""
        texts = {
            _module(path): [str(self.root / path), text] for path, text in self.sources.items()
        }
        known = self._read_known(_digest(json.dumps(sorted(self.sources.items())).encode()))
        unknown = [name for name in names if known.get(name, {}).get("key") != self._contents[name]]
        if unknown:
            shell.say(
                f"Running the tests of {len(unknown)} files as they are, to see what they do…"
            )
        with ThreadPoolExecutor(self.workers) as pool:
            runs = {
                pool.submit(self._run, texts, modules=[name], follow=True): name for name in unknown
            }
            for run in as_completed(runs):
                name = runs[run]
                known[name] = {"key": self._contents[name], "tests": _what_ran(name, *run.result())}
                self._file.write_text(json.dumps(known))
        self._known = {
            test: (seconds, {module: set(lines) for module, lines in by_module.items()})
            for name in names
            for test, (seconds, by_module) in known[name]["tests"].items()
        }

    def _read_known(self, digest):
        self._file = self.folder / f"lines-{digest}.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def _run(self, texts, tests=(), modules=(), follow=False):
        """Run tests; return what the worker wrote, and the problems in Odoo's log."""
        with self._lock:
            self._number += 1
            number = self._number
        database = f"{self.base}_{number}"
        job, answer, log = (self.folder / f"{database}.{kind}" for kind in ("job", "answer", "log"))
        answer.unlink(missing_ok=True)
        job.write_text(
            json.dumps(
                {
                    "texts": texts,
                    "tests": list(tests),
                    "modules": list(modules),
                    "follow": follow,
                    "answer": str(answer),
                }
            )
        )
        databases.copy(self.base, database)
        try:
            status = self._run_odoo(database, job, log, follow)
            if not answer.exists():
                return {"failed": "time" if status < 0 else "loading", "tests": {}}, []
            report = odoo_log.read(log)
            return json.loads(answer.read_text()), report.problems
        finally:
            databases.drop(database)
            for file in (job, answer, log):
                with contextlib.suppress(OSError):
                    file.unlink()

    def _run_odoo(self, database, job, log, follow):
        paths = [*odoo_source.find().addons_paths, self.root]
        command = [sys.executable, PROGRAM, job, "-d", database, "--stop-after-init"]
        command += ["--test-enable", f"--test-tags=/{ADDON}", f"--http-port={shell.free_port()}"]
        command += ["--max-cron-threads=0", f"--addons-path={','.join(map(str, paths))}"]
        variables = {"PYTHONDONTWRITEBYTECODE": "1"}
        if not follow:
            variables["ODOO_TEST_MAX_FAILED_TESTS"] = "1"
        with log.open("w") as out:
            return subprocess.run(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **odoo.environment(), **variables},
                preexec_fn=shell.die_with_parent,
            ).returncode


def _what_ran(name, answer, problems):
    """{test: [seconds, lines]} of what passed in a run of the tests of a file."""
    failed = set(answer.get("all_failed", ()))
    if not answer["tests"]:
        problems = problems or [answer["failed"]]
    for one in sorted(failed) or problems:
        shell.say(f"Left out, fails as it is: {name}: {one}")
    return {
        test: [seen["seconds"], seen["lines"]]
        for test, seen in answer["tests"].items()
        if test not in failed and (failed or not problems)
    }


def find_tests(root):
    """The files of tests that mutants are shown to."""
    return [
        file
        for file in sorted((root / TESTS).rglob("test_*.py"))
        if file.parent.name not in LEFT_OUT
    ]


def _module(path):
    return "odoo.addons." + path.removesuffix(".py").replace("/", ".")


def _class_of(test):
    return test.rpartition(".")[0]


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]
