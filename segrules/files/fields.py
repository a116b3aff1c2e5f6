"""Small questions to a YAML tree whose shape is checked, or wrong and reported.

In: nodes, or None where a key is absent.  Out: words, scalars, entries; None or nothing where the shape is another.
Always: names are NFKC-normalised, without the backquotes that an expression needs around some, and keep the place of
what was written; texts and paths stay as written.

    word(tree.get("customers"))      # Word("customers", span)
"""

from __future__ import annotations

import unicodedata

from segrules.files import documents
from segrules.source import Span, Word
from segrules.yamltree.nodes import Entry, Map, Node, Scalar, Seq


def entries(node: Node | None) -> tuple[Entry, ...]:
    """The entries of a mapping."""
    return node.entries if isinstance(node, Map) else ()


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list."""
    return node.items if isinstance(node, Seq) else ()


def get(node: Node | None, name: str) -> Node | None:
    return node.get(name) if isinstance(node, Map) else None


def key_span(node: Node | None, name: str) -> Span | None:
    """Where the key *name* is written."""
    entry = node.entry(name) if isinstance(node, Map) else None
    return None if entry is None else entry.key.span


def inside(node: Scalar) -> Span:
    """The text of a scalar, without its quotes; all of it where it is empty."""
    return node.source.whole() if node.text else node.span


def text(node: Node | None) -> str | None:
    """The text as written, of a number too."""
    return node.text if isinstance(node, Scalar) and node.value is not None else None


def word(node: Node | None) -> Word | None:
    """A name."""
    return Word(normal(node.text), inside(node)) if isinstance(node, Scalar) and node.value is not None else None


def path(node: Node | None) -> Word | None:
    """A path, URL or format: a word that stays exactly as written."""
    return Word(node.text, inside(node)) if isinstance(node, Scalar) and node.value is not None else None


def key(entry: Entry) -> Word:
    """The name that an entry defines."""
    return Word(normal(entry.key.text), entry.key.span)


def words(node: Node | None) -> tuple[Word, ...]:
    return tuple(found for item in items(node) if (found := word(item)) is not None)


def texts(node: Node | None) -> tuple[str, ...] | None:
    """The texts of a list; None where there is no list."""
    if not isinstance(node, Seq):
        return None
    return tuple(item.text for item in node.items if isinstance(item, Scalar))


def flag(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.value is True


def scalar(node: Node | None) -> documents.Scalar | None:
    """The scalar with the span of its text, whose source is that text, so that a cell in it can be parsed."""
    if not isinstance(node, Scalar):
        return None
    return documents.Scalar(node.value, node.text, node.plain, node.source.whole())


def scalars(node: Node | None) -> tuple[documents.Scalar, ...] | None:
    """The scalars of a list; None where there is no list."""
    if not isinstance(node, Seq):
        return None
    return tuple(found for item in node.items if (found := scalar(item)) is not None)


def normal(name: str) -> str:
    """A name as names are compared."""
    if len(name) > 2 and name[0] == name[-1] == "`":
        name = name[1:-1].replace("``", "`")
    return name if name.isascii() else unicodedata.normalize("NFKC", name)
