"""One customer at a time: definitions, aggregates and population values, each computed once.

In: a rule set, tables, the date of the run; population values from elsewhere where given.  Out: the value of any
checked expression for a customer or in a row of a table.  Always: definitions are computed in their order, each after
what it needs, so that long chains of them need no deep recursion.

    Evaluator(ruleset, tables, as_of, results.population).value(segment.when, ordinal)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, assert_never

from segrules.engine.needs import expressions, needed, nodes, owner, references
from segrules.engine.reference import aggregates
from segrules.engine.reference.expressions import value_of
from segrules.engine.reference.population import Found, Standing, population
from segrules.engine.reference.rows import NOBODY, Rows
from segrules.engine.reference.values import OutOfRange, integer, within
from segrules.engine.stops import not_unique, overflow, overflow_in_row, shown_key
from segrules.errors import RunStopped
from segrules.model.expr import Aggregate, Constant, Expr, Population
from segrules.model.ruleset import Attribute, Definition, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.types import Value
from segrules.tables.columns import Column, Tables


@dataclass(frozen=True, slots=True)
class Choice:
    """What a segmentation chose for a customer. `truths`: of every case; `winner`: the position of the case that
    won, None where `otherwise` or `unknown` was reached; `passed_unknown`: ids of the unknown cases before it."""

    id: str
    outputs: tuple[Value, ...]
    truths: tuple[Value, ...]
    winner: int | None
    passed_unknown: tuple[str, ...]


class Evaluator:
    """Values by customer ordinal. `given` holds population columns that are known already; the others are computed
    over all customers when first wanted."""

    def __init__(
        self, ruleset: RuleSet, tables: Tables, as_of: int, given: Mapping[Population, Column] | None = None
    ) -> None:
        self.ruleset = ruleset
        self.as_of = as_of
        self.zone = ruleset.contracts.timezone
        self.lists = tables.lists
        self.populations: dict[Population, Found] = {}
        self._given = given or {}
        self._rows = Rows(ruleset.contracts, tables)
        self._table = ruleset.contracts.customers
        self._key = ruleset.contracts.tables[self._table].key or ""
        self.customers = tables.tables[self._table].rows
        self._values: dict[str, dict[int, Value]] = {}
        self._choices: dict[str, dict[int, Choice]] = {}
        self._aggregates: dict[int, tuple[Aggregate, dict[int, Value]]] = {}

    def value(self, expr: Expr, ordinal: int, definition: str = "") -> Value:
        """The stored value of *expr* for the customer *ordinal*; *definition* is named if the run stops."""
        self._prepare(expr, [ordinal])
        return value_of(expr, _Customer(self, ordinal, definition))

    def row_value(self, expr: Expr, table: str, row: int, definition: str = "") -> Value:
        """The stored value of *expr* in a row of *table*."""
        customer = self._rows.customer(table, row)
        self._prepare(expr, [customer])
        return value_of(expr, _Row(self, customer, definition, table, row))

    def rows(self, table: str, ordinal: int) -> Sequence[int]:
        """The rows of *table* that belong to the customer; for -1 those that belong to nobody."""
        return self._rows.of_customer(table, ordinal)

    def key(self, ordinal: int) -> Value:
        return self._rows.value(self._table, ordinal, self._key)

    def named(self, name: str, ordinal: int) -> Value:
        """The value of a definition or of an output (`tier.discount`) by name."""
        self._ready([owner(self.ruleset, name) or name], [ordinal])
        return self._values[name][ordinal]

    def choice(self, segmentation: str, ordinal: int) -> Choice:
        self._ready([segmentation], [ordinal])
        return self._choices[segmentation][ordinal]

    def define(self, name: str, ordinals: Iterable[int]) -> None:
        """Computes a definition whose needs have been computed for *ordinals*."""
        definition = self.ruleset.definitions[name]
        for expr in expressions(definition):
            self._populations_of(expr, name)
        known = self._values.setdefault(name, {})
        for ordinal in ordinals:
            if ordinal not in known:
                known[ordinal] = self._defined(definition, ordinal)

    def _prepare(self, expr: Expr, ordinals: Sequence[int]) -> None:
        self._ready(list(references(self.ruleset, expr)), ordinals)
        self._populations_of(expr, "")

    def _ready(self, names: Sequence[str], ordinals: Sequence[int]) -> None:
        if all(ordinal in self._values.get(name, {}) for name in names for ordinal in ordinals):
            return
        for name in needed(self.ruleset, names):
            self.define(name, ordinals)

    def _populations_of(self, expr: Expr, definition: str) -> None:
        """Computes the population functions in *expr*, inner ones first."""
        for node in reversed(list(nodes(expr))):
            if isinstance(node, Population) and node not in self._given and node not in self.populations:
                everybody = range(self.customers)
                parts = (node.value, *node.by, node.among or Constant(True, node.type))
                self._ready([name for part in parts for name in references(self.ruleset, part)], everybody)
                standings = []
                for ordinal in everybody:
                    scope = _Customer(self, ordinal, definition)
                    value, *by, among = [value_of(part, scope) for part in parts]
                    standings.append(Standing(ordinal, value, tuple(by), among is True))
                self.populations[node] = population(node, standings)

    def population_value(self, node: Population, ordinal: int) -> Value:
        if ordinal == NOBODY:
            return None
        given = self._given.get(node)
        return self.populations[node].values[ordinal] if given is None else given.at(ordinal)

    def _defined(self, definition: Definition, ordinal: int) -> Value:
        if ordinal == NOBODY:
            if isinstance(definition, Segmentation):
                for output, _ in definition.outputs:
                    self._values.setdefault(f"{definition.name}.{output}", {})[ordinal] = None
            return None
        scope = _Customer(self, ordinal, definition.name)
        match definition:
            case Attribute(value=expr) | Segment(when=expr):
                return value_of(expr, scope)
            case StaticList(name=name):
                return self.key(ordinal) in self.lists[name]
            case Segmentation():
                found = choose(definition, scope)
                self._choices.setdefault(definition.name, {})[ordinal] = found
                for (output, _), value in zip(definition.outputs, found.outputs, strict=True):
                    self._values.setdefault(f"{definition.name}.{output}", {})[ordinal] = value
                return found.id
            case Scorecard():
                return score(definition, scope)
            case _:
                assert_never(definition)

    def known(self, name: str, ordinal: int) -> Value:
        return self._values[name][ordinal]

    def aggregate(self, node: Aggregate, ordinal: int, definition: str) -> Value:
        """The value of *node* for a customer. *node* is kept, so that its identity stays its own."""
        if ordinal == NOBODY:
            return None
        _, known = self._aggregates.setdefault(id(node), (node, {}))
        if ordinal not in known:
            known[ordinal] = self._aggregated(node, ordinal, definition)
        return known[ordinal]

    def _aggregated(self, node: Aggregate, ordinal: int, definition: str) -> Value:
        contract = self.ruleset.contracts.tables[node.table]
        seen = []
        for row in self.rows(node.table, ordinal):
            scope = _Row(self, ordinal, definition, node.table, row)
            counts = node.where is None or value_of(node.where, scope) is True
            value = True if node.value is None else value_of(node.value, scope)
            if counts and value is not None:
                time = self._rows.value(node.table, row, contract.time) if contract.time else None
                key = self._rows.value(node.table, row, contract.key) if contract.key else None
                seen.append(aggregates.Seen(time, key, value))
        type_ = node.type if node.value is None else node.value.type
        match node.function:
            case "first":
                return aggregates.first(seen)
            case "last":
                return aggregates.last(seen)
        try:
            return aggregates.aggregate(node.function, [one.value for one in seen], type_, node.type)
        except OutOfRange:
            self.stop(node, ordinal, definition)

    def column(self, table: str, row: int, wanted: str, name: str) -> Value:
        return self._rows.value(wanted, self._rows.ancestor(table, row, wanted), name)

    def lookup(self, key: Value, table: str, name: str) -> Value:
        return self._rows.value(table, self._rows.find(table, key), name)

    def stop(self, node: Expr, ordinal: int, definition: str) -> NoReturn:
        raise RunStopped([overflow(node, definition, shown_key(self.ruleset, self.key(ordinal)))])

    def stop_in_row(self, node: Expr, definition: str, table: str, row: int) -> NoReturn:
        raise RunStopped([overflow_in_row(node, definition, table, self._rows.place(table, row))])


@dataclass(frozen=True, slots=True)
class _Customer:
    """A customer as a scope."""

    evaluator: Evaluator
    ordinal: int
    definition: str

    @property
    def as_of(self) -> int:
        return self.evaluator.as_of

    @property
    def zone(self) -> str:
        return self.evaluator.zone

    def column(self, table: str, name: str) -> Value:
        return self.evaluator.column(self.evaluator.ruleset.contracts.customers, self.ordinal, table, name)

    def lookup(self, key: Value, table: str, name: str) -> Value:
        return self.evaluator.lookup(key, table, name)

    def reference(self, name: str) -> Value:
        return self.evaluator.known(name, self.ordinal)

    def aggregate(self, node: Aggregate) -> Value:
        return self.evaluator.aggregate(node, self.ordinal, self.definition)

    def population(self, node: Population) -> Value:
        return self.evaluator.population_value(node, self.ordinal)

    def stop(self, node: Expr) -> NoReturn:
        self.evaluator.stop(node, self.ordinal, self.definition)


@dataclass(frozen=True, slots=True)
class _Row(_Customer):
    """A row of a related table as a scope: its own columns, its parents', and the customer's at the end."""

    table: str
    row: int

    def column(self, table: str, name: str) -> Value:
        return self.evaluator.column(self.table, self.row, table, name)

    def stop(self, node: Expr) -> NoReturn:
        if self.ordinal == NOBODY:
            self.evaluator.stop_in_row(node, self.definition, self.table, self.row)
        self.evaluator.stop(node, self.ordinal, self.definition)


def choose(segmentation: Segmentation, scope: _Customer) -> Choice:
    """The first TRUE case; none TRUE and one unknown: `unknown`, if given; else `otherwise`. Every case and every
    output is evaluated."""
    truths = tuple(value_of(case.when, scope) for case in segmentation.cases)
    outputs = [tuple(value_of(output, scope) for output in case.outputs) for case in segmentation.cases]
    reachable = {
        outcome: tuple(value_of(output, scope) for output in outcome.outputs)
        for outcome in (segmentation.otherwise, segmentation.unknown)
        if outcome is not None
    }
    true = [number for number, truth in enumerate(truths) if truth is True]
    if segmentation.hit_policy == "unique" and len(true) > 1:
        evaluator = scope.evaluator
        key = shown_key(evaluator.ruleset, evaluator.key(scope.ordinal))
        raise RunStopped([not_unique(segmentation, true[0], true[1], key)])
    winner = true[0] if true else None
    reached = segmentation.otherwise
    if segmentation.unknown is not None and None in truths:
        reached = segmentation.unknown
    if winner is not None:
        chosen, chosen_outputs = segmentation.cases[winner].id, outputs[winner]
    else:
        assert reached is not None, "a segmentation without `otherwise` has a case that is always TRUE"
        chosen, chosen_outputs = reached.id, reachable[reached]
    before = zip(segmentation.cases[:winner], truths[:winner], strict=True)
    passed = dict.fromkeys(case.id for case, truth in before if truth is None and case.id != chosen)
    return Choice(chosen, chosen_outputs, truths, winner, tuple(passed))


def score(scorecard: Scorecard, scope: _Customer) -> Value:
    """`base` plus, for each characteristic, the points of its first TRUE row, of `missing`, or of `otherwise`."""
    points = scorecard.base
    for characteristic in scorecard.characteristics:
        truths = [value_of(row.when, scope) for row in characteristic.rows]
        if True in truths:
            points += characteristic.rows[truths.index(True)].points
        elif None in truths and characteristic.missing is not None:
            points += characteristic.missing
        else:
            points += characteristic.otherwise
    try:
        return within(integer(points))
    except OutOfRange:
        scope.stop(Constant(points, scorecard.type, span=scorecard.span))
