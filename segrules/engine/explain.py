"""Why a customer is in, out or unknown.

In: a rule set, the tables and results of a run, a customer's key, perhaps a name.  Out: an `Explanation`.  Always: it
is made by the reference evaluator from the same tables; each part shows the author's own text; a private value never
leaves this module.

    explain(ruleset, tables, results, "C-0001", "star").names[0].nearest
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal as ShortDecimal
from fractions import Fraction
from typing import assert_never

import numpy as np

from segrules.engine.explanation import (
    CaseSeen,
    Change,
    Explained,
    Explanation,
    Part,
    Points,
    Threshold,
    Turn,
)
from segrules.engine.nearest import NEGATED, bare, case_predicate, is_fixed, nearest, sides
from segrules.engine.parts import Reader
from segrules.engine.reference.customers import Evaluator
from segrules.engine.results import Results
from segrules.engine.stops import no_such_customer, no_such_name, one_line, shown_key
from segrules.errors import WrongUsage
from segrules.model.expr import And, Call, Compare, Constant, Expr, In, IsMissing
from segrules.model.names import Named, as_written, find, of_definition
from segrules.model.ruleset import Attribute, Characteristic, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.spelling import spelled
from segrules.schema.types import (
    BOOL,
    INTEGER,
    NUMBER,
    TEXT,
    Date,
    Decimal,
    Integer,
    Number,
    Text,
    Timestamp,
    Type,
    Value,
    scale_of,
)  # fmt: skip
from segrules.source import NOWHERE, Span
from segrules.tables.columns import Column, Tables


def explain(ruleset: RuleSet, tables: Tables, results: Results, key: Value, name: str | None = None) -> Explanation:
    """Everything about *name* (a definition, case, output or column), or about every definition, for the customer
    with *key* (a stored value, or its spelling). *tables* has the rows that exist at `results.as_of`. Raises
    `WrongUsage` where there is no such customer or name."""
    ordinal = find_customer(results.keys, key, ruleset.contracts.timezone)
    if ordinal is None:
        raise WrongUsage([no_such_customer(ruleset, shown_key(ruleset, key), results.as_of)])
    if name is None:
        wanted = [of_definition(definition) for definition in as_written(ruleset)]
    else:
        found = find(ruleset, name)
        if found is None:
            raise WrongUsage([no_such_name(ruleset, name)])
        wanted = [found]
    evaluator = Evaluator(ruleset, tables, results.as_of, results.population)
    reader = Reader(evaluator, ordinal, results.cut_points)
    return Explanation(
        project=ruleset.name,
        key=shown_key(ruleset, evaluator.key(ordinal)),
        as_of=results.as_of,
        timezone=ruleset.contracts.timezone,
        names=tuple(_Subject(ruleset, evaluator, reader, ordinal).explained(one) for one in wanted),
    )


def find_customer(keys: Column, key: Value, timezone: str) -> int | None:
    """The ordinal of the customer whose key is *key*, or is spelled so."""
    match keys.type:
        case Text():
            codes = [code for code, text in enumerate(keys.dictionary) if text == str(key)]
            found = np.flatnonzero(np.isin(keys.values, codes)) if codes else np.array([], np.intp)
        case Integer() if str(key).strip().lstrip("-").isdecimal() and len(str(key)) <= 20:
            found = np.flatnonzero(keys.values == int(str(key)))
        case Integer():
            return None
        case Decimal() | Date() | Timestamp() if isinstance(key, int):
            found = np.flatnonzero(keys.values == key)
        case _:
            wanted = key if isinstance(key, str) else spelled(key, keys.type, timezone)
            for row in range(len(keys)):
                value = keys.at(row)
                if wanted in (spelled(value, keys.type, timezone), str(value)):
                    return row
            return None
    return int(found[0]) if len(found) else None


@dataclass(frozen=True, slots=True)
class _Subject:
    """The customer that is explained."""

    ruleset: RuleSet
    evaluator: Evaluator
    reader: Reader
    ordinal: int

    def explained(self, name: Named) -> Explained:
        definition = self.ruleset.definitions.get(name.definition)
        match definition:
            case None:
                return self._column_or_parameter(name)
            case Attribute():
                part = self.reader.part(definition.written, definition.value)
                near = self._nearest(definition.value, part.value) if definition.value.type == BOOL else None
                return Explained(
                    name.definition,
                    definition.label,
                    "attribute",
                    part.type,
                    part.value,
                    part.private,
                    part,
                    nearest=near,
                )
            case Segment():
                part = self.reader.part(definition.written, definition.when)
                near = self._nearest(definition.when, part.value)
                return Explained(
                    name.definition, definition.label, "segment", BOOL, part.value, part=part, nearest=near
                )
            case StaticList():
                value = self.evaluator.named(name.definition, self.ordinal)
                return Explained(name.definition, definition.label, "list", BOOL, value)
            case Segmentation():
                return self._segmentation(name, definition)
            case Scorecard():
                return self._scorecard(definition)
            case _:
                assert_never(definition)

    def _column_or_parameter(self, name: Named) -> Explained:
        if name.kind == "parameter":
            parameter = self.ruleset.parameters[name.definition]
            value = parameter.value
            if isinstance(value, tuple):
                value = tuple(
                    spelled(one, parameter.type, self.ruleset.contracts.timezone)
                    for one in value
                    if not isinstance(one, tuple)
                )
            return Explained(name.definition, parameter.label, name.kind, name.type, value)
        contracts = self.ruleset.contracts
        contract = contracts.tables[contracts.customers].columns[name.definition]
        value = self.evaluator.column(contracts.customers, self.ordinal, contracts.customers, name.definition)
        private = contract.pii and value is not None
        return Explained(name.definition, contract.label, "column", name.type, None if private else value, private)

    def _segmentation(self, name: Named, definition: Segmentation) -> Explained:
        choice = self.evaluator.choice(definition.name, self.ordinal)
        cases = []
        for position, case in enumerate(definition.cases):
            if case.written is not None:
                parts: tuple[Part, ...] = (self.reader.part(case.written, case.when),)
            else:
                parts = tuple(self.reader.cell(written, checked) for written, checked in case.parts)
            truth = choice.truths[position]
            parts = tuple(replace(part, decides=part.value is truth) for part in parts)
            if position == choice.winner:
                cases.append(CaseSeen(case.id, case.label, "won", parts))
            elif choice.winner is not None and position > choice.winner:
                cases.append(CaseSeen(case.id, case.label, "after", parts))
            else:
                cases.append(CaseSeen(case.id, case.label, "unknown" if truth is None else "false", parts))
        reached = [one for one in (definition.unknown, definition.otherwise) if one is not None and one.id == choice.id]
        if choice.winner is None and reached:
            cases.append(CaseSeen(choice.id, reached[0].label, "reached"))
        outputs = tuple(
            self.reader.named(f"{definition.name}.{output}", output, type_) for output, type_ in definition.outputs
        )
        if name.kind != "case":
            return Explained(
                definition.name, definition.label, "segmentation", TEXT, choice.id, cases=tuple(cases), outputs=outputs
            )
        is_in = choice.id == name.part
        label = next((one.label for one in cases if one.id == name.part), None)
        near = self._nearest(case_predicate(definition, name.part), is_in)
        return Explained(str(name), label, "case", BOOL, is_in, cases=tuple(cases), outputs=outputs, nearest=near)

    def _scorecard(self, definition: Scorecard) -> Explained:
        points = tuple(self._points(characteristic) for characteristic in definition.characteristics)
        value = self.evaluator.named(definition.name, self.ordinal)
        return Explained(
            definition.name, definition.label, "scorecard", definition.type, value, base=definition.base, points=points
        )

    def _points(self, characteristic: Characteristic) -> Points:
        truths = []
        for row in characteristic.rows:
            truth = self.evaluator.value(row.when, self.ordinal)
            if truth is True:
                return Points(characteristic.name, row.points, "row", self.reader.part(row.written, row.when))
            truths.append(truth)
        if None in truths and characteristic.missing is not None:
            row = characteristic.rows[truths.index(None)]
            part = self.reader.part(row.written, row.when)
            return Points(characteristic.name, characteristic.missing, "missing", part)
        return Points(characteristic.name, characteristic.otherwise, "otherwise")

    def _value(self, expr: Expr) -> Value:
        return self.evaluator.value(expr, self.ordinal)

    def _nearest(self, predicate: Expr, truth: Value) -> tuple[Change, ...] | None:
        if truth is True:
            return None
        found = nearest(predicate, self._value, self._distance, self.ruleset)
        return None if found is None else tuple(self._change(atom, becomes) for atom, becomes in self._together(found))

    def _together(self, found: tuple[tuple[Expr, bool], ...]) -> list[tuple[Expr, bool]]:
        """Of a window or range whose both ends would have to change, the whole."""
        ends: dict[Span, list[tuple[Expr, bool]]] = {}
        for atom, becomes in found:
            ends.setdefault(atom.span, []).append((atom, becomes))
        merged: list[tuple[Expr, bool]] = []
        for span, pairs in ends.items():
            whole = span is not NOWHERE and len(pairs) == 2 and all(isinstance(one, Compare) for one, _ in pairs)
            both = And(tuple(one for one, _ in pairs), span=span)
            merged += [(both, True)] if whole and all(becomes for _, becomes in pairs) else pairs
        return merged

    def _distance(self, atom: Expr) -> float:
        """How far a condition is from turning: 0 … 1 for a comparison of numbers or dates, else 1."""
        if not isinstance(atom, Compare):
            return 1.0
        subject, op, bound = sides(atom)
        now, needed = _number(self._value(subject), subject.type), _number(self._value(bound), bound.type)
        if now is None or needed is None or op in ("=", "!="):
            return 1.0
        return float(abs(now - needed) / (abs(now) + abs(needed) + 1))

    def _change(self, atom: Expr, becomes: bool) -> Change:
        match atom:
            case Compare():
                return self._threshold(atom, becomes)
            case In(operand) | IsMissing(operand) | Call(_, (operand, *_)) | And((Compare(_, operand), *_)):
                subject = bare(operand)
                now, private = self.reader.public(subject)
                text = one_line(subject.span.text) if not isinstance(subject, Constant) else None
                return Turn(self._text(atom), becomes, self._truth(atom), text, now, subject.type, private)
            case _:
                return Turn(self._text(atom), becomes, self._truth(atom))

    def _threshold(self, atom: Compare, becomes: bool) -> Threshold:
        subject, op, bound = sides(atom)
        if not becomes:
            op = NEGATED[op]
        local = bare(subject) if is_fixed(bound) and not _is_local_day(subject) else subject
        now, private = self.reader.public(local)
        needed, bound_private = self.reader.public(bound)
        by, by_type = _apart(now, local.type, needed, bound.type)
        if op in ("=", "!=") or not by:
            by = None
        text = one_line(bare(subject).span.text) or self._text(atom)
        if bare(subject).span == atom.span:
            text = self._text(bare(subject))
        return Threshold(text, op, needed, bound.type, now, local.type, by, by_type, private, bound_private)

    def _text(self, node: Expr) -> str:
        return self.reader.text(node)

    def _truth(self, atom: Expr) -> bool | None:
        found = self._value(atom)
        return found if isinstance(found, bool) else None


def _is_local_day(node: Expr) -> bool:
    return isinstance(node.type, Date) and isinstance(bare(node).type, Timestamp)


def _number(value: Value, type_: Type) -> Fraction | None:
    match type_, value:
        case ((Integer() | Decimal() | Number() | Date()), int() | float()):
            return Fraction(value) / Fraction(10) ** scale_of(type_)
        case Timestamp(), int():
            return Fraction(value, 86_400_000_000)
        case _:
            return None


def _apart(now: Value, now_type: Type, needed: Value, needed_type: Type) -> tuple[Value, Type]:
    """The distance between two values and its type: days between dates, exact between exact numbers."""
    one, other = _number(now, now_type), _number(needed, needed_type)
    if one is None or other is None:
        return None, INTEGER
    apart = abs(one - other)
    match now_type, needed_type:
        case (Date(), _) | (_, Date()):
            return int(apart), INTEGER
        case (Timestamp(), _) | (_, Timestamp()):
            return None, INTEGER
        case (Number(), _) | (_, Number()):
            shown = [ShortDecimal(repr(float(one))), ShortDecimal(repr(float(other)))]
            return float(abs(shown[0] - shown[1])), NUMBER
        case _:
            scale = max(scale_of(now_type), scale_of(needed_type))
            return int(apart * 10**scale), Decimal(scale) if scale else INTEGER
