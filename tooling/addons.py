"""The add-ons of this repository: the folders at its root with a manifest."""

import ast
import hashlib

from . import settings

#: Modules that are not Odoo's own. What depends on them is installed for its own tests only.
FROM_PYPI = {"queue_job"}
#: Modules of Odoo that make all else slower. What depends on them has a database of its own, too,
#: with whatever else of Odoo its tests need.
HEAVY = {"sale_stock": ("sale_mrp",), "website_crm": ()}


def every_name():
    """Return the names of all installable add-ons."""
    manifests = sorted(settings.ROOT.glob("*/__manifest__.py"))
    found = [file.parent.name for file in manifests if file.parent.name[0] != "."]
    return [name for name in found if manifest(name).get("installable", True)]


def names():
    """Return the names of the add-ons that are in every database."""
    return [name for name in every_name() if not (needs_pypi(name) or is_heavy(name))]


def needs_pypi(name):
    """Tell whether an add-on joins ours with one from PyPI."""
    return not FROM_PYPI.isdisjoint(manifest(name).get("depends", ()))


def is_heavy(name):
    """Tell whether an add-on needs so much of Odoo that it has a database of its own."""
    return not HEAVY.keys().isdisjoint(manifest(name).get("depends", ()))


def manifest(name):
    """Return an add-on's manifest."""
    return ast.literal_eval((settings.ROOT / name / "__manifest__.py").read_text())


def heavy_names():
    """Return the names of the add-ons that need much of Odoo."""
    return [name for name in every_name() if is_heavy(name)]


def foreign_dependencies(also=(), for_tests=True):
    """Return the modules from elsewhere that the add-ons need.

    :param also: add-ons that are not in every database
    :param for_tests: whether with those that only tests of these need
    """
    own = {*names(), *also}
    needed = {module for name in own for module in manifest(name).get("depends", ())}
    for module in HEAVY.keys() & needed if for_tests else ():
        needed.update(HEAVY[module])
    return sorted(needed - own - FROM_PYPI)


def installed_content(also=()):
    """Return {file: checksum} of what an installation puts into a database.

    Tests and what the browser loads are not in it: Odoo reads them when it runs.
    """
    return {
        str(file.relative_to(settings.ROOT)): hashlib.sha256(file.read_bytes()).hexdigest()
        for name in (*names(), *also)
        for file in sorted((settings.ROOT / name).rglob("*"))
        if file.is_file() and not _is_read_at_run_time(file.relative_to(settings.ROOT / name))
    }


def _is_read_at_run_time(path):
    return (
        path.parts[0] in ("tests", "static", "readme", "i18n")
        or "__pycache__" in path.parts
        or path.suffix in (".md", ".rst")
    )


def fixed_content(also=()):
    """Return a checksum of what an update does not bring into an installed database.

    These are records that Odoo writes only once (noupdate), and the modules needed.
    """
    modules = [*names(), *also]
    digest = hashlib.sha256(repr((modules, foreign_dependencies(also))).encode())
    for name in modules:
        for file in sorted((settings.ROOT / name).rglob("*.xml")):
            content = file.read_bytes()
            if b"noupdate" in content or b"forcecreate" in content:
                digest.update(content)
    return digest.hexdigest()
