"""Comparisons, and/or/not over rows of bits and counts, as machine code.

In: addresses of columns, keys and answers, and the plan of a stage as flat numbers (`fused`).  Out: `work`, a function
without Python inside, compiled once for the processor at hand and kept on disk by numba.  Always: 2,048 rows go through
everything before the next, so that their bits never leave the cache; bits stand as `numpy.packbits` puts them; it
needs `segrules[fast]`, and nothing else may import it without asking whether that is there.

    work(compare, load, program, pour, counts, matrix, step, first, words, last, mask)

The rows of a matrix are 64-bit words. Loops over 64 rows of a column, and over the 32 words of a row, are written as
operations on vectors, which LLVM turns into the widest instructions that the processor has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

SPAN = 32
CODES = {
    code: place
    for place, code in enumerate(
        [
            *(("at_least", "u1"), ("equal", "u1"), ("has", "u1"), ("at_least", "u2"), ("equal", "u2"), ("has", "u2")),
            *(("at_least", "u4"), ("equal", "u4"), ("has", "u4"), ("at_least", "i4"), ("equal", "i4")),
            *(("at_least", "i8"), ("equal", "i8"), ("has", "i8"), ("at_least", "f8"), ("equal", "f8")),
        ]
    )
}
"""The numbers of comparisons, by what is compared as what. `has`: whether a value and the key have a bit together."""

_ROWS = 64
_WORD, _INT, _DOUBLE = ir.IntType(64), ir.IntType(32), ir.DoubleType()
_WORDS = ir.VectorType(_WORD, SPAN)
_int = types.int64


def _pointer(builder: Any, address: Any, type_: Any) -> Any:
    return builder.inttoptr(address, type_.as_pointer())


def _places(places: list[int]) -> Any:
    return ir.Constant(ir.VectorType(_INT, len(places)), places)


def _comparing(element: Any, holds: Callable[[Any, Any, Any], Any]) -> Any:
    """(values, keys, count, into, pitch, known): the 64 values at an address with each of the keys, a word for each at
    *into* and every *pitch* bytes from there. The first of eight values is the highest bit of its byte."""
    size = 8 if element is _DOUBLE else element.width // 8
    vector = ir.VectorType(element, _ROWS)
    nothing = ir.Constant(vector, ir.Undefined)

    def typed(context: Any, values: Any, keys: Any, count: Any, into: Any, pitch: Any, known: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values, keys, count, into, pitch, known = args
            own = builder.load(_pointer(builder, values, vector), align=size)
            own = builder.shuffle_vector(own, nothing, _places([row ^ 7 for row in range(_ROWS)]))
            with cgutils.for_range(builder, count) as loop:
                key = builder.load(builder.gep(_pointer(builder, keys, element), [loop.index]))
                key = builder.insert_element(nothing, key, ir.Constant(_INT, 0))
                key = builder.shuffle_vector(key, nothing, _places([0] * _ROWS))
                answer = builder.and_(builder.bitcast(holds(builder, own, key), _WORD), known)
                builder.store(answer, _pointer(builder, builder.add(into, builder.mul(pitch, loop.index)), _WORD))
            return context.get_dummy_value()

        return types.void(_int, _int, _int, _int, _int, types.uint64), build

    return intrinsic(typed)


def _combining(join: str) -> Any:
    """(bits, pitch, rows, count, row): *row* from the *count* rows whose numbers stand at *rows*."""

    def typed(context: Any, bits: Any, pitch: Any, rows: Any, count: Any, row: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            bits, pitch, rows, count, row = args
            numbers = _pointer(builder, rows, _INT)

            def place(number: Any) -> Any:
                return _pointer(builder, builder.add(bits, builder.mul(builder.sext(number, _WORD), pitch)), _WORDS)

            def read(at: Any) -> Any:
                return builder.load(place(builder.load(builder.gep(numbers, [at]))), align=8)

            made = cgutils.alloca_once_value(builder, read(ir.Constant(_WORD, 0)))
            if join == "not":
                builder.store(builder.not_(builder.load(made)), made)
            else:
                with cgutils.for_range(builder, count, start=ir.Constant(_WORD, 1)) as loop:
                    builder.store(getattr(builder, join)(builder.load(made), read(loop.index)), made)
            builder.store(builder.load(made), place(row), align=8)
            return context.get_dummy_value()

        return types.void(_int, _int, _int, _int, types.int32), build

    return intrinsic(typed)


def _pouring(unless: bool) -> Any:
    """(row, other, answer): the words of *row*, or where neither it nor *other* has a bit, past the cache to *answer*;
    how many bits there are."""

    def typed(context: Any, row: Any, other: Any, answer: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            row, other, answer = args
            bits = builder.load(_pointer(builder, row, _WORDS), align=8)
            if unless:
                bits = builder.not_(builder.or_(bits, builder.load(_pointer(builder, other, _WORDS), align=8)))
            stored = builder.store(bits, _pointer(builder, answer, _WORDS), align=64)
            stored.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(_INT, 1)]))
            count = ir.FunctionType(_WORDS, [_WORDS])
            total = builder.call(
                cgutils.get_or_insert_function(builder.module, count, f"llvm.ctpop.v{SPAN}i64"), [bits]
            )
            lanes = SPAN
            while lanes > 1:
                lanes //= 2
                nothing = ir.Constant(total.type, ir.Undefined)
                halves = (_places(list(range(lanes))), _places(list(range(lanes, 2 * lanes))))
                total = builder.add(*(builder.shuffle_vector(total, nothing, half) for half in halves))
            return builder.extract_element(total, ir.Constant(_INT, 0))

        return _int(_int, _int, _int), build

    return intrinsic(typed)


def _counting(context: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return _int(types.uint64), build


def _reading(context: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(builder, args[0], _WORD), align=1)

    return types.uint64(_int), build


def _writing(context: Any, address: Any, word: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], _pointer(builder, args[0], _WORD))
        return context.get_dummy_value()

    return types.void(_int, types.uint64), build


def _settling(context: Any) -> Any:
    """What went past the cache is seen by other threads from here on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), build


def _both(builder: Any, left: Any, right: Any) -> Any:
    met = builder.and_(left, right)
    return builder.icmp_unsigned("!=", met, ir.Constant(met.type, None))


def _at_least(element: Any, signed: bool) -> Any:
    if signed:
        return _comparing(element, lambda builder, left, right: builder.icmp_signed(">=", left, right))
    return _comparing(element, lambda builder, left, right: builder.icmp_unsigned(">=", left, right))


def _equal(element: Any) -> Any:
    return _comparing(element, lambda builder, left, right: builder.icmp_unsigned("==", left, right))


_BYTE, _SHORT = ir.IntType(8), ir.IntType(16)
_at_least_u1, _equal_u1, _has_u1 = _at_least(_BYTE, False), _equal(_BYTE), _comparing(_BYTE, _both)
_at_least_u2, _equal_u2, _has_u2 = _at_least(_SHORT, False), _equal(_SHORT), _comparing(_SHORT, _both)
_at_least_u4, _equal_u4, _has_u4 = _at_least(_INT, False), _equal(_INT), _comparing(_INT, _both)
_at_least_i4, _equal_i4 = _at_least(_INT, True), _equal(_INT)
_at_least_i8, _equal_i8, _has_i8 = _at_least(_WORD, True), _equal(_WORD), _comparing(_WORD, _both)
_at_least_f8 = _comparing(_DOUBLE, lambda builder, left, right: builder.fcmp_ordered(">=", left, right))
_equal_f8 = _comparing(_DOUBLE, lambda builder, left, right: builder.fcmp_ordered("==", left, right))
_and, _or, _xor, _not = _combining("and_"), _combining("or_"), _combining("xor"), _combining("not")
_counted, _word, _put, _settle = map(intrinsic, (_counting, _reading, _writing, _settling))
_pour, _pour_unless = _pouring(False), _pouring(True)


def _compare(code, values, keys, count, into, pitch, known):  # type: ignore[no-untyped-def]
    if code == 0:
        _at_least_u1(values, keys, count, into, pitch, known)
    elif code == 1:
        _equal_u1(values, keys, count, into, pitch, known)
    elif code == 2:
        _has_u1(values, keys, count, into, pitch, known)
    elif code == 3:
        _at_least_u2(values, keys, count, into, pitch, known)
    elif code == 4:
        _equal_u2(values, keys, count, into, pitch, known)
    elif code == 5:
        _has_u2(values, keys, count, into, pitch, known)
    elif code == 6:
        _at_least_u4(values, keys, count, into, pitch, known)
    elif code == 7:
        _equal_u4(values, keys, count, into, pitch, known)
    elif code == 8:
        _has_u4(values, keys, count, into, pitch, known)
    elif code == 9:
        _at_least_i4(values, keys, count, into, pitch, known)
    elif code == 10:
        _equal_i4(values, keys, count, into, pitch, known)
    elif code == 11:
        _at_least_i8(values, keys, count, into, pitch, known)
    elif code == 12:
        _equal_i8(values, keys, count, into, pitch, known)
    elif code == 13:
        _has_i8(values, keys, count, into, pitch, known)
    elif code == 14:
        _at_least_f8(values, keys, count, into, pitch, known)
    else:
        _equal_f8(values, keys, count, into, pitch, known)


def _work(compare, load, program, pour, counts, matrix, step, first, words, last, mask):  # type: ignore[no-untyped-def]
    """All that a stage does to the words *first* … *first* + *words* - 1 of every row.

    *compare*: (code, keys, how many, first row, row of the known ones, values, values of the last word, bytes of a
    value, whether the values begin with this block); *load*: (row, bits, bits of the last word, whether inverted,
    whether the bits begin with this block); *program*: (sign, row, how many, rows …) one after the other; *pour*: (row,
    other or -1, answer, whether it begins with this block); *counts*: bits of each answer. *step* 0: every span uses
    the same words of *matrix*; 1: each its own. *last*: the word that is there in part only, or -1; *mask*: that
    part."""
    pitch = matrix.shape[1] * 8
    rows = program.ctypes.data
    for start in range(first, first + words, SPAN):
        off = (start - first) * step
        there = min(SPAN, first + words - start)
        bits = matrix.ctypes.data + off * 8
        for e in range(load.shape[0]):
            flip, local = -types.uint64(load[e, 3]), load[e, 4]
            origin = load[e, 1] - local * first * 8
            for w in range(there):
                whole = local == 1 or start + w != last
                word = _word(origin + (start + w) * 8) if whole else types.uint64(load[e, 2])
                matrix[load[e, 0], off + w] = word ^ flip
        for e in range(compare.shape[0]):
            code, keys, count, known = compare[e, 0], compare[e, 1], compare[e, 2], compare[e, 4]
            into, size = bits + compare[e, 3] * pitch, compare[e, 7] * _ROWS
            origin = compare[e, 5] - compare[e, 8] * first * size
            for w in range(there):
                values = compare[e, 6] if start + w == last else origin + (start + w) * size
                compare_one(code, values, keys, count, into + w * 8, pitch, matrix[known, off + w])
        at = 0
        while at < len(program):
            sign, row, count, inputs = program[at], program[at + 1], program[at + 2], rows + (at + 3) * 4
            if sign == 0:
                _and(bits, pitch, inputs, count, row)
            elif sign == 1:
                _or(bits, pitch, inputs, count, row)
            elif sign == 2:
                _xor(bits, pitch, inputs, count, row)
            else:
                _not(bits, pitch, inputs, count, row)
            at += 3 + count
        whole = there == SPAN and not start <= last < start + SPAN
        for e in range(pour.shape[0]):
            row, other, answer = pour[e, 0], pour[e, 1], pour[e, 2] + (start - pour[e, 3] * first) * 8
            if whole:
                if other < 0:
                    counts[e] += _pour(bits + row * pitch, bits, answer)
                else:
                    counts[e] += _pour_unless(bits + row * pitch, bits + other * pitch, answer)
                continue
            for w in range(there):
                word = matrix[row, off + w] if other < 0 else ~(matrix[row, off + w] | matrix[other, off + w])
                if start + w == last:
                    word &= mask
                _put(answer + w * 8, word)
                counts[e] += _counted(word)
    _settle()


_table = types.Array(_int, 2, "C")
compare_one = njit(types.void(*[_int] * 6, types.uint64), nogil=True, cache=True, inline="never")(_compare)
work = njit(
    types.void(
        _table, _table, types.Array(types.int32, 1, "C"), _table, types.Array(_int, 1, "C"),
        types.Array(types.uint64, 2, "C"), _int, _int, _int, _int, types.uint64,
    ),
    nogil=True,
    cache=True,
)(_work)  # fmt: skip
