"""Static lists: files of keys.

In: the lists that a rule set defines.  Out: the stored keys of each.  Always: a list's cells are read and cleaned as
the customers' key is, so that equal keys are equal; blank cells are no keys; a cell that can be no key is an error.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from segrules.errors import BrokenContract
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.contract import ColumnContract, DistinctSource, Format
from segrules.schema.types import Value
from segrules.tables.columns import Column
from segrules.tables.convert import convert, spelling
from segrules.tables.findings import broken_rows
from segrules.tables.links import key_column
from segrules.tables.raw import Origin
from segrules.tables.read import read_file


def key_contract(ruleset: RuleSet) -> ColumnContract[Expr]:
    """The contract of the customers' key."""
    contracts = ruleset.contracts
    table = contracts.tables[contracts.customers]
    key = key_column(contracts, table.name)
    assert key is not None
    if key not in table.columns and isinstance(table.source, DistinctSource):
        return contracts.tables[table.source.table].columns[table.source.column]
    return table.columns[key]


def list_members(ruleset: RuleSet, one: StaticList) -> frozenset[Value]:
    """Raises `BrokenContract`."""
    key = key_contract(ruleset)
    origin = Origin(one.name, "", one.span)
    raw = read_file(Path(ruleset.folder), one.file, None, Format(), origin, {one.column: one.span})
    contract = replace(key, name=one.column, can_be_missing=True, span=one.span)
    found = convert(
        raw.columns[one.column], key.type, spelling(contract, Format(), ruleset.contracts.timezone, raw.spelled)
    )
    if found.faults:
        wrong = np.zeros(raw.rows, np.bool_)
        for mask in found.faults.values():
            wrong |= mask
        args = {"type": str(key.type)}
        raise BrokenContract([broken_rows("D844", raw, one.span, wrong, one.column, key.pii, args)])
    return distinct_values(found.column)


def distinct_values(column: Column) -> frozenset[Value]:
    there = np.arange(len(column)) if column.missing is None else np.flatnonzero(~column.missing)
    _, first = np.unique(column.values[there], return_index=True)
    return frozenset(column.at(int(there[row])) for row in first)
