"""The definitions that a written expression needs.

In: a written expression and a scope.  Out: names of definitions.  Always: a name means the same here as when the
expression is checked, also inside an aggregate; what means nothing needs nothing (checking reports it).

    needs(and_expression, scope)      # ['star', 'lifecycle']
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from segrules.check.related import counts_rows, table_of
from segrules.check.resolve import ToCase, ToDefinition, ToOutput, find
from segrules.check.scope import Scope
from segrules.check.walk import parts_of
from segrules.schema.functions import FUNCTIONS
from segrules.syntax.expr import Call, Expr, Name, Subject

PLACES = frozenset({"span", "function_span"})


def needs(written: Iterable[Expr], scope: Scope) -> list[str]:
    """The definitions that the names in *written* mean, in order, each once."""
    found: dict[str, None] = {}
    waiting: list[tuple[Expr, Scope]] = [(one, scope) for one in reversed(list(written))]
    while waiting:
        node, sight = waiting.pop()
        match node:
            case Name():
                match find(node, sight):
                    case ToDefinition(name) | ToCase(name) | ToOutput(name):
                        found[name] = None
            case Call() if (known := FUNCTIONS.get(node.function)) is not None and known.kind == "aggregate":
                table = table_of(node, sight, quiet=True)
                if table is not None:
                    inside = sight.over(table)
                    waiting += [(part, inside) for part in reversed(parts_of(node)[1 if counts_rows(node) else 0 :])]
            case _:
                waiting += [(part, sight) for part in reversed(parts_of(node))]
    return list(found)


def with_subject(node: Any, subject: Expr) -> Any:
    """A cell's test as an expression: *subject* in place of `Subject`."""
    match node:
        case Subject():
            return subject
        case tuple():
            return tuple(with_subject(one, subject) for one in node)
        case str() | int() | bool() | None:
            return node
    changed = {
        one.name: with_subject(getattr(node, one.name), subject) for one in fields(node) if one.name not in PLACES
    }
    return replace(node, **changed)
