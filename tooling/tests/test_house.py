"""How the add-ons' code is laid out."""

import ast
import collections
import unittest

from tooling import addons, settings


def read_models(addon):
    """Yield (model, class, file) of every class of a model in an add-on."""
    for file in sorted((settings.ROOT / addon).rglob("*.py")):
        if "tests" in file.relative_to(settings.ROOT).parts:
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


def read_imported(init):
    """The modules that a package's `__init__` imports, with the path that each is imported from."""
    for node in ast.parse(init.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            for name in node.names:
                yield "/".join(filter(None, [*(node.module or "").split("."), name.name]))


def read_tests(pattern):
    """The files of all add-ons' tests."""
    for addon in addons.every_name():
        yield from sorted((settings.ROOT / addon / "tests").rglob(pattern))


def is_own(node):
    """Tell whether this imports from the add-ons of the project."""
    return node.level or (node.module or "").startswith("odoo.addons.lost_lead_nurture")


def read_body(method):
    """What a method takes and does, without what is said about it."""
    said = ast.get_docstring(method) is not None
    return ast.dump(method.args) + "".join(map(ast.dump, method.body[said:]))


class TestTests(unittest.TestCase):
    def test_all_are_run(self):
        """Odoo runs what is an attribute of `tests`: what is forgotten there, or of the same name
        as another one, would be left out in silence."""
        for addon in addons.every_name():
            tests = settings.ROOT / addon / "tests"
            there = sorted(
                file.relative_to(tests).with_suffix("").as_posix()
                for file in tests.rglob("test_*.py")
            )
            self.assertTrue(there, addon)
            self.assertEqual(there, sorted(read_imported(tests / "__init__.py")))
            names = collections.Counter(path.rpartition("/")[2] for path in there)
            self.assertFalse([name for name, times in names.items() if times > 1], addon)

    def test_no_test_module_imports_another(self):
        """What several of them need lies beside the rooms: nobody looks for it in a test."""
        for file in read_tests("[!_]*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and is_own(node):
                    names = [*(node.module or "").split("."), *(name.name for name in node.names)]
                    found = [name for name in names if name.startswith("test_")]
                    self.assertFalse(found, file)

    def test_each_helper_once(self):
        """What two classes write alike belongs to `common.py`, or a file of its subject."""
        places = collections.defaultdict(list)
        for file in read_tests("*.py"):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef):
                    for method in node.body:
                        if isinstance(method, ast.FunctionDef) and method.name[:5] != "test_":
                            where = f"{file.name}:{node.name}.{method.name}"
                            places[read_body(method)].append(where)
        self.assertTrue(places)
        self.assertFalse([where for where in places.values() if len(where) > 1])
