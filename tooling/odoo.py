"""Running Odoo with this project's settings."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from . import addons, cluster, databases, node, odoo_source, pypi_addons, settings, shell

PROGRAM = settings.ROOT / "tooling" / "run_odoo.py"


def command(*arguments):
    """Return the command that runs Odoo with these arguments."""
    return [sys.executable, str(PROGRAM), *map(str, arguments)]


def environment():
    """Return Odoo's environment: its source, its configuration, and node's programs (rtlcss)."""
    source = odoo_source.find()
    values = {name: value for name, value in node.environment().items() if name[:2] != "PG"}
    # the folder of others' add-ons comes last, and need not be there
    values["PYTHONPATH"] = os.pathsep.join(map(str, (source.python_path, pypi_addons.folder())))
    values["ODOO_RC"] = str(_write_configuration(source))
    values.pop("NODE_PATH")
    return values


def _write_configuration(source):
    paths = [*source.addons_paths, *([settings.ROOT] if addons.names() else [])]
    if pypi_addons.names():
        paths.append(pypi_addons.addons_path())
    options = {
        "addons_path": ",".join(map(str, paths)),
        "data_dir": settings.DATA,
        "db_host": "127.0.0.1",
        "db_port": cluster.ensure(),
        "db_user": cluster.USER,
        "db_password": cluster.password(),
        "http_interface": "127.0.0.1",
        # the database manager would offer all databases of this clone to whoever comes by
        "list_db": False,
    }
    settings.DATA.mkdir(parents=True, exist_ok=True)
    file = settings.DEV / "odoo.conf"
    new = settings.DEV / f"odoo.conf.{os.getpid()}"
    new.touch(mode=0o600)
    # Odoo's parser takes % for the start of a reference
    lines = [f"{name} = {str(value).replace('%', '%%')}" for name, value in options.items()]
    new.write_text("\n".join(["[options]", *lines, ""]))
    new.rename(file)
    return file


def install(database, modules, *, demo=False, log=None):
    """Install modules into a database, which is created if it is not there."""
    log = log or settings.LOGS / f"install-{database}.log"
    shell.run(
        command("-d", database, "-i", ",".join(modules), "--stop-after-init", "--no-http")
        + ["--max-cron-threads=0", *(["--with-demo"] if demo else [])],
        log=log,
        failure=f"Odoo could not install {', '.join(modules)}.",
        env=environment(),
        preexec_fn=shell.die_with_parent,
    )
    missing = set(modules) - set(installed(database))
    if missing:
        raise shell.Failure(
            f"Odoo did not install {', '.join(sorted(missing))}.\n{shell.tail(log)}\n  See {log}"
        )
    log.unlink()


def installed(database):
    """Return the names of the modules installed in a database."""
    connection = cluster.connect(database)
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM ir_module_module WHERE state = 'installed'")
        return [row[0] for row in cursor.fetchall()]


@dataclass
class Server:
    """A running Odoo, as the demo story sees it."""

    database: str
    port: int
    log_path: Path
    login: str = settings.LOGIN
    password: str = settings.PASSWORD

    @property
    def url(self):
        """Return the server's address."""
        return f"http://localhost:{self.port}"

    def connect(self):
        """Return a connection to the server's database (psycopg2)."""
        return cluster.connect(self.database)


@contextlib.contextmanager
def running(database, *arguments, log, mode="w", variables=None):
    """Run Odoo in the background, end it afterwards, and yield the process.

    :param log: file for what it says
    :param mode: "a" to go on with that file
    :param variables: of its environment, besides the usual ones
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open(mode) as out:
        process = subprocess.Popen(
            command("-d", database, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment(), **(variables or {})},
            preexec_fn=shell.die_with_parent,
        )
    try:
        yield process
    finally:
        end(process)


@contextlib.contextmanager
def serving(database, port, *arguments, log):
    """Run a server in the background and yield it (a `Server`) once it answers."""
    with running(database, "--http-port", port, *arguments, log=log) as process:
        wait_until_up(process, port, log)
        yield Server(database, port, log)


def wait_until_up(process, port, log=None, seconds=120):
    """Wait until a server answers requests."""
    for _attempt in range(seconds * 4):
        if process.poll() is not None:
            shown = f"\n{shell.tail(log)}\n  See {log}" if log else ""
            raise shell.Failure(f"Odoo ended while starting.{shown}")
        with contextlib.suppress(OSError, urllib.error.URLError):
            address = f"http://127.0.0.1:{port}/web/health"
            if urllib.request.urlopen(address, timeout=30).status == 200:
                return
        time.sleep(0.25)
    raise shell.Failure(f"Odoo does not answer on port {port}." + (f" See {log}" if log else ""))


def wake_crons(database, *processes):
    """Call the scheduled actions of a database as soon as these servers listen for that:
    on their own they look for them a minute after their start."""
    with contextlib.closing(cluster.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        listening = (
            "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE state = 'idle'"
            " AND datname = 'postgres' AND application_name = ANY(%s)"
        )
        names = [f"odoo-{process.pid}" for process in processes]
        for _attempt in range(600):
            cursor.execute(listening, (names,))
            if cursor.fetchone()[0] == len(names):
                cursor.execute("SELECT pg_notify('cron_trigger', %s)", (database,))
                return
            if any(process.poll() is not None for process in processes):
                break
            time.sleep(0.1)
    raise shell.Failure("Odoo's servers do not listen for scheduled actions.")


def run_script(database, script):
    """Run a Python script in an Odoo shell; return what it printed."""
    done = subprocess.run(
        command("shell", "-d", database, "--no-http", "--log-level=warn"),
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        preexec_fn=shell.die_with_parent,
    )
    if done.returncode or "Traceback" in done.stdout:
        raise shell.Failure(f"A script ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def end(process):
    """End a server, at first kindly."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def servers():
    """Yield (process id, arguments) of the Odoo processes of this clone."""
    for pid, arguments in shell.commands():
        if str(PROGRAM) in arguments[:3] and pid != os.getpid():
            yield pid, arguments[arguments.index(str(PROGRAM)) + 1 :]


def stop_servers():
    """Stop all Odoo processes of this clone; return how many there were."""
    pids = [pid for pid, _arguments in servers()]
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 15
    while any(map(shell.process_start, pids)) and time.monotonic() < deadline:
        time.sleep(0.2)
    for pid in filter(shell.process_start, pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(pids)


def refuse_if_in_use(database):
    """Refuse to replace a database that one of our servers is serving."""
    for pid, arguments in servers():
        if database in arguments:
            raise shell.Failure(
                f"Odoo (process {pid}) is using the database {database}. Run ./dev stop first."
            )


def clean_start():
    """Make what Odoo needs, and drop what killed runs left."""
    odoo_source.find()
    node.modules()
    cluster.ensure()
    databases.clean_up()
