"""What `tables:` promises, checked.

In: the tables of segrules.yaml as written.  Out: `Contracts`, and diagnostics.  Always: every table that was written
is there, so that names still resolve where a part is wrong; a column of unknown type has no type and everything that
uses it stays quiet; stored columns come before computed ones, and those in the order in which they need each other.

    contracts(project_file, found).tables["orders"].time      # 'paid_at'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from segrules.check.columns import written_columns
from segrules.check.scope import Names
from segrules.check.suggest import nearest
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.documents import ProjectFile, WrittenFormat, WrittenSource, WrittenTable
from segrules.model.expr import Expr
from segrules.schema.calendar import zone
from segrules.schema.contract import (
    ColumnContract,
    Contracts,
    DatabaseSource,
    DistinctSource,
    Duplicates,
    FileSource,
    Format,
    Parent,
    Table,
)  # fmt: skip
from segrules.schema.types import Date, ListOfText, Number, Timestamp, Type, Untyped
from segrules.source import Span, Word

NO_NAMES = Names({}, {}, {})
Columns = Mapping[str, ColumnContract[Expr]]


def contracts(project: ProjectFile, found: list[Diagnostic]) -> Contracts[Expr] | None:
    """The tables without their expressions (`computed` adds those); None if there is no table of customers."""
    timezone = known_zone(project.timezone, found) or "UTC"
    written = _unique(project.tables, found)
    columns = {name: written_columns(table, timezone, found) for name, table in written.items()}
    tables = {name: _table(table, columns, found) for name, table in written.items()}
    for name, table in written.items():
        if table.from_ is not None:
            tables[name] = _distinct(table, tables[name], written, tables, found)
    if project.customers.text not in tables:
        found.append(_no_table(project.customers, tables))
        return None
    made = Contracts(project.customers.text, timezone, _without_loops(written, tables, found))
    for name, table in written.items():
        _links(table, made.tables[name], made, found)
    customers = made.tables[made.customers]
    if customers.key is None and written[made.customers].key is None and written[made.customers].from_ is None:
        found.append(Diagnostic("R537", project.customers.span, {"table": made.customers}))
    if (parent := written[made.customers].parent) is not None:
        found.append(Diagnostic("R542", parent.span, {"table": made.customers}))
        made = replace(made, tables={**made.tables, made.customers: replace(customers, belongs_to=None)})
    return made


def lost_tables(project: ProjectFile, made: Contracts[Expr], found: Iterable[Diagnostic]) -> frozenset[str]:
    """The tables of which rules need not say that they are unknown or belong to nobody: what is wrong with them has
    been reported where they are defined."""
    unknown = {str(one.args["table"]) for one in found if one.code == "N308"}
    torn = {
        table.name.text
        for table in project.tables
        if table.parent is not None and made.tables[table.name.text].belongs_to is None
    }
    below = {name for name in made.tables if made.chain(name)[-1] in torn}
    return frozenset((unknown | torn | below) - {made.customers})


def known_zone(word: Word, found: list[Diagnostic]) -> str | None:
    """The name of a time zone, or None after a report."""
    try:
        zone(word.text)
    except (KeyError, ValueError, OSError):
        found.append(Diagnostic("R535", word.span, {"zone": word.text}))
        return None
    return word.text


def _unique(tables: tuple[WrittenTable, ...], found: list[Diagnostic]) -> dict[str, WrittenTable]:
    named: dict[str, WrittenTable] = {}
    for table in tables:
        first = named.setdefault(table.name.text, table)
        if first is not table:
            found.append(Diagnostic("N302", table.name.span, {"name": table.name.text}, also=(first.name.span,)))
    return named


def _no_table(word: Word, tables: Mapping[str, object]) -> Diagnostic:
    meant = nearest(word.text, tables)
    return Diagnostic(
        "N308", word.span, {"table": word.text}, Help("did_you_mean", {"suggestion": meant}) if meant else None
    )


def _no_column(word: Word, table: str, columns: Mapping[str, object]) -> Diagnostic:
    meant = nearest(word.text, columns)
    help_ = Help("did_you_mean", {"suggestion": meant}) if meant else None
    return Diagnostic("N305", word.span, {"table": table, "column": word.text}, help_)


def _table(written: WrittenTable, all_columns: Mapping[str, Columns], found: list[Diagnostic]) -> Table[Expr]:
    name, columns = written.name.text, all_columns[written.name.text]
    key = _column(written.key, name, columns, found) if written.from_ is None else None
    if key is not None and written.key is not None:
        _usable_key(columns[key], written.key.span, found)
    by = written.duplicates_by
    duplicates = None
    if written.duplicates_keep is not None and by is not None and _column(by, name, columns, found) is not None:
        duplicates = Duplicates(written.duplicates_keep, by.text)
        if isinstance(columns[by.text].type, ListOfText):
            found.append(Diagnostic("R545", by.span, {"column": by.text, "type": str(columns[by.text].type)}))
    if written.duplicates_keep is not None and written.key is None and written.from_ is None and by is not None:
        found.append(Diagnostic("R538", by.span, {"table": name, "why": Words("key.duplicates")}))
    return Table(
        name=name,
        source=_source(written.source),
        columns=columns,
        key=key,
        time=_time(written, columns, found),
        format=_format(written.format),
        duplicates=duplicates,
        quarantine=written.quarantine,
        label=written.label,
        span=written.name.span,
    )


def _column(word: Word | None, table: str, columns: Columns, found: list[Diagnostic]) -> str | None:
    if word is None or word.text in columns:
        return None if word is None else word.text
    if not columns:
        return None
    found.append(_no_column(word, table, columns))
    return None


def _usable_key(column: ColumnContract[Expr], span: Span, found: list[Diagnostic]) -> None:
    if isinstance(column.type, ListOfText | Number):
        found.append(Diagnostic("R545", span, {"column": column.name, "type": str(column.type)}))
    if column.can_be_missing:
        found.append(Diagnostic("R540", span, {"column": column.name, "role": Words("role.key")}))


def _time(written: WrittenTable, columns: Columns, found: list[Diagnostic]) -> str | None:
    time = _column(written.time, written.name.text, columns, found)
    if time is None or written.time is None:
        return None
    column = columns[time]
    if not isinstance(column.type, Date | Timestamp | Untyped):
        found.append(Diagnostic("R541", written.time.span, {"column": time, "type": str(column.type)}))
        return None
    if column.can_be_missing:
        found.append(Diagnostic("R540", written.time.span, {"column": time, "role": Words("role.time")}))
    return time


def _source(written: WrittenSource | None) -> FileSource | DatabaseSource | None:
    if written is None:
        return None
    if written.url is not None:
        return DatabaseSource(written.url.text, written.table, written.query)
    return None if written.path is None else FileSource(written.path.text, written.sheet, span=written.path.span)


def _format(written: WrittenFormat) -> Format:
    return Format(
        encoding=None if written.encoding is None else written.encoding.text,
        delimiter=written.delimiter,
        decimal=written.decimal,
        thousands=written.thousands,
        strip=written.strip,
        date=None if written.date is None else written.date.text,
        missing=written.missing,
    )


def _distinct(
    written: WrittenTable,
    table: Table[Expr],
    all_written: Mapping[str, WrittenTable],
    tables: Mapping[str, Table[Expr]],
    found: list[Diagnostic],
) -> Table[Expr]:
    """A table `from:` another: its key has name and type of the column by which the other's rows belong to it."""
    origin = written.from_
    assert origin is not None
    name = table.name
    if origin.text not in tables or origin.text == name:
        found.append(_no_table(origin, {key: None for key in tables if key != name}))
        return table
    source = all_written[origin.text]
    by = source.parent_by
    if source.parent is not None and not source.parent.text:
        return table
    if source.parent is None or source.parent.text != name or by is None:
        found.append(Diagnostic("R543", origin.span, {"table": name, "from": origin.text}))
        return table
    joining = tables[origin.text].columns.get(by.text)
    if joining is None:
        return table
    key: ColumnContract[Expr] = ColumnContract(
        name=by.text, type=joining.type, values=joining.values, pii=joining.pii, span=by.span
    )
    columns: dict[str, ColumnContract[Expr]] = {by.text: key}
    for column in table.columns.values():
        same_type = isinstance(column.type, Untyped) or column.type == joining.type
        if column.name != by.text or not same_type or column.can_be_missing or column.value is not None:
            args = {"column": column.name, "key": by.text, "type": str(joining.type), "table": name}
            found.append(Diagnostic("R544", column.span, args))
        else:
            columns[by.text] = replace(column, type=joining.type)
    if written.key is not None and written.key.text != by.text:
        args = {"column": written.key.text, "key": by.text, "type": str(joining.type), "table": name}
        found.append(Diagnostic("R544", written.key.span, args))
    return replace(table, source=DistinctSource(origin.text, by.text), columns=columns, key=by.text)


def _without_loops(
    written: Mapping[str, WrittenTable], tables: Mapping[str, Table[Expr]], found: list[Diagnostic]
) -> dict[str, Table[Expr]]:
    """*tables* with `belongs_to`, loops reported and cut."""
    linked = dict(tables)
    for name, table in written.items():
        if table.parent is None or table.parent_by is None or not table.parent.text:
            continue
        if table.parent.text not in tables:
            found.append(_no_table(table.parent, tables))
        elif _column(table.parent_by, name, tables[name].columns, found) is not None:
            linked[name] = replace(tables[name], belongs_to=Parent(table.parent.text, table.parent_by.text))
    done: set[str] = set()
    for start in tables:
        path: list[str] = []
        at: str | None = start
        while at is not None and at not in done and at not in path:
            path.append(at)
            link = linked[at].belongs_to
            at = None if link is None else link.table
        if at is not None and at in path:
            loop = path[path.index(at) :]
            for member in loop:
                linked[member] = replace(linked[member], belongs_to=None)
            spans = [parent.span for member in loop if (parent := written[member].parent) is not None]
            text = " → ".join([*loop, loop[0]])
            found.append(Diagnostic("R539", spans[0], {"loop": text}, also=tuple(spans[1:])))
        done.update(path)
    return linked


def _links(written: WrittenTable, table: Table[Expr], made: Contracts[Expr], found: list[Diagnostic]) -> None:
    """`refers_to` and `belongs_to` lead to a table with a key of the same type."""
    if table.belongs_to is not None and written.parent is not None:
        column = table.columns[table.belongs_to.by]
        _joins(column, written.parent, made, found)
    for written_column in written.columns:
        column = table.columns.get(written_column.name.text)  # type: ignore[assignment]
        if written_column.refers_to is None or column is None:
            continue
        if written_column.refers_to.text not in made.tables:
            found.append(_no_table(written_column.refers_to, made.tables))
        else:
            _joins(column, written_column.refers_to, made, found)


def _joins(column: ColumnContract[Expr], target: Word, made: Contracts[Expr], found: list[Diagnostic]) -> None:
    other = made.tables[target.text]
    if other.key is None:
        if other.source is not None or other.columns:
            found.append(Diagnostic("R538", target.span, {"table": other.name, "why": Words("key.referred")}))
        return
    key = other.columns[other.key]
    if not _joinable(column.type, key.type):
        args = {
            "column": column.name, "type": str(column.type), "table": other.name, "key": key.name,
            "key_type": str(key.type),
        }  # fmt: skip
        found.append(Diagnostic("R536", target.span, args))


def _joinable(left: Type, right: Type) -> bool:
    if isinstance(left, Untyped) or isinstance(right, Untyped):
        return True
    return left == right
