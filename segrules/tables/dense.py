"""A column in the fewest bits, for engines that read it often.

In: a column.  Out: `Dense`.  Always: it depends on the column alone, so that it may be kept beside it for every later
run; where a value is missing stands anything.

    dense(Column(INTEGER, np.array([1900, 2000]))).values      # [0, 100] as bytes, with base 1900
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.schema.types import Bool, ListOfText, Number, Text
from segrules.tables.columns import Column, Dense

_UNSIGNED: tuple[np.dtype[Any], ...] = tuple(np.dtype(name) for name in ("u1", "u2", "u4"))
MOST_TEXTS = 64


def dense(column: Column, narrow: bool = True) -> Dense | None:
    """None for lists of too many different texts. Without *narrow* whole numbers stay as they are."""
    known = None if column.missing is None else np.packbits(~column.missing)
    values: NDArray[Any] = column.values
    match column.type:
        case Bool():
            return Dense(np.packbits(values.view(np.bool_)), known)
        case ListOfText():
            if len(column.dictionary) > MOST_TEXTS:
                return None
            count = max(len(column.dictionary), 1)
            dtype = next(np.dtype(name) for name in ("u1", "u2", "u4", "i8") if count <= 8 * int(name[-1]))
            flags = np.uint64(1) << np.arange(count, dtype=np.uint64)
            return Dense(together(flags.astype(dtype), column), known)
        case Text():
            return Dense(_narrowed(values, 0, len(column.dictionary)), known)
        case Number():
            return Dense(values, known)
        case _ if narrow and len(values):
            low, high = int(values.min()), int(values.max())
            found = _narrowed(values, low, high)
            return Dense(found, known, 0 if found is values else low)
        case _:
            return Dense(values, known)


def _narrowed(values: NDArray[Any], low: int, high: int) -> NDArray[Any]:
    """*values* less *low*, unsigned, if that takes fewer bytes, else as they are."""
    fitting = (dtype for dtype in _UNSIGNED if high - low <= np.iinfo(dtype).max)
    dtype = next((dtype for dtype in fitting if dtype.itemsize < values.itemsize), None)
    if dtype is None:
        return values
    if low == 0:
        return values.astype(dtype)
    found = np.empty(len(values), dtype)
    np.subtract(values, values.dtype.type(low), out=found, casting="unsafe")
    return found


def together(flags: NDArray[Any], column: Column) -> NDArray[Any]:
    """Per list of *column* the *flags* of its items' codes together."""
    assert column.offsets is not None
    starts, begin = column.offsets[:-1], int(column.offsets[0])
    codes: NDArray[Any] = column.values
    if not len(starts):
        return np.zeros(0, flags.dtype)
    items = np.append(flags.take(codes[begin : int(column.offsets[-1])]), flags.dtype.type(0))
    found = np.bitwise_or.reduceat(items, starts - begin)
    found[starts == column.offsets[1:]] = 0
    return found
