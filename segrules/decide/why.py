"""Why one customer gets an action, or at which stage they drop out, with the figures of their turn.

In: decisions, an action, a customer's row.  Out: `Words` of the catalogue.  Always: the stage is the one that was
decided; the figures are those that stood at the customer's turn; nothing private, and nothing of another customer.

    why(decisions, "winback_coupon", 17)      # Words("decided.cap", {"used": 3, "at_most": 3, …})
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from segrules.decide.addresses import needs_address
from segrules.decide.caps import Tally, caps
from segrules.decide.costs import costs
from segrules.decide.decisions import HELD_OUT, SELECTED, Decision, Decisions, Stages, total
from segrules.decide.eligibility import Eligibility, channel_stage, eligibility
from segrules.decide.facts import Facts, facts_of
from segrules.decide.limits import (
    Rooms,
    assignees,
    capacity_of,
    per_so_far,
    spelled_values,
    spent,
)  # fmt: skip
from segrules.decide.recorded import action_name
from segrules.decide.repeat import stays
from segrules.diagnostics.diagnostic import Argument, Words
from segrules.model.campaign import STAGES, Action, Every, Once, OnEntry, Period, Stage
from segrules.schema.calendar import to_date
from segrules.schema.values import money
from segrules.state.records import CAUSES
from segrules.tables.columns import Bools, Ints


def why(decisions: Decisions, action_id: str, row: int) -> Words:
    """Raises `LookupError` for an action that there is not."""
    decision = decisions.of(action_id)
    place = int(np.searchsorted(decision.rows, row))
    if place >= len(decision.rows) or decision.rows[place] != row:
        _, unknown = decisions.answers.truth(decision.action.when)
        return Words("decided.unknown" if unknown is not None and unknown[row] else "decided.not matched")
    facts = facts_of(decisions.campaign, decisions.timezone, decisions.results, decisions.history, decisions.today, {})
    return _Turn(decisions, decision, facts, row, place).words(STAGES[decision.stage[place]])


@dataclass(frozen=True, slots=True)
class _Turn:
    """A customer (`row`, at `place` of the decision) whose stage is to be told."""

    decisions: Decisions
    decision: Decision
    facts: Facts
    row: int
    place: int

    @property
    def action(self) -> Action:
        return self.decision.action

    @property
    def rows(self) -> Ints:
        return np.array([self.row])

    @property
    def channel(self) -> str:
        return self.action.channels[int(self.decision.channel[self.place])]

    def words(self, stage: Stage) -> Words:
        match stage:
            case "inactive action":
                return self._inactive()
            case "suppressed" | "suppression unknown":
                return self._suppressed(stage)
            case "no consent" | "consent unknown" | "no address":
                channels = ", ".join(self._channels_at(stage))
                return Words(f"decided.{stage}", {"channels": channels}) if channels else Words("decided.no channel")
            case "duplicate address":
                return Words("decided.duplicate address", {"channel": self.channel})
            case "global hold-out":
                return Words(f"decided.{stage}", {"share": _percent(self.facts.campaign.policies.global_holdout)})
            case "action hold-out":
                return Words(f"decided.{stage}", {"share": _percent(self.action.holdout)})
            case "repeat":
                return self._repeat()
            case "group":
                return self._group()
            case "cap":
                return self._cap()
            case "over capacity":
                return self._over_capacity()
            case "over limit":
                return self._over_limit()
            case "over budget":
                return self._over_budget()
            case "selected":
                return self._selected()
            case "forgotten":
                return Words("decided.forgotten")

    def _inactive(self) -> Words:
        begin, end = self.action.active_from, self.action.active_until
        if begin is not None and self.facts.as_of < begin:
            return Words("decided.not yet", {"date": _date(begin)})
        assert end is not None
        return Words("decided.no more", {"date": _date(end)})

    def _suppressed(self, stage: Stage) -> Words:
        for suppression in self.facts.campaign.policies.suppress:
            true, unknown = self.facts.answers.truth(suppression.when)
            if true[self.row] if stage == "suppressed" else unknown is not None and unknown[self.row]:
                return Words(f"decided.{stage}", {"text": suppression.text})
        return Words("decided.unsubscribed", {"channels": ", ".join(self._channels_at("suppressed"))})

    def _channels_at(self, stage: Stage) -> Iterator[str]:
        """Those of the action's channels, or the one that the customer is to have, that came to *stage*."""
        found = self._eligibility()
        by = self.action.channel_by
        named = None if by is None else self.facts.answers.column(by).at(self.row)
        for name in self.action.channels:
            channel = found.campaign.policies.channels[name]
            own = channel_stage(found, channel, self.action.contact_class)[self.row]
            if STAGES[own] == stage and (by is None or named == name):
                yield name

    def _eligibility(self) -> Eligibility:
        facts = self.facts
        history = facts.history
        return eligibility(facts.campaign, facts.answers, history.forgotten, history.unsubscribed, facts.timezone)

    def _repeat(self) -> Words:
        contacts, repeat = self.facts.history.contacts, self.action.repeat
        own = self.facts.counting_of(self.action)
        own = own[contacts.row[own] == self.row]
        last = _date(int(contacts.day[own].max())) if len(own) else ""
        match repeat:
            case Once():
                return Words("decided.once", {"date": last})
            case Every(period):
                return Words("decided.every", {"date": last, "period": _period(period)})
            case OnEntry(at_most):
                began, _ = stays(self.facts, self.action, self.rows)
                if (contacts.serial[own] >= began[0]).any():
                    return Words("decided.in this stay", {"date": last})
                if at_most is not None and (contacts.day[own] >= self.facts.first_day(at_most)).any():
                    return Words("decided.every", {"date": last, "period": _period(at_most)})
                return Words(f"decided.{self._cause()}")

    def _cause(self) -> str:
        """Why the stay is none to answer, which did not begin by data."""
        standing = self.facts.history.standing.get(action_name(self.action))
        if standing is None or (standing.members[self.row] and standing.cause[self.row] == CAUSES.index("baseline")):
            return "known before"
        return "by rule"

    def _group(self) -> Words:
        for one in self._earlier():
            if one.action.group == self.action.group and self.row in one.rows[_has(one)]:
                return Words("decided.group", {"group": self.action.group or "", "action": one.action.id})
        raise AssertionError("somebody of the group comes before")

    def _cap(self) -> Words:
        addresses = self._eligibility().addresses
        found = caps(self.facts, addresses)
        for one in self._earlier():
            chosen = one.stage == SELECTED
            found.count(one.action, one.rows[chosen], one.channel[chosen].astype(np.int64))
        before = self._before() & (self.decision.stage == SELECTED)
        found.count(self.action, self.decision.rows[before], self.decision.channel[before].astype(np.int64))

        def told(tally: Tally, used: int, key: str) -> Words | None:
            at_most = tally.cap.at_most
            if used < at_most:
                return None
            return Words(f"decided.{key}", {"used": used, "at_most": at_most, "period": _period(tally.cap.period)})

        for tally in found.tallies:
            if tally.covers(self.action, self.channel):
                words = told(tally, int(tally.of_customer[self.row]), "cap")
                if words is None and needs_address(self.facts.campaign.policies.channels[self.channel]):
                    code = addresses.codes[self.channel][self.rows]
                    words = told(tally, int(found.at(tally, code)[0]), "cap at address")
                if words is not None:
                    return words
        raise AssertionError("some cap is reached")

    def _over_capacity(self) -> Words:
        capacity = capacity_of(self.facts, self.action)
        assert capacity is not None
        rooms = Rooms(self.facts)
        for one in [*self._earlier(), self.decision]:
            chosen = one.stage == SELECTED
            if one is self.decision:
                chosen &= self._before()
            rooms.count(one.action, one.rows[chosen], one.channel[chosen].astype(np.int64))
        code, texts = assignees(self.facts, self.action, self.rows)
        used, per = rooms.of(capacity)[texts[code[0]]], Words(f"decided.{capacity.per}")
        args: dict[str, Argument] = {"name": capacity.name, "used": used, "at_most": capacity.at_most, "per": per}
        return Words("decided.over capacity", args)

    def _over_limit(self) -> Words:
        limit = self.action.limit
        before = self._before() & _has(self.decision)
        if limit.customers is not None and before.sum() >= limit.customers:
            return Words("decided.over limit", {"at_most": limit.customers})
        assert limit.per is not None
        column = self.facts.answers.column(limit.per.value)
        code, texts = spelled_values(column, self.rows, self.facts.timezone)
        own = texts[code[0]]
        codes, others = spelled_values(column, self.decision.rows[before], self.facts.timezone)
        used = per_so_far(self.facts, self.action)[own] + sum(others[each] == own for each in codes.tolist())
        counting = Words(f"decided.{limit.per.counting}")
        return Words("decided.over limit of value", {"used": used, "at_most": limit.per.at_most, "counting": counting})

    def _over_budget(self) -> Words:
        budget = self.action.budget
        assert budget is not None
        before = self._before() & _has(self.decision)
        left = budget.total - spent(self.facts, self.action) - total(self.decision.cost[before])
        channels = self.decision.channel[self.place : self.place + 1].astype(np.int64)
        cost = int(costs(self.facts, self.action, self.rows, channels)[0])
        per = Words(f"decided.{budget.per}")
        left = max(left, 0)
        args: dict[str, Argument] = {"cost": money(cost), "left": money(left), "total": money(budget.total), "per": per}
        return Words("decided.over budget", args)

    def _selected(self) -> Words:
        args = {"channel": self.channel, "cost": money(int(self.decision.cost[self.place]))}
        variant = self.decision.variant[self.place]
        if variant < 0:
            return Words("decided.selected", args)
        return Words("decided.selected variant", {**args, "variant": self.action.variants[variant].name})

    def _earlier(self) -> Iterator[Decision]:
        """The actions that were decided before."""
        for one in self.decisions.actions:
            if one is self.decision:
                return
            yield one

    def _before(self) -> Bools:
        """Who of the decision came before in the order of filling."""
        turn = np.empty(len(self.decision.order), np.int64)
        turn[self.decision.order] = np.arange(len(turn))
        found: Bools = turn < turn[self.place]
        return found


def _has(one: Decision) -> Bools:
    """Who got a contact, or would have if they were not held out."""
    stage: Stages = one.stage
    found: Bools = (stage == SELECTED) | (stage == HELD_OUT)
    return found


def _period(period: Period) -> Words:
    return Words(f"plan.{period.unit}", {"n": period.amount})


def _date(day: int) -> str:
    return to_date(day).isoformat()


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.10g}%"
