"""Text of an expression → as-written tree.

In: a `Source`, usually a scalar inside a file.  Out: the tree and what was wrong, in order.  Always: any text gives an
answer, in time that grows with its length only; every span lies inside the text; a text that cannot be parsed is
`Broken` with at least one diagnostic; a literal or name that is wrong by itself is `Broken` inside a whole tree.

    parse_expression(Source("", "spend >= 5万"))       # (Compare(">=", Name(("spend",)), Literal(…)), ())
"""

from __future__ import annotations

from typing import cast

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.source import Source, Span
from segrules.syntax import expr
from segrules.syntax.expr import Expr
from segrules.syntax.folding import fold
from segrules.syntax.literals import parse_literal
from segrules.syntax.machine import Failure, tables
from segrules.syntax.mistakes import diagnose
from segrules.syntax.tree import Build

__all__ = ["children", "parse_expression", "parse_literal"]

MAX_LENGTH = 100_000
MAX_DEPTH = 100


def parse_expression(source: Source) -> tuple[Expr, tuple[Diagnostic, ...]]:
    """The expression that *source* holds, and the diagnostics S2xx of what is wrong with it."""
    long = too_long(source)
    if long is not None:
        return long
    folded = fold(source.text)
    if not folded.strip(" \t\r\n"):
        return expr.Broken(span=source.whole()), (Diagnostic("S202", source.whole(), {}, Help("example")),)
    return run(source, folded, "expression")


def too_long(source: Source) -> tuple[Expr, tuple[Diagnostic, ...]] | None:
    if len(source.text) <= MAX_LENGTH:
        return None
    args = {"length": f"{len(source.text):,}", "limit": f"{MAX_LENGTH:,}"}
    start = source.span(0, min(len(source.text), 20))
    return expr.Broken(span=start), (Diagnostic("S208", start, args, Help("split")),)


def run(source: Source, folded: str, start: str) -> tuple[Expr, tuple[Diagnostic, ...]]:
    """Parses *folded*, which may be blank outside the part of *source* that is wanted."""
    build = Build(source, folded)
    made = tables().run(folded, start, build.make)
    if isinstance(made, Failure):
        found = diagnose(made, source, folded)
        return expr.Broken(span=found.span), (*build.found, found)
    tree = cast(Expr, made)
    deep = _too_deep(tree) if len(folded) > MAX_DEPTH else None
    if deep is not None:
        return expr.Broken(span=deep), (Diagnostic("S209", deep, {"limit": MAX_DEPTH}, Help("attributes")),)
    return tree, tuple(build.found)


def _too_deep(tree: Expr) -> Span | None:
    """The first part that stands more than the limit of levels below the root."""
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return node.span
        waiting += [(child, depth + 1) for child in children(node)]
    return None


def children(node: Expr) -> tuple[Expr, ...]:
    """The operands of a node as written, in order."""
    match node:
        case expr.Literal() | expr.Name() | expr.Subject() | expr.Broken():
            return ()
        case expr.Negative(operand) | expr.Not(operand) | expr.IsMissing(operand):
            return (operand,)
        case expr.Arithmetic() | expr.Coalesce() | expr.Compare():
            return (node.left, node.right)
        case expr.Shift():
            return (node.operand, node.amount)
        case expr.Ago():
            return (node.amount,)
        case expr.Between():
            return (node.subject, node.low, node.high)
        case expr.In():
            return (node.subject, *node.options)
        case expr.InParameter():
            return (node.subject, node.parameter)
        case expr.InWindow():
            return (node.subject,) if node.amount is None else (node.subject, node.amount)
        case expr.TextTest() | expr.ListTest():
            return (node.subject, *node.operands)
        case expr.And(operands) | expr.Or(operands):
            return operands
        case expr.Call():
            modifiers = (*node.by, *(part for part in (node.among, node.where) if part is not None))
            return (*node.args[:1], *modifiers, *node.args[1:])
        case expr.Case():
            pairs = tuple(part for when in node.whens for part in (when.condition, when.value))
            return pairs if node.otherwise is None else (*pairs, node.otherwise)
