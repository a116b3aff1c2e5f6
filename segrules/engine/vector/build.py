"""Making columns: the stored form of each type as numpy arrays.

In: arrays of results, where they are missing.  Out: `Column`s.  Always: values at missing positions are zero, the mask
is None where nothing is missing, numbers are finite (what is not becomes missing) and without negative zero.

    built(INTEGER, np.array([3, 7]), np.array([False, True]))      # 3, missing
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.overflow import Overflow
from segrules.schema.types import (
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
)  # fmt: skip
from segrules.tables.columns import Bools, Column, Ints

Doubles = NDArray[np.float64]


def storage(t: Type) -> np.dtype[np.generic]:
    """The dtype that stores values of *t* (codes for text and lists)."""
    match t:
        case Bool() | Untyped():
            return np.dtype(np.bool_)
        case Number():
            return np.dtype(np.float64)
        case Date() | Text() | ListOfText():
            return np.dtype(np.int32)
        case Integer() | Decimal() | Timestamp():
            return np.dtype(np.int64)


def union(*masks: Bools | None) -> Bools | None:
    """Where any of *masks* is True; None where all are None."""
    found: Bools | None = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else found | mask
    return found


def any_missing(columns: Sequence[Column]) -> Bools | None:
    """Where a value of any of *columns* is missing."""
    return union(*(column.missing for column in columns))


def built(t: Type, values: NDArray[np.generic], missing: Bools | None = None, texts: tuple[str, ...] = ()) -> Column:
    """A column of type *t* (not a list) from *values*, which may be anything where *missing*."""
    if isinstance(t, Number):
        numbers = values.astype(np.float64, copy=False)
        finite = np.isfinite(numbers)
        if not finite.all():
            missing = union(missing, ~finite)
        values = numbers + 0.0
    else:
        values = values.astype(storage(t), copy=False)
    if missing is not None:
        if missing.any():
            values = np.where(missing, values.dtype.type(0), values)
        else:
            missing = None
    return Column(t, values, missing, texts)


def nothing(t: Type, rows: int) -> Column:
    """A column of *rows* missing values."""
    offsets = np.zeros(rows + 1, np.int64) if isinstance(t, ListOfText) else None
    values = np.zeros(0 if offsets is not None else rows, storage(t))
    return Column(t, values, np.ones(rows, np.bool_) if rows else None, (), offsets)


def ints(column: Column) -> Ints:
    """The stored values as int64: of exact numbers, dates, timestamps, text codes and bools."""
    return column.values.astype(np.int64, copy=False)


def doubles(column: Column) -> Doubles:
    return column.values.astype(np.float64, copy=False)


def refuse(overflowed: Bools, missing: Bools | None) -> None:
    """Raise `Overflow` for the first row that *overflowed* and is not missing."""
    rows = np.flatnonzero(overflowed if missing is None else overflowed & ~missing)
    if len(rows):
        raise Overflow(int(rows[0]))
