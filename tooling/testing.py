"""./dev test: every check of the project, or some of Odoo's tests."""

import collections
import concurrent.futures
import contextlib
import datetime
import json
import re
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass

from . import (
    addons,
    bench,
    databases,
    demo,
    faults,
    halves,
    jobs,
    lint,
    odoo,
    odoo_log,
    pypi_addons,
    settings,
    shell,
    story,
    templates,
    upgrade,
)

TAG = re.compile(r"^(?P<sign>[+-]?)(?P<tag>\*|\w*)(?P<module>/[\w./-]+)?(?P<rest>[:.\[].*)?$")
SHOWN_PROBLEMS = 5


@dataclass
class Outcome:
    """How many tests of one kind passed and failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other):
        return Outcome(self.passed + other.passed, self.failed + other.failed)


def main(options):
    """Run what was asked for, end with the line `N passed, N failed`, return the exit status."""
    if options.tags or options.quick:
        checks = [("Odoo tests", lambda: run_odoo_tests(options))]
    else:
        checks = [
            ("Lint", run_lint),
            ("Tests of the tooling", run_unit_tests),
            ("Odoo tests", lambda: run_odoo_tests(options)),
            ("Installation beside people at work", run_installation),
            ("Demo story", run_story),
            ("Update of an earlier version", run_upgrade),
            ("Faults", run_faults),
            ("Job queue", run_job_queue),
            ("Stock and website", run_heavy),
        ]
    total = Outcome()
    for title, check in checks:
        outcome = run_check(title, check)
        shell.say(f"{title}: {outcome.passed} passed, {outcome.failed} failed")
        total += outcome
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0


def run_check(title, check):
    """Run a kind of tests. What keeps it from running counts as a failed test."""
    shell.say(f"== {title}")
    start = time.monotonic()
    try:
        outcome = check()
    except shell.Failure as failure:
        shell.say(f"Error: {failure}")
        outcome = Outcome(failed=1)
    except Exception:
        shell.say(traceback.format_exc())
        outcome = Outcome(failed=1)
    shell.say(f"   ({time.monotonic() - start:.0f} s)")
    return outcome


def run_lint():
    """Run the linters; each is one test."""
    failed = lint.run()
    return Outcome(len(lint.LINTERS) - failed, failed)


def run_unit_tests():
    """Run the tests of the tooling itself."""
    done = subprocess.run(
        [sys.executable, "-m", "unittest", "discover", "-s", "tooling/tests", "-t", "."],
        cwd=settings.ROOT,
        capture_output=True,
        text=True,
    )
    # what they have measured
    for line in filter(None, done.stdout.splitlines()):
        shell.say(f"   {line}")
    return count_unit_tests(done.stderr, done.returncode)


def count_unit_tests(output, status):
    """Count tests in what Python's unittest prints, and show what failed."""
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    count = int(ran[1]) if ran else 0
    failed = sum(map(int, re.findall(r"(?:failures|errors)=(\d+)", output)))
    if status or not count:
        shell.say(output)
        failed = failed or 1
    return Outcome(max(0, count - failed), failed)


def run_installation():
    """Install the add-ons while others write the tables of core: one test for each."""
    odoo.clean_start()
    with bench.Databases() as made:
        return Outcome(passed=len(bench.measure_install(made, scale=0)))


def run_story():
    """Play the demo story on a database of its own; it counts as the checks it reports."""
    odoo.clean_start()
    name = databases.temporary("story")
    port = shell.free_port()
    log = shell.new_log("story")
    try:
        demo.create(name, port)
        results = demo.play(name, port, log)
    finally:
        databases.drop(name)
    report = odoo_log.read(log, story.PROVOKED) if log.exists() else odoo_log.Report()
    show_problems(report.problems, log)
    for result in results:
        shell.say(json.dumps(result))
    return Outcome(len(results), len(report.problems))


def run_upgrade():
    """Bring the story's database of an earlier version to this one; it is one test."""
    if not upgrade.is_possible():
        shell.say(f"   Not possible: this clone does not have the commit {upgrade.BEFORE}.")
        return Outcome()
    problems = upgrade.play()
    for problem in problems[:SHOWN_PROBLEMS]:
        shell.say(shorten(problem))
    return Outcome(0 if problems else 1, len(problems))


def run_faults():
    """Provoke all that can go wrong; each scenario is one test."""
    result = faults.play()
    shell.say(json.dumps(result))
    return Outcome(result["scenarios"], len(result["failed"]))


def run_job_queue():
    """Run the tests of the bridges to add-ons from PyPI, then the real job runner."""
    bridges = [name for name in addons.every_name() if addons.needs_pypi(name)]
    pypi_addons.ensure()
    odoo.clean_start()
    name = databases.temporary("jobs")
    try:
        outcome = run_installing(name, bridges, complete_tags("", bridges))
        shell.say(f"   {jobs.play(name)}")
        return outcome + Outcome(passed=1)
    finally:
        databases.drop(name)


def run_heavy():
    """Run the tests of the bridges that need much of Odoo."""
    bridges = addons.heavy_names()
    odoo.clean_start()
    name = databases.temporary("heavy")
    try:
        return run_installing(name, bridges, complete_tags("", bridges))
    finally:
        databases.drop(name)


def run_odoo_tests(options):
    """Run the add-ons' tests in a fresh copy of a database."""
    mentioned = set(re.findall(r"\w+", options.tags or ""))
    # bridges that are in the databases of their own tests only
    bridges = sorted(mentioned & (set(addons.every_name()) - set(addons.names())))
    if any(addons.needs_pypi(name) for name in bridges):
        # it is in no template
        pypi_addons.ensure()
        options.quick = False
    modules = [*addons.names(), *bridges]
    if not modules:
        raise shell.Failure("There is no add-on to test yet.")
    tags = complete_tags(options.tags or "", modules)
    odoo.clean_start()
    name = databases.temporary("test")
    try:
        if options.quick:
            outcome = run_quickly(name, bridges, tags)
        elif options.tags:
            outcome = run_installing(name, bridges, tags)
        else:
            outcome = run_halves(name, modules)
    finally:
        if options.keep:
            keep(name)
        else:
            databases.drop(name)
    return outcome


def run_installing(name, bridges, tags, **options):
    """Run tests in a new database, into which the add-ons and these bridges are installed first."""
    databases.copy(templates.base(demo=False, also=bridges), name)
    return run_in(name, tags, ["-i", ",".join([*addons.names(), *bridges])], **options)


def run_halves(name, modules):
    """Install the add-ons, with the tests that belong to that, then run the others in two databases
    side by side."""
    tags = ",".join(f"at_install/{module}" for module in modules)
    outcome = run_installing(name, (), tags, complain_if_none=False)
    if outcome.failed:
        return outcome
    other = databases.temporary("test_beside")
    try:
        databases.copy(name, other)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            runs = [
                pool.submit(run_in, database, half, [])
                for database, half in zip((name, other), halves.split(modules), strict=True)
            ]
            return sum((run.result() for run in runs), outcome)
    finally:
        databases.drop(other)


def run_quickly(name, bridges, tags):
    """Run tests where the add-ons are installed already, updated only if they changed.

    Without an update Odoo runs the post-install tests only. When these are none at all, the tags
    may mean at-install tests, which an update runs.
    """
    template, content = templates.with_addons(bridges)
    changed = content != addons.installed_content(bridges)
    databases.copy(template, name)
    update = ["-u", ",".join([*addons.names(), *bridges])]
    if not changed:
        outcome = run_in(name, tags, [], complain_if_none=False)
        if outcome.passed or outcome.failed:
            return outcome
    return run_in(name, tags, update)


def run_in(database, tags, arguments, *, complain_if_none=True):
    """Run Odoo with tests, watch its log, and count."""
    log = shell.new_log("test", database)
    shell.say(f"Log: {log}")
    command = odoo.command(
        "-d", database, *arguments, "--test-enable", "--test-tags", tags, "--stop-after-init"
    ) + [f"--http-port={shell.free_port()}", "--max-cron-threads=0"]
    parser = odoo_log.LogParser()
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=odoo.environment(),
            preexec_fn=shell.die_with_parent,
        )
        progress = Progress()
        with contextlib.closing(progress):
            for line in process.stdout:
                file.write(line)
                file.flush()
                progress.show(parser.feed(line))
        status = process.wait()
    return judge(parser.finish(), status, log, complain_if_none)


def judge(report, status, log, complain_if_none=True):
    """Turn a report into an outcome: problems in the log fail a run whose tests all pass."""
    problems = list(report.problems)
    if not report.run:
        # Odoo warns of it, too
        problems = [text for text in problems if " of 0 tests when loading" not in text]
        if not problems and not status and not complain_if_none:
            return Outcome()
        problems.append("No test ran: do the tags fit?")
    if status and not report.failed and not problems:
        problems.append(f"Odoo ended with status {status}.")
    show_problems(problems, log)
    return Outcome(report.passed, max(report.failed, 1 if problems else 0))


def show_problems(problems, log):
    """Show the first problems of a log, each once."""
    counted = collections.Counter(problems)
    for text, _count in counted.most_common()[:SHOWN_PROBLEMS] if problems else ():
        shell.say(shorten(text))
    if len(counted) > SHOWN_PROBLEMS:
        shell.say(f"… and {len(counted) - SHOWN_PROBLEMS} more.")
    if problems:
        shell.say(f"The whole log is in {log}")


def shorten(text, lines=40, width=400):
    """Return the start and the end of a long entry, its lines cut."""
    cut = [line[:width] + ("…" if line[width:] else "") for line in text.splitlines()]
    return "\n".join(cut if len(cut) <= lines else [*cut[:5], "…", *cut[5 - lines :]])


def complete_tags(tags, modules):
    """Return test tags that name modules: all of ours where none is named."""
    completed = []
    # as Odoo does: commas in [parameters] do not separate
    for tag in re.split(r",(?![^\[]*\])", tags):
        found = TAG.match(tag.strip())
        if not found:
            raise shell.Failure(f"This is no test tag: {tag} (a tag: /module:Class.method)")
        if found["module"] or found["sign"] == "-":
            completed.append(tag.strip())
            continue
        word, rest = found["tag"], found["rest"] or ""
        if word.startswith("Test"):  # TestClass.method, the colon forgotten
            word, rest = "", f":{word}{rest}"
        completed += [f"{word}/{module}{rest}" for module in modules]
    return ",".join(completed)


def keep(name):
    """Give a run's database a name that no clean-up takes."""
    if databases.exists(name):
        kept = f"kept_{datetime.datetime.now():%m%d_%H%M%S}"
        databases.rename(name, kept)
        shell.say(f"Kept the database: ./dev odoo shell -d {kept}")


class Progress:
    """Shows which test runs: every test on a terminal, every class elsewhere."""

    def __init__(self):
        self.terminal = sys.stderr.isatty()
        self.last = None
        self.count = 0

    def show(self, test):
        """Take the name of a starting test, or None."""
        if not test:
            return
        self.count += 1
        name = test.partition(".")[0]
        if self.terminal:
            sys.stderr.write(f"\r\x1b[K   {self.count} {test}")
            sys.stderr.flush()
        elif name != self.last:
            shell.say(f"   {name}")
        self.last = name

    def close(self):
        """Clear the line."""
        if self.terminal:
            sys.stderr.write("\r\x1b[K")
