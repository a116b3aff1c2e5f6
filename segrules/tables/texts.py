"""Text, lists of text and yes-or-no: dictionaries and codes.

In: Arrow arrays of any type and the spelling of the column.  Out: `Parsed` columns of text, list(text) or bool.
Always: text stays as it is, nothing is normalised but what `clean:` asks for; each distinct text is looked at once;
the dictionary of a column has no text twice.

    13800000000.0 (a spreadsheet cell) as text → "13800000000"
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segrules.schema.contract import Cleaning
from segrules.schema.types import BOOL, LIST, TEXT
from segrules.tables.columns import Bools, Column, Ints
from segrules.tables.parsed import (
    Parsed,
    Spelling,
    by_distinct,
    either,
    missing_of,
    nothing_fits,
    numpy_of,
    parsed,
)  # fmt: skip

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def text(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Text columns; numbers, dates and times get their plain spelling."""
    if pa.types.is_null(cells.type):
        return _text_column(np.zeros(len(cells), np.int64), np.ones(len(cells), np.bool_), pa.array([], pa.string()))
    spelled = as_texts(cells)
    if spelled is None:
        return nothing_fits(TEXT, cells)
    if not pa.types.is_large_string(cells.type):
        spelled = cleaned(spelled, spelling)
    missing, codes, words = encoded(spelled)
    return _text_column(codes, missing, words)


def _text_column(codes: Ints, missing: Bools | None, words: pa.Array) -> Parsed:
    dictionary = tuple(words.to_pylist()) or ("",)
    return Parsed(Column(TEXT, codes.astype(np.int32), either(missing), dictionary))


def encoded(cells: pa.ChunkedArray) -> tuple[Bools | None, Ints, pa.Array]:
    """Which cells are missing, the code of each (0 there), and the distinct texts."""
    codes = cells.dictionary_encode()
    one = codes.unify_dictionaries().combine_chunks() if codes.num_chunks != 1 else codes.chunk(0)
    indices = pa.chunked_array([one.indices])
    return missing_of(indices), numpy_of(indices), one.dictionary


def as_texts(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The plain spelling of each cell, None for types without one."""
    t = cells.type
    if pa.types.is_large_string(t):
        return cells
    if pa.types.is_boolean(t) or pa.types.is_integer(t) or pa.types.is_date(t) or pa.types.is_time(t):
        return pc.cast(cells, pa.large_string())
    if pa.types.is_floating(t) or pa.types.is_decimal(t):
        distinct = cells.dictionary_encode().unify_dictionaries()
        spell = _float_text if pa.types.is_floating(t) else _decimal_text
        return _chunks(distinct, lambda words: pa.array([spell(v) for v in words.to_pylist()], pa.large_string()), t)
    if pa.types.is_timestamp(t):
        distinct = cells.dictionary_encode().unify_dictionaries()
        return _chunks(distinct, lambda words: _moments(words), t)
    return None


def _chunks(cells: pa.ChunkedArray, spell: Any, t: pa.DataType) -> pa.ChunkedArray:
    chunks = [spell(chunk.dictionary).take(chunk.indices) for chunk in cells.chunks]
    return pa.chunked_array(chunks, pa.large_string())


def _float_text(value: float | None) -> str | None:
    if value is None or not np.isfinite(value):
        return None if value is None or np.isnan(value) else str(value)
    return str(int(value)) if value.is_integer() else np.format_float_positional(value, unique=True, trim="-")


def _decimal_text(value: Any) -> str | None:
    return None if value is None else format(value, "f")


def _moments(words: pa.Array) -> pa.Array:
    """`2026-11-21 08:00:00`, with the fraction only where there is one."""
    texts = pc.cast(words, pa.large_string())
    return pc.replace_substring_regex(texts, r"\.0*(Z|[+-]\d{4})?$|(\.\d*?[1-9])0+(Z|[+-]\d{4})?$", r"\2\1\3")


def cleaned(cells: pa.ChunkedArray, spelling: Spelling) -> pa.ChunkedArray:
    """Text cells after `clean:`, with those that mean missing gone, before and after."""
    if not spelling.clean:
        return _without(cells, spelling.absent)
    missing, codes, words = encoded(_without(cells, spelling.absent))
    for step in spelling.clean:
        words = _step(words, step)
    words = _without(pa.chunked_array([words]), spelling.absent)
    return words.take(pa.chunked_array([pa.array(codes, mask=missing)]))


def _without(cells: pa.ChunkedArray, absent: tuple[str, ...]) -> pa.ChunkedArray:
    if not absent:
        return cells
    only_empty = absent == ("",)
    marks = pc.equal(pc.binary_length(cells), 0) if only_empty else pc.is_in(cells, pa.array(absent, pa.large_string()))
    if not pc.any(marks).as_py():
        return cells
    return pc.if_else(marks, pa.scalar(None, pa.large_string()), cells)


def _step(words: pa.Array, step: Cleaning) -> pa.Array:
    match step:
        case "trim":
            return pc.utf8_trim_whitespace(words)
        case "lower":
            return pc.utf8_lower(words)
        case "upper":
            return pc.utf8_upper(words)
        case "halfwidth":
            return pa.array([w.translate(_HALF_WIDTH) for w in words.to_pylist()], pa.large_string())
        case "digits":
            return pc.replace_substring_regex(words, r"[^0-9]+", "")
        case _:
            assert_never(step)


def boolean(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Bool columns: typed ones, the spellings `yes:` and `no:`, and 1 and 0 where a source has no bool."""
    t = cells.type
    if pa.types.is_null(t):
        return parsed(BOOL, np.zeros(len(cells), np.bool_), missing_of(cells))
    if pa.types.is_boolean(t):
        return parsed(BOOL, numpy_of(cells, False).astype(np.bool_), missing_of(cells))
    if pa.types.is_large_string(t):
        return by_distinct(cells, lambda words: _booleans(words, spelling))
    if pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t):
        digits = {"0", "1"} & {*spelling.yes, *spelling.no}
        numeric = spelling if digits else replace(spelling, yes=(*spelling.yes, "1"), no=(*spelling.no, "0"))
        spelled = as_texts(cells)
        assert spelled is not None
        return by_distinct(spelled, lambda words: _booleans(words, numeric))
    return nothing_fits(BOOL, cells)


def _booleans(words: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    known = dict.fromkeys(spelling.no, False) | dict.fromkeys(spelling.yes, True)
    if (spelling.yes, spelling.no) == (("true",), ("false",)):
        known |= {"TRUE": True, "True": True, "FALSE": False, "False": False}
    found = [None if w is None else known.get(w, known.get(w.strip())) for w in words.to_pylist()]
    missing = missing_of(words)
    values = np.array([one is True for one in found], np.bool_)
    wrong = np.array([one is None for one in found], np.bool_)
    return parsed(BOOL, values, missing, {"type": wrong if missing is None else wrong & ~missing})


def lists(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Columns of list(text): split at the separator, or lists as they are; empty and missing items are left out."""
    t = cells.type
    if pa.types.is_null(t):
        return _list_column(np.zeros(len(cells) + 1, np.int64), pa.chunked_array([[]], pa.large_string()), cells)
    if pa.types.is_large_string(t):
        cells = pc.split_pattern(cells, spelling.separator)
    elif not pa.types.is_list(t) and not pa.types.is_large_list(t):
        return _no_lists(cells)
    one = cells.combine_chunks() if cells.num_chunks != 1 else cells.chunk(0)
    items = as_texts(_strings(pa.chunked_array([one.flatten()])))
    if items is None:
        return _no_lists(cells)
    lengths = numpy_of(pa.chunked_array([pc.list_value_length(one)])).astype(np.int64)
    rows = np.repeat(np.arange(len(one)), lengths)
    bare = Spelling(spelling.format, spelling.zone, spelling.spelled, clean=spelling.clean)
    items = cleaned(items, bare)
    there: Bools = pc.fill_null(pc.not_equal(items, pa.scalar("", pa.large_string())), False).to_numpy()
    if not there.all():
        items, rows = items.filter(pa.array(there)), rows[there]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(one)))]).astype(np.int64)
    return _list_column(offsets, items, cells)


def _strings(items: pa.ChunkedArray) -> pa.ChunkedArray:
    t = items.type
    if pa.types.is_null(t) or pa.types.is_string(t) or pa.types.is_string_view(t):
        return items.cast(pa.large_string())
    if pa.types.is_dictionary(t):
        return items.cast(pa.large_string()) if _is_text(t.value_type) else items.cast(t.value_type)
    return items


def _is_text(t: pa.DataType) -> bool:
    return bool(pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t))


def _no_lists(cells: pa.ChunkedArray) -> Parsed:
    there: Bools = np.asarray(pc.is_valid(cells).to_numpy())
    column = Column(
        LIST, np.zeros(0, np.int32), np.ones(len(cells), np.bool_), ("",), np.zeros(len(cells) + 1, np.int64)
    )
    return Parsed(column, {"type": there})


def _list_column(offsets: Ints, items: pa.ChunkedArray, cells: pa.ChunkedArray) -> Parsed:
    _, codes, words = encoded(items)
    dictionary = tuple(words.to_pylist()) or ("",)
    return Parsed(Column(LIST, codes.astype(np.int32), missing_of(cells), dictionary, offsets))
