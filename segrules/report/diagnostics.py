"""Diagnostics as people and machines read them.

In: diagnostics, a language.  Out: lines for a screen, a JSON value, or GitHub workflow annotations.  Always: the
caret line stands under the exact characters, padded by display width; columns are 1-based code points; a place
without a file shows code and message alone; what GitHub would read as a command is escaped.

    rules/vip.yaml:14:11: T403 cannot compare `近一年消费额` (decimal(2)) with `"高"` (text)
       14 |     when: 近一年消费额 >= "高"
          |           ^^^^^^^^^^^^^^^^^^^^
      help: compare with a number, for example 近一年消费额 >= 5万
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from segrules.diagnostics.catalogue import Language, help_text, level, message, say
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.report.screen import Line, Piece, Style, line, visible, width
from segrules.source import Place, Span

LONGEST_LINE = 160
"""Source lines wider than this are shown as an excerpt around the place."""

NamePath = Callable[[str], str]


def as_written(name: str) -> str:
    """The name of a file as its source has it: what `shown` is when nobody asks for more."""
    return name


def errors(found: Iterable[Diagnostic]) -> int:
    """How many of *found* are errors."""
    return sum(level(one.code) == "error" for one in found)


def text_lines(found: Sequence[Diagnostic], language: Language, shown: NamePath = as_written) -> list[Line]:
    """Every diagnostic with its source line and help, in the order given; *shown* maps file names to paths."""
    lines: list[Line] = []
    for one in found:
        lines += _one(one, language, shown)
    return lines


def _one(one: Diagnostic, language: Language, shown: NamePath) -> list[Line]:
    place = one.span.place
    style: Style = "bold red" if level(one.code) == "error" else "bold yellow"
    said = visible(message(one, language))
    where = _where(place, shown)
    lines = [line(Piece(where + ": ", "bold") if where else "", Piece(one.code, style), f" {said}")]
    lines += _excerpt(one.span, place, "^", style)
    for other in one.also:
        other_place = other.place
        if other_place.line and other_place != place:
            lines.append(line("  ", Piece(say("ui.see_also", language), "cyan"), _where(other_place, shown)))
            lines += _excerpt(other, other_place, "-", "cyan")
    if (way_out := help_text(one, language)) is not None:
        lines.append(line("  ", Piece(say("ui.help", language), "cyan"), visible(way_out)))
    return lines


def _where(place: Place, shown: NamePath) -> str:
    if not place.file:
        return ""
    return f"{shown(place.file)}:{place.line}:{place.column}" if place.line else shown(place.file)


def _excerpt(span: Span, place: Place, mark: str, style: Style) -> list[Line]:
    """The source line with its number, and *mark* under the characters of the place."""
    if not place.line or not span.in_file().source.text:
        return []
    text = span.in_file().source.line_text(place.line)
    start = min(place.column - 1, len(text))
    end = min(place.end_column - 1, len(text)) if place.end_line == place.line else len(text)
    left, right = "", ""
    if width(text) > LONGEST_LINE:
        first = max(0, start - LONGEST_LINE // 4)
        last = first + LONGEST_LINE // 2
        left, right = "…" if first else "", "…" if last < len(text) else ""
        text, start, end = text[first:last], start - first, min(end, last) - first
    before, marked, after = (_flat(part) for part in (text[:start], text[start:end], text[end:]))
    number = str(place.line)
    gutter = " " * (len(number) + 4)
    return [
        line(Piece(f"   {number} | ", "dim"), left + before + marked + after + right),
        line(Piece(f"{gutter}| ", "dim"), " " * width(left + before), Piece(mark * max(1, width(marked)), style)),
    ]


def _flat(text: str) -> str:
    return visible(text.replace("\t", "    "))


def summary(found: Sequence[Diagnostic], language: Language) -> str:
    """`2 errors, 1 warning` in the reader's language."""
    count = errors(found)
    return say("ui.summary", language, errors=count, warnings=len(found) - count)


def as_json(found: Iterable[Diagnostic], language: Language, shown: NamePath = as_written) -> list[dict[str, Any]]:
    """JSON values of the diagnostics; places are 1-based lines and code-point columns, the end exclusive."""
    return [_json_one(one, language, shown) for one in found]


def _json_one(one: Diagnostic, language: Language, shown: NamePath) -> dict[str, Any]:
    return {
        "code": one.code,
        "level": level(one.code),
        "message": message(one, language),
        "help": help_text(one, language),
        "place": _json_place(one.span.place, shown),
        "also": [_json_place(other.place, shown) for other in one.also if other.place.line],
    }


def _json_place(place: Place, shown: NamePath) -> Mapping[str, str | int] | None:
    if not place.file:
        return None
    if not place.line:
        return {"file": shown(place.file)}
    return {
        "file": shown(place.file),
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }


def github_lines(found: Iterable[Diagnostic], language: Language, shown: NamePath = as_written) -> list[str]:
    """One workflow command per diagnostic, as GitHub Actions shows it beside the changed line."""
    return [_github_one(one, language, shown) for one in found]


def _github_one(one: Diagnostic, language: Language, shown: NamePath) -> str:
    place = one.span.place
    properties: dict[str, str | int] = {}
    if place.file:
        properties["file"] = shown(place.file)
    if place.line:
        properties |= {"line": place.line, "col": place.column, "endLine": place.end_line}
        if place.end_line == place.line:
            properties["endColumn"] = place.end_column
    properties["title"] = one.code
    written = ",".join(f"{key}={_github_property(str(value))}" for key, value in properties.items())
    said = message(one, language)
    if (way_out := help_text(one, language)) is not None:
        said += f"\n{say('ui.help', language)}{way_out}"
    return f"::{level(one.code)} {written}::{_github_text(said)}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")
