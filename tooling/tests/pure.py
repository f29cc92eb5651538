"""What the tests of the add-on's plain Python need: its modules, and properties that repeat."""

import importlib.util
import os
import sys
import types

from markupsafe import Markup, escape

from tooling import settings

# Before hypothesis is imported: what it keeps belongs to what we make, not into the project.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(settings.DEV / "hypothesis"))

import hypothesis

PACKAGE = "lost_lead_nurture_tools"


# The same examples on every run and on a computer of any speed: a failure is never a matter of
# luck.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, max_examples=100
)
hypothesis.settings.load_profile("repeatable")


def load(name, addon="lost_lead_nurture"):
    """Import a module of an add-on's ``tools``, which do without a database.

    The folder becomes a package of another name, as importing the add-on's own would import its
    models, too. The modules may still import each other relatively, and what Odoo is as a library.
    """
    name_of_package = f"{addon}_tools"
    if name_of_package not in sys.modules:
        folder = settings.ROOT / addon / "tools"
        spec = importlib.util.spec_from_file_location(name_of_package, folder / "__init__.py")
        package = sys.modules[name_of_package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(package)
    return importlib.import_module(f"{name_of_package}.{name}")


def rules():
    """The text of docs/rules.md, with the numbers that users rely on, on one line."""
    return " ".join((settings.ROOT / "docs" / "rules.md").read_text().split())


class Env(dict):
    """As much of an environment as plain Python asks of one: words as they are written in the
    code, the forms of one language, and what a test puts in as models.
    """

    def __init__(self, lang="en_US", tz="UTC", **models):
        super().__init__({"res.lang": Languages(lang), **models})
        self.context = {"lang": lang}
        self.tz = types.SimpleNamespace(zone=tz)
        self.user = types.SimpleNamespace(tz=tz)

    def _(self, text, *args, **values):
        if any(isinstance(one, Markup) for one in (*args, *values.values())):
            # as Odoo does where words come into HTML
            text = escape(text)
        return text % (values or args) if values or args else text


class Languages:
    """The model of languages, with the only one that is installed."""

    def __init__(self, code):
        self.code = code

    def get_installed(self):
        return [(self.code, "Language")]

    def _get_data(self, code):
        return types.SimpleNamespace(id=1, code=code)

    def browse(self, _id):
        return self

    def format(self, pattern, number, grouping=False):
        assert grouping, pattern
        return f"{number:,{pattern.removeprefix('%')}}"
