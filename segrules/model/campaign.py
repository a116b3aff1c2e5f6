"""The checked campaign: actions of the rule files and the policies that bound them.

In: built by `check`.  Out: `Campaign`, part of a `RuleSet`; read by `decide`, `plan` and `report`.  Always: free of
errors: channels, sinks and names exist, shares of variants make up the whole, messages are typed; money is an integer
in 1/10,000 of the currency unit; shares are exact fractions; `previously` has the oldest id first.

    campaign.actions["winback_coupon"].channels      # ("sms",)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias, get_args

from segrules.model.expr import Expr
from segrules.source import NOWHERE, Span
from segrules.syntax.expr import Expr as Written
from segrules.syntax.expr import Unit

ContactClass = Literal["marketing", "service", "legal"]
CLASSES: tuple[ContactClass, ...] = get_args(ContactClass)

Stage = Literal[
    "inactive action", "forgotten", "suppressed", "suppression unknown", "no consent", "consent unknown", "no address",
    "duplicate address", "global hold-out", "repeat", "group", "cap", "over capacity", "over limit", "over budget",
    "action hold-out", "selected",
]  # fmt: skip
STAGES: tuple[Stage, ...] = get_args(Stage)
"""Where one who matches `for` can end, in the order in which the stages are passed."""
NOT_MATCHED = "not matched"

MONEY_SCALE = 4
"""Digits after the point of every amount of money."""
NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Period:
    """`30 days`: calendar units, counted as the window `in last 30 days`."""

    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Once:
    """Once in a lifetime; also what an action without `repeat:` does."""


@dataclass(frozen=True, slots=True)
class Every:
    """At most once in any window of this length that ends today."""

    period: Period


@dataclass(frozen=True, slots=True)
class OnEntry:
    """Once per stay that began by data, with `existing` also per stay that began otherwise."""

    at_most: Period | None = None
    existing: bool = False


Repeat: TypeAlias = Once | Every | OnEntry


@dataclass(frozen=True, slots=True)
class Ordering:
    """`clv desc`: missing values last in either direction, ties by customer key."""

    value: Expr
    descending: bool = False


@dataclass(frozen=True, slots=True)
class PerValue:
    """At most so many per value of an expression; a missing value is a value of its own."""

    value: Expr
    at_most: int
    counting: Literal["run", "open tasks", "week"] = "run"


@dataclass(frozen=True, slots=True)
class Limit:
    """`customers` counts those of one run."""

    customers: int | None = None
    order_by: Ordering | None = None
    per: PerValue | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    total: int
    per: Literal["run", "month", "lifetime"] = "lifetime"


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    share: Fraction


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`{clv:.2f}`: a value that is never missing, and how it is shown (empty: as in results)."""

    value: Expr
    format: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Literal texts and placeholders in turn."""

    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        return tuple(part for part in self.parts if isinstance(part, Placeholder))


@dataclass(frozen=True, slots=True)
class Goal:
    metric: Expr
    within: Period


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `channels` are tried in order, the first that reaches the customer counts; with `channel_by` that
    expression names the channel and `channels` has every one it may name (in the order of the policies)."""

    id: str
    label: str | None
    when: Expr
    written: Written
    channels: tuple[str, ...]
    channel_by: Expr | None = None
    contact_class: ContactClass = "marketing"
    active_from: int | None = None
    active_until: int | None = None
    message: Message | None = None
    repeat: Repeat = Once()
    priority: Fraction = NOTHING
    group: str | None = None
    limit: Limit = Limit()
    budget: Budget | None = None
    cost: int = 0
    holdout: Fraction = NOTHING
    own_salt: str | None = None
    variants: tuple[Variant, ...] = ()
    award: int | None = None
    assign_to: Expr | None = None
    due: Period | None = None
    goal: Goal | None = None
    previously: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)

    @property
    def first_id(self) -> str:
        """The id under which the ledger knows the action, whatever it is called today."""
        return self.previously[0] if self.previously else self.id

    @property
    def salt(self) -> str:
        return self.own_salt or self.first_id


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes after midnight; may wrap it. In `zone`, or the zone that `zone_of` names for the customer."""

    start: int
    end: int
    zone: str | None = None
    zone_of: Expr | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """`consent` by class; a class without one needs none. `billed_by_part`: `cost` is per SMS part of the message
    (70 characters, 67 each where there are several)."""

    name: str
    sink: str
    label: str | None = None
    consent: Mapping[ContactClass, Expr] = field(default_factory=dict)
    address: Expr | None = None
    cost: int = 0
    task: bool = False
    billed_by_part: bool = False
    quiet_hours: QuietHours | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Suppression:
    """`text` is the predicate as written, for messages."""

    text: str
    when: Expr


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many contacts of one customer, and of one address; None: on every channel, of every class."""

    at_most: int
    period: Period
    channels: tuple[str, ...] | None = None
    classes: tuple[ContactClass, ...] | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many tasks one person can take; `name` is what `assign_to:` says, `account_manager` for one."""

    name: str
    at_most: int
    per: Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Guards:
    max_members_changed: Fraction | None = None
    max_contacted: int | None = None
    max_spend: int | None = None
    require_clean_git: bool = False


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """A sink as configured; `settings` are those of its kind, their texts as written (`${NAME}` not yet filled)."""

    name: str
    kind: str
    settings: Mapping[str, str | int | bool | tuple[str, ...]] = field(default_factory=dict)
    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Environment:
    """`state` is a path relative to the project or a database URL; `sinks` replace those of the same name."""

    name: str
    state: str
    sinks: Mapping[str, SinkSettings] = field(default_factory=dict)


DEFAULT_ENVIRONMENT = Environment("default", ".segrules/ledger.db")
"""Where policies.yaml names none."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What no rule file can override. Ages in seconds; None: no limit."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    suppress: tuple[Suppression, ...] = ()
    caps: tuple[Cap, ...] = ()
    capacity: Mapping[str, Capacity] = field(default_factory=dict)
    global_holdout: Fraction = NOTHING
    guards: Guards = Guards()
    max_plan_age: int | None = None
    max_staleness: int | None = None
    sinks: Mapping[str, SinkSettings] = field(default_factory=dict)
    environments: tuple[Environment, ...] = (DEFAULT_ENVIRONMENT,)


@dataclass(frozen=True, slots=True)
class Campaign:
    """`actions` in the order of the files."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    policies: Policies = Policies()


def campaign_expressions(campaign: Campaign) -> Iterator[Expr]:
    """Every expression that stands in *campaign*."""
    for suppression in campaign.policies.suppress:
        yield suppression.when
    for channel in campaign.policies.channels.values():
        yield from channel.consent.values()
        zone = None if channel.quiet_hours is None else channel.quiet_hours.zone_of
        yield from (each for each in (channel.address, zone) if each is not None)
    for action in campaign.actions.values():
        limit = action.limit
        optional = (
            action.channel_by,
            action.assign_to,
            None if action.goal is None else action.goal.metric,
            None if limit.order_by is None else limit.order_by.value,
            None if limit.per is None else limit.per.value,
        )
        yield action.when
        yield from (each for each in optional if each is not None)
        yield from () if action.message is None else (each.value for each in action.message.placeholders)
