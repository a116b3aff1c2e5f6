"""A YAML scalar where an expression is expected → the expression.

In: a node.  Out: the tree as written, `Broken` where it could not be read.  Always: places inside the expression are
exact in the file; a YAML number or boolean is the expression of that literal; where ` #` has cut an expression off,
that is what is reported.

    expression(tree.get("when"), found)
"""

from __future__ import annotations

import re
from decimal import Decimal

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files.shape import comment_after
from segrules.source import NOWHERE, Source, Span
from segrules.syntax.expr import Broken, Expr
from segrules.syntax.parser import parse_expression
from segrules.yamltree.nodes import Node, Scalar

_AS_IN_EXPRESSIONS = re.compile(r"-?(?:[0-9]+)(?:\.[0-9]+)?")


def expression(node: Node | None, found: list[Diagnostic]) -> Expr:
    """The expression; a node of another shape has been reported and gives `Broken`."""
    if not isinstance(node, Scalar) or node.value is None:
        return Broken(span=node.span if node is not None else NOWHERE)
    result, wrong = parse_expression(_source(node))
    if wrong and (eaten := comment_after(node)) is not None and _cut_off(node.text, [one.span for one in wrong]):
        found.append(eaten)
        return Broken(span=node.source.whole())
    found.extend(wrong)
    return result


def _source(node: Scalar) -> Source:
    """The text to parse: numbers that only YAML writes like this (0x1F, 1e3, +5) in the spelling of expressions."""
    if not isinstance(node.value, int | Decimal) or isinstance(node.value, bool):
        return node.source
    if _AS_IN_EXPRESSIONS.fullmatch(node.text):
        return node.source
    spelled = str(node.value) if isinstance(node.value, int) else format(node.value, "f")
    start, last = node.span.start, node.span.end - 1
    places = [min(start + at, last) for at in range(len(spelled))] + [node.span.end]
    return Source(node.source.name, spelled, node.source.parent, lambda: places)


def _cut_off(text: str, wrong: list[Span]) -> bool:
    """Whether the errors look as if the rest of the expression were missing."""
    end = len(text.rstrip())
    unclosed = text.count('"') % 2 == 1 or text.count("'") % 2 == 1 or text.count("(") > text.count(")")
    return unclosed or any(span.end >= end for span in wrong)
