"""Text and places in it.

In: the text of a file, or of one scalar inside a file.  Out: `Span`, which any later stage can turn into file, line
and column.  Always: offsets and columns count code points; lines and columns are 1-based; an embedded text (a YAML
scalar, a cell of a decision table) knows how each of its offsets maps to the file that holds it.

    source = Source("rules/vip.yaml", "a: 1\\nb: x > 2\\n")
    Span(source, 8, 13).place        # Place(file='rules/vip.yaml', line=2, column=4, end_line=2, end_column=9)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file, as people count: 1-based, in code points, the end exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Source:
    """A text with a name, or a text embedded in another one.

    `offsets`, called once and only when a place is wanted, gives for every offset of `text` (its end included, so
    `len(text) + 1` numbers) the offset in `parent.text`.
    """

    __slots__ = ("_lines", "_mapped", "name", "offsets", "parent", "text")

    def __init__(
        self,
        name: str,
        text: str,
        parent: Source | None = None,
        offsets: Callable[[], Sequence[int]] | None = None,
    ) -> None:
        self.name = name
        self.text = text
        self.parent = parent
        self.offsets = offsets
        self._mapped: Sequence[int] | None = None
        self._lines: list[int] | None = None

    def span(self, start: int, end: int) -> Span:
        return Span(self, start, end)

    def whole(self) -> Span:
        return Span(self, 0, len(self.text))

    def in_parent(self, offset: int) -> int:
        """The offset in `parent.text` of the character at *offset* here."""
        if self._mapped is None:
            assert self.offsets is not None
            self._mapped = self.offsets()
        return self._mapped[max(0, min(offset, len(self._mapped) - 1))]

    def line_starts(self) -> list[int]:
        if self._lines is None:
            starts = [0]
            find = self.text.find
            at = find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = find("\n", at + 1)
            self._lines = starts
        return self._lines

    def line_column(self, offset: int) -> tuple[int, int]:
        starts = self.line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a 1-based line without its line break."""
        starts = self.line_starts()
        if not 1 <= line <= len(starts):
            return ""
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source: code-point offsets, the end exclusive."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def in_file(self) -> Span:
        """The same stretch in the outermost source, the one that is a file."""
        source, start, end = self.source, self.start, self.end
        while source.parent is not None:
            last = source.in_parent(end - 1) + 1 if end > start else source.in_parent(start)
            start, end, source = source.in_parent(start), last, source.parent
        return Span(source, start, max(start, end))

    @property
    def place(self) -> Place:
        found = self.in_file()
        if found.source is NO_SOURCE:
            return Place("", 0, 0, 0, 0)
        line, column = found.source.line_column(found.start)
        end_line, end_column = found.source.line_column(found.end)
        return Place(found.source.name, line, column, end_line, end_column)

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of *other*, in the same source."""
        return Span(self.source, self.start, other.end)


NO_SOURCE = Source("", "")
NOWHERE = Span(NO_SOURCE, 0, 0)


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of user's text with its place: a name, a label, a path. The place takes no part in equality."""

    text: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return self.text
