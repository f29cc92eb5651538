"""Small helpers around processes, files and locks."""

import contextlib
import ctypes
import datetime
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from . import settings


class Failure(Exception):
    """Something the user has to know; shown without a traceback."""


def say(message):
    """Tell the user what goes on. Results go to stdout, this goes to stderr."""
    print(message, file=sys.stderr, flush=True)


def run(command, log, failure, **options):
    """Run a command silently, its output in a log file; say what failed and where to look."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options
        )
    if done.returncode:
        raise Failure(f"{failure}\n{tail(log)}\n  The whole output is in {log}")


def tail(path, lines=8):
    """Return the last lines of a file, indented."""
    text = Path(path).read_text(errors="replace").splitlines()
    return "\n".join(f"  | {line}" for line in text[-lines:])


def new_log(kind, name=None, keep_last=20):
    """Return a log file's path, with a name in it that tells runs at the same time apart; only the
    last ones are kept."""
    settings.LOGS.mkdir(parents=True, exist_ok=True)
    for old in sorted(settings.LOGS.glob(f"{kind}-*.log"))[:-keep_last]:
        old.unlink(missing_ok=True)
    name = name or run_id()
    return settings.LOGS / f"{kind}-{datetime.datetime.now():%Y%m%d-%H%M%S}-{name}.log"


def die_with_parent():
    """Make a child process end when this one is killed, however hard (for `preexec_fn`)."""
    pdeathsig = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(pdeathsig, signal.SIGTERM)


@contextlib.contextmanager
def locked(name):
    """Hold a lock among the runs in this clone. The kernel frees it when its holder is killed."""
    path = settings.DEV / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another run ({name})…")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def appearing(path):
    """Yield a fresh folder beside `path` that takes its name only when all went well."""
    new = path.with_name(f"{path.name}.new")
    remove(new)
    new.mkdir(parents=True)
    yield new
    remove(path)
    new.rename(path)


def remove(path):
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def free_port():
    """Return a TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_port_free(port):
    """Tell whether a server can listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def process_start(pid):
    """Return when a process started (in clock ticks since boot), None when it is not there.

    Process ids are used again; together with this number they are not.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def run_id():
    """Name this process in a way that a later one can check for being alive."""
    return f"{os.getpid()}_{process_start(os.getpid())}"


def is_run_alive(name):
    """Tell whether the process that `run_id` named is still there."""
    pid, _, start = name.partition("_")
    return start.isdigit() and process_start(int(pid)) == int(start)


def commands():
    """Yield (process id, arguments) of the processes on this computer."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                yield int(folder.name), [os.fsdecode(argument) for argument in arguments]


@contextlib.contextmanager
def timed(message):
    """Say what is being done and, at the end, how long it took."""
    say(f"{message}…")
    start = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - start:.0f} s")
