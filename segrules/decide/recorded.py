"""What the ledger remembers of a run: who was in what, and whether the rule is still the one it was.

In: a rule set and its results.  Out: recorded names with their fingerprints and members.  Always: a fingerprint is the
SHA-256 of what a name means: of its predicate, with every name in it replaced by that name's fingerprint, and of
`rows:`, `duplicates:` and computed columns of the tables it reads.  So labels, places, the order of files and pure
renames do not change it, and any threshold does.

    recorded(ruleset)      # [("star", ("vip",), "9c41…"), …, ("action:winback_coupon", (), "07de…")]

Recorded are segments, lists, cases by their qualified id, and of each action who matches `for`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import sha256
from typing import assert_never

import numpy as np

from segrules.decide.asked import answers
from segrules.decide.keys import key_texts
from segrules.engine.needs import nodes, owner
from segrules.engine.results import Results
from segrules.model.campaign import Action
from segrules.model.expr import Aggregate, Column, Compare, Constant, Expr, In, Lookup, Reference
from segrules.model.ruleset import (
    Attribute,
    CaseRule,
    Definition,
    RuleSet,
    Scorecard,
    Segment,
    Segmentation,
    StaticList,
)
from segrules.state.records import MemberChange, Members
from segrules.tables.columns import Bools


def action_name(action: Action) -> str:
    """The name under which the ledger remembers who matches `for`."""
    return f"action:{action.first_id}"


def recorded(ruleset: RuleSet) -> list[tuple[str, tuple[str, ...], str]]:
    """(name, older names, oldest first, fingerprint) of everything whose members the ledger remembers."""
    meaning = _Meaning(ruleset)
    found: list[tuple[str, tuple[str, ...], str]] = []
    for definition in ruleset.definitions.values():
        match definition:
            case Segment(name, previously=previously):
                found.append((name, previously, meaning.of(name)))
            case StaticList(name):
                found.append((name, (), meaning.of(name)))
            case Segmentation(name):
                for id_ in definition.ids:
                    before = tuple(f"{name}.{one}" for one in _older_ids(definition, id_))
                    found.append((f"{name}.{id_}", before, meaning.of_case(definition, id_)))
            case Attribute() | Scorecard():
                pass
            case _:
                assert_never(definition)
    for action in ruleset.campaign.actions.values():
        older = tuple(f"action:{id_}" for id_ in (*action.previously[1:], action.id) if id_ != action.first_id)
        found.append((action_name(action), older, meaning.of_expression(action.when)))
    return found


def memberships(ruleset: RuleSet, results: Results) -> Members:
    """Who is in what, of everything recorded; *results* are those of `asked`."""
    every = key_texts(results.keys, ruleset.contracts.timezone)
    found = [
        MemberChange(name, fingerprint, members, older)
        for (name, older, fingerprint), members in zip(recorded(ruleset), _members(ruleset, results), strict=True)
    ]
    return Members(every(np.arange(results.customers)), found)


def _members(ruleset: RuleSet, results: Results) -> Iterator[Bools]:
    """The members of everything recorded, in its order."""
    for definition in ruleset.definitions.values():
        match definition:
            case Segment(name):
                yield results.segments[name].true.mask()
            case StaticList(name):
                yield results.lists[name].true.mask()
            case Segmentation(name):
                for id_ in definition.ids:
                    yield results.segmentations[name].members(id_).mask()
            case Attribute() | Scorecard():
                pass
            case _:
                assert_never(definition)
    found = answers(ruleset.campaign, results)
    for action in ruleset.campaign.actions.values():
        yield found.truth(action.when)[0]


def _older_ids(segmentation: Segmentation, id_: str) -> Sequence[str]:
    """What a case was called before, from any of the rows that share its id."""
    rows = (case.previously for case in segmentation.cases if case.id == id_)
    return tuple(dict.fromkeys(one for each in rows for one in each))


@dataclass(slots=True)
class _Meaning:
    """Fingerprints, each worked out once; in the order of need, so that no chain is too long."""

    ruleset: RuleSet
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, definition in self.ruleset.definitions.items():
            self.names[name] = self._definition(definition)

    def of(self, name: str) -> str:
        return self.names[name]

    def of_expression(self, expression: Expr) -> str:
        """Of an expression with what it reads: which rows of a table there are, how its computed columns are made."""
        tables = self.ruleset.contracts.tables
        read: dict[str, str] = {}
        waiting = [expression]

        def reads(table: str, column: str | None = None) -> None:
            contract = tables[table]
            made = contract.rows if column is None else contract.columns[column].value
            place = table if column is None else f"{table}.{column}"
            if place not in read and (column is None or made is not None):
                read[place] = f"{self._spelled(made)} {contract.duplicates if column is None else ''}"
                waiting.extend(() if made is None else (made,))

        reads(self.ruleset.contracts.customers)
        while waiting:
            for node in nodes(waiting.pop()):
                match node:
                    case Column(table, name) | Lookup(_, table, name):
                        reads(table)
                        reads(table, name)
                    case Aggregate(_, table):
                        for each in self.ruleset.contracts.chain(table):
                            reads(each)
                    case _:
                        pass
        return _digest("expression", self._spelled(expression), *(f"{place}: {read[place]}" for place in sorted(read)))

    def of_case(self, segmentation: Segmentation, id_: str) -> str:
        """Of who ends in a case: its own rows, and those before the last of them, whatever they are called."""
        rows = [(case.id == id_, self.of_expression(case.when)) for case in segmentation.cases]
        ends = [("unknown", segmentation.unknown), ("otherwise", segmentation.otherwise)]
        reached = [name for name, outcome in ends if outcome is not None and outcome.id == id_]
        if not reached:
            last = max(place for place, (own, _) in enumerate(rows) if own)
            rows = rows[: last + 1]
        return _digest("case", repr(rows), repr(reached), repr(segmentation.unknown is not None and bool(reached)))

    def _definition(self, definition: Definition) -> str:
        match definition:
            case Attribute(value=value):
                return self.of_expression(value)
            case Segment(when=when):
                return self.of_expression(when)
            case StaticList(file=file, column=column):
                return _digest("list", file, column)
            case Segmentation():
                rows = [
                    (_first_id(case), self.of_expression(case.when), *map(self.of_expression, case.outputs))
                    for case in definition.cases
                ]
                ends = [
                    None if each is None else (_first_of(definition, each.id), *map(self.of_expression, each.outputs))
                    for each in (definition.unknown, definition.otherwise)
                ]
                return _digest("segmentation", definition.hit_policy, repr(rows), repr(ends))
            case Scorecard():
                parts = [
                    ([(self.of_expression(row.when), row.points) for row in one.rows], one.otherwise, one.missing)
                    for one in definition.characteristics
                ]
                return _digest("scorecard", str(definition.base), str(definition.type), repr(parts))
            case _:
                assert_never(definition)

    def _spelled(self, value: object) -> str:
        """An expression, or a part of one, in one spelling: without places, names by what they mean."""
        match value:
            case Reference(name):
                return self._named(name)
            case Compare(op, left, right):
                return f"({f' {op} '.join(self._alike(left, right))})"
            case In(operand, options):
                first, *others = self._alike(operand, *options)
                return f"({first} in [{', '.join(others)}])"
            case tuple():
                return f"[{', '.join(map(self._spelled, value))}]"
            case _ if is_dataclass(value):
                parts = (self._spelled(getattr(value, each.name)) for each in fields(value) if each.name != "span")
                return f"{type(value).__name__}({', '.join(parts)})"
            case _:
                return repr(value)

    def _alike(self, *operands: Expr) -> list[str]:
        """Values that are compared: with a segmentation, a case goes by its oldest id."""
        named = [self.ruleset.definitions.get(each.name) for each in operands if isinstance(each, Reference)]
        cases = next((each for each in named if isinstance(each, Segmentation)), None)
        return [
            repr(_first_of(cases, each.value))
            if cases is not None and isinstance(each, Constant) and isinstance(each.value, str)
            else self._spelled(each)
            for each in operands
        ]

    def _named(self, name: str) -> str:
        """The value of a definition, or of an output of a decision table by its place."""
        own = owner(self.ruleset, name)
        assert own is not None, name
        definition = self.ruleset.definitions[own]
        if own == name or not isinstance(definition, Segmentation):
            return self.names[own]
        outputs = [output for output, _ in definition.outputs]
        return f"{self.names[own]}#{outputs.index(name.removeprefix(f'{own}.'))}"


def _first_id(case: CaseRule) -> str:
    return case.previously[0] if case.previously else case.id


def _first_of(segmentation: Segmentation, id_: str) -> str:
    """The oldest id of a case; of anything else the id itself."""
    return next((_first_id(case) for case in segmentation.cases if case.id == id_ and case.previously), id_)


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()
