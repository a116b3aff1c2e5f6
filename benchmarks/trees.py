"""Conditions as trees, and the random rules that every contender is given.

In: a seed and a number of rules.  Out: trees of this module, which `texts` and `native` turn into each contender's own
language.  Always: the same seed gives the same rules, and the first 100 of 300 rules are the 100; nothing here knows
segrules, so that a mistake of its parser cannot hide in a translation.

    And((Compare("age", ">=", 30), OneOf("city", ("上海", "北京"))))
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias, assert_never

from benchmarks.customers import CHANNELS, CITIES, GENDERS, TAGS, TIERS, TODAY

Literal: TypeAlias = int | float | Decimal | date | str

OPPOSITE = {">=": "<", "<": ">=", "<=": ">", ">": "<=", "=": "!=", "!=": "="}


@dataclass(frozen=True, slots=True)
class Compare:
    column: str
    op: str
    value: Literal


@dataclass(frozen=True, slots=True)
class OneOf:
    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """Both bounds belong to it."""

    column: str
    low: Literal
    high: Literal


@dataclass(frozen=True, slots=True)
class Recent:
    """A date of the last `days` days, today among them."""

    column: str
    days: int

    @property
    def first(self) -> date:
        return TODAY - timedelta(days=self.days - 1)


@dataclass(frozen=True, slots=True)
class HasAny:
    column: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A bool column."""

    column: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    column: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    part: Tree


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Tree, ...]


Leaf: TypeAlias = Compare | OneOf | Between | Recent | HasAny | Flag | Missing
Tree: TypeAlias = Leaf | Not | And | Or


def inward(tree: Tree, negate: bool = False) -> Tree:
    """The tree without `Not` and `Recent`: TRUE for the same customers, for languages whose comparisons with a
    missing value are false instead of unknown."""
    match tree:
        case Not(part):
            return inward(part, not negate)
        case And(parts) | Or(parts):
            kind = Or if isinstance(tree, And) == negate else And
            return kind(tuple(inward(part, negate) for part in parts))
        case Between(column, low, high):
            if negate:
                return Or((Compare(column, "<", low), Compare(column, ">", high)))
            return tree
        case Recent(column):
            return inward(Between(column, tree.first, TODAY), negate)
        case Compare(column, op, value):
            return Compare(column, OPPOSITE[op], value) if negate else tree
        case OneOf() | HasAny() | Flag() | Missing():
            return replace(tree, negated=tree.negated != negate)
        case _:
            assert_never(tree)


def leaves(tree: Tree) -> Iterator[Leaf]:
    match tree:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield tree


STEPS = (100, 200, 300, 500, 800, 1000, 1500, 2000, 3000, 5000, 8000, 10000, 20000, 50000)
MONEY = tuple(Decimal(step) for step in STEPS)
THRESHOLDS: dict[str, tuple[Literal, ...]] = {
    "age": (18, 22, 25, 28, 30, 35, 40, 45, 50, 55, 60, 65),
    "income": tuple(value * 10 for value in MONEY),
    "spend_12m": MONEY,
    "spend_90d": MONEY[:10],
    "balance": (Decimal(0), *MONEY),
    "basket": (Decimal("29.90"), Decimal("49.90"), *(Decimal(step) for step in (99, 149, 199, 299, 499, 999))),
    "orders_12m": (1, 2, 3, 4, 6, 8, 10, 12, 15, 20, 24),
    "visits_30d": (1, 2, 3, 5, 8, 10, 15, 20),
    "discount_share": (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.8),
    "score": (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
}
DAYS = (7, 14, 30, 60, 90, 120, 180, 270, 365, 540, 730)
DATES = ("signup_date", "last_order", "last_contact")
REGIONS = (CITIES[:4], CITIES[4:10], CITIES[10:19], CITIES[:10], CITIES[19:40])


def rules(seed: int, count: int) -> list[Tree]:
    """*count* rules as marketing writes them: mostly a few conditions joined by `and`, some with alternatives or
    exclusions, about a third with a fragment that other rules have too."""
    draw = random.Random(seed)
    fragments = [And(tuple(_leaf(draw) for _ in range(draw.choice((2, 2, 3))))) for _ in range(20)]
    return [_rule(draw, fragments) for _ in range(count)]


def _rule(draw: random.Random, fragments: list[And]) -> Tree:
    parts: list[Tree] = [_condition(draw) for _ in range(draw.choice((2, 2, 3, 3, 3, 4, 4, 5)))]
    shape = draw.random()
    if shape < 0.35:
        parts.append(draw.choice(fragments))
    elif shape < 0.60:
        parts.append(Or(tuple(_leaf(draw) for _ in range(draw.choice((2, 2, 3))))))
    elif shape < 0.72:
        parts.append(Not(Or(tuple(_leaf(draw) for _ in range(2)))))
    elif shape < 0.80:
        other = tuple(_condition(draw) for _ in range(draw.choice((2, 3))))
        return Or((And(tuple(parts)), And(other)))
    return And(tuple(parts))


def _condition(draw: random.Random) -> Tree:
    leaf = _leaf(draw)
    return Not(leaf) if draw.random() < 0.1 else leaf


def _leaf(draw: random.Random) -> Leaf:
    kind = draw.random()
    if kind < 0.48:
        column = draw.choice(tuple(THRESHOLDS))
        marks = THRESHOLDS[column]
        if draw.random() < 0.15:
            low, high = sorted(draw.sample(range(len(marks)), 2))
            return Between(column, marks[low], marks[high])
        return Compare(column, draw.choice((">=", ">=", ">=", ">", "<", "<", "<=")), draw.choice(marks))
    if kind < 0.62:
        column = draw.choice(DATES)
        days = draw.choice(DAYS)
        if draw.random() < 0.3:
            return Compare(column, "<", TODAY - timedelta(days=days))
        return Recent(column, days)
    if kind < 0.74:
        if draw.random() < 0.6:
            return OneOf("city", draw.choice(REGIONS))
        return OneOf("city", tuple(sorted(draw.sample(CITIES, draw.randint(2, 12)))))
    if kind < 0.86:
        column, values = draw.choice((("tier", TIERS), ("channel", CHANNELS), ("gender", GENDERS)))
        if column != "gender" and draw.random() < 0.5:
            return OneOf(column, tuple(sorted(draw.sample(values, 2))))
        return Compare(column, draw.choice(("=", "=", "!=")), draw.choice(values))
    if kind < 0.92:
        return Flag(draw.choice(("vip", "email_consent")))
    if kind < 0.98:
        return HasAny("tags", tuple(sorted(draw.sample(TAGS, draw.choice((1, 1, 2, 3))))))
    return Missing(draw.choice(("income", "last_order", "score", "gender")))
