"""How the add-ons' code is laid out."""

import ast
import collections
import unittest

from tooling import addons, settings


def read_models(addon):
    """Yield (model, class, file) of every class of a model in an add-on."""
    for file in sorted((settings.ROOT / addon).rglob("*.py")):
        if "tests" in file.parts:
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and (model := read_model(node)):
                yield model, node, file


def read_model(node):
    """The name of the model that a class is of, or extends."""
    said = {
        statement.targets[0].id: statement.value.value
        for statement in node.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
    }
    return said.get("_name") or said.get("_inherit")


class TestModels(unittest.TestCase):
    def test_one_place_for_each_method(self):
        """Within an add-on the order of its files decides nothing."""
        for addon in addons.every_name():
            places = collections.defaultdict(list)
            for model, node, file in read_models(addon):
                for method in node.body:
                    if isinstance(method, ast.FunctionDef):
                        places[model, method.name].append(file.name)
            self.assertTrue(places)
            double = {place: files for place, files in places.items() if len(files) > 1}
            self.assertFalse(double, addon)
