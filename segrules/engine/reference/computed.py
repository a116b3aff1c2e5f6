"""Computed columns and `rows:` of one table: expressions that read their own row only.

In: a checked expression and a table as read.  Out: a column with a value per row.  Always: there is no date of the
run yet, no customer and no other table.

    row_values(price_times_quantity, orders, "Asia/Shanghai")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from segrules.engine.reference.expressions import value_of
from segrules.engine.reference.rows import column
from segrules.engine.stops import overflow_in_row
from segrules.errors import RunStopped
from segrules.model.expr import Aggregate, Expr, Population
from segrules.schema.types import Value
from segrules.tables.columns import Column, Loaded


@dataclass(frozen=True, slots=True)
class _ReadRow:
    """A row of a table that is being read, as a scope. The checker lets no expression through that reads `as_of`."""

    loaded: Loaded
    row: int
    zone: str
    as_of: int = 0

    def column(self, table: str, name: str) -> Value:
        return self.loaded.columns[name].at(self.row)

    def lookup(self, key: Value, table: str, name: str) -> Value:
        raise AssertionError("a computed column reads its own table only")

    def reference(self, name: str) -> Value:
        raise AssertionError("a computed column reads its own table only")

    def aggregate(self, node: Aggregate) -> Value:
        raise AssertionError("a computed column reads its own row only")

    def population(self, node: Population) -> Value:
        raise AssertionError("a computed column reads its own row only")

    def stop(self, node: Expr) -> NoReturn:
        places = self.loaded.place
        place = self.row + 1 if places is None else int(places[self.row])
        raise RunStopped([overflow_in_row(node, self.loaded.name, self.loaded.name, place)])


def row_values(expr: Expr, loaded: Loaded, timezone: str) -> Column:
    """*expr* for every row of *loaded*. Raises `RunStopped` on overflow."""
    return column(expr.type, [value_of(expr, _ReadRow(loaded, row, timezone)) for row in range(loaded.rows)])
