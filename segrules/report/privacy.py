"""Which names hand on private data.

In: a rule set whose contracts mark columns `pii: true`.  Out: the attributes whose value is made from such a column.
Always: a yes-or-no made from one, and a count, is not private; a value that is copied, cut or joined from one is.

    private_names(ruleset)      # frozenset({"phone_prefix"})
"""

from __future__ import annotations

from segrules.model.expr import Aggregate, Case, Column, Expr, Lookup, Reference, children
from segrules.model.ruleset import Attribute, RuleSet, Segmentation
from segrules.schema.types import Bool


def private_names(ruleset: RuleSet) -> frozenset[str]:
    """Attributes, and the segmentations with an output, that hand on a private column; definitions stand in order
    of need, so one pass is enough."""
    found: set[str] = set()
    for name, definition in ruleset.definitions.items():
        match definition:
            case Attribute():
                values: tuple[Expr, ...] = (definition.value,)
            case Segmentation():
                values = tuple(output for each in definition.reachable for output in each.outputs)
            case _:
                continue
        if any(is_private(ruleset, value, found) for value in values):
            found.add(name)
    return frozenset(found)


def is_private(ruleset: RuleSet, expression: Expr, names: set[str] | frozenset[str]) -> bool:
    """Whether the value of *expression* is made from a private column; *names* are those known to be private."""
    if isinstance(expression.type, Bool):
        return False
    match expression:
        case Column(table, name) | Lookup(_, table, name):
            column = ruleset.contracts.tables[table].columns.get(name)
            return column is not None and column.pii
        case Reference(name):
            return name in names or name.partition(".")[0] in names
        case Aggregate(function, _, value):
            copies = function not in ("count", "count_distinct", "any", "all")
            return copies and value is not None and is_private(ruleset, value, names)
        case Case():
            values = [value for _, value in expression.branches]
            values += [] if expression.otherwise is None else [expression.otherwise]
            return any(is_private(ruleset, value, names) for value in values)
        case _:
            return any(is_private(ruleset, child, names) for child in children(expression))
