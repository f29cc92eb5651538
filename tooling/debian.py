"""Packages out of Debian's archive, without touching what apt knows about this computer."""

import contextlib
import hashlib
import os
import re
import subprocess
from pathlib import Path

from . import settings, shell

SUITE = "sid"  # the only suite that has Odoo 19
CACHE = settings.CACHE / "debs"


def fetch(names):
    """Return the files of these packages, from the cache where they are there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    missing = [name for name in names if not cached(name)]
    if missing:
        _download(missing)
    return [cached(name) for name in names]


def cached(name):
    """Return the cached file of a package: the tested version if it is there, else the newest."""
    files = sorted(CACHE.glob(f"{name}_*.deb"), key=lambda file: file.stat().st_mtime)
    tested = [file for file in files if version(file) == settings.ODOO_VERSION]
    return (tested or files or [None])[-1]


def version(file):
    """Return a package's version out of its file name."""
    return file.name.split("_")[1].replace("%3a", ":")


def sha256(file):
    """Return a file's checksum."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def unpack(file, folder):
    """Unpack a package into a folder."""
    shell.run(
        ["dpkg-deb", "-x", file, folder],
        log=settings.LOGS / "dpkg.log",
        failure=f"Cannot unpack {file}. Is the disk full? Else remove that file and try again.",
    )


def mirror():
    """Return the address of a Debian mirror: the user's choice, the computer's, or the usual
    one."""
    return os.environ.get("DEBIAN_MIRROR") or _own_mirror() or _debootstrap_mirror()


def _own_mirror():
    release = Path("/etc/os-release").read_text()
    codename = re.search(r"^VERSION_CODENAME=(\w+)", release, re.MULTILINE)
    if not codename or not re.search(r"^ID=debian$", release, re.MULTILINE):
        return None
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(RELEASE) $(REPO_URI)"],
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    for words in map(str.split, listed):
        # before the first `apt-get update` only the release that the source names is known
        if len(words) > 1 and codename[1] in words[:-1]:
            return words[-1]
    return None


def _debootstrap_mirror():
    """Return what Debian's own installer takes when nobody names a mirror."""
    with contextlib.suppress(OSError):
        program = Path("/usr/sbin/debootstrap").read_text()
        if found := re.search(r'^DEF_MIRROR="(.+?)"', program, re.MULTILINE):
            return found[1]
    raise shell.Failure(
        "No Debian mirror is known on this computer.\n"
        "  Name one: DEBIAN_MIRROR=http://…/debian ./dev …, or give an Odoo 19 with ODOO_HOME."
    )


def _keyring():
    for suffix in ("pgp", "gpg"):
        keyring = Path(f"/usr/share/keyrings/debian-archive-keyring.{suffix}")
        if keyring.exists():
            return keyring
    raise shell.Failure("Debian's keys are missing. Install debian-archive-keyring.")


def _download(names):
    """Download packages with apt, whose signature checks make sure that they are Debian's."""
    apt = settings.DEV / "apt"
    with shell.appearing(apt) as folder:
        address = mirror()
        options = _apt_options(folder, address)
        failure = (
            f"apt could not fetch {' '.join(names)} from {address}. Is the network there?\n"
            "  Another mirror: DEBIAN_MIRROR=http://…/debian ./dev …\n"
            "  An Odoo 19 that is there already: ODOO_HOME=/path/to/odoo ./dev …"
        )
        log = settings.LOGS / "apt-download.log"
        shell.say("Fetching Debian's package list (10 MB)…")
        shell.run(["apt-get", *options, "update"], log, failure)
        shell.say(f"Fetching {', '.join(names)} from Debian (Odoo 19: 123 MB)…")
        shell.run(["apt-get", *options, "download", *names], log, failure, cwd=folder)
        for file in folder.glob("*.deb"):
            _move(file, CACHE)
    shell.remove(apt)


def _apt_options(folder, address):
    """Return options that give apt sources, lists and a cache of its own."""
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    (folder / "status").touch()
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={_keyring()}] {address} {SUITE} main\n")
    values = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "-",
        "Dir::Etc::Preferences": "-",
        "Dir::Etc::PreferencesParts": "-",
        "Dir::State::Lists": folder / "lists",
        "Dir::State::Status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",  # the folders are not open to apt's own user
        "APT::Default-Release": "",
        # A mirror may be a snapshot, whose lists are "expired". Signatures are checked all the
        # same, and the tested Odoo by its checksum.
        "Acquire::Check-Valid-Until": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return [part for name, value in values.items() for part in ("-o", f"{name}={value}")]


def _move(file, folder):
    """Move a file into a folder that may lie on another file system, whole or not at all."""
    part = folder / f"{file.name}.part"
    part.write_bytes(file.read_bytes())
    part.rename(folder / file.name)
