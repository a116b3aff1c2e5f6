"""Files that report to the ledger: outcomes of contacts, entries of the points account.

In: a file of any kind that a table may have, the project's zone.  Out: `Report`s or `NewPoints`, and where each stands
in the file.  Always: the file keeps the contract below or nothing of it is taken; what is wrong is said with its lines.

    key, kind, at[, value]                                      # outcomes
    customer, at, amount, reason, source, row[, expires_at]     # points
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from segrules.diagnostics.diagnostic import Words
from segrules.errors import BrokenContract
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import ColumnContract, Contracts, FileSource, Format, Table
from segrules.schema.spelling import spelled
from segrules.schema.types import INTEGER, TEXT, TIMESTAMP, Decimal, Type
from segrules.source import NOWHERE
from segrules.state.outcomes import Report
from segrules.state.records import OUTCOMES, NewPoints
from segrules.tables.bind import drafts_of, held, kept, stopping
from segrules.tables.columns import Column, Loaded
from segrules.tables.findings import FIRST, listed, place, said
from segrules.tables.raw import Origin
from segrules.tables.read import read_file

OUTCOME_COLUMNS: Mapping[str, Type] = {"key": TEXT, "kind": TEXT, "at": TIMESTAMP, "value": Decimal(4)}
POINT_COLUMNS: Mapping[str, Type] = {
    "customer": TEXT, "at": TIMESTAMP, "amount": INTEGER, "reason": TEXT, "source": TEXT, "row": TEXT,
    "expires_at": TIMESTAMP,
}  # fmt: skip
"""`customer` is of the type of the customers' key."""
OPTIONAL = frozenset({"value", "expires_at"})


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a file, column by column; `where` says some of them as a person finds them."""

    count: int
    columns: Mapping[str, Column]
    where: Callable[[tuple[int, ...]], Words | str]

    def at(self, name: str, row: int) -> Any:
        column = self.columns.get(name)
        return None if column is None else column.at(row)


def outcomes(rows: Rows) -> list[Report]:
    return [
        Report(rows.at("key", row), rows.at("kind", row), rows.at("at", row), rows.at("value", row))
        for row in range(rows.count)
    ]


def points(rows: Rows, zone: str) -> list[NewPoints]:
    key_type = rows.columns["customer"].type
    return [
        NewPoints(
            customer=spelled(rows.at("customer", row), key_type, zone),
            at=rows.at("at", row),
            reason=rows.at("reason", row),
            amount=rows.at("amount", row),
            source=rows.at("source", row),
            row=rows.at("row", row),
            expires_at=rows.at("expires_at", row),
        )
        for row in range(rows.count)
    ]


def read_rows(file: Path, zone: str, columns: Mapping[str, Type]) -> Rows:
    """The rows of *file*. Raises `BrokenContract`."""
    name = "outcomes" if "kind" in columns else "points"
    origin = Origin(name, "", NOWHERE)
    headers = read_file(Path(), file.as_posix(), None, Format(), origin, {}).headers
    there = [each for each in columns if each not in OPTIONAL or each in headers]
    table: Table[Expr] = Table(
        name, FileSource(file.as_posix()), {each: _column(each, columns[each]) for each in there}
    )
    contracts: Contracts[Expr] = Contracts("", zone, {name: table})
    ruleset = RuleSet(name, "en", ".", contracts, {}, {})
    drafts, _ = drafts_of(ruleset, [name], {}, _nothing_to_compute)
    found = held(contracts, drafts)
    if wrong := stopping(found):
        raise BrokenContract(map(said, wrong))
    loaded = kept(contracts, found)[name]
    raw = found.drafts[name].raw

    def where(rows: tuple[int, ...]) -> Words | str:
        numbers = range(1, loaded.rows + 1) if loaded.place is None else loaded.place
        shown = [place(raw, int(numbers[row]), None) for row in rows[:FIRST]]
        return listed(shown, more=len(rows) > len(shown))

    return Rows(loaded.rows, loaded.columns, where)


def _column(name: str, of: Type) -> ColumnContract[Expr]:
    kinds = OUTCOMES if name == "kind" else ()
    return ColumnContract(name, of, can_be_missing=name in OPTIONAL, values=kinds or None)


def _nothing_to_compute(_: Expr, __: Loaded) -> NoReturn:
    raise AssertionError("no column is computed")
