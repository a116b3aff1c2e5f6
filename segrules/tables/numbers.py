"""Numbers: exact ones as scaled 64-bit integers, `number` as doubles.

In: Arrow arrays of any type and the spelling of the column.  Out: `Parsed` columns of integer, decimal(s) or number.
Always: exact or not at all: a double stands for its shortest decimal, a digit too many or a value outside 64 bits is
a fault, never a rounding; NaN and infinity are missing and marked; the answer for a cell does not depend on others.

    "17850.0" as integer → 17850;  0.1 (double) as decimal(2) → 10;  "1.005" as decimal(2) → fault `digits`
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal as Exact
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segrules.schema.contract import Format
from segrules.schema.types import INT64_MAX, INT64_MIN, NUMBER, Decimal, Integer, scale_of
from segrules.tables.columns import Bools, Ints
from segrules.tables.parsed import (
    Fault,
    Parsed,
    Spelling,
    by_distinct,
    missing_of,
    nothing_fits,
    numpy_of,
    parsed,
    scattered,
)  # fmt: skip

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_PERCENT = frozenset("%％")
_LONGEST = 400
_PLAIN_LENGTH = 38
_SURE_DIGITS = {2: 3, 4: 6, 8: 15}
"""Decimal digits that a float of so many bytes always keeps: with no more, its shortest decimal is unique."""


def exact(cells: pa.ChunkedArray, of: Integer | Decimal, spelling: Spelling) -> Parsed:
    """Integer or decimal(s) columns from any Arrow type."""
    t = cells.type
    if pa.types.is_null(t):
        return parsed(of, np.zeros(len(cells), np.int64), missing_of(cells))
    if pa.types.is_integer(t):
        return _from_integers(cells, of)
    if pa.types.is_floating(t):
        return _from_floats(cells, of)
    if pa.types.is_decimal(t):
        return _from_decimals(cells, of)
    if pa.types.is_large_string(t):
        return _from_texts(cells, of, spelling)
    return nothing_fits(of, cells)


def number(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    """Number columns from any Arrow type: the nearest double."""
    t = cells.type
    if pa.types.is_null(t):
        return parsed(NUMBER, np.zeros(len(cells)), missing_of(cells))
    if pa.types.is_integer(t) or pa.types.is_floating(t):
        return _doubles(numpy_of(cells).astype(np.float64), missing_of(cells))
    if pa.types.is_decimal(t):
        return _doubles(numpy_of(pc.cast(pc.cast(cells, pa.string()), pa.float64())), missing_of(cells))
    if pa.types.is_large_string(t):
        return _number_texts(cells, spelling)
    return nothing_fits(NUMBER, cells)


def _doubles(values: NDArray[np.float64], missing: Bools | None) -> Parsed:
    finite = np.isfinite(values)
    wrong = None if finite.all() else ~finite
    return parsed(NUMBER, values + 0.0, missing, not_finite=wrong)


def _scaled(values: Ints, scale: int) -> tuple[Ints, Bools]:
    """*values* × 10**scale, and where that leaves 64 bits."""
    if scale == 0:
        return values, np.zeros(len(values), np.bool_)
    limit = INT64_MAX // 10**scale
    wide = (values > limit) | (values < -limit)
    return (np.where(wide, 0, values) if wide.any() else values) * np.int64(10**scale), wide


def _from_integers(cells: pa.ChunkedArray, of: Integer | Decimal) -> Parsed:
    raw = numpy_of(cells)
    wide = raw > np.uint64(INT64_MAX) if raw.dtype == np.uint64 else None
    values, too_wide = _scaled(raw.astype(np.int64), scale_of(of))
    return parsed(of, values, missing_of(cells), {"range": too_wide if wide is None else too_wide | wide})


def _from_floats(cells: pa.ChunkedArray, of: Integer | Decimal) -> Parsed:
    """k / 10**s is rounded once: where k has digits to spare it is x just when k·10**-s is x's shortest decimal."""
    raw = numpy_of(cells)
    missing = missing_of(cells)
    finite = np.isfinite(raw)
    x = np.where(finite, raw, 0).astype(np.float64)
    ten = float(10 ** scale_of(of))
    with np.errstate(over="ignore"):
        k = np.rint(x * ten)
    sure = np.abs(k) < 10.0 ** _SURE_DIGITS[raw.dtype.itemsize]
    k = np.where(sure, k, 0.0)
    same = (k / ten).astype(raw.dtype) == np.where(finite, raw, 0)
    values = k.astype(np.int64)
    digits, wide = sure & ~same, np.zeros(len(x), np.bool_)
    rest = np.flatnonzero(~sure)
    if len(rest):
        distinct, back = np.unique(raw[rest], return_inverse=True)
        texts = [np.format_float_scientific(v, unique=True) for v in distinct]
        small = _each(texts, of, Format())
        values[rest] = small.column.values[back].astype(np.int64)
        for fault, mask in small.faults.items():
            (digits if fault == "digits" else wide)[rest] |= mask[back]
    return parsed(of, values, missing, {"digits": digits, "range": wide}, ~finite)


def _from_decimals(cells: pa.ChunkedArray, of: Integer | Decimal) -> Parsed:
    t = cells.type
    if t.bit_width > 128:
        texts = [None if v is None else str(v) for v in cells.to_pylist()]
        return _from_texts(pa.chunked_array([pa.array(texts, pa.large_string())]), of, _PLAIN)
    if t.bit_width < 128:
        cells, t = cells.cast(pa.decimal128(38, t.scale)), pa.decimal128(38, t.scale)
    low, fits = _words(cells)
    scale = scale_of(of) - t.scale
    if 0 <= scale <= 18:
        values, wide = _scaled(low, scale)
        digits = np.zeros(len(low), np.bool_)
    elif -18 <= scale < 0:
        values = low // np.int64(10**-scale)
        digits, wide = values * np.int64(10**-scale) != low, np.zeros(len(low), np.bool_)
    else:
        values, digits, wide, fits = low, np.zeros(len(low), np.bool_), np.zeros(len(low), np.bool_), low == 0
    rest = np.flatnonzero(~fits)
    if len(rest):
        small = _each([format(v, "f") for v in cells.take(pa.array(rest)).to_pylist()], of, Format())
        values = values.copy()
        values[rest] = small.column.values.astype(np.int64)
        digits[rest] = small.faults.get("digits", np.zeros(len(rest), np.bool_))
        wide[rest] = small.faults.get("range", np.zeros(len(rest), np.bool_))
    return parsed(of, values, missing_of(cells), {"digits": digits, "range": wide})


def _words(cells: pa.ChunkedArray) -> tuple[Ints, Bools]:
    """The unscaled values of decimal128 cells, and where they fit 64 bits (0 where missing)."""
    low, high = [], []
    for chunk in cells.chunks:
        pairs = np.frombuffer(chunk.buffers()[1], np.int64).reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
        low.append(pairs[:, 0])
        high.append(pairs[:, 1])
    lows = np.concatenate([np.zeros(0, np.int64), *low])
    highs = np.concatenate([np.zeros(0, np.int64), *high])
    missing = missing_of(cells)
    if missing is not None:
        lows, highs = np.where(missing, 0, lows), np.where(missing, 0, highs)
    return lows, highs == lows >> 63


def _from_texts(cells: pa.ChunkedArray, of: Integer | Decimal, spelling: Spelling) -> Parsed:
    scale = scale_of(of)
    if not spelling.plain:
        return by_distinct(cells, lambda words: _each(words.to_pylist(), of, spelling.format))
    if not _has(cells, "xXeE") and (pc.max(pc.binary_length(cells)).as_py() or 0) <= _PLAIN_LENGTH:
        try:
            if scale == 0:
                return parsed(of, numpy_of(pc.cast(cells, pa.int64())), missing_of(cells))
        except pa.ArrowInvalid:
            pass
        try:
            return _from_decimals(pc.cast(cells, pa.decimal128(38, scale)), of)
        except pa.ArrowInvalid:
            pass
    easy = rf"^[+-]?[0-9]{{1,18}}(\.[0-9]{{0,{scale}}}0{{0,10}})?$"
    return _in_two(
        cells,
        easy,
        lambda some: _from_decimals(pc.cast(some, pa.decimal128(38, scale)), of),
        lambda words: _each(words.to_pylist(), of, spelling.format),
    )


def _number_texts(cells: pa.ChunkedArray, spelling: Spelling) -> Parsed:
    def fast(some: pa.ChunkedArray) -> Parsed:
        return _doubles(numpy_of(pc.cast(some, pa.float64())), missing_of(some))

    def slow(words: pa.ChunkedArray) -> Parsed:
        return _each_double(words.to_pylist(), spelling.format)

    if not spelling.plain:
        return by_distinct(cells, slow)
    try:
        return fast(cells)
    except pa.ArrowInvalid:
        return _in_two(cells, r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$", fast, slow)


def _has(cells: pa.ChunkedArray, letters: str) -> bool:
    """Arrow reads `0x1F` as an integer, and crashes on a decimal such as `1e999999999`."""
    return any(pc.any(pc.match_substring(cells, letter)).as_py() for letter in letters)


def _in_two(cells: pa.ChunkedArray, easy: str, fast: Any, slow: Any) -> Parsed:
    """Cells that look easy in one go, the others by distinct value."""
    looks: Bools = pc.fill_null(pc.match_substring_regex(cells, easy), True).to_numpy()
    first, second = np.flatnonzero(looks), np.flatnonzero(~looks)
    if not len(second):
        return by_distinct(cells, slow)
    return scattered(
        len(cells),
        [(fast(cells.take(pa.array(first))), first), (by_distinct(cells.take(pa.array(second)), slow), second)],
    )


def _each(texts: Sequence[str | None], of: Integer | Decimal, format_: Format) -> Parsed:
    size, scale = len(texts), scale_of(of)
    values = np.zeros(size, np.int64)
    missing, infinite = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    faults: dict[Fault, Bools] = {}
    for row, text in enumerate(texts):
        if text is None:
            missing[row] = True
            continue
        match plain_number(text, format_):
            case None:
                faults.setdefault("type", np.zeros(size, np.bool_))[row] = True
            case "not finite":
                infinite[row] = True
            case (plain, power):
                found = scaled_value(plain, scale + power)
                if isinstance(found, int):
                    values[row] = found
                else:
                    faults.setdefault(found, np.zeros(size, np.bool_))[row] = True
    return parsed(of, values, missing if missing.any() else None, faults, infinite)


def _each_double(texts: Sequence[str | None], format_: Format) -> Parsed:
    size = len(texts)
    values = np.zeros(size)
    missing, wrong = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    for row, text in enumerate(texts):
        if text is None:
            missing[row] = True
            continue
        match plain_number(text, format_):
            case None:
                wrong[row] = True
            case "not finite":
                values[row] = np.nan
            case (plain, power):
                values[row] = float(f"{Exact(plain).scaleb(power)}") if power else float(plain)
    finite = np.isfinite(values)
    return parsed(NUMBER, values + 0.0, missing if missing.any() else None, {"type": wrong}, ~finite)


def plain_number(text: str, format_: Format) -> tuple[str, int] | str | None:
    """*text* without signs and marks, and a power of ten (-2 for a percent sign); "not finite"; None: no number."""
    rest, lead, power = text.strip(), "", 0
    if len(rest) > _LONGEST:
        return None
    while True:
        before = rest
        if not lead and rest[:1] in ("+", "-"):
            lead, rest = rest[0], rest[1:]
        for sign in format_.strip:
            if sign and (rest.startswith(sign) or rest.endswith(sign)):
                rest = rest.removeprefix(sign) if rest.startswith(sign) else rest.removesuffix(sign)
                power -= 2 if sign in _PERCENT else 0
        rest = rest.strip()
        if rest == before:
            break
    if rest.lower() in _NOT_FINITE:
        return "not finite"
    whole, mark, fraction = rest.partition(format_.decimal)
    if format_.thousands and format_.thousands in whole:
        groups = whole.split(format_.thousands)
        inner = all(len(group) in (2, 3) for group in groups[1:-1]) and len(groups[-1]) == 3
        if not inner or not 1 <= len(groups[0]) <= 3:
            return None
        whole = "".join(groups)
    if format_.decimal != "." and "." in whole + fraction:
        return None
    plain = f"{lead}{whole}.{fraction}" if mark else f"{lead}{whole}"
    return (plain, power) if _NUMBER.fullmatch(plain) else None


def scaled_value(plain: str, scale: int) -> int | Fault:
    """The number as an integer of 10**-scale, or why it is none."""
    try:
        sign, figures, exponent = Exact(plain).as_tuple()
    except ArithmeticError:
        return "range"
    assert isinstance(exponent, int)
    if not any(figures):
        return 0
    digits = "".join(map(str, figures)).lstrip("0")
    shift = exponent + scale
    if len(digits) + shift > 19:
        return "range"
    if shift < 0:
        if -shift >= len(digits) or digits[shift:].strip("0"):
            return "digits"
        digits, shift = digits[:shift], 0
    value = int(digits) * 10**shift * (-1 if sign else 1)
    return value if INT64_MIN <= value <= INT64_MAX else "range"


_PLAIN = Spelling(Format(), "UTC", spelled=False)
