"""YAML text → tree, or what is wrong with the text.

In: a `Source`.  Out: its one document as a `Node`, and diagnostics of family Y1.  Always: limits hold while events
come in, before a tree of that size exists, so no input makes this recurse, crash or hang; nothing is raised; None
only where a diagnostic says why.

    parse_yaml(Source("rules/vip.yaml", "owner: 销售"))     # (Map(...), [])
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Protocol

import yaml

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.source import Source, Span
from segrules.yamltree.explain import Trouble, clip, explain, ignored_scalar, line_from, quoted, value_from, wide_space
from segrules.yamltree.nodes import Broken, Entry, Map, Node, Scalar, Seq, Style
from segrules.yamltree.scalars import offsets, plain_value

MAX_CHARACTERS = 8 * 1024 * 1024
MAX_DEPTH = 60
MAX_NODES = 200_000
MAX_FOUND = 100
MAX_BAD_CHARACTERS = 20

_BAD = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]|\r(?!\n)"
    "|(?P<bidirectional>[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
)
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)*")
_STYLES: dict[str | None, Style] = {"'": "single", '"': "double", "|": "literal", ">": "folded"}


def parse_yaml(source: Source) -> tuple[Node | None, list[Diagnostic]]:
    """The tree of *source* and everything wrong with it as YAML; a leading byte order mark must be gone already."""
    if len(source.text) > MAX_CHARACTERS:
        return None, [too_large(source)]
    if bad := forbidden_characters(source):
        return None, bad
    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=yaml.CSafeLoader):
            if not builder.take(event) or len(builder.found) >= MAX_FOUND:
                return None, builder.found
    except yaml.MarkedYAMLError as error:
        trouble = Trouble(
            str(error.problem or ""), _index(error.problem_mark), _index(error.context_mark), builder.last, builder.flow
        )
        return None, _with(builder.found, explain(source, trouble))
    except yaml.YAMLError as error:
        return None, [*builder.found, Diagnostic("Y124", source.span(0, 0), {"problem": clip(str(error))})]
    if builder.root is None:
        return None, [*builder.found, Diagnostic("Y113", source.span(0, 0))]
    return builder.root, builder.found


def too_large(source: Source) -> Diagnostic:
    return Diagnostic("Y104", source.span(0, 0), {"limit": MAX_CHARACTERS // (1024 * 1024)})


def forbidden_characters(source: Source) -> list[Diagnostic]:
    """Control characters, invisible line breaks and characters that turn the direction of text; the first ones."""
    return [
        Diagnostic(
            "Y103" if bad["bidirectional"] else "Y102",
            source.span(bad.start(), bad.end()),
            {"character": f"U+{ord(bad[0]):04X}"},
        )
        for bad in islice(_BAD.finditer(source.text), MAX_BAD_CHARACTERS)
    ]


class _Mark(Protocol):
    @property
    def index(self) -> int: ...


def _index(mark: _Mark | None) -> int | None:
    return None if mark is None else int(mark.index)


def _start(event: yaml.Event) -> int:
    return _index(event.start_mark) or 0


def _end(event: yaml.Event) -> int:
    return _index(event.end_mark) or 0


def _with(found: list[Diagnostic], stopped: Diagnostic) -> list[Diagnostic]:
    """*found* and what stopped the reading, unless they are about the same value."""
    span = stopped.span
    kept = [one for one in found if one.code != "Y119" or not span.start <= one.span.start < span.end]
    line = span.place.line
    told = any(one.code in ("Y110", "Y112", "Y117") and one.span.place.line == line for one in kept)
    return kept if told else [*kept, stopped]


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet; `keys` is None for a sequence."""

    start: int
    flow: bool
    anchor: str | None
    nodes_before: int
    items: list[Node] = field(default_factory=list)
    keys: list[Scalar | None] | None = None
    seen: dict[str, Span] = field(default_factory=dict)
    height: int = 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    nodes: int
    height: int


class _Builder:
    """Turns events into nodes. `take` is False when reading must stop."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.root: Node | None = None
        self.found: list[Diagnostic] = []
        self.last: Node | None = None
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._nodes = 0
        self._documents = 0

    @property
    def flow(self) -> bool:
        return bool(self._stack) and self._stack[-1].flow

    def take(self, event: yaml.Event) -> bool:
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                return self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                return self._close(_end(event))
            case yaml.AliasEvent():
                return self._alias(event)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    at = _start(event)
                    self.found.append(Diagnostic("Y107", line_from(self.source, at)))
                return self._documents == 1
            case _:
                return True

    def _scalar(self, event: yaml.ScalarEvent) -> bool:
        text, start, end = event.value, _start(event), _end(event)
        style = _STYLES.get(event.style, "plain")
        if event.tag is not None or event.anchor is not None:
            properties = _PROPERTIES.match(self.source.text, start, end)
            after = properties.end() if properties else start
            if event.tag is not None:
                self._tag(start, end)
                return self._add(Broken(self.source.span(start, end)), 1, 1, event.anchor)
            if after >= end and text == "":
                whole = line_from(self.source, start)
                help_ = Help("anchor", {"quoted": quoted(whole.text)})
                trouble = Diagnostic("Y117", whole, {"character": "&"}, help_)
                self.found.append(trouble)
                return self._add(Broken(self.source.span(start, end)), 1, 1, event.anchor)
            start = after
        if style in ("literal", "folded"):
            end = start + len(self.source.text[start:end].rstrip())
        value = plain_value(text) if style == "plain" else text
        places = partial(offsets, self.source.text, start, _end(event), style, text)
        embedded = Source(self.source.name, text, self.source, places)
        node: Node = Scalar(value, text, style, self.source.span(start, end), embedded)
        if text == "" and (eaten := ignored_scalar(self.source, start, end, style)):
            self.found.append(eaten)
            node = Broken(self.source.span(start, end))
        return self._add(node, 1, 1, event.anchor)

    def _tag(self, start: int, end: int) -> None:
        tag = re.compile(r"(?:&\S+\s+)?(!\S*)").match(self.source.text, start)
        span = self.source.span(tag.start(1), tag.end(1)) if tag else self.source.span(start, end)
        written = span.text
        whole = line_from(self.source, span.start).text
        self.found.append(Diagnostic("Y110", span, {"tag": clip(written)}, Help("quote", {"quoted": quoted(whole)})))

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> bool:
        start = _start(event)
        if event.tag is not None:
            self._tag(start, _end(event))
        if len(self._stack) >= MAX_DEPTH:
            self.found.append(self._too_deep(start))
            return False
        flow = bool(event.flow_style)
        if event.tag is not None or event.anchor is not None:
            properties = _PROPERTIES.match(self.source.text, start)
            start = properties.end() if properties else start
        opened = _Open(start, flow, event.anchor, self._nodes)
        if isinstance(event, yaml.MappingStartEvent):
            opened.keys = []
        self._nodes += 1
        self._stack.append(opened)
        return True

    def _close(self, end: int) -> bool:
        closed = self._stack.pop()
        node: Node
        if closed.keys is None:
            node = Seq(tuple(closed.items), self._extent(closed, end), closed.flow)
        else:
            node = self._map(closed, end)
        return self._add(node, self._nodes - closed.nodes_before, closed.height + 1, closed.anchor, counted=True)

    def _extent(self, closed: _Open, end: int) -> Span:
        if not closed.flow and closed.items:
            end = closed.items[-1].span.end
        return self.source.span(closed.start, max(closed.start, end))

    def _map(self, closed: _Open, end: int) -> Node:
        span = self._extent(closed, end)
        keys = closed.keys or []
        pairs = [(key, value) for key, value in zip(keys, closed.items[1::2], strict=True) if key is not None]
        if closed.flow and self.source.text[span.start : span.start + 1] != "{":
            if pairs and span.text[:1] != "?":
                self.found.append(_colon_in_item(self.source, span))
            return Broken(span)
        entries: list[Entry] = []
        for key, value in pairs:
            if closed.flow and self._has_no_colon(key, value):
                if not entries or not isinstance(entries[-1].value, Broken):
                    self.found.append(self._comma(key, entries))
                if entries:
                    entries[-1] = Entry(entries[-1].key, Broken(entries[-1].value.span))
                continue
            entries.append(Entry(key, value))
        return Map(tuple(entries), span, closed.flow, partial=len(entries) < len(keys))

    def _has_no_colon(self, key: Scalar, value: Node) -> bool:
        if not isinstance(value, Scalar) or not value.plain or value.text:
            return False
        rest = self.source.text[key.span.end : value.span.start + 1]
        return ":" not in rest.lstrip()[:1]

    def _comma(self, key: Scalar, entries: list[Entry]) -> Diagnostic:
        if re.match(r"[^:]+[:：]\S", key.text):
            return Diagnostic("Y125", key.span, {"text": clip(key.text)}, Help("colon"))
        if entries and isinstance(before := entries[-1].value, Scalar):
            whole = value_from(self.source, before.span.start)
            return Diagnostic("Y119", key.span, {"text": clip(key.text)}, Help("quote", {"quoted": quoted(whole.text)}))
        return Diagnostic("Y119", key.span, {"text": clip(key.text)}, Help("value"))

    def _alias(self, event: yaml.AliasEvent) -> bool:
        span = self.source.span(_start(event), _end(event))
        name = str(event.anchor)
        anchored = self._anchors.get(name)
        if anchored is None:
            inside = any(opened.anchor == name for opened in self._stack)
            whole = line_from(self.source, span.start).text
            help_ = Help("inside") if inside else Help("quote", {"quoted": quoted(whole)})
            self.found.append(Diagnostic("Y112", span, {"anchor": clip(name)}, help_))
            return self._add(Broken(span), 1, 1, None)
        if len(self._stack) + anchored.height > MAX_DEPTH:
            self.found.append(self._too_deep(span.start))
            return False
        self._nodes += anchored.nodes
        return self._add(anchored.node, anchored.nodes, anchored.height, None, counted=True)

    def _too_deep(self, at: int) -> Diagnostic:
        return Diagnostic("Y105", self.source.span(at, at + 1), {"limit": MAX_DEPTH})

    def _add(self, node: Node, nodes: int, height: int, anchor: str | None, *, counted: bool = False) -> bool:
        if not counted:
            self._nodes += nodes
        if self._nodes > MAX_NODES:
            self.found.append(
                Diagnostic("Y106", self.source.span(node.span.start, node.span.start + 1), {"limit": MAX_NODES})
            )
            return False
        if anchor is not None:
            self._anchors[anchor] = _Anchored(node, nodes, height)
        self.last = node
        if not self._stack:
            self.root = node
            return True
        parent = self._stack[-1]
        parent.height = max(parent.height, height)
        if parent.keys is not None and len(parent.items) % 2 == 0:
            parent.keys.append(self._key(parent, node))
        parent.items.append(node)
        return True

    def _key(self, parent: _Open, node: Node) -> Scalar | None:
        """*node* as a key; None where it cannot be one, which has then been reported."""
        if isinstance(node, Broken):
            return None
        if not isinstance(node, Scalar):
            self.found.append(Diagnostic("Y109", node.span))
            return None
        if node.plain and node.text == "<<":
            self.found.append(Diagnostic("Y111", node.span))
            return None
        if node.plain and node.text == "":
            self.found.append(Diagnostic("Y109", node.span))
            return None
        if (indented := wide_space(node)) is not None:
            self.found.append(indented)
            return None
        if node.text in parent.seen:
            first = parent.seen[node.text]
            self.found.append(
                Diagnostic("Y108", node.span, {"key": clip(node.text), "line": first.place.line}, also=(first,))
            )
            return None
        parent.seen[node.text] = node.span
        return node


def _colon_in_item(source: Source, span: Span) -> Diagnostic:
    return Diagnostic("Y115", span, {"text": clip(span.text)}, Help("quote", {"quoted": quoted(span.text)}))
