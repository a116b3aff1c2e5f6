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
_ROWS = 1 << 16
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
    codes: NDArray[Any] = column.values
    found = np.zeros(len(column), flags.dtype)
    for start in range(0, len(found), _ROWS):
        offsets = column.offsets[start : start + _ROWS + 1]
        items = np.append(flags.take(codes[offsets[0] : offsets[-1]]), flags.dtype.type(0))
        some = offsets[1:] > offsets[:-1]
        np.bitwise_or.reduceat(items, offsets[:-1] - offsets[0], out=found[start : start + _ROWS])
        found[start : start + _ROWS] *= some
    return found
