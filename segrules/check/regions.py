"""Which values a test of one value takes: what makes coverage and disjointness a matter of counting.

In: checked tests of one subject (comparisons with what is known before the run, sets, windows, `is missing`, joined
by and, or, not).  Out: a `Line`: the values of the subject cut into pieces on which no test changes its answer, and
for each test the set of pieces where it is TRUE.  Always: exact for integers, decimals, dates and finite `values`;
careful for text and doubles (a piece between two constants counts as possible); None where a test is of another kind.

    line(score, [score < 60, score >= 60], scope).true      # (0b00001, 0b11110): pieces < 60, = 60, > 60 …
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

from segrules.check.bounds import bounds
from segrules.check.facts import constant_value, finite_values
from segrules.check.missing import can_be_missing
from segrules.check.scope import Scope
from segrules.check.widen import exact, spell
from segrules.model.expr import (
    And,
    AsOf,
    Compare,
    CompareOp,
    Constant,
    Convert,
    Expr,
    In,
    IsMissing,
    Not,
    Or,
    Shift,
    WindowEdge,
)  # fmt: skip
from segrules.schema import calendar
from segrules.schema.types import Bool, Date, Decimal, Integer, Number, Text, Timestamp, Type, Value, scale_of

Point: TypeAlias = Fraction | str | bool
Sets: TypeAlias = tuple[int, int]
MOST_RELATIVE = 300
SAMPLE_DAYS = tuple(range(calendar.from_date(date(2027, 1, 1)), calendar.from_date(date(2029, 1, 1))))


class Opaque(Exception):
    """A test that is not about constants; never leaves this module."""


@dataclass(frozen=True, slots=True)
class Line:
    """`possible`: the pieces that hold a value; `missing`: the one piece of a missing value, 0 if there is none.
    `true`: for each test the pieces on which it is TRUE (that of missing too)."""

    type: Type
    points: tuple[Point, ...]
    possible: int
    missing: int
    true: tuple[int, ...]

    def describe(self, pieces: int) -> str:
        """The first of *pieces* as a test that people write."""
        if pieces & self.missing or not pieces:
            return "missing"
        at = (pieces & -pieces).bit_length() - 1
        if at % 2:
            return f"= {_spell(self.points[at // 2], self.type)}"
        after = f"> {_spell(self.points[at // 2 - 1], self.type)}" if at else ""
        before = f"< {_spell(self.points[at // 2], self.type)}" if at // 2 < len(self.points) else ""
        return ", ".join(part for part in (after, before) if part) or "-"


def lines(subject: Expr, tests: Sequence[Expr], scope: Scope) -> list[Line] | None:
    """The line of *subject* cut by all *tests*; one per sample date where they depend on the date of the run (then
    what holds on each of them holds on all days of common and leap years). None where a test is opaque."""
    try:
        relative = any(_relative(test) for test in tests)
        if relative and len(tests) > MOST_RELATIVE:
            return None
        return [_line(subject, tests, day, scope) for day in (SAMPLE_DAYS if relative else SAMPLE_DAYS[:1])]
    except Opaque:
        return None


def _line(subject: Expr, tests: Sequence[Expr], day: int, scope: Scope) -> Line:
    cutter = _Cutter(subject, day, scope)
    found: set[Point] = set()
    for test in tests:
        cutter.collect(test, found)
    values = finite_values(subject, scope)
    if values is not None:
        found.update(point for value in values if (point := _point(value, subject.type)) is not None)
    points = tuple(sorted(found))
    pieces = 2 * len(points) + 1
    missing = 1 << pieces if can_be_missing(subject) else 0
    possible = _possible(subject, points, values, scope)
    ruler = _Ruler(cutter, points, (1 << pieces) - 1, missing)
    return Line(subject.type, points, possible, missing, tuple(ruler.sets(test)[0] for test in tests))


def _relative(test: Expr) -> bool:
    waiting = [test]
    while waiting:
        node = waiting.pop()
        match node:
            case AsOf() | WindowEdge():
                return True
            case Not(operand) | Shift(operand=operand) | Convert(operand=operand) | IsMissing(operand=operand):
                waiting.append(operand)
            case And(operands) | Or(operands):
                waiting += operands
            case Compare(left=left, right=right):
                waiting += [left, right]
            case In(operand, options):
                waiting += options
    return False


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Reads tests of one subject on one date of the run."""

    subject: Expr
    day: int
    scope: Scope

    def collect(self, test: Expr, found: set[Point]) -> None:
        """Add the constants of *test*. Raises `Opaque`."""
        match test:
            case Constant() | IsMissing():
                return
            case Not(operand):
                self.collect(operand, found)
            case And(operands) | Or(operands):
                for operand in operands:
                    self.collect(operand, found)
            case Compare():
                _, span = self.comparison(test)
                found.update(span or ())
            case In(_, options):
                for option in options:
                    _, span = self.comparison(Compare("=", test.operand, option))
                    found.update(span or ())
            case _:
                if test == self.subject and isinstance(test.type, Bool):
                    found.update((False, True))
                    return
                raise Opaque

    def comparison(self, test: Compare) -> tuple[CompareOp, tuple[Point, Point] | None]:
        """The comparison with the subject at its left: first and last point of the constant; None: missing."""
        if self._is_subject(test.left):
            return test.op, self._span(test.right, test.left)
        if self._is_subject(test.right):
            return MIRRORED[test.op], self._span(test.left, test.right)
        raise Opaque

    def _is_subject(self, node: Expr) -> bool:
        return node == self.subject or (isinstance(node, Convert) and node.operand == self.subject)

    def _span(self, node: Expr, subject_side: Expr) -> tuple[Point, Point] | None:
        by_day = isinstance(self.subject.type, Timestamp) and isinstance(subject_side.type, Date)
        known = constant_value(node)
        if known is not None and known.value is None:
            return None
        day = self._day(node)
        if day is not None and by_day:
            zone = self.scope.contracts.timezone
            first = calendar.start_of_day(day, zone)
            return Fraction(first), Fraction(calendar.end_of_day(day, zone))
        point = Fraction(day) if day is not None else None if known is None else _point(known.value, known.type)
        if point is None or by_day:
            raise Opaque
        return point, point

    def _day(self, node: Expr) -> int | None:
        """The date that *node* is, where it depends on nothing but the date of the run."""
        match node:
            case Constant(int(value), Date()):
                return value
            case AsOf():
                return self.day
            case WindowEdge(kind, amount, unit, edge):
                return calendar.window(kind, amount, unit, self.day)[0 if edge == "first" else 1]
            case Shift(operand, amount, unit):
                start = self._day(operand)
                return None if start is None else calendar.shift(start, amount, unit)
            case _:
                return None


MIRRORED: dict[CompareOp, CompareOp] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Sets of pieces: bit 2i+1 is the i-th point, bit 2i the open stretch before it, the last bit that after all."""

    cutter: _Cutter
    points: tuple[Point, ...]
    everything: int
    missing: int

    def sets(self, test: Expr) -> Sets:
        """Where *test* is TRUE and where it is FALSE."""
        match test:
            case Constant(value):
                whole = self.everything | self.missing
                return (whole, 0) if value is True else (0, whole) if value is False else (0, 0)
            case IsMissing(operand):
                if operand != self.cutter.subject:
                    raise Opaque
                return self.missing, self.everything
            case Not(operand):
                true, false = self.sets(operand)
                return false, true
            case And(operands):
                true, false = self.everything | self.missing, 0
                for part in map(self.sets, operands):
                    true, false = true & part[0], false | part[1]
                return true, false
            case Or(operands):
                true, false = 0, self.everything | self.missing
                for part in map(self.sets, operands):
                    true, false = true | part[0], false & part[1]
                return true, false
            case Compare():
                return self._comparison(*self.cutter.comparison(test))
            case In(operand, options):
                return self.sets(Or(tuple(Compare("=", operand, option) for option in options)))
            case _:
                return self._comparison("=", (True, True))

    def _comparison(self, op: CompareOp, span: tuple[Point, Point] | None) -> Sets:
        if span is None:
            return 0, 0
        first = 1 << 2 * self._at(span[0]) + 1
        last = 1 << 2 * self._at(span[1]) + 1
        below, through = first - 1, 2 * last - 1
        within = through & ~below
        match op:
            case "=":
                true = within
            case "!=":
                true = self.everything & ~within
            case "<":
                true = below
            case "<=":
                true = through
            case ">":
                true = self.everything & ~through
            case ">=":
                true = self.everything & ~below
        return true, self.everything & ~true

    def _at(self, point: Point) -> int:
        return bisect_left(self.points, point)


def _possible(subject: Expr, points: tuple[Point, ...], values: tuple[Value, ...] | None, scope: Scope) -> int:
    """The pieces that hold at least one value which the subject can have."""
    if values is not None:
        held = {point for value in values if (point := _point(value, subject.type)) is not None}
        return sum(1 << 2 * bisect_left(points, point) + 1 for point in held)
    pieces = (1 << 2 * len(points) + 1) - 1
    if isinstance(subject.type, Text):
        return pieces & ~1 if points and points[0] == "" else pieces
    limits = bounds(subject, scope)
    scale = scale_of(subject.type)
    discrete = isinstance(subject.type, Integer | Decimal | Date | Timestamp)
    numbers = [point for point in points if isinstance(point, Fraction)]
    if len(numbers) != len(points):
        return pieces
    found = 0
    for at in range(2 * len(numbers) + 1):
        if at % 2:
            number = numbers[at // 2]
            fits = (number * 10**scale).denominator == 1 if discrete else True
            inside = (limits.low is None or number >= limits.low) and (limits.high is None or number <= limits.high)
            found |= (1 << at) if fits and inside else 0
            continue
        after = numbers[at // 2 - 1] if at else None
        before = numbers[at // 2] if at // 2 < len(numbers) else None
        if discrete:
            holds = _lattice(after, before, limits.low, limits.high, 10**scale)
        else:
            holds = (before is None or limits.low is None or before > limits.low) and (
                after is None or limits.high is None or after < limits.high
            )
        found |= (1 << at) if holds else 0
    return found


def _lattice(
    after: Fraction | None, before: Fraction | None, low: Fraction | None, high: Fraction | None, unit: int
) -> bool:
    """Whether a multiple of 1/unit lies strictly between *after* and *before*, and within *low* … *high*."""
    least = max(
        (floor(after * unit) + 1 if after is not None else None, ceil(low * unit) if low is not None else None),
        key=lambda one: float("-inf") if one is None else one,
    )
    most = min(
        (ceil(before * unit) - 1 if before is not None else None, floor(high * unit) if high is not None else None),
        key=lambda one: float("inf") if one is None else one,
    )
    return least is None or most is None or least <= most


def _point(value: Value, type_: Type) -> Point | None:
    if isinstance(value, str | bool):
        return value
    return exact(value, type_)


def _spell(point: Point, type_: Type) -> str:
    match point:
        case bool():
            return spell(point, Bool())
        case str():
            return f'"{point}"'
    if isinstance(type_, Number):
        return str(float(point))
    scaled = point * 10 ** scale_of(type_)
    return spell(int(scaled), type_) if scaled.denominator == 1 else str(float(point))
