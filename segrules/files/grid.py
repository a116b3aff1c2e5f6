"""Decision tables that stand in a CSV file or a workbook.

In: the file and the columns that are wanted.  Out: the cells of each row in the order wanted, each with its place;
diagnostics.  Always: a cell reads as the same text in a rule file would (`5` is a number, empty is nothing); the
header's order does not matter; empty rows are left out; a formula without a value is an error.

    annual_spend,segment          (">= 10万", "gold"), place tiers.csv:2:1
    >= 10万,gold
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files import fields
from segrules.files.disk import read_bytes
from segrules.files.documents import Scalar
from segrules.files.formulas import without_value
from segrules.files.segmentations import Rows
from segrules.files.shape import did_you_mean
from segrules.source import Source, Word
from segrules.yamltree.explain import clip
from segrules.yamltree.scalars import plain_value
from segrules.yamltree.tree import MAX_CHARACTERS, forbidden_characters, too_large

MAX_CELLS = 200_000
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_ENCODINGS = ("utf-8-sig", "gb18030")


def read_table(folder: Path, file: Word, wanted: tuple[str, ...], found: list[Diagnostic]) -> Rows:
    """The rows of *file*, a path from *folder*."""
    ending = Path(file.text).suffix.lower()
    if ending not in (".csv", *_WORKBOOKS):
        found.append(Diagnostic("R512", file.span, {"path": file.text, "reason": Words("files.no_table_format")}))
        return ()
    data = read_bytes(folder, file.text, found, file.span)
    if data is None:
        return ()
    before = len(found)
    grid = _csv(file, data, found) if ending == ".csv" else _workbook(file, data, found)
    rows = [row for row in grid if any(cell.text for cell in row)]
    if len(found) > before or not rows:
        if len(found) == before:
            found.append(Diagnostic("R515", file.span, {"path": file.text}))
        return ()
    return _arranged(file, rows, wanted, found)


def _arranged(file: Word, rows: list[list[Scalar]], wanted: tuple[str, ...], found: list[Diagnostic]) -> Rows:
    header, *body = rows
    names = [fields.normal(cell.text.strip()) for cell in header]
    while names and not names[-1]:
        names.pop()
    wrong = len(found)
    for at, (name, cell) in enumerate(zip(names, header, strict=False)):
        if name not in wanted:
            free = [one for one in wanted if one not in names]
            found.append(Diagnostic("R514", cell.span, {"name": clip(name)}, did_you_mean(name, free)))
        elif name in names[:at]:
            found.append(Diagnostic("R514", cell.span, {"name": clip(name)}, Help("twice")))
    found.extend(
        Diagnostic("R513", file.span, {"name": clip(name), "path": file.text}) for name in wanted if name not in names
    )
    if not body:
        found.append(Diagnostic("R515", file.span, {"path": file.text}))
    if len(found) > wrong:
        return ()
    order = [names.index(name) for name in wanted]
    arranged = []
    for row in body:
        if len([cell for cell in row[len(names) :] if cell.text]) or len(row) < len(names):
            place = row[0].span.to(row[-1].span) if row[0].span.source is row[-1].span.source else row[0].span
            help_ = Help("quote") if len(row) > len(names) else None
            found.append(Diagnostic("R511", place, {"found": len(row), "expected": len(names)}, help_))
            continue
        arranged.append((tuple(row[at] for at in order), row[0].span))
    return tuple(arranged)


def _csv(file: Word, data: bytes, found: list[Diagnostic]) -> list[list[Scalar]]:
    for encoding in _ENCODINGS:
        try:
            source = Source(file.text, data.decode(encoding))
            break
        except UnicodeDecodeError:
            continue
    else:
        found.append(Diagnostic("R512", file.span, {"path": file.text, "reason": Words("files.no_encoding")}))
        return []
    if len(source.text) > MAX_CHARACTERS:
        found.append(too_large(source))
        return []
    if bad := forbidden_characters(source):
        found.extend(bad)
        return []
    return _fields(source, found)


def _fields(source: Source, found: list[Diagnostic]) -> list[list[Scalar]]:
    """The fields of a CSV text as RFC 4180 has them, each with its place."""
    text = source.text
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows: list[list[Scalar]] = []
    row: list[Scalar] = []
    at = count = 0
    while at < len(text):
        if text[at] == '"':
            end = at + 1
            places = []
            while end < len(text) and (text[end] != '"' or text[end + 1 : end + 2] == '"'):
                places.append(end)
                end += 2 if text[end] == '"' else 1
            if end >= len(text):
                found.append(Diagnostic("Y118", source.span(at, at + 1), {"quote": '"'}))
                return rows
            row.append(_cell("".join(text[place] for place in places), source, [*places, end]))
            at = end + 1
        else:
            end = at
            while end < len(text) and text[end] not in (delimiter, "\n"):
                end += 1
            start, stop = at, end
            while stop > start and text[stop - 1] in " \t\r":
                stop -= 1
            while start < stop and text[start] in " \t":
                start += 1
            row.append(_cell(text[start:stop], source, range(start, stop + 1)))
            at = end
        while at < len(text) and text[at] in " \r" and text[at] != delimiter:
            at += 1
        count += 1
        if count > MAX_CELLS:
            found.append(Diagnostic("Y106", source.span(at, at), {"limit": MAX_CELLS}))
            return []
        if at < len(text) and text[at] == delimiter:
            at += 1
            if at < len(text) and text[at] != "\n":
                continue
            row.append(_cell("", source, (at, at)))
        elif at < len(text) and text[at] != "\n":
            quote = source.span(at, at + 1)
            found.append(Diagnostic("Y116", quote, {"quote": '"'}, Help("csv")))
            return rows
        rows.append(row)
        row = []
        at += 1
    if row:
        rows.append(row)
    return rows


def _cell(text: str, source: Source, places: Sequence[int]) -> Scalar:
    embedded = Source(source.name, text, source, lambda: places)
    return Scalar(plain_value(text), text, True, embedded.whole())


def _workbook(file: Word, data: bytes, found: list[Diagnostic]) -> list[list[Scalar]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        start_row, start_column = sheet.start or (0, 0)
        if sheet.total_height * sheet.total_width > MAX_CELLS:
            found.append(Diagnostic("Y106", file.span, {"limit": MAX_CELLS}))
            return []
        values = sheet.to_python(skip_empty_area=True)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        reason = Words("files.system", {"reason": clip(str(error)).lower()})
        found.append(Diagnostic("R512", file.span, {"path": file.text, "reason": reason}))
        return []
    for cell, shown in without_value(data):
        place = Source(f"{file.text}!{cell}", shown).whole()
        found.append(Diagnostic("R530", place, {"cell": cell, "shown": clip(shown)}, Help("text")))
    return [
        [
            _workbook_cell(value, f"{file.text}!{_letters(start_column + column)}{start_row + number + 1}")
            for column, value in enumerate(row)
        ]
        for number, row in enumerate(values)
    ]


def _workbook_cell(value: object, name: str) -> Scalar:
    text = _spelled(value)
    return Scalar(plain_value(text), text, True, Source(name, text).whole())


def _spelled(value: object) -> str:
    """The value of a workbook's cell as somebody would write it in a rule file."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            exact = Decimal(repr(value))
            return str(int(exact)) if exact == exact.to_integral_value() else format(exact, "f")
        case datetime():
            midnight = value.time() == time(0)
            return value.date().isoformat() if midnight else value.isoformat(sep="T", timespec="seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return "" if value is None else str(value).strip()


def _letters(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
