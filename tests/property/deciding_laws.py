"""What must hold of decisions, counted anew from who was selected and what the history has; and the same in disguise.

In: rules, decisions.  Out: assertions.  Always: nothing here uses the stages of `decide`: contacts are plain tuples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from segrules.decide.asked import questions
from segrules.decide.decisions import CODES, HELD_OUT, SELECTED, Decision, Decisions
from segrules.decide.filling import Constraint
from segrules.decide.keys import address_hash
from segrules.engine.results import Results
from segrules.model.campaign import Action, Campaign
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import first_of, window
from segrules.schema.spelling import spelled
from segrules.schema.types import Text
from segrules.state.records import CONTACT_STATES, History
from segrules.tables.columns import Column, Loaded, Tables


@dataclass(frozen=True, slots=True)
class Counted:
    row: int
    action: str
    channel: str
    contact_class: str
    state: str
    day: int
    cost: int
    address: str | None
    assignee: str | None
    per: str | None
    open: bool
    now: bool


def permitted(rules: RuleSet, found: Decisions, one: Decision) -> bool:
    """Whether everyone with a contact may have it: no suppression but FALSE, consent TRUE, an address."""
    policies = rules.campaign.policies
    for place in np.flatnonzero((one.stage == SELECTED) | (one.stage == HELD_OUT)).tolist():
        row = int(one.rows[place])
        channel = policies.channels[one.action.channels[one.channel[place]]]
        assert all(found.answers.column(each.when).at(row) is False for each in policies.suppress)
        consent = channel.consent.get(one.action.contact_class)
        assert consent is None or found.answers.column(consent).at(row) is True
        if channel.address is not None and not channel.task:
            assert str(found.answers.column(channel.address).at(row) or "").strip()
        if one.action.contact_class == "marketing" and channel.name in found.history.unsubscribed:
            assert not found.history.unsubscribed[channel.name][row]
        assert not found.history.forgotten[row]
    return True


def check_bounds(rules: RuleSet, found: Decisions) -> None:
    """No bound is exceeded by what this run adds, whatever earlier runs did."""
    counting = [each for each in contacts(rules, found) if each.state not in ("rejected", "cancelled")]
    sent = [each for each in counting if each.state != "held_out"]
    for cap in rules.campaign.policies.caps:
        first = window("last", cap.period.amount, cap.period.unit, found.today)[0]
        covered = [
            each
            for each in sent
            if each.day >= first
            and (cap.channels is None or each.channel in cap.channels)
            and (cap.classes is None or each.contact_class in cap.classes)
        ]
        check(covered, lambda each: each.row if each.row >= 0 else None, cap.at_most)
        check(covered, lambda each: each.address, cap.at_most)
    for action in rules.campaign.actions.values():
        own = [each for each in counting if each.action in (action.id, *action.previously)]
        new, limit = [each for each in own if each.now], action.limit
        assert limit.customers is None or len(new) <= limit.customers
        assert len({each.row for each in new}) == len(new)
        addressed = [(each.channel, each.address) for each in new if each.address is not None]
        assert len(set(addressed)) == len(addressed)
        if limit.per is not None:
            monday = first_of(found.today, "week")
            of_week = limit.per.counting == "week"
            open_too = limit.per.counting == "open tasks"
            counted = [
                each
                for each in own
                if each.now or (of_week and each.day >= monday) or (open_too and each.open and each.state != "held_out")
            ]
            check(counted, lambda each: each.per or "missing", limit.per.at_most)
        if action.budget is not None and any(each.cost for each in new):
            begin = {"run": None, "month": first_of(found.today, "month"), "lifetime": -(10**9)}[action.budget.per]
            paid = [each for each in own if each.now or (begin is not None and each.day >= begin)]
            assert sum(each.cost for each in paid) <= action.budget.total
    groups = Counter(
        (group, each.row)
        for each in counting
        if each.now and (group := rules.campaign.actions[each.action].group) is not None
    )
    assert max(groups.values(), default=0) <= 1


def check(counted: list[Counted], key: object, at_most: int) -> None:
    """At most so many for each key to which this run added some."""
    assert callable(key)
    counts = Counter(key(each) for each in counted)
    for each in {key(each) for each in counted if each.now} - {None}:
        assert counts[each] <= at_most


def contacts(rules: RuleSet, found: Decisions) -> Iterator[Counted]:
    """Those of the history, and of this run."""
    past = found.history.contacts

    def said(kind: str, place: int) -> str | None:
        code = int(getattr(past, kind)[place])
        return None if code < 0 else past.texts[kind][code]

    for place in range(len(past)):
        yield Counted(
            int(past.row[place]), said("action", place) or "", said("channel", place) or "",
            said("contact_class", place) or "", CONTACT_STATES[past.state[place]], int(past.day[place]),
            int(past.cost[place]), said("address", place), said("assignee", place), said("per", place),
            bool(past.open[place]), False,
        )  # fmt: skip
    for one in found.actions:
        action = one.action
        for place in np.flatnonzero((one.stage == SELECTED) | (one.stage == HELD_OUT)).tolist():
            row = int(one.rows[place])
            channel = rules.campaign.policies.channels[action.channels[one.channel[place]]]

            def value(question: object, row: int = row) -> str | None:
                if question is None:
                    return None
                column = found.answers.column(question)  # type: ignore[arg-type]
                return None if column.at(row) is None else spelled(column.at(row), column.type, found.timezone)

            address = None if channel.task else value(channel.address)
            per = None if action.limit.per is None else value(action.limit.per.value)
            yield Counted(
                row, action.id, channel.name, action.contact_class,
                "reserved" if one.stage[place] == SELECTED else "held_out", found.today, int(one.cost[place]),
                None if address is None else address_hash(found.history.identity.pepper, address),
                value(action.assign_to), per, channel.task, True,
            )  # fmt: skip


def shuffled(random: Random, tables: Tables) -> Tables:
    """The same tables with other dictionaries; customers stand in key order anyway."""
    loaded = {}
    for name, table in tables.tables.items():
        columns = {each: _recoded(random, column) for each, column in table.columns.items()}
        loaded[name] = Loaded(name, table.rows, columns, table.parent, table.references, table.place)
    return replace(tables, tables=loaded)


def _recoded(random: Random, column: Column) -> Column:
    if not isinstance(column.type, Text) or not column.dictionary:
        return column
    order = list(range(len(column.dictionary)))
    random.shuffle(order)
    place = np.argsort(order)
    values = place[column.values].astype(np.int32)
    if column.missing is not None:
        values[column.missing] = 0
    return Column(column.type, values, column.missing, tuple(column.dictionary[each] for each in order))


def shuffled_past(random: Random, history: History) -> History:
    past = history.contacts
    order = np.array(random.sample(range(len(past)), len(past)), np.int64)
    arrays = {
        name: getattr(past, name)[order] for name in past.__dataclass_fields__ if name != "texts"
    }  # fmt: skip
    return replace(history, contacts=type(past)(**arrays, texts=past.texts))


def alone(rules: RuleSet, action: Action) -> RuleSet:
    return replace(rules, campaign=Campaign({action.id: action}, rules.campaign.policies))


def under_new_names(before: RuleSet, after: RuleSet, results: Results) -> Results:
    """*results* with the questions of *before* under the names that *after* has for them."""
    old, new = questions(before.campaign), questions(after.campaign)
    names = [(old[value].name, each.name) for value, each in new.items()]
    return replace(
        results,
        segments={to: results.segments[name] for name, to in names if name in results.segments},
        values={to: results.values[name] for name, to in names if name in results.values},
    )


def constraint(random: Random, count: int) -> Constraint:
    members = None
    size = count
    if random.random() < 0.3:
        members = np.array([place for place in range(count) if random.random() < 0.6], np.int64)
        size = len(members)
    kinds = random.choice((1, 1, 3, 20))
    keys = None if kinds == 1 else np.array([random.randrange(kinds) for _ in range(size)], np.int64)
    top = random.choice((1, 1, 5, 1000, 2**61))
    need = np.array([random.randrange(0 if top > 1 else 1, top + 1) for _ in range(size)], np.int64)
    use = need * np.array([random.random() < 0.7 for _ in range(size)], np.int64) if random.random() < 0.4 else need
    room = np.array(
        [random.randrange(-1, 1 + min(top * random.choice((1, 3, 20)), 2**62)) for _ in range(kinds)], np.int64
    )
    return Constraint(
        random.choice(("cap", "over capacity", "over limit", "over budget")), members, keys, room, need, use
    )


def filled(count: int, constraints: list[Constraint]) -> tuple[list[bool], list[int]]:
    """One after another."""
    left = [each.room.tolist() for each in constraints]
    fits, stages = [], []
    for place in range(count):
        parts = []
        for which, each in enumerate(constraints):
            at = place if each.members is None else int(np.searchsorted(each.members, place))
            if each.members is not None and (at >= len(each.members) or each.members[at] != place):
                continue
            parts.append((which, 0 if each.keys is None else int(each.keys[at]), int(each.need[at]), int(each.use[at])))
        full = [which for which, key, need, _ in parts if need > left[which][key]]
        if not full:
            for which, key, _, use in parts:
                left[which][key] -= use
        fits.append(not full)
        stages.append(CODES[constraints[full[0]].stage] if full else SELECTED)
    return fits, stages
