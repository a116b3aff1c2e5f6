"""Where the time of one evaluation went.

In: measured by the bulk engine.  Out: `Profile`.  Always: seconds are those of all threads together; what several
definitions share is shared out equally among them, so that the costs of definitions add up to what was run.

    profile.costliest[0].name
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["compile", "gather", "aggregate", "rank", "compare", "combine", "compute", "write"]
PHASES: tuple[Phase, ...] = ("compile", "gather", "aggregate", "rank", "compare", "combine", "compute", "write")


@dataclass(frozen=True, slots=True)
class Cost:
    """A definition, the seconds for it alone and its part of what it shares, and how many nodes it needs."""

    name: str
    seconds: float
    nodes: int


@dataclass(frozen=True, slots=True)
class Profile:
    """`nodes`: of the program, of all definitions; `atoms`: comparisons of a value with constants; `blocks`: in which
    rows went through; `costliest`: the definitions by falling cost."""

    nodes: int
    atoms: int
    blocks: int
    seconds: tuple[tuple[Phase, float], ...]
    costliest: tuple[Cost, ...]
