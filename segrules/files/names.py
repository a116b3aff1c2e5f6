"""Names that nobody could write in an expression, or tell from another name.

In: a YAML tree of segrules.yaml, policies.yaml or of a rule file.  Out: N316 at every key that defines such a name.
Always: what is looked at is the name as it is compared (NFKC, without backquotes); an empty key has been reported
elsewhere.

    strange_names("rules", tree)      # N316 for `"vip ": {when: …}`, on the key
"""

from __future__ import annotations

from collections.abc import Iterator

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files import fields
from segrules.source import Word
from segrules.syntax.folding import trouble
from segrules.yamltree.nodes import Map

_SECTIONS = ("parameters", "lists", "attributes", "segments", "segmentations", "scorecards", "actions")
_POLICIES = ("channels", "capacity", "sinks", "environments")


def strange_names(kind: str, root: Map) -> list[Diagnostic]:
    """What is wrong with the names that the file defines."""
    match kind:
        case "project":
            names = _of_project(root)
        case "rules":
            names = _of_rules(root)
        case "policies":
            names = (fields.key(entry) for section in _POLICIES for entry in fields.entries(root.get(section)))
        case _:
            return []
    return [found for name in names if (found := _strange(name)) is not None]


def _of_project(root: Map) -> Iterator[Word]:
    for table in fields.entries(root.get("tables")):
        yield fields.key(table)
        yield from map(fields.key, fields.entries(fields.get(table.value, "columns")))


def _of_rules(root: Map) -> Iterator[Word]:
    for section in _SECTIONS:
        yield from map(fields.key, fields.entries(root.get(section)))
    for action in fields.entries(root.get("actions")):
        yield from map(fields.key, fields.entries(fields.get(action.value, "variants")))
    for segmentation in fields.entries(root.get("segmentations")):
        for axis in fields.entries(fields.get(segmentation.value, "axes")):
            yield fields.key(axis)
            yield from map(fields.key, fields.entries(fields.get(axis.value, "bands")))
        written = [*fields.items(fields.get(segmentation.value, "cases"))]
        written += fields.items(fields.get(segmentation.value, "cells"))
        written += [one for key in ("otherwise", "unknown") if (one := fields.get(segmentation.value, key)) is not None]
        yield from (name for one in written if (name := fields.word(fields.get(one, "segment"))) is not None)


def _strange(name: Word) -> Diagnostic | None:
    text = name.text
    if not text.strip():
        return None
    args = {"name": " ".join(text.split())}
    breaks = [one for one in text if one in "\t\n\r"]
    hidden = [one for one in text if trouble(one) == "control"]
    if breaks or hidden:
        character = f"U+{ord((breaks or hidden)[0]):04X}"
        return Diagnostic(
            "N316", name.span, {**args, "what": Words("name.hidden", {"character": character})}, Help("delete")
        )
    if text != text.strip():
        return Diagnostic(
            "N316", name.span, {**args, "what": Words("name.outer")}, Help("trim", {"name": text.strip()})
        )
    return None
