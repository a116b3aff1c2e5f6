"""`plan --explain-changes`: which clauses those who entered or left a segment fulfil now.

In: a plan with its results.  Out: counts by clause, as lines or JSON values.  Always: what is true now, since former
values are not kept: of those who left, whom each clause of an `and` does not hold for; of those who entered, whom each
clause of an `or` holds for; one customer may be counted at several clauses; who is no customer any more is counted
apart.

    attributed(planned)[0].left[0]      # Clause("spend >= threshold", 28)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from segrules.diagnostics.catalogue import Language, say
from segrules.model.expr import And, Expr, Or
from segrules.model.ruleset import Segment
from segrules.pipeline import Planned, evaluate_existing
from segrules.plan.document import SegmentChange
from segrules.report.screen import Line, Piece, line
from segrules.tables.columns import Bools


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause in the author's words, and how many customers are meant."""

    text: str
    customers: int


@dataclass(frozen=True, slots=True)
class Attributed:
    """One changed segment. `gone`: those who left because they are no customers any more."""

    name: str
    entered: tuple[Clause, ...]
    left: tuple[Clause, ...]
    gone: int


def attributed(planned: Planned) -> list[Attributed]:
    """Every changed segment whose rule has clauses, or which lost customers who are gone."""
    changed = [each for each in planned.plan.manifest.segments if each.moved]
    held = _held(planned, [each.name for each in changed])
    return [one for each in changed if (one := _attributed(planned, each, held.get(each.name, []))) is not None]


def _attributed(planned: Planned, change: SegmentChange, held: Sequence[tuple[str, Bools]]) -> Attributed | None:
    members = next(each.members for each in planned.plan.members.names if each.name == change.name)
    before = planned.decisions.history.standing[change.name].members
    entered, left = members & ~before, before & ~members
    definition = planned.rules.ruleset.definitions.get(change.name)
    joined_by_and = isinstance(definition, Segment) and isinstance(definition.when, And)
    counted = [Clause(text, int((left & ~mask if joined_by_and else entered & mask).sum())) for text, mask in held]
    clauses = tuple(each for each in counted if each.customers)
    gone = change.left - int(left.sum())
    if not clauses and not gone:
        return None
    return Attributed(change.name, () if joined_by_and else clauses, clauses if joined_by_and else (), gone)


def _held(planned: Planned, names: Sequence[str]) -> dict[str, list[tuple[str, Bools]]]:
    """For whom each clause of the segments *names* is TRUE, by segment."""
    ruleset = planned.rules.ruleset
    hidden: dict[str, Segment] = {}
    places: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        definition = ruleset.definitions.get(name)
        if isinstance(definition, Segment):
            for number, clause in enumerate(_clauses(definition.when)):
                own = f" {name}: clause {number}"
                hidden[own] = replace(definition, name=own, when=clause)
                places.setdefault(name, []).append((own, clause.span.text))
    if not hidden:
        return {}
    extended = replace(ruleset, definitions={**ruleset.definitions, **hidden})
    results = evaluate_existing(extended, planned.existing, planned.decisions.as_of, set(hidden))
    return {
        name: [(text, np.asarray(results.segments[own].true.mask())) for own, text in clauses]
        for name, clauses in places.items()
    }


def _clauses(when: Expr) -> Iterator[Expr]:
    if isinstance(when, And | Or):
        yield from when.operands


def screen(found: Sequence[Attributed], language: Language) -> list[Line]:
    """Lines for each segment."""
    lines: list[Line] = []
    for one in found:
        lines += [line(), line("  ", Piece(one.name, "bold"))]
        for key, clauses in (("entered_by", one.entered), ("left_by", one.left)):
            said = (say(f"plan.{key}", language, n=f"{each.customers:,}", clause=each.text) for each in clauses)
            lines += [line("    ", each) for each in said]
        if one.gone:
            lines.append(line("    ", say("plan.gone", language, n=f"{one.gone:,}")))
    return lines


def as_json(found: Sequence[Attributed]) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {
            "name": one.name,
            "entered": [{"clause": each.text, "customers": each.customers} for each in one.entered],
            "left": [{"clause": each.text, "customers": each.customers} for each in one.left],
            "gone": one.gone,
        }
        for one in found
    ]
