"""The rows of one customer that exist on a date.

In: a customer's rows and a date.  Out: the rows of each table that exist, and where their parents stand.  Always: as
`tables/moment.py` has it for whole tables: rows of a later time do not exist, nor those below them; of several rows
with one key the one that `duplicates:` keeps is chosen among those that exist.

    Existing(contracts, places, ["orders", "lines"], as_of).of(customer.related)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segrules.engine.scalar.customer import NONE, Related
from segrules.engine.scalar.rows import Row
from segrules.model.expr import Expr
from segrules.schema.calendar import end_of_day
from segrules.schema.contract import Contracts, Duplicates
from segrules.schema.types import Date, Value

Rows = tuple[Row, ...]
Positions = Mapping[str, Mapping[str, int]]


class Existing:
    """*tables*: those that are wanted, with every table above them."""

    def __init__(self, contracts: Contracts[Expr], places: Positions, tables: Iterable[str], as_of: int) -> None:
        self._contracts = contracts
        self._places = places
        self._tables = sorted(tables, key=lambda name: len(contracts.chain(name)))
        self._end = end_of_day(as_of, contracts.timezone)
        self._as_of = as_of

    def in_time(self, table: str, rows: Rows) -> Rows:
        """Those whose time has come."""
        contract = self._contracts.tables[table]
        if contract.time is None or not rows:
            return rows
        place = self._places[table][contract.time]
        end = self._as_of if isinstance(contract.columns[contract.time].type, Date) else self._end
        times: list[Any] = [row[place] for row in rows]
        return rows if max(times) <= end else tuple([row for row, at in zip(rows, times, strict=True) if at <= end])

    def of(self, related: Mapping[str, Related]) -> dict[str, tuple[Rows, list[int]]]:
        """For each table its rows and the positions of their parents (none where the parent is the customer)."""
        found: dict[str, tuple[Rows, list[int]]] = {}
        for table in self._tables:
            contract = self._contracts.tables[table]
            rows = self.in_time(table, related.get(table, NONE).rows)
            up = contract.belongs_to
            positions: dict[Value, int] | None = None
            by = 0
            if up is not None and up.table != self._contracts.customers:
                key = self._places[up.table][self._contracts.tables[up.table].key or ""]
                positions = {row[key]: position for position, row in enumerate(found[up.table][0])}
                by = self._places[table][up.by]
                rows = tuple([row for row in rows if row[by] in positions])
            if contract.duplicates is not None and contract.key is not None:
                own, decides = self._places[table][contract.key], self._places[table][contract.duplicates.by]
                rows = _one_of_each(rows, own, decides, contract.duplicates)
            found[table] = rows, [] if positions is None else [positions[row[by]] for row in rows]
        return found


def _one_of_each(rows: tuple[Row, ...], key: int, by: int, duplicates: Duplicates) -> tuple[Row, ...]:
    """The first or last row of each key by a column, ties in the order given; a missing value never wins."""
    if len({row[key] for row in rows}) == len(rows):
        return rows
    last = duplicates.keep == "last"
    best: dict[Value, int] = {}
    for number, row in enumerate(rows):
        before = best.get(row[key])
        if before is None or _wins(row[by], rows[before][by], last):
            best[row[key]] = number
    return tuple(rows[number] for number in sorted(best.values()))


def _wins(value: Value, other: Value, last: bool) -> bool:
    if value is None or other is None:
        return (other is None and value is not None) or (value is None and other is None and last)
    return bool(value >= other if last else value < other)  # type: ignore[operator]
