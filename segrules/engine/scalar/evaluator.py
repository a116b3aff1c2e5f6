"""One customer at a time, for services: the rules as one generated function.

In: a rule set, the tables that are looked up, perhaps the cut points of a run.  Out: `Evaluator`, whose `one` takes a
customer and their rows as Python values.  Always: the answers of the other engines; the source is compiled once, and
what depends on the date is computed once per date.

    evaluator = project.evaluator()
    evaluator.one({"id": "c1", "city": "Paris"}, as_of="2026-06-30", orders=[{…}, {…}]).segments["star"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.engine.needs import needed
from segrules.engine.scalar.answer import Answer
from segrules.engine.scalar.customer import NONE, Customer, Related
from segrules.engine.scalar.existing import Existing
from segrules.engine.scalar.intake import Intake
from segrules.engine.scalar.lookups import Lookups
from segrules.engine.scalar.population import CUT, Thresholds, populations
from segrules.engine.scalar.program import customer_program
from segrules.engine.scalar.rows import Row, columns_of, layout
from segrules.engine.scalar.runtime import Stopped
from segrules.engine.stops import not_unique, overflow, shown_key
from segrules.errors import RunStopped, WrongUsage
from segrules.model.expr import Column, Population
from segrules.model.ruleset import Attribute, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.calendar import to_date
from segrules.schema.contract import DistinctSource
from segrules.schema.types import Type, Value
from segrules.tables.links import key_column

DATES = 16
"""How many dates are kept ready."""


@dataclass(frozen=True, slots=True, eq=False)
class _Date:
    """What is ready for a date: the function, what exists, and the rows of looked-up tables by key."""

    day: date
    function: Callable[..., tuple[Value, ...]]
    existing: Existing
    found: Mapping[str, Mapping[Value, Row]]


class Evaluator:
    """Answers about one customer at a time; may be used by several threads. Made by `Project.evaluator` and
    `Bound.evaluator`."""

    def __init__(
        self,
        ruleset: RuleSet,
        wanted: Sequence[str],
        lookups: Lookups,
        thresholds: Mapping[Population, Thresholds],
        day: Callable[[Any], int],
    ) -> None:
        """*wanted*: names of definitions. *day*: reads the date that a caller gives. Raises `WrongUsage` where a wanted
        definition compares with all customers in a way that no cut point can stand for."""
        contracts = ruleset.contracts
        refuse(ruleset, wanted, thresholds)
        self.ruleset = ruleset
        self._day = day
        self._lookups = lookups
        self._places = layout(contracts)
        self._key = key_column(contracts, contracts.customers) or ""
        key_type = columns_of(contracts, contracts.tables[contracts.customers])[self._key].type
        key = Column(contracts.customers, self._key, key_type, False)
        self._program = customer_program(ruleset, self._places, wanted, lookups.lists, thresholds, key)
        self._intake = Intake(ruleset, self._places, self._program.read, lookups)
        self._dates: dict[int, _Date] = {}
        self._names = _Names(ruleset, self._program.names)

    def __repr__(self) -> str:
        return f"<Evaluator of {self.ruleset.name}: {len(self._program.names)} names>"

    @property
    def source(self) -> str:
        """The generated function, for people who want to read it."""
        return self._program.source

    def one(
        self, customer: Mapping[str, object], /, as_of: object = None, **tables: Iterable[Mapping[str, object]]
    ) -> Answer:
        """What the rules say about *customer*; *tables*: their related rows, and new rows of tables that are looked up.
        Raises `BrokenContract`, `WrongUsage`, `RunStopped`."""
        return self.answer(self.customer(customer, **tables), as_of)

    def customer(self, customer: Mapping[str, object], /, **tables: Iterable[Mapping[str, object]]) -> Customer:
        """The customer with their rows, to which rows can be added."""
        contracts, intake = self.ruleset.contracts, self._intake
        row, kept = intake.customer(customer)
        if not kept:
            raise WrongUsage([self._nobody("D887", row)])
        for table in tables:
            intake.must_be_known(table)
        owner = row[self._places[contracts.customers][self._key]]
        related: dict[str, Related] = {}
        for table in sorted(tables, key=lambda each: len(contracts.chain(each))):
            related = intake.related(related, table, tables[table], owner)
        itself = {**related, contracts.customers: Related((row,), 1, frozenset({owner}))}
        for table, one in itself.items():
            intake.must_be_found(table, one.rows, itself)
        return Customer(self, row, itself)

    def extended(self, customer: Customer, table: str, rows: Iterable[Mapping[str, object]]) -> Customer:
        """*customer* with more rows of *table*."""
        self._intake.must_be_known(table)
        owner = customer.row[self._places[self.ruleset.contracts.customers][self._key]]
        related = self._intake.related(customer.related, table, rows, owner)
        before = len(customer.related.get(table, NONE).rows)
        self._intake.must_be_found(table, related[table].rows[before:], related)
        return Customer(self, customer.row, related)

    def answer(self, customer: Customer, as_of: object = None) -> Answer:
        """What the rules say about *customer* as of a date."""
        number = self._day(as_of)
        on = self._dates.get(number) or self._prepared(number)
        self._must_exist(customer, on)
        rows = on.existing.of(customer.related)
        arguments: list[Any] = [customer.row]
        for table in self._program.tables:
            arguments += rows[table]
        for table in self._program.lookups:
            arguments.append(self._finder(customer, table, on))
        try:
            values = on.function(*arguments)
        except Stopped as stopped:
            raise self._stopped(customer, *stopped.args) from None
        return self._names.answer(on.day, values)

    def _prepared(self, as_of: int) -> _Date:
        contracts, program = self.ruleset.contracts, self._program
        read: dict[str, dict[str, int]] = {name: self._places[name] for name in program.lookups}
        made = _Date(
            day=to_date(as_of),
            function=program.on(as_of),
            existing=Existing(contracts, self._places, program.tables, as_of),
            found=self._lookups.on(as_of, read),
        )
        if len(self._dates) >= DATES:
            self._dates = {}
        self._dates[as_of] = made
        return made

    def _finder(self, customer: Customer, table: str, on: _Date) -> Callable[[Value], Row | None]:
        """Looks a row up by key: first among those given with the customer."""
        given = customer.related.get(table, NONE).rows
        if not given:
            return on.found[table].get
        key = self._places[table][key_column(self.ruleset.contracts, table) or ""]
        own = {row[key]: row for row in on.existing.in_time(table, given)}
        others = on.found[table]
        return lambda wanted: own.get(wanted) or others.get(wanted)

    def _must_exist(self, customer: Customer, on: _Date) -> None:
        contracts = self.ruleset.contracts
        table = contracts.tables[contracts.customers]
        source = table.source
        there = on.existing.in_time(table.name, (customer.row,))
        if there and isinstance(source, DistinctSource):
            there = on.existing.in_time(source.table, customer.related.get(source.table, NONE).rows)
        if not there:
            raise WrongUsage([self._nobody("D888", customer.row, as_of=on.day.isoformat())])

    def _nobody(self, code: str, row: Row, **args: str) -> Diagnostic:
        contracts = self.ruleset.contracts
        table = contracts.tables[contracts.customers]
        key = shown_key(self.ruleset, row[self._places[table.name][self._key]])
        return Diagnostic(code, table.span, {"customer": key, "table": table.name, **args})

    def _stopped(self, customer: Customer, number: int, first: int = 0, second: int = 0) -> RunStopped:
        site = self._program.sites[number]
        key = shown_key(self.ruleset, customer.row[self._places[self.ruleset.contracts.customers][self._key]])
        definition = self.ruleset.definitions[site.definition]
        if isinstance(definition, Segmentation) and second:
            return RunStopped([not_unique(definition, first, second, key)])
        return RunStopped([overflow(site.node, site.definition, key)])


class _Names:
    """Which of the values that the function gives is what."""

    def __init__(self, ruleset: RuleSet, names: Sequence[str]) -> None:
        self._ruleset = ruleset
        self._segments: list[tuple[str, int]] = []
        self._lists: list[tuple[str, int]] = []
        self._cases: list[tuple[str, int]] = []
        self._values: list[tuple[str, int]] = []
        self._types: dict[str, Type] = {}
        for at, name in enumerate(names):
            match ruleset.definitions.get(name):
                case Segment():
                    self._segments.append((name, at))
                case StaticList():
                    self._lists.append((name, at))
                case Segmentation():
                    self._cases.append((name, at))
                case Attribute(value=value):
                    self._value(name, at, value.type)
                case Scorecard(type=type_):
                    self._value(name, at, type_)
                case None:
                    owner, _, output = name.rpartition(".")
                    segmentation = ruleset.definitions[owner]
                    assert isinstance(segmentation, Segmentation)
                    self._value(name, at, dict(segmentation.outputs)[output])

    def _value(self, name: str, at: int, type_: Type) -> None:
        self._values.append((name, at))
        self._types[name] = type_

    def answer(self, day: date, found: Sequence[Any]) -> Answer:
        return Answer(
            day,
            {name: found[at] for name, at in self._segments},
            {name: found[at] for name, at in self._lists},
            {name: found[at] for name, at in self._cases},
            {name: found[at] for name, at in self._values},
            self._types,
            self._ruleset,
        )


def refuse(ruleset: RuleSet, wanted: Iterable[str], thresholds: Mapping[Population, Thresholds]) -> None:
    """Raises `WrongUsage` for functions of the population that one customer alone cannot have."""
    found = []
    for name in needed(ruleset, wanted):
        for node in populations(ruleset.definitions[name]):
            args = {"definition": name, "function": node.function}
            if node.function not in CUT:
                found.append(Diagnostic("D880", node.span, args, Help("only")))
            elif node not in thresholds:
                found.append(Diagnostic("D881", node.span, args, Help("run")))
    if found:
        raise WrongUsage(found)
