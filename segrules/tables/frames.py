"""Tables that the caller gives: DataFrames, anything that speaks Arrow, dicts of lists.

In: a pandas DataFrame with any dtype backend, an object with `__arrow_c_stream__` or `__arrow_c_array__` (Polars,
pyarrow, DuckDB), or a mapping of column names to sequences.  Out: `Raw`.  Always: without row loops, but for columns
of Python objects of several classes; a named index level of a DataFrame counts as a column; the caller's object is
not changed.

    read_given(pandas.DataFrame({"id": [1]}), origin, {"id": span})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from segrules.errors import BrokenContract
from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns
from segrules.tables.raw import Cells, Mixed, Origin, Raw, chunked, python_cells


def read_given(given: object, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for what is no table, or lacks columns."""
    if _is_pandas(given) and hasattr(given, "iloc") and hasattr(given, "columns"):
        return _taken(*_pandas(given), origin, wanted)
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__arrow_c_array__"):
        try:
            table = pa.table(given)
        except (pa.ArrowException, ValueError, TypeError, NotImplementedError) as error:
            raise _no_table(given, origin, str(error)) from None
        return from_table(table, origin, wanted)
    if isinstance(given, Mapping) and all(_is_column(column) for column in given.values()):
        names = [str(name) for name in given]
        columns = list(given.values())
        return _taken(names, lambda at: _cells(columns[at], False), _lengths(columns, origin), origin, wanted)
    raise _no_table(given, origin)


def _is_pandas(given: object) -> bool:
    return any(each.__module__.partition(".")[0] == "pandas" for each in type(given).__mro__)


def _no_table(given: object, origin: Origin, reason: str = "") -> BrokenContract:
    way_out = "lazy" if hasattr(given, "collect") else "kinds"
    return stop("D816", origin, way_out, kind=type(given).__name__, reason=_because(reason))


def _because(reason: str) -> str:
    first = reason.partition("\n")[0][:200]
    return f": {first}" if first else ""


def from_table(table: pa.Table, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    return _taken(table.column_names, table.column, table.num_rows, origin, wanted)


def _taken(
    headers: Sequence[str], column: Callable[[int], Cells], rows: int, origin: Origin, wanted: Mapping[str, Span]
) -> Raw:
    positions, unlisted = find_columns(origin, headers, wanted)
    return Raw(
        origin=origin,
        rows=rows,
        columns={name: column(index) for name, index in positions.items()},
        headers=tuple(headers),
        unlisted=tuple(name for name in unlisted if not name.startswith("__index_level_")),
        everything=lambda: {name: column(index) for index, name in enumerate(headers)},
    )


def _is_column(column: object) -> bool:
    return hasattr(column, "__len__") and hasattr(column, "__iter__") and not isinstance(column, str | bytes | Mapping)


def _lengths(columns: Sequence[Any], origin: Origin) -> int:
    lengths = sorted({len(column) for column in columns}) or [0]
    if len(lengths) > 1:
        raise stop("D816", origin, "lengths", kind="dict", reason=_because(", ".join(map(str, lengths))))
    return lengths[0]


def _pandas(frame: Any) -> tuple[list[str], Callable[[int], Cells], int]:
    """Headers, columns by position, number of rows; named index levels that are no columns come last."""
    headers = [str(name) for name in frame.columns]
    levels = [
        (str(name), level)
        for level, name in enumerate(frame.index.names)
        if name is not None and str(name) not in headers
    ]

    def column(at: int) -> Cells:
        if at < len(headers):
            return _cells(frame.iloc[:, at], True)
        return _cells(frame.index.get_level_values(levels[at - len(headers)][1]), True)

    return [*headers, *(name for name, _ in levels)], column, len(frame)


def _cells(column: Any, nan_is_missing: bool) -> Cells:
    """One column as Arrow; columns of Python objects by class."""
    dtype = getattr(column, "dtype", None)
    if dtype is None and not hasattr(column, "__arrow_c_array__") and not hasattr(column, "__arrow_c_stream__"):
        return python_cells(column, nan_is_missing)
    if dtype is not None and dtype == np.dtype(object):
        return python_cells(np.asarray(column, dtype=object), nan_is_missing)
    try:
        if dtype is None:
            return chunked(pa.chunked_array(column) if hasattr(column, "__arrow_c_stream__") else pa.array(column))
        made = chunked(pa.array(column, from_pandas=nan_is_missing))
    except (pa.ArrowException, ValueError, TypeError, NotImplementedError, UnicodeEncodeError):
        return python_cells(np.asarray(column, dtype=object), nan_is_missing)
    return _categories(made, column)


def _categories(made: Cells, column: Any) -> Cells:
    """Categories of several classes come from Arrow as one class; then each is looked at as it is."""
    if isinstance(made, Mixed) or not pa.types.is_dictionary(made.type):
        return made
    categories = getattr(getattr(column, "dtype", None), "categories", None)
    if categories is not None and categories.dtype == np.dtype(object) and len(set(map(type, categories))) > 1:
        return python_cells(np.asarray(column, dtype=object))
    return made
