"""Typed columns in memory: what reading gives and the engines take.

In: built by the readers.  Out: `Column`, `Loaded`, `Tables`.  Always: the arrays of a table have one length; a value
at a missing position is zero (code 0 for text) and must not be looked at; nothing here is changed after it is made.

    Column(Decimal(2), np.array([10000, 0]), missing=np.array([False, True]))      # 100.00, missing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.schema.types import (
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
)  # fmt: skip

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column.

    `values`: bool → bool_; integer, decimal (scaled), timestamp (µs UTC) → int64; date (days) → int32; number →
    float64; text → int32 codes into `dictionary`; list(text) → int32 codes, row i holding
    `values[offsets[i]:offsets[i + 1]]`. `missing`: True where missing, None where nothing is. `dictionary`: distinct
    texts, in any order, possibly more than occur.
    """

    type: Type
    values: NDArray[np.generic]
    missing: Bools | None = None
    dictionary: tuple[str, ...] = ()
    offsets: Ints | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    def at(self, row: int) -> Value:
        """The stored value (`schema.types.Value`) in *row*."""
        if self.missing is not None and self.missing[row]:
            return None
        match self.type:
            case Bool():
                return bool(self.values[row])
            case Number():
                return float(self.values[row])
            case Text():
                return self.dictionary[int(self.values[row])]
            case ListOfText():
                assert self.offsets is not None
                codes = self.values[self.offsets[row] : self.offsets[row + 1]]
                return tuple(self.dictionary[int(code)] for code in codes)
            case Integer() | Decimal() | Date() | Timestamp():
                return int(self.values[row])
            case Untyped():
                return None

    def take(self, rows: NDArray[np.integer] | Bools) -> Column:
        """The column at *rows* (ordinals or a mask)."""
        missing = None if self.missing is None else self.missing[rows]
        if missing is not None and not missing.any():
            missing = None
        if self.offsets is None:
            return Column(self.type, self.values[rows], missing, self.dictionary)
        starts, ends = self.offsets[:-1][rows], self.offsets[1:][rows]
        lengths = ends - starts
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        index = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Column(self.type, self.values[index], missing, self.dictionary, offsets)


@dataclass(frozen=True, slots=True, eq=False)
class Dense:
    """A column in few bits (`tables.dense`). `values`: of integers, decimals, days and instants the value less `base`;
    of a text its code, of a list a bit for each code that it holds, of a bool a packed bit; anything where a value is
    missing. `known`: the packed bits of the rows that are not missing, None: all of them."""

    values: NDArray[Any]
    known: NDArray[np.uint8] | None
    base: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """One table that keeps its contract.

    `columns`: declared and computed ones, those a run needs. `parent`: for each row the ordinal of its row in the
    `belongs_to` table, -1 for a row that belongs to nobody. `references`: for each column with `refers_to` the
    ordinal of the row it refers to, -1 where missing or unmatched. `place`: for each row its number in the source
    (1-based data rows), for messages. `dense`: what engines have made of columns, by name, for their next run; of no
    column another is ever made, so that threads may fill it at once.
    """

    name: str
    rows: int
    columns: Mapping[str, Column]
    parent: Ints | None = None
    references: Mapping[str, Ints] = field(default_factory=dict)
    place: Ints | None = None
    dense: dict[str, Dense | None] = field(default_factory=dict, init=False)


@dataclass(frozen=True, slots=True)
class Account:
    """Where the rows of one table went: read = kept + left out by `rows:` + quarantined (+ belonging to nobody,
    which are kept but counted). Of those kept, a run leaves out the `later` ones, which do not exist on its date, and
    the `superseded` ones, in whose place `duplicates:` chose another."""

    table: str
    read: int
    kept: int
    left_out: int = 0
    quarantined: int = 0
    without_customer: int = 0
    not_finite: int = 0
    unlisted_columns: tuple[str, ...] = ()
    quarantine_file: str | None = None
    later: int = 0
    superseded: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """All tables of a run or of a binding, with the account of their rows and warnings about them."""

    tables: Mapping[str, Loaded]
    accounts: tuple[Account, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    lists: Mapping[str, frozenset[Value]] = field(default_factory=dict)
