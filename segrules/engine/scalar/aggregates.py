"""Aggregates as generated code: lists with a value per row, then one value.

In: a checked `Aggregate` and the scope that it stands in.  Out: a `Val` of the customer.  Always: the meaning of
`engine/reference/aggregates.py`; filters and fields that several aggregates share are listed once.

    sum(orders.amount where channel = "web")
    w_1 = [r[3] for r in r0]; w_2 = [a0 == k1 for a0 in w_1]; w_3 = [r[2] for r in r0]
    v_4 = list(compress(w_3, w_2)); v_5 = sum(v_4)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segrules.engine.scalar.writer import FALSE, MISSING, Level, Scope, Val
from segrules.model.expr import Aggregate
from segrules.schema.types import Number, scale_of

if TYPE_CHECKING:
    from segrules.engine.scalar.lower import Lowering


def aggregate(lowering: Lowering, node: Aggregate, scope: Scope) -> Val:
    writer = lowering.writer
    rows = lowering.rows(node.table)
    inside = Scope(node.table, True, tuple(dict.fromkeys((*scope.guard, rows))))
    where = None if node.where is None else lowering.value(node.where, inside)
    value = None if node.value is None else lowering.value(node.value, inside)
    if value is None:
        return _counted(lowering, node, rows, where)
    if node.function in ("first", "last"):
        return _at_an_end(lowering, node, rows, where, value)
    values = _values(lowering, rows, where, value)
    type_ = value_type = node.value.type if node.value is not None else node.type
    double, unit = isinstance(value_type, Number), 10 ** scale_of(type_)

    def one(template: str, nullable: bool = False) -> Val:
        return writer.apply(template, values, strict=False, nullable=nullable)

    match node.function:
        case "count":
            return one("len({0})")
        case "any":
            return one("True in {0}")
        case "all":
            return one("False not in {0}")
        case "count_distinct":
            return one("len(set({0}))")
        case "sum" if double or isinstance(node.type, Number):
            return one("floating_sum({0})", nullable=True)
        case "sum":
            return lowering.checked("sum({0})", values, node=node, scope=scope, strict=False)
        case "min" | "max":
            return one(f"{node.function}({{0}}, default=None)", nullable=True)
        case "avg":
            return one("averaged_doubles({0})" if double else f"averaged({{0}}, {unit})", nullable=True)
        case "stddev":
            return one("deviation_doubles({0})" if double else f"deviation({{0}}, {unit})", nullable=True)
        case "median":
            return one("median_doubles({0})" if double else f"median({{0}}, {unit})", nullable=True)
    raise AssertionError(f"{node.function} needs times")


def _counted(lowering: Lowering, node: Aggregate, rows: str, where: Val | None) -> Val:
    """`count` and `any` of rows."""
    writer = lowering.writer
    some = node.function == "any"
    if where is None:
        return writer.given(f"len({rows}) > 0" if some else f"len({rows})", Level.ONE, False)
    if where.is_missing or where == FALSE:
        return FALSE if some else writer.constant(0)
    if where.level is Level.ROWS:
        listed = replace(where, level=Level.ONE, nullable=False)
        return writer.apply("True in {0}" if some else "{0}.count(True)", listed)
    template = f"len({rows}) > 0 and {{0}} is True" if some else f"len({rows}) if {{0}} is True else 0"
    return writer.apply(template, where, strict=False, lowest=Level.ONE)


def _values(lowering: Lowering, rows: str, where: Val | None, value: Val) -> Val:
    """The list of the values that count, none of them missing."""
    writer = lowering.writer
    if value.is_missing or (where is not None and (where.is_missing or where == FALSE)):
        return writer.given("[]", Level.ONE, False)
    listed = _listed(lowering, rows, value)
    if where is None:
        return writer.apply("[one for one in {0} if one is not None]", listed) if value.nullable else listed
    kept = _listed(lowering, rows, where)
    if value.nullable:
        return writer.apply("[one for one in compress({0}, {1}) if one is not None]", listed, kept)
    return writer.apply("list(compress({0}, {1}))", listed, kept)


def _listed(lowering: Lowering, rows: str, value: Val) -> Val:
    """A value per row as one value, the list."""
    if value.level is Level.ROWS:
        return replace(value, level=Level.ONE, nullable=False)
    return lowering.writer.apply(f"[{{0}}] * len({rows})", value, strict=False, lowest=Level.ONE)


def _at_an_end(lowering: Lowering, node: Aggregate, rows: str, where: Val | None, value: Val) -> Val:
    """`first` and `last`: by time, then by key."""
    writer, contract = lowering.writer, lowering.contracts.tables[node.table]
    assert contract.time is not None, "of a table without `time:` they are an error"
    if value.is_missing or (where is not None and (where.is_missing or where == FALSE)):
        return MISSING
    own = Scope(node.table, True)
    times = _listed(lowering, rows, lowering.column(node.table, contract.time, False, own))
    keys = MISSING if contract.key is None else lowering.column(node.table, contract.key, False, own)
    listed = [times, _listed(lowering, rows, keys), _listed(lowering, rows, value)]
    kept = [] if where is None else [_listed(lowering, rows, where)]
    tested = " and m is True" if kept else ""
    names, lists = ("t, k, v, m", "{0}, {1}, {2}, {3}") if kept else ("t, k, v", "{0}, {1}, {2}")
    seen = writer.apply(f"[(t, k, v) for {names} in zip({lists}) if v is not None{tested}]", *listed, *kept)
    return writer.apply(f"{node.function}({{0}})", seen, nullable=True)
