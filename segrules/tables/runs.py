"""Lines in the order of their number, more of them than memory holds.

In: lists of numbered lines, part by part.  Out: all lines by number.  Always: what comes in is on disk; few files are
open at once.

    runs = Runs(folder); runs.add([(7, ["c7", "7", "D834 …"])]); list(runs.merged())
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import merge
from pathlib import Path

_MOST = 64

Line = tuple[int, list[str]]


@dataclass(slots=True)
class Runs:
    """Files in *folder*, which is made, each with lines by number."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    _made: int = 0

    def add(self, lines: list[Line]) -> None:
        """Lines by number."""
        if not lines:
            return
        self._write(lines)
        if len(self.files) >= _MOST:
            before, self.files = self.files, []
            self._write(_merged(before))
            for file in before:
                file.unlink()

    def merged(self) -> Iterator[list[str]]:
        for _, line in _merged(self.files):
            yield line

    def _write(self, lines: Iterable[Line]) -> None:
        self.folder.mkdir(exist_ok=True)
        file = self.folder / f"{self._made}"
        self._made += 1
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([number, *line] for number, line in lines)
        self.files.append(file)


def _merged(files: list[Path]) -> Iterator[Line]:
    return merge(*map(_read, files), key=lambda line: line[0])


def _read(file: Path) -> Iterator[Line]:
    with file.open(encoding="utf-8", newline="") as source:
        for number, *line in csv.reader(source):
            yield int(number), line
