"""What a table promised, checked a column at a time.

In: a `Draft` and the rows that count.  Out: `Broken` findings, each a rule and the rows that break it.  Always: every
rule is looked at, so that one run tells everything; a cell that did not fit its type is not also reported as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from segrules.diagnostics.diagnostic import Argument
from segrules.model.expr import Expr
from segrules.schema.contract import ColumnContract, DistinctSource
from segrules.schema.spelling import spelled
from segrules.schema.types import TEXT, ListOfText, Text, Type, Value
from segrules.source import Span
from segrules.tables.columns import Bools, Column, Ints
from segrules.tables.draft import Draft
from segrules.tables.parsed import Fault

_CODES: Mapping[Fault, str] = {"type": "D830", "digits": "D831", "range": "D832", "day": "D833"}


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """One rule: its code, the column it is about, the rows that break it."""

    code: str
    column: str
    rows: Bools
    span: Span
    pii: bool
    args: Mapping[str, Argument] = field(default_factory=dict)
    help: str | None = None


def check(draft: Draft, key_rows: Ints | None, zone: str) -> list[Broken]:
    """*key_rows*: for each row the first with its key. Rows that are left out break nothing."""
    counts = ~draft.left_out
    found = []
    faulty = np.zeros(draft.rows, np.bool_)
    for masks in draft.faults.values():
        for mask in masks.values():
            faulty |= mask
    for name, column in draft.columns.items():
        contract = draft.table.columns.get(name)
        if contract is None:
            continue
        own = draft.faults.get(name, {})
        cell_faults = faulty if contract.value is not None else _any(own, draft.rows)
        for broken in _of_column(draft, contract, column, own, cell_faults, zone):
            rows = broken.rows & counts
            if rows.any():
                found.append(Broken(broken.code, name, rows, broken.span, broken.pii, broken.args, broken.help))
    if key_rows is not None and draft.table.duplicates is None and not isinstance(draft.table.source, DistinctSource):
        repeated = _repeated(key_rows, counts)
        if repeated.any():
            assert draft.table.key is not None
            contract = draft.table.columns[draft.table.key]
            found.append(Broken("D838", contract.name, repeated, contract.span, contract.pii, help="duplicates"))
    return found


def _any(masks: Mapping[Fault, Bools], rows: int) -> Bools:
    found = np.zeros(rows, np.bool_)
    for mask in masks.values():
        found |= mask
    return found


def _repeated(key_rows: Ints, counts: Bools) -> Bools:
    """Rows whose key another row that counts has too."""
    valid = counts & (key_rows >= 0)
    times = np.bincount(key_rows[valid], minlength=len(key_rows))
    repeated = np.zeros(len(key_rows), np.bool_)
    if len(times) and int(times.max()) > 1:
        repeated[valid] = times[key_rows[valid]] > 1
    return repeated


def _of_column(
    draft: Draft,
    contract: ColumnContract[Expr],
    column: Column,
    faults: Mapping[Fault, Bools],
    faulty: Bools,
    zone: str,
) -> Iterator[Broken]:
    def broken(code: str, rows: Bools, help_: str | None = None, **args: Argument) -> Broken:
        return Broken(code, contract.name, rows, contract.span, contract.pii, args, help_)

    for fault, mask in faults.items():
        yield broken(_CODES[fault], mask, _help(fault, contract.type), type=str(contract.type))
    required = not contract.can_be_missing or contract.name in (draft.table.key, draft.table.time)
    missing = column.missing
    if missing is not None and required:
        help_ = "structural" if contract.can_be_missing or contract.name == draft.table.key else "allow"
        yield broken("D834", missing & ~faulty, help_)
    there = np.ones(len(column), np.bool_) if missing is None else ~missing
    if contract.values is not None:
        kind = TEXT if isinstance(contract.type, ListOfText) else contract.type
        names = ", ".join(f"`{spelled(value, kind, zone)}`" for value in contract.values[:8])
        more = " …" if len(contract.values) > 8 else ""
        yield broken("D835", there & ~_among(column, contract.values), "values", values=names + more)
    if contract.min is not None:
        low = spelled(contract.min, contract.type, zone)
        yield broken("D836", there & _beyond(column, contract.min, below=True), "min", bound=low)
    if contract.max is not None:
        high = spelled(contract.max, contract.type, zone)
        yield broken("D837", there & _beyond(column, contract.max, below=False), "max", bound=high)


def _help(fault: Fault, of: Type) -> str | None:
    if fault == "digits":
        return "whole" if str(of) == "integer" else "scale"
    if fault == "type":
        kind = str(of).partition("(")[0]
        return kind if kind in ("bool", "date", "timestamp", "integer", "decimal", "number") else None
    return "timestamp" if fault == "day" else None


def _among(column: Column, values: tuple[Value, ...]) -> Bools:
    if isinstance(column.type, Text | ListOfText):
        known = np.array([word in values for word in column.dictionary], np.bool_)
        if column.offsets is None:
            return known[column.values] if len(known) else np.zeros(len(column), np.bool_)
        wrong = np.concatenate([[0], np.cumsum(~known[column.values] if len(known) else [])])
        outside: Bools = wrong[column.offsets[1:]] > wrong[column.offsets[:-1]]
        return ~outside
    return np.isin(column.values, np.array(list(values), column.values.dtype))


def _beyond(column: Column, bound: Value, below: bool) -> Bools:
    limit: Any = bound
    if isinstance(column.type, Text):
        words = np.array([word < limit if below else word > limit for word in column.dictionary], np.bool_)
        return words[column.values] if len(words) else np.zeros(len(column), np.bool_)
    outside: Bools = column.values < limit if below else column.values > limit
    return outside
