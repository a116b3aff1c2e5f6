"""Messages: typed placeholders that are never missing.

In: the parts of a message as written.  Out: `Message`.  Always: every placeholder has a value for every customer, and
a format that fits its type; columns with personal data may stand in a message.

    message(("您好", WrittenPlaceholder(name, "")), scope)
"""

from __future__ import annotations

from collections.abc import Iterable

from segrules.check.infer import infer
from segrules.check.missing import can_be_missing
from segrules.check.scope import Scope, is_wrong
from segrules.check.widen import shorten, shown
from segrules.diagnostics.diagnostic import Help, Words
from segrules.files.campaign import WrittenPlaceholder
from segrules.model.campaign import Message, Placeholder
from segrules.schema.formats import fault
from segrules.schema.types import Untyped


def message(parts: Iterable[str | WrittenPlaceholder], scope: Scope) -> Message:
    """The message; a placeholder that is wrong has been reported."""
    return Message(tuple(part if isinstance(part, str) else _placeholder(part, scope) for part in parts))


def _placeholder(written: WrittenPlaceholder, scope: Scope) -> Placeholder:
    node = infer(written.value, scope)
    if not is_wrong(node):
        text = shown(written.value)
        if isinstance(node.type, Untyped) or can_be_missing(node):
            scope.report("T432", written.value.span, {"text": text}, Help("default", {"text": text}))
        wrong = None if not written.format.text else fault(written.format.text, node.type)
        if wrong is not None and not isinstance(node.type, Untyped):
            args = {"format": shorten(written.format.text), "text": text, "type": str(node.type)}
            scope.report("T433", written.format.span, {**args, "possible": Words(f"format.{wrong}")})
    return Placeholder(node, written.format.text)
