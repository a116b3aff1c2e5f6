"""A test file, or the `tests:` of a rule file → `TestFile`.

In: a tree whose shape has been checked, the tables of the project.  Out: the document; diagnostics for what a schema
cannot say.  Always: every key of a test that is not a word of the format names a table of the project; `names` gives
the place of what `given` and `expect` name, by the name, and of the columns of rows, as `table.column`.

    {name: rich, as_of: 2026-11-21, customer: {income: 5}, orders: [{amount: 1}], expect: {rich: true}}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, get_args

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files import fields
from segrules.files.dates import checked_date
from segrules.files.documents import Cells, ProjectFile, Row, TestFile, WrittenStage, WrittenTest
from segrules.files.shape import did_you_mean
from segrules.source import Span
from segrules.yamltree.explain import clip
from segrules.yamltree.nodes import Broken, Entry, Map, Node, Scalar, Seq

WORDS = ("name", "as_of", "customer", "customers", "given", "expect", "actions", "with")
HISTORY = ("memberships", "contacts", "points", "outcomes")
"""The tables of the ledger, which every project has."""
Also = Literal["holdout", "limits"]


def read_tests(root: Map, project: ProjectFile | None, found: list[Diagnostic]) -> TestFile:
    """The examples of a file. Without a project, names of tables are not checked."""
    tables = None if project is None else list(dict.fromkeys([*(each.name.text for each in project.tables), *HISTORY]))
    customers = None if project is None else project.customers.text
    defaults = root.get("defaults")
    for entry in fields.entries(defaults):
        if tables is not None and fields.normal(entry.name) not in tables:
            _unknown_table(entry, tables, found)
    listed = root.entry("tests")
    tests = fields.items(None if listed is None else listed.value)
    return TestFile(
        span=listed.key.span if listed is not None else root.span,
        defaults={fields.normal(entry.name): _row(entry.value) for entry in fields.entries(defaults)},
        tests=tuple(
            one
            for node in tests
            if isinstance(node, Map) and (one := _test(node, tables, customers, found)) is not None
        ),
    )


def _test(node: Map, tables: list[str] | None, customers: str | None, found: list[Diagnostic]) -> WrittenTest | None:
    names: dict[str, Span] = {}
    rows: dict[str, tuple[Row, ...]] = {}
    for entry in node.entries:
        name = fields.normal(entry.name)
        if entry.name in WORDS:
            continue
        if tables is not None and name not in tables:
            _unknown_table(entry, [*(one for one in tables if one != customers), *WORDS], found)
        elif name == customers:
            found.append(Diagnostic("R501", entry.key.span, {"key": clip(entry.name)}, Help("customers")))
            return None
        else:
            rows[name] = tuple(_row(item) for item in fields.items(entry.value))
            names.setdefault(name, entry.key.span)
            _name_columns(name, fields.items(entry.value), names)
    several = node.get("customers") is not None
    expect = _expect(node.get("expect"), several, names, found)
    given = node.get("given")
    for entry in fields.entries(given):
        names.setdefault(fields.normal(entry.name), entry.key.span)
    as_of, name_word = checked_date(node.get("as_of"), found), fields.path(node.get("name"))
    if as_of is None or name_word is None:
        return None
    people = fields.items(node.get("customers")) if several else (node.get("customer"),)
    _name_columns(customers or "customers", people, names)
    return WrittenTest(
        name=name_word,
        as_of=as_of,
        customers=tuple(_row(one) for one in people),
        several=several,
        tables=rows,
        given=_row(given),
        expect=expect,
        stages=tuple(_stages(node.get("actions"), several, found)),
        also=tuple(each for each in get_args(Also) if each in {word.text for word in fields.words(node.get("with"))}),
        names=names,
        span=name_word.span,
    )


def _name_columns(table: str, rows: Iterable[Node | None], names: dict[str, Span]) -> None:
    for row in rows:
        for entry in fields.entries(row):
            names.setdefault(f"{table}.{fields.normal(entry.name)}", entry.key.span)


def _expect(
    node: Node | None, several: bool, names: dict[str, Span], found: list[Diagnostic]
) -> Mapping[str | None, Mapping[str, Cells]]:
    if not several:
        return {None: _expected(node, names, found)}
    result: dict[str | None, Mapping[str, Cells]] = {}
    for entry in fields.entries(node):
        if isinstance(entry.value, Map):
            result[entry.name] = _expected(entry.value, names, found)
        elif not isinstance(entry.value, Broken):
            span = entry.value.span if entry.value.span.start < entry.value.span.end else entry.key.span
            found.append(_wrong(span, "files.expected_by_key", entry.value))
        names.setdefault(entry.name, entry.key.span)
    return result


def _expected(node: Node | None, names: dict[str, Span], found: list[Diagnostic]) -> Mapping[str, Cells]:
    for entry in fields.entries(node):
        names.setdefault(fields.normal(entry.name), entry.key.span)
        inner = fields.items(entry.value)
        if isinstance(entry.value, Map) or any(isinstance(item, Map | Seq) for item in inner):
            found.append(_wrong(entry.key.span, "files.cells", entry.value))
    return _row(node)


def _stages(node: Node | None, several: bool, found: list[Diagnostic]) -> Iterator[WrittenStage]:
    for entry in fields.entries(node):
        if several != isinstance(entry.value, Map):
            if not isinstance(entry.value, Broken):
                expected = "files.stages_by_key" if several else "files.stage"
                found.append(_wrong(entry.key.span, expected, entry.value))
        elif several:
            yield from (
                WrittenStage(fields.path(entry.key), fields.key(each), stage)
                for each in fields.entries(entry.value)
                if (stage := fields.word(each.value)) is not None
            )
        elif (stage := fields.word(entry.value)) is not None:
            yield WrittenStage(None, fields.key(entry), stage)


def _wrong(span: Span, expected: str, node: Node) -> Diagnostic:
    kind = "files.object" if isinstance(node, Map) else "files.array" if isinstance(node, Seq) else "files.value"
    return Diagnostic("R502", span, {"expected": Words(expected), "found": Words(kind)})


def _unknown_table(entry: Entry, known: Sequence[str], found: list[Diagnostic]) -> None:
    """R501, in place of what the schema says about rows of a table that does not exist."""
    span = entry.value.span
    found[:] = [
        one
        for one in found
        if one.code != "R502" or one.span.source is not span.source or not span.start <= one.span.start < span.end
    ]
    help_ = did_you_mean(entry.name, known)
    found.append(Diagnostic("R501", entry.key.span, {"key": clip(entry.name)}, help_))


def _row(node: Node | None) -> Row:
    return {
        fields.normal(entry.name): cells for entry in fields.entries(node) if (cells := _cells(entry.value)) is not None
    }


def _cells(node: Node) -> Cells | None:
    match node:
        case Scalar():
            return fields.scalar(node)
        case Seq():
            return fields.scalars(node)
        case Map() | Broken():
            return None
