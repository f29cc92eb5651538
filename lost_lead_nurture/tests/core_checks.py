"""The next Odoo: what the add-on changes or calls of core is there, as it was written for."""

import ast
import inspect
from pathlib import Path

from odoo import fields, models
from odoo.modules import get_module_path
from odoo.tests import TransactionCase

from odoo.addons.mass_mailing.controllers.main import MassMailController

#: Methods that every model may override, as Odoo's documentation says.
ORM = {
    *("create", "write", "unlink", "copy", "copy_data", "default_get", "name_search"),
    *("web_search_read", "get_values", "set_values", "_compute_display_name"),
}
#: Controllers of core whose methods are called, which are in no registry.
CONTROLLERS = {"MassMailController": MassMailController}
#: Private methods of the ORM.
ORM_PRIVATE = {
    name
    for base in (models.BaseModel, fields.Field, fields.Selection)
    for name in dir(base)
    if name.startswith("_")
}


def read_parameters(function):
    """The parameters of a method but `self`, as a list of core's methods has them."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return ", ".join(
        str(one.replace(annotation=one.empty, default=one.empty)) for one in parameters
    )


class CoreCase(TransactionCase):
    """Compares the list of an add-on, its `core_methods`, with what the add-on does."""

    module = None
    methods = None
    maxDiff = None

    def is_own(self, base):
        return base.__module__.startswith("odoo.addons.lost_lead_nurture")

    def find_overridden(self):
        """``{model.method: parameters in core}`` of all methods of core that the module overrides,
        without those that are the ORM's to be overridden, such as `create`."""
        found = {}
        for name, model in self.registry.items():
            mro = model.__mro__
            for index, base in enumerate(mro):
                if base.__module__.startswith(f"odoo.addons.{self.module}."):
                    found |= self.find_overridden_in(base, mro[index + 1 :], base._name or name)
        return found

    def find_overridden_in(self, own, bases, model):
        found = {}
        for name, method in vars(own).items():
            if name.startswith("__") or name in ORM or not inspect.isfunction(method):
                continue
            for base in bases:
                if not self.is_own(base) and inspect.isfunction(vars(base).get(name)):
                    found[f"{model}.{name}"] = read_parameters(vars(base)[name])
                    break
        return found

    def find_called(self):
        """Names of the private methods that the module calls and that are neither its own nor the
        ORM's."""
        called, known = set(), set(ORM_PRIVATE)
        root = Path(get_module_path(self.module)).parent
        for file in root.glob("lost_lead_nurture*/**/*.py"):
            parts = file.relative_to(root).parts
            tree = ast.parse(file.read_text())
            known |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            if parts[0] == self.module and "tests" not in parts:
                called |= {
                    node.func.attr
                    for node in ast.walk(tree)
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                }
        return {name for name in called - known if name.startswith("_") and name != "_"}

    def check_overridden(self):
        """Each method that is listed is overridden, takes what it took, and no other one is."""
        listed = {name: known for name, (known, _why) in self.methods.OVERRIDDEN.items()}
        self.assertEqual(self.find_overridden(), listed)

    def check_called(self):
        """Each private method that is listed is called, takes what it took, and no other one is."""
        names = {name.rpartition(".")[2] for name in self.methods.CALLED}
        self.assertEqual(self.find_called(), names)
        for name, (known, _why) in self.methods.CALLED.items():
            model, _dot, method = name.rpartition(".")
            with self.subTest(name):
                owner = CONTROLLERS.get(model) or self.registry[model]
                self.assertEqual(read_parameters(getattr(owner, method)), known)
