"""CSV files, also compressed: bytes → text → cells, all of them text.

In: a file and how it is spelled.  Out: `Raw`.  Always: undeclared, the encoding is tried as BOM, UTF-8, GB18030, and
the delimiter is the one that finds most of the contract's columns; line breaks inside quotes belong to the cell;
blank lines are skipped; a row with too few or too many cells is kept apart, never filled up or cut off.

    read_csv(Path("data/orders.csv"), origin, Format(), {"order_id": span})
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from segrules.diagnostics.diagnostic import Words
from segrules.schema.contract import Format
from segrules.source import Span
from segrules.tables.columns import Ints
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns, normal
from segrules.tables.raw import Cells, Origin, Ragged, Raw

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_CHINESE = frozenset({"gb2312", "gbk", "gb18030"})
_DELIMITERS = ",;\t|"
_SEP = re.compile(rb'"?sep=([^\r\n])"?\r?\n')
_SOMETHING = re.compile(rb"[^\r\n]")
_LINE = re.compile(rb"[^\r\n][^\n]*")
NEWLINE = b"\n"
_BLOCK = 1 << 24
_LARGEST = 2**31 - 1


def read_csv(file: Path, origin: Origin, format_: Format, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for what is no CSV with these columns."""
    data = utf8(_bytes(file, origin), origin, format_.encoding)
    if b"\0" in data:
        raise stop("D806", origin, "kinds")
    start, delimiter = 0, format_.delimiter
    if found := _SEP.match(data):
        start, delimiter = found.end(), delimiter or found[1].decode("utf-8", "replace")
    start, end = _first_record(data, start)
    if start == len(data):
        raise stop("D804", origin)
    header = data[start:end].decode("utf-8")
    if delimiter is None:
        delimiter = _delimiter(header, {normal(column) for column in wanted})
    if len(delimiter) != 1 or delimiter in '"\r\n' or ord(delimiter) > 127:
        raise stop("D819", origin, delimiter=delimiter)
    headers = tuple(cells_of(header, delimiter))
    positions, unlisted = find_columns(origin, headers, wanted)
    table, ragged = _parse(data, end, len(headers), delimiter, origin, sorted(set(positions.values())))

    def place_of(number: int) -> int:
        return line_of(data, end, number)

    def everything() -> Mapping[str, Cells]:
        whole, _ = _parse(data, end, len(headers), delimiter, origin, range(len(headers)))
        return {_named(headers, index): whole[str(index)] for index in range(len(headers))}

    rows = table.num_rows
    _rows_are_sure(data, end, len(headers), delimiter, origin, rows + len(ragged))
    numbers = None
    if ragged:
        numbers = np.setdiff1d(np.arange(1, rows + len(ragged) + 1), [row.number for row in ragged])
    return Raw(
        origin=origin,
        rows=rows,
        columns={column: table[str(index)] for column, index in positions.items()},
        headers=headers,
        unlisted=unlisted,
        everything=everything,
        spelled=True,
        ragged=ragged,
        numbers=numbers,
        place_of=place_of,
    )


def _named(headers: tuple[str, ...], index: int) -> str:
    name = headers[index]
    return name if headers.count(name) == 1 else f"{name} ({index + 1})"


def _bytes(file: Path, origin: Origin) -> bytes:
    data = file.read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise stop("D807", origin, kind="gzip", reason=str(error)) from None


def utf8(data: bytes, origin: Origin, declared: str | None) -> bytes:
    """The text as UTF-8 without BOM, `\\r` alone as a line break turned into `\\n`."""
    if not data or data.isspace():
        raise stop("D804", origin)
    if declared is not None:
        try:
            encoding = codecs.lookup(declared).name
            "".encode(encoding)
        except (LookupError, ValueError):
            raise stop("D818", origin, encoding=declared) from None
        tried = ["gb18030" if encoding in _CHINESE else encoding]
    else:
        tried = [name for mark, name in _MARKS if data.startswith(mark)][:1] or ["utf-8", "gb18030"]
    wrong: UnicodeError | None = None
    for name in tried:
        try:
            text = data.decode(name)
        except UnicodeError as error:
            wrong = wrong or error
            continue
        done = data if name == "utf-8" else text.encode("utf-8", "replace")
        done = done.removeprefix(codecs.BOM_UTF8)
        if b"\r" in done and b"\n" not in done:
            done = done.replace(b"\r", b"\n")
        if not done or done.isspace():
            raise stop("D804", origin)
        return done
    if b"\0" in data:
        raise stop("D806", origin, "kinds")
    offset = wrong.start if isinstance(wrong, UnicodeDecodeError) else 0
    line = data.count(b"\n", 0, offset) + 1
    raise stop("D805", origin, "declare", encoding=declared or "UTF-8, GB18030", line=line)


def _first_record(data: bytes, start: int) -> tuple[int, int]:
    """From the first record that is not blank to the start of the next."""
    while start < len(data) and data[start : start + 1] in b"\r\n":
        start += 1
    end, quotes = start, 0
    while end < len(data):
        stop_ = data.find(b"\n", end)
        stop_ = len(data) if stop_ < 0 else stop_ + 1
        quotes += data.count(b'"', end, stop_)
        end = stop_
        if quotes % 2 == 0:
            break
    return start, end


def _delimiter(header: str, wanted: set[str]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        names = cells_of(header, delimiter)
        return len(wanted & {normal(name) for name in names}), len(names)

    return max(_DELIMITERS, key=score)


def cells_of(record: str, delimiter: str) -> list[str]:
    """The cells of one record."""
    try:
        rows = list(csv.reader([record.rstrip("\r\n")], delimiter=delimiter))
    except csv.Error:
        return record.rstrip("\r\n").split(delimiter)
    return rows[0] if rows else [""]


def _parse(
    data: bytes, start: int, width: int, delimiter: str, origin: Origin, indices: Any
) -> tuple[pa.Table, tuple[Ragged, ...]]:
    """The wanted columns by position, as text; the rows of another width apart, with their numbers."""
    names = [str(index) for index in range(width)]
    include = [str(index) for index in indices]
    if _SOMETHING.search(data, start) is None:
        return pa.table({name: pa.array([], pa.string()) for name in include}), ()
    body = pa.py_buffer(data).slice(start)
    ragged: list[Ragged] = []

    def set_apart(row: Any) -> str:
        ragged.append(Ragged(row.number or 0, tuple(cells_of(row.text, delimiter))))
        return "skip"

    def read(threads: bool, block: int) -> pa.Table:
        ragged.clear()
        return pc.read_csv(
            pa.BufferReader(body),
            read_options=pc.ReadOptions(column_names=names, use_threads=threads, block_size=block),
            parse_options=pc.ParseOptions(
                delimiter=delimiter, newlines_in_values=b'"' in data, invalid_row_handler=set_apart
            ),
            convert_options=pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=include
            ),
        )

    block = 1 << 22
    while True:
        try:
            table = read(True, block)
            if ragged:
                table = read(False, block)
            return table, tuple(ragged)
        except pa.ArrowInvalid as error:
            if block > len(body) or block == _LARGEST:
                raise stop("D807", origin, kind="CSV", reason=_first_line(error)) from None
            block = min(max(block * 64, len(body) + 1), _LARGEST)


def _rows_are_sure(data: bytes, start: int, width: int, delimiter: str, origin: Origin, rows: int) -> None:
    """Stops at quotes that may have swallowed rows: one that nothing closes, or one inside a cell in a file whose cells
    run over several lines."""
    stray = _stray_quote(data, start, ord(delimiter))
    if stray is None:
        return
    if _ends_open(data, start, width, delimiter, origin, rows):
        reason = Words("data_unclosed", {"number": f"{line_of(data, start, rows)}"})
        raise stop("D807", origin, kind="CSV", reason=reason)
    if rows < _lines(data, start):
        reason = Words("data_stray", {"number": f"{data.count(NEWLINE, 0, stray) + 1}"})
        raise stop("D807", origin, kind="CSV", reason=reason)


def _stray_quote(data: bytes, start: int, delimiter: int) -> int | None:
    """The first quote that neither opens a cell, nor ends one, nor is doubled; the end of *data* for one that is open
    there."""
    around = np.zeros(256, np.bool_)
    around[[ord("\n"), ord("\r"), ord('"'), delimiter]] = True
    bytes_ = np.frombuffer(data, np.uint8)
    opens = True
    for block in range(start, len(data), _BLOCK):
        at = np.flatnonzero(bytes_[block : block + _BLOCK] == ord('"')) + block
        opening, closing = (at[::2], at[1::2]) if opens else (at[1::2], at[::2])
        before = around[bytes_[opening - 1]] | (opening == start)
        after = around[bytes_[np.minimum(closing + 1, len(data) - 1)]]
        wrong = np.concatenate([opening[~before], closing[~after]])
        if len(wrong):
            return int(wrong.min())
        opens ^= len(at) % 2 == 1
    return None if opens else len(data)


def _ends_open(data: bytes, start: int, width: int, delimiter: str, origin: Origin, rows: int) -> bool:
    """Whether the last cell has a quote that nothing closes: one row more would then belong to that cell."""
    one_more = delimiter.join("x" * width).encode()
    table, ragged = _parse(data + NEWLINE + one_more + NEWLINE, start, width, delimiter, origin, range(1))
    return bool(table.num_rows + len(ragged) == rows)


def _lines(data: bytes, start: int) -> int:
    """How many lines are not blank."""
    return sum(1 for _ in _LINE.finditer(data, start))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def line_of(data: bytes, start: int, number: int) -> int:
    """The line of the file on which data record *number* (1-based, blank lines not counted) begins."""
    body = np.frombuffer(data, np.uint8)[start:]
    ends: Ints = np.flatnonzero(body == 10)
    if b'"' in data:
        quotes = np.cumsum(body == 34, dtype=np.int64)
        ends = ends[quotes[ends] % 2 == 0]
    starts = np.concatenate([[0], ends + 1])
    starts = starts[starts < len(body)]
    begins = body[starts]
    following = body[np.minimum(starts + 1, len(body) - 1)]
    starts = starts[~((begins == 10) | ((begins == 13) & (following == 10)))]
    if not 1 <= number <= len(starts):
        return number + 1
    return data.count(b"\n", 0, start + int(starts[number - 1])) + 1
