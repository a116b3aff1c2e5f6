"""One value of an example row: read as the column of its table wants it.

In: a column's contract and what YAML has.  Out: the stored value or a diagnostic.  Always: dates and times in the
column's own `date_format:` and ISO 8601 both work; a bool takes true/false and the column's own spellings; `values`,
`min` and `max` hold in examples too.

    read_cells(contracts, customers, customers.columns["gender"], scalar, span)      # "女"
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from segrules.check.values import MISSING, read_value
from segrules.diagnostics.diagnostic import Argument, Diagnostic, Words
from segrules.files.documents import Cells, Scalar
from segrules.model.expr import Expr
from segrules.schema.calendar import from_date, from_local, start_of_day
from segrules.schema.contract import ColumnContract, Contracts, Table
from segrules.schema.types import Bool, Date, Decimal, Integer, ListOfText, Number, Text, Timestamp, Type, Value
from segrules.schema.values import shown
from segrules.source import Span


def cells_span(cells: Cells, otherwise: Span) -> Span:
    """The place of a value, a list from its first to its last; *otherwise* of an empty one."""
    if isinstance(cells, Scalar):
        return cells.span
    return cells[0].span.in_file().to(cells[-1].span.in_file()) if cells else otherwise


def name_span(name: str, value: Span) -> Span:
    """The place of the key that stands right before *value* in its file; that of the value if it does not."""
    found = value.in_file()
    before = found.source.text[: found.start]
    at = before.rfind(name)
    if at < 0 or before[at + len(name) :].strip("\"'`: \t\r\n[-"):
        return value
    return Span(found.source, at, at + len(name))


def same_name(one: str, other: str) -> bool:
    return unicodedata.normalize("NFKC", one).strip() == unicodedata.normalize("NFKC", other).strip()


def read_cells(
    contracts: Contracts[Expr], table: Table[Expr], column: ColumnContract[Expr], cells: Cells, otherwise: Span
) -> Value | Diagnostic:
    """The stored value for *column*; *otherwise* is the place where *cells* has none."""
    if isinstance(cells, tuple):
        if not isinstance(column.type, ListOfText):
            span = cells_span(cells, otherwise)
            text = ", ".join(each.text for each in cells)
            return Diagnostic("R574", span, {"name": column.name, "type": str(column.type), "text": text})
        texts = tuple(each.text for each in cells)
        strange = next((each for each in cells if column.values is not None and each.text not in column.values), None)
        return texts if strange is None else _not_a_value(column, strange)
    value = _read(contracts, table, column, cells)
    if isinstance(value, Diagnostic):
        return value
    if value is None:
        if column.can_be_missing:
            return None
        return Diagnostic("R577", cells.span, {"table": table.name, "column": column.name})
    return _in_range(contracts, column, cells, value)


def _read(
    contracts: Contracts[Expr], table: Table[Expr], column: ColumnContract[Expr], scalar: Scalar
) -> Value | Diagnostic:
    timezone = column.zone or contracts.timezone
    if isinstance(column.type, Bool) and not _is_missing(scalar) and (spelt := _spelling(column, scalar)) is not None:
        return spelt
    if isinstance(column.type, ListOfText) and not _is_missing(scalar):
        return tuple(filter(None, (each.strip() for each in scalar.text.split(column.separator))))
    value = read_value(scalar, column.type, timezone)
    if isinstance(value, Diagnostic):
        own = _own_format(column.date_format or table.format.date, column.type, scalar.text.strip(), timezone)
        return value if own is None else own
    return value


def _is_missing(scalar: Scalar) -> bool:
    return scalar.value is None or (isinstance(scalar.value, str) and scalar.plain and scalar.value.strip() in MISSING)


def _spelling(column: ColumnContract[Expr], scalar: Scalar) -> bool | None:
    if scalar.text in column.yes:
        return True
    return False if scalar.text in column.no else None


def _own_format(pattern: str | None, kind: Type, text: str, timezone: str) -> int | None:
    if pattern is None or not isinstance(kind, Date | Timestamp):
        return None
    try:
        when = datetime.strptime(text, pattern)
    except ValueError:
        return None
    if isinstance(kind, Date):
        return from_date(when.date())
    if when.tzinfo is not None:
        return from_local(when.astimezone(UTC).replace(tzinfo=None), "UTC")
    return from_local(when, timezone)


def _in_range(
    contracts: Contracts[Expr], column: ColumnContract[Expr], scalar: Scalar, value: Value
) -> Value | Diagnostic:
    values = value if isinstance(value, tuple) else (value,)
    if column.values is not None and any(each not in column.values for each in values):
        return _not_a_value(column, scalar)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = column.min, column.max
        too_low = isinstance(low, int | float) and value < low
        too_high = isinstance(high, int | float) and value > high
        if too_low or too_high:
            bound = low if too_low else high
            args: dict[str, Argument] = {
                "column": column.name,
                "text": scalar.text,
                "bound": shown(bound, column.type, contracts.timezone, ""),
                "side": Words("tests.at_least" if too_low else "tests.at_most"),
            }
            return Diagnostic("R576", scalar.span, args)
    return value


def _not_a_value(column: ColumnContract[Expr], scalar: Scalar) -> Diagnostic:
    allowed = ", ".join(map(str, column.values or ()))
    return Diagnostic("R575", scalar.span, {"column": column.name, "text": scalar.text, "values": allowed})


def filler(column: ColumnContract[Expr], as_of: int, timezone: str) -> Value:
    """A value that keeps the contract, for a column whose value does not matter."""
    if column.values:
        return column.values[0]
    match column.type:
        case Bool():
            return False
        case Integer() | Decimal() | Number():
            bound = column.min if column.min is not None else column.max
            return bound if bound is not None else (0.0 if isinstance(column.type, Number) else 0)
        case Text():
            return ""
        case Date():
            return as_of
        case Timestamp():
            return start_of_day(as_of, timezone)
        case ListOfText():
            return ()
        case _:
            return None
