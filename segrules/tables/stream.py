"""Tables larger than memory, a part at a time, each keeping its contract.

In: a rule set whose customers, and the tables that belong to them, are Parquet files.  Out: `Tables` per part, in the
order of the customers' keys; after the first pass the account of every row.  Always: what `bind` gives, only cut by
customers: the same conversions, the same rules of the contract, the same findings with the same numbers, the same
quarantine files; one part is in memory at a time, and what others look up.

    with opened(ruleset, row_values=row_values) as stream:
        for tables in stream.first(): ...
        stream.accounts

Within a part stand all rows of its customers, so the contract can be held part by part: links, orphans and
`duplicates:` of customers stay inside. Keys of other tables are looked at across parts too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.diagnostics.refusals import reason
from segrules.errors import BrokenContract
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.types import Value
from segrules.tables.bind import Held, account, drafts_of, held, kept, stopping
from segrules.tables.columns import Account, Tables
from segrules.tables.draft import Draft, RowValues, drafted
from segrules.tables.findings import Finding, said, stop
from segrules.tables.parts import MOST, Parts
from segrules.tables.quarantine import bad_lines, set_aside, write_lines
from segrules.tables.rowgroups import BATCH, Keyed, survey
from segrules.tables.rowgroups import opened as opened_file
from segrules.tables.runs import Runs
from segrules.tables.streamable import cut_tables
from segrules.tables.uniqueness import Across

PART_ROWS = 1 << 17
"""Rows of a part, of customers and what belongs to them together."""


@dataclass(slots=True)
class Stream:
    """Use as a context. `accounts` are there after the first pass."""

    ruleset: RuleSet
    row_values: RowValues
    parts: Parts
    whole: Mapping[str, Draft]
    lists: Mapping[str, frozenset[Value]]
    accounts: tuple[Account, ...] = ()
    _findings: dict[tuple[str, str, str | None], Finding] = field(default_factory=dict)
    _counted: dict[str, Account] = field(default_factory=dict)
    _across: dict[str, Across] = field(default_factory=dict)
    _aside: dict[str, Runs] = field(default_factory=dict)
    _looked_up: Held | None = None

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.parts.close()

    @property
    def folder(self) -> Path:
        """Where the run keeps what goes away with it."""
        return self.parts.folder

    def first(self) -> Iterator[Tables]:
        """The parts, held to their contract, each with the account of its rows. As soon as a row stops the run, parts
        are only looked at, and at the end `BrokenContract` tells everything, as `bind` does."""
        try:
            for found in self._held():
                self._look(found)
                if not self._findings:
                    tables = self._tables(found)
                    del found
                    self._count(tables.accounts)
                    yield tables
                    del tables
        except OSError as refused:
            origin = self.parts.files[0].origin
            where = self.parts.folder.parent.as_posix()
            raise stop("D860", origin, folder=where, reason=reason(refused)) from None
        self._end()

    def again(self) -> Iterator[Tables]:
        """The same parts once more."""
        for found in self._held():
            tables = self._tables(found)
            del found
            yield tables
            del tables

    def _tables(self, found: Held) -> Tables:
        loaded = kept(self.ruleset.contracts, found)
        return Tables(loaded, tuple(account(found, one, None) for one in loaded.values()), (), self.lists)

    def _held(self) -> Iterator[Held]:
        contracts = self.ruleset.contracts
        for raws in self.parts.each():
            cut = {
                name: drafted(contracts.tables[name], raw, contracts.timezone, self.row_values)
                for name, raw in raws.items()
            }
            drafts = {name: cut[name] if name in cut else self.whole[name] for name in contracts.tables}
            del raws, cut
            found = held(contracts, drafts)
            del drafts
            yield found
            del found

    def _look(self, found: Held) -> None:
        """Takes down which rules the rows of a part break, and the keys that have to differ from those elsewhere."""
        is_first = self._looked_up is None
        if is_first:
            self._looked_up = found
        for one in stopping(found):
            key = (one.origin.table, one.code, one.column)
            if key in self._findings and one.origin.table not in self.whole:
                self._findings[key] = self._findings[key].with_more(one)
            else:
                self._findings[key] = one
        for keyed in self.parts.files:
            draft = found.drafts[keyed.table.name]
            name, key_name = draft.table.name, draft.table.key
            if key_name is not None and key_name != keyed.key:
                across = self._across.setdefault(name, Across(self._folder(keyed, "keys"), keyed.rows))
                across.add(draft.columns[key_name].take(~draft.left_out))
            if draft.table.quarantine:
                runs = self._aside.setdefault(name, Runs(self._folder(keyed, "aside")))
                runs.add(bad_lines(draft, found.broken[name], len(keyed.headers), self.ruleset.language))

    def _folder(self, keyed: Keyed, purpose: str) -> Path:
        return self.parts.folder / f"{purpose}{self.parts.files.index(keyed)}"

    def _count(self, accounts: Iterable[Account]) -> None:
        for here in accounts:
            before = self._counted.get(here.table)
            if before is None:
                self._counted[here.table] = here
            elif here.table not in self.whole:
                self._counted[here.table] = _sum(before, here)

    def _end(self) -> None:
        wrong: list[Diagnostic] = [said(one) for one in self._findings.values()]
        for name, across in self._across.items():
            if across.repeats():
                table = self.ruleset.contracts.tables[name]
                key = table.key or ""
                args = {"table": name, "column": key, "customers": self.ruleset.contracts.customers}
                wrong.append(Diagnostic("D865", table.columns[key].span, args, Help("whole")))
        if wrong:
            raise BrokenContract(wrong)
        self.accounts = tuple(replace(one, quarantine_file=self._written(name)) for name, one in self._counted.items())

    def _written(self, name: str) -> str | None:
        """The file with the rows of a table that were set aside."""
        folder = Path(self.ruleset.folder)
        if name in self._aside:
            keyed = next(one for one in self.parts.files if one.table.name == name)
            return write_lines(folder, keyed.origin, keyed.headers, self._aside[name].merged())
        if name in self.whole and self.whole[name].table.quarantine and self._looked_up is not None:
            return set_aside(folder, self.whole[name], self._looked_up.broken[name], self.ruleset.language)
        return None


def _sum(one: Account, other: Account) -> Account:
    return replace(
        one,
        read=one.read + other.read,
        kept=one.kept + other.kept,
        left_out=one.left_out + other.left_out,
        quarantined=one.quarantined + other.quarantined,
        without_customer=one.without_customer + other.without_customer,
        not_finite=one.not_finite + other.not_finite,
    )


def opened(
    ruleset: RuleSet, expressions: Iterable[Expr], *, row_values: RowValues, part_rows: int = PART_ROWS
) -> Stream:
    """The tables of a project in parts of about *part_rows* rows; *expressions* are those of its definitions. Raises
    `WrongUsage` where a project cannot run in parts, `BrokenContract` where a source cannot be read."""
    contracts = ruleset.contracts
    names = cut_tables(ruleset, expressions)
    wrong: list[Diagnostic] = []
    files: list[Keyed] = []
    for name in names:
        table = contracts.tables[name]
        key = table.belongs_to.by if table.belongs_to is not None else table.key
        try:
            files.append(opened_file(table, Path(ruleset.folder), key or "", contracts.timezone, min(BATCH, part_rows)))
        except BrokenContract as stopped:
            wrong += stopped.diagnostics
    whole: Mapping[str, Draft] = {}
    lists: Mapping[str, frozenset[Value]] = {}
    try:
        rest = [name for name in contracts.tables if name not in names]
        whole, lists = drafts_of(ruleset, rest, {}, row_values)
    except BrokenContract as stopped:
        wrong += stopped.diagnostics
    if wrong:
        raise BrokenContract(wrong)
    customers = files[0]
    share = customers.rows / max(1, sum(one.rows for one in files))
    rows = max(1, int(part_rows * share), customers.rows * 5 // (MOST * 4))
    seen = survey(customers, rows)
    done = (customers.table.name,) if seen.is_sorted else ()
    return Stream(ruleset, row_values, Parts.cut(files, done, seen.bounds), whole, lists)
