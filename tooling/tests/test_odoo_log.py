import unittest

from tooling import odoo_log, testing

START = "2026-01-31 10:00:00,123 42"
RESULT = f"{START} INFO db odoo.tests.result: %s when loading database 'db'"


def report(*lines, provoked=()):
    parser = odoo_log.LogParser(provoked)
    for line in lines:
        parser.feed(line + "\n")
    return parser.finish()


class TestLogParser(unittest.TestCase):
    def test_counts_tests(self):
        read = report(RESULT % "1 failed, 2 error(s) of 10 tests")
        self.assertEqual((read.run, read.passed, read.failed), (10, 7, 3))

    def test_the_last_count_holds(self):
        read = report(
            RESULT % "0 failed, 0 error(s) of 3 tests", RESULT % "0 failed, 0 error(s) of 8 tests"
        )
        self.assertEqual(read.run, 8)

    def test_a_problem_keeps_its_lines(self):
        read = report(
            f"{START} INFO db odoo.modules: fine",
            f"{START} ERROR db odoo.http: broken",
            "Traceback (most recent call last):",
            "ValueError",
            f"{START} INFO db odoo.modules: fine again",
        )
        (problem,) = read.problems
        self.assertEqual(
            problem.splitlines()[1:], ["Traceback (most recent call last):", "ValueError"]
        )

    def test_a_problem_at_the_end_is_not_lost(self):
        self.assertEqual(len(report(f"{START} WARNING db odoo.fields: odd").problems), 1)

    def test_any_logger_and_no_database(self):
        read = report(f"{START} WARNING ? py.warnings: old", f"{START} CRITICAL ? x: dead")
        self.assertEqual(len(read.problems), 2)

    def test_information_is_no_problem(self):
        self.assertFalse(report(f"{START} INFO db odoo: an ERROR is mentioned").problems)

    def test_colours(self):
        line = f"{START} \x1b[1;31mERROR\x1b[0m db \x1b[1mx\x1b[0m: red"
        self.assertEqual(len(report(line).problems), 1)

    def test_allowed_warnings_are_no_problems_and_errors_always_are(self):
        message = "Killing chrome headless with pid 4711: still alive"
        warning = f"{START} WARNING db odoo.addons.x.tests.test_x.TestX.test_y.browser: {message}"
        self.assertFalse(report(warning).problems)
        self.assertTrue(report(warning.replace("WARNING", "ERROR")).problems)

    def test_warnings_caused_on_purpose(self):
        line = f"{START} WARNING db odoo.http: no id"
        provoked = ((r"^odoo\.http$", "no id"),)
        self.assertFalse(report(line, provoked=provoked).problems)
        self.assertTrue(report(line.replace("no id", "no lead"), provoked=provoked).problems)
        self.assertTrue(report(line.replace("odoo.http", "odoo.orm"), provoked=provoked).problems)

    def test_names_the_test_that_starts(self):
        parser = odoo_log.LogParser()
        line = f"{START} INFO db odoo.addons.crm.tests.test_x: Starting TestX.test_y ..."
        self.assertEqual(parser.feed(line), "TestX.test_y")
        self.assertIsNone(parser.feed(f"{START} INFO db x: Starting post tests"))


class TestJudge(unittest.TestCase):
    def judge(self, *lines, status=0, **options):
        outcome = testing.judge(report(*lines), status, "the log", **options)
        return outcome.passed, outcome.failed

    def setUp(self):
        self.said = []
        self.addCleanup(setattr, testing.shell, "say", testing.shell.say)
        testing.shell.say = self.said.append

    def test_all_well(self):
        self.assertEqual(self.judge(RESULT % "0 failed, 0 error(s) of 4 tests"), (4, 0))
        self.assertFalse(self.said)

    def test_a_warning_fails_the_run(self):
        warning = f"{START} WARNING db odoo: hm"
        self.assertEqual(self.judge(warning, RESULT % "0 failed, 0 error(s) of 4 tests"), (4, 1))
        self.assertIn(warning, self.said)

    def test_nothing_ran(self):
        result = (RESULT % "0 failed, 0 error(s) of 0 tests").replace("INFO", "WARNING")
        self.assertEqual(self.judge(result), (0, 1))
        self.assertEqual(self.judge(result, complain_if_none=False), (0, 0))

    def test_a_failed_installation(self):
        self.assertEqual(self.judge(f"{START} CRITICAL db odoo: no", status=255), (0, 1))
        self.assertEqual(self.judge(status=1), (0, 1))
        self.assertEqual(self.judge(status=1, complain_if_none=False), (0, 1))

    def test_more_errors_than_tests(self):
        self.assertEqual(self.judge(RESULT % "0 failed, 3 error(s) of 1 tests", status=1), (0, 3))


class TestTags(unittest.TestCase):
    def test_a_module_is_added_where_none_is_named(self):
        for given, completed in (
            ("", "/a,/b"),
            ("/a", "/a"),
            ("/a:TestX.test_y", "/a:TestX.test_y"),
            (":TestX", "/a:TestX,/b:TestX"),
            ("TestX.test_y", "/a:TestX.test_y,/b:TestX.test_y"),
            (".test_y", "/a.test_y,/b.test_y"),
            ("post_install", "post_install/a,post_install/b"),
            ("/a,-slow", "/a,-slow"),
            ("/web:WebSuite.test_unit_desktop[@a,x]", "/web:WebSuite.test_unit_desktop[@a,x]"),
        ):
            with self.subTest(given):
                self.assertEqual(testing.complete_tags(given, ["a", "b"]), completed)


class TestUnitTestCount(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, testing.shell, "say", testing.shell.say)
        testing.shell.say = lambda message: None

    def test_counts(self):
        for output, status, expected in (
            ("Ran 5 tests in 0.1s\n\nOK", 0, (5, 0)),
            ("Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2)", 1, (2, 3)),
            ("Ran 0 tests in 0.0s", 5, (0, 1)),
            ("Traceback", 1, (0, 1)),
        ):
            outcome = testing.count_unit_tests(output, status)
            self.assertEqual((outcome.passed, outcome.failed), expected)
