"""A table as its source has it: cells before their contract is looked at.

In: columns of Arrow arrays or of Python values.  Out: `Raw`, what every reader gives and `parse` takes.  Always: the
columns of a `Raw` have `rows` cells; `spelled` tells sources in which everything is text (CSV, spreadsheets) from
those with types of their own; nothing has been dropped but blank lines, rows with too few or too many cells are kept
apart as `ragged`.

    python_cells([1, "2", None])      # Mixed: an int64 piece for row 0, a string piece for row 1, nulls for row 2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from segrules.source import Span
from segrules.tables.columns import Ints

SHOWN = 40
"""How many characters of a cell a message shows."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which table it is and where it comes from, for messages: `shown` is a path, a database or empty for a table
    that the caller gave; `span` is the place of the file's path in segrules.yaml, else the table's (the URL of a
    database may hold a password, and places are shown)."""

    table: str
    shown: str
    span: Span
    unit: Literal["line", "row"] = "row"


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A column whose cells are of several kinds: `pieces[i]` has the cells of `rows[i]`, every row in one of them."""

    pieces: tuple[pa.ChunkedArray, ...]
    rows: tuple[Ints, ...]

    def __len__(self) -> int:
        return sum(len(piece) for piece in self.pieces)


Cells: TypeAlias = "pa.ChunkedArray | Mixed"


@dataclass(frozen=True, slots=True)
class Ragged:
    """A row with another number of cells than the header: its data row number and its cells."""

    number: int
    cells: tuple[str, ...]


def same(number: int) -> int:
    return number


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """`columns`: the wanted ones by their contract's name. `numbers`: the data row number (1-based) of each row, None
    where they count 1, 2, 3 …. `place_of` turns such a number into the line or row that a person finds in the source.
    `everything` gives all columns by header, for the quarantine."""

    origin: Origin
    rows: int
    columns: Mapping[str, Cells]
    headers: tuple[str, ...]
    unlisted: tuple[str, ...]
    everything: Callable[[], Mapping[str, Cells]]
    spelled: bool = False
    ragged: tuple[Ragged, ...] = ()
    numbers: Ints | None = None
    place_of: Callable[[int], int] = same

    def number(self, row: int) -> int:
        return row + 1 if self.numbers is None else int(self.numbers[row])


def chunked(array: Any) -> pa.ChunkedArray:
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def cell_text(cells: Cells, row: int) -> str | None:
    """The cell as a person would see it; None where it is missing."""
    if isinstance(cells, Mixed):
        for piece, rows in zip(cells.pieces, cells.rows, strict=True):
            at = int(np.searchsorted(rows, row))
            if at < len(rows) and rows[at] == row:
                return cell_text(piece, at)
        return None
    scalar = cells[row]
    if pa.types.is_timestamp(scalar.type) or pa.types.is_date(scalar.type):
        return None if not scalar.is_valid else str(scalar.cast(pa.string()))
    value = scalar.as_py()
    if isinstance(value, dict) and set(value) == {"opaque"}:
        value = value["opaque"]
    if isinstance(value, Decimal):
        value = format(value, "f")
    if isinstance(value, list):
        return "|".join(map(str, value))
    return None if value is None else str(value)


def shown_cell(cells: Cells, row: int) -> str:
    text = cell_text(cells, row) or ""
    text = "".join(character if character.isprintable() else " " for character in text[: SHOWN + 1])
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def python_cells(values: Iterable[Any], nan_is_missing: bool = True) -> Cells:
    """A column of Python values, of one class or of many, as Arrow arrays; numbers too large for 64 bits and exact
    decimals beyond Arrow's become text, which is converted as exactly."""
    column = values if isinstance(values, list | np.ndarray) else list(values)
    classes = list(dict.fromkeys(map(type, column)))
    some = [each for each in classes if each.__name__ not in _ABSENT]
    if not nan_is_missing and len(classes) > len(some):
        column = [None if type(value).__name__ in _ABSENT else value for value in column]
        classes = list(dict.fromkeys(map(type, column)))
    if not some:
        return chunked(pa.nulls(len(column)))
    if len(some) == 1 and not issubclass(some[0], datetime):
        return _together(_pieces(some[0], column, np.arange(len(column)), nan_is_missing))
    kinds = {each: index for index, each in enumerate(classes)}
    count = len(classes)
    codes = np.fromiter(
        (kinds[type(v)] + count * (isinstance(v, datetime) and v.tzinfo is not None) for v in column),
        np.int64,
        len(column),
    )
    found: list[tuple[pa.Array, Ints]] = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        found += _pieces(classes[int(code) % count], [column[row] for row in rows], rows, nan_is_missing)
    return _together(found)


_ABSENT = frozenset({"NoneType", "NAType", "NaTType"})
_UNFIT = (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError, TypeError)
"""What Arrow raises for values that it cannot hold as one array."""


def _together(pieces: Sequence[tuple[pa.Array, Ints]]) -> Cells:
    if len(pieces) == 1:
        return chunked(pieces[0][0])
    return Mixed(tuple(chunked(array) for array, _ in pieces), tuple(rows for _, rows in pieces))


def _pieces(
    of: type, values: Sequence[Any] | NDArray[Any], rows: Ints, nan_is_missing: bool
) -> list[tuple[pa.Array, Ints]]:
    """Values of one class, and absent ones, in as few arrays as hold them, each with its rows."""
    if of.__name__ in _ABSENT:
        return [(pa.nulls(len(values)), rows)]
    if issubclass(of, UUID):
        return [(_texts(values), rows)]
    try:
        return [(pa.array(values, pa.string() if issubclass(of, str) else None, from_pandas=nan_is_missing), rows)]
    except _UNFIT:
        if issubclass(of, int | Decimal | np.integer):
            return [(_texts(values), rows)]
    return _one_by_one(values, rows, nan_is_missing)


def _one_by_one(values: Sequence[Any] | NDArray[Any], rows: Ints, nan_is_missing: bool) -> list[tuple[pa.Array, Ints]]:
    """Values that Arrow does not hold together, by the type it gives to each alone; one that it does not know at all
    becomes an opaque struct, which fits no type."""
    by_type: dict[pa.DataType | None, list[int]] = {}
    for at, value in enumerate(values):
        try:
            of = pa.array([value], from_pandas=nan_is_missing).type
        except _UNFIT:
            of = None
        by_type.setdefault(of, []).append(at)
    found = []
    for of, places in by_type.items():
        some = [values[at] for at in places]
        if of is None:
            array: pa.Array = pa.StructArray.from_arrays([_texts(some)], ["opaque"])
        else:
            array = pa.array(some, of, from_pandas=nan_is_missing)
        found.append((array, rows[np.array(places, np.int64)]))
    return found


def _texts(values: Iterable[Any]) -> pa.Array:
    return pa.array([None if type(v).__name__ in _ABSENT else _spelling(v) for v in values], pa.string())


def _spelling(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8")
