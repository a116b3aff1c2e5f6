"""Scorecards.

In: a written scorecard.  Out: `Scorecard`, or None after reports.  Always: points are stored in the scorecard's one
type, integer, or decimal with the digits of its finest point; `missing:` is there wherever a row can be unknown.

    scorecard(written, scope)      # Scorecard("potential_score", base=20, …, type=INTEGER)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

from segrules.check.infer import predicate
from segrules.check.missing import can_be_missing
from segrules.check.needs import needs
from segrules.check.scope import Bounds, Scope, is_wrong
from segrules.check.values import constant
from segrules.check.widen import in_64_bits, shorten, shown
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.documents import Scalar, WrittenCharacteristic, WrittenScorecard
from segrules.model.ruleset import Characteristic, PointRow, Scorecard
from segrules.schema.types import INTEGER, Decimal, Integer, Type, scale_of

Steps: TypeAlias = "Generator[Iterable[str], None, Scorecard | None]"
Stored: TypeAlias = "Callable[[Scalar], int]"


def scorecard(written: WrittenScorecard, scope: Scope) -> Steps:
    """The checked scorecard."""
    yield needs((row.when for one in written.characteristics for row in one.points if row.when is not None), scope)
    points = {id(one): _points(one, scope) for one in _scalars(written)}
    known = [one for one in points.values() if one is not None]
    scale = max((scale_of(type_) for type_, _ in known), default=0)
    type_: Type = Decimal(scale) if any(isinstance(one, Decimal) for one, _ in known) else INTEGER

    def stored(scalar: Scalar | None) -> int:
        found = None if scalar is None else points[id(scalar)]
        return 0 if found is None else found[1] * 10 ** (scale - scale_of(found[0]))

    _names_once(written, scope)
    checked = [_characteristic(one, stored, scope) for one in written.characteristics]
    if any(one is None for one in checked) or len(known) < len(points):
        return None
    card = Scorecard(
        written.name.text,
        written.label,
        stored(written.base),
        tuple(one for one in checked if one is not None),
        type_,
        span=written.name.span,
    )
    low, high = _range(card)
    if not in_64_bits(low) or not in_64_bits(high):
        scope.report("T409", written.name.span, {"text": written.name.text})
        return None
    return card


def _names_once(written: WrittenScorecard, scope: Scope) -> None:
    seen: dict[str, WrittenCharacteristic] = {}
    for one in written.characteristics:
        first = seen.setdefault(one.name.text, one)
        if first is not one and one.name.text:
            told = {"card": written.name.text, "name": one.name.text}
            scope.found.append(Diagnostic("R561", one.name.span, told, also=(first.name.span,)))


def limits(card: Scorecard) -> Bounds:
    """The least and greatest score."""
    low, high = _range(card)
    unit = 10 ** scale_of(card.type)
    return Bounds(Fraction(low, unit), Fraction(high, unit))


def _range(card: Scorecard) -> tuple[int, int]:
    choices = [
        [row.points for row in one.rows] + [one.otherwise] + ([] if one.missing is None else [one.missing])
        for one in card.characteristics
    ]
    return card.base + sum(map(min, choices)), card.base + sum(map(max, choices))


def _scalars(written: WrittenScorecard) -> Iterator[Scalar]:
    if written.base is not None:
        yield written.base
    for one in written.characteristics:
        yield from (row.points for row in one.points)
        if one.missing is not None:
            yield one.missing


def _points(scalar: Scalar, scope: Scope) -> tuple[Type, int] | None:
    found = constant(scalar, scope.contracts.timezone)
    if isinstance(found, Diagnostic):
        scope.found.append(found)
        return None
    type_, value = found
    if not isinstance(type_, Integer | Decimal) or not isinstance(value, int):
        scope.report("T427", scalar.span, {"text": shorten(scalar.text)})
        return None
    return type_, value


def _characteristic(written: WrittenCharacteristic, stored: Stored, scope: Scope) -> Characteristic | None:
    rows: list[PointRow] = []
    otherwise: int | None = None
    wrong = False
    for at, row in enumerate(written.points):
        if row.when is None:
            otherwise = stored(row.points)
            if at < len(written.points) - 1:
                scope.report("R559", row.points.span, {"name": written.name.text})
                wrong = True
            continue
        when = predicate(row.when, scope, Words("needs.points"))
        wrong = wrong or is_wrong(when)
        rows.append(PointRow(when, stored(row.points), row.when, span=row.when.span))
    unknown = _first_unknown(rows)
    if written.missing is None and unknown is not None and not wrong:
        args = {"name": written.name.text, "text": shown(unknown.written)}
        scope.report("R558", written.name.span, args, Help("missing"))
        wrong = True
    if wrong or otherwise is None:
        return None
    missing = None if written.missing is None else stored(written.missing)
    return Characteristic(written.name.text, tuple(rows), otherwise, missing, span=written.name.span)


def _first_unknown(rows: list[PointRow]) -> PointRow | None:
    return next((row for row in rows if can_be_missing(row.when)), None)
