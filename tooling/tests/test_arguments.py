"""What callers over RPC may give, and what they learn of the rest."""

import unittest

from hypothesis import given
from hypothesis import strategies as st

from odoo.api import NewId
from odoo.exceptions import UserError

from . import pure

arguments = pure.load("arguments")

ENV = pure.Env()
#: What JSON and XML-RPC carry that is no number of a record.
NO_IDS = (0, -1, 2**31, True, False, None, "5", "", 5.0, [5], {}, ())


def refusal(function, *given):
    """What somebody learns who gives something; None when it is taken."""
    try:
        function(*given)
    except UserError as error:
        return str(error)
    return None


class TestIds(unittest.TestCase):
    def test_one(self):
        for value in (1, 2, 2**31 - 1):
            self.assertEqual(arguments.read_id(ENV, value), value)
        for value in NO_IDS:
            said = refusal(arguments.read_id, ENV, value)
            self.assertEqual(said, f"“{value}” is no id of a record.")

    def test_several(self):
        self.assertEqual(arguments.read_ids(ENV, [3, 1, 3]), [3, 1, 3])
        self.assertEqual(arguments.read_ids(ENV, (3, 1)), [3, 1])
        self.assertEqual(arguments.read_ids(ENV, 7), [7])
        self.assertEqual(arguments.read_ids(ENV, []), [])

    def test_one_wrong_id_is_enough(self):
        for value in NO_IDS[:-1]:
            self.assertTrue(refusal(arguments.read_ids, ENV, [1, value, 2]), value)

    def test_what_a_list_gives_belongs_to_the_caller(self):
        given_ids = [1, 2]
        arguments.read_ids(ENV, given_ids).append(3)
        self.assertEqual(given_ids, [1, 2])


class TestRecords(unittest.TestCase):
    def records(self, *ids):
        class Records(tuple):
            _ids, env, _description = ids, ENV, "Sequence"

        return Records(ids)

    def test_records(self):
        self.assertIsNone(refusal(arguments.check_records, self.records()))
        self.assertIsNone(refusal(arguments.check_records, self.records(1, 2)))
        self.assertIsNone(refusal(arguments.check_records, self.records(1), True))
        for value in NO_IDS[:-1]:
            self.assertTrue(refusal(arguments.check_records, self.records(1, value)), value)

    def test_records_that_are_being_made(self):
        """The form of a record that is not saved yet calls methods, too."""
        self.assertIsNone(refusal(arguments.check_records, self.records(NewId(3)), True))
        self.assertTrue(refusal(arguments.check_records, self.records(NewId(3), "x")))

    def test_one_at_a_time(self):
        for ids in ((), (1, 2)):
            said = refusal(arguments.check_records, self.records(*ids), True)
            self.assertIn("“Sequence” is for one record at a time", said)
            self.assertIn(f"for {len(ids)}.", said)


class TestNumbers(unittest.TestCase):
    def test_within(self):
        for value in (1, 5, 10):
            self.assertEqual(arguments.read_number(ENV, value, 1, 10), value)

    def test_outside(self):
        for value in (0, 11, True, "5", 5.0, None, [5]):
            said = refusal(arguments.read_number, ENV, value, 1, 10)
            self.assertEqual(said, f"“{value}” is no whole number from 1 to 10.")


class TestChoices(unittest.TestCase):
    def test_one_of_them(self):
        self.assertEqual(arguments.read_choice(ENV, "day", ("hour", "day")), "day")
        self.assertEqual(arguments.read_choice(ENV, "", {"": "None"}), "")

    def test_others_are_shown_what_there_is(self):
        choices = {"replied": "Replied", "won": ""}
        for value in ("Replied", "", None, ["won"], {}, 0, True):
            said = refusal(arguments.read_choice, ENV, value, choices)
            self.assertEqual(said, f"“{value}” is none of: Replied (replied); won.")
        said = refusal(arguments.read_choice, ENV, "week", ("hour", "day"))
        self.assertEqual(said, "“week” is none of: hour; day.")


class TestWhatIsShown(unittest.TestCase):
    def shown(self, value):
        return refusal(arguments.read_id, ENV, value)[1:].partition("” is no id")[0]

    def test_long_values_are_cut(self):
        self.assertEqual(self.shown("x" * 50), "x" * 50)
        self.assertEqual(self.shown("x" * 51), "x" * 50 + "…")

    @given(st.text(st.characters(exclude_categories=()), max_size=80))
    def test_whatever_is_given_can_be_sent_back(self, value):
        self.assertLessEqual(len(self.shown(value).encode()), 4 * 51)

    def test_half_characters(self):
        self.assertEqual(self.shown("a\ud800b"), "a?b")
