"""Parameters, and what `--set` makes of them.

In: written parameters and overrides.  Out: `Parameter`s by name, None for one that is wrong.  Always: a YAML number or
boolean is itself, a text that reads as a literal is that literal, any other text is text; the items of a list have
one type; an override has a type of the same family.

    parameters(rules, {"high_value": "3万"}, "Asia/Shanghai", found)["high_value"].value      # 30000
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace

from segrules.check.suggest import nearest
from segrules.check.values import constant
from segrules.check.widen import convert, shorten
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files.documents import RuleFile, Scalar, WrittenParameter
from segrules.model.expr import Constant
from segrules.model.ruleset import Parameter
from segrules.schema.types import UNTYPED, Text, Type, Untyped, Value, is_numeric, widest
from segrules.source import Source
from segrules.syntax.keywords import TERMINALS
from segrules.syntax.parser import parse_literal

GIVEN = "--set"
COMMAS = (",", "，", "、")
QUOTED = TERMINALS["TEXT"]
PIECES = re.compile(rf"\s*\[?\s*(?:{QUOTED})\s*\]?\s*(?:[,，、]|\Z)|[^,，、]*(?:[,，、]|\Z)")


def parameters(
    rules: tuple[RuleFile, ...], overrides: Mapping[str, str], timezone: str, found: list[Diagnostic]
) -> dict[str, Parameter | None]:
    """Every parameter, the first of equal names."""
    made: dict[str, Parameter | None] = {}
    for file in rules:
        for written in file.parameters:
            if written.name.text not in made:
                made[written.name.text] = _parameter(written, written.values, timezone, found)
    for given, text in overrides.items():
        place = Source(GIVEN, f"{given}={text}")
        name = unicodedata.normalize("NFKC", given)
        if name not in made:
            meant = nearest(name, made)
            help_ = Help("did_you_mean", {"suggestion": meant}) if meant else None
            found.append(Diagnostic("N314", place.span(0, len(given)), {"name": name}, help_))
        elif (parameter := made[name]) is not None:
            made[name] = _overridden(parameter, place, len(given) + 1, timezone, found)
    return made


def _parameter(
    written: WrittenParameter, scalars: tuple[Scalar, ...], timezone: str, found: list[Diagnostic]
) -> Parameter | None:
    items: list[tuple[Type, Value]] = []
    for scalar in scalars:
        item = constant(scalar, timezone)
        if isinstance(item, Diagnostic):
            found.append(item)
        elif isinstance(item[0], Untyped):
            found.append(Diagnostic("T428", scalar.span, {"name": written.name.text}))
        else:
            items.append(item)
    if len(items) < len(scalars):
        return None
    if not scalars:
        found.append(Diagnostic("T428", written.name.span, {"name": written.name.text}))
        return None
    type_: Type = UNTYPED
    for scalar, (item_type, _) in zip(scalars, items, strict=True):
        both = widest(type_, item_type)
        if both is None:
            args = {
                "what": written.name.text, "left": shorten(scalars[0].text), "left_type": str(type_),
                "right": shorten(scalar.text), "right_type": str(item_type),
            }  # fmt: skip
            found.append(Diagnostic("T404", scalar.span, args))
            return None
        type_ = both
    values = [convert(Constant(value, one), type_) for one, value in items]
    stored = tuple(node.value for node in values if isinstance(node, Constant))
    if len(stored) < len(values):
        found.append(Diagnostic("T409", written.name.span, {"text": written.name.text}))
        return None
    value = stored if written.is_list else stored[0]
    return Parameter(written.name.text, written.label, type_, value, written.is_list, span=written.name.span)


def _overridden(
    parameter: Parameter, place: Source, start: int, timezone: str, found: list[Diagnostic]
) -> Parameter | None:
    """The parameter with the value that *place* gives after *start*."""
    pieces = _pieces(place.text, start) if parameter.is_list else [(start, len(place.text))]
    given = Help("given", {"name": parameter.name, "type": str(parameter.type)})
    items: list[tuple[Type, Value]] = []
    type_: Type = UNTYPED
    for begin, end in pieces:
        span = place.span(begin, end)
        scalar = Scalar(span.text, span.text, False, span)
        item = _text(scalar) if isinstance(parameter.type, Text) else constant(scalar, timezone)
        if isinstance(item, Diagnostic):
            found.append(replace(item, help=given))
            return None
        if isinstance(item[0], Text) and not isinstance(parameter.type, Text):
            if not span.text.strip():
                found.append(Diagnostic("T428", place.whole(), {"name": parameter.name}, given))
                return None
            if span.text.strip().lstrip("-").replace("_", "").isdecimal():
                found.append(Diagnostic("T409", span, {"text": shorten(span.text)}, given))
                return None
        both = widest(type_, item[0])
        if both is None or not _same_family(parameter.type, item[0]):
            args = {
                "name": parameter.name,
                "type": str(parameter.type),
                "text": shorten(span.text),
                "found": str(item[0]),
            }
            found.append(Diagnostic("T429", span, args, given))
            return None
        type_ = both
        items.append(item)
    nodes = [convert(Constant(value, one), type_) for one, value in items]
    stored = tuple(node.value for node in nodes if isinstance(node, Constant))
    if not stored or len(stored) < len(nodes):
        found.append(Diagnostic("T428", place.whole(), {"name": parameter.name}, given))
        return None
    value = stored if parameter.is_list else stored[0]
    return replace(parameter, type=type_, value=value, span=place.span(start, len(place.text)))


def is_given(parameter: Parameter) -> bool:
    """Whether the value of *parameter* comes from outside the rule files; then its span is that value."""
    return parameter.span.source.name == GIVEN


def _text(scalar: Scalar) -> tuple[Type, Value]:
    """A text; quotes around the whole are not part of it, as in a rule file."""
    literal = parse_literal(Source("", scalar.text))
    quoted = literal is not None and literal.kind == "text"
    return Text(), literal.value if literal is not None and quoted else scalar.text


def _pieces(text: str, start: int) -> list[tuple[int, int]]:
    """The stretches between commas outside quotes, brackets around all and blanks around each left out."""
    found = []
    begin = start
    commas = [piece.end() - 1 for piece in PIECES.finditer(text, start) if piece[0][-1:] in COMMAS]
    for end in [*commas, len(text)]:
        piece = text[begin:end]
        bare = piece.strip().removeprefix("[").removesuffix("]").strip()
        if bare:
            at = begin + piece.index(bare)
            found.append((at, at + len(bare)))
        begin = end + 1
    return found


def _same_family(declared: Type, given: Type) -> bool:
    return declared == given or (is_numeric(declared) and is_numeric(given))
