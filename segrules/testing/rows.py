"""The tables of an example: its customers, their related rows, and what is filled in.

In: a test as written, the defaults of its file.  Out: rows for every table, each with the position of its parent.
Always: keys that the test leaves out are made up, never twice the same; with one parent row its children belong to
it; with several each says to which; customers stand in key order.

    customer: {gender: 女}
    orders: [{amount: 300}]          # customer_id of both: filled in
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from segrules.check.suggest import nearest
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files.documents import Row, Scalar, WrittenTest
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import ColumnContract, Contracts, Table
from segrules.schema.types import Bool, Text, Value
from segrules.source import Span
from segrules.testing.columns import cells_span, filler, name_span, read_cells, same_name
from segrules.testing.examples import ExampleRow

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values for columns that a test leaves out, by table."""

    tables: Mapping[str, Mapping[str, Value]]


def read_defaults(ruleset: RuleSet, written: Mapping[str, Row], place: Span) -> tuple[Defaults, list[Diagnostic]]:
    """`defaults:` of a test file."""
    found: list[Diagnostic] = []
    tables: dict[str, dict[str, Value]] = {}
    for name, row in written.items():
        table = _table(ruleset.contracts, name)
        if table is not None:
            tables[table.name] = _values(ruleset.contracts, table, row, place, found)
    return Defaults(tables), found


def read_rows(
    ruleset: RuleSet, test: WrittenTest, defaults: Defaults, as_of: int
) -> tuple[dict[str, tuple[ExampleRow, ...]], list[Diagnostic]]:
    """The rows of every table of the project, parents before children, and what is wrong with them."""
    contracts = ruleset.contracts
    found: list[Diagnostic] = []
    customers = contracts.tables[contracts.customers]
    written: dict[str, tuple[Row, ...]] = dict.fromkeys(contracts.tables, ())
    for name, rows in test.tables.items():
        table = _table(contracts, name)
        if table is not None:
            written[table.name] = rows
    written[customers.name] = test.customers
    rows_of: dict[str, tuple[ExampleRow, ...]] = {}
    for name in sorted(contracts.tables, key=lambda each: len(contracts.chain(each))):
        table = contracts.tables[name]
        read = [_read_row(contracts, table, row, test, defaults, found) for row in written[name]]
        read = _with_keys(table, read, test.several and name == customers.name, found)
        if table.belongs_to is not None:
            parents = rows_of[table.belongs_to.table]
            parent = contracts.tables[table.belongs_to.table]
            read = [_with_parent(table, parent, row, parents, found) for row in read]
        if name == customers.name:
            read.sort(key=lambda row: _order(row.values.get(customers.key or "")))
        rows_of[name] = tuple(_filled(contracts, table, row, as_of) for row in read)
    return rows_of, found


def _table(contracts: Contracts[Expr], name: str) -> Table[Expr] | None:
    return next((table for each, table in contracts.tables.items() if same_name(each, name)), None)


def _place(row: Row, otherwise: Span) -> Span:
    for cells in row.values():
        if isinstance(cells, Scalar):
            return cells.span
        if cells:
            return cells[0].span
    return otherwise


def _values(
    contracts: Contracts[Expr],
    table: Table[Expr],
    row: Row,
    place: Span,
    found: list[Diagnostic],
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, cells in row.items():
        span = name_span(name, cells_span(cells, place))
        column = next((each for key, each in table.columns.items() if same_name(key, name)), None)
        if column is None:
            near = nearest(name, table.columns)
            help_ = None if near is None else Help("did_you_mean", {"name": near})
            found.append(Diagnostic("R573", span, {"table": table.name, "name": name}, help_))
        elif column.value is not None:
            found.append(Diagnostic("R589", span, {"table": table.name, "column": name}))
        else:
            value = read_cells(contracts, table, column, cells, span)
            if isinstance(value, Diagnostic):
                found.append(value)
            else:
                values[column.name] = value
    return values


def _read_row(
    contracts: Contracts[Expr],
    table: Table[Expr],
    row: Row,
    test: WrittenTest,
    defaults: Defaults,
    found: list[Diagnostic],
) -> ExampleRow:
    own = _values(contracts, table, row, test.span, found)
    values = {**defaults.tables.get(table.name, {}), **own}
    return ExampleRow(values, frozenset(values), span=_place(row, test.span))


def _with_keys(
    table: Table[Expr], rows: Sequence[ExampleRow], keys_are_asked: bool, found: list[Diagnostic]
) -> list[ExampleRow]:
    """Every row with a key; made up where the test gives none."""
    if table.key is None:
        return list(rows)
    column = table.columns[table.key]
    used: dict[Value, ExampleRow] = {}
    for row in rows:
        key = row.values.get(table.key)
        if key is None:
            continue
        if key in used and table.duplicates is None:
            found.append(Diagnostic("R579", row.span, {"table": table.name, "key": str(key)}, also=(used[key].span,)))
        used[key] = row
    keyed = []
    for row in rows:
        if row.values.get(table.key) is None:
            if keys_are_asked:
                found.append(Diagnostic("R580", row.span, {"table": table.name, "key": table.key}))
            key = _new_key(column, table.name, used)
            used[key] = row
            row = _with(row, table.key, key)
        keyed.append(row)
    return keyed


def _new_key(column: ColumnContract[Expr], table: str, used: Mapping[Value, ExampleRow]) -> Value:
    for value in column.values or ():
        if value not in used:
            return value
    number = len(used) + 1
    start = column.min if isinstance(column.min, int) and not isinstance(column.min, bool) else 0
    while True:
        key: Value = f"{table}-{number}" if isinstance(column.type, Text) else start + number
        if isinstance(column.type, Bool) or key not in used:
            return key
        number += 1


def _with(row: ExampleRow, name: str, value: Value) -> ExampleRow:
    return replace(row, values={**row.values, name: value}, named=row.named | {name})


def _with_parent(
    table: Table[Expr],
    parent: Table[Expr],
    row: ExampleRow,
    parents: Sequence[ExampleRow],
    found: list[Diagnostic],
) -> ExampleRow:
    """The row with the position of its parent, and its key in the joining column."""
    assert table.belongs_to is not None
    by, key = table.belongs_to.by, parent.key or ""
    if by in row.named:
        value = row.values[by]
        if value is None:
            return row
        position = next((at for at, each in enumerate(parents) if each.values.get(key) == value), NOBODY)
        if position == NOBODY:
            args = {"table": table.name, "column": by, "key": str(value), "parent": parent.name}
            found.append(Diagnostic("R581", row.span, args))
        return replace(row, parent=position)
    if len(parents) == 1:
        return replace(_with(row, by, parents[0].values.get(key)), parent=0)
    found.append(Diagnostic("R582", row.span, {"table": table.name, "column": by, "parent": parent.name}))
    return row


def _filled(contracts: Contracts[Expr], table: Table[Expr], row: ExampleRow, as_of: int) -> ExampleRow:
    """Every stored column with a value: missing where the contract allows it, else one that keeps the contract."""
    values = dict(row.values)
    for name, column in table.columns.items():
        if name not in values and column.value is None:
            zone = column.zone or contracts.timezone
            values[name] = None if column.can_be_missing else filler(column, as_of, zone)
    return replace(row, values=values)


def _order(key: Value) -> tuple[int, float, str]:
    """Keys in the order of the engine: numbers and dates by value, text by code point."""
    return (1, 0.0, key) if isinstance(key, str) else (0, float(key) if isinstance(key, int | float) else 0.0, "")
