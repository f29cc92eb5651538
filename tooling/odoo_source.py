"""Odoo itself: the one ODOO_HOME points to, or Debian's package made whole again."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import debian, node, settings, shell

# Bumped when the repairs below change, so that clones unpack again.
REPAIRS = 1


@dataclass(frozen=True)
class Odoo:
    """An Odoo that can be run."""

    python_path: Path  # the folder that holds the Python package `odoo`
    version: str  # tells one source from another

    @property
    def addons_paths(self):
        """Return the folder with core's modules (`base`, in a checkout elsewhere, is always found).

        Debian's package has a second folder of that name with the modules' Python files only.
        """
        folders = [self.python_path / "addons", self.python_path / "odoo" / "addons"]
        return [folder for folder in folders if (folder / "web" / "static").is_dir()]


def find():
    """Return the Odoo to use, fetched if need be."""
    home = os.environ.get("ODOO_HOME")
    return from_home(Path(home)) if home else from_debian()


def from_home(home):
    """Check and describe the Odoo that the user points to."""
    python_path = _python_path(home)
    if not python_path:
        raise shell.Failure(
            f"ODOO_HOME={home} holds no Odoo.\n"
            "  It should be a checkout (with odoo-bin) or an unpacked or installed package."
        )
    series = release(python_path)
    if series != "19.0":
        raise shell.Failure(f"ODOO_HOME={home} holds Odoo {series}. This project needs 19.0.")
    if not Odoo(python_path, "").addons_paths:
        raise shell.Failure(f"ODOO_HOME={home} lacks the module web: is the checkout complete?")
    return Odoo(_alone(python_path), f"{python_path.resolve()} {_commit(home)}")


def _commit(home):
    """Return the commit of a checkout, as far as that is known."""
    try:
        return subprocess.check_output(
            ["git", "-C", home, "rev-parse", "HEAD"], stderr=subprocess.DEVNULL, text=True
        ).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def release(python_path):
    """Return the series of an Odoo, such as 19.0, read without importing it."""
    text = (python_path / "odoo" / "release.py").read_text()
    found = re.search(r"^version_info *= *\(([^,]+), *([^,]+),", text, re.MULTILINE)
    return ".".join(part.strip(" '\"") for part in found.groups()) if found else "unknown"


def _python_path(home):
    """Return the folder inside `home` that holds Odoo's Python package."""
    home = home.expanduser().absolute()
    candidates = [home, home / "usr/lib/python3/dist-packages", home / "lib/python3/dist-packages"]
    candidates += sorted(home.glob("lib/python3.*/site-packages"))
    for folder in candidates:
        if (folder / "odoo" / "release.py").is_file():
            return folder
    return None


def _alone(python_path):
    """Return a folder that holds Odoo but no other Python packages.

    Beside an installed Odoo lie the packages of the computer's Python, which must not shadow
    those of our own environment.
    """
    if not list(python_path.glob("psycopg2*")) and not list(python_path.glob("lxml*")):
        return python_path
    folder = settings.DEV / "odoo-link"
    folder.mkdir(parents=True, exist_ok=True)
    link, target = folder / "odoo", (python_path / "odoo").resolve()
    if not link.is_symlink() or link.resolve() != target:
        shell.remove(link)
        link.symlink_to(target)
    return folder


def from_debian():
    """Return Odoo out of Debian's package, unpacked and repaired once."""
    # Looked for first: what is unpacked needs neither lock nor download folder.
    unpacked = sorted(settings.DEV.glob(f"odoo-19*+r{REPAIRS}"))
    if not unpacked:
        with shell.locked("odoo"):
            unpacked = sorted(settings.DEV.glob(f"odoo-19*+r{REPAIRS}"))
            unpacked = unpacked or [_unpack()]
    folder = unpacked[-1]
    return Odoo(folder / "usr/lib/python3/dist-packages", folder.name)


def _unpack():
    package, *fonts = debian.fetch([settings.ODOO_PACKAGE, *settings.FONT_PACKAGES])
    _check_package(package)
    javascript = node.modules()
    folder = settings.DEV / f"odoo-{debian.version(package)}+r{REPAIRS}"
    with shell.appearing(folder) as new:
        shell.say("Unpacking Odoo (1.2 GB)…")
        for file in (package, *fonts):
            debian.unpack(file, new)
        repair(new, javascript)
    return folder


def _check_package(file):
    found = debian.version(file)
    if found != settings.ODOO_VERSION:
        shell.say(f"Warning: tested with Odoo {settings.ODOO_VERSION}, Debian has {found} now.")
    elif debian.sha256(file) != settings.ODOO_SHA256:
        file.unlink()
        raise shell.Failure(f"{file} was not the file it should be and is removed. Try again.")


def repair(tree, javascript):
    """Put in what Debian takes out of Odoo or turns into links to packages of its own."""
    addons = tree / "usr/lib/python3/dist-packages/odoo/addons"
    target = addons / "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(javascript / "@mediapipe/selfie_segmentation/selfie_segmentation.js", target)
    broken = [link for link in addons.rglob("*") if link.is_symlink() and not link.exists()]
    for link in broken:
        source = _substitute(link, tree, javascript)
        if source:
            link.unlink()
            shutil.copy(source, link)
        else:
            shell.say(f"Warning: Debian's Odoo lacks {link.relative_to(addons)}.")


def _substitute(link, tree, javascript):
    """Return the file that a broken link should be, by its name.

    Debian's own Font Awesome and jQuery are newer than what Odoo is written for, so these come
    from npm in the right version.
    """
    known = {
        "jquery.js": javascript / "jquery/dist/jquery.js",
        "jquery.form.js": javascript / "jquery-form/src/jquery.form.js",
        "underscore.js": javascript / "underscore/underscore.js",
        "Inconsolata.otf": tree / "usr/share/fonts/opentype/inconsolata/Inconsolata-Regular.otf",
        "ocrb.otf": tree / "usr/share/fonts/opentype/ocr-b/OCRB.otf",
    }
    candidates = [
        known.get(link.name),
        javascript / "font-awesome/fonts" / link.name,
        # fonts that moved within their package or changed their format
        *sorted((tree / "usr/share/fonts").rglob(f"{link.stem}.[ot]tf")),
    ]
    return next((file for file in candidates if file and file.is_file()), None)
