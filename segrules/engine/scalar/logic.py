"""Kleene's logic and the choice between values, as generated code.

In: values that are true, false or missing.  Out: a `Val`.  Always: missing where nobody can say; constants fold; an
operand that cannot be missing is tested in the plainest way.

    all_of(writer, [a, b])      # False if a is False or not b else None if a is None else True
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.engine.scalar.writer import FALSE, MISSING, TRUE, Val, Writer

TOGETHER = 16
"""How many branches stand in one expression; more would nest too deeply for Python's compiler."""


def negation(writer: Writer, value: Val) -> Val:
    return writer.apply("not {0}", value)


def all_of(writer: Writer, operands: Sequence[Val]) -> Val:
    return _joined(writer, operands, TRUE, FALSE)


def any_of(writer: Writer, operands: Sequence[Val]) -> Val:
    return _joined(writer, operands, FALSE, TRUE)


def _joined(writer: Writer, operands: Sequence[Val], neutral: Val, decisive: Val) -> Val:
    """`and` where *decisive* is FALSE, `or` where it is TRUE."""
    found = list(dict.fromkeys(each for each in operands if each != neutral))
    if decisive in found:
        return decisive
    if len(found) < 2:
        return found[0] if found else neutral
    word, sign = ("and", "not ") if decisive is FALSE else ("or", "")
    if not any(each.nullable for each in found):
        return writer.apply(f" {word} ".join(f"{{{at}}}" for at in range(len(found))), *found)
    there = [each for each in found if not each.is_missing]
    decides = [f"{{{at}}} is {decisive.name}" if one.nullable else f"{sign}{{{at}}}" for at, one in enumerate(there)]
    gaps = [f"{{{at}}} is None" for at, one in enumerate(there) if one.nullable]
    rest = "None" if len(there) < len(found) else f"None if {' or '.join(gaps)} else {neutral.name}"
    template = f"{decisive.name} if {' or '.join(decides)} else {rest}"
    return writer.apply(template, *there, strict=False, nullable=True)


def choice(writer: Writer, branches: Sequence[tuple[Val, Val]], otherwise: Val) -> Val:
    """The value beside the first condition that is TRUE."""
    open_ = [(condition, value) for condition, value in branches if condition not in (FALSE, MISSING)]
    sure = next((at for at, (condition, _) in enumerate(open_) if condition == TRUE), None)
    if sure is not None:
        open_, otherwise = open_[:sure], open_[sure][1]
    while open_:
        last, open_ = open_[-TOGETHER:], open_[:-TOGETHER]
        parts = [f"{{{2 * at + 1}}} if {_holds(2 * at, one)} else " for at, (one, _) in enumerate(last)]
        args = [each for pair in last for each in pair]
        nullable = otherwise.nullable or any(value.nullable for _, value in last)
        template = f"{''.join(parts)}{{{len(args)}}}"
        otherwise = writer.apply(template, *args, otherwise, strict=False, nullable=nullable)
    return otherwise


def _holds(at: int, condition: Val) -> str:
    return f"{{{at}}} is True" if condition.nullable else f"{{{at}}}"
