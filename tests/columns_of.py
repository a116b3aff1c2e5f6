"""Columns from plain stored values, and Hypothesis strategies for stored values of each type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY
from segrules.schema.types import (
    INT64_MAX,
    INT64_MIN,
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
    Value,
)  # fmt: skip
from segrules.tables.columns import Column

_DTYPES = {Bool: np.bool_, Number: np.float64, Date: np.int32, Untyped: np.bool_}

LETTERS = "aAbZ zÄßİıσΣﬁᾳᾲǅ京北１%.*^\t\u3000\u2003\u001c😀-"


def column_of(type_: Type, values: Sequence[Value], spare: Sequence[str] = ()) -> Column:
    """*values* (None: missing) as a column; *spare*: texts of the dictionary that no row has."""
    holes = np.array([value is None for value in values], np.bool_)
    missing = holes if holes.any() else None
    match type_:
        case Text():
            dictionary = tuple(dict.fromkeys([*spare, *(v for v in values if isinstance(v, str))]))
            codes = [0 if value is None else dictionary.index(str(value)) for value in values]
            return Column(type_, np.array(codes, np.int32), missing, dictionary)
        case ListOfText():
            rows = [value if isinstance(value, tuple) else () for value in values]
            dictionary = tuple(dict.fromkeys([*spare, *(item for row in rows for item in row)]))
            codes = [dictionary.index(item) for row in rows for item in row]
            offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
            return Column(type_, np.array(codes, np.int32), missing, dictionary, offsets)
        case _:
            dtype = _DTYPES.get(type(type_), np.int64)
            return Column(type_, np.array([value or 0 for value in values], dtype), missing)


def values_of(column: Column) -> list[Value]:
    """The stored values; a missing one must have been stored as zero."""
    if column.missing is not None:
        assert column.missing.any(), "a mask without missing rows is None"
        if column.offsets is None:
            assert not column.values[column.missing].any(), "missing rows hold zero"
        else:
            assert not np.diff(column.offsets)[column.missing].any(), "missing rows hold no items"
    assert len(set(column.dictionary)) == len(column.dictionary), "texts of a dictionary are distinct"
    return [column.at(row) for row in range(len(column))]


_near_the_edges = st.integers(0, 3).flatmap(lambda d: st.sampled_from([INT64_MIN + d, INT64_MAX - d]))
whole_numbers = (
    st.integers(-5, 5) | st.integers(-2000, 2000) | st.integers(INT64_MIN, INT64_MAX) | _near_the_edges
    | st.integers(-10, 10).map(lambda n: n * 5 * 10**17)
)  # fmt: skip
doubles = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-4000, 4000).map(lambda n: n / 8)
    | st.integers(-40000, 40000).map(lambda n: n / 1000)
    | st.integers(2**50, 2**55).map(lambda n: n / 4)
)
texts = st.text(LETTERS, max_size=5)
instants = st.integers(MIN_DAY * MICROSECONDS_PER_DAY, (MAX_DAY + 1) * MICROSECONDS_PER_DAY - 1) | st.integers(
    0, 2 * 10**15
)


def stored(type_: Type) -> st.SearchStrategy[Value]:
    """Values of *type_*, none missing, with edges well represented."""
    match type_:
        case Bool():
            return st.booleans()
        case Integer() | Decimal():
            return whole_numbers
        case Number():
            return doubles
        case Text():
            return texts
        case Date():
            return st.integers(MIN_DAY, MAX_DAY) | st.integers(15_000, 21_000)
        case Timestamp():
            return instants
        case ListOfText():
            return st.lists(st.sampled_from(["a", "b", "京", ""]), max_size=4).map(tuple)
        case Untyped():
            return st.none()


def rows_of(type_: Type, rows: int) -> st.SearchStrategy[list[Value]]:
    return st.lists(st.none() | stored(type_) | stored(type_), min_size=rows, max_size=rows)
