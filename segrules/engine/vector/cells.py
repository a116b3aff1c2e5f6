"""The value of a node in a block: bits of a bool, cells of anything else.

In: columns.  Out: `Cells`, a column that remembers the bits of its rows that are not missing, so that every comparison
of one column in one block shares them; and the ways between bits and bool columns.  Always: a mask of missing rows
that has none becomes None.

    Cells(column).known()      # None: nothing is missing in this block
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.build import nothing, storage
from segrules.engine.vector.rails import Packed, Rails, constant, known_of, of_mask, unpack
from segrules.schema.types import BOOL, Bool, ListOfText, Text, Type, Value
from segrules.tables.columns import Column


class Cells:
    """A column of one block, not of type bool."""

    __slots__ = ("_known", "column")

    def __init__(self, column: Column) -> None:
        self.column = column
        self._known: Packed | bool | None = False

    def known(self) -> Packed | None:
        """The bits of the rows that are not missing; None: all of them."""
        if isinstance(self._known, bool):
            missing = self.column.missing
            self._known = None if missing is None or not missing.any() else np.packbits(~missing)
        return self._known


Cell: TypeAlias = Cells | Rails


def spread(value: Value, type_: Type, rows: int) -> Column:
    """The column that has *value* in each of *rows*; it may not be written to."""
    if value is None:
        return nothing(type_, rows)
    match type_:
        case ListOfText():
            assert isinstance(value, tuple)
            texts = tuple(dict.fromkeys(value))
            codes = np.array([texts.index(text) for text in value] * rows, np.int32)
            return Column(type_, codes, None, texts, np.arange(rows + 1, dtype=np.int64) * len(value))
        case Text():
            return Column(type_, np.broadcast_to(np.zeros(1, np.int32), (rows,)), None, (str(value),))
        case _:
            return Column(type_, np.broadcast_to(np.array([value], storage(type_)), (rows,)))


def cell_of_constant(value: Value, type_: Type, rows: int) -> Cell:
    return constant(value, rows) if isinstance(type_, Bool) else Cells(spread(value, type_, rows))


def as_column(cell: Cell, rows: int) -> Column:
    """The cell as a column, of bits too."""
    if isinstance(cell, Cells):
        return cell.column
    true, _ = cell
    known = known_of(cell)
    missing = None if known is None else ~unpack(known, rows)
    if missing is not None and not missing.any():
        missing = None
    return Column(BOOL, unpack(true, rows), missing)


def as_cell(column: Column) -> Cell:
    """The column as a cell: bits of a bool."""
    return of_mask(column.values.view(np.bool_), column.missing) if isinstance(column.type, Bool) else Cells(column)


def known_bits(cell: Cell) -> Packed | None:
    """The bits of the rows where the cell is not missing (a bool: not unknown); None: everywhere."""
    return cell.known() if isinstance(cell, Cells) else known_of(cell)


def codes_of(column: Column) -> NDArray[np.int32]:
    """The codes of a text column."""
    return column.values.astype(np.int32, copy=False)


def part(column: Column, start: int, stop: int) -> Column:
    """Rows *start* … *stop* - 1 of a column, without copying."""
    missing = None if column.missing is None else column.missing[start:stop]
    if missing is not None and not missing.any():
        missing = None
    if column.offsets is not None:
        return Column(column.type, column.values, missing, column.dictionary, column.offsets[start : stop + 1])
    return Column(column.type, column.values[start:stop], missing, column.dictionary)


def part_of_rails(whole: Rails, start: int, stop: int) -> Rails:
    """The bits of rows *start* (a multiple of 8) … *stop* - 1."""
    true, false = whole
    first, last = start // 8, (stop + 7) // 8
    return true[first:last], None if false is None else false[first:last]


def joined(parts: list[Cell]) -> Column | Rails:
    """The cells of all blocks in one; their texts have one dictionary, and no block holds items of another's lists.
    The result may not be written to."""
    first = parts[0]
    if isinstance(first, Cells):
        columns = [one.column for one in parts if isinstance(one, Cells)]
        if len(columns) == 1:
            return columns[0]
        missing = None
        if any(column.missing is not None for column in columns):
            masks = [np.zeros(len(c), np.bool_) if c.missing is None else c.missing for c in columns]
            missing = np.concatenate(masks)
        values = np.concatenate([column.values for column in columns])
        if first.column.offsets is not None:
            lengths = [np.diff(column.offsets) for column in columns if column.offsets is not None]
            offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
            return Column(columns[0].type, values, missing, columns[0].dictionary, offsets)
        return Column(columns[0].type, values, missing, columns[0].dictionary)
    rails = [one for one in parts if not isinstance(one, Cells)]
    if len(rails) == 1:
        return first
    true = np.concatenate([one[0] for one in rails])
    if all(one[1] is None for one in rails):
        return true, None
    return true, np.concatenate([~one[0] if one[1] is None else one[1] for one in rails])
