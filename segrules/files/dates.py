"""Dates in files that are no expressions: `as_of`, `review_by`.

In: a YAML scalar.  Out: the scalar, where it is a date of the calendar.  Always: a date is written 2026-11-21.

    checked_date(tree.get("review_by"), found)
"""

from __future__ import annotations

import re
from datetime import date

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.documents import Scalar
from segrules.yamltree import nodes
from segrules.yamltree.explain import clip

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def checked_date(node: nodes.Node | None, found: list[Diagnostic]) -> Scalar | None:
    """The scalar; None, and R507, where it is text but no date."""
    scalar = fields.scalar(node)
    if scalar is None or not isinstance(node, nodes.Scalar) or not isinstance(scalar.value, str):
        return None
    try:
        if _DATE.fullmatch(scalar.text):
            date.fromisoformat(scalar.text)
            return scalar
    except ValueError:
        pass
    found.append(Diagnostic("R507", node.span, {"value": clip(scalar.text)}))
    return None
