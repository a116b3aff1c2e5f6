"""The one door from cells to typed columns.

In: the cells of a column as its source has them (Arrow arrays, or pieces of several kinds) and its contract.  Out:
`Parsed`: the column and the cells that did not fit.  Always: every source goes through here, so equal cells give
equal columns, wherever they come from.

    convert(cells, ColumnContract("amount", Decimal(2)), Spelling(Format(), "Asia/Shanghai", spelled=True))
"""

from __future__ import annotations

from typing import Any, assert_never

import pyarrow as pa
import pyarrow.compute as pc

from segrules.schema.contract import ColumnContract, Format
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
from segrules.tables.numbers import exact, number
from segrules.tables.parsed import Parsed, Spelling, by_distinct, nothing_fits, scattered
from segrules.tables.raw import Cells, Mixed
from segrules.tables.texts import boolean, cleaned, lists, text
from segrules.tables.times import day, timestamp


def spelling(contract: ColumnContract[Any], format_: Format, zone: str, spelled: bool) -> Spelling:
    """How the cells of a column are spelled. An empty cell is missing, except where a source with types of its own
    has an empty text in a text column."""
    is_text = isinstance(contract.type, Text | ListOfText)
    absent = set(format_.missing) | {""} if spelled or not is_text else set(format_.missing) - {""}
    return Spelling(
        format=format_,
        zone=contract.zone or zone,
        shown_in=zone,
        spelled=spelled,
        clean=contract.clean,
        separator=contract.separator,
        yes=contract.yes,
        no=contract.no,
        date_format=contract.date_format,
        absent=tuple(sorted(absent)),
    )


def convert(cells: Cells, of: Type, how: Spelling) -> Parsed:
    """The column of type *of* that *cells* stand for."""
    if isinstance(cells, Mixed):
        parts = [(convert(piece, of, how), rows) for piece, rows in zip(cells.pieces, cells.rows, strict=True)]
        return scattered(len(cells), parts)
    cells = plain_layout(cells)
    if pa.types.is_dictionary(cells.type):
        return by_distinct(cells, lambda words: convert(words, of, how))
    if pa.types.is_large_string(cells.type):
        if isinstance(of, ListOfText):
            cells = cleaned(cells, Spelling(how.format, how.zone, how.spelled, absent=how.absent))
        else:
            cells = cleaned(cells, how)
    match of:
        case Bool():
            return boolean(cells, how)
        case Integer() | Decimal():
            return exact(cells, of, how)
        case Number():
            return number(cells, how)
        case Text():
            return text(cells, how)
        case Date():
            return day(cells, how)
        case Timestamp():
            return timestamp(cells, how)
        case ListOfText():
            return lists(cells, how)
        case Untyped():
            return nothing_fits(of, cells)
        case _:
            assert_never(of)


def plain_layout(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values in one of few layouts: large_string for text, no views, no runs, no extension types."""
    cells = _without_extension(cells)
    t = cells.type
    if pa.types.is_run_end_encoded(t):
        cells = pa.chunked_array([pc.run_end_decode(chunk) for chunk in cells.chunks], t.value_type)
        t = cells.type
    if pa.types.is_string(t) or pa.types.is_string_view(t):
        return cells.cast(pa.large_string())
    if pa.types.is_list_view(t) or pa.types.is_large_list_view(t) or pa.types.is_fixed_size_list(t):
        return cells.cast(pa.large_list(t.value_type))
    return cells


def _without_extension(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values that an extension type stands for, where its cells are texts, booleans or UUIDs."""
    t = cells.type
    if not isinstance(t, pa.BaseExtensionType):
        return cells
    match t.extension_name:
        case "arrow.uuid":
            return pa.chunked_array([pa.array([None if v is None else str(v) for v in cells.to_pylist()], pa.string())])
        case "arrow.bool8":
            return cells.cast(pa.bool_())
        case "arrow.json":
            return pa.chunked_array([chunk.storage for chunk in cells.chunks], t.storage_type)
        case _:
            return cells


def fits(t: pa.DataType, of: Type) -> bool:
    """Whether any cell of Arrow type *t* can be of type *of*: decided by converting one of its kind."""
    if isinstance(t, pa.BaseExtensionType):
        known = {"arrow.uuid": pa.string(), "arrow.bool8": pa.bool_(), "arrow.json": pa.string()}
        return t.extension_name in known and fits(known[t.extension_name], of)
    if pa.types.is_dictionary(t) or pa.types.is_run_end_encoded(t):
        return fits(t.value_type, of)
    numeric = pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t)
    text_like = pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)
    moment = pa.types.is_date(t) or pa.types.is_timestamp(t)
    if pa.types.is_null(t) or text_like:
        return True
    match of:
        case Bool():
            return bool(numeric or pa.types.is_boolean(t))
        case Integer() | Decimal() | Number():
            return bool(numeric)
        case Text():
            return bool(numeric or moment or pa.types.is_boolean(t) or pa.types.is_time(t))
        case Date() | Timestamp():
            return bool(moment)
        case ListOfText():
            is_list = pa.types.is_list(t) or pa.types.is_large_list(t) or pa.types.is_fixed_size_list(t)
            is_view = pa.types.is_list_view(t) or pa.types.is_large_list_view(t)
            return bool(is_list or is_view) and fits(t.value_type, Text())
        case Untyped():
            return False
        case _:
            assert_never(of)
