"""Kernels that choose between values: `case`, `??`, the case of a segmentation.

In: the nodes of conditions and values, their dictionaries.  Out: kernels.  Always: only TRUE takes a branch; every
branch has been computed by then, since overflow must not depend on what is chosen.

    chosen((big,), (gold,), silver, TEXT, texts)(registers, rows)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.build import nothing
from segrules.engine.vector.cells import Cell, Cells, codes_of
from segrules.engine.vector.comparing import Kernel, Registers
from segrules.engine.vector.program import Node
from segrules.engine.vector.rails import Rails, choice, constant, known_of, unpack
from segrules.schema.types import LIST, TEXT, Bool, Type, Untyped
from segrules.tables.columns import Bools, Column

Moves: TypeAlias = dict[Node, NDArray[np.int32] | None]


def merged(nodes: Sequence[Node], texts: Sequence[tuple[str, ...]]) -> tuple[Moves, tuple[str, ...]]:
    """One dictionary for several text nodes: for each its codes there (None: as they are), and the texts."""
    places: dict[str, int] = {}
    moves: Moves = {}
    for node, own in zip(nodes, texts, strict=True):
        moved = np.array([places.setdefault(text, len(places)) for text in own], np.int32)
        moves[node] = None if np.array_equal(moved, np.arange(len(own))) else moved
    return moves, tuple(places)


def chosen(
    conditions: Sequence[Node], values: Sequence[Node], otherwise: Node | None, type_: Type, texts: tuple[str, ...],
    moves: Moves,
) -> Kernel:  # fmt: skip
    branches = tuple(reversed(tuple(zip(conditions, values, strict=True))))
    if isinstance(type_, Bool):
        return _chosen_truth(branches, otherwise)

    def run(registers: Registers, rows: int) -> Cell:
        start = nothing(type_, rows) if otherwise is None else _moved(registers[otherwise], moves.get(otherwise), type_)
        found, missing = start.values.copy(), None if start.missing is None else start.missing.copy()
        for condition, value in branches:
            where = unpack(registers[condition][0], rows)
            column = _moved(registers[value], moves.get(value), type_)
            np.copyto(found, column.values, where=where)
            if column.missing is not None:
                missing = np.zeros(rows, np.bool_) if missing is None else missing
                np.copyto(missing, column.missing, where=where)
            elif missing is not None:
                missing[where] = False
        return Cells(Column(type_, found, _some(missing), texts))

    return run


def _chosen_truth(branches: Sequence[tuple[Node, Node]], otherwise: Node | None) -> Kernel:
    def run(registers: Registers, rows: int) -> Cell:
        found: Rails = constant(None, rows) if otherwise is None else registers[otherwise]
        for condition, value in branches:
            found = choice(registers[condition][0], registers[value], found)
        return found

    return run


def first_present(args: Sequence[Node], type_: Type, texts: tuple[str, ...], moves: Moves) -> Kernel:
    if isinstance(type_, Bool):
        return _first_known(args)

    def run(registers: Registers, rows: int) -> Cell:
        first, *others = args
        column = _moved(registers[first], moves.get(first), type_)
        found, missing = column.values, column.missing
        for node in others:
            if missing is None:
                break
            column = _moved(registers[node], moves.get(node), type_)
            found = np.where(missing, column.values, found)
            missing = None if column.missing is None else missing & column.missing
        return Cells(Column(type_, found, _some(missing), texts))

    return run


def _first_known(args: Sequence[Node]) -> Kernel:
    def run(registers: Registers, rows: int) -> Cell:
        found: Rails = registers[args[0]]
        for node in args[1:]:
            known = known_of(found)
            if known is not None:
                found = choice(known, found, registers[node])
        return found

    return run


def labelled(ids: tuple[str, ...], conditions: Sequence[Node]) -> Kernel:
    """The id beside the condition that is TRUE, by code."""
    coded = tuple((np.int32(code), node) for code, node in enumerate(conditions) if code)

    def run(registers: Registers, rows: int) -> Cell:
        codes = np.zeros(rows, np.int32)
        for code, node in coded:
            np.copyto(codes, code, where=unpack(registers[node][0], rows))
        return Cells(Column(TEXT, codes, None, ids))

    return run


def chosen_lists(conditions: Sequence[Bools], values: Sequence[Column]) -> Column:
    """Lists: of each row those of the first of *values* whose condition is TRUE, else those of the last."""
    rows = len(values[-1])
    which = np.full(rows, len(conditions), np.int64)
    for place in range(len(conditions) - 1, -1, -1):
        which[conditions[place]] = place
    places: dict[str, int] = {}
    codes, starts, ends, holes = [], [], [], []
    total = 0
    for column in values:
        offsets = np.zeros(rows + 1, np.int64) if column.offsets is None else column.offsets
        moved = np.array([places.setdefault(text, len(places)) for text in column.dictionary], np.int32)
        codes.append(moved[column.values] if column.offsets is not None else moved[:0])
        starts.append(offsets[:-1] + total)
        ends.append(offsets[1:] + total)
        holes.append(np.zeros(rows, np.bool_) if column.missing is None else column.missing)
        total += len(codes[-1])
    everything = np.arange(rows)
    first, last = np.array(starts)[which, everything], np.array(ends)[which, everything]
    lengths = last - first
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    index = np.repeat(first - offsets[:-1], lengths) + np.arange(offsets[-1])
    missing = _some(np.array(holes)[which, everything])
    return Column(LIST, np.concatenate(codes)[index], missing, tuple(places), offsets)


def _moved(cells: Cells, moves: NDArray[np.int32] | None, type_: Type) -> Column:
    """The cells' column with its codes in the common dictionary; an untyped one, all missing, as *type_*."""
    column = cells.column
    if isinstance(column.type, Untyped):
        return nothing(type_, len(column))
    if moves is None or not len(moves):
        return column
    values = np.take(moves, codes_of(column))
    if column.missing is not None:
        values[column.missing] = 0
    return Column(column.type, values, column.missing, column.dictionary)


def _some(missing: Bools | None) -> Bools | None:
    return missing if missing is not None and missing.any() else None
