"""Repeat, caps, capacity, limits, budgets, costs: each asked of one customer at their turn.

In: the contacts so far, a candidate.  Out: yes or no, a count, an amount.  Always: one function per rule, written as
the rule is told.

    repeats(decider, candidate)      # True: has had it
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import assert_never

from segrules.decide.recorded import action_name
from segrules.decide.reference.contacts import Candidate, Contact, Decider, in_share
from segrules.model.campaign import Action, Cap, Capacity, Channel, Every, Once, OnEntry, Placeholder
from segrules.model.expr import Column, Expr, Lookup, Reference
from segrules.schema.calendar import first_of
from segrules.schema.formats import formatted
from segrules.state.records import CAUSES


def over_limit(self: Decider, one: Candidate) -> bool:
    limit, contacts = one.action.limit, own(self, one.action)
    if limit.customers is not None and sum(each.now for each in contacts) >= limit.customers:
        return True
    if limit.per is None:
        return False
    per, monday = limit.per, first_of(self.today, "week")

    def counted(each: Contact) -> bool:
        week = per.counting == "week" and each.day >= monday
        tasks = per.counting == "open tasks" and each.open and not each.held_out
        return each.now or week or tasks

    return sum(each.per == one.per and counted(each) for each in contacts) >= per.at_most


def over_budget(self: Decider, one: Candidate) -> bool:
    budget = one.action.budget
    if budget is None:
        return False
    begin = first_of(self.today, "month")

    def counted(each: Contact) -> bool:
        return each.now or budget.per == "lifetime" or (budget.per == "month" and each.day >= begin)

    spent = sum(each.cost for each in own(self, one.action) if counted(each))
    return spent + one.cost > budget.total


def over_capacity(self: Decider, one: Candidate) -> bool:
    limit = capacity(self, one.action)
    return limit is not None and one.channel.task and tasks(self, limit, one.assignee) >= limit.at_most


def capped(self: Decider, one: Candidate) -> bool:
    return any(over_cap(self, cap, one) for cap in self.ruleset.campaign.policies.caps)


def own(self: Decider, action: Action) -> list[Contact]:
    """Contacts of the action, under any of its names, that use up a repeat."""
    names = {action.id, *action.previously}
    return [each for name in names for each in self.of_action[name] if each.counts]


def of_customer(self: Decider, action: Action, row: int) -> list[Contact]:
    """The customer's contacts of the action in earlier runs that were not cancelled."""
    names = {action.id, *action.previously}
    return [each for each in self.of_row[row] if each.action in names and not each.now]


def number(self: Decider, one: Candidate) -> int:
    """The number of the next contact."""
    contacts = of_customer(self, one.action, one.row)
    return 1 + max([len(contacts), *(each.n for each in contacts)])


def repeats(self: Decider, one: Candidate) -> bool:
    action, row = one.action, one.row
    own = [each for each in of_customer(self, action, row) if each.counts]
    match action.repeat:
        case Once():
            return bool(own)
        case Every(period):
            return any(each.day >= self.since(period) for each in own)
        case OnEntry(at_most, existing):
            if at_most is not None and any(each.day >= self.since(at_most) for each in own):
                return True
            name = action_name(action)
            standing = self.history.standing.get(name)
            if standing is None:
                return not existing
            if standing.members[row]:
                by_data = CAUSES[standing.cause[row]] == "data"
                return any(each.serial >= standing.since[row] for each in own) or not (by_data or existing)
            return not existing and standing.fingerprint != self.fingerprints[name]
        case _:
            assert_never(action.repeat)


def over_cap(self: Decider, cap: Cap, one: Candidate) -> bool:
    def covers(name: str, contact_class: str) -> bool:
        return (cap.channels is None or name in cap.channels) and (cap.classes is None or contact_class in cap.classes)

    def used(contacts: Iterable[Contact]) -> int:
        first = self.since(cap.period)
        return sum(
            each.counts and not each.held_out and each.day >= first and covers(each.channel, each.contact_class)
            for each in contacts
        )

    if not covers(one.channel.name, one.action.contact_class):
        return False
    at_address = [] if one.address is None else self.of_address[one.address]
    return used(self.of_row[one.row]) >= cap.at_most or used(at_address) >= cap.at_most


def capacity(self: Decider, action: Action) -> Capacity | None:
    def name(expr: Expr | None) -> str | None:
        match expr:
            case Reference(own) | Column(_, own):
                return own
            case Lookup(key, _, own):
                return f"{name(key)}.{own}"
            case _:
                return None

    return self.ruleset.campaign.policies.capacity.get(name(action.assign_to) or "")


def tasks(self: Decider, limit: Capacity, assignee: str | None) -> int:
    """What a person has of this calendar period, and older tasks still open."""
    campaign = self.ruleset.campaign
    begin = first_of(self.today, limit.per)
    by_id = {id_: action for action in campaign.actions.values() for id_ in (action.id, *action.previously)}
    used = 0
    for each in self.of_assignee[assignee]:
        if not each.counts or each.held_out or not (each.day >= begin or each.open):
            continue
        action, channel = by_id.get(each.action), campaign.policies.channels.get(each.channel)
        if action is None:
            used += assignee is not None
        elif capacity(self, action) == limit:
            used += assignee is not None if channel is None else channel.task
    return used


def cost(self: Decider, action: Action, channel: Channel, row: int) -> int:
    parts = 1
    if channel.billed_by_part and action.message is not None:
        text = ""
        for part in action.message.parts:
            match part:
                case Placeholder(value, format_):
                    text += formatted(self.value(value, row), value.type, format_, self.timezone)
                case str():
                    text += part
        length = len(text.encode("utf-16-le")) // 2
        parts = 1 if length <= 70 else -(-length // 67)
    return action.cost + channel.cost * parts


def variant(action: Action, key: str) -> str | None:
    shares = accumulate(variant.share for variant in action.variants)
    for variant, share in zip(action.variants, shares, strict=True):
        if in_share(f"{action.salt}:variant", key, share):
            return variant.name
    return None
