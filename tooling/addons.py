"""The add-ons of this repository: the folders at its root with a manifest."""

import ast
import hashlib

from . import settings


def names():
    """Return the installable add-ons' names."""
    manifests = sorted(settings.ROOT.glob("*/__manifest__.py"))
    found = [file.parent.name for file in manifests if file.parent.name[0] != "."]
    return [name for name in found if manifest(name).get("installable", True)]


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
