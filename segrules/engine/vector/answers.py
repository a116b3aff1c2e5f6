"""Where the answers of a level stay: rows of bits over all rows, written block by block.

In: a plan and what of it is wanted.  Out: `Sink`s to write to, then `Answers`.  Always: an answer that several nodes
have is written once; a row begins on a line of the cache and is followed by room up to one; padding bits are 0.

    sinks = sinks_of(plan, program, outputs, members, rows)
    collected(sinks, plan, program, outputs, members, rows, Answers()).members[star].true
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.atoms import Matrix
from segrules.engine.vector.bitrows import Plan
from segrules.engine.vector.program import Node, Program
from segrules.engine.vector.rails import Packed, Rails, size
from segrules.engine.vector.watch import Watch
from segrules.schema.types import Bool
from segrules.tables.columns import Column, Ints

_LINE = 64


@dataclass(frozen=True, slots=True)
class Membership:
    """Packed bits of all rows, padding 0, and how many there are, if that is known; `unknown` None: for nobody."""

    true: Packed
    unknown: Packed | None
    members: int | None = None


@dataclass(slots=True)
class Answers:
    full: dict[Node, Column | Rails] = field(default_factory=dict)
    members: dict[Node, Membership] = field(default_factory=dict)
    watches: list[Watch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Sink:
    """Rows of bits over all rows of the space, from rows of a block: `unless` None: the rows as they are, else where
    neither of two rows has a bit."""

    rows: NDArray[np.intp]
    unless: NDArray[np.intp] | None
    whole: Matrix


def sinks_of(
    plan: Plan, program: Program, outputs: Collection[Node], members: Collection[Node], rows: int
) -> tuple[Sink, Sink]:
    """Where the rails of *outputs* go and who is in *members*; and for whom that cannot be said."""
    rails = [plan.rails[node] for node in outputs if isinstance(program.types[node], Bool)]
    pairs = [plan.rails[node] for node in members]
    kept = dict.fromkeys([*(true for true, _ in (*rails, *pairs)), *(false for _, false in rails if false is not None)])
    unknown = dict.fromkeys((true, false) for true, false in pairs if false is not None)
    width = -(-size(rows) // _LINE) * _LINE

    def whole(count: int) -> Matrix:
        room = np.empty(count * width + _LINE, np.uint8)
        start = -room.ctypes.data % _LINE
        return room[start : start + count * width].reshape(count, width)[:, : size(rows)]

    true, false = (np.array([pair[rail] for pair in unknown], np.intp) for rail in (0, 1))
    return Sink(np.array(list(kept), np.intp), None, whole(len(kept))), Sink(true, false, whole(len(unknown)))


def collected(
    sinks: tuple[Sink, Sink], plan: Plan, program: Program, outputs: Collection[Node], members: Collection[Node],
    rows: int, answers: Answers, counts: Ints | None = None,
) -> Answers:  # fmt: skip
    """*answers* with those of the sinks. *counts*: how many bits each of those has."""
    kept, unknown = sinks
    if spare := -rows % 8:
        for sink in sinks:
            sink.whole[:, -1] &= 0xFF << spare & 0xFF
    places = {row: place for place, row in enumerate(kept.rows.tolist())}
    pairs = [] if unknown.unless is None else zip(unknown.rows.tolist(), unknown.unless.tolist(), strict=True)
    nobody = {pair: place for place, pair in enumerate(pairs)}
    some = np.any(unknown.whole, axis=1) if counts is None else counts[len(kept.rows) :] > 0
    for node in outputs:
        if isinstance(program.types[node], Bool):
            true, false = plan.rails[node]
            answers.full[node] = kept.whole[places[true]], None if false is None else kept.whole[places[false]]
    for node in members:
        true, false = plan.rails[node]
        missing = None if false is None or not some[nobody[true, false]] else unknown.whole[nobody[true, false]]
        number = None if counts is None else int(counts[places[true]])
        answers.members[node] = Membership(kept.whole[places[true]], missing, number)
    return answers
