"""Every scalar function over columns: the door to the modules beside this one.

In: a canonical function name and argument columns of one length, of the types that the checked tree promises.  Out: a
column of the result type.  Always: equal, value by value, to `engine/reference`; arguments are not changed; integer
and decimal results outside 64 bits raise `Overflow`.

    call("round", (amount, digits), Decimal(1), Scope(as_of, "Asia/Shanghai"))
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.build import any_missing, built, ints, nothing
from segrules.engine.vector.dates import Scope, call_date, shift, to_local_day
from segrules.engine.vector.distinct import merged_texts, text_column, text_ranks
from segrules.engine.vector.exact import widen
from segrules.engine.vector.numeric import call_numeric
from segrules.engine.vector.quotient import as_doubles
from segrules.engine.vector.searching import call_search
from segrules.engine.vector.text import call_text
from segrules.schema.types import Decimal, Integer, ListOfText, Number, Text, Type, Untyped
from segrules.tables.columns import Bools, Column

T = TypeVar("T", np.int64, np.float64)

__all__ = ["Scope", "call", "shift", "to_local_day"]


def call(function: str, args: tuple[Column, ...], result: Type, scope: Scope) -> Column:
    """*function* of *args*, row by row; arguments that must be constant have one value in every row."""
    if not len(args[0]):
        return nothing(result, 0)
    match function:
        case "default":
            return _default(args, result)
        case "contains_any" | "has_any" | "has_all":
            return call_search(function, args, result)
    if any(isinstance(arg.type, Untyped) for arg in args):
        return nothing(result, len(args[0]))
    match function:
        case "least" | "greatest":
            return _extreme(function, args, result)
        case "abs" | "round" | "floor" | "ceil" | "sqrt" | "ln" | "exp" | "power" | "div" | "mod" | "band":
            return call_numeric(function, args, result)
        case (
            "lower" | "upper" | "trim" | "length" | "concat" | "replace" | "left_text" | "right_text" | "hash_bucket"
        ):  # fmt: skip
            return call_text(function, args, result)
        case "contains" | "starts_with" | "ends_with" | "matches" | "count_items":
            return call_search(function, args, result)
        case _:
            return call_date(function, args, result, scope)


def _default(args: tuple[Column, ...], result: Type) -> Column:
    """The first argument that is not missing."""
    found = args[0]
    for other in args[1:]:
        if isinstance(found.type, Untyped):
            found = nothing(result, len(found))
        if isinstance(other.type, Untyped) or found.missing is None:
            continue
        found = _filled(found, other, found.missing, result)
    return nothing(result, len(found)) if isinstance(found.type, Untyped) else _widened(found, result)


def _filled(first: Column, second: Column, holes: Bools, result: Type) -> Column:
    missing = None if second.missing is None else holes & second.missing
    match result:
        case Text():
            (left, right), texts = merged_texts((first, second))
            return built(result, np.where(holes, right, left), missing, texts)
        case ListOfText():
            rows = np.arange(len(first))
            return _stacked(first, second).take(np.where(holes, rows + len(first), rows))
        case _:
            values = np.where(holes, _widened(second, result).values, _widened(first, result).values)
            return built(result, values, missing)


def _stacked(first: Column, second: Column) -> Column:
    """The lists of *first*, then those of *second*."""
    assert first.offsets is not None and second.offsets is not None
    places: dict[str, int] = {}
    moved = [
        np.array([places.setdefault(text, len(places)) for text in column.dictionary], np.int32)[column.values]
        if len(column.values) else np.zeros(0, np.int32)
        for column in (first, second)
    ]  # fmt: skip
    offsets = np.concatenate([first.offsets, second.offsets[1:] + first.offsets[-1]])
    holes = [np.zeros(len(c), np.bool_) if c.missing is None else c.missing for c in (first, second)]
    return Column(first.type, np.concatenate(moved), np.concatenate(holes), tuple(places), offsets)


def _extreme(function: str, args: tuple[Column, ...], result: Type) -> Column:
    choose = np.minimum if function == "least" else np.maximum
    missing = any_missing(args)
    if isinstance(result, Text):
        coded, texts = merged_texts(args)
        ranks = text_ranks(texts)
        by_rank = np.argsort(ranks)
        best = _reduced(choose, [ranks[codes] for codes in coded])
        return text_column(by_rank[best], texts, missing)
    if isinstance(result, Number):
        return built(result, _reduced(choose, [as_doubles(arg) for arg in args]), missing)
    return built(result, _reduced(choose, [ints(_widened(arg, result)) for arg in args]), missing)


def _reduced(choose: np.ufunc, parts: list[NDArray[T]]) -> NDArray[T]:
    found = parts[0]
    for other in parts[1:]:
        found = choose(found, other)
    return found


def _widened(column: Column, result: Type) -> Column:
    """*column* with the type *result*, which holds all its values."""
    return widen(column, result) if isinstance(column.type, Integer | Decimal) else column
