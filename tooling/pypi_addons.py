"""Other people's add-ons, as Python packages: what a bridge of ours joins us with.

They are fetched once, checked against the checksums in requirements-addons.txt, and unpacked into
this clone. Nothing but the bridges' own tests needs them: the demo, and everything else, runs
without.
"""

import hashlib
import sys

from . import settings, shell

REQUIREMENTS = settings.ROOT / "requirements-addons.txt"
CACHE = settings.CACHE / "addons"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
OPTIONS = ["--no-deps", "--require-hashes", "-r", REQUIREMENTS]


def folder():
    """Return where they are, or will be, unpacked."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return settings.DEV / f"pypi-addons-{digest}"


def addons_path():
    """Return the folder for Odoo's addons path."""
    return folder() / "odoo" / "addons"


def names():
    """Return the add-ons there are, which are none before `ensure`."""
    return sorted(file.parent.name for file in addons_path().glob("*/__manifest__.py"))


def ensure():
    """Fetch and unpack them, unless they are there."""
    if folder().exists():
        return
    with shell.locked("pypi-addons"):
        if not folder().exists():
            _install()


def _install():
    with shell.appearing(folder()) as new:
        try:
            _unpack(new)
        except shell.Failure:  # not in the cache yet
            _fetch()
            _unpack(new)


def _unpack(new):
    CACHE.mkdir(parents=True, exist_ok=True)
    shell.run(
        [*PIP, "install", "--no-index", "--find-links", CACHE, "--target", new, *OPTIONS],
        settings.LOGS / "pip-addons.log",
        f"pip could not unpack the add-ons in {CACHE}.",
    )


def _fetch():
    shell.say("Fetching queue_job from PyPI…")
    shell.run(
        [*PIP, "download", "-d", CACHE, *OPTIONS],
        settings.LOGS / "pip-addons.log",
        "pip could not fetch the add-ons of requirements-addons.txt. Is the network there?\n"
        "  pip must reach its package index (see pip config list).",
    )
