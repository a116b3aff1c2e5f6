"""Why a customer is what they are: an explanation as a value.

In: built by `engine.explain`.  Out: frozen dataclasses that `report` draws.  Always: the author's own text with the
value of every part; what a `pii` column hands on is left out (`private`, and the value is missing).

    Part(text="spend >= 5万", type=BOOL, value=False, decides=True, parts=(Part(text="spend", …),))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from segrules.model.expr import CompareOp
from segrules.model.names import NameKind
from segrules.schema.types import Type, Value


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and last day of a window, inclusive (days since 1970-01-01)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a `where`: in how many of the rows looked at it is TRUE."""

    text: str
    holds: int
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What an aggregate looked at: the customer's rows, those that `where` let count, those with a value."""

    table: str
    looked_at: int
    counted: int
    with_value: int
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a population function compared with: the group, its size, and the cut points where it has some.

    `customers` is 0 where the customer is outside: a missing value, or `among` not TRUE."""

    by: tuple[Value, ...]
    customers: int
    cuts: tuple[float, ...]
    type: Type


Note: TypeAlias = Bounds | Tally | Standing


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an expression as its author wrote it. `decides`: it is why the whole came out as it did. `meaning`:
    of a name that the rules define, the expression behind it (one level)."""

    text: str
    type: Type
    value: Value
    private: bool = False
    decides: bool = False
    note: Note | None = None
    label: str | None = None
    parts: tuple[Part, ...] = ()
    meaning: Part | None = None


@dataclass(frozen=True, slots=True)
class CaseSeen:
    """A case of a segmentation. `state`: it won; it was reached (`otherwise`, `unknown`); its predicate was false or
    unknown; or an earlier one had won (`after`). `parts`: its predicate, or one part per tested column."""

    id: str
    label: str | None
    state: Literal["won", "reached", "false", "unknown", "after"]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """A characteristic of a scorecard: its points, and the row that gave them."""

    name: str
    points: int
    came_from: Literal["row", "otherwise", "missing"]
    row: Part | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison that has to come out otherwise: `subject op needed`, with the value now. `by`: how far off, in
    days or in `by_type`; missing where there is no distance (texts, `=`, a missing value)."""

    subject: str
    op: CompareOp
    needed: Value
    needed_type: Type
    now: Value
    now_type: Type
    by: Value
    by_type: Type
    private: bool = False
    needed_private: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A condition that has to become TRUE, or FALSE; `subject` and `now`: what it asks about, where that is one."""

    text: str
    becomes: bool
    is_now: bool | None
    subject: str | None = None
    now: Value = None
    now_type: Type | None = None
    private: bool = False


Change: TypeAlias = Threshold | Turn


@dataclass(frozen=True, slots=True)
class Explained:
    """One name. `part`: the expression of an attribute or segment; `cases` of a segmentation; `points` of a
    scorecard, above `base`. `nearest`: the fewest changes that would bring the customer in, None where they are in
    or no change can."""

    name: str
    label: str | None
    kind: NameKind
    type: Type
    value: Value
    private: bool = False
    part: Part | None = None
    cases: tuple[CaseSeen, ...] = ()
    outputs: tuple[Part, ...] = ()
    base: int = 0
    points: tuple[Points, ...] = ()
    nearest: tuple[Change, ...] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one customer that was asked for. `key` as messages show it; `as_of` in days since 1970-01-01."""

    project: str
    key: str
    as_of: int
    timezone: str
    names: tuple[Explained, ...]
