"""Files: a batch as one CSV or Parquet file, there whole or not at all.

In: rows of one batch.  Out: `ACTION.CHANNEL.PLANID.csv` in the sink's folder, PLANID the first 16 digits of the plan's
id.  Always: the file is written under another name in the same folder, brought to the disk, and only then renamed; a
file that is there is never replaced; a cell that a spreadsheet would take for a formula begins with `'`.

    FileSink.of("files", {"folder": "out", "format": "csv"}, project, effect)
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from segrules.diagnostics.diagnostic import Words
from segrules.diagnostics.refusals import reason
from segrules.effects import Effect
from segrules.errors import BrokenContract, Refused, Unreachable
from segrules.plan.sinks.protocol import SHORT_ID, Outgoing, Row, columns, text, trouble
from segrules.plan.sinks.settings import filled, written

FORMATS = ("csv", "parquet")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SIGNED = re.compile(r"[+-][0-9]+(\.[0-9]+)?")
_LONGEST = 150
_MODE, _FOLDER_MODE = 0o640, 0o750
"""Who else may read names and addresses: at most the group, as the umask says."""


@dataclass(frozen=True, slots=True)
class FileSink:
    """A folder that takes files."""

    name: str
    folder: Path
    format: str
    effect: Effect = field(repr=False)

    @staticmethod
    def of(name: str, settings: Mapping[str, object], folder: Path, effect: Effect) -> FileSink:
        """`folder` is relative to the project's, *folder*."""
        format_ = written(name, settings, "format", "csv")
        if format_ not in FORMATS:
            raise trouble("P953", Refused, name, format=format_, formats=", ".join(FORMATS))
        return FileSink(name, folder / filled(name, settings, "folder"), format_, effect)

    def check(self, batches: Sequence[Outgoing]) -> None:
        there = self.folder
        while not there.exists() and there != there.parent:
            there = there.parent
        if not there.is_dir():
            raise self._refused(Words("system.no_folder"))
        if not os.access(there, os.W_OK | os.X_OK):
            raise self._refused(Words("system.forbidden"))
        for batch in batches:
            self._must_not_exist(batch)

    def fingerprint(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        return hashlib.sha256(self._content(rows)).hexdigest()

    def prepare(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        content = self._content(rows)
        part = self._part(batch)
        try:
            self.effect("files.folder", partial(self.folder.mkdir, _FOLDER_MODE, parents=True, exist_ok=True))
            self.effect("files.write", partial(_write, part, content))
            self.effect("files.sync", partial(_sync, part))
            self.effect("files.sync_folder", partial(_sync, self.folder))
        except OSError as refused:
            raise self._refused(reason(refused)) from None
        return hashlib.sha256(content).hexdigest()

    def published(self, batch: Outgoing, sha256: str) -> bool:
        part = self._part(batch)
        try:
            if not self.folder.is_dir():
                raise self._refused(Words("system.not_there"))
            if not part.exists():
                return True
            found = hashlib.sha256(part.read_bytes()).hexdigest()
        except OSError as refused:
            raise self._refused(reason(refused)) from None
        if found != sha256:
            raise trouble("P955", BrokenContract, self.name, file=part.as_posix())
        return False

    def publish(self, batch: Outgoing, rows: Sequence[Row], sha256: str) -> None:
        if self.published(batch, sha256):
            return
        self._must_not_exist(batch)
        try:
            self.effect("files.rename", partial(self._part(batch).rename, self._target(batch)))
            self.effect("files.sync_published", partial(_sync, self.folder))
        except OSError as refused:
            raise self._refused(reason(refused)) from None

    def withdraw(self, batch: Outgoing) -> None:
        try:
            self.effect("files.withdraw", partial(self._part(batch).unlink, missing_ok=True))
        except OSError as refused:
            raise self._refused(reason(refused)) from None

    def file(self, batch: Outgoing) -> str:
        """The name under which *batch* is published; never that of another batch, as `a/b` and `a_b`, or `a.b` by `c`
        and `a` by `b.c`, would have it."""
        name = batch.name.replace("/", "_")
        if name != batch.name or name.count(".") > 1 or len(name.encode()) > _LONGEST:
            shortened = name.encode()[:_LONGEST].decode(errors="ignore")
            name = f"{shortened}~{hashlib.sha256(batch.id.encode()).hexdigest()[:8]}"
        return f"{name}.{batch.plan_id[:SHORT_ID]}.{self.format}"

    def _target(self, batch: Outgoing) -> Path:
        return self.folder / self.file(batch)

    def _part(self, batch: Outgoing) -> Path:
        return self.folder / f".{self.file(batch)}.part"

    def _must_not_exist(self, batch: Outgoing) -> None:
        if os.path.lexists(self._target(batch)):
            raise trouble("P954", Unreachable, self.name, file=self._target(batch).as_posix())

    def _content(self, rows: Sequence[Row]) -> bytes:
        return (_csv if self.format == "csv" else _parquet)(columns(rows))

    def _refused(self, why: Words) -> Unreachable:
        error = trouble("P956", Unreachable, self.name, folder=self.folder.as_posix(), reason=why)
        assert isinstance(error, Unreachable)
        return error


def _csv(found: Mapping[str, list[Any]]) -> bytes:
    with io.StringIO(newline="") as out:
        writer = csv.writer(out)
        writer.writerow(map(guarded, found))
        writer.writerows(zip(*(map(guarded, values) for values in found.values()), strict=True))
        return out.getvalue().encode("utf-8-sig")


def guarded(value: Any) -> str:
    """A value as a cell that no spreadsheet computes; numbers stay numbers, and `+8613800000000` a phone number."""
    if type(value) is str:
        return f"'{value}" if value.startswith(_FORMULA) and not _SIGNED.fullmatch(value) else value
    return text(value)


def _parquet(found: Mapping[str, list[Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def cells(values: list[Any]) -> Any:
        return pa.array([None if each is None else text(each) for each in values], pa.string())

    out = io.BytesIO()
    pq.write_table(pa.table({name: cells(values) for name, values in found.items()}), out)
    return out.getvalue()


def _write(path: Path, content: bytes) -> None:
    """A file of our own: no link that somebody has put in its place."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, _MODE), "wb") as out:
        out.write(content)


def _sync(path: Path) -> None:
    """Bring a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
