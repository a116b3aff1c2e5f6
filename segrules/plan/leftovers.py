"""Files of a project that still name a customer: plans, outputs, rows set aside.

In: the project's folder, the folders that sinks write to, a key.  Out: paths.  Always: files are read, never changed;
what cannot be read is listed too, since it may name them; the tables that the project reads are not looked at, nor
what was sent elsewhere.

    leftovers(Path("demo"), ["out"], "C00042")      # [Path("plan.segplan"), Path("out/winback.sms.csv.7c1e…")]
"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from segrules.model.campaign import Policies
from segrules.plan.file import ENDING
from segrules.tables.quarantine import FOLDER

_PARQUET = b"PAR1"


def leftovers(folder: Path, outputs: Iterable[str], key: str) -> list[Path]:
    """The files that name *key*, or may, relative to *folder* where they are in it."""
    found = []
    for file in sorted(set(_candidates(folder, outputs))):
        try:
            names = _names(file, key)
        except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, pa.ArrowException):
            names = True
        if names:
            found.append(file.relative_to(folder) if file.is_relative_to(folder) else file)
    return found


def output_folders(policies: Policies) -> list[str]:
    """The folders that the sinks of every environment write to, as written, from the project's."""
    sinks = [*policies.sinks.values(), *(each for one in policies.environments for each in one.sinks.values())]
    return sorted({os.path.expandvars(str(each.settings["folder"])) for each in sinks if "folder" in each.settings})


def _candidates(folder: Path, outputs: Iterable[str]) -> Iterator[Path]:
    yield from (each for each in folder.rglob(f"*{ENDING}") if each.is_file())
    for name in {FOLDER, *outputs}:
        yield from (each for each in (folder / name).rglob("*") if each.is_file())


def _names(file: Path, key: str) -> bool:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as packed:
            return any(_names_in(packed.read(each), key) for each in packed.namelist())
    if file.suffix == ENDING:
        return True
    return _names_in(file.read_bytes(), key)


def _names_in(data: bytes, key: str) -> bool:
    if data.startswith(_PARQUET):
        table = pq.read_table(io.BytesIO(data))
        return any(_has(column, key) for column in table.columns)
    text = data.decode("utf-8-sig", "replace")
    cells = {cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row}
    return key in cells or f'"{key}"' in text


def _has(column: pa.ChunkedArray, key: str) -> bool:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type):
        column = column.cast(pa.string())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    return bool(pc.any(pc.equal(column, pa.scalar(key, column.type))).as_py())
