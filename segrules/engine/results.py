"""What an evaluation found: membership as bits, values as columns.

In: built by an engine.  Out: `Results`, the same from every engine.  Always: customers stand in key order; a segment
has TRUE bits and, where something was unknown, UNKNOWN bits, disjoint from them; counting is a popcount.

    results.segments["star"].true.count()
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.model.expr import Population
from segrules.schema.types import Type, Value
from segrules.source import Span
from segrules.tables.columns import Column


@dataclass(frozen=True, slots=True, eq=False)
class Bits:
    """One bit per customer, packed as `numpy.packbits` does; the padding bits are 0. `counted`: how many are set, if
    that is known."""

    packed: NDArray[np.uint8]
    size: int
    counted: int | None = None

    @staticmethod
    def of(mask: NDArray[np.bool_]) -> Bits:
        return Bits(np.packbits(mask), len(mask))

    def mask(self) -> NDArray[np.bool_]:
        return np.unpackbits(self.packed, count=self.size).view(np.bool_)

    def count(self) -> int:
        if self.counted is not None:
            return self.counted
        whole = len(self.packed) // 8 * 8
        words = np.bitwise_count(self.packed[:whole].view(np.uint64))
        return int(words.sum(dtype=np.int64)) + sum(map(int.bit_count, self.packed[whole:].tolist()))

    def ordinals(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.mask())

    def __and__(self, other: Bits) -> Bits:
        return Bits(self.packed & other.packed, self.size)

    def __or__(self, other: Bits) -> Bits:
        return Bits(self.packed | other.packed, self.size)

    def minus(self, other: Bits) -> Bits:
        return Bits(self.packed & ~other.packed, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """A segment's answer: who is in, and for whom it could not be said (None: for nobody)."""

    true: Bits
    unknown: Bits | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """A segmentation's answer. `codes[i]` indexes `ids`. `passed_unknown` counts, per id of a tested case, the
    customers for whom one of its predicates was unknown and that none before it had claimed, who then matched
    another case, `otherwise` or `unknown`."""

    ids: tuple[str, ...]
    codes: NDArray[np.uint16]
    passed_unknown: Mapping[str, int]

    def members(self, case_id: str) -> Bits:
        return Bits.of(self.codes == self.ids.index(case_id))


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cut points of one group of a `qcut` or `quantile`: stored values of `by` (empty without), the number of
    customers ranked, the cuts ascending (integers and decimals as the nearest double in their own unit, dates as
    days), the greatest value, which ends the last band, and per cut the greatest stored value that is not above it (of
    a `number` the cut itself), by which others can be placed."""

    by: tuple[Value, ...]
    customers: int
    cuts: tuple[float, ...]
    greatest: float
    thresholds: tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class CutPoints:
    """What a population function of *definition* cut at, in this run; `coincide` where neighbouring cuts are equal.
    `descending`: band 1 is that of the greatest values."""

    definition: str
    span: Span
    function: str
    type: Type
    groups: tuple[Cuts, ...]
    coincide: bool = False
    descending: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Everything one run found. `values` has attributes, scorecards and the further outputs of decision tables.
    `population` keeps the column of every population function, for explanations."""

    as_of: int
    keys: Column
    segments: Mapping[str, Membership]
    segmentations: Mapping[str, Assignment]
    values: Mapping[str, Column]
    lists: Mapping[str, Membership]
    cut_points: tuple[CutPoints, ...] = ()
    population: Mapping[Population, Column] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def customers(self) -> int:
        return len(self.keys)
