"""The selected customers once more, as the data and the ledger have them now: step RE-READ of the protocol.

In: a plan, a fresh evaluation on the plan's date, what the ledger knows of its customers now.  Out: the contacts of the
plan, some of them cancelled with a reason, and the bytes that go out for the others.  Always: nobody is added and
nothing is ranked anew; only who is still not suppressed, still consents, and gets the same words at the same address is
left; a reason tells what kind of thing changed, never a value.

    reread(plan, ruleset, answers, history, now).contacts
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfoNotFoundError

import numpy as np

from segrules.decide.asked import Answers
from segrules.decide.eligibility import Eligibility, eligibility, reached
from segrules.decide.keys import address_hashes, key_texts, normalised, payload_hash
from segrules.model.campaign import STAGES, Action, Channel
from segrules.model.ruleset import RuleSet
from segrules.plan.document import Plan
from segrules.plan.payloads import bodies, texts
from segrules.plan.quiet import Quiet, quiet_until
from segrules.schema.calendar import zone
from segrules.state.records import History, NewContact, Payload
from segrules.tables.columns import Ints

GONE = "no longer a customer"
ADDRESS_CHANGED = "address changed"
PAYLOAD_CHANGED = "payload changed"
"""Reasons of a cancelled contact, beside the stages of a waterfall."""


@dataclass(frozen=True, slots=True)
class Reread:
    """`contacts` as in the plan, in its order."""

    contacts: tuple[NewContact, ...]
    payloads: tuple[Payload, ...]


def reread(plan: Plan, ruleset: RuleSet, answers: Answers, history: History, now: int) -> Reread:
    """*answers* are those of `asked(ruleset)` on the plan's date; *history* is by row of them; *now* in
    microseconds."""
    timezone, campaign = ruleset.contracts.timezone, ruleset.campaign
    able = eligibility(campaign, answers, history.forgotten, history.unsubscribed, timezone)
    rows = _rows(answers, timezone, {each.customer for each in plan.contacts})
    actions = {each.first_id: each for each in campaign.actions.values()}
    found: dict[str, NewContact] = {}
    payloads: dict[str, Payload] = {}
    for (first_id, name), group in _together(plan.contacts).items():
        here = [each for each in group if each.customer in rows]
        at = np.array([rows[each.customer] for each in here], np.int64)
        fresh = _Fresh(ruleset, answers, able, actions[first_id], campaign.policies.channels[name], history, now)
        found |= {each.key: _cancelled(each, GONE) for each in group if each.customer not in rows}
        for contact, payload in fresh.read(here, at):
            found[contact.key] = contact
            if payload is not None:
                payloads[contact.key] = payload
    contacts = tuple(found.get(each.key, each) for each in plan.contacts)
    return Reread(contacts, tuple(payloads[each.key] for each in contacts if each.key in payloads))


@dataclass(frozen=True, slots=True, eq=False)
class _Fresh:
    """One action on one channel, as it is now."""

    ruleset: RuleSet
    answers: Answers
    able: Eligibility
    action: Action
    channel: Channel
    history: History
    now: int

    def read(self, contacts: Sequence[NewContact], at: Ints) -> Iterable[tuple[NewContact, Payload | None]]:
        if not contacts:
            return
        timezone, pepper = self.ruleset.contracts.timezone, self.history.identity.pepper
        alone = replace(self.action, channels=(self.channel.name,), channel_by=None)
        stages, _ = reached(self.able, alone, at)
        addresses = texts(self.answers, self.channel.address, at, timezone)
        made = bodies(
            self.answers, timezone, self.action, self.channel, at,
            [each.customer for each in contacts], [each.key for each in contacts],
            [each.variant for each in contacts], contacts[0].due,
        )  # fmt: skip
        zones = self._zones(at)
        some = iter(address_hashes(pepper, [normalised(each) for each in addresses if each is not None]))
        hashes = [None if each is None else next(some) for each in addresses]
        for contact, stage, hashed, body, place in zip(contacts, stages.tolist(), hashes, made, zones, strict=True):
            if STAGES[stage] != "selected":
                yield _cancelled(contact, STAGES[stage]), None
            elif hashed != contact.address:
                yield _cancelled(contact, ADDRESS_CHANGED), None
            elif payload_hash(pepper, body) != contact.payload:
                yield _cancelled(contact, PAYLOAD_CHANGED), None
            else:
                yield contact, Payload(contact.key, contact.batch or "", body, self._not_before(place), place)

    def _zones(self, at: Ints) -> Sequence[str | None]:
        """By which zone each customer sleeps; the project's where the customer's own is none."""
        hours, timezone = self.channel.quiet_hours, self.ruleset.contracts.timezone
        if hours is None:
            return [None] * len(at)
        default = hours.zone or timezone
        named = texts(self.answers, hours.zone_of, at, timezone)
        return [name if name is not None and _is_zone(name) else default for name in named]

    def _not_before(self, place: str | None) -> int | None:
        hours = self.channel.quiet_hours
        if hours is None or place is None:
            return None
        return quiet_until(Quiet(hours.start, hours.end), place, self.now)


def _rows(answers: Answers, timezone: str, wanted: set[str]) -> dict[str, int]:
    every = key_texts(answers.results.keys, timezone)(np.arange(answers.customers))
    return {key: row for row, key in enumerate(every) if key in wanted}


def _together(contacts: Iterable[NewContact]) -> dict[tuple[str, str], list[NewContact]]:
    """Those who are to be contacted, by action and channel."""
    found: dict[tuple[str, str], list[NewContact]] = {}
    for each in contacts:
        if each.state == "reserved":
            found.setdefault((each.action, each.channel), []).append(each)
    return found


def _cancelled(contact: NewContact, reason: str) -> NewContact:
    return replace(contact, state="cancelled", reason=reason)


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
