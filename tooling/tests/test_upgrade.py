import unittest

from tooling import upgrade


class TestCompare(unittest.TestCase):
    """What counts as lost when a version is brought to the next one."""

    BEFORE = {"nurture_trace": {"id": [1, 2], "round": [1, 7], "reason": ["window", None]}}

    def compare(self, **columns):
        return upgrade.compare(self.BEFORE, {"nurture_trace": columns})

    def test_nothing_is_lost(self):
        for name in ("round", "enrolment_number"):
            columns = {"id": [1, 2], name: [1, 7], "reason": ["sending_hours", None]}
            self.assertEqual(self.compare(**columns), [])

    def test_a_column_is_gone(self):
        (problem,) = self.compare(
            id=[1, 2], enrolment_number=[1, 1], reason=["sending_hours", None]
        )
        self.assertIn("nurture_trace.round is gone", problem)

    def test_a_value_has_no_name_any_more(self):
        (problem,) = self.compare(id=[1, 2], round=[1, 7], reason=["window", None])
        self.assertIn("'sending_hours' became 'window'", problem)

    def test_a_row_is_gone(self):
        problems = self.compare(id=[1], round=[1], reason=["sending_hours"])
        self.assertEqual(len(problems), 3)

    def test_a_row_is_new(self):
        """Templates come with a version; what was there is what is compared."""
        before = {"nurture_step": {"id": [1, 2], "name": ["a", "b"]}}
        after = {"nurture_step": {"id": [1, 2, 3], "name": ["a", "b", "c"]}}
        self.assertEqual(upgrade.compare(before, after), [])
        after["nurture_step"]["name"] = ["c", "b", "a"]
        self.assertEqual(len(upgrade.compare(before, after)), 1)
        columns = {"id": [1, 2, 3], "round": [1, 7, 9], "reason": ["sending_hours", None, None]}
        self.assertEqual(len(self.compare(**columns)), 3)

    def test_what_relates_two_others(self):
        """A new template is for reasons, too; those of the others stay."""
        table = "nurture_sequence_template_reason_rel"
        before = {table: {"reason_id": [1, 2], "sequence_id": [5, 6]}}
        after = {table: {"reason_id": [1, 1, 2], "sequence_id": [5, 7, 6]}}
        self.assertEqual(upgrade.compare(before, after), [])
        after = {table: {"reason_id": [1, 1], "sequence_id": [5, 7]}}
        self.assertTrue(upgrade.compare(before, after))

    def test_a_table_is_gone(self):
        (problem,) = upgrade.compare(self.BEFORE, {})
        self.assertIn("The table nurture_trace is gone", problem)

    def test_what_is_remembered_as_json(self):
        before = {"t": {"decision_log": [[{"reason": "farewell", "date": "window"}]]}}
        after = {"t": {"decision_log": [[{"reason": "last_chance", "date": "sending_hours"}]]}}
        self.assertEqual(upgrade.compare(before, after), [])
