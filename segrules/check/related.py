"""Aggregates over related tables.

In: a written aggregate.  Out: the table it goes over, then the checked node.  Always: the table is the one that the
field is qualified with, the lowest of the chain where several are; it belongs to the customers, directly or through
others; the result has the type that docs/language.md gives.

    table_of(sum(orders.price * orders.quantity))      # 'orders'
"""

from __future__ import annotations

from collections.abc import Iterator

from segrules.check.calls import kind_fits
from segrules.check.comparisons import Operand
from segrules.check.scope import Args, Scope, any_wrong, wrong
from segrules.check.suggest import nearest
from segrules.check.walk import parts_of
from segrules.check.widen import convert, shown
from segrules.diagnostics.diagnostic import Help, Words
from segrules.model.expr import Aggregate, AggregateName, Expr
from segrules.schema.functions import FUNCTIONS
from segrules.schema.types import BOOL, INTEGER, NUMBER, ListOfText, Type, Untyped
from segrules.syntax.expr import Call as WrittenCall
from segrules.syntax.expr import Expr as Written
from segrules.syntax.expr import Name


def counts_rows(call: WrittenCall) -> bool:
    """Whether the aggregate takes a table (`count(orders)`), not a field."""
    return FUNCTIONS[call.function].parameters[0] == "rows"


def table_of(call: WrittenCall, scope: Scope, quiet: bool = False) -> str | None:
    """The table that *call* goes over; None after a report, unless *quiet*."""
    if len(call.args) != 1:
        return None
    field = call.args[0]
    found = _named(call, field, scope, quiet) if counts_rows(call) else _qualified(call, field, scope, quiet)
    if found is None:
        return None
    customers = scope.contracts.customers
    if found == customers or scope.contracts.chain(found)[-1] != customers:
        if not quiet and found not in scope.lost:
            scope.report("T416", field.span, {"table": found, "customers": customers})
        return None
    return found


def _named(call: WrittenCall, field: Written, scope: Scope, quiet: bool) -> str | None:
    tables = scope.contracts.tables
    if isinstance(field, Name) and len(field.parts) == 1 and field.parts[0] in tables:
        return field.parts[0]
    if quiet or (isinstance(field, Name) and field.parts[0] in scope.lost):
        return None
    help_: Help | None = None
    if isinstance(field, Name) and len(field.parts) == 1:
        meant = nearest(field.parts[0], tables)
        help_ = Help("did_you_mean", {"suggestion": meant}) if meant else None
    elif (inner := _lowest(_tables_in(field, scope), scope)) is not None:
        key = "count" if call.function == "count" else "any"
        help_ = Help(key, {"table": inner, "text": shown(field)})
    scope.report("T424", field.span, {"function": call.function, "text": shown(field)}, help_)
    return None


def _qualified(call: WrittenCall, field: Written, scope: Scope, quiet: bool) -> str | None:
    named = _tables_in(field, scope)
    found = _lowest(named, scope)
    if found is None and not quiet and not any(name.parts[0] in scope.lost for name in _names_in(field)):
        tables = [table for table in scope.contracts.tables if _is_related(table, scope)]
        args: Args = {"function": call.function, "text": shown(field)}
        customers = scope.contracts.customers
        if not named and any(name.parts[0] == customers and len(name.parts) > 1 for name in _names_in(field)):
            scope.report("T416", field.span, {"table": customers, "customers": customers})
        elif len(named) > 1:
            args["tables"] = ", ".join(f"`{table}`" for table in named)
            scope.report("T425", field.span, args)
        elif isinstance(field, Name) and len(field.parts) > 1 and not _known_first(field, scope):
            meant = nearest(field.parts[0], tables)
            help_ = Help("did_you_mean", {"suggestion": meant}) if meant else None
            scope.report("N308", field.span, {"table": field.parts[0]}, help_)
        else:
            owners = [table for table in tables if _has_column(field, table, scope)]
            help_ = Help("qualify", {"suggestion": f"{owners[0]}.{field}"}) if owners else None
            scope.report("T415", field.span, args, help_)
    return found


def _known_first(field: Name, scope: Scope) -> bool:
    first = field.parts[0]
    return first in scope.names.entries or any(first in scope.contracts.tables[t].columns for t in scope.chain)


def _is_related(table: str, scope: Scope) -> bool:
    customers = scope.contracts.customers
    return table != customers and scope.contracts.chain(table)[-1] == customers


def _has_column(field: Written, table: str, scope: Scope) -> bool:
    return isinstance(field, Name) and field.parts[0] in scope.contracts.tables[table].columns


def _tables_in(field: Written, scope: Scope) -> list[str]:
    """The related tables that qualify names in *field*, nested aggregates apart, in order."""
    tables = scope.contracts.tables
    found: dict[str, None] = {}
    for name in _names_in(field):
        first = name.parts[0]
        if len(name.parts) > 1 and first in tables and first != scope.contracts.customers:
            lookup = first in scope.names.entries and not _is_related(first, scope)
            if not lookup:
                found[first] = None
    return list(found)


def _names_in(field: Written) -> Iterator[Name]:
    waiting = [field]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Name):
            yield part
        if isinstance(part, WrittenCall) and (known := FUNCTIONS.get(part.function)) and known.kind == "aggregate":
            continue
        waiting += reversed(parts_of(part))


def _lowest(tables: list[str], scope: Scope) -> str | None:
    """The one of *tables* in whose chain all the others stand."""
    for table in tables:
        if set(tables) <= set(scope.contracts.chain(table)):
            return table
    return None


def aggregate(call: WrittenCall, table: str, value: Operand | None, where: Expr | None, scope: Scope) -> Expr:
    """The checked aggregate; *value* is None for those that take a table."""
    if any_wrong(where, None if value is None else value.node):
        return wrong(call.span)
    name = _aggregate_name(call.function)
    if name in ("first", "last") and scope.contracts.tables[table].time is None:
        return scope.refuse("T417", call.span, {"function": name, "table": table})
    if value is None:
        return Aggregate(name, table, None, where, INTEGER if name == "count" else BOOL, span=call.span)
    node = value.node
    word = FUNCTIONS[name].parameters[0]
    if not kind_fits(word, node.type) or isinstance(node.type, ListOfText):
        expected = Words(f"kind.{word}" if word != "any" else "kind.single")
        args: Args = {"function": name, "expected": expected, "text": shown(value.written), "type": str(node.type)}
        return scope.refuse("T405", value.written.span, args)
    if isinstance(node.type, Untyped):
        node = convert(node, BOOL if name == "all" else INTEGER)
    return Aggregate(name, table, node, where, _result(name, node.type), span=call.span)


def _result(name: AggregateName, field: Type) -> Type:
    match name:
        case "count" | "count_distinct":
            return INTEGER
        case "any" | "all":
            return BOOL
        case "avg" | "stddev" | "median":
            return NUMBER
        case "sum" | "min" | "max" | "first" | "last":
            return field


def _aggregate_name(function: str) -> AggregateName:
    match function:
        case (
            "count" | "sum" | "avg" | "min" | "max" | "stddev" | "median" | "count_distinct" | "any" | "all"
            | "first" | "last"
        ):  # fmt: skip
            return function
        case _:
            raise AssertionError(function)
