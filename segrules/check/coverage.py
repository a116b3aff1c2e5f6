"""Whether cases leave nobody over, proved by structure alone.

In: rows of tests, each test about one subject, joined by and.  Out: True where every combination of possible values
of the subjects makes some row TRUE.  Always: False when in doubt, never the other way round; the effort is limited.

    complete([[(gender, gender = "男")], [(gender, gender = "女")]], scope)      # True if gender is never missing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from segrules.check.regions import Line, lines
from segrules.check.scope import Scope
from segrules.model.expr import (
    And,
    AsOf,
    Column,
    Compare,
    Constant,
    Convert,
    Expr,
    In,
    IsMissing,
    Lookup,
    Not,
    Or,
    Reference,
    Shift,
    WindowEdge,
)  # fmt: skip
from segrules.schema.types import Bool

Row: TypeAlias = "list[tuple[Expr, Expr]]"
Box: TypeAlias = "dict[int, int]"
MOST_STEPS = 200_000
MOST_ROWS = 2_000
MOST_SUBJECTS = 30
MOST_AXES = 100


@dataclass(slots=True)
class _Effort:
    left: int = MOST_STEPS


def complete(rows: Sequence[Row], scope: Scope) -> bool:
    """Whether the rows cover everything."""
    if any(not row for row in rows):
        return True
    if len(rows) > MOST_ROWS:
        return False
    tests: dict[Expr, list[Expr]] = {}
    for row in rows:
        for subject, test in row:
            tests.setdefault(subject, []).append(test)
    if not tests or len(tests) > MOST_SUBJECTS:
        return False
    cut: dict[Expr, list[Line]] = {}
    for subject, several in tests.items():
        found = lines(subject, several, scope)
        if found is not None:
            cut[subject] = found
    kept = [row for row in rows if all(subject in cut for subject, _ in row)]
    days = max((len(found) for found in cut.values()), default=0)
    effort = _Effort()
    return bool(kept) and all(_on_day(rows, kept, tests, cut, day, effort) for day in range(days))


def _on_day(
    rows: Sequence[Row],
    kept: Sequence[Row],
    tests: dict[Expr, list[Expr]],
    cut: dict[Expr, list[Line]],
    day: int,
    effort: _Effort,
) -> bool:
    effort.left -= len(rows)
    if effort.left <= 0:
        return False
    subjects = list(cut)
    at_day = [found[day if len(found) > 1 else 0] for found in cut.values()]
    used = dict.fromkeys(cut, 0)
    boxes: list[Box] = []
    keeps = {id(row) for row in kept}
    for row in rows:
        box: Box = {}
        for subject, _ in row:
            if subject not in cut:
                continue
            place = subjects.index(subject)
            true = at_day[place].true[used[subject]]
            used[subject] += 1
            box[place] = box.get(place, ~0) & true
        if id(row) in keeps:
            boxes.append(box)
    return covered(boxes, [line.possible | line.missing for line in at_day], effort)


def covered(boxes: Sequence[Box], possible: Sequence[int], effort: _Effort | None = None) -> bool:
    """Whether every combination of one piece per axis lies in a box; an axis that a box leaves out is free in it."""
    if len(possible) > MOST_AXES:
        return False
    effort = effort or _Effort()
    known: dict[tuple[int, tuple[int, ...]], bool] = {}

    def inside(axis: int, open_: tuple[int, ...]) -> bool:
        if not open_ or effort.left <= 0:
            return False
        if any(all(place < axis for place in boxes[one]) for one in open_):
            return True
        if (axis, open_) in known:
            return known[axis, open_]
        pieces = possible[axis]
        result = True
        while pieces and result:
            piece = pieces & -pieces
            pieces ^= piece
            effort.left -= len(open_)
            result = inside(axis + 1, tuple(one for one in open_ if boxes[one].get(axis, ~0) & piece))
        known[axis, open_] = result
        return result

    return inside(0, tuple(range(len(boxes))))


def tests_of(predicate: Expr) -> Row | None:
    """A predicate as tests of one subject each, joined by and; None if it has another form."""
    row: Row = []
    for part in predicate.operands if isinstance(predicate, And) else (predicate,):
        subjects = _subjects(part)
        if isinstance(part, Constant) and part.value is True:
            continue
        if subjects is None or len(subjects) != 1:
            return None
        row.append((next(iter(subjects)), part))
    return row


def _subjects(test: Expr) -> set[Expr] | None:
    """What a test is about, constants apart; None if it is no test of values against constants."""
    found: set[Expr] = set()
    waiting = [test]
    while waiting:
        node = waiting.pop()
        match node:
            case Not(operand):
                waiting.append(operand)
            case And(operands) | Or(operands):
                waiting += operands
            case Compare(left=left, right=right):
                found.update(side for side in (_bare(left), _bare(right)) if side is not None)
            case In(operand, options):
                found.update(side for side in map(_bare, (operand, *options)) if side is not None)
            case IsMissing(operand):
                found.add(operand)
            case Constant():
                pass
            case Column() | Lookup() | Reference() if isinstance(node.type, Bool):
                found.add(node)
            case _:
                return None
    return found


def _bare(node: Expr) -> Expr | None:
    """A side of a comparison without widening; None where it is known before the run or on its date."""
    match node:
        case Constant() | AsOf() | WindowEdge():
            return None
        case Convert(operand):
            return _bare(operand)
        case Shift(operand):
            return None if _bare(operand) is None else node
        case _:
            return node
