"""The rows that exist on a date.

In: bound tables and a date.  Out: tables of the same form.  Always: rows whose `time:` lies after the end of that
local day do not exist, nor do the rows below them; of several rows with one key the one that `duplicates:` keeps is
chosen among those that exist; customers made `from:` a table are those with a row that exists; where nothing is cut,
nothing is copied.

    at(ruleset, tables, 20_778) is tables      # when every row exists on that date
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import end_of_day
from segrules.schema.contract import Contracts, DistinctSource, Duplicates, Table
from segrules.schema.types import Date, Text
from segrules.tables.columns import Account, Bools, Column, Ints, Loaded, Tables
from segrules.tables.keys import representatives
from segrules.tables.links import key_column, marked, parents_first


def at(ruleset: RuleSet, tables: Tables, as_of: int) -> Tables:
    """The rows that exist at the end of day *as_of* (days since 1970)."""
    contracts = ruleset.contracts
    loaded = tables.tables
    groups = _groups(contracts, loaded)
    exists = _existing(contracts, loaded, groups, as_of)
    chosen = {
        name: _one_of_each(contracts.tables[name], loaded[name], groups[name], rows) if name in groups else rows
        for name, rows in exists.items()
    }
    if all(rows is None for rows in chosen.values()):
        return tables
    targets = {name: _targets(rows, groups.get(name)) for name, rows in chosen.items()}
    found = {name: _cut(contracts.tables[name], one, chosen[name], targets) for name, one in loaded.items()}
    accounts = tuple(_counted(each, exists.get(each.table), chosen.get(each.table)) for each in tables.accounts)
    return replace(tables, tables=found, accounts=accounts)


def _counted(account: Account, exists: Bools | None, chosen: Bools | None) -> Account:
    """The account of a table with the rows that this date leaves out."""
    if chosen is None:
        return account
    there = len(chosen) if exists is None else int(exists.sum())
    return replace(account, later=len(chosen) - there, superseded=there - int(chosen.sum()))


def _groups(contracts: Contracts[Expr], loaded: Mapping[str, Loaded]) -> dict[str, Ints]:
    """For tables whose keys may repeat: the first row with each row's key."""
    found = {}
    for name, one in loaded.items():
        key = key_column(contracts, name)
        if contracts.tables[name].duplicates is not None and key is not None:
            found[name] = representatives(one.columns[key])
    return found


def _existing(
    contracts: Contracts[Expr], loaded: Mapping[str, Loaded], groups: Mapping[str, Ints], as_of: int
) -> dict[str, Bools | None]:
    """Which rows exist, None for all of them."""
    exists = {name: _in_time(contracts, contracts.tables[name], one, as_of) for name, one in loaded.items()}
    for name, one in loaded.items():
        source = contracts.tables[name].source
        if isinstance(source, DistinctSource):
            rows = exists[source.table]
            parent = loaded[source.table].parent
            if rows is not None and parent is not None:
                exists[name] = _and(exists[name], marked(one.rows, parent, rows)[:-1])
    for name in parents_first(contracts, loaded):
        up = contracts.tables[name].belongs_to
        parent = loaded[name].parent
        above = None if up is None else exists[up.table]
        if up is None or parent is None or above is None:
            continue
        keys = groups.get(up.table)
        there = np.append(above, True) if keys is None else marked(len(keys), keys, above)
        there[-1] = True
        exists[name] = _and(exists[name], there[parent])
    return exists


def _in_time(contracts: Contracts[Expr], table: Table[Expr], one: Loaded, as_of: int) -> Bools | None:
    if table.time is None:
        return None
    column = one.columns[table.time]
    end = as_of if isinstance(column.type, Date) else end_of_day(as_of, contracts.timezone)
    values = column.values.astype(np.int64, copy=False)
    return None if not len(values) or int(values.max()) <= end else values <= end


def _and(left: Bools | None, right: Bools) -> Bools | None:
    both = right if left is None else left & right
    return None if both.all() else both


def _one_of_each(table: Table[Expr], one: Loaded, keys: Ints, rows: Bools | None) -> Bools | None:
    """One row per key among those that exist: the first or last by a column, ties by file order; a missing value
    never wins over one that is there."""
    there = np.arange(one.rows) if rows is None else np.flatnonzero(rows)
    assert table.duplicates is not None
    if len(np.unique(keys[there])) == len(there):
        return rows
    column = one.columns[table.duplicates.by].take(there)
    order = np.lexsort((there if one.place is None else one.place[there], _rank(column, table.duplicates), keys[there]))
    own = keys[there][order]
    edge = (
        np.append(own[1:] != own[:-1], True)
        if table.duplicates.keep == "last"
        else np.append(True, own[1:] != own[:-1])
    )
    picked = np.zeros(one.rows, np.bool_)
    picked[there[order[edge]]] = True
    return picked


def _rank(column: Column, duplicates: Duplicates) -> Ints:
    """Numbers in the order of the values; missing ones at the end that does not win."""
    values: NDArray[Any] = column.values
    if isinstance(column.type, Text):
        order = sorted(range(len(column.dictionary)), key=column.dictionary.__getitem__)
        rank = np.empty(max(len(order), 1), np.int64)
        rank[order] = np.arange(len(order))
        values = rank[values]
    ranks: Ints = np.unique(values, return_inverse=True)[1].astype(np.int64)
    if column.missing is not None:
        ranks[column.missing] = -1 if duplicates.keep == "last" else len(ranks)
    return ranks


def _targets(rows: Bools | None, keys: Ints | None) -> Ints | None:
    """For each row of the bound table (the first of its key) its ordinal among the chosen ones, -1 where it is not;
    one entry more for -1. None: nothing moves."""
    if rows is None:
        return None
    found = np.full(len(rows) + 1, -1, np.int64)
    there = np.flatnonzero(rows)
    found[there if keys is None else keys[there]] = np.arange(len(there))
    return found


def _cut(table: Table[Expr], one: Loaded, rows: Bools | None, targets: Mapping[str, Ints | None]) -> Loaded:
    up = table.belongs_to
    above = None if up is None else targets[up.table]
    moved = above is not None or any(targets[table.columns[c].refers_to or ""] is not None for c in one.references)
    if rows is None and not moved:
        return one
    at_rows = None if rows is None else np.flatnonzero(rows)

    def own(values: Ints) -> Ints:
        return values if at_rows is None else values[at_rows]

    def pointed(link: Ints, target: Ints | None) -> Ints:
        return own(link) if target is None else target[own(link)]

    return Loaded(
        name=one.name,
        rows=one.rows if at_rows is None else len(at_rows),
        columns=one.columns if at_rows is None else {name: c.take(at_rows) for name, c in one.columns.items()},
        parent=None if one.parent is None else pointed(one.parent, above),
        references={c: pointed(link, targets[table.columns[c].refers_to or ""]) for c, link in one.references.items()},
        place=None if one.place is None else own(one.place),
    )
