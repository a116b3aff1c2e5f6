"""Cut points as a plan keeps them.

In: the cut points of a run.  Out: JSON values.  Always: a group made by a private value, and cuts of private values,
are left out, since a cut is the value of some customer.

    cut_points(ruleset, results.cut_points)[0]["groups"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from segrules.engine.needs import expressions, nodes
from segrules.engine.results import CutPoints
from segrules.model.expr import Population
from segrules.model.privacy import is_private, private_names
from segrules.model.ruleset import RuleSet


def cut_points(ruleset: RuleSet, found: Sequence[CutPoints]) -> tuple[Mapping[str, object], ...]:
    """Function, definition and per group `by`, `customers` and `cuts`, in the order of *found*."""
    private = _private_spans(ruleset)
    return tuple(
        {
            "name": each.definition,
            "function": each.function,
            "expression": each.span.text,
            "type": str(each.type),
            "groups": []
            if (each.definition, each.span.text) in private
            else [
                {"by": list(group.by), "customers": group.customers, "cuts": list(group.cuts)} for group in each.groups
            ],
        }
        for each in found
    )


def _private_spans(ruleset: RuleSet) -> set[tuple[str, str]]:
    """The population functions that rank or group by private values, by definition and text."""
    names = private_names(ruleset)
    return {
        (definition.name, node.span.text)
        for definition in ruleset.definitions.values()
        for expression in expressions(definition)
        for node in nodes(expression)
        if isinstance(node, Population) and any(is_private(ruleset, each, names) for each in (node.value, *node.by))
    }
