"""The add-ons of this repository: the folders at its root with a manifest."""

import ast
import hashlib

from . import settings

#: Modules that are not Odoo's own. What depends on them is installed for its own tests only.
FROM_PYPI = {"queue_job"}


def every_name():
    """Return the names of all installable add-ons."""
    manifests = sorted(settings.ROOT.glob("*/__manifest__.py"))
    found = [file.parent.name for file in manifests if file.parent.name[0] != "."]
    return [name for name in found if manifest(name).get("installable", True)]


def names():
    """Return the names of the add-ons that need nothing but Odoo."""
    return [name for name in every_name() if not needs_pypi(name)]


def needs_pypi(name):
    """Tell whether an add-on joins ours with one from PyPI."""
    return not FROM_PYPI.isdisjoint(manifest(name).get("depends", ()))


def manifest(name):
    """Return an add-on's manifest."""
    return ast.literal_eval((settings.ROOT / name / "__manifest__.py").read_text())


def foreign_dependencies():
    """Return the modules from elsewhere that the add-ons need."""
    own = set(names())
    needed = {module for name in own for module in manifest(name).get("depends", ())}
    return sorted(needed - own)


def installed_content():
    """Return {file: checksum} of what an installation puts into a database.

    Tests and what the browser loads are not in it: Odoo reads them when it runs.
    """
    return {
        str(file.relative_to(settings.ROOT)): hashlib.sha256(file.read_bytes()).hexdigest()
        for name in names()
        for file in sorted((settings.ROOT / name).rglob("*"))
        if file.is_file() and not _is_read_at_run_time(file.relative_to(settings.ROOT / name))
    }


def _is_read_at_run_time(path):
    return (
        path.parts[0] in ("tests", "static", "readme", "i18n")
        or "__pycache__" in path.parts
        or path.suffix in (".md", ".rst")
    )


def fixed_content():
    """Return a checksum of what an update does not bring into an installed database.

    These are records that Odoo writes only once (noupdate), and the modules needed.
    """
    digest = hashlib.sha256(repr((names(), foreign_dependencies())).encode())
    for name in names():
        for file in sorted((settings.ROOT / name).rglob("*.xml")):
            content = file.read_bytes()
            if b"noupdate" in content or b"forcecreate" in content:
                digest.update(content)
    return digest.hexdigest()
