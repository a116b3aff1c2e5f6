"""Whether a YAML tree has the shape of its kind of file, by the JSON Schema that editors use too.

In: a tree and the kind of file.  Out: diagnostics of family R5, each at the key or value that is wrong.  Always: the
words are ours, not the schema library's; nothing is said about what is already reported (`Broken`); a validator is
built once per kind.

    shape_errors("rules", tree)      # R501 unknown key `segmets`  help: did you mean `segments`?
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help, Words
from segrules.resources import resource_folder
from segrules.source import Span
from segrules.yamltree.explain import clip, line_from, quoted, reserved
from segrules.yamltree.nodes import Broken, Entry, Map, Node, Scalar, Seq

Kind = Literal["project", "policies", "rules", "tests"]
EXPRESSION = "segrules-expression"

_BROKEN = object()
_COMPLETE = ("required", "dependentRequired", "anyOf", "oneOf", "minProperties")


def shape_errors(kind: Kind, root: Node) -> list[Diagnostic]:
    """Everything in the tree that its schema forbids."""
    found = [one for error in _validator(kind).iter_errors(_plain(root)) for one in _told(root, error)]
    told = {one.span for one in found if one.code in ("R508", "R527")}
    return [one for one in found if one.code != "R503" or one.span not in told]


def schema(kind: Kind) -> Mapping[str, Any]:
    """The JSON Schema of a kind of file."""
    file = resource_folder("schemas") / f"{kind}.schema.json"
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def unknown_key(entry: Entry, known: Sequence[str]) -> Diagnostic:
    """A key that nothing here reads."""
    return Diagnostic("R501", entry.key.span, {"key": clip(entry.name)}, did_you_mean(entry.name, known))


def did_you_mean(written: str, known: Sequence[str]) -> Help | None:
    """The known word that is spelled most alike, else all of them where they are few."""
    lower = {name.lower(): name for name in known}
    if close := get_close_matches(written.lower()[:100], lower, 1, 0.6):
        return Help("did_you_mean", {"suggestion": lower[close[0]]})
    return Help("known", {"known": ", ".join(f"`{name}`" for name in known)}) if known else None


def meant(node: Map, known: Sequence[str]) -> set[str]:
    """The known keys that unknown keys of *node* look like."""
    helps = [did_you_mean(entry.name, known) for entry in node.entries if entry.name not in known]
    return {str(one.args["suggestion"]) for one in helps if one is not None and one.key == "did_you_mean"}


@cache
def _validator(kind: Kind) -> Draft202012Validator:
    return Draft202012Validator(schema(kind))


def _plain(node: Node) -> object:
    match node:
        case Map():
            return {entry.key.text: _plain(entry.value) for entry in node.entries}
        case Seq():
            return [_plain(item) for item in node.items]
        case Scalar():
            return node.value
        case Broken():
            return _BROKEN


def _told(root: Node, error: ValidationError) -> Iterator[Diagnostic]:
    """*error* in our words; nothing where the value is broken already."""
    above: Entry | None = None
    node = root
    for step in error.absolute_path:
        if isinstance(node, Map):
            above = node.entry(str(step))
            node = above.value if above is not None else node
        elif isinstance(node, Seq):
            above, node = None, node.items[int(step)]
    if isinstance(node, Broken):
        return
    if isinstance(node, Map) and node.partial and error.validator in _COMPLETE:
        return
    place = _head(node, above)
    wanted: Any = error.validator_value
    rule: Any = error.schema
    match str(error.validator), node:
        case "additionalProperties", Map():
            known = list(rule["properties"])
            for entry in node.entries:
                if entry.name not in known:
                    missing = [name for name in known if node.get(name) is None]
                    yield unknown_key(entry, missing)
        case "required", Map():
            misspelled = meant(node, list(rule.get("properties", ())))
            yield from (_missing(place, key) for key in wanted if node.entry(key) is None and key not in misspelled)
        case "dependentRequired", Map():
            for key, needed in wanted.items():
                if node.entry(key) is not None:
                    yield from (_missing(place, other) for other in needed if node.entry(other) is None)
        case "anyOf", Map():
            if wanted[0]["required"][0] not in meant(node, list(rule.get("properties", ()))):
                yield _missing(place, wanted[0]["required"][0])
        case "oneOf", Map():
            if not meant(node, list(rule["properties"])):
                yield Diagnostic("R508" if wanted[0]["required"] == ["cases"] else "R527", place)
        case "not", Map():
            first, second = wanted["required"]
            found = node.entry(second)
            yield Diagnostic("R510", found.key.span if found else place, {"first": first, "second": second})
        case "type", _:
            yield _wrong_type(node, above, rule)
        case "enum" | "const", _:
            allowed = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
            value = node.text if isinstance(node, Scalar) else ""
            shown = ", ".join(f"`{one}`" for one in allowed)
            close = get_close_matches(value[:100], allowed, 1, 0.6)
            help_ = Help("did_you_mean", {"suggestion": close[0]}) if close else None
            yield Diagnostic("R504", _visible(node, above), {"value": clip(value), "allowed": shown}, help_)
        case "minItems" | "minProperties", _:
            count = len(node.items) if isinstance(node, Seq) else len(node.entries) if isinstance(node, Map) else 0
            yield Diagnostic("R505", place, {"needed": int(wanted), "found": count})
        case "minLength", Map():
            yield from (Diagnostic("R509", entry.key.span) for entry in node.entries if not entry.name)
        case "minLength" | "maxLength", Scalar():
            yield Diagnostic("R506", _visible(node, above), {}, Help(str(error.validator), {"limit": int(wanted)}))
        case "minimum", Scalar():
            yield Diagnostic("R518", node.span, {"value": clip(node.text), "limit": int(wanted)})


def _head(node: Node, above: Entry | None) -> Span:
    """What stands for a collection: the key it belongs to, else its own first key or item."""
    if above is not None:
        return above.key.span
    match node:
        case Map(entries=(first, *_)):
            return first.key.span
        case Seq(items=(first, *_)) if not node.flow:
            return _head(first, None)
        case _:
            return _visible(node, above)


def _visible(node: Node, above: Entry | None) -> Span:
    """The node, or the key before it where there is nothing to see; of several lines the first."""
    if node.span.start == node.span.end and above is not None:
        return above.key.span
    first = line_from(node.span.source, node.span.start)
    return first if first.end < node.span.end else node.span


def _missing(place: Span, key: str) -> Diagnostic:
    return Diagnostic("R503", place, {"key": key})


def _wrong_type(node: Node, above: Entry | None, wanted: Mapping[str, Any]) -> Diagnostic:
    if wanted.get("format") == EXPRESSION:
        if isinstance(node, Map | Seq) and node.flow:
            return reserved(node.span.source, node.span.start)
        if isinstance(node, Scalar) and node.value is None and (eaten := comment_after(node)):
            return eaten
    types = wanted["type"] if isinstance(wanted["type"], list) else [wanted["type"]]
    args = {"expected": _expected(types, wanted.get("format") == EXPRESSION), "found": Words(_found(node))}
    quote = types == ["string"] and isinstance(node, Scalar) and isinstance(node.value, bool | int | Decimal)
    span = _head(node, above) if isinstance(node, Map | Seq) and not node.flow else _visible(node, above)
    return Diagnostic("R502", span, args, Help("quote", {"quoted": quoted(node.span.text)}) if quote else None)


def comment_after(node: Scalar) -> Diagnostic | None:
    """Y114 where a plain scalar is followed by a comment in the same line."""
    rest = line_from(node.span.source, node.span.end)
    comment = rest.text.lstrip()
    if not node.plain or not comment.startswith("#"):
        return None
    start = rest.end - len(comment)
    begin = node.span.start if node.text else start
    whole = node.span.source.span(begin, rest.end).text
    span = node.span.source.span(start, rest.end)
    return Diagnostic("Y114", span, {"comment": clip(comment)}, Help("quote", {"quoted": quoted(whole)}))


def _expected(types: Sequence[str], expression: bool) -> Argument:
    if expression:
        return Words("files.expression")
    named = [kind for kind in ("array", "object") if kind in types]
    if "string" in types:
        named.insert(0, "value" if {"number", "boolean"} <= set(types) else "string")
    if "string" not in types or ("number" in types and "boolean" not in types):
        named[:0] = [kind for kind in ("number", "integer", "boolean") if kind in types]
    result: Argument = Words(f"files.{named[0]}")
    for kind in named[1:]:
        result = Words("files.or", {"first": result, "second": Words(f"files.{kind}")})
    return result


def _found(node: Node) -> str:
    match node:
        case Map():
            return "files.object"
        case Seq():
            return "files.array"
        case Scalar(value=bool()):
            return "files.boolean"
        case Scalar(value=None):
            return "files.null"
        case Scalar(value=str()):
            return "files.string"
        case _:
            return "files.number"
