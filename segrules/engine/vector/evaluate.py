"""The bulk engine: a whole rule set over whole columns.

In: a checked rule set, tables cut to the date of the run.  Out: `Results`, equal to what `engine/reference` gives.
Always: one program for all definitions; block size and number of threads change nothing but time.

    evaluate(ruleset, tables, as_of).segments["star"].true.count()
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from segrules.engine.needs import expressions, needed, nodes, owner
from segrules.engine.profile import Profile
from segrules.engine.results import Assignment, Bits, CutPoints, Membership, Results
from segrules.engine.stops import empty_bands, not_unique, overflow, overflow_in_row, shown_key
from segrules.engine.vector.blocks import BLOCK_ROWS
from segrules.engine.vector.dates import Scope
from segrules.engine.vector.definitions import CaseNodes, Compiled, compile_definitions
from segrules.engine.vector.lower import Origin
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.program import Node
from segrules.engine.vector.rails import clean, known_of
from segrules.engine.vector.rows import place
from segrules.engine.vector.run import Found, replay, run
from segrules.engine.vector.spaces import Spaces
from segrules.engine.vector.watch import Watch, profiled
from segrules.errors import RunStopped
from segrules.model.expr import Population
from segrules.model.ruleset import Attribute, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.tables.columns import Column, Tables


def evaluate(
    ruleset: RuleSet,
    tables: Tables,
    as_of: int,
    only: Collection[str] | None = None,
    *,
    block_rows: int = BLOCK_ROWS,
    threads: int | None = None,
    machine: bool | None = None,
) -> Results:
    """Everything that *ruleset* defines, or the definitions named in *only* (an output or case names its
    segmentation), for every customer. *tables* has the rows that exist at *as_of* (days since 1970-01-01).
    *threads*: None for as many as there are processors. *machine*: by machine code where that is installed; None:
    where it is worth loading. Raises `RunStopped` on overflow and where a `unique` segmentation has two cases."""
    ready, found, _ = _found(ruleset, tables, as_of, only, block_rows, threads, machine)
    return _results(ruleset, ready.compiled, found, ready.order, ready.asked)


def evaluate_watched(
    ruleset: RuleSet, tables: Tables, as_of: int, only: Collection[str] | None = None, *, threads: int | None = None,
    machine: bool | None = None,
) -> tuple[Results, Profile]:  # fmt: skip
    """What `evaluate` gives, and where its time went. Raises what that raises."""
    ready, found, watch = _found(ruleset, tables, as_of, only, BLOCK_ROWS, threads, machine, watched=True)
    results = _results(ruleset, ready.compiled, found, ready.order, ready.asked)
    answers = {name: ready.compiled.answers(ruleset.definitions[name]) for name in ready.order}
    live = found.program.live([*ready.wanted, *ready.members])
    return results, profiled(found.program, live, watch, answers)


def _found(
    ruleset: RuleSet, tables: Tables, as_of: int, only: Collection[str] | None, block_rows: int, threads: int | None,
    machine: bool | None, watched: bool = False,
) -> tuple[_Ready, Found, Watch]:  # fmt: skip
    watch = Watch()
    watch.start()
    names = ruleset.definitions if only is None else only
    asked = frozenset(own for name in names if (own := owner(ruleset, name)) is not None)
    scope = Scope(as_of, ruleset.contracts.timezone)
    spaces = Spaces(ruleset.contracts, tables)
    zone = scope.timezone if spaces.instants_have_days() else None
    ready = _ready(ruleset, asked, scope, zone, spaces.with_strangers())
    order, compiled = ready.order, ready.compiled
    program = compiled.lowering.program
    watch.lap(("compile", None))
    try:
        found = run(
            program, spaces, scope, ready.wanted, ready.members, block_rows=block_rows, threads=threads,
            machine=machine, watched=watched,
        )  # fmt: skip
    except Overflow:
        found, node, row = replay(program, spaces, scope, [*ready.wanted, *ready.members])
        earlier = order[: order.index(compiled.lowering.origins[node].definition)]
        _check_unique(ruleset, compiled, found, earlier)
        raise _stopped(ruleset, compiled.lowering.origins, found, node, row) from None
    _check_unique(ruleset, compiled, found, order)
    watch.include([found.watch])
    return ready, found, watch


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """What is known of a run before its data: the definitions in order, the program, what of it the results need."""

    asked: frozenset[str]
    order: tuple[str, ...]
    compiled: Compiled
    wanted: tuple[Node, ...]
    members: tuple[Node, ...]


@lru_cache(maxsize=16)
def _ready(
    ruleset: RuleSet, asked: frozenset[str], scope: Scope, zone: str | None, strangers: frozenset[str]
) -> _Ready:
    """Compiled once for a rule set and a date, however often that is evaluated; nothing of it depends on the data but
    *zone* and *strangers*."""
    order = needed(ruleset, asked)
    compiled = compile_definitions(ruleset, order, scope, zone, strangers)
    wanted = tuple(_wanted(compiled, ruleset, order, asked))
    return _Ready(asked, order, compiled, wanted, tuple(_members(compiled, ruleset, order, asked)))


def _wanted(compiled: Compiled, ruleset: RuleSet, order: tuple[str, ...], asked: Collection[str]) -> Iterator[Node]:
    """The nodes whose values the results need."""
    names = compiled.lowering.names
    for name in order:
        if (cases := compiled.cases.get(name)) is not None and cases.twice is not None:
            yield from (cases.twice, *cases.truths)
        yield from compiled.lowering.rankings.get(name, {}).values()
        if name in asked:
            match ruleset.definitions[name]:
                case Segmentation(outputs=outputs):
                    cases = compiled.cases[name]
                    yield cases.codes
                    yield from (names[f"{name}.{output}"] for output, _ in outputs)
                case Attribute() | Scorecard():
                    yield names[name]
                case _:
                    pass


def _members(compiled: Compiled, ruleset: RuleSet, order: tuple[str, ...], asked: Collection[str]) -> Iterator[Node]:
    """The predicates of which the results need who is in and for whom it cannot be said."""
    for name in order:
        if name in asked:
            match ruleset.definitions[name]:
                case Segmentation():
                    yield from compiled.cases[name].passed.values()
                case Segment() | StaticList():
                    yield compiled.lowering.names[name]
                case _:
                    pass


def _results(
    ruleset: RuleSet, compiled: Compiled, found: Found, order: tuple[str, ...], asked: Collection[str]
) -> Results:
    names = compiled.lowering.names
    contracts = ruleset.contracts
    segments, lists = {}, {}
    segmentations: dict[str, Assignment] = {}
    values: dict[str, Column] = {}
    for name in order:
        if name not in asked:
            continue
        match ruleset.definitions[name]:
            case Segment():
                segments[name] = _membership(found, names[name])
            case StaticList():
                lists[name] = _membership(found, names[name])
            case Attribute() | Scorecard():
                values[name] = found.column(names[name])
            case Segmentation(outputs=outputs):
                segmentations[name] = _assignment(found, compiled.cases[name])
                for output, _ in outputs:
                    values[f"{name}.{output}"] = found.column(names[f"{name}.{output}"])
    cut_points = tuple(
        CutPoints(name, node.span, node.function, node.value.type, *found.cuts[made], node.descending)
        for name, node, made in _cuts(ruleset, compiled, order)
    )
    rankings = compiled.lowering.rankings
    key = contracts.tables[contracts.customers].key or ""
    return Results(
        as_of=found.scope.as_of,
        keys=found.spaces.tables.tables[contracts.customers].columns[key],
        segments=segments,
        segmentations=segmentations,
        values=values,
        lists=lists,
        cut_points=cut_points,
        population={node: found.column(made) for own in rankings.values() for node, made in own.items()},
        warnings=empty_bands(cut_points),
    )


def _membership(found: Found, node: Node) -> Membership:
    rows = found.rows(node)
    if (own := found.members.get(node)) is not None:
        unknown = None if own.unknown is None else Bits(own.unknown, rows)
        return Membership(Bits(own.true, rows, own.members), unknown)
    rails = found.rails(node)
    known = known_of(rails)
    unknown = None if known is None else Bits(clean(~known, rows), rows)
    return Membership(Bits(clean(rails[0], rows), rows), unknown if unknown is not None and unknown.count() else None)


def _assignment(found: Found, cases: CaseNodes) -> Assignment:
    passed = {id_: _membership(found, node).true.count() for id_, node in cases.passed.items()}
    return Assignment(tuple(cases.won), found.column(cases.codes).values.astype(np.uint16), passed)


def _cuts(ruleset: RuleSet, compiled: Compiled, order: Iterable[str]) -> Iterator[tuple[str, Population, Node]]:
    """Of every definition, its `qcut` and `quantile`s in the order written, equal ones once."""
    for name in order:
        if name in compiled.lowering.rankings:
            parts = (node for expr in expressions(ruleset.definitions[name]) for node in nodes(expr))
            for node in dict.fromkeys(part for part in parts if isinstance(part, Population)):
                if node.function in ("qcut", "quantile"):
                    yield name, node, compiled.lowering.rankings[name][node]


def _check_unique(ruleset: RuleSet, compiled: Compiled, found: Found, names: Collection[str]) -> None:
    """Stops the run if a customer is in two cases of a `unique` segmentation among *names*."""
    for name in names:
        segmentation, cases = ruleset.definitions[name], compiled.cases.get(name)
        if cases is None or cases.twice is None:
            continue
        twice = found.mask(cases.twice)
        if twice.any():
            assert isinstance(segmentation, Segmentation)
            customer = int(np.argmax(twice))
            true = [place for place, node in enumerate(cases.truths) if found.mask(node)[customer]]
            raise RunStopped([not_unique(segmentation, true[0], true[1], _shown(ruleset, found, customer))])


def _stopped(ruleset: RuleSet, origins: dict[Node, Origin], found: Found, node: Node, row: int) -> RunStopped:
    """Why the run stopped: the expression, and the customer or the row that nobody owns."""
    program = found.program
    origin, space = origins[node], program.spaces[node]
    customers = ruleset.contracts.customers
    if space == customers:
        return RunStopped([overflow(origin.node, origin.definition, _shown(ruleset, found, row))])
    customer = int(found.spaces.owner(space)[row])
    if customer < 0:
        at_place = place(found.spaces.tables.tables[space], row)
        return RunStopped([overflow_in_row(origin.node, origin.definition, space, at_place)])
    return RunStopped([overflow(origin.node, origin.definition, _shown(ruleset, found, customer))])


def _shown(ruleset: RuleSet, found: Found, customer: int) -> str:
    contracts = ruleset.contracts
    loaded = found.spaces.tables.tables[contracts.customers]
    return shown_key(ruleset, loaded.columns[contracts.tables[contracts.customers].key or ""].at(customer))
