"""The values of population functions of a run in parts, on disk between passes.

In: part by part, the value, groups and condition of a function for some customers.  Out: its own value for them, and
its cut points.  Always: the ranking itself is the bulk engine's; one function at a time is in memory, with eight bytes
per customer and what sorting them takes.

    store.add(value, by, among); store.rank(node); store.column(node.type, 0, 500_000)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.engine.results import Bits, Cuts
from segrules.engine.vector.build import storage
from segrules.engine.vector.population import population
from segrules.model.expr import Population
from segrules.schema.types import Text, Type
from segrules.tables.columns import Bools, Column


@dataclass(slots=True)
class Stored:
    """A column on disk, grown part by part; of texts one dictionary."""

    file: Path
    type: Type
    rows: int = 0
    words: dict[str, int] = field(default_factory=dict)

    def add(self, column: Column) -> None:
        values: NDArray[Any] = column.values
        if isinstance(self.type, Text):
            codes = [self.words.setdefault(word, len(self.words)) for word in column.dictionary]
            values = np.array(codes or [0], np.int32)[values]
        missing = np.zeros(len(column), np.bool_) if column.missing is None else column.missing
        with self.file.open("ab") as out:
            out.write(np.ascontiguousarray(values, storage(self.type)).tobytes())
        with self._mask.open("ab") as out:
            out.write(missing.tobytes())
        self.rows += len(column)

    def column(self, start: int = 0, stop: int | None = None) -> Column:
        """The rows from *start* to *stop*."""
        count = (self.rows if stop is None else stop) - start
        kind = storage(self.type)
        if not count:
            return Column(self.type, np.zeros(0, kind), None, tuple(self.words) or ("",))
        values = np.fromfile(self.file, kind, count, offset=start * kind.itemsize)
        missing: Bools = np.fromfile(self._mask, np.bool_, count, offset=start)
        return Column(self.type, values, missing if missing.any() else None, tuple(self.words) or ("",))

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)
        self._mask.unlink(missing_ok=True)

    @property
    def _mask(self) -> Path:
        return self.file.with_suffix(".missing")


@dataclass(slots=True)
class Ranking:
    """One population function: its parts while they are collected, then its values."""

    node: Population
    folder: Path
    parts: list[Stored] = field(default_factory=list)
    among: list[Bits] = field(default_factory=list)
    found: Stored | None = None
    cuts: tuple[Cuts, ...] = ()
    coincide: bool = False

    def add(self, value: Column, by: tuple[Column, ...], among: Bits | None) -> None:
        """What the function reads, of the next customers."""
        columns = (value, *by)
        if not self.parts:
            self.folder.mkdir(exist_ok=True)
            self.parts = [Stored(self.folder / f"{place}.part", one.type) for place, one in enumerate(columns)]
        for stored, column in zip(self.parts, columns, strict=True):
            stored.add(column)
        if among is not None:
            self.among.append(among)

    def rank(self) -> None:
        """Ranks all customers that were added."""
        among = None if self.node.among is None else np.concatenate([one.mask() for one in self.among])
        value, *by = (part.column() for part in self.parts)
        column, self.cuts, self.coincide = population(self.node, value, tuple(by), among)
        self.found = Stored(self.folder / "found", self.node.type)
        self.found.add(column)
        for part in self.parts:
            part.remove()
        self.parts, self.among = [], []

    def column(self, start: int, stop: int) -> Column:
        assert self.found is not None
        return self.found.column(start, stop)
