"""What tables promise: the checked form of `tables:` in segrules.yaml.

In: built by `check`.  Out: `Table` and `ColumnContract`, read by `tables` (which enforces them) and by the checker of
expressions (which trusts them).  Always: every name refers to something that exists; types are parsed; expressions
inside (`rows:`, `value:`) are checked and read only columns of their own row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from segrules.schema.types import Type, Value
from segrules.source import NOWHERE, Span

E = TypeVar("E")  # the checked expression: `model.expr.Expr`; a parameter because schema lies below model

Cleaning = Literal["trim", "halfwidth", "lower", "upper", "digits"]


@dataclass(frozen=True, slots=True)
class ColumnContract(Generic[E]):
    """One column. `name` is as in the file's header (NFKC); `min`/`max`/`values` are stored values of `type`."""

    name: str
    type: Type
    can_be_missing: bool = False
    values: tuple[Value, ...] | None = None
    min: Value = None
    max: Value = None
    pii: bool = False
    clean: tuple[Cleaning, ...] = ()
    separator: str = "|"
    yes: tuple[str, ...] = ("true",)
    no: tuple[str, ...] = ("false",)
    zone: str | None = None
    date_format: str | None = None
    refers_to: str | None = None
    unmatched_is_missing: bool = False
    label: str | None = None
    value: E | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file relative to the project folder; the format follows from its ending."""

    path: str
    sheet: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """A table or query of a database, by SQLAlchemy URL (`${NAME}` is taken from the environment)."""

    url: str
    table: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class DistinctSource:
    """One row per distinct key among the rows of another table that exist at the date of the run (`from:`)."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class LedgerSource:
    """A table that every project has: the history in the ledger, empty where there is none. Its rows may belong to
    customers who are no longer there."""

    name: Literal["memberships", "contacts", "points", "outcomes"]


@dataclass(frozen=True, slots=True)
class Format:
    """How a text file spells things; None means: found out (`encoding`, `delimiter`) or not used."""

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    strip: tuple[str, ...] = ()
    date: str | None = None
    missing: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which row of several with one key counts: the first or last by a column, ties by file order."""

    keep: Literal["first", "last"]
    by: str


@dataclass(frozen=True, slots=True)
class Parent:
    """`belongs_to`: the parent table, and the column of this table that holds the parent's key."""

    table: str
    by: str


@dataclass(frozen=True, slots=True)
class Table(Generic[E]):
    name: str
    source: FileSource | DatabaseSource | DistinctSource | LedgerSource | None
    columns: Mapping[str, ColumnContract[E]]
    key: str | None = None
    belongs_to: Parent | None = None
    time: str | None = None
    rows: E | None = None
    format: Format = Format()
    duplicates: Duplicates | None = None
    quarantine: bool = False
    label: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Contracts(Generic[E]):
    """All tables of a project; `customers` names the one whose rows are segmented."""

    customers: str
    timezone: str
    tables: Mapping[str, Table[E]]

    def chain(self, table: str) -> tuple[str, ...]:
        """*table*, its parent, … up the `belongs_to` links: ends with the customers for a related table."""
        names = [table]
        while (parent := self.tables[names[-1]].belongs_to) is not None and parent.table not in names:
            names.append(parent.table)
        return tuple(names)
