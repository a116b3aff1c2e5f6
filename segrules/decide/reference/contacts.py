"""Contacts one at a time: those of the history and of this run in one list.

In: a history.  Out: `Contact`s, found by customer, address, action and person.  Always: a contact of this run counts
from the moment it is decided.

    decider.of_row[17]      # [Contact(action="winback_coupon", …)]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256

from segrules.decide.asked import Answers
from segrules.model.campaign import Action, Channel, Period
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import window
from segrules.schema.spelling import spelled
from segrules.schema.types import Value
from segrules.state.records import CONTACT_STATES, COUNTING, History
from segrules.tables.columns import Column as Values


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact, of the history or of this run (`now`); `held_out` instead of sent."""

    row: int
    action: str
    channel: str
    contact_class: str
    counts: bool
    held_out: bool
    day: int
    serial: int
    cost: int
    address: str | None
    assignee: str | None
    per: str | None
    open: bool
    n: int
    now: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer at their turn. `address` as the ledger has it; the values that limits and capacity count by."""

    action: Action
    channel: Channel
    row: int
    key: str
    address: str | None
    assignee: str | None
    per: str | None
    cost: int


@dataclass(slots=True)
class Decider:
    ruleset: RuleSet
    answers: Answers
    history: History
    as_of: int
    today: int
    fingerprints: Mapping[str, str]
    columns: dict[int, Values] = field(default_factory=dict)
    of_row: defaultdict[int, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    of_address: defaultdict[str, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    of_action: defaultdict[str, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    of_assignee: defaultdict[str | None, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    groups: set[tuple[str, int]] = field(default_factory=set)

    @property
    def timezone(self) -> str:
        return self.ruleset.contracts.timezone

    def add(self, contact: Contact) -> None:
        self.of_row[contact.row].append(contact)
        self.of_action[contact.action].append(contact)
        self.of_assignee[contact.assignee].append(contact)
        if contact.address is not None:
            self.of_address[contact.address].append(contact)

    def value(self, question: Expr, row: int) -> Value:
        if id(question) not in self.columns:
            self.columns[id(question)] = self.answers.column(question)
        return self.columns[id(question)].at(row)

    def spelled(self, question: Expr, row: int) -> str | None:
        value = self.value(question, row)
        return None if value is None else spelled(value, question.type, self.timezone)

    def key(self, row: int) -> str:
        keys = self.answers.results.keys
        return spelled(keys.at(row), keys.type, self.timezone)

    def since(self, period: Period) -> int:
        return window("last", period.amount, period.unit, self.today)[0]


def draw(salt: str, key: str) -> int:
    return int(sha256(f"{salt}\x1f{key}".encode()).hexdigest()[:13], 16)


def in_share(salt: str, key: str, share: Fraction) -> bool:
    return draw(salt, key) < share * 2**52


def past(history: History) -> Iterable[Contact]:
    contacts = history.contacts

    def text(kind: str, place: int) -> str | None:
        code = int(getattr(contacts, kind)[place])
        return None if code < 0 else contacts.texts[kind][code]

    for place in range(len(contacts)):
        state = CONTACT_STATES[contacts.state[place]]
        yield Contact(
            row=int(contacts.row[place]),
            action=text("action", place) or "",
            channel=text("channel", place) or "",
            contact_class=text("contact_class", place) or "",
            counts=state in COUNTING,
            held_out=state == "held_out",
            day=int(contacts.day[place]),
            serial=int(contacts.serial[place]),
            cost=int(contacts.cost[place]),
            address=text("address", place),
            assignee=text("assignee", place),
            per=text("per", place),
            open=bool(contacts.open[place]),
            n=int(contacts.n[place]),
        )
