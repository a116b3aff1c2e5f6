"""Capacity, limits and budgets: how much room there is, as constraints on filling.

In: facts, an action, its candidates in the order of filling.  Out: constraints in the order of the stages.  Always:
what the history has used is taken off first; those held out take a place under a limit and of a budget, not of a
person's time; a missing value is a value of its own; money is an integer.

    constraints(rooms, action, rows, channels, costs, held)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from segrules.decide.decisions import total
from segrules.decide.facts import Facts
from segrules.decide.filling import Constraint
from segrules.engine.vector.distinct import factor
from segrules.model.campaign import Action, Capacity
from segrules.model.expr import Column as ColumnOf
from segrules.model.expr import Expr, Lookup, Reference
from segrules.schema.spelling import spelled
from segrules.tables.columns import Bools, Column, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Rooms:
    """`used`: tasks by capacity and person, those of the history and of this run."""

    facts: Facts
    used: dict[str, Counter[str | None]] = field(default_factory=dict)

    def of(self, capacity: Capacity) -> Counter[str | None]:
        if capacity.name not in self.used:
            self.used[capacity.name] = tasks(self.facts, capacity)
        return self.used[capacity.name]

    def count(self, action: Action, rows: Ints, channels: Ints) -> None:
        """The tasks of *rows*, who were selected, take their time from now on."""
        capacity = capacity_of(self.facts, action)
        if capacity is not None:
            own = rows[np.isin(channels, task_channels(self.facts, action))]
            codes, texts = assignees(self.facts, action, own)
            self.of(capacity).update(dict(zip(texts, np.bincount(codes, minlength=len(texts)).tolist(), strict=True)))


def constraints(
    rooms: Rooms, action: Action, rows: Ints, channels: Ints, costs: Ints | None, held: Bools
) -> Iterator[Constraint]:
    """Of the candidates *rows*, on `action.channels[channels]`, at *costs*; *held*: who will be held out.
    Costs matter where there is a budget."""
    facts = rooms.facts
    capacity = capacity_of(facts, action)
    if capacity is not None:
        members = np.flatnonzero(np.isin(channels, task_channels(facts, action)))
        codes, texts = assignees(facts, action, rows[members])
        room = _left(capacity.at_most, rooms.of(capacity), texts)
        yield Constraint("over capacity", members, codes, room, _ones(members), (~held[members]).astype(np.int64))
    limit = action.limit
    if limit.customers is not None:
        yield Constraint("over limit", None, None, np.array([limit.customers]), _ones(rows), _ones(rows))
    if limit.per is not None:
        codes, texts = spelled_values(facts.answers.column(limit.per.value), rows, facts.timezone)
        room = _left(limit.per.at_most, per_so_far(facts, action), texts)
        yield Constraint("over limit", None, codes, room, _ones(rows), _ones(rows))
    if action.budget is not None and costs is not None:
        left = action.budget.total - spent(facts, action)
        room = np.array([max(left, -1)])
        yield Constraint("over budget", None, None, room, costs, costs)


def name_of(assign_to: Expr) -> str | None:
    """What `assign_to:` says, where it is a name: that by which `capacity:` knows it."""
    match assign_to:
        case Reference(name) | ColumnOf(_, name):
            return name
        case Lookup(key, _, name):
            of = name_of(key)
            return None if of is None else f"{of}.{name}"
        case _:
            return None


def capacity_of(facts: Facts, action: Action) -> Capacity | None:
    name = None if action.assign_to is None else name_of(action.assign_to)
    return None if name is None else facts.campaign.policies.capacity.get(name)


def task_channels(facts: Facts, action: Action) -> list[int]:
    """Which of the action's channels are work for a person."""
    channels = facts.campaign.policies.channels
    return [place for place, name in enumerate(action.channels) if channels[name].task]


def assignees(facts: Facts, action: Action, rows: Ints) -> tuple[Ints, Sequence[str | None]]:
    assert action.assign_to is not None
    return spelled_values(facts.answers.column(action.assign_to), rows, facts.timezone)


def tasks(facts: Facts, capacity: Capacity) -> Counter[str | None]:
    """By person the tasks assigned in the calendar period, and older ones still open. A task of an action that there
    is no more counts for whoever has its name."""
    contacts, campaign = facts.history.contacts, facts.campaign
    actions = campaign.actions.values()
    own = {id_ for each in actions if capacity_of(facts, each) == capacity for id_ in (each.id, *each.previously)}
    known = {id_ for each in actions for id_ in (each.id, *each.previously)}
    channels = campaign.policies.channels
    somebody = contacts.assignee >= 0
    is_task = facts.are("channel", {name for name, each in channels.items() if each.task})
    is_task |= somebody & ~facts.are("channel", set(channels))
    counts = facts.sent & ((contacts.day >= facts.first_of(capacity.per)) | contacts.open)
    counts &= (facts.are("action", own) & is_task) | (somebody & ~facts.are("action", known))
    return _counted(contacts.assignee[counts], contacts.texts["assignee"])


def per_so_far(facts: Facts, action: Action) -> Counter[str | None]:
    """By value of `limit: per:` what counts of earlier runs."""
    contacts, per = facts.history.contacts, action.limit.per
    assert per is not None
    own = facts.counting_of(action)
    match per.counting:
        case "run":
            own = own[:0]
        case "week":
            own = own[contacts.day[own] >= facts.first_of("week")]
        case "open tasks":
            own = own[contacts.open[own] & facts.sent[own]]
    return _counted(contacts.per[own], contacts.texts["per"])


def spent(facts: Facts, action: Action) -> int:
    """What earlier runs took of the budget, those held out too."""
    contacts, budget = facts.history.contacts, action.budget
    assert budget is not None
    own = facts.counting_of(action)
    match budget.per:
        case "run":
            own = own[:0]
        case "month":
            own = own[contacts.day[own] >= facts.first_of("month")]
        case "lifetime":
            pass
    return total(contacts.cost[own])


def spelled_values(column: Column, rows: Ints, timezone: str) -> tuple[Ints, Sequence[str | None]]:
    """(code per row, text per code) of the values at *rows*, None for a missing one."""
    chosen = column.take(rows)
    if not len(rows):
        return np.zeros(0, np.int64), ()
    found = factor(chosen)
    texts: list[str | None] = [spelled(value, column.type, timezone) for value in found.values]
    if chosen.missing is None:
        return found.codes, texts
    return np.where(chosen.missing, len(texts), found.codes), [*texts, None]


def _left(at_most: int, used: Counter[str | None], texts: Sequence[str | None]) -> Ints:
    return np.array([at_most - used[text] for text in texts], np.int64)


def _counted(codes: Ints, texts: tuple[str, ...]) -> Counter[str | None]:
    counts = np.bincount(codes + 1, minlength=len(texts) + 1).tolist()
    return Counter(dict(zip((None, *texts), counts, strict=True)))


def _ones(of: Ints) -> Ints:
    return np.ones(len(of), np.int64)
