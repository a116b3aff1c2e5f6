"""Who gets what: every action of a campaign, stage by stage, over the results of a run.

In: a rule set, its results (of `asked`), the history, the planning clock.  Out: `Decisions`.  Always: actions are
decided wholly one after another, the highest priority first; everyone who matches an action passes the stages in the
order of `STAGES` and stands at the first that stops them; the order of rows, chunks and threads changes nothing.

    results = evaluate_existing(asked(ruleset), existing, as_of)
    decide(ruleset, results, history, planned_at).of("winback_coupon").counts
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segrules.decide.asked import Answers
from segrules.decide.caps import Caps, caps
from segrules.decide.costs import costs
from segrules.decide.decisions import CODES, HELD_OUT, SELECTED, Decision, Decisions, Stages
from segrules.decide.eligibility import Eligibility, eligibility, reached
from segrules.decide.facts import Facts, facts_of
from segrules.decide.filling import fill
from segrules.decide.keys import GLOBAL_SALT, VARIANT, bucket, held_out
from segrules.decide.limits import Rooms, capacity_of, constraints
from segrules.decide.recorded import memberships, recorded
from segrules.decide.repeat import contacts_so_far, repeated
from segrules.engine.results import Results
from segrules.engine.vector.build import doubles, ints
from segrules.engine.vector.distinct import text_ranks
from segrules.model.campaign import Action, Campaign, Stage
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import local_day
from segrules.schema.types import Number, Text
from segrules.state.records import History
from segrules.tables.columns import Bools, Column, Ints

__all__ = ["decide", "memberships", "recorded"]

UNDRAWN = -1


def decide(ruleset: RuleSet, results: Results, history: History, planned_at: int) -> Decisions:
    """What becomes of everyone who matches an action. *results* are those of `asked(ruleset)`, *history* is by row of
    them; *planned_at* in microseconds UTC."""
    campaign, timezone = ruleset.campaign, ruleset.contracts.timezone
    today = local_day(planned_at, timezone)
    fingerprints = {name: fingerprint for name, _, fingerprint in recorded(ruleset)}
    run = _begun(facts_of(campaign, timezone, results, history, today, fingerprints))
    decided = tuple(_decided(run, action) for action in in_turn(campaign))
    return Decisions(results.as_of, planned_at, today, timezone, campaign, results, history, decided)


def in_turn(campaign: Campaign) -> list[Action]:
    """The actions in the order in which they are decided."""
    return sorted(campaign.actions.values(), key=lambda action: (-action.priority, action.id))


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """What the actions share, and what those decided so far have used up. `globally`: who is in the global hold-out,
    `UNDRAWN` until somebody asks. `groups`: who has an action of it."""

    facts: Facts
    eligibility: Eligibility
    caps: Caps
    rooms: Rooms
    globally: NDArray[np.int8]
    groups: dict[str, Bools] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Those who are still there, in the order of filling: places in the rows of the decision, rows, channels."""

    places: Ints
    rows: Ints
    channels: Ints

    def where(self, chosen: Bools) -> _Line:
        return self if chosen.all() else _Line(self.places[chosen], self.rows[chosen], self.channels[chosen])


def _begun(facts: Facts) -> _Run:
    history = facts.history
    found = eligibility(facts.campaign, facts.answers, history.forgotten, history.unsubscribed, facts.timezone)
    undrawn = np.full(facts.customers, UNDRAWN, np.int8)
    return _Run(facts, found, caps(facts, found.addresses), Rooms(facts), undrawn)


def _decided(run: _Run, action: Action) -> Decision:
    facts = run.facts
    rows = np.flatnonzero(facts.answers.truth(action.when)[0])
    order = filling_order(facts.answers, action, rows)
    if is_active(action, facts.as_of):
        stage, channel = reached(run.eligibility, action, rows)
    else:
        stage, channel = np.full(len(rows), CODES["inactive action"], np.uint8), np.full(len(rows), -1, np.int16)
    there = order[stage[order] == SELECTED]
    line = _Line(there, rows[there], channel[there].astype(np.int64))

    def drop(name: Stage, out: Bools) -> None:
        nonlocal line
        stage[line.places[out]] = CODES[name]
        line = line.where(~out)

    drop("duplicate address", _duplicates(run, action, line))
    drop("global hold-out", _globally_held_out(run, line))
    repeats, by_no_data = repeated(facts, action, line.rows)
    waiting = int(by_no_data.sum())
    drop("repeat", repeats)
    drop("group", _taken(run, action)[line.rows])
    drop("cap", run.caps.over(action, line.rows, line.channels))
    cost = np.zeros(len(rows), np.int64)
    stage[line.places], cost[line.places] = _filled(run, action, line)
    decided = (stage == SELECTED) | (stage == HELD_OUT)
    n = np.zeros(len(rows), np.int64)
    n[decided] = 1 + contacts_so_far(facts, action, rows[decided])
    return Decision(action, rows, stage, channel, _variants(facts, action, rows, stage), cost, n, order, waiting)


def is_active(action: Action, day: int) -> bool:
    """Whether *day* lies in `active:`, both ends included."""
    after = action.active_from is None or day >= action.active_from
    return after and (action.active_until is None or day <= action.active_until)


def filling_order(answers: Answers, action: Action, rows: Ints) -> Ints:
    """Places in *rows* in the order of `order_by`: missing values last, ties by key, which is the order of rows."""
    ordering = action.limit.order_by
    if ordering is None:
        return np.arange(len(rows))
    column = answers.column(ordering.value).take(rows)
    order = np.argsort(_ranks(column, ordering.descending), kind="stable")
    if column.missing is None:
        return order
    absent = column.missing[order]
    return np.concatenate([order[~absent], order[absent]])


def _ranks(column: Column, descending: bool) -> NDArray[np.generic]:
    """Numbers in the order of the values."""
    match column.type:
        case Number():
            return -doubles(column) if descending else doubles(column)
        case Text():
            ranks: Ints = text_ranks(column.dictionary or ("",))[column.values]
            return ~ranks if descending else ranks
        case _:
            return ~ints(column) if descending else ints(column)


def _duplicates(run: _Run, action: Action, line: _Line) -> Bools:
    """Whoever shares an address on the channel with somebody before them."""
    out = np.zeros(len(line.rows), np.bool_)
    found = run.eligibility.addresses
    for place, name in enumerate(action.channels):
        if name in found.codes:
            here = np.flatnonzero((line.channels == place) & found.shared[name][line.rows])
            _, first = np.unique(found.codes[name][line.rows[here]], return_index=True)
            out[np.delete(here, first)] = True
    return out


def _globally_held_out(run: _Run, line: _Line) -> Bools:
    facts, drawn = run.facts, run.globally
    share = facts.campaign.policies.global_holdout
    if not share:
        return np.zeros(len(line.rows), np.bool_)
    undrawn = line.rows[drawn[line.rows] == UNDRAWN]
    drawn[undrawn] = held_out(GLOBAL_SALT, facts.key_texts(undrawn), share)
    found: Bools = drawn[line.rows] == 1
    return found


def _taken(run: _Run, action: Action) -> Bools:
    """Who has an action of the group, or would have if they were not held out of it."""
    nobody = np.zeros(run.facts.customers, np.bool_)
    return nobody if action.group is None else run.groups.setdefault(action.group, nobody)


def _filled(run: _Run, action: Action, line: _Line) -> tuple[Stages, Ints]:
    """(stage, cost) of everyone in the line, 0 for those who get no contact; what they take is used up."""
    facts = run.facts
    drawn_first = bool(action.holdout) and (
        capacity_of(facts, action) is not None or (len(action.channels) > 1 and bool(run.caps.tallies))
    )
    nobody = np.zeros(len(line.rows), np.bool_)
    held = _held_out(facts, action, line.rows) if drawn_first else nobody
    cost = costs(facts, action, line.rows, line.channels) if action.budget is not None else None
    fits, stage = fill(
        len(line.rows),
        [
            *run.caps.among(action, line.rows, line.channels, held),
            *constraints(run.rooms, action, line.rows, line.channels, cost, held),
        ],
    )
    if cost is None:
        cost = np.zeros(len(line.rows), np.int64)
        cost[fits] = costs(facts, action, line.rows[fits], line.channels[fits])
    if action.holdout and not drawn_first:
        held = nobody
        held[fits] = _held_out(facts, action, line.rows[fits])
    stage[fits & held] = HELD_OUT
    selected = stage == SELECTED
    run.caps.count(action, line.rows[selected], line.channels[selected])
    run.rooms.count(action, line.rows[selected], line.channels[selected])
    _taken(run, action)[line.rows[fits]] = True
    return stage, np.where(fits, cost, 0)


def _held_out(facts: Facts, action: Action, rows: Ints) -> Bools:
    return held_out(action.salt, facts.key_texts(rows), action.holdout)


def _variants(facts: Facts, action: Action, rows: Ints, stage: Stages) -> NDArray[np.int16]:
    """Which variant each of the selected gets."""
    found = np.full(len(rows), -1, np.int16)
    if action.variants:
        selected = np.flatnonzero(stage == SELECTED)
        shares = [variant.share for variant in action.variants]
        found[selected] = bucket(f"{action.salt}{VARIANT}", facts.key_texts(rows[selected]), shares)
    return found
