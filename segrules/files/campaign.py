"""Actions and policies as written: typed, with places, nothing resolved.

In: built by `files.actions` and `files.policies` from YAML trees that keep their JSON Schema.  Out: frozen documents
that `check` turns into a `Campaign`.  Always: every expression is parsed (or `Broken`, and reported), also those inside
messages; shares, amounts, lengths of time and repeats are still text.

    {for: dormant, channel: sms, holdout: 10%}      # WrittenAction(name=…, channels=(Word("sms"),), …)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from segrules.files.documents import Scalar
from segrules.model.campaign import ContactClass
from segrules.source import NOWHERE, Span, Word
from segrules.syntax.expr import Expr


@dataclass(frozen=True, slots=True)
class WrittenPlaceholder:
    """`{value:format}`; the word is empty where there is no format."""

    value: Expr
    format: Word


@dataclass(frozen=True, slots=True)
class WrittenOrder:
    value: Expr
    descending: bool


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """`repeat: {on: entry, …}`."""

    at_most: Scalar | None
    existing: bool


@dataclass(frozen=True, slots=True)
class WrittenLimit:
    customers: int | None = None
    order_by: WrittenOrder | None = None
    per: Expr | None = None
    at_most: int = 0
    counting: Literal["run", "open tasks", "week"] = "run"


@dataclass(frozen=True, slots=True)
class WrittenBudget:
    total: Scalar
    per: Literal["run", "month", "lifetime"]


@dataclass(frozen=True, slots=True)
class WrittenGoal:
    metric: Expr
    within: Scalar


@dataclass(frozen=True, slots=True)
class WrittenAction:
    """`channels` as listed, or none with `channel_by`. `message`: texts and placeholders in turn."""

    name: Word
    label: str | None
    when: Expr
    channels: tuple[Word, ...] = ()
    channel_by: Expr | None = None
    contact_class: ContactClass = "marketing"
    active_from: Scalar | None = None
    active_until: Scalar | None = None
    message: tuple[str | WrittenPlaceholder, ...] | None = None
    repeat: Scalar | WrittenEntry | None = None
    priority: Scalar | None = None
    group: str | None = None
    limit: WrittenLimit | None = None
    budget: WrittenBudget | None = None
    cost: Scalar | None = None
    holdout: Scalar | None = None
    salt: str | None = None
    variants: tuple[tuple[Word, Scalar], ...] = ()
    variants_span: Span = field(default=NOWHERE, compare=False, repr=False)
    award: int | None = None
    assign_to: Expr | None = None
    due: Scalar | None = None
    goal: WrittenGoal | None = None
    previously: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenQuietHours:
    start: Scalar
    end: Scalar
    zone: Scalar | None = None


@dataclass(frozen=True, slots=True)
class WrittenChannel:
    """`consent` by class; a plain expression stands for marketing and service."""

    name: Word
    sink: Word | None
    label: str | None = None
    consent: Mapping[ContactClass, Expr] = field(default_factory=dict)
    address: Expr | None = None
    cost: Scalar | None = None
    task: bool = False
    billed_per: Literal["contact", "part"] | None = None
    quiet_hours: WrittenQuietHours | None = None


@dataclass(frozen=True, slots=True)
class WrittenCap:
    at_most: int
    per: Scalar
    channels: tuple[Word, ...] | None = None
    classes: tuple[ContactClass, ...] | None = None


@dataclass(frozen=True, slots=True)
class WrittenCapacity:
    name: Word
    at_most: int
    per: Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class WrittenSink:
    """`settings`: every key but `kind`, a value or the items of a list, and where the key stands."""

    name: Word
    kind: Word | None
    settings: Mapping[Word, Scalar | tuple[Scalar, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrittenEnvironment:
    name: Word
    state: str
    sinks: tuple[WrittenSink, ...] = ()


@dataclass(frozen=True, slots=True)
class WrittenGuards:
    max_members_changed: Scalar | None = None
    max_contacted: int | None = None
    max_spend: Scalar | None = None
    require_clean_git: bool = False


@dataclass(frozen=True, slots=True)
class WrittenPolicies:
    """policies.yaml. `lost`: the file is there, but nobody can say what is in it."""

    channels: tuple[WrittenChannel, ...] = ()
    suppress: tuple[Expr, ...] = ()
    caps: tuple[WrittenCap, ...] = ()
    capacity: tuple[WrittenCapacity, ...] = ()
    global_holdout: Scalar | None = None
    guards: WrittenGuards = WrittenGuards()
    max_plan_age: Scalar | None = None
    max_staleness: Scalar | None = None
    sinks: tuple[WrittenSink, ...] = ()
    environments: tuple[WrittenEnvironment, ...] = ()
    lost: bool = False
