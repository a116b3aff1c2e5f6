"""Where a table comes from: one question, one answer.

In: a table's contract, the project's folder, perhaps the object that the caller gave.  Out: `Raw`.  Always: the kind
of a file follows from its ending; a table of the ledger is empty where nothing is given; whatever is wrong with a
source is raised as `BrokenContract`, never as an error of the library that met it.

    read(table, Path("demo"), None, ["order_id", "amount"])
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from segrules.diagnostics.diagnostic import Words
from segrules.diagnostics.refusals import reason
from segrules.schema.contract import DatabaseSource, DistinctSource, FileSource, Format, LedgerSource, Table
from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.raw import Origin, Raw

_BOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
_LINES = (".jsonl", ".ndjson")
_TEXTS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")


def read(table: Table[Any], folder: Path, given: object | None, columns: Collection[str]) -> Raw:
    """The cells of *columns* of a table. Raises `BrokenContract`."""
    wanted = {name: table.columns[name].span for name in columns}
    origin = Origin(table.name, "", table.span)
    if given is not None:
        from segrules.tables.frames import read_given

        return read_given(given, origin, wanted)
    match table.source:
        case FileSource(path, sheet, span):
            if span.text and "://" not in path:
                origin = replace(origin, span=span)
            return read_file(folder, path, sheet, table.format, origin, wanted)
        case DatabaseSource():
            from segrules.tables.database import read_database

            return read_database(table.source, folder, origin, wanted)
        case LedgerSource():
            import pyarrow as pa

            from segrules.tables.frames import from_table

            return from_table(pa.table({name: pa.nulls(0) for name in wanted}), origin, wanted)
        case None | DistinctSource():
            raise stop("D817", origin, "give", {"table": table.name})


def read_file(
    folder: Path, path: str, sheet: str | None, format_: Format, origin: Origin, wanted: dict[str, Span]
) -> Raw:
    """A file by its ending. *path* is relative to *folder* and is what messages show."""
    file = folder / path
    name = file.name.lower()
    is_text = name.endswith(_TEXTS)
    origin = Origin(origin.table, path, origin.span, "line" if is_text or name.endswith(_LINES) else "row")
    try:
        if not file.exists():
            raise stop("D801", origin, "database" if "://" in path else "relative")
        if not file.is_file():
            raise stop("D802", origin, reason=Words("system.is_folder" if file.is_dir() else "files.special"))
        if is_text:
            from segrules.tables.delimited import read_csv

            return read_csv(file, origin, format_, wanted)
        if name.endswith((".parquet", ".pq")):
            from segrules.tables.stored import read_parquet

            return read_parquet(file, origin, wanted)
        if name.endswith(_LINES):
            from segrules.tables.json_lines import read_json_lines

            return read_json_lines(file, origin, wanted)
        if name.endswith(_BOOKS):
            from segrules.tables.stored import read_workbook

            return read_workbook(file, sheet, origin, wanted)
    except OSError as error:
        raise stop("D802", origin, reason=reason(error)) from None
    except ValueError as error:
        raise stop("D802", origin, reason=str(error)[:200]) from None
    ending = Words("data_ending", {"ending": file.suffix}) if file.suffix else Words("data_no_ending")
    raise stop("D803", origin, "endings", ending=ending)
