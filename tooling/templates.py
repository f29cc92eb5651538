"""Databases with modules installed, kept to be copied: installing them takes minutes."""

import hashlib
import json

from . import addons, databases, odoo, odoo_source, settings, shell


def key(modules, version, demo):
    """Return the name of the template with these modules of this Odoo."""
    content = json.dumps([sorted(set(modules)), version, bool(demo)])
    return f"template_{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def base(*, demo, also=()):
    """Return the template with core's modules only.

    :param also: add-ons beside those of every database, whose modules it has to have; without demo
        data it is for their tests
    """
    needed = addons.foreign_dependencies(also, for_tests=not demo)
    modules = sorted({*settings.BASE_MODULES, *needed})
    name = key(modules, odoo_source.find().version, demo)

    def build(database):
        kind = "with" if demo else "without"
        with shell.timed(f"Installing Odoo's modules {kind} demo data (once, some minutes)"):
            odoo.install(database, modules, demo=demo)

    databases.ensure_template(name, build)
    return name


def with_addons(also=()):
    """Return a template with the add-ons and which of their files were installed.

    The add-ons may have changed since: the caller updates its copy.
    """
    origin = base(demo=False, also=also)
    prefix = origin.replace("template_", "addons_")
    name = f"{prefix}_{addons.fixed_content(also)[:8]}"  # a few of 64 digits are enough
    record = settings.DEV / f"{name}.json"

    def build(database):
        for outdated in databases.names():
            if outdated.startswith(f"{prefix}_"):
                databases.drop(outdated)
                (settings.DEV / f"{outdated}.json").unlink(missing_ok=True)
        content = addons.installed_content(also)
        with shell.timed("Installing the add-ons"):
            databases.copy(origin, database)
            odoo.install(database, [*addons.names(), *also])
        record.write_text(json.dumps(content))

    databases.ensure_template(name, build)
    return name, json.loads(record.read_text()) if record.exists() else {}
