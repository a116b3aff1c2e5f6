"""Functions of the population for one customer, by the cut points of a run.

In: a checked `Population`, and the thresholds of its groups.  Out: a `Val`.  Always: the band or quantile that the
customer would have got in that run; missing in a group that the run did not have.

    qcut(spend by city, 4)      # band(k0, (v_2,), v_1)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from segrules.engine.needs import expressions, nodes
from segrules.engine.results import Results
from segrules.engine.scalar.writer import FALSE, MISSING, Level, Scope, Val
from segrules.model.expr import Population
from segrules.model.ruleset import Definition, RuleSet
from segrules.schema.types import Number, Value

if TYPE_CHECKING:
    from segrules.engine.scalar.lower import Lowering

CUT = ("qcut", "quantile")
Thresholds = Mapping[tuple[Value, ...], Sequence[int | float]]


def populations(definition: Definition) -> Iterator[Population]:
    """The functions of the population in *definition*, equal ones once, in the order written."""
    parts = (node for expr in expressions(definition) for node in nodes(expr))
    yield from dict.fromkeys(part for part in parts if isinstance(part, Population))


def thresholds(ruleset: RuleSet, results: Results) -> dict[Population, Thresholds]:
    """What every `qcut` and `quantile` of a run cut at: of a `qcut` what a value must be above for the next band, of a
    `quantile` its result."""
    found: dict[Population, Thresholds] = {}
    for name, definition in ruleset.definitions.items():
        points = [one for one in results.cut_points if one.definition == name]
        cut = [node for node in populations(definition) if node.function in CUT]
        for node, one in zip(cut, points, strict=False):
            exact = node.function == "qcut" or not isinstance(node.type, Number)
            found[node] = {group.by: group.thresholds if exact else group.cuts for group in one.groups}
    return found


def population(lowering: Lowering, node: Population, scope: Scope) -> Val:
    writer = lowering.writer
    value, *by = [lowering.value(part, scope) for part in (node.value, *node.by)]
    among = None if node.among is None else lowering.value(node.among, scope)
    groups = writer.object(lowering.thresholds[node])
    group = "".join(f"{{{at}}}, " for at in range(1, len(by) + 1))
    if node.function == "qcut":
        assert isinstance(node.argument, int)
        found = writer.apply(f"band({groups}, ({group}), {{0}})", value, *by, nullable=True, lowest=Level.ONE)
        if node.descending:
            found = writer.apply(f"{node.argument + 1} - {{0}}", found)
    else:
        found = writer.apply(f"{groups}.get(({group}), (None,))[0]", value, *by, nullable=True, lowest=Level.ONE)
    if among is None:
        return found
    if among.is_missing or among == FALSE:
        return MISSING
    return writer.apply("{0} if {1} is True else None", found, among, strict=False, nullable=True)
