"""Tests of text and of lists: `contains`, `starts with`, `ends with`, `matches`, `contains any of`, `has any of`,
`has all of`; and `count_items`.

In: a text or list column and the columns of what is looked for.  Out: a bool column.  Always: decided once per
distinct text; `contains_any` and `has_any` are the Kleene *or* over their options, `has_all` the *and*: an option that
is missing makes the answer unknown unless the others decide it.

    call_search("starts_with", (phone, prefix), BOOL)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segrules.engine.vector.build import any_missing, built, ints, nothing
from segrules.engine.vector.distinct import combine, factor, per_distinct, used_texts
from segrules.schema.types import BOOL, ListOfText, Type, Untyped
from segrules.tables.columns import Bools, Column, Ints


def call_search(function: str, args: tuple[Column, ...], result: Type) -> Column:
    match function:
        case "count_items":
            return _count_items(args[0], result)
        case "contains_any":
            return _kleene_or([_test("contains", args[0], option) for option in args[1:]], len(args[0]))
        case "has_any":
            return _kleene_or([_has(args[0], option) for option in args[1:]], len(args[0]))
        case "has_all":
            return _not(_kleene_or([_not(_has(args[0], option)) for option in args[1:]], len(args[0])))
        case _:
            return _test(function, args[0], args[1])


def _test(function: str, text: Column, sought: Column) -> Column:
    if isinstance(text.type, Untyped) or isinstance(sought.type, Untyped):
        return nothing(BOOL, len(text))
    missing = any_missing((text, sought))
    if function == "matches":
        return built(BOOL, _matches(text, sought), missing)
    codes, found = per_distinct((text, sought), _RULES[function])
    return built(BOOL, np.array(found, np.bool_)[codes], missing)


def _matches(text: Column, patterns: Column) -> Bools:
    codes, texts = used_texts(text)
    by, distinct = used_texts(patterns)
    subjects = pa.array(texts, pa.large_string())
    if len(distinct) == 1:
        return _found(subjects, distinct[0])[codes]
    joint, (first, second) = combine([(codes, len(texts)), (by, len(distinct))])
    answers = np.zeros(len(first), np.bool_)
    for code, pattern in enumerate(distinct):
        pairs = second == code
        answers[pairs] = _found(subjects.take(pa.array(first[pairs])), pattern)
    return answers[joint]


def _found(subjects: pa.Array, pattern: str) -> Bools:
    return np.asarray(pc.match_substring_regex(subjects, pattern), dtype=np.bool_)


def _has(lists: Column, option: Column) -> Column:
    """Whether the list of each row holds the text of the option in that row."""
    if isinstance(lists.type, Untyped) or isinstance(option.type, Untyped):
        return nothing(BOOL, len(lists))
    assert isinstance(lists.type, ListOfText) and lists.offsets is not None
    places = {text: place for place, text in enumerate(lists.dictionary)}
    sought = factor(option)
    wanted = np.array([places.get(text, -1) for text in sought.values], np.int64)
    lengths = np.diff(lists.offsets)
    if len(wanted) == 1:
        hits = ints(lists) == wanted[0]
    else:
        hits = ints(lists) == np.repeat(wanted[sought.codes], lengths)
    return built(BOOL, _rows_with(hits, lists.offsets), any_missing((lists, option)))


def _rows_with(hits: Bools, offsets: Ints) -> Bools:
    running = np.concatenate([[0], np.cumsum(hits, dtype=np.int64)])
    return np.asarray(running[offsets[1:]] > running[offsets[:-1]])


def _count_items(lists: Column, result: Type) -> Column:
    assert lists.offsets is not None
    return built(result, np.diff(lists.offsets), lists.missing)


def _kleene_or(answers: Sequence[Column], rows: int) -> Column:
    """TRUE where an answer is, else unknown where one is; false without answers."""
    true = np.zeros(rows, np.bool_)
    unknown = np.zeros(rows, np.bool_)
    for answer in answers:
        known = answer.values.astype(np.bool_)
        true |= known if answer.missing is None else known & ~answer.missing
        if answer.missing is not None:
            unknown |= answer.missing
    return built(BOOL, true, unknown & ~true)


def _not(answer: Column) -> Column:
    return built(BOOL, ~answer.values.astype(np.bool_), answer.missing)


_RULES = {
    "contains": lambda text, part: part in text,
    "starts_with": lambda text, part: text.startswith(part),
    "ends_with": lambda text, part: text.endswith(part),
}
