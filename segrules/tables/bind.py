"""From sources to tables that keep their contract.

In: a rule set, perhaps tables that the caller gives.  Out: `Tables`, with the account of every row read.  Always: in
this order: types and cleaning, computed columns, `rows:`, the contract, orphans; a row that breaks the contract stops
the run, together with everything else that is wrong, or is set aside where its table says `bad_rows: quarantine`;
rows read = kept + left out + set aside.

    tables = bind(ruleset, {"orders": frame}, row_values=row_values)
    evaluate(ruleset, at(ruleset, tables, as_of), as_of)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import BrokenContract
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.contract import Contracts, DistinctSource, Table
from segrules.schema.types import Value
from segrules.tables.checks import Broken, check
from segrules.tables.columns import Account, Bools, Column, Ints, Loaded, Tables
from segrules.tables.draft import Draft, RowValues, distinct, drafted, own_columns
from segrules.tables.findings import Finding, finding, ragged_rows, said
from segrules.tables.keys import in_order
from segrules.tables.links import Links, alive_rows, key_column, linked, marked, orphans, with_children
from segrules.tables.lists import list_members
from segrules.tables.moment import at
from segrules.tables.quarantine import set_aside
from segrules.tables.read import read

__all__ = ["Held", "account", "at", "bind", "drafts_of", "held", "kept", "stopping"]


def bind(
    ruleset: RuleSet,
    given: Mapping[str, object] | None = None,
    *,
    row_values: RowValues,
    needed: Mapping[str, Collection[str]] | None = None,
) -> Tables:
    """Every table, typed and checked, and every static list. *needed*: the columns to read and check by table, all
    declared ones without it; keys and what rows are joined by are always among them. Raises `BrokenContract` with
    all that is wrong."""
    contracts = ruleset.contracts
    drafts, lists = drafts_of(ruleset, contracts.tables, given or {}, row_values, needed)
    found = held(contracts, drafts)
    if wrong := stopping(found):
        raise BrokenContract(map(said, wrong))
    loaded = kept(contracts, found)
    accounts = []
    for name, draft in found.drafts.items():
        file = None
        if draft.table.quarantine:
            file = set_aside(Path(ruleset.folder), draft, found.broken[name], ruleset.language)
        accounts.append(account(found, loaded[name], file))
    return Tables(loaded, tuple(accounts), (), lists)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Drafts and their contract: rows left out with their parents, what refers to what, the rules that rows break,
    and by table the rows that stay."""

    drafts: Mapping[str, Draft]
    links: Links
    broken: Mapping[str, list[Broken]]
    alive: Mapping[str, Bools]


def held(contracts: Contracts[Expr], drafts: Mapping[str, Draft]) -> Held:
    """Steps 3 (rows below one that is left out), 4 and 5 of the order of work."""
    links = linked(contracts, drafts)
    drafts = with_children(contracts, drafts, links)
    broken = {name: check(draft, links.keys.get(name), contracts.timezone) for name, draft in drafts.items()}
    broken = orphans(contracts, drafts, links, broken)
    alive = {name: alive_rows(draft, broken[name]) for name, draft in drafts.items()}
    for name, draft in drafts.items():
        if isinstance(draft.table.source, DistinctSource):
            source = draft.table.source.table
            alive[name] &= marked(draft.rows, links.parents[source], alive[source])[:-1]
    return Held(drafts, links, broken, alive)


def stopping(found: Held) -> list[Finding]:
    """The broken rules of tables that do not set rows aside."""
    return [
        finding(one.code, found.drafts[name].raw, one.span, one.rows, one.column, one.pii, one.args, one.help)
        for name, rules in found.broken.items()
        if not found.drafts[name].table.quarantine
        for one in rules
    ]


def drafts_of(
    ruleset: RuleSet,
    names: Collection[str],
    given: Mapping[str, object],
    row_values: RowValues,
    needed: Mapping[str, Collection[str]] | None = None,
) -> tuple[dict[str, Draft], dict[str, frozenset[Value]]]:
    """The tables *names*, read and typed, and every static list; raises with what is wrong in all of them."""
    contracts = ruleset.contracts
    wrong: list[Diagnostic] = [_unknown(contracts, name) for name in given if not _has_place(contracts, name)]
    drafts: dict[str, Draft] = {}
    lists: dict[str, frozenset[Value]] = {}
    for name, table in contracts.tables.items():
        if isinstance(table.source, DistinctSource) or name not in names:
            continue
        columns = _columns(contracts, table, None if needed is None else needed.get(name, ()))
        try:
            raw = read(table, Path(ruleset.folder), given.get(name), columns)
            if raw.ragged and not table.quarantine:
                wrong.append(ragged_rows(raw))
            drafts[name] = drafted(table, raw, contracts.timezone, row_values)
        except BrokenContract as stopped:
            wrong.extend(stopped.diagnostics)
    for definition in ruleset.definitions.values():
        if isinstance(definition, StaticList):
            try:
                lists[definition.name] = list_members(ruleset, definition)
            except BrokenContract as stopped:
                wrong.extend(stopped.diagnostics)
    if wrong:
        raise BrokenContract(wrong)
    for name, table in contracts.tables.items():
        if isinstance(table.source, DistinctSource) and name in names:
            drafts[name] = distinct(table, drafts[table.source.table])
    return {name: drafts[name] for name in contracts.tables if name in names}, lists


def _has_place(contracts: Contracts[Expr], name: str) -> bool:
    return name in contracts.tables and not isinstance(contracts.tables[name].source, DistinctSource)


def _unknown(contracts: Contracts[Expr], name: str) -> Diagnostic:
    table = contracts.tables.get(name)
    span = next(iter(contracts.tables.values())).span if table is None else table.span
    if table is not None and isinstance(table.source, DistinctSource):
        return Diagnostic("D821", span, {"table": name}, Help("made", {"source": table.source.table}))
    near = get_close_matches(name, list(contracts.tables), n=1)
    names = near or list(contracts.tables)
    return Diagnostic("D821", span, {"table": name}, Help("near", {"names": ", ".join(f"`{one}`" for one in names)}))


def _columns(contracts: Contracts[Expr], table: Table[Expr], needed: Collection[str] | None) -> list[str]:
    """The columns to read: declared and not computed; with *needed* those, and what they and the joins need."""
    stored = [name for name, column in table.columns.items() if column.value is None]
    if needed is None:
        return stored
    wanted = {*needed, table.key, table.time, *own_columns(table.rows, table.name)}
    wanted |= {table.belongs_to.by} if table.belongs_to else set()
    wanted |= {table.duplicates.by} if table.duplicates else set()
    waiting = list(wanted)
    while waiting:
        column = table.columns.get(waiting.pop() or "")
        more = own_columns(column.value, table.name) - wanted if column is not None else set()
        wanted |= more
        waiting.extend(more)
    return [name for name in stored if name in wanted] or stored[:1]


def kept(contracts: Contracts[Expr], found: Held) -> dict[str, Loaded]:
    """The rows that are left, customers in key order, links as ordinals of what is left."""
    drafts, links, alive = found.drafts, found.links, found.alive
    chosen: dict[str, Ints | None] = {}
    for name, draft in drafts.items():
        rows = None if alive[name].all() else np.flatnonzero(alive[name])
        if name == contracts.customers:
            key, order = in_order(_taken(draft.columns[key_column(contracts, name) or ""], rows))
            customers = _taken(key, order)
            rows = rows if order is None else (order if rows is None else rows[order])
        chosen[name] = rows
    target = {name: _ordinals(links.keys[name], chosen[name]) for name in links.keys}
    tables = {}
    for name, draft in drafts.items():
        rows = chosen[name]
        columns = {column: _taken(values, rows) for column, values in draft.columns.items()}
        if name == contracts.customers:
            columns[key_column(contracts, name) or ""] = customers
        up = draft.table.belongs_to
        numbers = np.arange(1, draft.rows + 1) if draft.raw.numbers is None else draft.raw.numbers
        tables[name] = Loaded(
            name=name,
            rows=draft.rows if rows is None else len(rows),
            columns=columns,
            parent=None if up is None else target[up.table][_rows(links.parents[name], rows)],
            references={
                column: target[draft.table.columns[column].refers_to or ""][_rows(link, rows)]
                for column, link in links.references[name].items()
            },
            place=_rows(numbers, rows),
        )
    return tables


def _taken(column: Column, rows: Ints | None) -> Column:
    return column if rows is None else column.take(rows)


def _rows(values: Ints, rows: Ints | None) -> Ints:
    return values if rows is None else values[rows]


def _ordinals(keys: Ints, rows: Ints | None) -> Ints:
    """For each first row of a key in the draft, the first chosen row with that key; one entry more for -1."""
    found = np.full(len(keys) + 1, -1, np.int64)
    own = keys if rows is None else keys[rows]
    there = np.flatnonzero(own >= 0)[::-1]
    found[own[there]] = there
    return found


def account(found: Held, loaded: Loaded, file: str | None) -> Account:
    """Where the rows of one table went. *file*: where those set aside are."""
    draft, alive, broken = found.drafts[loaded.name], found.alive[loaded.name], found.broken[loaded.name]
    bad = np.zeros(draft.rows, np.bool_)
    for one in broken:
        bad |= one.rows
    is_distinct = isinstance(draft.table.source, DistinctSource)
    ragged = len(draft.raw.ragged)
    quarantined = int(bad.sum()) + ragged
    left_out = 0 if is_distinct else int(draft.left_out.sum())
    read_rows = loaded.rows + quarantined if is_distinct else draft.rows + ragged
    assert read_rows == loaded.rows + left_out + quarantined, draft.table.name
    return Account(
        table=draft.table.name,
        read=read_rows,
        kept=loaded.rows,
        left_out=left_out,
        quarantined=quarantined,
        without_customer=0 if loaded.parent is None else int((loaded.parent < 0).sum()),
        not_finite=sum(int(mask[alive].sum()) for mask in draft.not_finite.values()),
        unlisted_columns=draft.raw.unlisted,
        quarantine_file=file,
    )
