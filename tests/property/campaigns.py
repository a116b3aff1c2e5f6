"""Campaigns and histories at random, over the tables of `generators`.

In: a source of choices, a world, a rule set.  Out: a `Campaign` of a few actions that get in each other's way (groups,
caps, shared addresses, one person's time, small limits and budgets), and what a ledger could know before.

    rules = with_campaign(random, world, rules); past(random, rules, customers)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from random import Random

from segrules.decide.recorded import action_name, recorded
from segrules.model import expr as m
from segrules.model.campaign import (
    CLASSES,
    Action,
    Budget,
    Campaign,
    Cap,
    Capacity,
    Channel,
    Every,
    Limit,
    Message,
    Once,
    OnEntry,
    Ordering,
    Period,
    PerValue,
    Placeholder,
    Policies,
    Repeat,
    Suppression,
    Variant,
)
from segrules.model.ruleset import RuleSet
from segrules.schema.types import BOOL, DATE, INTEGER, NUMBER, TEXT, Decimal, Type
from segrules.state.records import CAUSES, CONTACT_STATES, History
from segrules.syntax.expr import Name
from tests.deciding import Past, history, standing
from tests.property.generators import AS_OF, WORDS, Maker, World, make

CHANNELS = ("sms", "mail", "push", "visit", "call")
ASSIGNED = ("name", "kind")
PERIODS = tuple(Period(n, unit) for n, unit in ((1, "day"), (7, "day"), (30, "day"), (2, "week"), (1, "month")))
STATES = tuple(state for state in CONTACT_STATES if state != "cancelled")
SHARES = tuple(map(Fraction, ("0", "1/10", "1/3", "1/2", "1")))


def with_campaign(random: Random, world: World, rules: RuleSet) -> RuleSet:
    self = Maker(random, "customers", tuple(_booleans(rules)), world.tame, mild=True)
    policies = _policies(self)
    actions = [_action(self, f"a{place}", policies) for place in range(random.choice((1, 2, 4, 6)))]
    return replace(rules, campaign=Campaign({action.id: action for action in actions}, policies))


def past(random: Random, rules: RuleSet, customers: int) -> History:
    """Contacts of the actions, of some that are no more, and on channels that are no more."""
    count = random.choice((0, 3, 20, 80))
    ids = [id_ for action in rules.campaign.actions.values() for id_ in (action.id, *action.previously)]
    numbers: dict[tuple[int, str], int] = {}
    contacts = []
    for _ in range(count):
        row = random.randrange(-1, customers)
        action = random.choice((*ids, "gone"))
        n = numbers[row, action] = numbers.get((row, action), 0) + 1
        contacts.append(
            Past(
                row=row, action=action, channel=random.choice((*CHANNELS, "fax")),
                day=AS_OF + random.choice((2, 1, 0, -1, -2, -5, -6, -7, -13, -14, -20, -21, -29, -30, -31, -200)),
                contact_class=random.choice(CLASSES), state=random.choice(STATES),
                serial=random.randrange(1, 7), n=n, cost=random.choice((0, 100, 500, 1200)),
                address=random.choice((None, *WORDS)), assignee=random.choice((None, *WORDS[:4])),
                per=random.choice((None, *WORDS[:4], "1", "0")), open=random.random() < 0.3,
            )
        )  # fmt: skip
    chosen = range(customers)
    return history(
        customers,
        contacts,
        {
            name: standing(
                customers,
                random.choice((fingerprint, "another")),
                {row: (random.choice(CAUSES), random.randrange(1, 7)) for row in chosen if random.random() < 0.5},
            )
            for name, _, fingerprint in recorded(rules)
            if random.random() < 0.7 and name in {action_name(each) for each in rules.campaign.actions.values()}
        },
        [row for row in chosen if random.random() < 0.05],
        {"sms": [row for row in chosen if random.random() < 0.1]},
    )


def _booleans(rules: RuleSet) -> Sequence[tuple[str, Type]]:
    from segrules.model.ruleset import Segment

    return [(name, BOOL) for name, one in rules.definitions.items() if isinstance(one, Segment)]


def _mostly(self: Maker, share: float) -> m.Expr:
    """A predicate that is TRUE for most, or any."""
    return m.Constant(True, BOOL) if self.chance(share) else make(self, BOOL, 2)


def _column(name: str, type_: Type, gaps: bool) -> m.Expr:
    return m.Column("customers", name, type_, gaps)


NAME, KIND, ID = _column("name", TEXT, True), _column("kind", TEXT, False), _column("id", TEXT, False)
LONG = m.Call("concat", (ID, m.Constant("y" * 66, TEXT), KIND), TEXT)


def _channel(self: Maker, name: str) -> Channel:
    random = self.random
    task = name == "visit" or (name == "call" and self.chance(0.3))
    consent = {each: _mostly(self, 0.5) for each in CLASSES if self.chance(0.3)}
    address = random.choice((NAME, NAME, KIND, ID, ID, None)) if name != "visit" or self.chance(0.3) else None
    return Channel(
        name, "files", consent=consent, address=address, cost=random.choice((0, 500, 500, 1100)), task=task,
        billed_by_part=name == "sms",
    )  # fmt: skip


def _policies(self: Maker) -> Policies:
    random = self.random
    caps = tuple(
        Cap(
            random.choice((0, 1, 1, 2, 3)), random.choice(PERIODS),
            random.choice((None, ("sms",), ("sms", "mail"))), random.choice((None, ("marketing",))),
        )
        for _ in range(random.choice((0, 1, 2)))
    )  # fmt: skip
    names = {name: random.choice((1, 2, 5)) for name in ASSIGNED if self.chance(0.6)}
    return Policies(
        channels={name: _channel(self, name) for name in CHANNELS},
        suppress=tuple(Suppression("strange", make(self, BOOL, 2)) for _ in range(random.choice((0, 0, 0, 1, 2)))),
        caps=caps,
        capacity={
            name: Capacity(name, at_most, random.choice(("day", "week", "month"))) for name, at_most in names.items()
        },
        global_holdout=random.choice((SHARES[0], SHARES[0], SHARES[1], SHARES[2])),
    )


def _action(self: Maker, id_: str, policies: Policies) -> Action:
    random = self.random
    by = random.choice((None, None, None, m.Column("customers", "kind", TEXT, False), _named(self)))
    channels = tuple(dict.fromkeys(random.choices((*CHANNELS, "visit", "visit"), k=random.choice((1, 1, 2, 3)))))
    shares = random.choice(((), (Fraction(1),), (Fraction(1, 2), Fraction(1, 2)), (Fraction(1, 3), Fraction(2, 3))))
    return Action(
        id=id_,
        label=None,
        when=_mostly(self, 0.6),
        written=Name(("written",)),
        channels=channels,
        channel_by=by,
        contact_class=random.choice((*CLASSES, "marketing", "marketing")),
        active_from=random.choice((*[None] * 8, AS_OF, AS_OF + 1)),
        active_until=random.choice((*[None] * 8, AS_OF, AS_OF - 1)),
        message=random.choice((None, _message(self))),
        repeat=_repeat(self),
        priority=Fraction(random.choice((0, 0, 1, 5)), 2),
        group=random.choice((None, "g", "g", "h")),
        limit=_limit(self),
        budget=random.choice((None, _budget(self))),
        cost=random.choice((0, 0, 300)),
        holdout=random.choice(SHARES[:4]),
        own_salt=random.choice((None, None, "salt")),
        variants=tuple(Variant(f"v{place}", share) for place, share in enumerate(shares)),
        assign_to=random.choice((None, NAME, NAME, KIND)),
        previously=random.choice(((), (), (f"old_{id_}",), (f"older_{id_}", f"old_{id_}"))),
    )


def _named(self: Maker) -> m.Expr:
    """A channel by name, sometimes missing."""
    branches = tuple((make(self, BOOL, 1), m.Constant(name, TEXT)) for name in self.random.sample(CHANNELS, 2))
    return m.Case(branches, self.random.choice((None, m.Constant("sms", TEXT))), TEXT)


def _message(self: Maker) -> Message:
    money = m.Column("customers", "fine", Decimal(4), False)
    day = m.Column("customers", "since", DATE, False)
    if self.chance(0.3):
        return Message(tuple(Placeholder(each) for each in (LONG, KIND, money)[: self.random.choice((1, 2, 3))]))
    long = "x" * self.random.choice((1, 60, 66, 68, 130))
    return Message((long, Placeholder(money, ".1f"), "😀", Placeholder(day, "%m月%d日"), Placeholder(KIND)))


def _repeat(self: Maker) -> Repeat:
    random = self.random
    period = random.choice(PERIODS)
    return random.choice(
        (Once(), Every(period), Every(period), OnEntry(), OnEntry(period, self.chance(0.5)), OnEntry(None, True))
    )


def _limit(self: Maker) -> Limit:
    random = self.random
    order = random.choice(
        (("money", Decimal(2), True), ("n", INTEGER, True), ("x", NUMBER, True), ("since", DATE, False), None)
    )
    by = None if order is None else Ordering(_column(*order), self.chance(0.5))
    value = random.choice((NAME, KIND, _column("m", INTEGER, False), _column("flag", BOOL, True)))
    per = PerValue(value, random.choice((0, 1, 2, 4)), random.choice(("run", "open tasks", "week")))
    return Limit(random.choice((None, None, 0, 1, 3, 10)), by, random.choice((None, None, per)))


def _budget(self: Maker) -> Budget:
    return Budget(self.random.choice((0, 999, 2000, 5000, 20_000)), self.random.choice(("run", "month", "lifetime")))
