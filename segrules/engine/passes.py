"""Population functions of a run in parts: what to collect in which pass, and rules that read the results.

In: checked definitions.  Out: population functions by level, and a rule set in which each is a column of the
customers.  Always: the parts of a function of level n read functions of lower levels only; what a rule means stays
the same, since a population function is a value of the customer and nothing else.

    levels(ruleset, ("r", "score"))      # {qcut(days, 5): 1, percent_rank(r + f): 2}
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, assert_never, get_args

from segrules.engine.needs import expressions, nodes, references
from segrules.model.expr import Column, Expr, Population, children
from segrules.model.ruleset import Attribute, Definition, Outcome, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.syntax.expr import Broken

_EXPRESSIONS = get_args(Expr)


def levels(ruleset: RuleSet, order: Iterable[str]) -> dict[Population, int]:
    """The population functions of the definitions in *order* (each after what it needs), and the pass, from 1, after
    which all that their parts read is known."""
    found: dict[Population, int] = {}
    of_definition: dict[str, int] = {}
    for name in order:
        highest = 0
        for expr in expressions(ruleset.definitions[name]):
            for node in reversed(list(nodes(expr))):
                if isinstance(node, Population):
                    below = [found[part] for operand in children(node) for part in nodes(operand) if part in found]
                    below += [
                        of_definition[each] for operand in children(node) for each in references(ruleset, operand)
                    ]
                    found[node] = 1 + max(below, default=0)
                    highest = max(highest, found[node])
            highest = max([highest, *(of_definition[each] for each in references(ruleset, expr))])
        of_definition[name] = highest
    return found


def column_name(number: int) -> str:
    """The customers' column that stands for a population function; no file has one of that name."""
    return f"\0population {number}"


def with_columns(ruleset: RuleSet, functions: Collection[Population]) -> RuleSet:
    """The rule set with a column instead of each of *functions*, numbered in their order; others, which this run does
    not need, stay."""
    columns = _columns(ruleset, functions)
    definitions = {name: _definition(each, columns) for name, each in ruleset.definitions.items()}
    return replace(ruleset, definitions=definitions)


def collecting(ruleset: RuleSet, functions: Collection[Population], wanted: Collection[Population]) -> RuleSet:
    """`with_columns`, and definitions for the parts of *wanted*: see `part_names`."""
    made = with_columns(ruleset, functions)
    columns = _columns(ruleset, functions)
    more: dict[str, Definition] = {}
    for number, node in enumerate(functions):
        if node in wanted:
            value, by, among = part_names(number, node)
            for name, expr in zip((value, *by), (node.value, *node.by), strict=True):
                more[name] = Attribute(name, None, _replaced(expr, columns), Broken())
            if node.among is not None and among is not None:
                more[among] = Segment(among, None, _replaced(node.among, columns), Broken())
    return replace(made, definitions={**made.definitions, **more})


def _columns(ruleset: RuleSet, functions: Collection[Population]) -> dict[Expr, Column]:
    customers = ruleset.contracts.customers
    return {
        node: Column(customers, column_name(number), node.type, True, span=node.span)
        for number, node in enumerate(functions)
    }


def part_names(number: int, node: Population) -> tuple[str, tuple[str, ...], str | None]:
    """The names of the value, of each `by` and of `among` of the function with this number."""
    by = tuple(f"\0by {number} {place}" for place in range(len(node.by)))
    return f"\0value {number}", by, None if node.among is None else f"\0among {number}"


def _definition(definition: Definition, columns: Mapping[Expr, Column]) -> Definition:
    match definition:
        case Attribute():
            return replace(definition, value=_replaced(definition.value, columns))
        case Segment():
            return replace(definition, when=_replaced(definition.when, columns))
        case StaticList():
            return definition
        case Segmentation():
            cases = tuple(
                replace(case, when=_replaced(case.when, columns), outputs=_all(case.outputs, columns))
                for case in definition.cases
            )
            otherwise, unknown = (_outcome(each, columns) for each in (definition.otherwise, definition.unknown))
            return replace(definition, cases=cases, otherwise=otherwise, unknown=unknown)
        case Scorecard():
            characteristics = tuple(
                replace(each, rows=tuple(replace(row, when=_replaced(row.when, columns)) for row in each.rows))
                for each in definition.characteristics
            )
            return replace(definition, characteristics=characteristics)
        case _:
            assert_never(definition)


def _outcome(outcome: Outcome | None, columns: Mapping[Expr, Column]) -> Outcome | None:
    return None if outcome is None else replace(outcome, outputs=_all(outcome.outputs, columns))


def _all(parts: tuple[Expr, ...], columns: Mapping[Expr, Column]) -> tuple[Expr, ...]:
    return tuple(_replaced(part, columns) for part in parts)


def _replaced(node: Expr, columns: Mapping[Expr, Column]) -> Expr:
    if isinstance(node, Population):
        return columns.get(node, node)
    if not any(isinstance(part, Population) for part in nodes(node)):
        return node
    changes = {each.name: _inside(getattr(node, each.name), columns) for each in fields(node)}
    return replace(node, **changes)


def _inside(part: Any, columns: Mapping[Expr, Column]) -> Any:
    """An operand, several of them, or what is no expression."""
    if isinstance(part, tuple):
        return tuple(_inside(each, columns) for each in part)
    return _replaced(part, columns) if isinstance(part, _EXPRESSIONS) else part
