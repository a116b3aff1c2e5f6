"""Keys: which row of a table another row means.

In: typed columns.  Out: row ordinals, as int64 arrays, -1 where there is none.  Always: without row loops; texts are
joined by their dictionaries; of several rows with one key the first stands for all (its *representative*).

    match(Column(child keys), Column(parent keys))      # for each child row the parent row with its key, or -1
"""

from __future__ import annotations

from itertools import islice
from operator import lt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segrules.schema.types import Text
from segrules.tables.columns import Bools, Column, Ints


def match(child: Column, parent: Column) -> Ints:
    """For each row of *child* the first row of *parent* with an equal value; missing values equal nothing."""
    if child.type != parent.type:
        return np.full(len(child), -1, np.int64)
    if isinstance(child.type, Text):
        first = _first_rows(parent.values, parent.missing, len(parent.dictionary))
        words = _same_words(child.dictionary, parent.dictionary)
        by_word = np.where(words >= 0, first[words], -1) if len(first) else np.full(len(words), -1, np.int64)
        found = by_word[child.values] if len(by_word) else np.full(len(child), -1, np.int64)
    else:
        found = _numbers(child.values, parent)
    return found if child.missing is None else np.where(child.missing, -1, found)


def representatives(key: Column) -> Ints:
    """For each row the first row with the same key; -1 where the key is missing."""
    return match(key, key)


def _first_rows(codes: NDArray[Any], missing: Bools | None, size: int) -> Ints:
    """The first row with each code, -1 for a code that no row has."""
    rows = np.arange(len(codes) - 1, -1, -1, dtype=np.int64)
    codes = codes[::-1]
    if missing is not None:
        there = ~missing[::-1]
        rows, codes = rows[there], codes[there]
    first = np.full(size, -1, np.int64)
    first[codes] = rows
    return first


def _same_words(child: tuple[str, ...], parent: tuple[str, ...]) -> Ints:
    """For each text of *child* its code in *parent*, or -1."""
    if child is parent:
        return np.arange(len(child))
    found = pc.index_in(pa.array(child, pa.large_string()), pa.array(parent, pa.large_string()))
    codes: Ints = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _numbers(child: NDArray[Any], parent: Column) -> Ints:
    there = np.arange(len(parent)) if parent.missing is None else np.flatnonzero(~parent.missing)
    if not len(there) or not len(child):
        return np.full(len(child), -1, np.int64)
    values = parent.values[there]
    if values.dtype.kind in "ib":
        values = values.astype(np.int64)
        child = child.astype(np.int64)
        low, high = int(values.min()), int(values.max())
        if high - low < 4 * (len(values) + len(child)) + 65_536:
            first = np.full(high - low + 1, -1, np.int64)
            first[(values - low)[::-1]] = there[::-1]
            inside = (child >= low) & (child <= high)
            return np.where(inside, first[np.where(inside, child - low, 0)], -1)
    distinct, first = np.unique(values, return_index=True)
    at = np.minimum(np.searchsorted(distinct, child), len(distinct) - 1)
    return np.where(distinct[at] == child, there[first[at]], -1)


def order_by(key: Column) -> Ints | None:
    """The rows in key order (text by code point), rows with one key in file order; None where they are in order."""
    if not isinstance(key.type, Text):
        return _order(key.values.astype(np.float64 if key.values.dtype.kind == "f" else np.int64))
    if _ascending(key.dictionary):
        return _order(key.values)
    rank = np.empty(len(key.dictionary), np.int64)
    rank[_sorted(pa.array(key.dictionary, pa.large_string()))] = np.arange(len(rank))
    return _order(rank[key.values])


def in_order(key: Column) -> tuple[Column, Ints | None]:
    """The same column, the dictionary of texts sorted and without any that do not occur; and what `order_by` gives."""
    if not isinstance(key.type, Text) or key.missing is not None or not len(key):
        return key, order_by(key)
    used = np.bincount(key.values, minlength=len(key.dictionary)) > 0
    if not (used.all() and _ascending(key.dictionary)):
        words = pa.array(key.dictionary, pa.large_string())
        order = _sorted(words)
        order = order[used[order]]
        code = np.zeros(len(words), np.int32)
        code[order] = np.arange(len(order), dtype=np.int32)
        key = Column(key.type, code[key.values], None, tuple(words.take(pa.array(order)).to_pylist()))
    if len(key.dictionary) < len(key):
        return key, _order(key.values)
    rows = np.empty(len(key), np.int64)
    rows[key.values] = np.arange(len(key))
    return key, None if _rising(key.values) else rows


def _ascending(words: tuple[str, ...]) -> bool:
    return all(map(lt, words, islice(words, 1, None)))


def _sorted(words: pa.Array) -> Ints:
    order: Ints = pc.array_sort_indices(words).to_numpy().astype(np.int64)
    return order


def _order(values: NDArray[Any]) -> Ints | None:
    return None if _rising(values) else np.argsort(values, kind="stable")


def _rising(values: NDArray[Any]) -> bool:
    return len(values) < 2 or bool((values[1:] >= values[:-1]).all())
