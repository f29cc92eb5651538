"""The check of the tests themselves: what counts, what is said, and when it passes."""

import ast
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from unittest import mock

from tooling import mutation
from tooling.mutation import explained, fast, memory, mutants, report, substitute

SOURCE = textwrap.dedent(
    '''
    """A module."""
    LIMIT = 3


    class Window:
        @property
        def is_open(self):
            return self.size < LIMIT and not self.closed


    def add(one, other):
        return one + other
    '''
).lstrip()


def mutant(path="tools/a.py", line=1, place="f", before="a < b", after="a <= b", source="x"):
    return mutants.Mutant(path, line, place, before, after, source)


class TestMutants(unittest.TestCase):
    def setUp(self):
        self.made = mutants.make("tools/a.py", SOURCE)

    def test_mistakes_of_each_kind(self):
        changes = {(one.before, one.after) for one in self.made}
        line = "return self.size < LIMIT and not self.closed"
        for change in (
            ("LIMIT = 3", "LIMIT = 4"),
            ("LIMIT = 3", "LIMIT = 2"),
            ("@property", ""),
            (line, line.replace("<", "<=")),
            (line, line.replace("<", ">=")),
            (line, line.replace(" and ", " or ")),
            (line, line.replace(" not ", " ")),
            ("return one + other", "return one - other"),
        ):
            self.assertIn(change, changes)

    def test_each_is_another_program(self):
        programs = {ast.dump(ast.parse(one.source)) for one in self.made}
        self.assertEqual(len(programs), len(self.made))
        self.assertNotIn(ast.dump(ast.parse(SOURCE)), programs)

    def test_where_they_are(self):
        places = {(one.line, one.place) for one in self.made}
        self.assertEqual(
            places, {(2, ""), (6, "Window.is_open"), (8, "Window.is_open"), (12, "add")}
        )

    def test_a_key_does_not_know_lines(self):
        moved = mutants.make("tools/a.py", SOURCE.replace("LIMIT", "# A limit.\nLIMIT", 1))
        self.assertEqual([one.key for one in moved], [one.key for one in self.made])
        self.assertNotEqual([one.line for one in moved], [one.line for one in self.made])

    def test_exceptions_with_long_names(self):
        source = "try:\n    f()\nexcept (a.Error, KeyError):\n    pass\n"
        for one in mutants.make("tools/a.py", source):
            ast.parse(one.source)

    def test_what_functions_do(self):
        inside = mutants.in_functions(self.made, {"tools/a.py": SOURCE})
        self.assertEqual({one.line for one in inside}, {8, 12})


class TestSample(unittest.TestCase):
    def setUp(self):
        self.all = [mutant(line=number, before=f"a < {number}") for number in range(200)]

    def test_the_same_by_the_same_seed(self):
        drawn = mutants.sample(self.all, 60, 19)
        self.assertEqual(len({one.line for one in drawn}), 60)
        self.assertEqual(mutants.sample(self.all[::-1], 60, 19), drawn)
        self.assertNotEqual(mutants.sample(self.all, 60, 20), drawn)

    def test_what_changes_elsewhere_hardly_changes_it(self):
        drawn = {one.key for one in mutants.sample(self.all, 60, 19)}
        moved = [mutant(line=one.line + 7, before=one.before) for one in self.all[1:]]
        again = {one.key for one in mutants.sample(moved, 60, 19)}
        self.assertLessEqual(len(drawn - again), 1)

    def test_all_parts_are_drawn_from(self):
        lines = [one.line for one in mutants.sample(self.all, 60, 19)]
        self.assertEqual(lines, sorted(lines))
        for start in range(0, 200, 50):
            self.assertGreater(len([line for line in lines if start <= line < start + 50]), 5)

    def test_no_more_than_there_are(self):
        self.assertEqual(mutants.sample(self.all[:5], 60, 1), self.all[:5])


class TestExplained(unittest.TestCase):
    def test_a_line_is_about_what_it_says(self):
        one = mutant()
        text = "# why\n\n" + explained.write_line(one, "both are the same") + "\n"
        reasons = explained.read(text)
        self.assertEqual(reasons[mutant(line=99, source="y").key], "both are the same")
        for other in (mutant(place="g"), mutant(after="a > b"), mutant(path="tools/b.py")):
            self.assertNotIn(other.key, reasons)

    def test_at_the_top_of_a_file_there_is_no_place(self):
        one = mutant(place="", after="")
        self.assertIn(one.key, explained.read(explained.write_line(one, "why")))

    def test_a_reason_is_needed(self):
        line = explained.write_line(mutant(), "why")
        for wrong in (line.removesuffix("why"), line.rpartition(explained.SEPARATOR)[0], "x"):
            with self.assertRaises(explained.BadList):
                explained.read(wrong)

    def test_what_is_explained_and_no_more_there(self):
        reasons = {mutant().key: "why", mutant(place="g").key: "why"}
        self.assertEqual(explained.outdated(reasons, [mutant()]), [mutant(place="g").key])
        self.assertEqual(explained.outdated(reasons, [mutant(path="tools/b.py")]), [])

    def test_the_list_itself(self):
        """Every line can be read, and is about a file that there is."""
        text = explained.FILE.read_text()
        for path, *_rest in explained.read(text):
            self.assertTrue((Path(__file__).parents[2] / path).exists(), path)


class TestReport(unittest.TestCase):
    def results(self, killed, survived):
        return [
            report.Result(mutant(line=number, source=str(number)), number < killed, "test")
            for number in range(killed + survived)
        ]

    def test_enough(self):
        reasons = {mutant().key: "why"}
        self.assertEqual(report.judge(self.results(9, 1), reasons), [])
        self.assertEqual(report.judge(self.results(54, 6), reasons), [])
        self.assertEqual(report.judge(self.results(1, 0), {}), [])

    def test_too_few_killed(self):
        reasons = {mutant().key: "why"}
        (wrong,) = report.judge(self.results(53, 7), reasons)
        self.assertIn("53 of 60", wrong)

    def test_a_survivor_that_nobody_explains(self):
        (wrong,) = report.judge(self.results(99, 1), {})
        self.assertIn("1 survivors", wrong)

    def test_an_explanation_of_nothing(self):
        (wrong,) = report.judge(self.results(1, 0), {}, [mutant().key])
        self.assertIn("tools/a.py | f | a < b | a <= b", wrong)

    def test_no_mutants_are_no_success(self):
        self.assertTrue(report.judge([], {}))
        self.assertEqual(report.table([], {}), [])

    def test_a_line_for_each_file_and_one_for_all(self):
        results = [*self.results(3, 1), report.Result(mutant("tools/b.py", place="g"), False)]
        lines = [line.split() for line in report.table(results, {mutant().key: "why"})]
        self.assertEqual(lines[1], ["tools/a.py", "3", "/", "4", "75.0", "%", "1"])
        self.assertEqual(lines[2], ["tools/b.py", "0", "/", "1", "0.0", "%"])
        self.assertEqual(lines[3], ["all", "3", "/", "5", "60.0", "%", "1"])

    def test_survivors_in_the_order_of_the_files(self):
        results = [
            report.Result(mutant("tools/b.py"), False),
            report.Result(mutant(line=7), False),
            report.Result(mutant(line=5), True, "test"),
            report.Result(mutant(line=3), False),
        ]
        found = [(one.path, one.line) for one in report.survivors(results)]
        self.assertEqual(found, [("tools/a.py", 3), ("tools/a.py", 7), ("tools/b.py", 1)])

    def test_explained_but_killed(self):
        results = [report.Result(mutant(), True, "test")]
        self.assertEqual(report.needless(results, {mutant().key: "why"}), [mutant()])
        self.assertEqual(report.needless(results, {}), [])


class TestMemory(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name, "deep", "known.jsonl")

    def remember(self, **contents):
        return memory.Memory(self.file, {f"tests.{name}": one for name, one in contents.items()})

    def test_a_run_goes_on_where_it_ended(self):
        killed = report.Result(mutant(), True, "tests.a.TestA.test_x")
        survived = report.Result(mutant(source="y"), False)
        known = self.remember(a="1", b="1")
        known.note(killed)
        known.note(survived)
        known = self.remember(a="1", b="1")
        self.assertEqual(known.recall(killed.mutant), killed)
        self.assertEqual(known.recall(survived.mutant), survived)
        self.assertIsNone(known.recall(mutant(source="z")))

    def test_what_killed_is_no_more_what_it_was(self):
        known = self.remember(a="1", ab="1")
        known.note(report.Result(mutant(), True, "tests.a.TestA.test_x"))
        self.assertTrue(self.remember(a="1", ab="2").recall(mutant()))
        self.assertIsNone(self.remember(a="2", ab="1").recall(mutant()))

    def test_a_new_test_may_kill_survivors(self):
        self.remember(a="1").note(report.Result(mutant(), False))
        self.assertIsNone(self.remember(a="1", b="1").recall(mutant()))

    def test_time_kills_as_long_as_all_is_as_it_was(self):
        self.remember(a="1").note(report.Result(mutant(), True, "time"))
        self.assertTrue(self.remember(a="1").recall(mutant()))
        self.assertIsNone(self.remember(a="2").recall(mutant()))

    def test_anew(self):
        known = self.remember(a="1")
        known.note(report.Result(mutant(), False))
        known.forget()
        self.assertIsNone(known.recall(mutant()))
        self.assertIsNone(self.remember(a="1").recall(mutant()))


class TwoRounds:
    """A group of tests in which a mutant says itself in which round it dies."""

    def __init__(self, file):
        self.file, self.round, self.shown = file, 0, []

    def memory(self):
        return memory.Memory(self.file, {"tests.a": "1"})

    def rounds(self):
        for number in (1, 2):
            self.round = number
            yield

    def test(self, one):
        self.shown.append((self.round, one.source))
        return report.Result(one, one.source == f"dies {self.round}", "tests.a.TestA.test_x")


class TestCheck(unittest.TestCase):
    """Mutants are shown to tests in rounds, the likely ones first."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.group = TwoRounds(Path(folder.name, "known.jsonl"))
        quiet = mock.patch.object(mutation.shell, "say")
        quiet.start()
        self.addCleanup(quiet.stop)

    def check(self, *sources, **options):
        results = mutation.check(self.group, [mutant(source=one) for one in sources], 1, **options)
        return {result.mutant.source: result.killed for result in results}

    def test_who_survives_a_round_sees_the_next(self):
        found = self.check("dies 1", "dies 2", "lives")
        self.assertEqual(found, {"dies 1": True, "dies 2": True, "lives": False})
        first, second = self.group.shown[:3], self.group.shown[3:]
        self.assertEqual(sorted(first), [(1, "dies 1"), (1, "dies 2"), (1, "lives")])
        self.assertEqual(sorted(second), [(2, "dies 2"), (2, "lives")])

    def test_when_all_are_dead_it_ends(self):
        self.assertEqual(self.check("dies 1"), {"dies 1": True})
        self.assertEqual(self.group.round, 1)

    def test_what_is_known_is_not_shown_again(self):
        before = self.check("dies 2", "lives")
        self.group.shown.clear()
        self.assertEqual(self.check("dies 2", "lives"), before)
        self.assertEqual(self.group.shown, [])
        self.assertEqual(self.check("dies 2", "lives", anew=True), before)
        self.assertTrue(self.group.shown)


class TestSubstitute(unittest.TestCase):
    def run_module(self, text, covered=None):
        name = "a_module_of_this_test"
        finder = substitute.Finder({name: ("a_file.py", text)}, covered)
        finder.install()
        self.addCleanup(sys.modules.pop, name, None)
        self.addCleanup(sys.meta_path.remove, finder)
        return __import__(name), covered and covered[name]

    def test_another_text(self):
        module, _covered = self.run_module("def f():\n    return 5\n")
        self.assertEqual(module.f(), 5)
        self.assertEqual(module.__file__, "a_file.py")

    def test_which_lines_ran(self):
        text = (
            '"""Text."""\nfrom __future__ import annotations\n\n\ndef f(x):\n    """Text."""\n'
            "    if x:\n        return (\n            1\n        )\n    else:\n        return 2\n"
        )
        covered = {"other": set()}
        module, _lines = self.run_module(text, covered)
        lines = covered[module.__name__]
        self.assertEqual(module.__doc__, "Text.")
        self.assertEqual(module.f.__doc__, "Text.")
        self.assertEqual(lines, {5})
        lines.clear()
        self.assertEqual(module.f(1), 1)
        self.assertEqual(lines, {7, 8})
        statements = substitute.statement_lines(text)
        self.assertEqual([statements[line] for line in (5, 7, 9, 12)], [5, 7, 8, 12])

    def test_a_decorator_belongs_to_what_it_decorates(self):
        text = "import functools\n\n\n@functools.cache\ndef f():\n    return 1\n"
        covered = {"other": set()}
        module, _lines = self.run_module(text, covered)
        self.assertIn(substitute.statement_lines(text)[4], covered[module.__name__])


class TestChoice(unittest.TestCase):
    """Which of the fast tests a mistake in a line is shown to."""

    def setUp(self):
        self.tests = fast.Tests("LIMIT = 3\n\n\ndef f():\n    return (\n        LIMIT\n    )\n")
        self.tests.learn(
            "m",
            {
                "seconds": {"slow": 3.0, "quick": 1.0, "other": 0.5},
                "lines": {"slow": {"m": [5]}, "quick": {"m": [5]}, "other": {"n": [5]}},
            },
        )

    def test_those_that_come_there_the_quickest_first(self):
        self.assertEqual(self.tests.choose(6), ["quick", "slow"])

    def test_where_none_comes_all_may_notice(self):
        """A function may have made what they use before any of them began."""
        tests = fast.Tests("def f():\n    return 3\n")
        tests.learn("m", {"seconds": {"one": 1.0}, "lines": {"one": {"m": []}}})
        self.assertEqual(tests.choose(2), ["one"])

    def test_what_runs_when_it_is_imported_is_for_all(self):
        self.assertEqual(self.tests.choose(1), ["other", "quick", "slow"])
