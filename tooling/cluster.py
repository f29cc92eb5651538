"""A PostgreSQL cluster of this clone's own: nobody else's is touched or needed."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import time
from pathlib import Path

import psycopg2

from . import settings, shell

HOME = settings.DEV / "pg"
DATA = HOME / "data"
LOG = HOME / "postgresql.log"
PASSWORD_FILE = settings.DEV / "pg-password"
BOOT_FILE = settings.DEV / "pg-boot"
USER = "odoo"

# All of this cluster can be made again by a command, so speed goes before safety: a killed process
# loses nothing, a computer that goes down may (see `_forget_after_crash`).
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''  # a socket's path may not be as long as a clone's
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = '2GB'
shared_buffers = '256MB'
jit = off  # Odoo's many small queries only lose by it
max_connections = 200
log_min_messages = fatal
"""


def ensure():
    """Return the port of the running cluster, started or made if need be."""
    port = running_port()
    if port:
        return port
    with shell.locked("postgresql"):
        port = running_port()
        if port:
            return port
        _forget_after_crash()
        if not (DATA / "PG_VERSION").exists():
            _create()
        return _start()


def connect(database="postgres", port=None):
    """Connect to a database of the cluster, or of the one on `port`, which has its password."""
    return psycopg2.connect(
        host="127.0.0.1", port=port or ensure(), user=USER, password=password(), dbname=database
    )


def password():
    """Return the password of the cluster's only user."""
    return PASSWORD_FILE.read_text().strip()


def stop():
    """Stop the cluster; tell whether it was running."""
    with shell.locked("postgresql"):
        if not _postmaster():
            return False
        _pg_ctl("stop", "-m", "fast", failure="PostgreSQL does not stop.")
        BOOT_FILE.unlink(missing_ok=True)
        return True


def running_port():
    """Return the port of our running server, or None."""
    lines = _postmaster()
    # the eighth line says "ready" once connections are accepted
    return int(lines[3]) if lines and len(lines) > 7 and lines[7].strip() == "ready" else None


def _postmaster():
    """Return the lines of postmaster.pid if that process is really our server.

    After a kill or a reboot the file stays, and its process id may be somebody else's.
    """
    try:
        lines = (DATA / "postmaster.pid").read_text().splitlines()
        arguments = Path(f"/proc/{lines[0]}/cmdline").read_bytes().decode().split("\0")
    except (OSError, IndexError):
        return None
    return lines if str(DATA) in arguments and shell.process_start(lines[0]) else None


def programs():
    """Return the folder of the server programs that fit the data, the newest for new data."""
    folders = {
        int(folder.parent.name): folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (folder / "initdb").exists() and folder.parent.name.isdigit()
    }
    if not folders and shutil.which("pg_config"):
        folder = Path(subprocess.check_output(["pg_config", "--bindir"], text=True).strip())
        version = subprocess.check_output([folder / "postgres", "--version"], text=True)
        folders = {int(re.search(r"\d+", version)[0]): folder}
    if not folders or max(folders) < 13:
        raise shell.Failure("No PostgreSQL server from version 13. Install postgresql.")
    if (DATA / "PG_VERSION").exists():
        major = int((DATA / "PG_VERSION").read_text())
        if major in folders:
            return folders[major]
        shell.say(f"PostgreSQL {major} is gone from this computer: making the databases anew.")
        _discard()
    return folders[max(folders)]


def as_server_user():
    """Return the start of a command that runs as the user of the server.

    PostgreSQL refuses to run as root. A clone may lie in a folder that nobody but root may
    enter: then the server gets the right to pass through folders, and nothing else of root's.
    """
    if os.geteuid() != 0:
        return []
    command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    probe = [*command, "test", "-x", HOME]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode != 0:
        right = _right_to_pass()
        command += ["--inh-caps", f"-all,+{right}", "--ambient-caps", f"-all,+{right}"]
    return [*command, "--"]


def _right_to_pass():
    """Return the smallest of root's rights, among those we have, that opens closed folders."""
    status = Path("/proc/self/status").read_text()
    rights = int(re.search(r"^CapBnd:\s*(\w+)", status, re.MULTILINE)[1], 16)
    for name, bit in (("dac_read_search", 2), ("dac_override", 1)):
        if rights >> bit & 1:
            return name
    raise shell.Failure(
        f"The user postgres cannot enter {settings.ROOT}.\n"
        "  Move the clone to a folder that every user may enter."
    )


def _create():
    """Make the cluster under another name first: a killed run leaves nothing half-made."""
    shell.say("Creating the PostgreSQL cluster…")
    folder = programs()
    shell.remove(HOME)
    HOME.mkdir(parents=True)
    word = secrets.token_urlsafe(24)
    PASSWORD_FILE.touch(mode=0o600)
    PASSWORD_FILE.write_text(word)
    given = HOME / "password"
    given.touch(mode=0o600)
    given.write_text(word)
    if os.geteuid() == 0:
        give_to_server_user(HOME, given)
    new = HOME / "data.new"
    shell.run(
        [*as_server_user(), folder / "initdb", "-D", new, "-U", USER, "--encoding=UTF8"]
        + ["--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={given}"],
        log=settings.LOGS / "initdb.log",
        failure="PostgreSQL could not make its data folder.",
        cwd="/",
        env=environment(),
    )
    given.unlink()
    with (new / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
    new.rename(DATA)


def give_to_server_user(*paths):
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        raise shell.Failure(
            "There is no user postgres, and PostgreSQL does not run as root.\n"
            "  Run ./dev as another user."
        ) from None
    for path in paths:
        os.chown(path, user.pw_uid, user.pw_gid)


def _start():
    """Start the server on a free port and return that."""
    (DATA / "postmaster.pid").unlink(missing_ok=True)  # stale: no server of ours runs
    for attempt in range(5):
        port = shell.free_port()
        try:
            _pg_ctl(
                "start", "-l", str(LOG), "-o", f"-p {port}", failure="PostgreSQL does not start."
            )
            break
        except shell.Failure:
            # Somebody took the port, or a killed server's children are not all gone yet.
            if attempt == 4:
                raise
            time.sleep(2)
    BOOT_FILE.write_text(_boot_id())
    return port


def _pg_ctl(*arguments, failure):
    shell.run(
        [*as_server_user(), programs() / "pg_ctl", "-D", DATA, "-w", "-t", "60", *arguments],
        log=settings.LOGS / "pg_ctl.log",
        failure=failure + (f" See also {LOG}" if LOG.exists() else ""),
        cwd="/",
        env=environment(),
    )


def environment():
    """Return the environment without settings meant for other PostgreSQL servers."""
    environment = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
    return {**environment, "LC_ALL": "C.UTF-8"}


def _boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _forget_after_crash():
    """Throw the cluster away when the computer went down under it: without fsync it may be torn."""
    with contextlib.suppress(OSError):
        if DATA.exists() and BOOT_FILE.read_text() != _boot_id():
            shell.say("The computer went down while PostgreSQL ran: making the databases anew.")
            _discard()


def _discard():
    shell.remove(HOME)
    shell.remove(settings.FILESTORE)
    BOOT_FILE.unlink(missing_ok=True)
