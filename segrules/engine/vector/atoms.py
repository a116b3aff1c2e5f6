"""Comparisons of one value with many constants, block by block.

In: the values of a block, as they are or in few bits.  Out: rows of bits, one per constant.  Always: one numpy call
compares the block with many constants; where a value is missing, a row may have any bit.

    compared(atoms, INTEGER, dense(ages), texts=()).fill(values, matrix, width, scratch)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.bitrows import Atoms
from segrules.engine.vector.build import storage
from segrules.schema.types import Number, Text, Type
from segrules.tables.columns import Bools, Column, Dense
from segrules.tables.dense import together

Matrix: TypeAlias = NDArray[np.uint8]

_CODES: tuple[np.dtype[Any], ...] = (np.dtype("u1"), np.dtype("u2"), np.dtype("i4"))
_EIGHT, _MOST = 8, 64


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Keys `start … stop` of `atoms`, as `keys`, of the dtype to compare as; of the others no value has any."""

    atoms: Atoms
    keys: NDArray[Any]
    start: int
    stop: int

    def fill(self, values: NDArray[Any], matrix: Matrix, width: int, scratch: Bools) -> None:
        """Sets the first *width* bytes of the rows of the atoms. *scratch* holds as many rows of bools of a block as
        shall be compared at a time."""
        values = values.astype(self.keys.dtype, copy=False)
        first, rows = self.atoms.first, len(values)
        compare: Callable[..., Any] = np.greater_equal if self.atoms.kind == "at_least" else np.equal
        if self.start:
            matrix[first : first + self.start] = 0
        if self.stop < len(self.atoms.keys):
            matrix[first + self.stop : first + len(self.atoms.keys)] = 0
        for place in range(self.start, self.stop, len(scratch)):
            keys = self.keys[place - self.start : min(place + len(scratch), self.stop) - self.start]
            answers = scratch[: len(keys), :rows]
            compare(values, keys[:, None], answers)
            matrix[first + place : first + place + len(keys), :width] = np.packbits(answers, axis=1)


def compared(atoms: Atoms, type_: Type, own: Dense | None, texts: tuple[str, ...]) -> Comparison:
    """How *atoms* of a value of *type_* are compared. *own*: it in few bits; *texts*: its dictionary."""
    if isinstance(type_, Text):
        places = {text: code for code, text in enumerate(texts)}
        dtype = own.values.dtype if own else next(width for width in _CODES if len(texts) <= np.iinfo(width).max)
        nowhere = np.iinfo(dtype).max
        codes = np.array([places.get(key, nowhere) for key in atoms.keys], dtype)
        return Comparison(atoms, codes, 0, len(codes))
    if isinstance(type_, Number):
        return Comparison(atoms, np.array(atoms.keys, np.float64), 0, len(atoms.keys))
    dtype = storage(type_) if own is None else own.values.dtype
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    keys = [int(key) - (0 if own is None else own.base) for key in atoms.keys]
    start, stop = 0, sum(key <= high for key in keys)
    if atoms.kind == "at_least":
        keys = [max(key, low) for key in keys]
    else:
        start = sum(key < low for key in keys)
    return Comparison(atoms, np.array(keys[start:stop], dtype), start, stop)


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """Which lists hold which of the texts of `atoms`. `flags[g][code]`: the bits of 64 of the texts, or fewer."""

    atoms: Atoms
    flags: tuple[NDArray[np.unsignedinteger[Any]], ...]

    def fill(self, column: Column, matrix: Matrix, width: int) -> None:
        row, rest = self.atoms.first, len(self.atoms.keys)
        for flags in self.flags:
            _spread(together(flags, column), range(min(rest, _MOST)), matrix[row:, :width])
            row, rest = row + _MOST, rest - _MOST


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The same from lists in few bits: the bit of each text, None for one that no list holds."""

    atoms: Atoms
    places: tuple[int | None, ...]

    def fill(self, values: NDArray[Any], matrix: Matrix, width: int) -> None:
        _spread(values, self.places, matrix[self.atoms.first :, :width])


def _spread(held: NDArray[Any], places: Iterable[int | None], rows: Matrix) -> None:
    """Row by row one bit of every value."""
    eights: dict[int, NDArray[np.uint8]] = {}
    every = held.view(np.uint8).reshape(len(held), held.dtype.itemsize)
    for row, place in zip(rows, places, strict=False):
        if place is None:
            row[:] = 0
            continue
        eight, bit = divmod(place, _EIGHT)
        if eight not in eights:
            eights[eight] = np.ascontiguousarray(every[:, eight])
        row[:] = np.packbits(eights[eight] & np.uint8(1 << bit))


def holding(atoms: Atoms, own: Dense | None, texts: tuple[str, ...]) -> Holding | Held:
    places = {text: code for code, text in enumerate(texts)}
    if own is not None:
        return Held(atoms, tuple(places.get(key) for key in atoms.keys))
    found = []
    for begin in range(0, len(atoms.keys), _MOST):
        keys = atoms.keys[begin : begin + _MOST]
        dtype = next(np.dtype(name) for name in ("<u1", "<u2", "<u4", "<u8") if len(keys) <= _EIGHT * int(name[-1]))
        flags = np.zeros(max(len(texts), 1), dtype)
        for place, key in enumerate(keys):
            if key in places:
                flags[places[key]] |= dtype.type(1 << place)
        found.append(flags)
    return Holding(atoms, tuple(found))
