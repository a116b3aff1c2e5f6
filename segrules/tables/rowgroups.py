"""A Parquet file read in batches, its rows told apart by one key column.

In: the contract of a table whose source is a Parquet file.  Out: batches of rows, and what one look at the key says:
whether the file is sorted by it, and keys that divide its rows into parts of about one size.  Always: only a batch
is in memory, however large the file's row groups are; keys are compared after conversion, as they are everywhere.

    survey(opened(table, folder, key, "Asia/Shanghai"), 1 << 19).bounds      # ("C0524288", "C1048576", …)
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segrules.diagnostics.diagnostic import Words
from segrules.model.expr import Expr
from segrules.schema.contract import ColumnContract, FileSource, Table
from segrules.schema.types import Text, Value
from segrules.tables.columns import Column, Ints
from segrules.tables.convert import convert, spelling
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns
from segrules.tables.keys import order_by
from segrules.tables.raw import Origin, chunked

BATCH = 1 << 17
"""Rows read at a time."""

_BUFFER = 1 << 20
"""Bytes read ahead per column; without a bound Arrow keeps all that it has read until the end of the file."""

_SAMPLES = 256
"""Keys looked at per part: parts differ in size by a few percent."""


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """A Parquet file. `key`: the contract of the column that tells rows apart, a column of this table. `positions`:
    where each wanted column stands among those that are read; `read`: the headers to read, None for all; `batch`: rows
    at a time."""

    table: Table[Expr]
    file: Path
    origin: Origin
    key: str
    zone: str
    rows: int
    headers: tuple[str, ...]
    unlisted: tuple[str, ...]
    positions: Mapping[str, int]
    read: tuple[str, ...] | None
    batch: int = BATCH

    @property
    def contract(self) -> ColumnContract[Expr]:
        return self.table.columns[self.key]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows in file order, of all that is read or of the headers *columns*. Raises `BrokenContract`."""
        names = self.read if columns is None else tuple(columns)
        try:
            with pq.ParquetFile(self.file, pre_buffer=False, buffer_size=_BUFFER) as opened:
                for batch in opened.iter_batches(self.batch, columns=None if names is None else list(names)):
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unreadable(self.origin, error) from None

    def keys(self, cells: pa.ChunkedArray) -> tuple[Column, bool]:
        """The typed key of some rows, and whether every row has one."""
        found = convert(cells, self.contract.type, spelling(self.contract, self.table.format, self.zone, False))
        return found.column, found.column.missing is None and not found.faults

    def key_of(self, rows: pa.Table) -> pa.ChunkedArray:
        return rows.column(self.positions[self.key])

    def only_key(self) -> Iterator[pa.ChunkedArray]:
        """The cells of the key, batch by batch."""
        if self.read is None:
            for batch in self.batches():
                yield self.key_of(batch)
        else:
            for batch in self.batches([self.read[self.positions[self.key]]]):
                yield batch.column(0)


def _unreadable(origin: Origin, error: Exception) -> Exception:
    return stop("D807", origin, kind="Parquet", reason=str(error).partition("\n")[0][:200])


def opened(table: Table[Expr], folder: Path, key: str, zone: str, batch: int = BATCH) -> Keyed:
    """The Parquet file of *table*. Raises `BrokenContract` (D801, D802, D807, D809, D810)."""
    assert isinstance(table.source, FileSource)
    path = table.source.path
    file = folder / path
    origin = Origin(table.name, path, table.source.span)
    wanted = {name: column.span for name, column in table.columns.items() if column.value is None}
    if not file.exists():
        raise stop("D801", origin, "relative")
    if not file.is_file():
        raise stop("D802", origin, reason=Words("files.folder" if file.is_dir() else "files.special"))
    try:
        with pq.ParquetFile(file) as parquet:
            headers, rows = list(parquet.schema_arrow.names), int(parquet.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(origin, error) from None
    positions, unlisted = find_columns(origin, headers, wanted)
    chosen = sorted(set(positions.values()))
    plain = len(set(headers)) == len(headers) and not any("." in headers[at] for at in chosen)
    whole = table.quarantine or not plain
    return Keyed(
        table=table,
        file=file,
        origin=origin,
        key=key,
        zone=zone,
        rows=rows,
        headers=tuple(headers),
        unlisted=tuple(name for name in unlisted if not name.startswith("__index_level_")),
        positions=positions if whole else {name: chosen.index(at) for name, at in positions.items()},
        read=None if whole else tuple(headers[at] for at in chosen),
        batch=batch,
    )


@dataclass(frozen=True, slots=True)
class Survey:
    """`is_sorted`: every row has a key, and keys never fall. `bounds`: keys, ascending; part i has the keys from
    bounds[i - 1] up to, but not at, bounds[i]."""

    is_sorted: bool
    bounds: tuple[Value, ...]


def survey(keyed: Keyed, part_rows: int) -> Survey:
    """One look at the key of every row, for parts of about *part_rows* rows."""
    random = np.random.default_rng(0)
    step = max(1, part_rows // _SAMPLES)
    each = max(1, part_rows // step)
    samples: list[Any] = []
    watch = _Watch(keyed)
    for cells in keyed.only_key():
        column = watch.see(cells)
        if len(column):
            at = np.arange(0, len(column), step)
            at = np.minimum(at + random.integers(0, step, len(at)), len(column) - 1)
            samples.extend(value for row in at.tolist() if (value := column.at(row)) is not None)
    samples.sort()
    return Survey(watch.is_sorted, tuple(dict.fromkeys(samples[each::each])))


def is_sorted(keyed: Keyed) -> bool:
    """Whether every row has a key, and keys never fall."""
    watch = _Watch(keyed)
    return all(watch.is_sorted for cells in keyed.only_key() if watch.see(cells) is not None)


@dataclass(slots=True)
class _Watch:
    """Whether the keys seen so far never fall, and none is missing."""

    keyed: Keyed
    is_sorted: bool = True
    last: Any = None

    def see(self, cells: pa.ChunkedArray) -> Column:
        column, complete = self.keyed.keys(cells)
        if self.is_sorted and len(column):
            first: Any = column.at(0)
            self.is_sorted = complete and ascending(column) and (self.last is None or self.last <= first)
            self.last = column.at(len(column) - 1)
        return column


def ascending(key: Column) -> bool:
    """Whether the values never fall; texts that stand in the dictionary in their order are not sorted for that."""
    if isinstance(key.type, Text) and len(key):
        codes = key.values.astype(np.int32, copy=False)
        if bool((codes[1:] >= codes[:-1]).all()) and all(one <= other for one, other in pairwise(key.dictionary)):
            return True
    return order_by(key) is None


def part_of(key: Column, bounds: Sequence[Any]) -> Ints:
    """For each row the number of its part; rows without a key are spread over all parts."""
    if isinstance(key.type, Text):
        by_word = np.searchsorted(np.array(bounds, object), np.array(key.dictionary, object), side="right")
        parts: Ints = by_word[key.values].astype(np.int64)
    else:
        parts = np.searchsorted(np.array(bounds, key.values.dtype), key.values, side="right").astype(np.int64)
    return parts if key.missing is None else np.where(key.missing, np.arange(len(key)) % (len(bounds) + 1), parts)


def rows_below(keyed: Keyed, cells: pa.ChunkedArray, bound: Any) -> int:
    """How many of *cells*, which are sorted keys, are below *bound*."""

    def at(row: int) -> Any:
        return keyed.keys(chunked(cells.slice(row, 1)))[0].at(0)

    return bisect_left(range(len(cells)), bound, key=at)
