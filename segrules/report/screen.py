"""Lines for a screen: text with styles, aligned as people see it.

In: pieces of text with a style name.  Out: plain text, or the same in colours on a terminal.  Always: alignment goes
by display width (an East Asian wide character takes two columns, a combining one none), control characters of the
user's data never reach the terminal, and rich is imported only when something is coloured.

    table([["star", "13,022"], ["明星", "5"]], right={1})
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO, TypeAlias

Style = Literal["", "bold", "dim", "red", "yellow", "green", "cyan", "bold red", "bold yellow", "bold green"]


@dataclass(frozen=True, slots=True)
class Piece:
    text: str
    style: Style = ""


Line: TypeAlias = tuple[Piece, ...]
Cell: TypeAlias = str | Piece


def line(*parts: Cell) -> Line:
    return tuple(map(_piece, parts))


def width(text: str) -> int:
    """How many columns of a terminal *text* takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def visible(text: str) -> str:
    """*text* on one line, control and bidirectional characters shown as `\\u{…}`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or unicodedata.category(character) == "Zs"
        else f"\\u{{{ord(character):x}}}"
        for character in text
    )


def _piece(cell: Cell) -> Piece:
    return Piece(visible(cell)) if isinstance(cell, str) else Piece(visible(cell.text), cell.style)


def table(rows: Sequence[Sequence[Cell]], right: Collection[int] = (), indent: int = 2, gap: int = 2) -> list[Line]:
    """*rows* as aligned lines; the columns numbered in *right* are set flush right. Rows may be short."""
    widths: dict[int, int] = {}
    pieces = [line(*row) for row in rows]
    for row in pieces:
        for column, piece in enumerate(row):
            widths[column] = max(widths.get(column, 0), width(piece.text))
    return [_aligned(row, widths, right, indent, gap) for row in pieces]


def _aligned(row: Line, widths: dict[int, int], right: Collection[int], indent: int, gap: int) -> Line:
    parts: list[Piece] = [Piece(" " * indent)]
    for column, piece in enumerate(row):
        padding = " " * (widths[column] - width(piece.text))
        is_last = column == len(row) - 1
        if column in right:
            parts += [Piece(padding), piece]
        else:
            parts += [piece] if is_last else [piece, Piece(padding)]
        if not is_last:
            parts.append(Piece(" " * gap))
    return tuple(parts)


def plain(lines: Sequence[Line]) -> str:
    """The lines without style, each ended by a line break and without trailing space."""
    return "".join("".join(piece.text for piece in one).rstrip(" ") + "\n" for one in lines)


def show(lines: Sequence[Line], stream: TextIO, colour: bool) -> None:
    """Write *lines* to *stream*, coloured if *colour*."""
    if not colour:
        stream.write(plain(lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False, emoji=False, markup=False)
    for one in lines:
        console.print(Text.assemble(*((piece.text, piece.style) for piece in one)), soft_wrap=True)
