"""What a mutation check found, and whether it is enough."""

import collections
from dataclasses import dataclass

#: How many of a hundred mutants tests must kill.
GOAL = 90


@dataclass(frozen=True)
class Result:
    """What became of a mutant.

    :param killed: whether a test failed, or never ended
    :param by: the test that failed, as far as that is known
    """

    mutant: object
    killed: bool
    by: str = ""


def table(results, reasons):
    """Lines that say how many mutants of each file were killed, and of all."""
    rows = collections.defaultdict(lambda: [0, 0, 0])
    for result in results:
        for name in (result.mutant.path, "all"):
            row = rows[name]
            row[0] += 1
            row[1] += result.killed
            row[2] += not result.killed and result.mutant.key in reasons
    if not results:
        return []
    total = rows.pop("all")
    width = max(len(name) for name in (*rows, "file"))
    lines = [f"{'file':{width}}  killed / total        %  explained"]
    for name, (count, killed, explained) in [*sorted(rows.items()), ("all", total)]:
        share = f"{100 * killed / count:6.1f}"
        lines.append(f"{name:{width}}  {killed:6} / {count:<5} {share} %  {explained or '':>9}")
    return lines


def survivors(results):
    """The mutants that no test killed, in the order of files and lines."""
    found = [result.mutant for result in results if not result.killed]
    return sorted(found, key=lambda mutant: (mutant.path, mutant.line, mutant.after))


def judge(results, reasons, outdated=()):
    """What keeps the check from passing, in words; nothing when it passes."""
    killed = sum(result.killed for result in results)
    wrong = []
    if not results:
        wrong.append("There are no mutants.")
    elif 100 * killed < GOAL * len(results):
        wrong.append(f"{killed} of {len(results)} mutants were killed, less than {GOAL} %.")
    unexplained = [mutant for mutant in survivors(results) if mutant.key not in reasons]
    if unexplained:
        wrong.append(f"{len(unexplained)} survivors are neither killed nor explained.")
    wrong += [f"Explained, but no mutant any more: {' | '.join(key)}" for key in outdated]
    return wrong


def needless(results, reasons):
    """The mutants that are explained although tests kill them."""
    return [one.mutant for one in results if one.killed and one.mutant.key in reasons]
