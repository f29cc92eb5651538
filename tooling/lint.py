"""./dev lint: every linter on every file of the project."""

import ast
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lxml import etree

from . import addons, node, settings, shell

ROOT = settings.ROOT
JAVASCRIPT = (".js", ".mjs", ".cjs")
SKIPPED = {".git", ".dev", "node_modules", "__pycache__", ".ruff_cache", ".vscode", ".idea"}
LOCK_FILE = "package-lock.json"
PRETTY = (*JAVASCRIPT, ".scss", ".xml", ".json", ".yml", ".yaml")


def main(*, fix):
    """Run the linters; with `fix`, let those that can correct the files first."""
    if fix:
        fix_all()
    failed = run()
    shell.say(f"{len(LINTERS) - failed} linters content, {failed} not.")
    return 1 if failed else 0


def run():
    """Run all linters side by side and return how many complained."""
    node.modules()  # not from several threads at once
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = list(pool.map(_run_one, LINTERS))
    failed = 0
    for title, complaint in results:
        if complaint:
            failed += 1
            shell.say(f"-- {title}\n{complaint}")
    if failed:
        shell.say("Some complaints can be corrected by: ./dev lint --fix")
    return failed


def fix_all():
    """Let the linters correct what they can, one after another."""
    python, pretty = files(".py"), files(*PRETTY)
    javascript = files(*JAVASCRIPT)
    for command, paths in (
        ([tool("ruff"), "check", "--fix", "--quiet"], python),
        ([tool("ruff"), "format", "--quiet"], python),
        (["eslint", "--fix"], javascript),
        (["prettier", "--write", "--log-level=warn"], pretty),
    ):
        call(command, paths)


def files(*suffixes):
    """Return the project's files that end so. (Without git, which a fresh computer lacks.)"""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED]
        paths = [Path(folder, name).relative_to(ROOT) for name in names]
        found += [str(path) for path in paths if path.name.endswith(suffixes)]
    # other people's code, and files that npm writes
    return sorted(
        path for path in found if "/static/lib/" not in path and not path.endswith(LOCK_FILE)
    )


def tool(name):
    """Return the path of a program of our Python environment."""
    return str(Path(sys.executable).parent / name)


def call(command, paths):
    """Run a linter on files; return what it complains about (nothing: all is well)."""
    if not paths:
        return ""
    done = subprocess.run(
        [*command, *paths],
        cwd=ROOT,
        env={**node.environment(), "PYLINTHOME": str(settings.DEV / "pylint")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return (done.stdout.strip() or f"exit status {done.returncode}") if done.returncode else ""


def ruff_check():
    """Python: mistakes, imports, style."""
    return call([tool("ruff"), "check", "--quiet"], files(".py"))


def ruff_format():
    """Python: layout."""
    return call([tool("ruff"), "format", "--check"], files(".py"))


def pylint_odoo():
    """Python, XML and CSV of the add-ons: Odoo's own pitfalls."""
    return call([tool("pylint"), "--rcfile=.pylintrc", "--jobs=1"], addons.every_name())


def eslint():
    """JavaScript: mistakes and style."""
    return call(["eslint", "--max-warnings=0"], files(*JAVASCRIPT))


def prettier():
    """JavaScript, SCSS and XML: layout."""
    return call(["prettier", "--check", "--log-level=warn"], files(*PRETTY))


def oca_checks():
    """Manifests, XML and CSV of the add-ons: what OCA asks for."""
    return call([tool("oca-checks-odoo-module"), "--config=.oca_hooks.cfg"], addons.every_name())


def xml():
    """XML files are well-formed."""
    complaints = []
    for path in files(".xml"):
        try:
            etree.parse(str(ROOT / path))
        except etree.XMLSyntaxError as error:
            complaints.append(f"{path}: {error}")
    return "\n".join(complaints)


def text():
    """All text files: line ends, white space at the end, left-over merge marks."""
    complaints = []
    for path in files(""):
        try:
            content = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or the like
        if path.endswith((".po", ".pot", ".svg")) or path.startswith("LICENSE") or not content:
            continue
        for number, line in enumerate(content.split("\n"), 1):
            if line != line.rstrip():
                complaints.append(f"{path}:{number}: white space at the end of the line")
            if line.startswith(("<" * 7 + " ", ">" * 7 + " ")):
                complaints.append(f"{path}:{number}: a merge mark")
        if not content.endswith("\n") or content.endswith("\n\n"):
            complaints.append(f"{path}: should end with exactly one line end")
    return "\n".join(complaints)


def syntax():
    """Python and JSON files can be read, in the oldest Python that we support."""
    complaints = []
    for path in files(".py", ".json"):
        content = (ROOT / path).read_text(encoding="utf-8")
        try:
            if path.endswith(".py"):
                ast.parse(content, path, feature_version=(3, 10))
            else:
                json.loads(content)
        except (SyntaxError, ValueError) as error:
            complaints.append(f"{path}: {error}")
    return "\n".join(complaints)


LINTERS = [
    pylint_odoo,
    prettier,
    eslint,
    oca_checks,
    ruff_check,
    ruff_format,
    xml,
    text,
    syntax,
]


def _run_one(linter):
    title = f"{linter.__name__} ({linter.__doc__.strip()})"
    try:
        return title, linter()
    except Exception as error:  # e.g. a manifest that cannot be read
        return title, f"{type(error).__name__}: {error}"
