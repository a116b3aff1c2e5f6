"""The columns of one table, checked; and its expressions, once all tables are known.

In: `columns:`, `rows:` and `value:` as written.  Out: `ColumnContract`s with stored `values`, `min` and `max`.
Always: a literal of a contract is a value of its column's type; computed columns read only their own row and come
after what they need; a declared type of a computed column is the type of its expression.

    written_columns(table, "Asia/Shanghai", found)["amount"].min      # 0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from segrules.check.infer import infer, predicate
from segrules.check.order import Needs, loop_text, work_through
from segrules.check.scope import Args, Names, Scope, is_wrong
from segrules.check.suggest import nearest
from segrules.check.values import read_value
from segrules.check.walk import parts_of
from segrules.check.widen import convert, shown
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.documents import Scalar, WrittenColumn, WrittenTable
from segrules.model.expr import Expr
from segrules.model.ruleset import Parameter
from segrules.schema.calendar import zone
from segrules.schema.contract import Cleaning, ColumnContract, Contracts, Table
from segrules.schema.types import (
    TEXT,
    UNTYPED,
    Bool,
    ListOfText,
    Text,
    Timestamp,
    Type,
    Untyped,
    Value,
    parse_type,
    widest,
)  # fmt: skip
from segrules.syntax.expr import Expr as Written
from segrules.syntax.expr import Name

CLEANINGS: Mapping[str, Cleaning] = {name: name for name in get_args(Cleaning)}
TYPES = ("bool", "integer", "decimal(2)", "number", "text", "date", "timestamp", "list(text)")


def written_columns(table: WrittenTable, timezone: str, found: list[Diagnostic]) -> dict[str, ColumnContract[Expr]]:
    """The columns of a table by name, stored ones first; expressions are added by `computed`."""
    named: dict[str, ColumnContract[Expr]] = {}
    for column in sorted(table.columns, key=lambda one: one.value is not None):
        name = column.name.text
        if name in named:
            found.append(Diagnostic("N302", column.name.span, {"name": name}, also=(named[name].span,)))
        else:
            named[name] = _column(column, timezone, found)
    return named


def _column(written: WrittenColumn, timezone: str, found: list[Diagnostic]) -> ColumnContract[Expr]:
    type_ = _type(written, found)
    values = None
    if written.values is not None:
        item = TEXT if isinstance(type_, ListOfText) else type_
        values = tuple(value for one in written.values if (value := _value(one, item, timezone, found)) is not None)
        if isinstance(type_, Bool):
            found.append(_no_use(written, Words("option.values"), type_))
            values = None
    least, most = (
        _bound(written.min, written, type_, timezone, found),
        _bound(written.max, written, type_, timezone, found),
    )
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most and written.max is not None:
        args = {"min": written.min.text if written.min else "", "max": written.max.text}
        found.append(Diagnostic("R546", written.max.span, args))
    if written.clean and not isinstance(type_, Text | ListOfText | Untyped):
        found.append(_no_use(written, Words("option.clean"), type_))
    yes, no = written.yes or ("true",), written.no or ("false",)
    if both := set(yes) & set(no):
        found.append(Diagnostic("R547", written.name.span, {"column": written.name.text, "text": sorted(both)[0]}))
    return ColumnContract(
        name=written.name.text,
        type=type_,
        can_be_missing=written.can_be_missing,
        values=values,
        min=least,
        max=most,
        pii=written.pii,
        clean=tuple(CLEANINGS[word.text] for word in written.clean if word.text in CLEANINGS),
        separator=written.separator or "|",
        yes=yes,
        no=no,
        zone=_zone(written, type_, found),
        date_format=None if written.date_format is None else written.date_format.text,
        refers_to=None if written.refers_to is None else written.refers_to.text,
        unmatched_is_missing=written.unmatched_is_missing,
        label=written.label,
        span=written.name.span,
    )


def _type(written: WrittenColumn, found: list[Diagnostic]) -> Type:
    if not written.type.text and written.value is not None:
        return UNTYPED
    type_ = parse_type(written.type.text)
    if type_ is None:
        meant = nearest(written.type.text, TYPES)
        help_ = Help("did_you_mean", {"suggestion": meant}) if meant else Help("types", {"types": ", ".join(TYPES)})
        found.append(Diagnostic("T426", written.type.span, {"type": written.type.text}, help_))
        return UNTYPED
    return type_


def _value(scalar: Scalar, type_: Type, timezone: str, found: list[Diagnostic]) -> Value:
    if isinstance(type_, Untyped):
        return None
    value = read_value(scalar, type_, timezone)
    if value is None:
        value = Diagnostic("T423", scalar.span, {"text": scalar.text, "type": str(type_)})
    if isinstance(value, Diagnostic):
        found.append(value)
        return None
    return value


def _bound(scalar: Scalar | None, written: WrittenColumn, type_: Type, timezone: str, found: list[Diagnostic]) -> Value:
    if scalar is None:
        return None
    if isinstance(type_, Text | Bool | ListOfText):
        found.append(_no_use(written, Words("option.range"), type_))
        return None
    return _value(scalar, type_, timezone, found)


def _no_use(written: WrittenColumn, option: Words, type_: Type) -> Diagnostic:
    args: Args = {"column": written.name.text, "option": option, "type": str(type_)}
    return Diagnostic("R548", written.name.span, args)


def _zone(written: WrittenColumn, type_: Type, found: list[Diagnostic]) -> str | None:
    if written.zone is None:
        return None
    if not isinstance(type_, Timestamp | Untyped):
        found.append(_no_use(written, Words("option.zone"), type_))
        return None
    try:
        zone(written.zone.text)
    except (KeyError, ValueError, OSError):
        found.append(Diagnostic("R535", written.zone.span, {"zone": written.zone.text}))
        return None
    return written.zone.text


def computed(
    made: Contracts[Expr],
    written: Mapping[str, WrittenTable],
    names: Names,
    parameters: Mapping[str, Parameter | None],
    found: list[Diagnostic],
) -> Contracts[Expr]:
    """*made* with `value:` of computed columns and `rows:` of tables."""
    tables = dict(made.tables)
    for name, table in written.items():
        if name not in tables:
            continue
        for column in _computed_in_order(table, found):
            scope = Scope(replace(made, tables=tables), names, parameters, {}, found, (name,), "own row")
            tables[name] = _with_value(tables[name], column, scope)
        if table.rows is not None:
            scope = Scope(replace(made, tables=tables), names, parameters, {}, found, (name,), "own row")
            node = predicate(table.rows, scope, Words("needs.rows"))
            if not is_wrong(node):
                tables[name] = replace(tables[name], rows=node)
    return replace(made, tables=tables)


def _computed_in_order(table: WrittenTable, found: list[Diagnostic]) -> list[WrittenColumn]:
    """The computed columns after those they need; those of a loop are left out."""
    by_name = {column.name.text: column for column in table.columns if column.value is not None}
    done: list[str] = []

    def task(name: str) -> Needs | None:
        column = by_name.get(name)
        return None if column is None or column.value is None else steps(name, column.value)

    def steps(name: str, value: Written) -> Needs:
        yield _names(value)
        done.append(name)

    loops = work_through(by_name, task)
    for loop in loops:
        spans = [by_name[name].name.span for name in loop]
        found.append(Diagnostic("N309", spans[0], {"loop": loop_text(loop)}, also=tuple(spans[1:])))
    stuck = {name for loop in loops for name in loop}
    return [by_name[name] for name in done if name not in stuck]


def _names(written: Written) -> list[str]:
    waiting, used = [written], []
    while waiting:
        part = waiting.pop()
        if isinstance(part, Name):
            used.append(part.parts[-1])
        waiting += parts_of(part)
    return used


def _with_value(table: Table[Expr], written: WrittenColumn, scope: Scope) -> Table[Expr]:
    """*table* with one computed column; its type is the declared one, to which its expression must widen."""
    assert written.value is not None
    contract = table.columns[written.name.text]
    node = infer(written.value, scope)
    rest = {name: column for name, column in table.columns.items() if name != contract.name}
    if is_wrong(node):
        return table
    declared = contract.type
    if isinstance(node.type, Untyped) and isinstance(declared, Untyped):
        scope.report("T422", written.value.span, {"text": shown(written.value)})
        return table
    if isinstance(declared, Untyped):
        declared = node.type
    elif not _fits(node.type, declared):
        args = {"column": contract.name, "declared": str(declared), "type": str(node.type)}
        scope.report("T421", written.value.span, args)
        return table
    value = replace(contract, type=declared, value=convert(node, declared))
    return replace(table, columns={**rest, contract.name: value})


def _fits(type_: Type, declared: Type) -> bool:
    """Whether every value of *type_* is one of *declared*."""
    return widest(type_, declared) == declared
