"""Tables seen as rows: the value of a column in a row, its parents, the rows of a customer.

In: `Tables` that keep their contract.  Out: stored values and row numbers.  Always: a row number of -1 is nobody,
whose every value is missing; the rows of a customer come in the order of the table.

    rows.of_customer("orders", 3)      # [10, 42]: the orders of customer 3
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from segrules.model.expr import Expr
from segrules.schema.contract import Contracts
from segrules.schema.types import Bool, Date, ListOfText, Number, Text, Type, Value
from segrules.tables.columns import Column, Ints, Tables

NOBODY = -1


class Rows:
    """The rows of all tables of a run."""

    def __init__(self, contracts: Contracts[Expr], tables: Tables) -> None:
        self.contracts = contracts
        self.tables = tables.tables
        self._owners: dict[str, Ints] = {}
        self._ordered: dict[str, tuple[Ints, Ints]] = {}
        self._by_key: dict[str, dict[Value, int]] = {}

    def value(self, table: str, row: int, name: str) -> Value:
        return None if row == NOBODY else self.tables[table].columns[name].at(row)

    def ancestor(self, table: str, row: int, wanted: str) -> int:
        """The row of *wanted*, at or above *table* in its chain, that this row belongs to."""
        for name in self.contracts.chain(table):
            if name == wanted or row == NOBODY:
                return row
            row = self._parent(name, row)
        return NOBODY

    def _parent(self, table: str, row: int) -> int:
        parent = self.tables[table].parent
        return NOBODY if parent is None else int(parent[row])

    def customer(self, table: str, row: int) -> int:
        return self.ancestor(table, row, self.contracts.customers)

    def of_customer(self, table: str, customer: int) -> Sequence[int]:
        """The rows of *table* whose chain ends in *customer*; for -1 those that belong to nobody."""
        if table not in self._ordered:
            owners = self._owners_of(table)
            order = np.argsort(owners, kind="stable")
            self._ordered[table] = order, owners[order]
        order, owners = self._ordered[table]
        start, end = np.searchsorted(owners, [customer, customer + 1])
        return [int(row) for row in order[start:end]]

    def _owners_of(self, table: str) -> Ints:
        owners = np.arange(self.tables[table].rows, dtype=np.int64)
        for name in self.contracts.chain(table)[:-1]:
            parent = self.tables[name].parent
            above = np.full(self.tables[name].rows, NOBODY, dtype=np.int64) if parent is None else parent
            owners = np.where(owners == NOBODY, NOBODY, above[owners] if len(above) else NOBODY)
        return owners

    def place(self, table: str, row: int) -> int:
        """The number of the row in its source, from 1."""
        places = self.tables[table].place
        return row + 1 if places is None else int(places[row])

    def find(self, table: str, key: Value) -> int:
        """The row of *table* with the key *key*."""
        if table not in self._by_key:
            name = self.contracts.tables[table].key
            column = self.tables[table].columns[name or ""]
            self._by_key[table] = {column.at(row): row for row in range(len(column))}
        return NOBODY if key is None else self._by_key[table].get(key, NOBODY)


def column(type_: Type, values: Iterable[Value]) -> Column:
    """The column of *type_* that holds *values* (stored values)."""
    rows = list(values)
    absent = np.array([value is None for value in rows], dtype=np.bool_)
    missing = absent if absent.any() else None
    match type_:
        case Text():
            words = [value if isinstance(value, str) else "" for value in rows]
            texts = {value: code for code, value in enumerate(dict.fromkeys(words))}
            return Column(type_, np.array([texts[word] for word in words], dtype=np.int32), missing, tuple(texts))
        case ListOfText():
            lists = [value if isinstance(value, tuple) else () for value in rows]
            texts = {value: code for code, value in enumerate(dict.fromkeys(v for items in lists for v in items))}
            codes = np.array([texts[value] for items in lists for value in items], dtype=np.int32)
            offsets = np.cumsum([0, *map(len, lists)]).astype(np.int64)
            return Column(type_, codes, missing, tuple(texts), offsets)
        case Bool():
            return Column(type_, np.array([bool(value) for value in rows], dtype=np.bool_), missing)
        case Number():
            return Column(type_, np.array([value or 0.0 for value in rows], dtype=np.float64), missing)
        case Date():
            return Column(type_, np.array([value or 0 for value in rows], dtype=np.int32), missing)
        case _:
            return Column(type_, np.array([value or 0 for value in rows], dtype=np.int64), missing)
