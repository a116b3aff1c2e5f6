"""Kernels of comparisons.

In: the operand nodes and their types; the dictionary of a text.  Out: kernels that give rails.  Always: texts are
compared once per text of a dictionary, rows only by code; numbers are compared exactly.

    at_least(spend, 5_000_000, Decimal(2), ())(registers, rows)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from segrules.engine.vector import exact
from segrules.engine.vector.cells import Cell, Cells, codes_of, known_bits
from segrules.engine.vector.distinct import text_ranks
from segrules.engine.vector.program import Key, Node
from segrules.engine.vector.rails import Packed, Rails, decided, disjunction, size
from segrules.engine.vector.searching import call_search
from segrules.schema.types import BOOL, Date, Decimal, Integer, Text, Type
from segrules.tables.columns import Bools, Column

Registers: TypeAlias = Any
Kernel: TypeAlias = Callable[[Registers, int], Cell]

_FEW = 3
_INT32 = range(-(2**31), 2**31)


def never(operand: Node) -> Kernel:
    def run(registers: Registers, rows: int) -> Rails:
        known = known_bits(registers[operand])
        zeros = np.zeros(size(rows), np.uint8)
        return zeros, None if known is None else known

    return run


def at_least(operand: Node, key: Key, type_: Type, texts: tuple[str, ...]) -> Kernel:
    if isinstance(type_, Text):
        return _by_code(operand, np.array([text >= str(key) for text in texts], np.bool_))
    bound = _scalar(key, type_)

    def run(registers: Registers, rows: int) -> Rails:
        cells: Cells = registers[operand]
        return decided(cells.column.values >= bound, cells.known())

    return run


def equal(operand: Node, key: Key, type_: Type, code: int | None) -> Kernel:
    """*code*: of a text, its place in the dictionary, None if it is not there."""
    if isinstance(type_, Text):
        if code is None:
            return never(operand)
        wanted: Any = np.int32(code)
    else:
        wanted = _scalar(key, type_)

    def run(registers: Registers, rows: int) -> Rails:
        cells: Cells = registers[operand]
        return decided(cells.column.values == wanted, cells.known())

    return run


def member(operand: Node, keys: frozenset[Key], type_: Type, texts: tuple[str, ...]) -> Kernel:
    if isinstance(type_, Text):
        return _by_code(operand, np.array([text in keys for text in texts], np.bool_))
    wanted = np.array(sorted(keys), np.float64 if any(isinstance(key, float) for key in keys) else np.int64)

    def run(registers: Registers, rows: int) -> Rails:
        cells: Cells = registers[operand]
        return decided(np.isin(cells.column.values, wanted), cells.known())

    return run


def has(operand: Node, key: str) -> Kernel:
    def run(registers: Registers, rows: int) -> Rails:
        cells: Cells = registers[operand]
        sought = Column(Text(), np.zeros(rows, np.int32), None, (key,))
        return decided(call_search("has_any", (cells.column, sought), BOOL).values.view(np.bool_), cells.known())

    return run


def _by_code(operand: Node, chosen: Bools) -> Kernel:
    """Rows whose code is among the *chosen* codes."""
    codes = np.flatnonzero(chosen)
    if len(codes) == 0:
        return never(operand)
    if len(codes) <= _FEW:
        few = [equal(operand, "", Text(), int(code)) for code in codes]
        return few[0] if len(few) == 1 else lambda registers, rows: disjunction([one(registers, rows) for one in few])  # type: ignore[misc]

    def run(registers: Registers, rows: int) -> Rails:
        cells: Cells = registers[operand]
        return decided(np.take(chosen, codes_of(cells.column)), cells.known())

    return run


def pair(
    left: Node, right: Node, type_: Type, texts: tuple[tuple[str, ...], tuple[str, ...]], *, equals: bool
) -> Kernel:
    """left = right or left >= right. *type_*: of the left one; *texts*: the dictionaries of both."""
    compare: Callable[[Column, Column], Bools]
    match type_:
        case Text():
            ranks = [np.asarray(part, np.int64) for part in _ranks(*texts)]

            def compare(a: Column, b: Column) -> Bools:
                first, second = np.take(ranks[0], codes_of(a)), np.take(ranks[1], codes_of(b))
                found: Bools = first == second if equals else first >= second
                return found

        case Integer() | Decimal():
            compare = exact.equal if equals else exact.at_least
        case _:

            def compare(a: Column, b: Column) -> Bools:
                found: Bools = a.values == b.values if equals else a.values >= b.values  # type: ignore[operator]
                return found

    def run(registers: Registers, rows: int) -> Rails:
        a: Cells = registers[left]
        b: Cells = registers[right]
        return decided(compare(a.column, b.column), both(a.known(), b.known()))

    return run


def both(left: Packed | None, right: Packed | None) -> Packed | None:
    if left is None:
        return right
    return left if right is None else left & right


def _ranks(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[list[int], list[int]]:
    """For the texts of two dictionaries their places in one order of code points."""
    texts = tuple(dict.fromkeys((*left, *right)))
    rank = dict(zip(texts, text_ranks(texts).tolist(), strict=True))
    return [rank[text] for text in left] or [0], [rank[text] for text in right] or [0]


def _scalar(key: Key, type_: Type) -> Any:
    """*key* so that numpy compares at the column's own width where it can."""
    if isinstance(type_, Date):
        return np.int32(key) if key in _INT32 else np.int64(key)
    return np.float64(key) if isinstance(key, float) else np.int64(key)
