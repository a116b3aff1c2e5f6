"""`evaluate -o`: one row per customer, as a CSV or Parquet file.

In: results, the names wanted, a path.  Out: the file, complete or not there at all.  Always: customers in key order,
the key first; CSV is UTF-8 with BOM, booleans `true`/`false`, missing and unknown empty, dates and times ISO 8601,
decimals with their scale, lists joined by `|`; Parquet keeps the types.

    write(Path("out.csv"), arrays({"customer_id": …, "star": …}))
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pa_parquet

from segrules.engine.results import Results
from segrules.model.names import Named, as_written, of_definition, parts
from segrules.model.ruleset import RuleSet
from segrules.report.arrow import array, named
from segrules.report.privacy import private_names
from segrules.tables.columns import Loaded

SUFFIXES = (".csv", ".parquet")
BLOCK = 1 << 16
BOM = b"\xef\xbb\xbf"


def wanted(ruleset: RuleSet, with_cases: bool) -> list[Named]:
    """The columns of the file where none are named: attributes (outputs of decision tables too), segments,
    segmentations and scorecards, each in the order written; with *with_cases* every case as a boolean too.
    An attribute that hands on a private column is left out."""
    private = private_names(ruleset)
    every = [of_definition(each) for each in as_written(ruleset)]
    inner = [part for each in as_written(ruleset) for part in parts(each)]
    kinds = ("attribute", "output", "segment", "segmentation", *(("case",) if with_cases else ()), "scorecard")
    return [
        name for kind in kinds for name in (*every, *inner) if name.kind == kind and name.definition not in private
    ]  # fmt: skip


def columns(ruleset: RuleSet, results: Results, customers: Loaded, names: Sequence[Named]) -> dict[str, pa.Array]:
    """The key and the values of *names*, by column header."""
    timezone = ruleset.contracts.timezone
    key = ruleset.contracts.tables[ruleset.contracts.customers].key or "customer"
    found = {key: array(results.keys, timezone)}
    for name in names:
        found.setdefault(str(name), named(results, customers, name, timezone))
    return found


def write(path: Path, found: Mapping[str, pa.Array]) -> None:
    """Write *found* to *path*, whose ending says the format; a reader never sees half of it."""
    with Growing(path) as file:
        file.add(found)


class Growing:
    """A file that is written part by part, each part with the same columns; as a context, at whose end the file
    appears, whole, or after an error not at all. *mode*: who may read it, as `os.open` takes it."""

    def __init__(self, path: Path, mode: int = 0o666) -> None:
        self.path = path
        self._mode = mode
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
        self._is_new = True
        self._parquet: pa_parquet.ParquetWriter | None = None

    def __enter__(self) -> Growing:
        self._stream = os.fdopen(os.open(self._unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, self._mode), "wb")
        return self

    def add(self, found: Mapping[str, pa.Array]) -> None:
        """The next rows, by column header."""
        if self.path.suffix.lower() == ".parquet":
            rows = pa.table(dict(found))
            if self._parquet is None:
                self._parquet = pa_parquet.ParquetWriter(self._stream, rows.schema)
            self._parquet.write_table(rows)
        else:
            if self._is_new:
                _write_header(self._stream, found)
            _write_rows(self._stream, found)
        self._is_new = False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            with self._stream:
                if self._parquet is not None:
                    self._parquet.close()
                if kind is None:
                    self._stream.flush()
                    os.fsync(self._stream.fileno())
            if kind is None:
                self._unfinished.replace(self.path)
        finally:
            self._unfinished.unlink(missing_ok=True)


def _write_header(stream: BinaryIO, found: Mapping[str, pa.Array]) -> None:
    names = pa.array(list(found), pa.string())
    stream.write(BOM + ",".join(_quoted(names).to_pylist()).encode() + b"\n")


def _write_rows(stream: BinaryIO, found: Mapping[str, pa.Array]) -> None:
    rows = len(next(iter(found.values())))
    for start in range(0, rows, BLOCK):
        block = [_text(values.slice(start, BLOCK)) for values in found.values()]
        lines = pc.binary_join_element_wise(*block, ",", null_handling="replace", null_replacement="")
        ended = pc.binary_join_element_wise(lines, "\n", "")
        stream.write("".join(ended.to_pylist()).encode())


def _text(values: pa.Array) -> pa.Array:
    """The cells of a column as a CSV file has them."""
    if pa.types.is_string(values.type):
        return _quoted(values)
    if pa.types.is_timestamp(values.type):
        return _timestamps(values)
    if pa.types.is_list(values.type):
        return _quoted(pc.binary_join(values, "|"))
    return values.cast(pa.string())


def _quoted(texts: pa.Array) -> pa.Array:
    """Texts in quotes where a reader of CSV would stumble without."""
    needed = pc.match_substring_regex(texts, '[",\\r\\n]')
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), texts)


def _timestamps(values: pa.Array) -> pa.Array:
    """ISO 8601 with the zone's offset; the fraction only where there is one."""
    written = pc.strftime(values, format="%Y-%m-%dT%H:%M:%S%Ez")
    return pc.replace_substring_regex(written, r"\.0+([+-])", r"\1")
