"""Work per distinct value: codes, their combinations, and texts in order.

In: columns, whose values at missing positions are zero.  Out: small integer codes and the distinct values
behind them.  Always: a missing value may have any code (whoever calls keeps the mask); a block of rows does
not pay for a dictionary much larger than itself.

    per_distinct((city, n), lambda text, count: text[:count])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segrules.engine.vector.build import built, doubles, ints
from segrules.schema.types import TEXT, ListOfText, Number, Text, Untyped
from segrules.tables.columns import Bools, Column, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """`values[codes[i]]` is the value in row i; a missing value has code 0. `values` are stored values."""

    codes: Ints
    values: Sequence[Any]


def dense(keys: Ints, bound: int) -> tuple[Ints, Ints]:
    """(codes, distinct ascending) of *keys* in 0 … bound-1: `distinct[codes] == keys`."""
    if 0 < bound <= _flags(len(keys)):
        seen = np.zeros(bound, np.bool_)
        seen[keys] = True
        found = np.flatnonzero(seen)
        if len(found) == bound:
            return keys, found
        codes = np.zeros(bound, np.int64)
        codes[found] = np.arange(len(found))
        return codes[keys], found
    found, inverse = np.unique(keys, return_inverse=True)
    return inverse.astype(np.int64, copy=False), found


def dense_values(values: NDArray[np.generic]) -> tuple[Ints, NDArray[np.generic]]:
    """(codes, distinct ascending) of any int64 or float64 values."""
    if values.dtype != np.float64 and len(values):
        numbers = values.astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low < _flags(len(numbers)):
            codes, found = dense(numbers - low, high - low + 1)
            return codes, found + low
    found, inverse = np.unique(values, return_inverse=True)
    return inverse.astype(np.int64, copy=False), found


def factor(column: Column) -> Factor:
    """The codes and distinct stored values of a column of any type."""
    match column.type:
        case Text():
            codes, texts = used_texts(column)
            return Factor(codes, texts)
        case ListOfText():
            return _factor_lists(column)
        case Untyped():
            return Factor(np.zeros(len(column), np.int64), (None,))
        case Number():
            codes, found = dense_values(doubles(column) + 0.0)
            return Factor(codes, found.tolist())
        case _:
            codes, found = dense_values(ints(column))
            kept = found.astype(column.values.dtype) if column.values.dtype == np.bool_ else found
            return Factor(codes, kept.tolist())


def used_texts(column: Column) -> tuple[Ints, tuple[str, ...]]:
    """Codes and dictionary of a text column, reduced to the texts that occur where the dictionary is the larger."""
    texts = column.dictionary
    codes = ints(column)
    if not texts:
        return np.zeros(len(codes), np.int64), ("",)
    if len(texts) <= 2 * len(codes) + 16:
        return codes, texts
    reduced, found = dense(codes, len(texts))
    return reduced, tuple(texts[code] for code in found)


def combine(parts: Sequence[tuple[Ints, int]]) -> tuple[Ints, list[Ints]]:
    """Codes of several columns as one: (code per row, for each column its code per distinct combination).

    *parts* are (codes, number of codes). Combinations ascend in the order of the columns.
    """
    if not parts:
        return np.zeros(0, np.int64), []
    codes, found = dense(parts[0][0], parts[0][1])
    members = [found]
    for more, size in parts[1:]:
        joint, pairs = dense(codes * size + more, len(members[0]) * size) if size else (codes, found)
        first, second = np.divmod(pairs, max(size, 1))
        members = [*(member[first] for member in members), second]
        codes = joint
    return codes, members


def per_distinct(columns: Sequence[Column], compute: Callable[..., Any]) -> tuple[Ints, list[Any]]:
    """(code per row, result per code) of *compute* on each distinct combination of the values of *columns*.

    Rows where a value is missing get the result of some stand-in value, so *compute* must not fail on any value of
    the types; it is called once per distinct combination.
    """
    factors = [factor(column) for column in columns]
    if len(factors) == 1:
        return factors[0].codes, [compute(value) for value in factors[0].values]
    single = [len(part.values) == 1 for part in factors]
    if single.count(False) <= 1:
        return _one_varies(factors, single, compute)
    codes, members = combine([(part.codes, len(part.values)) for part in factors])
    values = [[part.values[code] for code in member] for part, member in zip(factors, members, strict=True)]
    return codes, [compute(*row) for row in zip(*values, strict=True)]


def _one_varies(factors: list[Factor], single: list[bool], compute: Callable[..., Any]) -> tuple[Ints, list[Any]]:
    varying = single.index(False) if False in single else 0
    fixed = [part.values[0] for part in factors]
    before, after = fixed[:varying], fixed[varying + 1 :]
    return factors[varying].codes, [compute(*before, value, *after) for value in factors[varying].values]


def text_column(codes: Ints, texts: Sequence[str], missing: Bools | None) -> Column:
    """A text column from codes into *texts*, which may repeat."""
    places: dict[str, int] = {}
    moved = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.int32, len(texts))
    if len(places) == len(texts):
        return built(TEXT, codes, missing, tuple(texts))
    return built(TEXT, moved[codes], missing, tuple(places))


def merged_texts(columns: Sequence[Column]) -> tuple[list[Ints], tuple[str, ...]]:
    """Text columns (or `Untyped`) over one dictionary: their codes into it, and its distinct texts."""
    places: dict[str, int] = {}
    coded: list[Ints] = []
    for column in columns:
        codes, texts = used_texts(column) if isinstance(column.type, Text) else (_zeros(column), ("",))
        moved = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.int64, len(texts))
        coded.append(moved[codes])
    return coded, tuple(places)


def text_order(texts: Sequence[str]) -> Ints:
    """The ordinals of *texts* in order of code points (which is the order of their UTF-8 bytes)."""
    if len(texts) < 1000:
        return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.int64)
    return np.asarray(pc.sort_indices(pa.array(texts, pa.large_string()))).astype(np.int64)


def text_ranks(texts: Sequence[str]) -> Ints:
    """For each text its place in the order of code points."""
    order = text_order(texts)
    ranks = np.empty(len(texts), np.int64)
    ranks[order] = np.arange(len(texts))
    return ranks


def _flags(rows: int) -> int:
    """Up to how many keys a table of flags is cheaper than sorting *rows* rows."""
    return 16 * rows + 4096


def _zeros(column: Column) -> Ints:
    return np.zeros(len(column), np.int64)


def _factor_lists(column: Column) -> Factor:
    """Lists item by item: lists that agree up to item j share a code, refined by item j + 1."""
    assert column.offsets is not None
    starts = column.offsets[:-1]
    lengths = column.offsets[1:] - starts
    rows = len(starts)
    codes = np.zeros(rows, np.int64)
    distinct: list[tuple[str, ...]] = [()]
    size = len(column.dictionary) + 1
    item_codes = ints(column)
    for place in range(int(lengths.max()) if rows else 0):
        longer = np.flatnonzero(lengths > place)
        item = np.zeros(rows, np.int64)
        item[longer] = item_codes[starts[longer] + place] + 1
        codes, pairs = dense(codes * size + item, len(distinct) * size)
        heads, tails = np.divmod(pairs, size)
        distinct = [
            distinct[head] + ((column.dictionary[tail - 1],) if tail else ())
            for head, tail in zip(heads.tolist(), tails.tolist(), strict=True)
        ]
    return Factor(codes, distinct)
