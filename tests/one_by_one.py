"""The scalar engine seen as one that does all customers, so that it can stand in the same tests as the others.

In: a rule set, tables, a date.  Out: `Results`, each value of which came from `Evaluator.one`.  Always: customers and
their rows go in as Python values; what only a run over everybody can say (cut points, how many passed an unknown case,
values of `ntile`, `rank` and `percent_rank`) is the reference's, after the evaluator has refused those by name.

    evaluate(ruleset, tables, as_of)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from segrules.engine.needs import needed
from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.reference.rows import column
from segrules.engine.results import Assignment, Bits, Membership, Results
from segrules.engine.scalar.answer import Answer
from segrules.engine.scalar.cells import friendly
from segrules.engine.scalar.evaluator import Evaluator
from segrules.engine.scalar.lookups import Lookups
from segrules.engine.scalar.population import CUT, populations, thresholds
from segrules.errors import RunStopped, WrongUsage
from segrules.model.ruleset import RuleSet
from segrules.schema.types import Value
from segrules.tables.columns import Column, Tables

RANKS = ("ntile", "rank", "percent_rank")


def without(rules: RuleSet, names: Iterable[str], functions: tuple[str, ...]) -> list[str]:
    """The definitions that need none of the functions of the population that are named."""

    def needs(name: str) -> bool:
        definitions = [rules.definitions[each] for each in needed(rules, [name])]
        return any(node.function in functions for each in definitions for node in populations(each))

    return [name for name in names if not needs(name)]


@dataclass(frozen=True)
class Rows:
    """Tables as rows of Python values."""

    rules: RuleSet
    tables: Tables

    def of(self, name: str, rows: Iterable[int]) -> list[dict[str, Any]]:
        contracts = self.rules.contracts
        columns: Mapping[str, Column] = self.tables.tables[name].columns
        stored = [each for each in columns if contracts.tables[name].columns[each].value is None]
        return [
            {each: friendly(columns[each].at(row), columns[each].type, contracts.timezone) for each in stored}
            for row in rows
        ]

    def customer(self, ordinal: int) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        """A customer, and the rows of every table that belong to them."""
        contracts = self.rules.contracts
        rows = {contracts.customers: [ordinal]}
        below = [name for name in contracts.tables if contracts.tables[name].belongs_to is not None]
        for name in sorted(below, key=lambda each: len(contracts.chain(each))):
            up, parent = contracts.tables[name].belongs_to, self.tables.tables[name].parent
            assert up is not None and parent is not None
            rows[name] = [row for row, above in enumerate(parent.tolist()) if above in rows[up.table]]
        (own,) = self.of(contracts.customers, [ordinal])
        return own, {name: self.of(name, rows[name]) for name in rows if name != contracts.customers}


def evaluator(rules: RuleSet, tables: Tables, names: Collection[str], results: Results | None) -> Evaluator:
    cut = {} if results is None else thresholds(rules, results)
    wanted = [name for name in rules.definitions if name in names]
    return Evaluator(rules, wanted, Lookups.bound(rules, tables), cut, lambda day: day)


def evaluate(ruleset: RuleSet, tables: Tables, as_of: int, only: Collection[str] | None = None) -> Results:
    """The door of an engine."""
    asked = list(ruleset.definitions) if only is None else list(only)
    names = without(ruleset, asked, RANKS)
    for name in asked:
        if name not in names:
            with pytest.raises(WrongUsage) as refused:
                evaluator(ruleset, tables, [name], None)
            assert "D880" in [one.code for one in refused.value.diagnostics]
    places_by_cuts = without(ruleset, names, CUT) != names
    known = reference(ruleset, tables, as_of, only) if places_by_cuts else None
    one = evaluator(ruleset, tables, names, known)
    rows = Rows(ruleset, tables)
    found: list[Answer] = []
    for ordinal in range(tables.tables[ruleset.contracts.customers].rows):
        own, related = rows.customer(ordinal)
        found.append(one.one(own, as_of, **related))
    try:
        whole = known or reference(ruleset, tables, as_of, only)
    except RunStopped as stopped:
        assert [one.code for one in stopped.diagnostics] == ["D851"], "only rows of nobody stop no customer"
        raise
    return filled(whole, found) if found else whole


def filled(whole: Results, found: list[Answer]) -> Results:
    """*whole* with the values of the answers."""

    def membership(name: str, kind: str) -> Membership:
        truths: list[Value] = [getattr(one, kind)[name] for one in found]
        unknown = np.array([truth is None for truth in truths], np.bool_)
        return Membership(
            Bits.of(np.array([truth is True for truth in truths], np.bool_)),
            Bits.of(unknown) if unknown.any() else None,
        )

    def assignment(name: str, one: Assignment) -> Assignment:
        codes = [one.ids.index(answer.cases[name]) for answer in found]
        return replace(one, codes=np.array(codes, np.uint16))

    first = found[0]
    values = {
        name: column(one.type, [answer.stored[name] for answer in found]) if name in first.stored else one
        for name, one in whole.values.items()
    }
    return replace(
        whole,
        segments={n: membership(n, "segments") if n in first.segments else one for n, one in whole.segments.items()},
        lists={n: membership(n, "lists") if n in first.lists else one for n, one in whole.lists.items()},
        segmentations={n: assignment(n, one) if n in first.cases else one for n, one in whole.segmentations.items()},
        values=values,
    )
