"""Mutants: copies of a source file with one small mistake each.

The mistakes are cosmic-ray's. Of the dozen journeys it has to replace an operator, the opposite and
the nearest are taken: a test that sees these sees the others, too, most of which are errors of
types."""

import ast
import difflib
import functools
import hashlib
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

from .substitute import body_lines

OPERATORS = (
    *("AddNot", "ReplaceAndWithOr", "ReplaceOrWithAnd"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "NumberReplacer"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ExceptionReplacer", "RemoveDecorator"),
    *(
        f"ReplaceComparisonOperator_{one}"
        for one in (
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
            *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
        )
    ),
    *(
        f"ReplaceBinaryOperator_{one}"
        for one in (
            *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul"),
            *("BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd", "LShift_RShift", "RShift_LShift"),
        )
    ),
    *(f"ReplaceUnaryOperator_{one}" for one in ("Delete_USub", "Delete_Not", "Delete_Invert")),
)


@dataclass(frozen=True)
class Mutant:
    """A file with one mistake.

    :param path: of the file, as the project knows it
    :param line: where the mistake is
    :param place: function or class around it, empty at the top
    :param before: the line as it is, without white space around it
    :param after: the line with the mistake
    :param source: the whole file with the mistake
    """

    path: str
    line: int
    place: str
    before: str
    after: str
    source: str

    @property
    def key(self):
        """What it is by its content: it stays the same when lines above are added or removed."""
        return self.path, self.place, self.before, self.after

    @functools.cached_property
    def digest(self):
        """A short name of the whole file with the mistake."""
        return hashlib.sha256(f"{self.path}\n{self.source}".encode()).hexdigest()[:24]

    def __str__(self):
        return f"{self.path}:{self.line}: {self.place}\n    - {self.before}\n    + {self.after}"


def make(path, source):
    """The mutants of a file, in the order of its lines.

    What is no Python, or the same program as another one, is left out.
    """
    tree, provider = ast.parse(source), OperatorProvider()
    places = _find_places(tree)
    seen, found = {ast.dump(tree)}, []
    nodes = list(ast_nodes(get_ast(source)))
    for name in OPERATORS:
        operator = provider[name]()
        count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        for occurrence in range(count):
            changed = _change(source, operator, occurrence)
            program = _read(changed)
            if program is None or program in seen:
                continue
            seen.add(program)
            line, before, after = _differ(source, changed)
            found.append(Mutant(path, line, places.get(line, ""), before, after, changed))
    return sorted(found, key=lambda mutant: (mutant.line, mutant.after))


def in_functions(mutants, sources):
    """Those whose mistake is in what a function does, not in what is declared around it.

    :param sources: text by path
    """
    bodies = {path: body_lines(text) for path, text in sources.items()}
    return [mutant for mutant in mutants if mutant.line in bodies[mutant.path]]


def sample(mutants, count, seed):
    """``count`` of the mutants by chance. The same seed draws the same ones, also from code that
    has changed elsewhere: what is drawn depends on what each mutant says, not on where it is.
    """

    def lot(mutant):
        return hashlib.sha256(repr((seed, mutant.key)).encode()).digest()

    drawn = sorted(mutants, key=lot)[:count]
    return sorted(drawn, key=lambda mutant: (mutant.path, mutant.line, mutant.after))


def _change(source, operator, occurrence):
    try:
        return mutate_code(source, operator, occurrence)
    except AttributeError:
        # it takes the names of exceptions for single words, which psycopg2.Error is not
        return None


def _read(source):
    """What Python makes of a text: None when it is no Python."""
    try:
        return ast.dump(ast.parse(source)) if source is not None else None
    except SyntaxError:
        return None


def _differ(old, new):
    """Number, old and new text of the lines that differ."""
    old, new = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    first, last = changes[0], changes[-1]
    return (
        first[1] + 1,
        _squeeze(old[first[1] : last[2]]),
        _squeeze(new[first[3] : last[4]]),
    )


def _squeeze(lines):
    return " ".join(" ".join(lines).split())


def _find_places(tree):
    """{line: name of the innermost function or class around it}."""
    places = {}

    def visit(node, name):
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{name}.{child.name}" if name else child.name
                first = min([child.lineno, *(one.lineno for one in child.decorator_list)])
                places.update(dict.fromkeys(range(first, child.end_lineno + 1), inner))
            visit(child, inner)

    visit(tree, "")
    return places
