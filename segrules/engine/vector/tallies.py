"""Counts, exact sums, smallest and largest values of many filters over one related table, together.

In: the aggregates of one level over one table.  Out: their columns.  Always: the rows of a filter are found once for
all that is asked of them; a filter that holds another (30 days and 7) adds only its further rows to what that one
found; nothing here can overflow: sums that might are left to `aggregate`.

    for node, column in tallied(asked, owner, customers, rows, pool): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.build import built, ints
from segrules.engine.vector.program import Node
from segrules.engine.vector.quotient import divided
from segrules.engine.vector.rails import Packed, clean, unpack
from segrules.schema.types import INT64_MAX, INT64_MIN, Date, Decimal, Integer, Number, Timestamp, Type, scale_of
from segrules.tables.columns import Column, Ints

Kind: TypeAlias = Literal["count", "sum", "min", "max"]
Need: TypeAlias = "tuple[Kind, Node | None]"
Numbers: TypeAlias = NDArray[Any]

_CHUNK = 1 << 20
_WORTH = 16


@dataclass(frozen=True, slots=True)
class Asked:
    """An aggregate: `value` and `where` are nodes, None for `count(orders)` and for every row."""

    node: Node
    function: str
    value: Node | None
    where: Node | None
    type: Type


@dataclass(slots=True)
class _Filter:
    """The rows that are TRUE in `bits` (None: all); without those of `base`, which holds some of them."""

    bits: Packed | None
    size: int
    base: _Filter | None = None
    needs: dict[Need, None] = field(default_factory=dict)
    found: dict[Need, Numbers] = field(default_factory=dict)


def shares(function: str, type_: Type | None) -> bool:
    """Whether *function* of values of *type_* (None: of rows) is found here, if its sums fit."""
    match function, type_:
        case "count", _:
            return True
        case "sum" | "avg", Integer() | Decimal():
            return True
        case "min" | "max", Integer() | Decimal() | Date() | Timestamp() | Number():
            return True
        case _:
            return False


def sums_fit(column: Column) -> bool:
    """Whether no sum of exact values can leave 64 bits."""
    if not isinstance(column.type, Integer | Decimal):
        return False
    values = ints(column)
    return not len(values) or max(int(values.max()), -int(values.min())) * len(values) <= INT64_MAX


def tallied(
    asked: Sequence[Asked], columns: Mapping[Node, Column], truths: Mapping[Node, Packed], owner: Ints, customers: int,
    pool: Executor,
) -> Iterator[tuple[Node, Column]]:  # fmt: skip
    """The column of each of *asked*. *columns*: the values; *truths*: where each filter is TRUE; *owner*: per row the
    customer's ordinal, -1 for nobody."""
    filters = _filters(asked, columns, truths, owner)
    parts = pool.map(lambda one: _part(one, columns, owner, customers), filters.values())
    for each, found in zip(filters.values(), parts, strict=True):
        each.found = found
    for each in sorted(filters.values(), key=lambda one: one.size):
        if each.base is not None:
            each.found = {need: _joined(need[0], each.base.found[need], own) for need, own in each.found.items()}
    for one in asked:
        yield one.node, _answer(one, filters[one.where].found, columns)


def _filters(
    asked: Sequence[Asked], columns: Mapping[Node, Column], truths: Mapping[Node, Packed], owner: Ints
) -> dict[Node | None, _Filter]:
    rows = len(owner)
    belongs = np.packbits(owner >= 0) if rows and owner.min() < 0 else None
    filters: dict[Node | None, _Filter] = {}
    for one in asked:
        if one.where not in filters:
            bits = belongs if one.where is None else clean(truths[one.where], rows)
            if bits is not None and belongs is not None:
                bits = bits & belongs
            size = rows if bits is None else int(np.bitwise_count(bits).sum(dtype=np.int64))
            filters[one.where] = _Filter(bits, size)
        filters[one.where].needs |= dict.fromkeys(_needs(one, columns))
    ordered = sorted(filters.values(), key=lambda one: one.size)
    for place, each in enumerate(ordered):
        each.base = next((one for one in reversed(ordered[:place]) if _holds(each, one)), None)
    return filters


def _holds(large: _Filter, small: _Filter) -> bool:
    """Whether *large* can start from what *small* finds."""
    if small.bits is None or small.size * _WORTH < large.size or not large.needs.keys() <= small.needs.keys():
        return False
    return large.bits is None or not (small.bits & ~large.bits).any()


def _needs(one: Asked, columns: Mapping[Node, Column]) -> list[Need]:
    """What the answer is made of; rows are counted by value only where some are missing."""
    counted = one.value if one.value is not None and columns[one.value].missing is not None else None
    match one.function:
        case "count":
            return [("count", counted)]
        case "sum":
            return [("sum", one.value)]
        case "avg":
            return [("count", counted), ("sum", one.value)]
        case "min":
            return [("count", counted), ("min", one.value)]
        case _:
            return [("count", counted), ("max", one.value)]


def _part(own: _Filter, columns: Mapping[Node, Column], owner: Ints, customers: int) -> dict[Need, Numbers]:
    """What the rows of *own* come to, without those of its base."""
    found = {need: _nothing(need, columns, customers) for need in own.needs}
    bits = own.bits
    if own.base is not None and own.base.bits is not None:
        bits = ~own.base.bits if bits is None else bits & ~own.base.bits
    for start in range(0, len(owner), _CHUNK):
        stop = min(start + _CHUNK, len(owner))
        owners = owner[start:stop]
        rows = None
        if bits is not None:
            rows = np.flatnonzero(unpack(bits[start // 8 : (stop + 7) // 8], stop - start))
            owners = owners.take(rows)
        for need, into in found.items():
            _add(need, into, columns, start, stop, rows, owners)
    return found


def _nothing(need: Need, columns: Mapping[Node, Column], customers: int) -> Numbers:
    kind, value = need
    if kind in ("count", "sum"):
        return np.zeros(customers, np.int64)
    floating = value is not None and isinstance(columns[value].type, Number)
    if kind == "min":
        return np.full(customers, np.inf) if floating else np.full(customers, INT64_MAX, np.int64)
    return np.full(customers, -np.inf) if floating else np.full(customers, INT64_MIN, np.int64)


def _add(
    need: Need, into: Numbers, columns: Mapping[Node, Column], start: int, stop: int, rows: Ints | None, owners: Ints
) -> None:
    """Adds rows *start* … *stop* - 1, of those only *rows*, which belong to *owners*."""
    kind, value = need
    if value is None:
        np.add.at(into, owners, 1)
        return
    column = columns[value]
    values = column.values[start:stop]
    if column.missing is not None:
        there = ~column.missing[start:stop]
        kept = np.flatnonzero(there if rows is None else there.take(rows))
        owners = owners.take(kept)
        rows = kept if rows is None else rows.take(kept)
    if kind == "count":
        np.add.at(into, owners, 1)
        return
    chosen = (values if rows is None else values.take(rows)).astype(into.dtype, copy=False)
    match kind:
        case "sum":
            np.add.at(into, owners, chosen)
        case "min":
            np.minimum.at(into, owners, chosen)
        case _:
            np.maximum.at(into, owners, chosen)


def _joined(kind: Kind, left: Numbers, right: Numbers) -> Numbers:
    match kind:
        case "count" | "sum":
            return np.add(left, right, out=right)
        case "min":
            return np.minimum(left, right, out=right)
        case "max":
            return np.maximum(left, right, out=right)


def _answer(one: Asked, found: Mapping[Need, Numbers], columns: Mapping[Node, Column]) -> Column:
    needs = _needs(one, columns)
    if one.function in ("count", "sum"):
        return built(one.type, found[needs[0]])
    count, values = (found[need] for need in needs)
    missing = count == 0
    if one.function == "avg":
        assert one.value is not None
        return built(one.type, divided(values, count * 10 ** scale_of(columns[one.value].type)), missing)
    return built(one.type, np.where(missing, values.dtype.type(0), values), missing)
