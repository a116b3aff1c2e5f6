"""Comparisons in one form: `>=` and `=` with a key at the operand's own scale.

In: two nodes and an operator.  Out: a node.  Always: `<` is not `>=`, `>` is `>=` the next value, a constant stands on
the right, brought to the scale of the other side, so that `x > 1.995` and `x >= 2` of a decimal(2) are one node; a
day compared with a timestamp has become instants.

    compare(program, "<", spend, fifty_thousand, "Asia/Shanghai")      # Not(AtLeast(spend, 5_000_000))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from segrules.engine.vector.program import (
    And,
    AtLeast,
    AtLeastPair,
    Equal,
    EqualPair,
    Fixed,
    Key,
    Labelled,
    LocalDay,
    Member,
    Never,
    Node,
    Not,
    Or,
    Program,
)  # fmt: skip
from segrules.model.expr import CompareOp
from segrules.schema.calendar import MAX_DAY, MICROSECONDS_PER_DAY, MIN_DAY, to_local
from segrules.schema.types import (
    BOOL,
    INT64_MAX,
    INT64_MIN,
    Bool,
    Decimal,
    Integer,
    Number,
    Text,
    Type,
    Value,
    scale_of,
)  # fmt: skip

_FLIPPED: dict[CompareOp, CompareOp] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_FEW = 8
_FEW_TEXTS = 32
_HOUR = 3_600_000_000


def compare(program: Program, op: CompareOp, left: Node, right: Node, zone: str | None) -> Node:
    """A predicate for `left op right`; *zone* None: timestamps are compared with days by converting each."""
    space = program.spaces[left]
    if isinstance(program.ops[left], Fixed) and not isinstance(program.ops[right], Fixed):
        return compare(program, _FLIPPED[op], right, left, zone)
    match program.ops[left], program.ops[right]:
        case (Fixed(None), _) | (_, Fixed(None)):
            return program.add(space, Fixed(None), BOOL)
        case Fixed(a), Fixed(b):
            return program.add(space, Fixed(_of_constants(op, a, program.types[left], b, program.types[right])), BOOL)
        case _, Fixed(key):
            return _with_constant(program, op, left, key, program.types[right], zone)
        case _:
            return _pair(program, op, left, right)


def member(program: Program, operand: Node, options: Sequence[Node], zone: str | None) -> Node:
    """`operand in (options)`: an `or` of equals, or one look into a set where there are many constants."""
    space = program.spaces[operand]
    keys: set[Key] = set()
    parts: list[Node] = []
    plain = not isinstance(program.ops[operand], Fixed | LocalDay | Labelled)
    for option in dict.fromkeys(options):
        match program.ops[option]:
            case Fixed(value) if value is not None and plain and not isinstance(program.types[operand], Bool):
                key = at_scale(value, program.types[option], program.types[operand])
                if key is None:
                    parts.append(program.add(space, Never(operand), BOOL))
                else:
                    keys.add(key)
            case _:
                parts.append(compare(program, "=", operand, option, zone))
    if len(keys) > (_FEW_TEXTS if isinstance(program.types[operand], Text) else _FEW):
        parts.append(program.add(space, Member(operand, frozenset(keys)), BOOL))
    else:
        parts.extend(program.add(space, Equal(operand, key), BOOL) for key in sorted(keys, key=repr))
    return disjunction(program, space, parts)


def at_scale(value: Value, type_: Type, wanted: Type) -> Key | None:
    """The stored value of *wanted* that equals *value*; None if there is none."""
    match wanted:
        case Integer() | Decimal():
            assert isinstance(value, int)
            scaled, rest = divmod(value * 10 ** scale_of(wanted), 10 ** scale_of(type_))
            return scaled if rest == 0 and INT64_MIN <= scaled <= INT64_MAX else None
        case _:
            assert isinstance(value, int | float | str)
            return value


def conjunction(program: Program, space: str, parts: Sequence[Node]) -> Node:
    """Kleene's `and`: flat, sorted, without constants that do not matter; no parts: TRUE."""
    wanted = _flat(program, parts, And)
    if any(program.ops[part] == Fixed(False) for part in wanted):
        return program.add(space, Fixed(False), BOOL)
    wanted = [part for part in wanted if program.ops[part] != Fixed(True)]
    if not wanted:
        return program.add(space, Fixed(True), BOOL)
    return wanted[0] if len(wanted) == 1 else program.add(space, And(tuple(wanted)), BOOL)


def disjunction(program: Program, space: str, parts: Sequence[Node]) -> Node:
    """Kleene's `or`: flat, sorted, without constants that do not matter; no parts: FALSE."""
    wanted = _flat(program, parts, Or)
    if any(program.ops[part] == Fixed(True) for part in wanted):
        return program.add(space, Fixed(True), BOOL)
    wanted = [part for part in wanted if program.ops[part] != Fixed(False)]
    if not wanted:
        return program.add(space, Fixed(False), BOOL)
    return wanted[0] if len(wanted) == 1 else program.add(space, Or(tuple(wanted)), BOOL)


def negation(program: Program, operand: Node) -> Node:
    match program.ops[operand]:
        case Not(inner):
            return inner
        case Fixed(value):
            return program.add(program.spaces[operand], Fixed(None if value is None else not value), BOOL)
        case _:
            return program.add(program.spaces[operand], Not(operand), BOOL)


def _flat(program: Program, parts: Sequence[Node], kind: type[And] | type[Or]) -> list[Node]:
    found: set[Node] = set()
    for part in parts:
        op = program.ops[part]
        found.update(op.operands if isinstance(op, And | Or) and isinstance(op, kind) else (part,))
    return sorted(found)


def _of_constants(op: CompareOp, left: Value, left_type: Type, right: Value, right_type: Type) -> bool:
    scale = max(scale_of(left_type), scale_of(right_type))
    a, b = (
        value * 10 ** (scale - scale_of(t)) if isinstance(value, int) and isinstance(t, Integer | Decimal) else value
        for value, t in ((left, left_type), (right, right_type))
    )
    match op:
        case "=":
            return a == b
        case "!=":
            return a != b
        case ">=":
            return bool(a >= b)  # type: ignore[operator]
        case "<":
            return bool(a < b)  # type: ignore[operator]
        case ">":
            return bool(a > b)  # type: ignore[operator]
        case "<=":
            return bool(a <= b)  # type: ignore[operator]


def _with_constant(program: Program, op: CompareOp, left: Node, key: Value, type_: Type, zone: str | None) -> Node:
    match op:
        case "!=":
            return negation(program, _with_constant(program, "=", left, key, type_, zone))
        case "<":
            return negation(program, _with_constant(program, ">=", left, key, type_, zone))
        case "<=":
            return negation(program, _with_constant(program, ">", left, key, type_, zone))
        case "=":
            return _equal(program, left, key, type_, zone)
        case ">" | ">=":
            return _at_least(program, left, key, type_, strictly=op == ">", zone=zone)


def _equal(program: Program, left: Node, key: Value, type_: Type, zone: str | None) -> Node:
    space = program.spaces[left]
    match program.ops[left], program.types[left]:
        case _, Bool():
            return left if key else negation(program, left)
        case Labelled(ids, conditions), _:
            return disjunction(program, space, [c for c, id_ in zip(conditions, ids, strict=True) if id_ == key])
        case LocalDay(instant), _ if zone is not None:
            assert isinstance(key, int)
            ended = negation(program, _from_day(program, instant, key + 1, zone))
            return conjunction(program, space, [_from_day(program, instant, key, zone), ended])
        case _, own:
            at = at_scale(key, type_, own)
            return program.add(space, Never(left) if at is None else Equal(left, at), BOOL)


def _at_least(program: Program, left: Node, key: Value, type_: Type, strictly: bool, zone: str | None) -> Node:
    space = program.spaces[left]
    at: Key
    match program.types[left], key:
        case Bool(), _:
            if strictly and key:
                return program.add(space, Never(left), BOOL)
            return left if strictly or key else negation(program, program.add(space, Never(left), BOOL))
        case Integer() | Decimal() as own, int():
            scaled = key * 10 ** scale_of(own)
            unit = 10 ** scale_of(type_)
            at = scaled // unit + 1 if strictly else -(-scaled // unit)
        case Number(), int() | float():
            at = math.nextafter(key, math.inf) if strictly else float(key)
        case Text(), str():
            at = key + "\0" if strictly else key
        case _, int():
            at = key + strictly
            match program.ops[left]:
                case LocalDay(instant) if zone is not None:
                    return _from_day(program, instant, at, zone)
        case _:
            raise AssertionError(f"no order between {program.types[left]} and {key!r}")
    if isinstance(at, int):
        if at > INT64_MAX:
            return program.add(space, Never(left), BOOL)
        if at <= INT64_MIN:
            return negation(program, program.add(space, Never(left), BOOL))
    return program.add(space, AtLeast(left, at), BOOL)


def _pair(program: Program, op: CompareOp, left: Node, right: Node) -> Node:
    space = program.spaces[left]
    match op:
        case "!=":
            return negation(program, _pair(program, "=", left, right))
        case "<":
            return negation(program, _pair(program, ">=", left, right))
        case ">":
            return negation(program, _pair(program, ">=", right, left))
        case "<=":
            return _pair(program, ">=", right, left)
        case "=":
            first, second = sorted((left, right))
            if not isinstance(program.types[left], Bool):
                return program.add(space, EqualPair(first, second), BOOL)
            both = conjunction(program, space, [first, second])
            neither = conjunction(program, space, [negation(program, first), negation(program, second)])
            return disjunction(program, space, [both, neither])
        case ">=":
            if not isinstance(program.types[left], Bool):
                return program.add(space, AtLeastPair(left, right), BOOL)
            known = [negation(program, program.add(space, Never(side), BOOL)) for side in (left, right)]
            return conjunction(program, space, [disjunction(program, space, [left, negation(program, right)]), *known])


def _from_day(program: Program, instant: Node, day: int, zone: str) -> Node:
    """Whether the local day of *instant* is *day* or later."""
    space = program.spaces[instant]
    parts = []
    for start, end in instants_from_day(day, zone):
        after = [] if start is None else [program.add(space, AtLeast(instant, start), BOOL)]
        before = [] if end is None else [negation(program, program.add(space, AtLeast(instant, end), BOOL))]
        parts.append(conjunction(program, space, [*after, *before]))
    found = disjunction(program, space, parts)
    if isinstance(program.ops[found], Fixed):
        never = program.add(space, Never(instant), BOOL)
        return negation(program, never) if program.ops[found] == Fixed(True) else never
    return found


@cache
def instants_from_day(day: int, zone: str) -> tuple[tuple[int | None, int | None], ...]:
    """The intervals [start, end) of instants (µs) whose local day is *day* or later; None: without bound.

    One interval but where a clock is set back across midnight.
    """
    if day <= MIN_DAY:
        return ((None, None),)
    if day > MAX_DAY:
        return ()
    midnight = day * MICROSECONDS_PER_DAY
    low, high = (MIN_DAY + 1) * MICROSECONDS_PER_DAY, MAX_DAY * MICROSECONDS_PER_DAY
    probes = [min(max(midnight + step * _HOUR, low), high) for step in range(-30, 31)]
    starts: list[int] = [probes[0]]
    offsets = [_offset(probes[0], zone)]
    for before, after in pairwise(probes):
        if _offset(after, zone) != offsets[-1]:
            starts.append(_change(before, after, offsets[-1], zone))
            offsets.append(_offset(after, zone))
    found: list[tuple[int | None, int | None]] = []
    for i, (start, offset) in enumerate(zip(starts, offsets, strict=True)):
        end = starts[i + 1] if i + 1 < len(starts) else None
        first = midnight - offset if i == 0 else max(start, midnight - offset)
        if end is None or first < end:
            if found and found[-1][1] == first:
                first = found.pop()[0]  # type: ignore[assignment]
            found.append((first, end))
    return tuple(found)


def _offset(instant: int, zone: str) -> int:
    """Microseconds that local time is ahead of UTC."""
    offset = to_local(instant, zone).utcoffset()
    return 0 if offset is None else (offset.days * 86_400 + offset.seconds) * 1_000_000


def _change(unchanged: int, changed: int, old: int, zone: str) -> int:
    """The first whole second of (unchanged, changed] whose offset is not *old*."""
    low, high = unchanged // 1_000_000, changed // 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle * 1_000_000, zone) == old:
            low = middle
        else:
            high = middle
    return high * 1_000_000
