"""Rule sets for tests of reading: contracts from plain data, and a small stand-in for the engine's `row_values`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal as Exact
from pathlib import Path
from typing import Any

import numpy as np

from segrules.model import expr as model
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.calendar import from_date
from segrules.schema.contract import (
    ColumnContract,
    Contracts,
    DatabaseSource,
    DistinctSource,
    Duplicates,
    FileSource,
    Format,
    Parent,
    Table,
)
from segrules.schema.types import BOOL, INTEGER, Bool, Date, Decimal, Integer, Number, Type, Value, parse_type, scale_of
from segrules.source import Source, Span
from segrules.tables.columns import Column, Loaded


def stored(value: Any, of: Type) -> Value:
    match of:
        case Integer() | Decimal():
            return int(Exact(str(value)).scaleb(scale_of(of)))
        case Number():
            return float(value)
        case Bool():
            return bool(value)
        case Date():
            return from_date(date.fromisoformat(str(value)))
        case _:
            return str(value)


def _column(name: str, written: Any, span: Span) -> ColumnContract[Expr]:
    options = {"type": written} if isinstance(written, str) else dict(written)
    of = parse_type(options.pop("type"))
    assert of is not None, written
    for key in ("min", "max"):
        if key in options:
            options[key] = stored(options[key], of)
    if "values" in options:
        options["values"] = tuple(stored(value, of) for value in options["values"])
    if "missing" in options:
        options["can_be_missing"] = options.pop("missing") == "allowed"
    if "unmatched" in options:
        options["unmatched_is_missing"] = options.pop("unmatched") == "missing"
    for key in ("clean", "yes", "no"):
        if key in options:
            options[key] = tuple(map(str, options[key]))
    return ColumnContract(name, of, span=span, **options)


def table(name: str, written: Mapping[str, Any]) -> Table[Expr]:
    options = dict(written)
    text = Source("segrules.yaml", f"{name}\n")
    columns = {c: _column(c, o, text.whole()) for c, o in options.pop("columns", {}).items()}
    source = options.pop("source", None)
    if isinstance(source, str):
        source = FileSource(source)
    elif isinstance(source, Mapping) and "file" in source:
        source = FileSource(source["file"], source.get("sheet"))
    elif isinstance(source, Mapping):
        source = DatabaseSource(**source)
    if "from" in options:
        source = "from"
        origin = options.pop("from")
    up = options.pop("belongs_to", None)
    formatted = dict(options.pop("format", {}))
    for key in ("missing", "strip"):
        if key in formatted:
            formatted[key] = tuple(formatted[key])
    duplicates = options.pop("duplicates", None)
    quarantine = options.pop("bad_rows", None) == "quarantine"
    made: Table[Expr] = Table(
        name=name,
        source=DistinctSource(origin, "") if source == "from" else source,
        columns=columns,
        belongs_to=None if up is None else Parent(**up),
        format=Format(**formatted),
        duplicates=None if duplicates is None else Duplicates(**duplicates),
        quarantine=quarantine,
        span=text.whole(),
        **options,
    )
    return made


def ruleset(
    folder: Path | str,
    tables: Mapping[str, Mapping[str, Any]],
    customers: str = "customers",
    timezone: str = "Asia/Shanghai",
    lists: Mapping[str, Mapping[str, str]] | None = None,
    language: Any = "en",
) -> RuleSet:
    made = {name: table(name, written) for name, written in tables.items()}
    for name, one in list(made.items()):
        if isinstance(one.source, DistinctSource):
            origin = made[one.source.table]
            assert origin.belongs_to is not None
            by = origin.belongs_to.by
            key = one.columns.get(by) or ColumnContract(by, origin.columns[by].type, pii=origin.columns[by].pii)
            made[name] = Table(
                name, DistinctSource(origin.name, by), {by: key}, key=by, quarantine=one.quarantine, span=one.span
            )
    definitions = {
        name: StaticList(name, None, one["file"], one["key"], span=Source("rules.yaml", name).whole())
        for name, one in (lists or {}).items()
    }
    return RuleSet("test", language, str(folder), Contracts(customers, timezone, made), {}, definitions)


def column(name: str, of: Type, table: str = "orders") -> model.Column:
    return model.Column(table, name, of, True)


def row_values(expression: Expr, loaded: Loaded) -> Column:
    """`+ - *` of integers, comparisons with a constant, `is missing`, and columns."""
    match expression:
        case model.Column(_, name, _, _):
            return loaded.columns[name]
        case model.Constant(value, of):
            return Column(of, np.full(loaded.rows, value))
        case model.Arithmetic(op, left, right, of):
            a, b = row_values(left, loaded), row_values(right, loaded)
            x, y = a.values.astype(np.int64), b.values.astype(np.int64)
            missing = _missing(a) | _missing(b)
            return Column(of, np.where(missing, 0, x * y if op == "*" else x + y if op == "+" else x - y), missing)
        case model.Compare(op, left, right):
            a, b = row_values(left, loaded), row_values(right, loaded)
            made = {">": np.greater, "<": np.less, "=": np.equal, ">=": np.greater_equal}[op](a.values, b.values)
            return Column(BOOL, made, _missing(a) | _missing(b))
        case model.Not(model.IsMissing(operand)):
            return Column(BOOL, ~_missing(row_values(operand, loaded)))
        case model.And(operands):
            columns = [row_values(one, loaded) for one in operands]
            made = np.logical_and.reduce([one.values.astype(bool) & ~_missing(one) for one in columns])
            return Column(BOOL, made)
        case _:
            raise NotImplementedError(type(expression))


def _missing(one: Column) -> Any:
    return np.zeros(len(one), np.bool_) if one.missing is None else one.missing


def rule(text: str, table: str) -> Expr:
    """`quantity > 0` or `price * quantity` over integer columns of the table at hand, written for tests."""
    left, op, right = text.split()

    def operand(word: str) -> Expr:
        return (
            model.Constant(int(word), INTEGER)
            if word.lstrip("-").isdigit()
            else model.Column(table, word, INTEGER, True)
        )

    if op in ("+", "-", "*"):
        return model.Arithmetic(op, operand(left), operand(right), INTEGER)  # type: ignore[arg-type]
    return model.Compare(op, operand(left), operand(right))  # type: ignore[arg-type]
