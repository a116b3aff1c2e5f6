"""What converting a column gives, and the small steps that every conversion shares.

In: Arrow arrays.  Out: `Parsed`: the typed column, and which cells did not fit, by what was wrong with them.
Always: a cell that did not fit is missing in the column; masks are None where nothing is marked.

    Parsed(Column(Integer(), …), {"digits": mask})      # the cells of mask had more digits than declared
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segrules.schema.contract import Cleaning, Format
from segrules.schema.types import Text, Type
from segrules.tables.columns import Bools, Column, Ints

Fault: TypeAlias = Literal["type", "digits", "range", "day"]
"""Not of the type; more decimal digits than declared; outside its range; a time of day where a date should be."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the cells of one column are spelled: of its contract, its table's format and its source. `shown_in`: the
    project's zone, where the column has one of its own."""

    format: Format
    zone: str
    spelled: bool
    clean: tuple[Cleaning, ...] = ()
    separator: str = "|"
    yes: tuple[str, ...] = ("true",)
    no: tuple[str, ...] = ("false",)
    date_format: str | None = None
    absent: tuple[str, ...] = field(default=())
    shown_in: str | None = None

    @property
    def plain(self) -> bool:
        """Whether numbers are spelled with nothing but a decimal point."""
        return self.format.decimal == "." and not self.format.thousands and not self.format.strip


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    column: Column
    faults: Mapping[Fault, Bools] = field(default_factory=dict)
    not_finite: Bools | None = None


def missing_of(cells: pa.ChunkedArray) -> Bools | None:
    if not cells.null_count:
        return None
    found: Bools = pc.is_null(cells).to_numpy()
    return found


def numpy_of(cells: pa.ChunkedArray, absent: object = 0) -> NDArray[Any]:
    """The values, *absent* where missing."""
    filled = pc.fill_null(cells, pa.scalar(absent).cast(cells.type)) if cells.null_count else cells
    values: NDArray[Any] = filled.to_numpy()
    return values


def parsed(
    of: Type,
    values: NDArray[Any],
    missing: Bools | None,
    faults: Mapping[Fault, Bools] | None = None,
    not_finite: Bools | None = None,
) -> Parsed:
    """A column of one number per cell; marked cells become missing, missing ones zero."""
    marked = {fault: mask for fault, mask in (faults or {}).items() if mask.any()}
    not_finite = None if not_finite is None or not not_finite.any() else not_finite
    gone = either(missing, *marked.values(), not_finite)
    if gone is not None:
        values = np.where(gone, values.dtype.type(0), values)
    return Parsed(Column(of, values, gone), marked, not_finite)


def either(*masks: Bools | None) -> Bools | None:
    """Where any mask is set; None where none is."""
    found: Bools | None = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else found | mask
    return found if found is not None and found.any() else None


def nothing_fits(of: Type, cells: pa.ChunkedArray) -> Parsed:
    """Every cell that is there is of the wrong type."""
    there = np.asarray(pc.is_valid(cells).to_numpy())
    dtype = {"bool": np.bool_, "number": np.float64, "date": np.int32, "text": np.int32}.get(str(of), np.int64)
    made = parsed(of, np.zeros(len(cells), dtype), missing_of(cells), {"type": there})
    if isinstance(of, Text):
        column = Column(of, made.column.values, made.column.missing, ("",))
        return Parsed(column, made.faults)
    return made


def expanded(small: Parsed, codes: Ints, missing: Bools | None) -> Parsed:
    """What was found for distinct values, for the rows that hold their codes."""
    column = small.column
    masks = {fault: mask[codes] for fault, mask in small.faults.items()}
    not_finite = None if small.not_finite is None else small.not_finite[codes]
    taken = column.take(codes)
    if missing is not None:
        gone = either(taken.missing, missing)
        values = taken.values
        if taken.offsets is None:
            values = np.where(missing, values.dtype.type(0), values)
        taken = Column(taken.type, values, gone, taken.dictionary, taken.offsets)
        masks = {fault: mask & ~missing for fault, mask in masks.items()}
        not_finite = None if not_finite is None else not_finite & ~missing
    return Parsed(taken, masks, not_finite)


def by_distinct(cells: pa.ChunkedArray, convert: Callable[[pa.ChunkedArray], Parsed]) -> Parsed:
    """Convert each distinct value once."""
    encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks() if encoded.num_chunks != 1 else encoded.chunk(0)
    if not len(encoded.dictionary):
        return convert(chunked_nulls(encoded.dictionary.type, len(encoded)))
    missing = missing_of(pa.chunked_array([encoded.indices]))
    codes = numpy_of(pa.chunked_array([encoded.indices])).astype(np.int64)
    return expanded(convert(pa.chunked_array([encoded.dictionary])), codes, missing)


def chunked_nulls(of: pa.DataType, size: int) -> pa.ChunkedArray:
    return pa.chunked_array([pa.nulls(size, of)])


def scattered(size: int, parts: list[tuple[Parsed, Ints]]) -> Parsed:
    """Put together what was converted apart: each part with the rows it stands in."""
    order = np.empty(size, np.int64)
    order[np.concatenate([rows for _, rows in parts])] = np.arange(size)
    column = joined([part.column for part, _ in parts]).take(order)
    faults: dict[Fault, Bools] = {}
    not_finite = np.zeros(size, np.bool_)
    for part, rows in parts:
        for fault, mask in part.faults.items():
            faults.setdefault(fault, np.zeros(size, np.bool_))[rows] |= mask
        if part.not_finite is not None:
            not_finite[rows] |= part.not_finite
    return Parsed(column, faults, not_finite if not_finite.any() else None)


def joined(columns: list[Column]) -> Column:
    """Columns of one type, one below the other; their dictionaries become one of distinct texts."""
    words: dict[str, int] = {}
    values = []
    for column in columns:
        if column.dictionary:
            codes = np.fromiter((words.setdefault(w, len(words)) for w in column.dictionary), np.int32)
            values.append(codes[column.values.astype(np.int64)] if len(column.values) else column.values)
        else:
            values.append(column.values)
    missing = None
    if any(column.missing is not None for column in columns):
        missing = np.concatenate(
            [np.zeros(len(c), np.bool_) if c.missing is None else c.missing for c in columns]
        )  # fmt: skip
    offsets = None
    if columns[0].offsets is not None:
        lengths = np.concatenate([np.diff(c.offsets) for c in columns if c.offsets is not None])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Column(columns[0].type, np.concatenate(values), missing, tuple(words), offsets)
