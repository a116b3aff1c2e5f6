"""A table on its way: typed, computed columns made, `rows:` decided; its contract not yet looked at.

In: `Raw` and the table's contract.  Out: `Draft`.  Always: cells that did not fit count as missing, in computed
columns and in `rows:` too; computed columns are made in the order in which they need each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from segrules.model import expr as model
from segrules.model.expr import Expr, children
from segrules.schema.contract import ColumnContract, DistinctSource, Table
from segrules.schema.types import Text
from segrules.tables.columns import Bools, Column, Loaded
from segrules.tables.convert import convert, fits, spelling
from segrules.tables.findings import stop
from segrules.tables.keys import representatives
from segrules.tables.parsed import Fault, Parsed
from segrules.tables.raw import Mixed, Origin, Raw, chunked

RowValues: TypeAlias = Callable[[Expr, Loaded], Column]
"""Evaluates a computed column or `rows:` for every row of one table; handed down by the pipeline."""

_MANY = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """`left_out`: rows for which `rows:` is not TRUE."""

    table: Table[Expr]
    raw: Raw
    columns: Mapping[str, Column]
    faults: Mapping[str, Mapping[Fault, Bools]]
    left_out: Bools
    not_finite: Mapping[str, Bools] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return self.raw.rows


def drafted(table: Table[Expr], raw: Raw, zone: str, row_values: RowValues) -> Draft:
    """Raises `BrokenContract` where a source's type of a column can never be the contract's (D815)."""
    columns: dict[str, Column] = {}
    faults: dict[str, Mapping[Fault, Bools]] = {}
    not_finite: dict[str, Bools] = {}
    for name, found in _converted(table, raw, zone):
        columns[name] = found.column
        if found.faults:
            faults[name] = found.faults
        if found.not_finite is not None:
            not_finite[name] = found.not_finite
    for name in computed_order(table, columns):
        value = table.columns[name].value
        assert value is not None
        columns[name] = row_values(value, Loaded(table.name, raw.rows, columns))
    left_out = np.zeros(raw.rows, np.bool_)
    if table.rows is not None:
        kept = row_values(table.rows, Loaded(table.name, raw.rows, columns))
        left_out = ~kept.values.astype(np.bool_)
        if kept.missing is not None:
            left_out |= kept.missing
    return Draft(table, raw, columns, faults, left_out, not_finite)


def _converted(table: Table[Expr], raw: Raw, zone: str) -> Iterator[tuple[str, Parsed]]:
    """The columns, many rows on several threads: Arrow and numpy let go of the interpreter."""
    for name, cells in raw.columns.items():
        if not raw.spelled and not isinstance(cells, Mixed):
            _must_fit(cells, table.columns[name], raw.origin)

    def one(name: str) -> Parsed:
        contract = table.columns[name]
        return convert(raw.columns[name], contract.type, spelling(contract, table.format, zone, raw.spelled))

    if raw.rows < _MANY:
        yield from ((name, one(name)) for name in raw.columns)
        return
    with ThreadPoolExecutor() as pool:
        yield from zip(raw.columns, pool.map(one, raw.columns), strict=True)


def _must_fit(cells: pa.ChunkedArray, contract: ColumnContract[Expr], origin: Origin) -> None:
    """Stops at a column whose type can never be the contract's; one without any value may have whatever type its
    maker happened to choose."""
    t = cells.type
    if cells.null_count == len(cells) or _opaque(t) or fits(t, contract.type):
        return
    found = t.extension_name if isinstance(t, pa.BaseExtensionType) else str(t).partition("<")[0]
    at_column = Origin(origin.table, origin.shown, contract.span)
    raise stop("D815", at_column, "declare", column=contract.name, found=found, type=str(contract.type))


def _opaque(t: pa.DataType) -> bool:
    return bool(pa.types.is_struct(t)) and [field_.name for field_ in t] == ["opaque"]


def computed_order(table: Table[Expr], there: Mapping[str, Column]) -> list[str]:
    """The computed columns that can be made from those *there*, each after those it needs."""
    waiting = {
        name: {c for c in own_columns(column.value, table.name) if table.columns[c].value is not None}
        for name, column in table.columns.items()
        if column.value is not None and own_columns(column.value, table.name) <= _makeable(table, there)
    }
    order: list[str] = []
    while waiting:
        ready = [name for name, needs in waiting.items() if needs <= set(order)]
        if not ready:
            break
        order += ready
        for name in ready:
            del waiting[name]
    return order


def _makeable(table: Table[Expr], there: Mapping[str, Column]) -> set[str]:
    return set(there) | {name for name, column in table.columns.items() if column.value is not None}


def own_columns(expression: Expr | None, table: str) -> set[str]:
    """The columns of *table* that an expression reads."""
    found: set[str] = set()
    stack = [] if expression is None else [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, model.Column) and node.table == table:
            found.add(node.name)
        stack.extend(children(node))
    return found


def distinct(table: Table[Expr], source: Draft) -> Draft:
    """The customers of `from:`: one row per distinct key, left out where all rows of the key are."""
    assert isinstance(table.source, DistinctSource)
    key = table.key or table.source.column
    by = source.columns[table.source.column]
    first = representatives(by)
    there = np.unique(first[first >= 0])
    kept = np.zeros(len(first) + 1, np.bool_)
    kept[first[~source.left_out]] = True
    column = by.take(there)
    if isinstance(column.type, Text):
        codes = pa.array(column.values.astype(np.int32))
        cells = pa.DictionaryArray.from_arrays(codes, pa.array(column.dictionary or ("",), pa.string()))
    else:
        cells = pa.array(column.values)
    origin = Origin(table.name, source.raw.origin.shown, table.span)
    raw = Raw(origin, len(there), {key: chunked(cells)}, (key,), (), lambda: {key: chunked(cells)})
    return Draft(table, raw, {key: column}, {}, ~kept[there])
