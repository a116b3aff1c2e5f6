"""A row that the caller gives, held to the contract of its table.

In: a mapping of column names to Python values.  Out: a row of stored values, computed columns among them, and whether
`rows:` keeps it.  Always: what looks as it should is read at once; in any doubt the row goes through the same
steps as a table (`tables/draft.py`, `tables/checks.py`), which know every spelling and say what is wrong.

    RowReader(contracts, "orders", layout, read).row({"order_id": "o1", "amount": "12.50"}, 1, key)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.engine.reference.computed import row_values
from segrules.engine.scalar.cells import ODD, Quick, friendly, quick
from segrules.engine.scalar.program import row_program
from segrules.engine.scalar.runtime import Stopped
from segrules.engine.stops import overflow_in_row
from segrules.errors import BrokenContract, RunStopped, WrongUsage
from segrules.model.expr import Expr
from segrules.schema.contract import ColumnContract, Contracts, DistinctSource, Table
from segrules.schema.types import ListOfText, Type, Value
from segrules.source import NOWHERE
from segrules.tables.checks import check
from segrules.tables.draft import drafted, own_columns
from segrules.tables.findings import broken_rows
from segrules.tables.headers import normal
from segrules.tables.raw import Origin, Raw, python_cells

Row = tuple[Value, ...]


def columns_of(contracts: Contracts[Expr], table: Table[Expr]) -> dict[str, ColumnContract[Expr]]:
    """The columns of *table*; customers made `from:` a table have the key of that table's rows."""
    found = dict(table.columns)
    if isinstance(table.source, DistinctSource):
        key = table.key or table.source.column
        if key not in found:
            found[key] = contracts.tables[table.source.table].columns[table.source.column]
    return found


def layout(contracts: Contracts[Expr]) -> dict[str, dict[str, int]]:
    """Of every table, where each column stands in a row."""
    return {
        name: {column: place for place, column in enumerate(columns_of(contracts, table))}
        for name, table in contracts.tables.items()
    }


class _Cell(NamedTuple):
    """How one stored column is read: `required` says whether it must be there if it is given or read by a rule."""

    place: int
    name: str
    read: Quick
    required: bool
    test: Callable[[Any], bool] | None


class RowReader:
    """Reads rows of one table. *read*: the columns that the rules read; others need not be given."""

    def __init__(
        self, contracts: Contracts[Expr], name: str, places: Mapping[str, int], read: frozenset[str], key: str | None
    ) -> None:
        table = contracts.tables[name]
        self.table = table
        self.zone = contracts.timezone
        self.by = None if table.belongs_to is None else table.belongs_to.by
        columns = columns_of(contracts, table)
        self._columns = columns
        self._types: dict[str, Type] = {each: column.type for each, column in columns.items()}
        self._given = frozenset(each for each, column in columns.items() if column.value is None)
        self._width = len(places)
        self._places = places
        order = _computed(table)
        self._program = row_program(contracts, table, {name: places}, order)
        self._function = None if self._program is None else self._program.on(0)
        self._computed = [(places[each], _test(columns[each]), columns[each].can_be_missing) for each in order]
        own = {each for _, each in self._program.read} if self._program is not None else set()
        duplicates = set() if table.duplicates is None else {table.duplicates.by}
        self._needed = read | own | duplicates | {each for each in (key, table.time, self.by) if each}
        structural = (key, table.time)
        self._cells = [
            _Cell(
                places[each],
                each,
                quick(column, table.format, self.zone),
                not column.can_be_missing or each in structural,
                _test(column),
            )
            for each, column in columns.items()
            if column.value is None
        ]

    def row(self, row: object, number: int, parent: Value = None) -> tuple[Row, bool]:
        """*number*: the row's place among those given, from 1; *parent*: what the joining column holds where the row
        does not say. Raises `BrokenContract`, `WrongUsage`, and `RunStopped` where a computed column overflows."""
        if not isinstance(row, Mapping):
            raise WrongUsage([Diagnostic("D882", NOWHERE, {"table": self.table.name, "kind": type(row).__name__})])
        given = row if row.keys() <= self._given else self._renamed(row)
        values: list[Value] = [None] * self._width
        for place, name, read, required, test in self._cells:
            value = given.get(name)
            if value is None:
                if name == self.by and name not in given:
                    values[place] = parent
                elif required and (name in given or name in self._needed):
                    return self._slowly(given, number, parent)
                continue
            found = read(value)
            if found is ODD or (test is not None and not test(found)):
                return self._slowly(given, number, parent)
            values[place] = found
        if self._function is not None and not self._compute(values, number):
            return tuple(values), False
        for place, test, can_be_missing in self._computed:
            made = values[place]
            if (made is None and not can_be_missing) or (made is not None and test is not None and not test(made)):
                return self._slowly(given, number, parent)
        return tuple(values), True

    def _compute(self, values: list[Value], number: int) -> bool:
        """Fills the computed columns; whether `rows:` keeps the row."""
        assert self._function is not None and self._program is not None
        try:
            *made, kept = self._function(values)
        except Stopped as stopped:
            name = self.table.name
            node = self._program.sites[stopped.args[0]].node
            raise RunStopped([overflow_in_row(node, name, name, number)]) from None
        for (place, _, _), value in zip(self._computed, made, strict=True):
            values[place] = value
        return kept is True

    def _renamed(self, row: Mapping[Any, object]) -> dict[str, object]:
        """The row by the names of its contract: NFKC, white space aside. Raises `WrongUsage` for others."""
        found: dict[str, object] = {}
        wrong: list[Diagnostic] = []
        known = {normal(each): each for each in self._columns}
        for name, value in row.items():
            column = known.get(normal(str(name)))
            if column is None:
                wrong.append(self._unknown(str(name)))
            elif self._columns[column].value is not None:
                args = {"table": self.table.name, "column": column}
                wrong.append(Diagnostic("D884", self._columns[column].span, args))
            elif column in found:
                raise WrongUsage([Diagnostic("D885", NOWHERE, {"table": self.table.name, "column": column})])
            else:
                found[column] = value
        if wrong:
            raise WrongUsage(wrong)
        return found

    def _unknown(self, name: str) -> Diagnostic:
        from difflib import get_close_matches

        near = get_close_matches(name, list(self._given), n=1)
        help_ = Help("did_you_mean", {"name": near[0]}) if near else None
        return Diagnostic("D883", self.table.span, {"table": self.table.name, "column": name[:80]}, help_)

    def _slowly(self, given: Mapping[str, object], number: int, parent: Value) -> tuple[Row, bool]:
        """The row as a table of one."""
        row = dict(given)
        if self.by is not None and self.by not in row:
            row[self.by] = friendly(parent, self._types[self.by], self.zone)
        cells = {each: python_cells([row.get(each)], False) for each in self._columns if each in self._given}
        raw = Raw(
            origin=Origin(self.table.name, "", self.table.span),
            rows=1,
            columns=cells,
            headers=tuple(cells),
            unlisted=(),
            everything=lambda: cells,
            numbers=np.array([number], np.int64),
        )
        table = replace(self.table, columns=self._columns)
        draft = drafted(table, raw, self.zone, partial(row_values, timezone=self.zone))
        wrong = [
            broken_rows(one.code, raw, one.span, one.rows, one.column, one.pii, one.args, one.help)
            for one in check(draft, None, self.zone)
            if one.code != "D834" or one.column in row or one.column in self._needed or one.column not in self._given
        ]
        if wrong:
            raise BrokenContract(wrong)
        return tuple(draft.columns[each].at(0) for each in self._places), not draft.left_out[0]


def _computed(table: Table[Expr]) -> list[str]:
    """The computed columns, each after those it needs."""
    waiting = {name: own_columns(one.value, table.name) for name, one in table.columns.items() if one.value is not None}
    order: list[str] = []
    while waiting:
        ready = [name for name, needs in waiting.items() if not needs & waiting.keys()]
        order += ready
        for name in ready:
            del waiting[name]
    return order


def _test(column: ColumnContract[Expr]) -> Callable[[Any], bool] | None:
    """Whether a stored value is among `values:` and within `min:` and `max:`."""
    tests = list(_tests(column))
    return None if not tests else tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _tests(column: ColumnContract[Expr]) -> Iterator[Callable[[Any], bool]]:
    low, high = column.min, column.max
    if column.values is not None:
        known = frozenset(column.values)
        yield known.issuperset if isinstance(column.type, ListOfText) else known.__contains__
    if low is not None:
        yield lambda value: bool(value >= low)
    if high is not None:
        yield lambda value: bool(value <= high)
