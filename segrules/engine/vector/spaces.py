"""Rows of tables as the program sees them: own columns, those of parents, of referred rows, static lists.

In: `Tables` and their contracts.  Out: columns with one value per row of a space.  Always: a row without a parent, and
a value that refers to nothing, give missing; each column is made once per run.

    spaces = Spaces(contracts, tables)
    spaces.column("orders", Inherited("customers", "city"))      # the customer's city, per order
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from segrules.engine.vector.build import ints, union
from segrules.engine.vector.distinct import factor, text_ranks
from segrules.engine.vector.program import Inherited, Listed, Looked, Own, Source
from segrules.model.expr import Expr
from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY
from segrules.schema.contract import Contracts
from segrules.schema.types import BOOL, ListOfText, Text, Timestamp, Value
from segrules.tables.columns import Column, Dense, Ints, Tables
from segrules.tables.dense import dense


@dataclass(slots=True)
class Spaces:
    """The tables of a run, with what has been derived from them so far."""

    contracts: Contracts[Expr]
    tables: Tables
    _columns: dict[tuple[str, Source], Column] = field(default_factory=dict)
    _ancestors: dict[tuple[str, str], Ints] = field(default_factory=dict)
    _orders: dict[str, Ints] = field(default_factory=dict)

    def rows(self, space: str) -> int:
        return self.tables.tables[space].rows

    def owner(self, space: str) -> Ints:
        """For each row of *space* the ordinal of its customer, -1 for nobody."""
        return self.ancestor(space, self.contracts.customers)

    def ancestor(self, space: str, table: str) -> Ints:
        """For each row of *space* the ordinal of its row in *table*, further up the chain; -1 for none."""
        if (space, table) not in self._ancestors:
            found: Ints | None = None
            for name in self.contracts.chain(space):
                if name == table:
                    break
                parent = self.tables.tables[name].parent
                above = np.full(self.rows(name), -1, np.int64) if parent is None else parent
                found = above if found is None else followed(found, above)
            self._ancestors[space, table] = np.arange(self.rows(space), dtype=np.int64) if found is None else found
        return self._ancestors[space, table]

    def column(self, space: str, source: Source) -> Column:
        """The values of *source* in every row of *space*."""
        if (space, source) not in self._columns:
            self._columns[space, source] = self._made(space, source)
        return self._columns[space, source]

    def dense(self, space: str, name: str) -> Dense | None:
        """A table's own column in few bits."""
        loaded = self.tables.tables[space]
        if name not in loaded.dense:
            loaded.dense[name] = dense(loaded.columns[name])
        return loaded.dense[name]

    def time_order(self, space: str) -> tuple[Ints | None, Ints | None]:
        """The rows of *space* by (time, key), or, for a table without a key, (None, the time of each row)."""
        contract = self.contracts.tables[space]
        columns = self.tables.tables[space].columns
        times = ints(columns[contract.time or ""])
        if contract.key is None:
            return None, times
        if (order := self._orders.get(space)) is None:
            order = self._orders[space] = np.lexsort((_rank(columns[contract.key]), times))
        return order, None

    def instants_have_days(self) -> bool:
        """Whether every timestamp lies a day inside the years 1 … 9999, so that its local day exists in any zone."""
        low, high = (MIN_DAY + 1) * MICROSECONDS_PER_DAY, MAX_DAY * MICROSECONDS_PER_DAY
        for loaded in self.tables.tables.values():
            for column in loaded.columns.values():
                if isinstance(column.type, Timestamp) and len(column):
                    values = ints(column)
                    if values.min() < low or values.max() >= high:
                        return False
        return True

    def with_strangers(self) -> frozenset[str]:
        """The related tables in which some row belongs to nobody."""
        customers = self.contracts.customers
        related = [name for name in self.tables.tables if name != customers and customers in self.contracts.chain(name)]
        return frozenset(name for name in related if (self.owner(name) < 0).any())

    def matched(self, key: Column, table: str, name: str) -> Column:
        """Column *name* of the row of *table* whose key equals *key*."""
        return gathered(self.tables.tables[table].columns[name], self._positions(key, table))

    def _made(self, space: str, source: Source) -> Column:
        match source:
            case Own(name):
                return self.tables.tables[space].columns[name]
            case Inherited(table, name):
                return gathered(self.tables.tables[table].columns[name], self.ancestor(space, table))
            case Looked(path, table, name):
                position = self._reached(space, path, table)
                return gathered(self.tables.tables[table].columns[name], position)
            case Listed(name):
                return self._listed(self.tables.lists[name])

    def _reached(self, space: str, path: tuple[tuple[str, str], ...], table: str) -> Ints:
        """The ordinal in *table* that each row refers to."""
        position = self.ancestor(space, path[0][0])
        targets = [*(hop for hop, _ in path[1:]), table]
        for (at, name), target in zip(path, targets, strict=True):
            loaded = self.tables.tables[at]
            refers = loaded.references.get(name)
            if refers is None:
                refers = self._positions(loaded.columns[name], target)
            position = followed(position, refers)
        return position

    def _positions(self, keys: Column, table: str) -> Ints:
        """For each of *keys* the ordinal of the row of *table* with that key, -1 if there is none."""
        column = self.tables.tables[table].columns[self.contracts.tables[table].key or ""]
        known = factor(column)
        last = {known.values[code]: row for row, code in enumerate(known.codes.tolist())}
        asked = factor(keys)
        found = np.array([last.get(value, -1) for value in asked.values], np.int64)
        position = found[asked.codes] if len(found) else np.zeros(0, np.int64)
        return position if keys.missing is None else np.where(keys.missing, -1, position)

    def _listed(self, keys: frozenset[Value]) -> Column:
        contract = self.contracts.tables[self.contracts.customers]
        own = factor(self.tables.tables[self.contracts.customers].columns[contract.key or ""])
        inside = np.array([value in keys for value in own.values], np.bool_)
        return Column(BOOL, inside[own.codes] if len(inside) else np.zeros(0, np.bool_))


def followed(position: Ints, onward: Ints) -> Ints:
    """onward[position], -1 where either is."""
    if not len(onward):
        return np.full(len(position), -1, np.int64)
    return np.where(position < 0, -1, onward[position])


def gathered(column: Column, position: Ints) -> Column:
    """The column at *position*, missing where that is -1."""
    absent = position < 0
    if not absent.any():
        return column.take(position)
    if len(column):
        found = column.take(np.where(absent, 0, position))
    else:
        offsets = np.zeros(len(position) + 1, np.int64) if isinstance(column.type, ListOfText) else None
        length = 0 if offsets is not None else len(position)
        found = Column(column.type, np.zeros(length, column.values.dtype), None, column.dictionary, offsets)
    missing = union(found.missing, absent)
    if found.offsets is not None:
        return Column(found.type, found.values, missing, found.dictionary, found.offsets)
    return Column(found.type, np.where(absent, found.values.dtype.type(0), found.values), missing, found.dictionary)


def _rank(keys: Column) -> Ints:
    """Numbers in the order of *keys*, texts by code point."""
    return text_ranks(keys.dictionary)[keys.values] if isinstance(keys.type, Text) else ints(keys)
