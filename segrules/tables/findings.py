"""What can be wrong with data, one function each.

In: where it was found.  Out: a `Diagnostic` of the family D8xx, its place the line of segrules.yaml that promised
otherwise.  Always: a finding about cells tells how many there are and where the first of them stand; cells of a
column with `pii: true` are masked; nothing from a database URL but its kind, host and name is shown.

    D830 `orders.amount` in `data/orders.csv` is not decimal(2) (2 ×): line 3 `abc`, line 7 `1O0`
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help, Words
from segrules.errors import BrokenContract
from segrules.source import Span
from segrules.tables.columns import Bools
from segrules.tables.raw import Origin, Raw, shown_cell

FIRST = 3
"""How many places of one rule a message shows."""


def stop(
    code: str, origin: Origin, help_: str | None = None, help_args: Mapping[str, Argument] | None = None, /,
    **args: Argument,
) -> BrokenContract:  # fmt: skip
    """The exception for a source that cannot be read."""
    way_out = None if help_ is None else Help(help_, help_args or {})
    arguments = {"table": origin.table, "source": source_of(origin), **args}
    return BrokenContract([Diagnostic(code, origin.span, arguments, way_out)])


def source_of(origin: Origin) -> Words | str:
    return origin.shown or Words("data_given")


def missing_columns(origin: Origin, headers: Sequence[str], columns: Mapping[str, Span]) -> BrokenContract:
    found = []
    for column, span in columns.items():
        folded = {header.casefold(): header for header in reversed(headers)}
        near = get_close_matches(column.casefold(), list(folded), n=3, cutoff=0.6)
        names = ", ".join(f"`{folded[name]}`" for name in near)
        there = ", ".join(f"`{header[:SHOWN_HEADER]}`" for header in headers[:12]) + (" …" if len(headers) > 12 else "")
        way_out = Help("near", {"names": names}) if names else Help("there", {"names": there or "–"})
        arguments = {"table": origin.table, "column": column, "source": source_of(origin)}
        found.append(Diagnostic("D809", span, arguments, way_out))
    return BrokenContract(found)


SHOWN_HEADER = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that rows break: how many do, and the first of them, as number in the source and what the cell shows
    (None: nothing is shown)."""

    code: str
    origin: Origin
    place_of: Callable[[int], int]
    span: Span
    count: int
    first: tuple[tuple[int, str | None], ...]
    column: str | None
    args: Mapping[str, Argument]
    help: str | None

    def with_more(self, other: Finding) -> Finding:
        """The same rule's rows in two parts of a table, as one finding."""
        first = sorted([*self.first, *other.first], key=lambda one: one[0])[:FIRST]
        return replace(self, count=self.count + other.count, first=tuple(first))


def finding(
    code: str, raw: Raw, span: Span, rows: Bools, column: str | None, pii: bool, args: Mapping[str, Argument],
    help_: str | None = None,
) -> Finding:  # fmt: skip
    """One rule of the contract, the number of *rows* that break it and the first of them."""
    at = np.flatnonzero(rows)
    cells = raw.columns.get(column) if column is not None else None
    first = []
    for row in at[:FIRST].tolist():
        shown = "***" if pii else None
        if shown is None and cells is not None:
            shown = shown_cell(cells, row)
        first.append((raw.number(row), shown))
    return Finding(code, raw.origin, raw.place_of, span, len(at), tuple(first), column, args, help_)


def said(one: Finding) -> Diagnostic:
    """The finding as a message."""
    places = [_place(one.origin.unit, one.place_of(number), shown) for number, shown in one.first]
    arguments: dict[str, Argument] = {
        "table": one.origin.table,
        "source": source_of(one.origin),
        "count": f"{one.count:,}",
        "places": listed(places, more=one.count > FIRST),
        **one.args,
    }
    if one.column is not None:
        arguments["column"] = one.column
    return Diagnostic(one.code, one.span, arguments, None if one.help is None else Help(one.help))


def broken_rows(
    code: str, raw: Raw, span: Span, rows: Bools, column: str | None, pii: bool, args: Mapping[str, Argument],
    help_: str | None = None,
) -> Diagnostic:  # fmt: skip
    return said(finding(code, raw, span, rows, column, pii, args, help_))


def place(raw: Raw, number: int, shown: str | None) -> Words:
    """`line 3` or `row 3`, with the text of the cell where there is one."""
    return _place(raw.origin.unit, raw.place_of(number), shown)


def _place(unit: str, at: int, shown: str | None) -> Words:
    key = f"data_{unit}"
    return Words(key, {"number": f"{at}"}) if not shown else Words(f"{key}_cell", {"number": f"{at}", "text": shown})


def listed(words: Iterable[Words], more: bool) -> Words | str:
    found: Words | None = None
    for one in words:
        found = one if found is None else Words("data_and", {"first": found, "rest": one})
    if found is None:
        return ""
    return Words("data_more", {"first": found}) if more else found


def ragged_rows(raw: Raw) -> Diagnostic:
    first = [
        Words("data_ragged", {"place": place(raw, row.number, None), "cells": len(row.cells)})
        for row in raw.ragged[:FIRST]
    ]
    arguments: dict[str, Argument] = {
        "table": raw.origin.table,
        "source": source_of(raw.origin),
        "count": f"{len(raw.ragged):,}",
        "columns": len(raw.headers),
        "places": listed(first, more=len(raw.ragged) > FIRST),
    }
    return Diagnostic("D811", raw.origin.span, arguments, Help("quote"))
