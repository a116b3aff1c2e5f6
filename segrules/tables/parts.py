"""Tables in parts: every row of one customer in one part, parts in the order of keys.

In: Parquet files with a survey of the customers' key.  Out: for each part a `Raw` per table.  Always: a file that is
sorted by the key is read along, batch by batch; of another a copy is written first, a file per part, in a folder
that goes away with the run; rows keep their number in the source, and their order in it.

    with Parts.cut((customers, orders), survey) as parts:
        for raws in parts.each(): raws["orders"]
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segrules.diagnostics.refusals import reason
from segrules.tables.columns import Ints
from segrules.tables.findings import stop
from segrules.tables.raw import Cells, Raw
from segrules.tables.rowgroups import Keyed, is_sorted, part_of, rows_below

MOST = 2_000
"""The most parts there can be: the files of a table that is copied, each written a little at a time."""

_NUMBER = "\0row"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows of one table, with the number of each in its source."""

    rows: pa.Table
    numbers: Ints


@dataclass(slots=True)
class Parts:
    """Use as a context: copies of files are removed at its end."""

    files: tuple[Keyed, ...]
    bounds: tuple[Any, ...]
    folder: Path
    copied: frozenset[str] = frozenset()

    @staticmethod
    def cut(files: Sequence[Keyed], sorted_tables: Sequence[str], bounds: Sequence[Any]) -> Parts:
        """Parts of *files* at *bounds*; those in *sorted_tables* are known to be sorted, others are looked at.
        Raises `BrokenContract`."""
        parts = Parts(tuple(files), tuple(bounds), Path(tempfile.mkdtemp(prefix="segrules-")))
        try:
            for place, keyed in enumerate(files):
                if keyed.table.name not in sorted_tables and not is_sorted(keyed):
                    parts.copied |= {keyed.table.name}
                    _copy(keyed, parts.bounds, parts.folder / f"{place}")
        except BaseException:
            parts.close()
            raise
        return parts

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def each(self) -> Iterator[Mapping[str, Raw]]:
        """The parts in the order of keys: by table its rows."""
        readers = [
            _copies(keyed, self.folder / f"{place}", len(self.bounds) + 1)
            if keyed.table.name in self.copied
            else _along(keyed, self.bounds)
            for place, keyed in enumerate(self.files)
        ]
        for _ in range(len(self.bounds) + 1):
            yield {
                keyed.table.name: _raw(keyed, next(reader)) for keyed, reader in zip(self.files, readers, strict=True)
            }
            pa.default_memory_pool().release_unused()


def _raw(keyed: Keyed, part: Part) -> Raw:
    def everything() -> Mapping[str, Cells]:
        return {name: part.rows.column(at) for at, name in enumerate(keyed.headers)}

    return Raw(
        origin=keyed.origin,
        rows=part.rows.num_rows,
        columns={name: part.rows.column(at) for name, at in keyed.positions.items()},
        headers=keyed.headers,
        unlisted=keyed.unlisted,
        everything=everything,
        numbers=part.numbers,
    )


def _along(keyed: Keyed, bounds: Sequence[Any]) -> Iterator[Part]:
    """The parts of a sorted file, read once from the first row to the last."""
    batches = keyed.batches()
    first = 1
    rest: pa.Table | None = next(batches, None)
    empty = _empty(keyed) if rest is None else rest.slice(0, 0)
    for bound in (*bounds, None):
        pieces, count = [empty], 0
        while rest is not None:
            inside = rest.num_rows if bound is None else rows_below(keyed, keyed.key_of(rest), bound)
            pieces.append(rest.slice(0, inside))
            count += inside
            if inside < rest.num_rows:
                rest = rest.slice(inside)
                break
            rest = next(batches, None)
        yield Part(pa.concat_tables(pieces), np.arange(first, first + count))
        first += count


def _empty(keyed: Keyed) -> pa.Table:
    """No rows, with the columns that the file has."""
    schema = pq.read_schema(keyed.file)
    table = schema.empty_table()
    return table if keyed.read is None else table.select(list(keyed.read))


def _copy(keyed: Keyed, bounds: Sequence[Any], folder: Path) -> None:
    """Writes the rows of *keyed* to a file per part, each a row of Arrow streams. Raises `BrokenContract` where the
    disk does not take them."""
    number = 0
    try:
        folder.mkdir()
        for rows in filter(len, keyed.batches()):
            parts = part_of(keyed.keys(keyed.key_of(rows))[0], bounds)
            order = np.argsort(parts, kind="stable")
            numbers = np.arange(number + 1, number + 1 + rows.num_rows)
            number += rows.num_rows
            held = rows.append_column(_NUMBER, pa.array(numbers)).take(pa.array(order))
            present, starts = np.unique(parts[order], return_index=True)
            for part, start, stop_ in zip(present, starts, [*starts[1:], len(order)], strict=True):
                with (folder / f"{part}").open("ab") as sink, pa.ipc.new_stream(sink, held.schema) as stream:
                    stream.write_table(held.slice(start, stop_ - start).combine_chunks())
    except OSError as refused:
        raise stop("D860", keyed.origin, folder=folder.parent.parent.as_posix(), reason=reason(refused)) from None


def _copies(keyed: Keyed, folder: Path, parts: int) -> Iterator[Part]:
    empty = _empty(keyed)
    for part in range(parts):
        file = folder / f"{part}"
        if not file.exists():
            yield Part(empty, np.zeros(0, np.int64))
            continue
        rows = pa.concat_tables(_streams(file))
        numbers = rows.column(rows.num_columns - 1).to_numpy()
        yield Part(rows.remove_column(rows.num_columns - 1), numbers)


def _streams(file: Path) -> Iterator[pa.Table]:
    size = file.stat().st_size
    with file.open("rb") as source:
        while source.tell() < size:
            with pa.ipc.open_stream(source) as stream:
                yield stream.read_all()
