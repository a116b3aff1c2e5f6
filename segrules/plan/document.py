"""A plan: what would be done, decided once, carried out exactly.

In: built by `plan.make`, or read from a ``.segplan``.  Out: `Plan`, read by `report` and `apply`.  Always: it holds
keys, decisions, batches and hashes, never an address, a `pii` value or a rendered text; `plan_id` is the SHA-256 of
all the rest; the figures of `manifest` and the contacts say the same.

    plan.manifest.waterfalls[0].selected      # 4500
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from segrules.model.campaign import Stage
from segrules.state.records import Cause, Members, NewBatch, NewContact, NewPoints

GuardName = Literal["max_members_changed", "max_contacted", "max_spend", "require_clean_git"]


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """A segment, list or case (by its qualified id) against the last applied run; `before` None: never seen."""

    name: str
    label: str | None
    now: int
    before: int | None
    entered: int
    left: int
    unknown: int
    cause: Cause

    @property
    def moved(self) -> int:
        """Those who entered or left what the last run knew."""
        return 0 if self.before is None else self.entered + self.left


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Who matches `for` = the sum of `stages`. `cost`: of the selected, in 1/10,000. `waiting`: entries without a
    cause for `on: entry`."""

    action: str
    label: str | None
    channels: tuple[str, ...]
    matched: int
    stages: Mapping[Stage, int]
    cost: int
    waiting: int = 0

    @property
    def selected(self) -> int:
        return self.stages.get("selected", 0)


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """A guard against what the plan would do; shares as decimal text, money in 1/10,000. `of`: the segment, list or
    case that most customers enter or leave."""

    name: GuardName
    found: str
    limit: str
    exceeded: bool
    allowed: bool = False
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a plan but its customers. `model`: hash of rules, policies, contracts, parameters and lock;
    `sources`: SHA-256 by table (of files; None for a database or an object). `before`: customers of the last run, None
    before the first; `members_changed`: customers who entered or left some segment, list or case that it knew, those
    who are gone too; `forgotten`: those of `customers` whom the plan does not name. `max_plan_age` in seconds."""

    project: str
    environment: str
    lineage: str
    serial: int
    as_of: int
    timezone: str
    planned_at: int
    version: str
    model: str
    commit: str | None
    clean: bool | None
    parameters: Mapping[str, str]
    sources: Mapping[str, str | None]
    customers: int
    segments: tuple[SegmentChange, ...]
    waterfalls: tuple[Waterfall, ...]
    guards: tuple[GuardCheck, ...]
    cut_points: tuple[Mapping[str, object], ...] = ()
    max_plan_age: int | None = None
    members_changed: int = 0
    forgotten: int = 0
    before: int | None = None

    @property
    def contacts(self) -> int:
        return sum(each.selected for each in self.waterfalls)

    @property
    def cost(self) -> int:
        return sum(each.cost for each in self.waterfalls)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`contacts` has the selected (reserved) and held-out ones, by action, then in the order of filling."""

    plan_id: str
    manifest: Manifest
    contacts: tuple[NewContact, ...]
    batches: tuple[NewBatch, ...]
    members: Members
    points: tuple[NewPoints, ...] = field(default=())
