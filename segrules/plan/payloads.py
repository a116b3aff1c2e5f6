"""What a sink is given for each contact: the bytes that are stored, hashed and sent.

In: an action and a channel, the rows of those who are contacted, their contacts' keys.  Out: JSON objects, UTF-8,
names in order.  Always: the same contact has the same bytes whenever they are made, so that their hash tells `apply`
whether anything has changed since the plan; every object has every name.

    {"action":"winback_coupon","address":"13800000000",…,"message":"…","points":200,"variant":"a"}
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

from segrules.decide.asked import Answers
from segrules.decide.keys import key_texts
from segrules.decide.messages import rendered
from segrules.model.campaign import Action, Channel
from segrules.model.expr import Expr
from segrules.plan.content import spelled
from segrules.schema.calendar import shift, to_date
from segrules.schema.types import Text
from segrules.tables.columns import Column, Ints


def bodies(
    answers: Answers,
    timezone: str,
    action: Action,
    channel: Channel,
    rows: Ints,
    customers: Sequence[str],
    keys: Sequence[str],
    variants: Sequence[str | None],
    due: int | None,
) -> list[bytes]:
    """The stored bytes of every contact; *rows*, *customers*, *keys* and *variants* go together."""
    same = {
        "action": action.id,
        "channel": channel.name,
        "class": action.contact_class,
        "due": None if due is None else to_date(due).isoformat(),
        "points": action.award,
    }
    messages = repeat(None) if action.message is None else rendered(action.message, answers, rows, timezone)
    columns = (
        customers,
        keys,
        variants,
        texts(answers, channel.address, rows, timezone),
        texts(answers, action.assign_to, rows, timezone),
        messages,
    )
    return [
        spelled(
            same
            | {
                "customer": customer,
                "key": key,
                "variant": variant,
                "address": address,
                "assign_to": assignee,
                "message": message,
            }
        )
        for customer, key, variant, address, assignee, message in zip(*columns, strict=False)
    ]


def texts(answers: Answers, question: Expr | None, rows: Ints, timezone: str) -> Sequence[str | None]:
    """The values of a question as text, None where missing and where nothing is asked."""
    if question is None:
        return [None] * len(rows)
    return texts_of(answers.column(question), rows, timezone)


def texts_of(column: Column, rows: Ints, timezone: str) -> Sequence[str | None]:
    """The values of *column* in *rows* as text, None where missing."""
    missing = None if column.missing is None else column.missing[rows]
    there = rows if missing is None else rows[~missing]
    if isinstance(column.type, Text):
        words = column.dictionary
        found: Sequence[str] = [words[code] for code in column.values[there].tolist()]
    else:
        found = key_texts(column, timezone)(there)
    if missing is None:
        return found
    left = iter(found)
    return [None if is_missing else next(left) for is_missing in missing.tolist()]


def due_day(action: Action, today: int) -> int | None:
    """The day on which a task is due; None without one, and beyond the year 9999."""
    return None if action.due is None else shift(today, action.due.amount, action.due.unit)


def keys_of(column: Column, rows: Ints, timezone: str) -> list[str]:
    """The keys of some customers, as the ledger spells them."""
    return [each or "" for each in texts_of(column, rows, timezone)]
