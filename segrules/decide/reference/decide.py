"""Deciding, row at a time: plain Python, the executable form of docs/deciding.md.

In: what `decide` takes.  Out: per action what becomes of each customer who matches it.  Always: every stage is asked
of one customer after the other, in the order of the stages; no speed.

    one_by_one(ruleset, results, history, planned_at)["winback_coupon"][17].stage      # "cap"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segrules.decide.asked import answers
from segrules.decide.keys import address_hash, normalised
from segrules.decide.recorded import recorded
from segrules.decide.reference.contacts import Candidate, Contact, Decider, in_share, past
from segrules.decide.reference.rules import (
    capped,
    cost,
    number,
    over_budget,
    over_capacity,
    over_limit,
    repeats,
    variant,
)
from segrules.engine.results import Results
from segrules.model.campaign import Action, Channel, Stage
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import local_day
from segrules.state.records import History


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one customer; `channel` and `variant` by name, None for none; `cost` and `n` of those who get
    a contact."""

    stage: Stage
    channel: str | None = None
    variant: str | None = None
    cost: int = 0
    n: int = 0


def one_by_one(
    ruleset: RuleSet, results: Results, history: History, planned_at: int
) -> Mapping[str, Mapping[int, Outcome]]:
    """By action id, by row, everyone for whom `for` is TRUE."""
    decider = Decider(
        ruleset,
        answers(ruleset.campaign, results),
        history,
        results.as_of,
        local_day(planned_at, ruleset.contracts.timezone),
        {name: fingerprint for name, _, fingerprint in recorded(ruleset)},
    )
    for contact in past(history):
        decider.add(contact)
    turn = sorted(ruleset.campaign.actions.values(), key=lambda action: (-action.priority, action.id))
    return {action.id: _decided(decider, action) for action in turn}


def _decided(self: Decider, action: Action) -> dict[int, Outcome]:
    rows = [row for row in range(self.answers.customers) if self.value(action.when, row) is True]
    found: dict[int, Outcome] = {}
    addresses: set[tuple[str, str]] = set()
    for row in _in_order(self, action, rows):
        stage, channel = _barred(self, action, row)
        if channel is not None:
            address = _address(self, channel, row)
            if address is not None and (channel.name, address) in addresses:
                stage = "duplicate address"
            elif address is not None:
                addresses.add((channel.name, address))
        if channel is None or stage != "selected":
            found[row] = Outcome(stage, None if channel is None else channel.name)
            continue
        found[row] = _turn(self, action, channel, row)
    return found


def _in_order(self: Decider, action: Action, rows: list[int]) -> list[int]:
    ordering = action.limit.order_by
    if ordering is None:
        return rows
    values = {row: self.value(ordering.value, row) for row in rows}
    there = [row for row in rows if values[row] is not None]
    there.sort(key=values.__getitem__, reverse=ordering.descending)  # type: ignore[arg-type]
    return [*there, *(row for row in rows if values[row] is None)]


def _barred(self: Decider, action: Action, row: int) -> tuple[Stage, Channel | None]:
    """The stage from "inactive action" to "no address", or "selected" and the channel that reaches."""
    policies = self.ruleset.campaign.policies
    before = action.active_from is not None and self.as_of < action.active_from
    after = action.active_until is not None and self.as_of > action.active_until
    if before or after:
        return "inactive action", None
    if self.history.forgotten[row]:
        return "forgotten", None
    truths = [self.value(suppression.when, row) for suppression in policies.suppress]
    if True in truths:
        return "suppressed", None
    if action.channel_by is None:
        names = list(action.channels)
    else:
        named = self.value(action.channel_by, row)
        names = [name for name in action.channels if name == named]
    came_to: list[Stage] = [_of_channel(self, action, policies.channels[name], row) for name in names]
    order: list[Stage] = ["suppressed", "no consent", "consent unknown", "no address", "selected"]
    furthest: Stage = max(came_to, key=order.index) if came_to else "no address"
    if furthest == "suppressed":
        return "suppressed", None
    if None in truths:
        return "suppression unknown", None
    if furthest != "selected":
        return furthest, None
    return "selected", policies.channels[names[came_to.index("selected")]]


def _of_channel(self: Decider, action: Action, channel: Channel, row: int) -> Stage:
    gone = self.history.unsubscribed.get(channel.name)
    if action.contact_class == "marketing" and gone is not None and gone[row]:
        return "suppressed"
    if action.contact_class in channel.consent:
        consent = self.value(channel.consent[action.contact_class], row)
        if consent is not True:
            return "no consent" if consent is False else "consent unknown"
    if channel.address is not None and not channel.task and not _address(self, channel, row):
        return "no address"
    return "selected"


def _address(self: Decider, channel: Channel, row: int) -> str | None:
    """The normalised address, perhaps empty; None where there is none or none is needed."""
    if channel.address is None or channel.task:
        return None
    text = self.spelled(channel.address, row)
    return None if text is None else normalised(text)


def _turn(self: Decider, action: Action, channel: Channel, row: int) -> Outcome:
    """What becomes of one who can be reached, at their turn; a contact is remembered."""
    address = _address(self, channel, row)
    one = Candidate(
        action=action,
        channel=channel,
        row=row,
        key=self.key(row),
        address=None if address is None else address_hash(self.history.identity.pepper, address),
        assignee=None if action.assign_to is None else self.spelled(action.assign_to, row),
        per=None if action.limit.per is None else self.spelled(action.limit.per.value, row),
        cost=cost(self, action, channel, row),
    )
    stage = _stopped(self, one)
    if stage is not None:
        return Outcome(stage, channel.name)
    held_out = in_share(action.salt, one.key, action.holdout)
    n = number(self, one)
    if action.group is not None:
        self.groups.add((action.group, row))
    self.add(
        Contact(row, action.id, channel.name, action.contact_class, True, held_out, self.today, 0, one.cost,
                one.address, one.assignee, one.per, channel.task and not held_out, n, now=True)
    )  # fmt: skip
    if held_out:
        return Outcome("action hold-out", channel.name, None, one.cost, n)
    return Outcome("selected", channel.name, variant(action, one.key), one.cost, n)


def _stopped(self: Decider, one: Candidate) -> Stage | None:
    """The first stage from "global hold-out" to "over budget" that stops them."""
    if in_share("global", one.key, self.ruleset.campaign.policies.global_holdout):
        return "global hold-out"
    if repeats(self, one):
        return "repeat"
    if one.action.group is not None and (one.action.group, one.row) in self.groups:
        return "group"
    if capped(self, one):
        return "cap"
    if over_capacity(self, one):
        return "over capacity"
    if over_limit(self, one):
        return "over limit"
    if over_budget(self, one):
        return "over budget"
    return None
