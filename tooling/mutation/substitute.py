"""Python modules from another text than that of their file, and which of their lines ran.

Runs inside the processes that run tests, some of which have nothing of ours but this file.
"""

import ast
import importlib.abc
import importlib.util
import sys

NAME = "__covered__"


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules before Python does.

    :param texts: {module: (file, text)}
    :param covered: {module: set of lines}, filled while they run; None when nobody asks for it
    """

    def __init__(self, texts, covered=None):
        self.texts = texts
        self.covered = covered

    def install(self):
        """Be asked first."""
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname, path=None, target=None):
        """Say where a module comes from, if it is one of ours."""
        if fullname not in self.texts:
            return None
        file, _text = self.texts[fullname]
        spec = importlib.util.spec_from_loader(fullname, self, origin=file)
        spec.has_location = True
        return spec

    def exec_module(self, module):
        """Run the text of a module."""
        file, text = self.texts[module.__name__]
        tree = ast.parse(text, file)
        if self.covered is not None:
            module.__dict__[NAME] = self.covered.setdefault(module.__name__, set())
            tree = follow(tree)
        exec(compile(tree, file, "exec", dont_inherit=True), module.__dict__)


def follow(tree):
    """The tree of a module in which each statement first notes its line."""
    return ast.fix_missing_locations(_Follower().visit(tree))


class _Follower(ast.NodeTransformer):
    def generic_visit(self, node):
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                setattr(node, name, self._note(node, name, statements))
        return node

    def _note(self, node, name, statements):
        noted = []
        for number, statement in enumerate(statements):
            # what has to come first in a module, class or function
            is_first = (
                name == "body" and number == 0 and hasattr(node, "body") and _is_text(statement)
            )
            if not is_first and not _is_future(statement):
                noted.append(ast.copy_location(_make_note(statement.lineno), statement))
            noted.append(statement)
        return noted


def _make_note(line):
    return ast.parse(f"{NAME}.add({line})").body[0]


def _is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_future(statement):
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def statement_lines(source):
    """{line: first line of the innermost statement that it belongs to}."""
    lines = {}

    def visit(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                first = min(
                    [child.lineno, *(one.lineno for one in getattr(child, "decorator_list", ()))]
                )
                # a function's decorators belong to the statement that defines it
                for line in range(first, child.end_lineno + 1):
                    lines[line] = child.lineno
            visit(child)

    visit(ast.parse(source))
    return lines


def body_lines(source):
    """The lines of all that functions do, not of what is declared around it."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
        for line in range(statement.lineno, statement.end_lineno + 1)
    }
