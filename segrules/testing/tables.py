"""The rows of an example as `Tables`: customers bound without files.

In: an example whose rows are read and filled.  Out: `Tables`, with computed columns, `rows:` applied, parents and
look-ups linked.  Always: what a data file would go through, in the same order; static lists are empty.

    tables_of(ruleset, example).tables["orders"].rows      # 2
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from segrules.engine.needs import nodes
from segrules.engine.reference.computed import row_values
from segrules.engine.reference.rows import column
from segrules.model.expr import Column as ColumnOf
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.contract import Contracts, Table
from segrules.schema.types import Value
from segrules.tables.columns import Column, Ints, Loaded, Tables
from segrules.testing.examples import Example, ExampleRow

NOBODY = -1


def tables_of(ruleset: RuleSet, example: Example) -> Tables:
    """Every table of the project as the example has it. Raises `RunStopped` if a computed column overflows."""
    contracts = ruleset.contracts
    given = {each.name.definition: each.value for each in example.given if each.name.kind == "column"}
    built: dict[str, Loaded] = {}
    kept: dict[str, Ints] = {}
    for name in example.rows:
        fixed = given if name == contracts.customers else {}
        built[name], kept[name] = _loaded(contracts, contracts.tables[name], example.rows[name], kept, fixed)
    linked = {name: _linked(contracts, loaded, built) for name, loaded in built.items()}
    lists: dict[str, frozenset[Value]] = {
        name: frozenset() for name, each in ruleset.definitions.items() if isinstance(each, StaticList)
    }
    return Tables(linked, lists=lists)


def _loaded(
    contracts: Contracts[Expr],
    table: Table[Expr],
    rows: Sequence[ExampleRow],
    kept: Mapping[str, Ints],
    fixed: Mapping[str, Value],
) -> tuple[Loaded, Ints]:
    """The table, and for each row of the example its position in it, -1 for one that does not count."""
    columns: dict[str, Column] = {}
    for name, contract in table.columns.items():
        if name in fixed:
            columns[name] = column(contract.type, [fixed[name]] * len(rows))
        elif contract.value is None:
            columns[name] = column(contract.type, [row.values[name] for row in rows])
    place = np.arange(1, len(rows) + 1, dtype=np.int64)
    zone = contracts.timezone
    for name in _in_order(table, columns):
        contract = table.columns[name]
        assert contract.value is not None
        columns[name] = row_values(contract.value, Loaded(table.name, len(rows), columns, place=place), zone)
    counts = np.ones(len(rows), np.bool_)
    if table.rows is not None:
        truth = row_values(table.rows, Loaded(table.name, len(rows), columns, place=place), zone)
        counts = truth.values.astype(np.bool_) & (True if truth.missing is None else ~truth.missing)
    parent = None
    if table.belongs_to is not None:
        above = kept[table.belongs_to.table]
        given_parent = np.array([row.parent for row in rows], np.int64)
        parent = np.array([above[at] if at != NOBODY else NOBODY for at in given_parent], np.int64)
        counts &= (parent != NOBODY) | (given_parent == NOBODY)
    chosen = np.flatnonzero(counts)
    position = np.full(len(rows), NOBODY, np.int64)
    position[chosen] = np.arange(len(chosen))
    loaded = Loaded(
        table.name,
        len(chosen),
        {name: each.take(chosen) for name, each in columns.items()},
        None if parent is None else parent[chosen],
        place=place[chosen],
    )
    return loaded, position


def _in_order(table: Table[Expr], known: Mapping[str, Column]) -> list[str]:
    """The computed columns, each after those it reads."""
    waiting = {
        name: {node.name for node in nodes(each.value) if isinstance(node, ColumnOf)}
        for name, each in table.columns.items()
        if each.value is not None and name not in known
    }
    order: list[str] = []
    while waiting:
        ready = [name for name, read in waiting.items() if not read & waiting.keys()]
        order += ready or list(waiting)
        for name in ready or list(waiting):
            del waiting[name]
    return order


def _linked(contracts: Contracts[Expr], loaded: Loaded, built: Mapping[str, Loaded]) -> Loaded:
    """The table with the row that each look-up finds."""
    references: dict[str, Ints] = {}
    for name, contract in contracts.tables[loaded.name].columns.items():
        if contract.refers_to is None:
            continue
        other = built[contract.refers_to]
        keys = other.columns[contracts.tables[other.name].key or ""]
        found = {keys.at(row): row for row in reversed(range(other.rows))}
        values = loaded.columns[name]
        references[name] = np.array([found.get(values.at(row), NOBODY) for row in range(loaded.rows)], np.int64)
    return Loaded(loaded.name, loaded.rows, loaded.columns, loaded.parent, references, loaded.place)
