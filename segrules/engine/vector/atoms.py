"""Comparisons of one value with many constants, block by block.

In: the values of a block.  Out: rows of bits, one per constant.  Always: one numpy call compares the block with many
constants; integers, days and codes of texts that need few bits are compared as such, which is several times faster;
where a value is missing no row has a bit.

    compared(atoms, INTEGER, bounds=(0, 90), texts=())(values, matrix, scratch)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.bitrows import Atoms
from segrules.engine.vector.build import storage
from segrules.schema.types import Number, Text, Type
from segrules.tables.columns import Bools, Column

Matrix: TypeAlias = NDArray[np.uint8]
Bounds: TypeAlias = "tuple[int, int] | None"

_NARROW: tuple[np.dtype[Any], ...] = tuple(np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4"))
_CODES: tuple[np.dtype[Any], ...] = (np.dtype("u1"), np.dtype("u2"), np.dtype("i4"))
_EIGHT, _MOST = 8, 64
_SHORT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Keys `start … stop` of `atoms`, as `keys`; of the others no value has any. `dtype`: what to compare as."""

    atoms: Atoms
    dtype: np.dtype[Any]
    keys: NDArray[Any]
    start: int
    stop: int

    def fill(self, column: Column, matrix: Matrix, width: int, scratch: Bools) -> None:
        """Sets the first *width* bytes of the rows of the atoms, but for missing values. *scratch* holds as many rows
        of bools of a block as shall be compared at a time."""
        values = column.values.astype(self.dtype, copy=False)
        first, rows = self.atoms.first, len(values)
        compare: Callable[..., Any] = np.greater_equal if self.atoms.kind == "at_least" else np.equal
        if self.start:
            matrix[first : first + self.start] = 0
        if self.stop < len(self.atoms.keys):
            matrix[first + self.stop : first + len(self.atoms.keys)] = 0
        for place in range(self.start, self.stop, len(scratch)):
            keys = self.keys[place - self.start : min(place + len(scratch), self.stop) - self.start]
            answers = scratch[: len(keys), :rows]
            compare(values, keys, answers)
            matrix[first + place : first + place + len(keys), :width] = np.packbits(answers, axis=1)


def compared(atoms: Atoms, type_: Type, bounds: Bounds, texts: tuple[str, ...]) -> Comparison:
    """How *atoms* of a value of *type_* are compared. *bounds*: no value is outside; *texts*: its dictionary."""
    if isinstance(type_, Text):
        places = {text: code for code, text in enumerate(texts)}
        width = next(width for width in _CODES if len(texts) <= np.iinfo(width).max)
        nowhere = np.iinfo(width).max
        codes = np.array([[places.get(key, nowhere)] for key in atoms.keys], width)
        return Comparison(atoms, width, codes, 0, len(codes))
    if isinstance(type_, Number):
        return Comparison(atoms, np.dtype("f8"), np.array(atoms.keys, np.float64)[:, None], 0, len(atoms.keys))
    dtype: np.dtype[Any] = storage(type_)
    if bounds is not None:
        fitting = (each for each in _NARROW if np.iinfo(each).min <= bounds[0] and bounds[1] <= np.iinfo(each).max)
        dtype = next((each for each in fitting if each.itemsize < dtype.itemsize), dtype)
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    keys = [int(key) for key in atoms.keys]
    start, stop = 0, sum(key <= high for key in keys)
    if atoms.kind == "at_least":
        keys = [max(key, low) for key in keys]
    else:
        start = sum(key < low for key in keys)
    return Comparison(atoms, dtype, np.array(keys[start:stop], dtype)[:, None], start, stop)


@dataclass(frozen=True, slots=True, eq=False)
class Holding:
    """Which lists hold which of the texts of `atoms`. `flags[g][code]`: the bits of 64 of the texts, or fewer."""

    atoms: Atoms
    flags: tuple[NDArray[np.unsignedinteger[Any]], ...]

    def fill(self, column: Column, matrix: Matrix, width: int, scratch: Bools) -> None:
        assert column.offsets is not None
        row, last = self.atoms.first, self.atoms.first + len(self.atoms.keys)
        for flags in self.flags:
            held = _together(np.append(flags, flags.dtype.type(0)), column.values, column.offsets)
            for eight in held.view(np.uint8).reshape(len(held), flags.dtype.itemsize).T:
                bits = np.ascontiguousarray(eight)
                for place in range(min(_EIGHT, last - row)):
                    matrix[row, :width] = np.packbits(bits & np.uint8(1 << place))
                    row += 1


def _together(flags: NDArray[Any], codes: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Per list the flags of its items together; the last of *flags* has none."""
    starts, begin = offsets[:-1], int(offsets[0])
    lengths = np.diff(offsets)
    items = np.append(flags.take(codes[begin : int(offsets[-1])]), flags[-1])
    longest = int(lengths.max(initial=0))
    found = np.zeros(len(starts), flags.dtype)
    if longest > _SHORT:
        some = np.flatnonzero(lengths)
        found[some] = np.bitwise_or.reduceat(items, starts[some] - begin)
        return found
    places = starts - begin
    for place in range(longest):
        found |= items.take(places + place, mode="clip") * (lengths > place)
    return found


def holding(atoms: Atoms, texts: tuple[str, ...]) -> Holding:
    places = {text: code for code, text in enumerate(texts)}
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
