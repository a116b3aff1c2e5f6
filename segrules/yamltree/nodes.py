"""The YAML tree: what a file says before anything knows what kind of file it is.

In: built by `yamltree.tree`.  Out: `Map`, `Seq`, `Scalar` and `Broken`, all frozen.  Always: every node has its span
in the file (quotes and block headers included); a scalar also is a source of its own, so that a place inside its text
has a line and column of the file; keys are scalars and unique; `Broken` stands where something was wrong and has been
reported.

    when: "spend > 5"     Entry(key=Scalar("when"), value=Scalar("spend > 5", style="double"))
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from segrules.source import Source, Span

Style = Literal["plain", "single", "double", "literal", "folded"]
ScalarValue: TypeAlias = str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A text with its YAML 1.2 core value: null is None, a float the exact Decimal of its spelling; quoted and block
    scalars are always text. `source` is the text embedded in the file."""

    value: ScalarValue
    text: str
    style: Style
    span: Span
    source: Source

    @property
    def plain(self) -> bool:
        return self.style == "plain"


@dataclass(frozen=True, slots=True, eq=False)
class Seq:
    items: tuple[Node, ...]
    span: Span
    flow: bool


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    key: Scalar
    value: Node

    @property
    def name(self) -> str:
        return self.key.text


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """Entries in the order written; `partial` where one was wrong and left out."""

    entries: tuple[Entry, ...]
    span: Span
    flow: bool
    partial: bool = False

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key.text == name), None)

    def get(self, name: str) -> Node | None:
        found = self.entry(name)
        return None if found is None else found.value


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """What could not be read; it has been reported, and later passes are quiet about it."""

    span: Span


Node: TypeAlias = Map | Seq | Scalar | Broken
