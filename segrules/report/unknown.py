"""Why nobody can say whether some customers are in a segment: what is missing of them.

In: a plan with its results.  Out: by segment, the names whose missing values explain it.  Always: names that stand in
the segment's own expression, the one that explains most first; a segment that they do not explain is not in it.

    why_unknown(planned)["at_risk"]      # "recency"
"""

from __future__ import annotations

from collections.abc import Mapping

from segrules.engine.results import Results
from segrules.model.expr import Column, Expr, Reference, children
from segrules.model.ruleset import Segment
from segrules.pipeline import Planned
from segrules.tables.columns import Bools, Loaded

MOST = 3
"""So many names at most."""


def why_unknown(planned: Planned) -> Mapping[str, str]:
    """Texts by the name of a segment."""
    ruleset, results = planned.rules.ruleset, planned.decisions.results
    customers = planned.existing.tables[ruleset.contracts.customers]
    found = {}
    for name, definition in ruleset.definitions.items():
        unknown = results.segments[name].unknown if isinstance(definition, Segment) else None
        if isinstance(definition, Segment) and unknown is not None and unknown.count():
            names = _explaining(_missing(definition.when, results, customers), unknown.mask())
            if names:
                found[name] = ", ".join(names)
    return found


def _missing(expression: Expr, results: Results, customers: Loaded) -> dict[str, Bools]:
    """For whom each name in *expression* is missing or unknown."""
    found: dict[str, Bools] = {}
    waiting = [expression]
    while waiting:
        match node := waiting.pop():
            case Reference(name) if name in results.values:
                column = results.values[name]
                if column.missing is not None:
                    found[name] = column.missing
            case Reference(name) if name in results.segments:
                unknown = results.segments[name].unknown
                if unknown is not None:
                    found[name] = unknown.mask()
            case Column(table, name) if table == customers.name:
                column = customers.columns[name]
                if column.missing is not None:
                    found[name] = column.missing
            case _:
                waiting.extend(reversed(children(node)))
    return found


def _explaining(missing: Mapping[str, Bools], unknown: Bools) -> list[str]:
    """The fewest names, found one after another, with one missing for everyone in *unknown*; none if there are none."""
    left = unknown
    names: list[str] = []
    while left.any() and len(names) < MOST:
        most, name = max(((int((mask & left).sum()), name) for name, mask in missing.items()), default=(0, ""))
        if not most:
            return []
        names.append(name)
        left = left & ~missing[name]
    return [] if left.any() else names
