"""segrules.yaml → `ProjectFile`.

In: a tree whose shape has been checked.  Out: the document; diagnostics for what a schema cannot say.  Always: a table
whose parts were wrong is there with the parts that were right, so that names of it are known.

    read_project(tree, found).tables[0].name      # Word("customers")
"""

from __future__ import annotations

from typing import Literal, get_args

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.documents import ProjectFile, WrittenColumn, WrittenFormat, WrittenSource, WrittenTable
from segrules.files.expressions import expression
from segrules.files.shape import meant
from segrules.schema.contract import Cleaning
from segrules.source import Span, Word
from segrules.syntax.expr import Broken, Expr
from segrules.yamltree.nodes import Entry, Map, Node, Scalar

DEFAULT_RULES = "rules"
DEFAULT_TESTS = "tests"
_SOURCE_KEYS = ("file", "sheet", "url", "table", "query")


def read_project(root: Map, found: list[Diagnostic]) -> ProjectFile | None:
    """The document; None where the customers' table or the time zone is not given, which has been reported."""
    customers, timezone = fields.word(root.get("customers")), fields.path(root.get("timezone"))
    if customers is None or timezone is None:
        return None
    keywords = fields.text(root.get("keywords"))
    start = root.entries[0].key.span
    return ProjectFile(
        span=start,
        name=fields.text(root.get("name")) or "",
        timezone=timezone,
        keywords=_keywords(keywords),
        requires=fields.path(root.get("requires")),
        customers=customers,
        tables=tuple(_table(entry, found) for entry in fields.entries(root.get("tables"))),
        rules=fields.path(root.get("rules")) or Word(DEFAULT_RULES, start),
        tests=fields.path(root.get("tests")) or Word(DEFAULT_TESTS, start),
    )


def _keywords(written: str | None) -> Literal["en", "zh"] | None:
    match written:
        case "en" | "zh":
            return written
        case _:
            return None


def _table(entry: Entry, found: list[Diagnostic]) -> WrittenTable:
    node = entry.value
    parent, duplicates = fields.get(node, "belongs_to"), fields.get(node, "duplicates")
    source, origin = fields.get(node, "source"), fields.get(node, "from")
    if source is not None and origin is not None:
        found.append(_exclusive(node, "source", "from"))
    if isinstance(node, Map) and source is None and origin is not None:
        found.extend(
            Diagnostic("R510", other.key.span, {"first": "from", "second": other.name})
            for other in node.entries
            if other.name in ("belongs_to", "rows", "time", "duplicates", "format")
        )
    if isinstance(node, Map) and origin is None and node.entry("columns") is None and not meant(node, ("columns",)):
        found.append(Diagnostic("R503", entry.key.span, {"key": "columns"}))
    rows = fields.get(node, "rows")
    return WrittenTable(
        name=fields.key(entry),
        source=_source(source, found),
        from_=fields.word(origin) if source is None else None,
        columns=tuple(_column(column, found) for column in fields.entries(fields.get(node, "columns"))),
        key=fields.word(fields.get(node, "key")),
        parent=_parent(node, parent),
        parent_by=fields.word(fields.get(parent, "by")),
        time=fields.word(fields.get(node, "time")),
        rows=None if rows is None else expression(rows, found),
        format=_format(fields.get(node, "format")),
        duplicates_keep=_keep(fields.text(fields.get(duplicates, "keep"))),
        duplicates_by=fields.word(fields.get(duplicates, "by")),
        quarantine=fields.text(fields.get(node, "bad_rows")) == "quarantine",
        label=fields.text(fields.get(node, "label")),
    )


def _parent(node: Node, parent: Node | None) -> Word | None:
    """The table that `belongs_to` names; an empty word where it names none, which has been reported."""
    if parent is None:
        return None
    return fields.word(fields.get(parent, "table")) or Word("", fields.key_span(node, "belongs_to") or node.span)


def _keep(written: str | None) -> Literal["first", "last"] | None:
    match written:
        case "first" | "last":
            return written
        case _:
            return None


def _exclusive(node: Node, first: str, second: str) -> Diagnostic:
    span = fields.key_span(node, second) or node.span
    return Diagnostic("R510", span, {"first": first, "second": second})


def _source(node: Node | None, found: list[Diagnostic]) -> WrittenSource | None:
    if node is None:
        return None
    if isinstance(node, Scalar):
        path = fields.path(node)
        return None if path is None else WrittenSource(path=path)
    file, url = node_entry(node, "file"), node_entry(node, "url")
    table, query = node_entry(node, "table"), node_entry(node, "query")
    for first, second in (("file", "url"), ("file", "table"), ("file", "query"), ("url", "sheet"), ("table", "query")):
        if node_entry(node, first) and node_entry(node, second):
            found.append(_exclusive(node, first, second))
    if isinstance(node, Map) and all(entry.name in _SOURCE_KEYS for entry in node.entries):
        at = url.key.span if url else node.entries[0].key.span if node.entries else node.span
        if not file and not url:
            found.append(Diagnostic("R503", at, {"key": "file"}))
        elif url and not file and not table and not query:
            found.append(Diagnostic("R503", at, {"key": "table"}))
    return WrittenSource(
        path=fields.path(fields.get(node, "file")),
        sheet=fields.text(fields.get(node, "sheet")),
        url=fields.path(fields.get(node, "url")),
        table=fields.text(fields.get(node, "table")),
        query=fields.text(fields.get(node, "query")),
    )


def node_entry(node: Node, name: str) -> Entry | None:
    return node.entry(name) if isinstance(node, Map) else None


def _column(entry: Entry, found: list[Diagnostic]) -> WrittenColumn:
    node, name = entry.value, fields.key(entry)
    unknown = Word("", entry.key.span)
    if not isinstance(node, Map):
        type_ = fields.path(node)
        return WrittenColumn(name, type_ or unknown, value=None if type_ else Broken(span=entry.key.span))
    value = node.get("value")
    written = fields.path(node.get("type"))
    if value is None and node.get("type") is None and not meant(node, ("type",)):
        found.append(Diagnostic("R503", entry.key.span, {"key": "type"}))
    return WrittenColumn(
        name=name,
        type=written or unknown,
        can_be_missing=fields.text(node.get("missing")) == "allowed",
        values=fields.scalars(node.get("values")),
        min=fields.scalar(node.get("min")),
        max=fields.scalar(node.get("max")),
        pii=fields.flag(node.get("pii")),
        clean=tuple(word for word in fields.words(node.get("clean")) if word.text in get_args(Cleaning)),
        separator=fields.text(node.get("separator")),
        yes=fields.texts(node.get("yes")),
        no=fields.texts(node.get("no")),
        zone=fields.path(node.get("zone")),
        date_format=fields.path(node.get("date_format")),
        refers_to=fields.word(node.get("refers_to")),
        unmatched_is_missing=fields.text(node.get("unmatched")) == "missing",
        label=fields.text(node.get("label")),
        value=_computed(value, written, entry.key.span, found),
    )


def _computed(node: Node | None, written: Word | None, at: Span, found: list[Diagnostic]) -> Expr | None:
    """The expression of a computed column; `Broken` for a column whose type was wrong and is reported."""
    if node is not None:
        return expression(node, found)
    return Broken(span=at) if written is None else None


def _format(node: Node | None) -> WrittenFormat:
    missing = fields.texts(fields.get(node, "missing"))
    return WrittenFormat(
        encoding=fields.path(fields.get(node, "encoding")),
        delimiter=fields.text(fields.get(node, "delimiter")),
        decimal=fields.text(fields.get(node, "decimal")) or ".",
        thousands=fields.text(fields.get(node, "thousands")),
        strip=fields.texts(fields.get(node, "strip")) or (),
        date=fields.path(fields.get(node, "date")),
        missing=("",) if missing is None else missing,
    )
