"""Which values hand on private data.

In: a rule set whose contracts mark columns `pii: true`.  Out: the definitions and expressions whose value is made
from such a column.  Always: a yes-or-no made from one, and a count, is not private; a value that is copied, cut or
joined from one is.

    private_names(ruleset)      # frozenset({"phone_prefix"})
"""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from segrules.model.expr import Aggregate, Case, Column, Expr, Lookup, Reference, children
from segrules.model.ruleset import Attribute, RuleSet, Segmentation
from segrules.schema.types import Bool

COUNTING = frozenset({"count", "count_distinct", "any", "all"})


def private_names(ruleset: RuleSet) -> frozenset[str]:
    """Attributes, and outputs of decision tables (`tier.contact`), that hand on a private column. Definitions stand
    in order of need, so one pass is enough."""
    found: set[str] = set()
    for name, definition in ruleset.definitions.items():
        private = partial(is_private, ruleset, names=found)
        match definition:
            case Attribute():
                if private(definition.value):
                    found.add(name)
            case Segmentation():
                reached = [each.outputs for each in (definition.otherwise, definition.unknown) if each is not None]
                for row in (*(case.outputs for case in definition.cases), *reached):
                    for (output, _), value in zip(definition.outputs, row, strict=False):
                        if private(value):
                            found.add(f"{name}.{output}")
            case _:
                pass
    return frozenset(found)


def is_private(ruleset: RuleSet, expression: Expr, names: Set[str]) -> bool:
    """Whether the value of *expression* is made from a private column; *names* are those known to be private."""
    if isinstance(expression.type, Bool):
        return False
    match expression:
        case Column(table, name) | Lookup(_, table, name):
            column = ruleset.contracts.tables[table].columns.get(name)
            return column is not None and column.pii
        case Reference(name):
            return name in names
        case Aggregate(function, _, value):
            return function not in COUNTING and value is not None and is_private(ruleset, value, names)
        case Case():
            values = [value for _, value in expression.branches]
            values += [] if expression.otherwise is None else [expression.otherwise]
            return any(is_private(ruleset, value, names) for value in values)
        case _:
            return any(is_private(ruleset, child, names) for child in children(expression))
