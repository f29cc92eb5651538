"""./dev mutate: whether the tests notice mistakes.

Each mutant is a file of the add-on with one small mistake. Tests that fail kill it. One that
survives shows what no test is about, or a mistake that makes no difference (see explained.py).

The mistakes are cosmic-ray's; its runner is not used. That starts a program for each mutant and
changes the files in place, where here a child of a process that has imported everything takes half
a second, and Odoo needs a database and those tests that come to the mutated line. Mutmut needs a
click that fixit does not work with, and mutates nothing at the top of a module, nor anything with a
decorator.
"""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed

from .. import settings, shell
from . import explained, report

ADDON = "lost_lead_nurture"
TOOLS = f"{ADDON}/tools"
ENGINE = f"{ADDON}/models/trace"
SAMPLE = 60
SEED = 19


def main(options):
    """Check one group of files; return the exit status."""
    name = "engine" if options.engine else "tools"
    with shell.locked(f"mutate-{name}"):
        root = copy_sources(name)
        try:
            return run(root, options)
        finally:
            shell.remove(root)


def run(root, options):
    """Check the copy of the project in ``root``."""
    # these need what not every command does
    from . import fast, mutants, odoo_group

    sources = {
        path: (root / path).read_text()
        for path in list_files(root, ENGINE if options.engine else TOOLS)
        if not options.files or any(part in path for part in options.files)
    }
    every = [one for path, text in sources.items() for one in mutants.make(path, text)]
    chosen = every
    if options.engine:
        chosen = mutants.sample(mutants.in_functions(every, sources), SAMPLE, options.seed)
    shell.say(f"{len(chosen)} mutants of {len(sources)} files.")
    workers = options.workers or os.cpu_count() or 1
    if options.engine:
        group = odoo_group.Group(root, list_files(root, ENGINE), workers)
    else:
        group = fast.Group(root, sources)
    with group:
        results = check(group, chosen, workers, anew=options.anew)
    reasons = explained.read(explained.FILE.read_text())
    return conclude(results, reasons, explained.outdated(reasons, every))


def copy_sources(name):
    """Copy the project, so that nobody meets mutants, nor they what is being written meanwhile."""
    target = settings.DEV / "mutate" / name
    shell.remove(target)
    hidden = shutil.ignore_patterns(".dev", ".git", "node_modules", "__pycache__")
    shutil.copytree(settings.ROOT, target, ignore=hidden)
    return target


def list_files(root, folder):
    """The Python files in a folder of the project."""
    return sorted(str(file.relative_to(root)) for file in (root / folder).glob("*.py"))


def check(group, chosen, workers, *, anew=False):
    """Test all mutants, as many at once as there are workers, and tell of each as it is done."""
    memory = group.memory()
    if anew:
        memory.forget()
    known = [result for one in chosen if (result := memory.recall(one))]
    if known:
        shell.say(f"{len(known)} are known from an earlier run (--anew tests all).")
    results, done = list(known), {result.mutant for result in known}
    survivors = [report.Result(one, False) for one in chosen if one not in done]
    for _round in group.rounds() if survivors else ():
        left, survivors = [result.mutant for result in survivors], []
        with ThreadPoolExecutor(workers) as pool:
            tests = [pool.submit(group.test, one) for one in left]
            for number, future in enumerate(as_completed(tests), 1):
                result = future.result()
                shell.say(f"{number}/{len(left)} {describe(result)}")
                if result.killed:
                    memory.note(result)
                (results if result.killed else survivors).append(result)
        if not survivors:
            break
    for result in survivors:
        memory.note(result)
    return results + survivors


def describe(result):
    """What became of a mutant, in a line."""
    mutant = result.mutant
    what = f"killed by {result.by}" if result.killed else "survives"
    return f"{mutant.path}:{mutant.line} {what}"


def conclude(results, reasons, outdated):
    """Print what was found; return the exit status."""
    left = report.survivors(results)
    for mutant in left:
        why = reasons.get(mutant.key)
        print(f"{mutant}\n    {f'explained: {why}' if why else 'NOT EXPLAINED'}")
    for mutant in report.needless(results, reasons):
        print(f"Explained, but killed: {mutant}")
    print("\n".join(["", *report.table(results, reasons)]))
    wrong = report.judge(results, reasons, outdated)
    for line in wrong:
        print(line)
    print("The tests notice enough." if not wrong else "The tests do not notice enough.")
    return 1 if wrong else 0
