"""`actions:` of a rule file → `WrittenAction`s.

In: the entry of an action in a tree whose shape has been checked.  Out: the document; diagnostics for what a schema
cannot say.  Always: an action whose parts were wrong is there with the parts that were right, so that its id is known.

    read_action(entry, found).channels      # (Word("sms"),)
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.campaign import (
    WrittenAction,
    WrittenBudget,
    WrittenEntry,
    WrittenGoal,
    WrittenLimit,
    WrittenOrder,
    WrittenPlaceholder,
)  # fmt: skip
from segrules.files.dates import checked_date
from segrules.files.documents import Scalar
from segrules.files.expressions import expression
from segrules.files.messages import read_message
from segrules.model.campaign import CLASSES, ContactClass
from segrules.source import Source, Word
from segrules.syntax.expr import Expr
from segrules.syntax.folding import fold
from segrules.yamltree import nodes
from segrules.yamltree.nodes import Entry, Map, Node

Counting = Literal["run", "open tasks", "week"]
BudgetPer = Literal["run", "month", "lifetime"]
_DESCENDING = re.compile(r"(?<=[\s)\]`\"'”’])(?:(?ai:desc)|降序)\s*$")


def read_action(entry: Entry, found: list[Diagnostic]) -> WrittenAction:
    """The action that *entry* defines."""
    node = entry.value
    channel, active, variants = (fields.get(node, name) for name in ("channel", "active", "variants"))
    by = fields.get(channel, "by")
    return WrittenAction(
        name=fields.key(entry),
        label=fields.text(fields.get(node, "label")),
        when=expression(fields.get(node, "for"), found),
        channels=_channels(channel),
        channel_by=None if by is None else expression(by, found),
        contact_class=contact_class(fields.get(node, "class")) or "marketing",
        active_from=checked_date(fields.get(active, "from"), found),
        active_until=checked_date(fields.get(active, "until"), found),
        message=_message(fields.get(node, "message"), found),
        repeat=_repeat(fields.get(node, "repeat")),
        priority=number(fields.get(node, "priority")),
        group=fields.text(fields.get(node, "group")),
        limit=_limit(fields.get(node, "limit"), found),
        budget=_budget(fields.get(node, "budget")),
        cost=fields.scalar(fields.get(node, "cost")),
        holdout=fields.scalar(fields.get(node, "holdout")),
        salt=fields.text(fields.get(node, "salt")),
        variants=tuple(
            (fields.key(each), share)
            for each in fields.entries(variants)
            if (share := fields.scalar(each.value)) is not None
        ),
        variants_span=fields.key_span(node, "variants") or entry.key.span,
        award=integer(fields.get(node, "award")),
        assign_to=optional(fields.get(node, "assign_to"), found),
        due=fields.scalar(fields.get(node, "due")),
        goal=_goal(fields.get(node, "goal"), found),
        previously=fields.words(fields.get(node, "previously")),
    )


def optional(node: Node | None, found: list[Diagnostic]) -> Expr | None:
    """The expression that stands there, if any does."""
    return None if node is None else expression(node, found)


def integer(node: Node | None) -> int | None:
    """A whole number that is not negative; another has been reported."""
    value = node.value if isinstance(node, nodes.Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def number(node: Node | None) -> Scalar | None:
    """A number; anything else has been reported."""
    found = fields.scalar(node)
    return None if found is None or isinstance(found.value, str | bool | None) else found


def contact_class(node: Node | None) -> ContactClass | None:
    written = fields.text(node)
    return next((each for each in CLASSES if each == written), None)


def _channels(node: Node | None) -> tuple[Word, ...]:
    one = fields.word(node)
    return fields.words(node) if one is None else (one,)


def _message(node: Node | None, found: list[Diagnostic]) -> tuple[str | WrittenPlaceholder, ...] | None:
    if not isinstance(node, nodes.Scalar) or not isinstance(node.value, str):
        return None
    return read_message(node, found)


def _repeat(node: Node | None) -> Scalar | WrittenEntry | None:
    if isinstance(node, Map):
        existing = fields.text(node.get("existing")) == "include"
        return WrittenEntry(fields.scalar(node.get("at_most")), existing)
    return fields.scalar(node)


def _limit(node: Node | None, found: list[Diagnostic]) -> WrittenLimit | None:
    if not isinstance(node, Map):
        return None
    per = node.get("per")
    most = integer(fields.get(per, "at_most"))
    counting = fields.text(fields.get(per, "counting"))
    value = optional(fields.get(per, "value"), found)
    return WrittenLimit(
        customers=integer(node.get("customers")),
        order_by=_order(node.get("order_by"), found),
        per=None if most is None else value,
        at_most=most or 0,
        counting=next((each for each in get_args(Counting) if each == counting), "run"),
    )


def _order(node: Node | None, found: list[Diagnostic]) -> WrittenOrder | None:
    """The expression before a last `desc`."""
    if node is None:
        return None
    last = _DESCENDING.search(fold(node.text)) if isinstance(node, nodes.Scalar) else None
    if not isinstance(node, nodes.Scalar) or last is None or not node.text[: last.start()].strip():
        return WrittenOrder(expression(node, found), False)
    end = last.start()
    kept = Source(node.source.name, node.text[:end], node.source, lambda: range(end + 1))
    value = nodes.Scalar(kept.text, kept.text, node.style, node.span, kept)
    return WrittenOrder(expression(value, found), True)


def _budget(node: Node | None) -> WrittenBudget | None:
    total = fields.scalar(fields.get(node, "total"))
    per = fields.text(fields.get(node, "per"))
    if total is None:
        return None
    return WrittenBudget(total, next((each for each in get_args(BudgetPer) if each == per), "lifetime"))


def _goal(node: Node | None, found: list[Diagnostic]) -> WrittenGoal | None:
    within, metric = fields.scalar(fields.get(node, "within")), optional(fields.get(node, "metric"), found)
    return None if metric is None or within is None else WrittenGoal(metric, within)
