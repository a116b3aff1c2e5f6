"""The text of a message → literal texts and placeholders.

In: a YAML scalar.  Out: texts and `WrittenPlaceholder`s in turn; braces that do not fit are reported.  Always: `{{`
and `}}` are braces of the text; the format begins at the first colon of a placeholder that stands neither in quotes
nor in a time of day; places inside an expression are exact in the file.

    "您好{name},{today:%m月%d日}"      # ("您好", WrittenPlaceholder(name), ",", WrittenPlaceholder(today, "%m月%d日"))
"""

from __future__ import annotations

import re

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files.campaign import WrittenPlaceholder
from segrules.source import Source, Word
from segrules.syntax.parser import parse_expression
from segrules.yamltree.nodes import Scalar

_PIECE = re.compile(
    r'"[^"]*+(?:""[^"]*+)*+"|' r"'[^']*+(?:''[^']*+)*+'|" "“[^”]*+”|‘[^’]*+’|" r"`[^`]*+(?:``[^`]*+)*+`|"
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?|"
    r"[\s\S]"
)  # fmt: skip


def read_message(node: Scalar, found: list[Diagnostic]) -> tuple[str | WrittenPlaceholder, ...]:
    """The parts of a message, no text of them empty."""
    source, text = node.source, node.text
    parts: list[str | WrittenPlaceholder] = []
    literal: list[str] = []
    at = 0
    while at < len(text):
        one = text[at]
        if one in "{}" and text[at : at + 2] == one * 2:
            literal.append(one)
            at += 2
        elif one == "{":
            if literal:
                parts.append("".join(literal))
                literal.clear()
            end, made = _placeholder(source, at, found)
            parts += () if made is None else (made,)
            at = end
        else:
            if one == "}":
                found.append(Diagnostic("R601", source.span(at, at + 1), {}, Help("closing")))
            elif one in "｛｝":
                found.append(Diagnostic("R602", source.span(at, at + 1), {"brace": one}))
            literal.append(one)
            at += 1
    if literal:
        parts.append("".join(literal))
    return tuple(parts)


def _placeholder(source: Source, start: int, found: list[Diagnostic]) -> tuple[int, WrittenPlaceholder | None]:
    """The placeholder whose brace opens at *start*, and where the text goes on."""
    text = source.text
    colon: int | None = None
    at = start + 1
    while at < len(text) and text[at] != "}":
        if colon is not None:
            at += 1
        elif text[at] in ":：":
            colon = at
            at += 1
        elif text[at] == "{":
            break
        else:
            piece = _PIECE.match(text, at)
            assert piece is not None
            at = piece.end()
    if at >= len(text) or text[at] == "{":
        found.append(Diagnostic("R601", source.span(start, start + 1), {}, Help("opening")))
        return (at if at < len(text) else len(text)), None
    end = at if colon is None else colon
    format_ = source.span(end + (colon is not None), at)
    if not text[start + 1 : end].strip():
        found.append(Diagnostic("R601", source.span(start, at + 1), {}, Help("empty")))
        return at + 1, None
    value, wrong = parse_expression(_inside(source, start + 1, end))
    found.extend(wrong)
    return at + 1, WrittenPlaceholder(value, Word(format_.text, format_))


def _inside(source: Source, start: int, end: int) -> Source:
    """A stretch of *source* as a source of its own."""
    return Source(source.name, source.text[start:end], source, lambda: range(start, end + 1))
