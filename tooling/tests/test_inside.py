"""What only code on the server can put into a context."""

import json
import types
import unittest

from . import pure

inside = pure.load("inside")


class Records:
    """Records that know their environment."""

    def __init__(self, su=False, **context):
        self.env = Environment(su, context)

    def with_env(self, env):
        return Records(env.su, **env.context)


class Environment(types.SimpleNamespace):
    def __init__(self, su, context):
        super().__init__(su=su, context=context)

    def __call__(self, context):
        return Environment(self.su, context)


class TestInside(unittest.TestCase):
    def test_marks(self):
        self.assertTrue(inside.is_inside(Records(mark=inside.INSIDE).env, "mark"))
        for value in ("inside", True, 1, None, {"inside": 1}):
            self.assertFalse(inside.is_inside(Records(mark=value).env, "mark"), value)
        self.assertFalse(inside.is_inside(Records().env, "mark"))

    def test_a_mark_can_be_written_down_and_says_nothing_then(self):
        context = json.loads(json.dumps({"mark": inside.INSIDE}))
        self.assertFalse(inside.is_inside(Records(**context).env, "mark"))

    def test_texts(self):
        code = inside.Inside("a1")
        self.assertEqual(inside.get_inside(Records(code=code).env, "code"), "a1")
        for value in ("a1", {}, 1, None):
            self.assertIsNone(inside.get_inside(Records(code=value).env, "code"))
        self.assertIsNone(inside.get_inside(Records().env, "code"))

    def test_defaults_of_clients(self):
        """What nobody writes is not filled in by what a client sends along."""
        records = Records(default_state="done", default_name="x", lang="de")
        cleaned = inside.without_defaults(records, ("state", "date"))
        self.assertEqual(cleaned.env.context, {"default_name": "x", "lang": "de"})

    def test_what_needs_no_cleaning_stays(self):
        for records in (
            Records(default_name="x"),
            Records(state="done"),
            Records(su=True, default_state="done"),
        ):
            self.assertIs(inside.without_defaults(records, ("state",)), records)
