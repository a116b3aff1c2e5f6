"""policies.yaml → `WrittenPolicies`.

In: a tree whose shape has been checked.  Out: the document.  Always: a channel or sink whose parts were wrong is there
with the parts that were right, so that its name is known.

    read_policies(tree, found).channels[0].sink      # Word("files")
"""

from __future__ import annotations

from typing import Literal, get_args

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.actions import contact_class, integer, optional
from segrules.files.campaign import (
    WrittenCap,
    WrittenCapacity,
    WrittenChannel,
    WrittenEnvironment,
    WrittenGuards,
    WrittenPolicies,
    WrittenQuietHours,
    WrittenSink,
)  # fmt: skip
from segrules.files.documents import Scalar
from segrules.files.expressions import expression
from segrules.model.campaign import ContactClass
from segrules.source import Word
from segrules.syntax.expr import Expr
from segrules.yamltree.nodes import Entry, Map, Node, Seq

CapacityPer = Literal["day", "week", "month"]
WITHOUT_CLASS: tuple[ContactClass, ...] = ("marketing", "service")
"""The classes that a plain `consent:` is asked for."""


def read_policies(root: Map, found: list[Diagnostic]) -> WrittenPolicies:
    """The document."""
    guards = root.get("guards")
    return WrittenPolicies(
        channels=tuple(_channel(entry, found) for entry in fields.entries(root.get("channels"))),
        suppress=tuple(expression(item, found) for item in fields.items(root.get("suppress"))),
        caps=tuple(cap for item in fields.items(root.get("caps")) if (cap := _cap(item)) is not None),
        capacity=tuple(one for entry in fields.entries(root.get("capacity")) if (one := _capacity(entry)) is not None),
        global_holdout=fields.scalar(root.get("global_holdout")),
        guards=WrittenGuards(
            max_members_changed=fields.scalar(fields.get(guards, "max_members_changed")),
            max_contacted=integer(fields.get(guards, "max_contacted")),
            max_spend=fields.scalar(fields.get(guards, "max_spend")),
            require_clean_git=fields.flag(fields.get(guards, "require_clean_git")),
        ),
        max_plan_age=fields.scalar(root.get("max_plan_age")),
        max_staleness=fields.scalar(root.get("max_staleness")),
        sinks=_sinks(root.get("sinks")),
        environments=tuple(
            WrittenEnvironment(fields.key(entry), state, _sinks(fields.get(entry.value, "sinks")))
            for entry in fields.entries(root.get("environments"))
            if (state := fields.text(fields.get(entry.value, "state")))
        ),
    )


def _channel(entry: Entry, found: list[Diagnostic]) -> WrittenChannel:
    node = entry.value
    billed = fields.text(fields.get(node, "billed_per"))
    return WrittenChannel(
        name=fields.key(entry),
        sink=fields.word(fields.get(node, "sink")),
        label=fields.text(fields.get(node, "label")),
        consent=_consent(fields.get(node, "consent"), found),
        address=optional(fields.get(node, "address"), found),
        cost=fields.scalar(fields.get(node, "cost")),
        task=fields.flag(fields.get(node, "task")),
        billed_per="part" if billed == "part" else "contact" if billed == "contact" else None,
        quiet_hours=_quiet_hours(fields.get(node, "quiet_hours")),
    )


def _consent(node: Node | None, found: list[Diagnostic]) -> dict[ContactClass, Expr]:
    if node is None:
        return {}
    if not isinstance(node, Map):
        value = expression(node, found)
        return dict.fromkeys(WITHOUT_CLASS, value)
    by_class = ((contact_class(entry.key), entry.value) for entry in node.entries)
    return {each: expression(value, found) for each, value in by_class if each is not None}


def _quiet_hours(node: Node | None) -> WrittenQuietHours | None:
    start, end = fields.scalar(fields.get(node, "from")), fields.scalar(fields.get(node, "to"))
    if start is None or end is None:
        return None
    return WrittenQuietHours(start, end, fields.scalar(fields.get(node, "zone")))


def _cap(node: Node) -> WrittenCap | None:
    most, per = integer(fields.get(node, "at_most")), fields.scalar(fields.get(node, "per"))
    if most is None or per is None:
        return None
    channels, classes = fields.get(node, "channels"), fields.get(node, "classes")
    named = tuple(one for item in fields.items(classes) if (one := contact_class(item)) is not None)
    return WrittenCap(most, per, None if channels is None else fields.words(channels), named or None)


def _capacity(entry: Entry) -> WrittenCapacity | None:
    most = integer(fields.get(entry.value, "at_most"))
    written = fields.text(fields.get(entry.value, "per"))
    per = next((each for each in get_args(CapacityPer) if each == written), None)
    return None if most is None or per is None else WrittenCapacity(fields.key(entry), most, per)


def _sinks(node: Node | None) -> tuple[WrittenSink, ...]:
    return tuple(
        WrittenSink(fields.key(entry), fields.word(fields.get(entry.value, "kind")), _settings(entry.value))
        for entry in fields.entries(node)
    )


def _settings(node: Node) -> dict[Word, Scalar | tuple[Scalar, ...]]:
    found: dict[Word, Scalar | tuple[Scalar, ...]] = {}
    for entry in fields.entries(node):
        value = fields.scalars(entry.value) if isinstance(entry.value, Seq) else fields.scalar(entry.value)
        if entry.name != "kind" and value is not None:
            found[fields.key(entry)] = value
    return found
