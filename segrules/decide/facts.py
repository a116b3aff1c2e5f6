"""What deciding starts from: answers, history and clock, in the shapes that the stages ask for.

In: a campaign, its answers, the history.  Out: `Facts`.  Always: rows are customers of the run in key order; the
history is seen by the planning clock, whatever the date of the run; contacts of every earlier name of an action are
contacts of the action.

    facts.contacts_of(action)      # places in history.contacts that use up a repeat
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import numpy as np

from segrules.decide.asked import Answers, answers
from segrules.decide.keys import key_texts
from segrules.engine.results import Results
from segrules.model.campaign import Action, Campaign, Period
from segrules.schema.calendar import Unit, first_of, window
from segrules.state.records import CONTACT_STATES, COUNTING, History
from segrules.tables.columns import Bools, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """`today`: the local day of the planning clock. `key_texts`: the keys of customers by their rows. `fingerprints`:
    by recorded name. `counting`, `sent`: contacts that use up a repeat; those of them that were not held out.
    `by_action`: places of contacts, once somebody asks."""

    campaign: Campaign
    timezone: str
    answers: Answers
    history: History
    as_of: int
    today: int
    key_texts: Callable[[Ints], list[str]]
    fingerprints: dict[str, str]
    counting: Bools
    sent: Bools
    by_action: dict[str, Ints] = field(default_factory=dict)

    @property
    def customers(self) -> int:
        return self.answers.customers

    def first_day(self, period: Period) -> int:
        """The first day of `in last N unit`, today included."""
        return window("last", period.amount, period.unit, self.today)[0]

    def first_of(self, unit: Unit) -> int:
        """The first day of the calendar unit around today."""
        return first_of(self.today, unit)

    def contacts_of(self, action: Action) -> Ints:
        """Places of the contacts of *action*, under any of its names, that were not cancelled."""
        if not self.by_action:
            contacts = self.history.contacts
            self.by_action.update(_places_by_code(contacts.action, contacts.texts["action"]))
        found = [self.by_action[name] for name in {action.id, *action.previously} if name in self.by_action]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def counting_of(self, action: Action) -> Ints:
        """Those of them that use up a repeat."""
        found = self.contacts_of(action)
        return found[self.counting[found]]

    def are(self, kind: str, names: Collection[str]) -> Bools:
        """Which past contacts have one of *names* as their *kind* (channel, contact_class …)."""
        contacts = self.history.contacts
        wanted = [name in names for name in contacts.texts[kind]]
        codes: Ints = getattr(contacts, kind)
        return np.array([*wanted, False])[codes]


def facts_of(
    campaign: Campaign, timezone: str, results: Results, history: History, today: int, fingerprints: dict[str, str]
) -> Facts:
    """What the stages start from; *today* by the planning clock."""
    contacts = history.contacts
    return Facts(
        campaign=campaign,
        timezone=timezone,
        answers=answers(campaign, results),
        history=history,
        as_of=results.as_of,
        today=today,
        key_texts=key_texts(results.keys, timezone),
        fingerprints=fingerprints,
        counting=_states(contacts.state, held_out=True),
        sent=_states(contacts.state, held_out=False),
    )


def _states(contacts: Ints, held_out: bool) -> Bools:
    """Which contacts, given their states, count; whether those held out do."""
    kept = COUNTING if held_out else COUNTING - {"held_out"}
    return np.array([state in kept for state in CONTACT_STATES])[contacts]


def _places_by_code(codes: Ints, names: tuple[str, ...]) -> dict[str, Ints]:
    """For each name the places that have its code."""
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return {name: order[edges[code] : edges[code + 1]] for code, name in enumerate(names)}
