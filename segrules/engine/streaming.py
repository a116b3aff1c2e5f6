"""A run in parts: what rules say about customers of whom there are more than memory holds.

In: a rule set, tables part by part in key order, an engine.  Out: `Streamed`: membership of everybody as bits, figures
of the values, cut points; and each part's `Results`, to whoever writes them.  Always: what one run over all customers
gives; one pass for everything but population functions, which take a pass more for each level of them.

    run(ruleset, stream, 20_778, None, evaluate).segments["star"].true.count()
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.needs import expressions, needed, nodes, owner
from segrules.engine.passes import collecting, column_name, levels, part_names, with_columns
from segrules.engine.results import Bits, CutPoints, Membership, Results
from segrules.engine.standing import Ranking
from segrules.engine.stops import empty_bands
from segrules.errors import RunStopped
from segrules.model.expr import Population
from segrules.model.ruleset import RuleSet
from segrules.schema.types import Decimal, Integer, Number, Type
from segrules.tables.columns import Account, Bools, Column, Tables

Evaluate: TypeAlias = Callable[[RuleSet, Tables, int, Collection[str] | None], Results]
Take: TypeAlias = Callable[[Tables, Results], None]
"""What is done with each part: its rows of the date, and what was found for them."""


class Source(Protocol):
    """Tables part by part: `first` checks them, `again` gives the same parts."""

    def first(self) -> Iterator[Tables]: ...

    def again(self) -> Iterator[Tables]: ...

    @property
    def accounts(self) -> tuple[Account, ...]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """A segmentation's answer: of every case who is in it, and how many passed it unknown (as `Assignment` has it)."""

    ids: tuple[str, ...]
    cases: Mapping[str, Bits]
    passed_unknown: Mapping[str, int]

    def members(self, case_id: str) -> Bits:
        return self.cases[case_id]


@dataclass(frozen=True, slots=True)
class Figures:
    """A value in figures: how many miss it, and of a numeric one least, mean and greatest, in the type's own unit."""

    type: Type
    missing: int
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Streamed:
    """Everything one run in parts found. Customers stand in key order; their keys and values are not kept."""

    as_of: int
    customers: int
    segments: Mapping[str, Membership]
    segmentations: Mapping[str, Division]
    values: Mapping[str, Figures]
    lists: Mapping[str, Membership]
    cut_points: tuple[CutPoints, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    accounts: tuple[Account, ...] = ()


def run(
    ruleset: RuleSet,
    source: Source,
    as_of: int,
    only: Collection[str] | None,
    evaluate: Evaluate,
    at: Callable[[RuleSet, Tables, int], Tables],
    folder: Path,
    take: Take | None = None,
) -> Streamed:
    """*at* gives the rows that exist on a date, *evaluate* the results of a part, *folder* takes values of population
    functions between passes. *take* is called for each part in the last pass. Raises `BrokenContract` once every part
    has been looked at, `RunStopped` where no row breaks the contract."""
    asked = set(ruleset.definitions) if only is None else {own for name in only if (own := owner(ruleset, name))}
    order = needed(ruleset, asked)
    level_of = levels(ruleset, order)
    functions = tuple(level_of)
    rankings = [Ranking(node, folder / f"population{number}") for number, node in enumerate(functions)]
    passes = Passes(ruleset, source, as_of, evaluate, at, rankings)
    for level in range(1, max(level_of.values(), default=0) + 1):
        passes.collect([number for number, node in enumerate(functions) if level_of[node] == level])
    growing = Growing()

    dates = Dates(frozenset(name for name in ruleset.contracts.tables if not _is_cut(ruleset, name)))

    def last(tables: Tables, results: Results) -> None:
        growing.add(results)
        dates.add(tables.accounts)
        if take is not None:
            take(tables, results)

    passes.through(with_columns(ruleset, functions), asked, last)
    cut_points = tuple(_cut_points(ruleset, order, dict(zip(functions, rankings, strict=True))))
    return growing.streamed(as_of, cut_points, dates.on(source.accounts))


@dataclass(slots=True)
class Passes:
    """Runs over all parts, with the population functions that are known so far as columns of the customers."""

    ruleset: RuleSet
    source: Source
    as_of: int
    evaluate: Evaluate
    at: Callable[[RuleSet, Tables, int], Tables]
    rankings: list[Ranking]
    looked: bool = False

    def collect(self, numbers: Collection[int]) -> None:
        """One pass for the parts of these functions, which are ranked then."""
        functions = [ranking.node for ranking in self.rankings]
        names = {number: part_names(number, functions[number]) for number in numbers}
        asked = {
            name for value, by, among in names.values() for name in (value, *by, *(() if among is None else (among,)))
        }

        def add(_: Tables, results: Results) -> None:
            for number, (value, by, among) in names.items():
                inside = None if among is None else results.segments[among].true
                self.rankings[number].add(results.values[value], tuple(results.values[each] for each in by), inside)

        rules = collecting(self.ruleset, functions, [functions[number] for number in numbers])
        self.through(rules, asked, add)
        for number in numbers:
            self.rankings[number].rank()

    def through(self, rules: RuleSet, asked: Collection[str], take: Take) -> None:
        """Every part evaluated by *rules*. In the first pass a part that stops the run waits until the contract of
        all parts has been looked at."""
        stopped: RunStopped | None = None
        start = 0
        for tables in self.source.again() if self.looked else self.source.first():
            if stopped is not None:
                continue
            existing = self.at(self.ruleset, tables, self.as_of)
            rows = existing.tables[self.ruleset.contracts.customers].rows
            try:
                take(existing, self.evaluate(rules, self._known(existing, start, start + rows), self.as_of, asked))
            except RunStopped as stop:
                stopped = stop
            start += rows
            del tables, existing
        self.looked = True
        if stopped is not None:
            raise RunStopped([self._named(one) for one in stopped.diagnostics])

    def _known(self, existing: Tables, start: int, stop: int) -> Tables:
        name = self.ruleset.contracts.customers
        customers = existing.tables[name]
        known = {
            column_name(number): ranking.column(start, stop)
            for number, ranking in enumerate(self.rankings)
            if ranking.found is not None
        }
        columns = {**customers.columns, **known}
        return replace(existing, tables={**existing.tables, name: replace(customers, columns=columns)})

    def _named(self, one: Diagnostic) -> Diagnostic:
        """A finding about a part of a population function is about the definition that it stands in."""
        name = one.args.get("definition")
        if not isinstance(name, str) or not name.startswith("\0"):
            return one
        node = self.rankings[int(name.split()[1])].node
        for each, definition in self.ruleset.definitions.items():
            if any(part == node for expr in expressions(definition) for part in nodes(expr)):
                return replace(one, args={**one.args, "definition": each})
        return one


def _cut_points(
    ruleset: RuleSet, order: tuple[str, ...], rankings: Mapping[Population, Ranking]
) -> Iterator[CutPoints]:
    """Of every definition, its `qcut` and `quantile`s in the order written, equal ones once."""
    for name in order:
        parts = (node for expr in expressions(ruleset.definitions[name]) for node in nodes(expr))
        for node in dict.fromkeys(part for part in parts if isinstance(part, Population)):
            if node.function in ("qcut", "quantile"):
                found = rankings[node]
                yield CutPoints(
                    name, node.span, node.function, node.value.type, found.cuts, found.coincide, node.descending
                )


def _is_cut(ruleset: RuleSet, table: str) -> bool:
    return ruleset.contracts.customers in ruleset.contracts.chain(table)


@dataclass(slots=True)
class Dates:
    """Rows that the date of the run leaves out, by table: later ones and superseded ones; each part has the rows of
    the tables in `whole`."""

    whole: frozenset[str]
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, accounts: Iterable[Account]) -> None:
        for each in accounts:
            later, superseded = (0, 0) if each.table in self.whole else self.counted.get(each.table, (0, 0))
            self.counted[each.table] = later + each.later, superseded + each.superseded

    def on(self, accounts: Iterable[Account]) -> tuple[Account, ...]:
        """The accounts of all rows, with what was counted."""
        found = {each: self.counted.get(each.table, (0, 0)) for each in accounts}
        return tuple(replace(each, later=later, superseded=gone) for each, (later, gone) in found.items())


@dataclass(slots=True)
class Growing:
    """Results of the parts so far."""

    customers: int = 0
    segments: dict[str, _Member] = field(default_factory=dict)
    lists: dict[str, _Member] = field(default_factory=dict)
    cases: dict[str, dict[str, _Packed]] = field(default_factory=dict)
    passed: dict[str, dict[str, int]] = field(default_factory=dict)
    values: dict[str, _Figures] = field(default_factory=dict)

    def add(self, results: Results) -> None:
        self.customers += results.customers
        for own, found in ((self.segments, results.segments), (self.lists, results.lists)):
            for name, membership in found.items():
                own.setdefault(name, _Member()).add(membership)
        for name, assignment in results.segmentations.items():
            cases = self.cases.setdefault(name, {each: _Packed() for each in assignment.ids})
            for code, each in enumerate(assignment.ids):
                cases[each].add(assignment.codes == code)
            passed = self.passed.setdefault(name, dict.fromkeys(assignment.passed_unknown, 0))
            for each, number in assignment.passed_unknown.items():
                passed[each] += number
        for name, column in results.values.items():
            self.values.setdefault(name, _Figures(column.type)).add(column)

    def streamed(self, as_of: int, cut_points: tuple[CutPoints, ...], accounts: tuple[Account, ...]) -> Streamed:
        return Streamed(
            as_of=as_of,
            customers=self.customers,
            segments={name: one.membership() for name, one in self.segments.items()},
            segmentations={
                name: Division(tuple(cases), {each: one.bits() for each, one in cases.items()}, self.passed[name])
                for name, cases in self.cases.items()
            },
            values={name: one.figures() for name, one in self.values.items()},
            lists={name: one.membership() for name, one in self.lists.items()},
            cut_points=cut_points,
            warnings=empty_bands(cut_points),
            accounts=accounts,
        )


@dataclass(slots=True)
class _Packed:
    """Bits that grow at the end, until they are taken; `rest` are the last up to seven."""

    packed: bytearray = field(default_factory=bytearray)
    rest: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))

    def add(self, mask: Bools) -> None:
        mask = np.concatenate([self.rest, mask])
        whole = len(mask) // 8 * 8
        self.packed += np.packbits(mask[:whole]).tobytes()
        self.rest = mask[whole:]

    def bits(self) -> Bits:
        size = len(self.packed) * 8 + len(self.rest)
        self.packed += np.packbits(self.rest).tobytes()
        self.rest = self.rest[:0]
        return Bits(np.frombuffer(self.packed, np.uint8), size)


@dataclass(slots=True)
class _Member:
    true: _Packed = field(default_factory=_Packed)
    unknown: _Packed | None = None
    rows: int = 0

    def add(self, membership: Membership) -> None:
        size, unknown = membership.true.size, membership.unknown
        self.true.add(membership.true.mask())
        if unknown is not None and self.unknown is None:
            self.unknown = _Packed()
            self.unknown.add(np.zeros(self.rows, np.bool_))
        if self.unknown is not None:
            self.unknown.add(np.zeros(size, np.bool_) if unknown is None else unknown.mask())
        self.rows += size

    def membership(self) -> Membership:
        return Membership(self.true.bits(), None if self.unknown is None else self.unknown.bits())


@dataclass(slots=True)
class _Figures:
    type: Type
    missing: int = 0
    rows: int = 0
    sums: list[float] = field(default_factory=list)
    least: Any = None
    greatest: Any = None

    def add(self, column: Column) -> None:
        absent = 0 if column.missing is None else int(column.missing.sum())
        self.missing += absent
        rows = len(column) - absent
        if not rows or not isinstance(self.type, Integer | Decimal | Number):
            return
        values: NDArray[Any] = column.values if column.missing is None else column.values[~column.missing]
        self.rows += rows
        self.sums.append(float(values.astype(np.float64).sum()))
        low, high = values.min().item(), values.max().item()
        self.least = low if self.least is None else min(self.least, low)
        self.greatest = high if self.greatest is None else max(self.greatest, high)

    def figures(self) -> Figures:
        if not self.rows:
            return Figures(self.type, self.missing)
        unit = 10**self.type.scale if isinstance(self.type, Decimal) else 1
        mean = math.fsum(self.sums) / self.rows / unit
        return Figures(self.type, self.missing, float(self.least) / unit, mean, float(self.greatest) / unit)
