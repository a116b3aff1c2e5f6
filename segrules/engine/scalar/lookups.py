"""The tables that rows refer to, ready to be looked into by key.

In: a project's sources, or tables that are bound already.  Out: `Lookups`.  Always: only tables that can be looked up
are read, with those that they need; on a date the rows that exist on it.

    Lookups.read(ruleset, {"cities": frame}).on(as_of, "cities", places, columns).get("\u5317\u4eac")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.reference.computed import row_values
from segrules.engine.scalar.rows import Row
from segrules.errors import BrokenContract, WrongUsage
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.contract import Contracts, DistinctSource
from segrules.schema.types import Value
from segrules.source import NOWHERE
from segrules.tables.bind import at, bind
from segrules.tables.columns import Tables
from segrules.tables.links import key_column
from segrules.tables.lists import list_members


def looked_up(contracts: Contracts[Expr]) -> dict[str, None]:
    """The tables that the customers and their related rows refer to, and what those refer to and belong to."""
    tables = contracts.tables
    own = [name for name in tables if contracts.chain(name)[-1] == contracts.customers]
    waiting = [column.refers_to for name in own for column in tables[name].columns.values() if column.refers_to]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = None
        table = tables[name]
        waiting += [column.refers_to for column in table.columns.values() if column.refers_to]
        waiting += [table.belongs_to.table] if table.belongs_to is not None else []
        waiting += [table.source.table] if isinstance(table.source, DistinctSource) else []
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Lookups:
    """`tables`: bound, not cut to a date; `lists`: the members of static lists."""

    ruleset: RuleSet
    tables: Tables
    lists: Mapping[str, frozenset[Value]]

    @staticmethod
    def read(ruleset: RuleSet, given: Mapping[str, object]) -> Lookups:
        """From the sources of the project, or *given*. Raises `BrokenContract`, `WrongUsage`."""
        part = _part(ruleset)
        strange = [name for name in given if name not in part.contracts.tables]
        if strange:
            raise WrongUsage([Diagnostic("D889", NOWHERE, {"table": name}) for name in strange])
        zoned = partial(row_values, timezone=ruleset.contracts.timezone)
        tables = bind(part, given, row_values=zoned) if part.contracts.tables else Tables({})
        lists: dict[str, frozenset[Value]] = {}
        wrong: list[Diagnostic] = []
        for definition in ruleset.definitions.values():
            if isinstance(definition, StaticList):
                try:
                    lists[definition.name] = list_members(ruleset, definition)
                except BrokenContract as stopped:
                    wrong.extend(stopped.diagnostics)
        if wrong:
            raise BrokenContract(wrong)
        return Lookups(part, tables, lists)

    @staticmethod
    def bound(ruleset: RuleSet, tables: Tables) -> Lookups:
        """From tables that are bound."""
        part = _part(ruleset)
        kept = {name: tables.tables[name] for name in part.contracts.tables}
        return Lookups(part, Tables(kept), tables.lists)

    def keys(self, table: str) -> frozenset[Value]:
        """The keys of all rows of *table*."""
        column = self.tables.tables[table].columns[key_column(self.ruleset.contracts, table) or ""]
        return frozenset(column.at(row) for row in range(len(column)))

    def on(self, as_of: int, wanted: Mapping[str, Mapping[str, int]]) -> dict[str, dict[Value, Row]]:
        """For each table of *wanted* its rows of a date by key, with the columns that have a place."""
        if not wanted:
            return {}
        existing = at(self.ruleset, self.tables, as_of)
        found: dict[str, dict[Value, Row]] = {}
        for name, places in wanted.items():
            loaded = existing.tables[name]
            key = loaded.columns[key_column(self.ruleset.contracts, name) or ""]
            columns = [loaded.columns[each] for each in places]
            found[name] = {key.at(row): tuple([one.at(row) for one in columns]) for row in range(loaded.rows)}
        return found


def _part(ruleset: RuleSet) -> RuleSet:
    """The rule set with nothing but the tables that are looked up."""
    contracts = ruleset.contracts
    tables = {name: contracts.tables[name] for name in contracts.tables if name in looked_up(contracts)}
    return replace(ruleset, contracts=replace(contracts, tables=tables), parameters={}, definitions={})
