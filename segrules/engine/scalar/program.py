"""A whole rule set, or some of its names, as one function of Python.

In: a rule set, the names that are wanted, static lists, the cut points of a run.  Out: `Program`, whose function for
a date takes one customer.  Always: definitions in their order, so that the first that leaves 64 bits is the one that
stops; the source is compiled once, and what depends on the date is computed once per date.

    program = customer_program(ruleset, layout, wanted, lists, thresholds)
    program.on(as_of)(customer, *rows)      # (True, None, "gold", …) in the order of `program.names`
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from types import CodeType
from typing import Any, assert_never

from segrules.engine.needs import needed
from segrules.engine.reference.aggregates import floating_sum
from segrules.engine.reference.functions import hash_bucket
from segrules.engine.reference.values import exponential, power
from segrules.engine.scalar import runtime
from segrules.engine.scalar.logic import choice
from segrules.engine.scalar.lower import Lowering
from segrules.engine.scalar.population import Thresholds
from segrules.engine.scalar.writer import MISSING, TRUE, Scope, Site, Val, Writer
from segrules.model.expr import Column, Constant, Expr, Population
from segrules.model.ruleset import Attribute, Definition, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema import calendar
from segrules.schema.contract import Contracts, Table
from segrules.schema.types import TEXT, Value

Layout = Mapping[str, Mapping[str, int]]
"""Of every table, where each column stands in a row."""


def functions(zone: str) -> dict[str, Any]:
    """What generated code may call, by name, and the zone of the project."""
    found: dict[str, Any] = {
        name: one for name, one in vars(runtime).items() if callable(one) and one.__module__ == runtime.__name__
    }
    others = (
        bisect_right, compress, exponential, power, hash_bucket, floating_sum, calendar.shift, calendar.window,
        calendar.months_between, calendar.next_anniversary,
    )  # fmt: skip
    return found | {one.__name__: one for one in others} | {"zone": zone}


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """`names`: of the values that the function gives. `tables`: of the rows that it takes, after the customer, each
    with the positions of their parents; `lookups`: then a finder of rows by key for each of these tables. `read`: the
    columns it reads. `source` is for people."""

    source: str
    code: CodeType
    objects: Mapping[str, Any]
    sites: tuple[Site, ...]
    names: tuple[str, ...]
    tables: tuple[str, ...]
    lookups: tuple[str, ...]
    read: frozenset[tuple[str, str]]

    def on(self, as_of: int) -> Callable[..., tuple[Value, ...]]:
        """The function for a date."""
        space = {**self.objects, "as_of": as_of}
        exec(self.code, space)
        function: Callable[..., tuple[Value, ...]] = space["one"]
        return function


def customer_program(
    ruleset: RuleSet,
    layout: Layout,
    wanted: Sequence[str],
    lists: Mapping[str, frozenset[Value]],
    thresholds: Mapping[Population, Thresholds],
    key: Column,
) -> Program:
    """*wanted*: names of definitions; *key*: the customers' key."""
    lowering = Lowering(Writer(functions(ruleset.contracts.timezone)), ruleset.contracts, layout, thresholds)
    scope = Scope(ruleset.contracts.customers)
    for name in needed(ruleset, wanted):
        lowering.definition = name
        _define(lowering, ruleset.definitions[name], scope, lists, key)
    asked = set(wanted)
    named = {name: found for name, found in lowering.names.items() if name in asked or name.rpartition(".")[0] in asked}
    return _program(lowering, named)


def _program(lowering: Lowering, named: Mapping[str, Val]) -> Program:
    writer, tables, lookups = lowering.writer, tuple(lowering.tables), tuple(lowering.lookups)
    arguments = ["c", *(f"r{at}, p{at}" for at in range(len(tables))), *(f"l{at}" for at in range(len(lookups)))]
    values = "".join(f"{found.name}, " for found in named.values())
    source = writer.source(", ".join(arguments), f"({values})")
    return Program(
        source=source,
        code=compile(source, "<segrules: one customer>", "exec", dont_inherit=True),
        objects=writer.objects,
        sites=tuple(writer.sites),
        names=tuple(named),
        tables=tables,
        lookups=lookups,
        read=frozenset(lowering.read),
    )


def row_program(contracts: Contracts[Expr], table: Table[Expr], layout: Layout, order: Sequence[str]) -> Program | None:
    """The computed columns of *table*, in the *order* of their needs, and whether `rows:` keeps the row; None where
    there is neither."""
    if not order and table.rows is None:
        return None
    lowering = Lowering(Writer(functions(contracts.timezone)), contracts, layout, definition=table.name)
    scope = Scope(table.name)
    for name in order:
        value = table.columns[name].value
        assert value is not None
        lowering.made[name] = lowering.value(value, scope)
    kept = TRUE if table.rows is None else lowering.value(table.rows, scope)
    return _program(lowering, {**lowering.made, "rows:": kept})


def _define(
    lowering: Lowering, definition: Definition, scope: Scope, lists: Mapping[str, frozenset[Value]], key: Column
) -> None:
    names, name = lowering.names, definition.name
    match definition:
        case Attribute(value=expr) | Segment(when=expr):
            names[name] = lowering.value(expr, scope)
        case StaticList():
            members = lowering.writer.object(lists[name])
            names[name] = lowering.writer.apply(f"{{0}} in {members}", lowering.value(key, scope))
        case Segmentation():
            _segmentation(lowering, definition, scope)
        case Scorecard():
            names[name] = _scorecard(lowering, definition, scope)
        case _:
            assert_never(definition)


def _segmentation(lowering: Lowering, definition: Segmentation, scope: Scope) -> None:
    """Every case and every output is worked out; then the first TRUE case, `unknown`, or `otherwise` gives."""
    writer = lowering.writer
    truths = [lowering.value(case.when, scope) for case in definition.cases]
    outputs = [[lowering.value(output, scope) for output in case.outputs] for case in definition.cases]
    reached = {
        outcome: [lowering.value(output, scope) for output in outcome.outputs]
        for outcome in (definition.otherwise, definition.unknown)
        if outcome is not None
    }
    if definition.hit_policy == "unique":
        number = writer.site(Constant(None, TEXT), definition.name)
        tested = "".join(f"{truth.name}, " for truth in truths)
        writer.lines.append(f"only_one({number}, ({tested}))")

    def chosen(of_cases: Sequence[Val], otherwise: Val, unknown: Val | None) -> Val:
        last = otherwise if unknown is None else _unknown_else(writer, truths, unknown, otherwise)
        return choice(writer, list(zip(truths, of_cases, strict=True)), last)

    def reach(outcome: Any, at: int) -> Val:
        return reached[outcome][at] if outcome is not None and at < len(reached[outcome]) else MISSING

    ids = [writer.constant(case.id) for case in definition.cases]
    otherwise = MISSING if definition.otherwise is None else writer.constant(definition.otherwise.id)
    unknown = None if definition.unknown is None else writer.constant(definition.unknown.id)
    lowering.names[definition.name] = chosen(ids, otherwise, unknown)
    for at, (output, _) in enumerate(definition.outputs):
        unsure = None if definition.unknown is None else reach(definition.unknown, at)
        of_cases = [row[at] for row in outputs]
        lowering.names[f"{definition.name}.{output}"] = chosen(of_cases, reach(definition.otherwise, at), unsure)


def _unknown_else(writer: Writer, truths: Sequence[Val], unknown: Val, otherwise: Val) -> Val:
    """*unknown* where a truth is missing."""
    if any(truth.is_missing for truth in truths):
        return unknown
    gaps = list(dict.fromkeys(truth for truth in truths if truth.nullable))
    if not gaps:
        return otherwise
    tests = " or ".join(f"{{{at}}} is None" for at in range(len(gaps)))
    unsure = writer.apply(tests, *gaps, strict=False)
    return choice(writer, [(unsure, unknown)], otherwise)


def _scorecard(lowering: Lowering, definition: Scorecard, scope: Scope) -> Val:
    writer = lowering.writer
    points = [writer.constant(definition.base)]
    for one in definition.characteristics:
        truths = [lowering.value(row.when, scope) for row in one.rows]
        last = writer.constant(one.otherwise)
        if one.missing is not None:
            last = _unknown_else(writer, truths, writer.constant(one.missing), last)
        rows = [(truth, writer.constant(row.points)) for truth, row in zip(truths, one.rows, strict=True)]
        points.append(choice(writer, rows, last))
    node = Constant(None, definition.type, span=definition.span)
    total = ", ".join(f"{{{at}}}" for at in range(len(points)))
    return lowering.checked(f"sum(({total},))", *points, node=node, scope=scope)
