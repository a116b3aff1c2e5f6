"""Rows that refer to rows: what is left out with its parent, and orphans.

In: the drafts of all tables.  Out: which rows count, and which refer to a row that does not.  Always: a row whose
parent is left out by `rows:` is left out with it; a row whose parent is not there, or was set aside, is an orphan;
setting orphans aside can make more of them, until none is left. Rows of the ledger are no orphans: it remembers
customers who are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from segrules.model.expr import Expr
from segrules.schema.contract import Contracts, DistinctSource, LedgerSource
from segrules.tables.checks import Broken
from segrules.tables.columns import Bools, Ints
from segrules.tables.draft import Draft
from segrules.tables.keys import match, representatives


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """By table: `keys` the first row with each row's key; `parents` and `references` (by column) the first row of the
    other table with the key that is meant; -1 where none is."""

    keys: Mapping[str, Ints]
    parents: Mapping[str, Ints]
    references: Mapping[str, Mapping[str, Ints]]


def linked(contracts: Contracts[Expr], drafts: Mapping[str, Draft]) -> Links:
    keys, parents, references = {}, {}, {}
    for name, draft in drafts.items():
        key = key_column(contracts, name)
        if key is not None and key in draft.columns:
            keys[name] = representatives(draft.columns[key])
    for name, draft in drafts.items():
        up = draft.table.belongs_to
        if up is not None:
            key = key_column(contracts, up.table)
            assert key is not None
            parents[name] = match(draft.columns[up.by], drafts[up.table].columns[key])
        found = {}
        for column, contract in draft.table.columns.items():
            if contract.refers_to is not None and column in draft.columns:
                key = key_column(contracts, contract.refers_to)
                assert key is not None
                found[column] = match(draft.columns[column], drafts[contract.refers_to].columns[key])
        references[name] = found
    return Links(keys, parents, references)


def key_column(contracts: Contracts[Expr], table: str) -> str | None:
    """The key of a table; that of `from:` customers has the name of the column it is taken from."""
    contract = contracts.tables[table]
    if contract.key is None and isinstance(contract.source, DistinctSource):
        return contract.source.column
    return contract.key


def parents_first(contracts: Contracts[Expr], names: Mapping[str, object]) -> list[str]:
    return sorted(names, key=lambda name: len(contracts.chain(name)))


def with_children(contracts: Contracts[Expr], drafts: Mapping[str, Draft], links: Links) -> dict[str, Draft]:
    """The drafts, rows below a row that is left out being left out too."""
    found = dict(drafts)
    for name in parents_first(contracts, drafts):
        draft = found[name]
        up = draft.table.belongs_to
        if up is None:
            continue
        parent = found[up.table]
        if not parent.left_out.any():
            continue
        link = links.parents[name]
        there = marked(parent.rows, links.keys[up.table], ~parent.left_out)
        gone = draft.left_out | ((link >= 0) & ~there[link])
        found[name] = Draft(draft.table, draft.raw, draft.columns, draft.faults, gone, draft.not_finite)
    return found


def marked(size: int, targets: Ints, rows: Bools) -> Bools:
    """Which of *size* rows are the target of any of *rows*; one entry more, so that -1 finds False."""
    found = np.zeros(size + 1, np.bool_)
    chosen = targets[rows]
    found[chosen[chosen >= 0]] = True
    return found


def orphans(
    contracts: Contracts[Expr], drafts: Mapping[str, Draft], links: Links, broken: Mapping[str, list[Broken]]
) -> dict[str, list[Broken]]:
    """The findings with orphans added. Rows of tables that stop the run count as there, so that one wrong row is not
    reported once per child."""
    found = {name: list(rules) for name, rules in broken.items()}
    seen: dict[tuple[str, str, str], Broken] = {}
    order = parents_first(contracts, drafts)
    while True:
        alive = {name: alive_rows(drafts[name], [*found[name], *_of(seen, name)]) for name in order}
        there = {name: marked(drafts[name].rows, links.keys[name], alive[name]) for name in links.keys}
        more = False
        for name in order:
            for one in _orphans_of(drafts[name], links, there):
                before = seen.get((name, one.column, one.code))
                if before is None or bool((one.rows & ~before.rows).any()):
                    seen[name, one.column, one.code] = one
                    more = more or drafts[name].table.quarantine
        if not more:
            return {name: [*found[name], *_of(seen, name)] for name in found}


def _of(seen: Mapping[tuple[str, str, str], Broken], table: str) -> list[Broken]:
    return [one for (name, _, _), one in seen.items() if name == table]


def alive_rows(draft: Draft, broken: list[Broken]) -> Bools:
    """Rows that are neither left out nor set aside."""
    alive = ~draft.left_out
    if draft.table.quarantine:
        for one in broken:
            alive &= ~one.rows
    return alive


def _orphans_of(draft: Draft, links: Links, there: Mapping[str, Bools]) -> list[Broken]:
    name, columns = draft.table.name, draft.table.columns
    targets = [(column, link, columns[column].refers_to, "D840") for column, link in links.references[name].items()
               if not columns[column].unmatched_is_missing]  # fmt: skip
    up = draft.table.belongs_to
    if up is not None and not isinstance(draft.table.source, LedgerSource):
        targets.append((up.by, links.parents[name], up.table, "D839"))
    found = []
    for column, link, target, code in targets:
        assert target is not None
        missing = draft.columns[column].missing
        lost = ~draft.left_out & ~there[target][link]
        if missing is not None:
            lost &= ~missing
        if lost.any():
            contract = columns[column]
            help_ = "parent" if code == "D839" else "unmatched"
            found.append(Broken(code, column, lost, contract.span, contract.pii, {"target": target}, help_))
    return found
