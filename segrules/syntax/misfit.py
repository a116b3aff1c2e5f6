"""The piece of a text that does not fit, and what stood before it.

In: the parser's `Failure` and the text.  Out: `Here`, which the questions of mistakes.py ask.  Always: `start` and
`end` lie inside the text; at its end they are those of the last token.

    at_failure(failure, source, folded).piece        # "&&" for `a && b`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help
from segrules.source import Source, Span
from segrules.syntax.keywords import TERMINALS
from segrules.syntax.machine import Failure, Token


@dataclass(frozen=True, slots=True)
class Here:
    """The place of a failure: the piece of text that does not fit, and what stood before it."""

    failure: Failure
    source: Source
    text: str
    start: int
    end: int

    @property
    def kind(self) -> str:
        return self.failure.token.kind

    @property
    def piece(self) -> str:
        return self.text[self.start : self.end]

    @property
    def span(self) -> Span:
        return self.source.span(self.start, self.end)

    @property
    def at_end(self) -> bool:
        return self.kind == "$END"

    @property
    def begins_operand(self) -> bool:
        """Whether what stands here could begin a value."""
        return self.kind in ("LPAR", "NOT", "TRUE", "FALSE", "MISSING", "CASE", "WHEN_ZH") or bool(
            self.kind == "" and (self.piece[0].isalnum() or self.piece[0] in "_\"'“‘`")
        )

    def last(self, back: int = 1) -> Token:
        """The token *back* places before; one of kind "" where there is none."""
        before = self.failure.before
        return before[-back] if len(before) >= back else Token("", 0, 0)

    def written(self, token: Token) -> str:
        return self.text[token.start : token.end]

    def place(self, token: Token) -> Span:
        return self.source.span(token.start, token.end)

    def says(self, code: str, help: str | None = None, span: Span | None = None, **args: Argument) -> Diagnostic:  # noqa: A002
        way_out = None if help is None else Help(help, args)
        return Diagnostic(code, span or self.span, args, way_out)


def short(text: str) -> str:
    """*text* on one line and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:39]}…"


@cache
def _pieces() -> re.Pattern[str]:
    return re.compile(
        rf"(?:{TERMINALS['TEXT']})|`[^`]*(?:``[^`]*)*`|[0-9](?:[\w%]|\.(?=[0-9]))*|\w+|[=<>!&|^*~]+|[\s\S]"
    )


def at_failure(failure: Failure, source: Source, text: str) -> Here:
    """The piece at which *failure* happened."""
    token = failure.token
    start, end = token.start, token.end
    if token.kind == "$END" and failure.before:
        start, end = failure.before[-1].start, failure.before[-1].end
    elif token.kind == "$END":
        start, end = 0, len(text)
    elif not token.kind:
        found = _pieces().match(text, start)
        end = found.end() if found else start
    return Here(failure, source, text, start, end)
