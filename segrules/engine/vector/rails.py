"""Kleene logic on packed bits.

In: packed bits as `numpy.packbits` gives them, one bit per row.  Out: `Rails`, (true, false): where a predicate is
TRUE and where it is FALSE; a false rail of None means "wherever it is not TRUE", so that nothing is paid where nothing
is missing.  Always: the rails are disjoint; padding bits of the last byte mean nothing until `clean`.

    conjunction([(a, None), (b, c)])       # (a & b, ~a | c)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.tables.columns import Bools

Packed: TypeAlias = NDArray[np.uint8]
Rails: TypeAlias = tuple[Packed, Packed | None]


def size(rows: int) -> int:
    """Bytes that hold one bit per row."""
    return (rows + 7) // 8


def pack(mask: Bools) -> Packed:
    return np.packbits(mask)


def unpack(packed: Packed, rows: int) -> Bools:
    return np.unpackbits(packed, count=rows).view(np.bool_)


def constant(value: object, rows: int) -> Rails:
    """A predicate that is the same in every row: True, False or, for None, unknown."""
    zeros = np.zeros(size(rows), np.uint8)
    if value is None:
        return zeros, zeros
    return (~zeros, None) if value else (zeros, None)


def of_mask(mask: Bools, missing: Bools | None) -> Rails:
    """The rails of a bool column, whose values at missing positions are False."""
    true = np.packbits(mask)
    if missing is None:
        return true, None
    return true, np.packbits(~(mask | missing))


def decided(mask: Bools, known: Packed | None) -> Rails:
    """The rails of a comparison: *mask* where the operands are *known* (None: everywhere), else unknown."""
    true = np.packbits(mask)
    if known is None:
        return true, None
    true &= known
    return true, known & ~true


def false_of(rails: Rails) -> Packed:
    return ~rails[0] if rails[1] is None else rails[1]


def known_of(rails: Rails) -> Packed | None:
    """Where a predicate is not unknown; None: everywhere."""
    return None if rails[1] is None else rails[0] | rails[1]


def unknown_of(rails: Rails) -> Packed:
    return np.zeros_like(rails[0]) if rails[1] is None else ~(rails[0] | rails[1])


def negation(rails: Rails) -> Rails:
    true, false = rails
    return (~true, None) if false is None else (false, true)


def conjunction(parts: Sequence[Rails]) -> Rails:
    first, *others = parts
    true = first[0] & others[0][0]
    for part in others[1:]:
        true &= part[0]
    if all(part[1] is None for part in parts):
        return true, None
    false = false_of(first) | false_of(others[0])
    for part in others[1:]:
        false |= false_of(part)
    return true, false


def disjunction(parts: Sequence[Rails]) -> Rails:
    first, *others = parts
    true = first[0] | others[0][0]
    for part in others[1:]:
        true |= part[0]
    if all(part[1] is None for part in parts):
        return true, None
    false = false_of(first) & false_of(others[0])
    for part in others[1:]:
        false &= false_of(part)
    return true, false


def choice(condition: Packed, then: Rails, otherwise: Rails) -> Rails:
    """*then* where *condition*, else *otherwise*."""
    true = (condition & then[0]) | (~condition & otherwise[0])
    if then[1] is None and otherwise[1] is None:
        return true, None
    return true, (condition & false_of(then)) | (~condition & false_of(otherwise))


def clean(packed: Packed, rows: int) -> Packed:
    """*packed* with the padding bits 0."""
    spare = -rows % 8
    if spare and len(packed):
        packed = packed.copy()
        packed[-1] &= 0xFF << spare & 0xFF
    return packed
