"""Messages for chosen customers, and how long they are for everybody.

In: a message, the answers to its placeholders, rows.  Out: texts, or their lengths.  Always: a length is that of the
text that would be sent; what is worked out once per distinct value is not worked out again; a placeholder has a value.

    sms_parts(lengths(message, answers, rows, "Asia/Shanghai"))
"""

from __future__ import annotations

import numpy as np

from segrules.decide.asked import Answers
from segrules.engine.vector.distinct import factor
from segrules.model.campaign import Message, Placeholder
from segrules.schema.formats import formatted
from segrules.schema.types import Decimal, Integer, scale_of
from segrules.tables.columns import Column, Ints

ONE_PART = 70
"""UTF-16 units that fit in a message of one part."""
EACH_PART = 67
"""Units of every part where there are several."""


def lengths(message: Message, answers: Answers, rows: Ints, timezone: str) -> Ints:
    """The UTF-16 units of the message for each of *rows*."""
    total = np.full(len(rows), sum(units(part) for part in message.parts if isinstance(part, str)), np.int64)
    for placeholder in message.placeholders:
        codes, texts = _shown(placeholder, answers.column(placeholder.value), rows, timezone)
        total += np.array([units(text) for text in texts], np.int64)[codes]
    return total


def parts(message: Message, answers: Answers, rows: Ints, timezone: str) -> Ints:
    """Into how many SMS parts the message falls for each of *rows*; most messages need no look at the single values."""
    fixed = sum(units(part) for part in message.parts if isinstance(part, str))
    longest = [_longest(part, answers.column(part.value), rows, timezone) for part in message.placeholders]
    if all(each is not None for each in longest) and fixed + sum(each or 0 for each in longest) <= ONE_PART:
        return np.ones(len(rows), np.int64)
    return sms_parts(lengths(message, answers, rows, timezone))


def rendered(message: Message, answers: Answers, rows: Ints, timezone: str) -> list[str]:
    """The message for each of *rows*."""
    parts: list[list[str]] = []
    for part in message.parts:
        if isinstance(part, str):
            parts.append([part] * len(rows))
        else:
            codes, texts = _shown(part, answers.column(part.value), rows, timezone)
            parts.append([texts[code] for code in codes.tolist()])
    return ["".join(pieces) for pieces in zip(*parts, strict=True)] if parts else [""] * len(rows)


def sms_parts(units: Ints) -> Ints:
    """Into how many parts texts of so many units are cut: the formula of the networks for texts beyond GSM 7-bit."""
    return np.where(units <= ONE_PART, 1, -(-units // EACH_PART))


def units(text: str) -> int:
    """UTF-16 units: a character beyond the basic plane has two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _longest(placeholder: Placeholder, column: Column, rows: Ints, timezone: str) -> int | None:
    """No text of the placeholder is longer, or None: not known without a look at each. Of exact numbers the least and
    the greatest have the most digits; those after the point are as many as the scale says."""
    if not isinstance(column.type, Integer | Decimal) or not len(rows):
        return None
    values = column.values[rows]
    ends = (int(values.min()), int(values.max()))
    return max(units(formatted(end, column.type, placeholder.format, timezone)) for end in ends) + _after_point(column)


def _after_point(column: Column) -> int:
    return scale_of(column.type) + 1 if scale_of(column.type) else 0


def _shown(placeholder: Placeholder, column: Column, rows: Ints, timezone: str) -> tuple[Ints, list[str]]:
    """(code per row, text per code)."""
    chosen = column.take(rows)
    assert chosen.missing is None, "checking has proved that a placeholder is never missing"
    if not len(rows):
        return np.zeros(0, np.int64), [""]
    found = factor(chosen)
    return found.codes, [formatted(value, column.type, placeholder.format, timezone) for value in found.values]
