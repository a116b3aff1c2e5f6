"""What is wrong in a user's file, as a value.

In: a code of the catalogue, a span, and the arguments of its message.  Out: a `Diagnostic` that is collected, sorted
by place and rendered in either language.  Always: making one never fails and never reads the catalogue, so a check
can report without knowing the user's language.

    Diagnostic("N301", span, {"name": "spnd"}, Help("did_you_mean", {"suggestion": "spend"}))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from segrules.source import NOWHERE, Span

Argument: TypeAlias = "str | int | float | Words"


@dataclass(frozen=True, slots=True)
class Words:
    """An argument that is itself a text of the catalogue, such as the name of a type in the reader's language."""

    key: str
    args: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Help:
    """The way out: a help text of the diagnostic's catalogue entry, by key."""

    key: str
    args: Mapping[str, Argument] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: code, place, the arguments of its message, help, and other places that belong to it."""

    code: str
    span: Span
    args: Mapping[str, Argument] = field(default_factory=dict)
    help: Help | None = None
    also: tuple[Span, ...] = ()

    def __str__(self) -> str:
        """Place, code and message in English, and the way out on a line of its own."""
        from segrules.diagnostics.catalogue import help_text, message

        way_out = help_text(self, "en")
        said = f"{self.span.place}: {self.code} {message(self, 'en')}".removeprefix(": ")
        return said if way_out is None else f"{said}\n  help: {way_out}"


def in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """*found* without duplicates, sorted by file, line, column and code."""

    def rank(one: Diagnostic) -> tuple[str, int, int, str]:
        place = one.span.place
        return place.file, place.line, place.column, one.code

    unique: dict[tuple[object, ...], Diagnostic] = {}
    for one in found:
        place = one.span.place if one.span is not NOWHERE else None
        unique.setdefault((one.code, place, tuple(sorted((k, str(v)) for k, v in one.args.items()))), one)
    return tuple(sorted(unique.values(), key=rank))
