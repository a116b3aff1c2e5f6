"""Why YAML could not read a file, in the words of somebody who writes rules.

In: where libyaml stopped and why, and the last node before that.  Out: one diagnostic of family Y1.  Always: the
ways in which YAML eats an expression (a quote at its start, `: `, `[`, `>`, `@` …) each have a help text of their own,
placed on the value that should have been quoted.

    when: "北京" = city        Y116: a value ends with its closing quote …  help: put the whole value in quotes
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.source import Source, Span
from segrules.yamltree.nodes import Map, Node, Scalar, Seq

LONGEST_SHOWN = 60

_INDICATORS = {
    "`": "backquote", "@": "at", "%": "percent", "[": "bracket", "{": "brace", ">": "greater", "|": "bar", "!": "tag",
    "&": "anchor", "*": "star", "-": "dash", "?": "question", ",": "comma", "]": "closing", "}": "closing",
}  # fmt: skip
_NO_SPACE_AFTER_COLON = re.compile(r"\s*(?:- )?[^\s:：#\"'{\[]+(?P<colon>[:：])\S")
_QUOTED_KEY = re.compile(r"(?P<key>`[^`\n]*`)[ \t]*:(?=\s)")
_WIDE_SPACE = re.compile("[ \t]*[\u3000\u00a0]")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What libyaml said: the problem, where, where what it was reading began; the last node, whether in `[ ]`/`{ }`."""

    problem: str
    at: int | None
    began: int | None
    last: Node | None
    flow: bool


def clip(text: str) -> str:
    """*text* on one line, short enough for a message."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SHOWN else line[: LONGEST_SHOWN - 1] + "…"


def line_from(source: Source, at: int) -> Span:
    """From *at* to the end of its line, without trailing white space."""
    stop = source.text.find("\n", at)
    stop = len(source.text) if stop < 0 else stop
    return source.span(at, at + len(source.text[at:stop].rstrip()))


def ignored_scalar(source: Source, start: int, end: int, style: str) -> Diagnostic | None:
    """`>5` is the start of a folded block with an indentation of 5 to YAML, so the comparison silently disappears."""
    if style in ("literal", "folded") and source.text[start + 1 : start + 2].isdigit():
        return reserved(source, start)
    return None


def reserved(source: Source, at: int) -> Diagnostic:
    """The value at *at* begins with a character that YAML keeps for itself."""
    key = _QUOTED_KEY.match(source.text, at)
    span = source.span(at, key.end("key")) if key else value_from(source, at)
    character = source.text[at]
    return Diagnostic(
        "Y117", span, {"character": character}, Help(_INDICATORS.get(character, "other"), {"quoted": quoted(span.text)})
    )


def quoted(text: str) -> str:
    """*text* as a YAML scalar in quotes."""
    return "'" + clip(text).replace("'", "''") + "'"


def explain(source: Source, trouble: Trouble) -> Diagnostic:
    """The diagnostic for *trouble*."""
    at = min(trouble.at if trouble.at is not None else 0, len(source.text))
    began = trouble.began if trouble.began is not None else at
    problem = trouble.problem
    match problem:
        case "found character that cannot start any token":
            return _tab(source, at) if source.text[at : at + 1] == "\t" else reserved(source, at)
        case "did not find expected comment or line break" | "found an indentation indicator equal to 0":
            return _after_value(source, began, trouble.last) or reserved(source, began)
        case "did not find expected alphabetic or numeric character":
            return reserved(source, began)
        case "block sequence entries are not allowed in this context" | "mapping keys are not allowed in this context":
            return _indentation(source, at) if _begins_line(source, at) else reserved(source, at)
        case "mapping values are not allowed in this context":
            return _colon(source, at, trouble.last)
        case "could not find expected ':'":
            return _no_key(source, began)
        case "did not find expected node content":
            return _no_content(source, at, trouble)
        case "did not find expected key" if source.text[at : at + 1] == ":":
            return Diagnostic("Y109", source.span(at, at + 1))
        case "did not find expected key" | "did not find expected '-' indicator":
            return _after_value(source, at, trouble.last) or _indentation(source, at, trouble.last)
        case "did not find expected ',' or ']'" | "did not find expected ',' or '}'":
            return _in_flow(source, at, began, trouble.last)
        case "found unexpected end of stream" | "found unexpected document indicator":
            if isinstance(trouble.last, Map | Seq) and trouble.last.flow and trouble.last.span.end == began:
                bracket = source.span(began - 1, began)
                return Diagnostic("Y127", bracket, {"bracket": bracket.text}, Help("plain"))
            return Diagnostic("Y118", line_from(source, began), {"quote": source.text[began : began + 1]})
        case "found a tab character where an indentation space is expected":
            return _tab(source, at)
        case "did not find expected <document start>":
            return _after_value(source, at, trouble.last) or Diagnostic("Y107", line_from(source, at))
    if "escape" in problem or "hexdecimal" in problem:
        return _escape(source, at)
    if source.text[began : began + 1] == "!" or "tag" in problem or "'!'" in problem or "'>'" in problem:
        span = value_from(source, began)
        return Diagnostic("Y110", span, {"tag": clip(span.text)}, Help("quote", {"quoted": quoted(span.text)}))
    return Diagnostic("Y124", line_from(source, at), {"problem": clip(problem)})


def wide_space(key: Scalar) -> Diagnostic | None:
    """Y121 where a full-width or no-break space stands as indentation before a key."""
    if not key.plain or key.text[0] not in "\u3000\u00a0":
        return None
    return Diagnostic("Y121", key.span, {"text": clip(key.text)}, Help("wide_space"))


def value_from(source: Source, at: int) -> Span:
    """The rest of the line as a value: without what closes a flow collection or a comment."""
    span = line_from(source, at)
    text = span.text
    line_start = source.text.rfind("\n", 0, at) + 1
    before = source.text[line_start:at]
    opened = before.count("{") + before.count("[")
    while opened and text and text[-1] in "}],":
        opened -= text[-1] in "}]"
        text = text[:-1].rstrip()
    if opened == 0 and "{" in before and (next_key := re.search(r",\s*[\w.]+: ", text)):
        text = text[: next_key.start()]
    return source.span(at, at + max(len(text), 1))


def _begins_line(source: Source, at: int) -> bool:
    return not source.text[source.text.rfind("\n", 0, at) + 1 : at].strip()


def _line_number(source: Source, at: int) -> int:
    return source.line_column(at)[0]


def _tab(source: Source, at: int) -> Diagnostic:
    end = at
    while source.text[end : end + 1] == "\t":
        end += 1
    return Diagnostic("Y122", source.span(at, max(end, at + 1)))


def _indentation(source: Source, at: int, last: Node | None = None) -> Diagnostic:
    span = line_from(source, at)
    if isinstance(last, Scalar) and last.plain:
        between = source.text[last.span.end : at]
        if between.strip().startswith("#") and _begins_line(source, at):
            return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("comment"))
    line_start = source.text.rfind("\n", 0, at) + 1
    if _WIDE_SPACE.match(source.text[line_start : at + 1]):
        return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("wide_space"))
    if span.text.startswith("- ") or span.text == "-":
        return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("item"))
    return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("level"))


def _colon(source: Source, at: int, last: Node | None) -> Diagnostic:
    """A second `: ` in a value that is not in quotes, or a line that YAML took for the rest of the one before it."""
    if not isinstance(last, Scalar) or not last.plain:
        return _after_value(source, at, last) or Diagnostic("Y115", line_from(source, at), {"text": ":"}, Help("key"))
    start = last.span.start
    if _line_number(source, start) != _line_number(source, at):
        line = source.text[source.text.rfind("\n", 0, start) + 1 : source.text.find("\n", start)]
        if found := _NO_SPACE_AFTER_COLON.match(line):
            return _tight_colon(source, start, found["colon"])
        line_start = source.text.rfind("\n", 0, at) + 1
        first = line_start + len(source.text[line_start:at]) - len(source.text[line_start:at].lstrip())
        span = line_from(source, first)
        if _WIDE_SPACE.match(source.text[line_start : line_start + 3]):
            return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("wide_space"))
        return Diagnostic("Y121", span, {"text": clip(span.text)}, Help("continues"))
    span = value_from(source, start)
    if "，" in last.text:
        return Diagnostic("Y115", span, {"text": clip(span.text)}, Help("wide_comma"))
    return Diagnostic("Y115", span, {"text": clip(span.text)}, Help("quote", {"quoted": quoted(span.text)}))


def _tight_colon(source: Source, at: int, colon: str) -> Diagnostic:
    span = line_from(source, at)
    return Diagnostic("Y125", span, {"text": clip(span.text)}, Help("colon" if colon == ":" else "wide_colon"))


def _no_key(source: Source, began: int) -> Diagnostic:
    span = line_from(source, began)
    if found := _NO_SPACE_AFTER_COLON.match(span.text):
        return _tight_colon(source, began, found["colon"])
    if "：" in span.text:
        return _tight_colon(source, began, "：")
    return Diagnostic("Y126", span, {"text": clip(span.text)})


def _no_content(source: Source, at: int, trouble: Trouble) -> Diagnostic:
    if at >= len(source.text):
        opening = max(source.text.rfind("[", 0, at), source.text.rfind("{", 0, at), 0)
        return _unclosed(source, opening)
    if source.text[at] in ",]}" and not trouble.flow:
        return reserved(source, at)
    if source.text[at] in ",]}:":
        return Diagnostic("Y120", source.span(at, at + 1), {"bracket": source.text[at]}, Help("extra"))
    return _indentation(source, at)


def _after_value(source: Source, at: int, last: Node | None) -> Diagnostic | None:
    """Text after the closing quote or bracket that ended a value."""
    if last is None or _line_number(source, last.span.end) != _line_number(source, min(at, len(source.text))):
        return None
    between = source.text[last.span.end : at]
    if between.strip():
        return None
    if isinstance(last, Scalar) and last.style in ("single", "double"):
        span = value_from(source, last.span.start)
        args = {"quote": source.text[last.span.start]}
        return Diagnostic("Y116", span, args, Help("quote", {"quoted": quoted(span.text)}))
    if isinstance(last, Map | Seq) and last.flow:
        if source.text[at : at + 1] in ("]", "}"):
            return Diagnostic("Y120", source.span(at, at + 1), {"bracket": source.text[at]}, Help("extra"))
        if isinstance(last, Map) and last.entries:
            return _bracket_inside(source, last.entries[-1].value.span.start, source.text[last.span.end - 1])
        return reserved(source, last.span.start)
    return None


def _bracket_inside(source: Source, start: int, bracket: str) -> Diagnostic:
    span = value_from(source, start)
    return Diagnostic("Y127", span, {"bracket": bracket}, Help("quote", {"quoted": quoted(span.text)}))


def _in_flow(source: Source, at: int, began: int, last: Node | None) -> Diagnostic:
    if at >= len(source.text):
        return _unclosed(source, began)
    character = source.text[at]
    if character in "]}":
        return Diagnostic("Y120", source.span(at, at + 1), {"bracket": character}, Help("other"))
    if (found := _after_value(source, at, last)) is not None:
        return found
    if character in "[{" and isinstance(last, Scalar) and last.plain and last.text:
        return _bracket_inside(source, last.span.start, character)
    if isinstance(last, Scalar) and last.plain and last.text.count("(") > last.text.count(")"):
        rest = source.text[last.span.end : at].lstrip(", ")
        span, whole = value_from(source, at - len(rest)), value_from(source, last.span.start)
        return Diagnostic("Y119", span, {"text": clip(span.text)}, Help("quote", {"quoted": quoted(whole.text)}))
    if character == ":" and isinstance(last, Scalar) and last.plain:
        if "\n" in source.text[last.span.start : at]:
            return _unclosed(source, began)
        return _colon(source, at, last)
    return _unclosed(source, began)


def _unclosed(source: Source, at: int) -> Diagnostic:
    return Diagnostic("Y120", source.span(at, at + 1), {"bracket": source.text[at : at + 1]}, Help("unclosed"))


def _escape(source: Source, at: int) -> Diagnostic:
    start = source.text.rfind("\\", 0, at + 1)
    start = at if start < 0 else start
    span = source.span(start, min(start + 2, len(source.text)))
    return Diagnostic("Y123", span, {"escape": span.text})
