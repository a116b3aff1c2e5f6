"""Histories for tests of deciding, from plain records; decisions as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segrules.decide.decisions import Decisions
from segrules.decide.keys import address_hash
from segrules.decide.reference.decide import Outcome
from segrules.model.campaign import STAGES
from segrules.schema.calendar import MICROSECONDS_PER_DAY
from segrules.state.records import (
    CAUSES,
    CONTACT_STATES,
    Cause,
    ContactState,
    History,
    Identity,
    PastContacts,
    Standing,
)  # fmt: skip

PEPPER = b"pepper of the tests"
LEDGER = Identity("lineage-of-the-tests", 7, 1, 1, PEPPER)
_TEXTS = ("action", "channel", "contact_class", "address", "assignee", "per")


@dataclass(frozen=True, slots=True)
class Past:
    """One past contact; `row` -1 for somebody who is not in the run; `address` as written."""

    row: int
    action: str
    channel: str
    day: int
    contact_class: str = "marketing"
    state: ContactState = "delivered"
    serial: int = 1
    n: int = 1
    cost: int = 0
    address: str | None = None
    assignee: str | None = None
    per: str | None = None
    open: bool = False


def history(
    customers: int,
    contacts: Sequence[Past] = (),
    standing: Mapping[str, Standing] | None = None,
    forgotten: Collection[int] = (),
    unsubscribed: Mapping[str, Collection[int]] | None = None,
) -> History:
    """What the ledger would say, customers by row."""
    return History(
        identity=LEDGER,
        forgotten=mask(customers, forgotten),
        unsubscribed={channel: mask(customers, rows) for channel, rows in (unsubscribed or {}).items()},
        contacts=_contacts(contacts),
        standing=standing or {},
    )


def standing(
    customers: int, fingerprint: str, members: Mapping[int, tuple[Cause, int]]
) -> Standing:  # by row: cause and serial of the stay
    found = Standing(fingerprint, mask(customers, members), np.zeros(customers, np.int8), np.zeros(customers, np.int64))
    for row, (cause, since) in members.items():
        found.cause[row], found.since[row] = CAUSES.index(cause), since
    return found


def mask(customers: int, rows: Collection[int]) -> np.ndarray:
    found = np.zeros(customers, np.bool_)
    found[list(rows)] = True
    return found


def _contacts(contacts: Sequence[Past]) -> PastContacts:
    def ints(values: list[int]) -> np.ndarray:
        return np.array(values, np.int64)

    codes, texts = {}, {}
    for kind in _TEXTS:
        said = [getattr(each, kind) for each in contacts]
        if kind == "address":
            said = [None if each is None else address_hash(PEPPER, each) for each in said]
        texts[kind] = tuple(dict.fromkeys(each for each in said if each is not None))
        codes[kind] = ints([-1 if each is None else texts[kind].index(each) for each in said])
    return PastContacts(
        row=ints([each.row for each in contacts]),
        state=ints([CONTACT_STATES.index(each.state) for each in contacts]),
        at=ints([each.day * MICROSECONDS_PER_DAY for each in contacts]),
        day=ints([each.day for each in contacts]),
        serial=ints([each.serial for each in contacts]),
        n=ints([each.n for each in contacts]),
        cost=ints([each.cost for each in contacts]),
        open=np.array([each.open for each in contacts], np.bool_),
        texts=texts,
        **codes,
    )


def outcomes(decisions: Decisions) -> dict[str, dict[int, Outcome]]:
    """By action id and row, what `decide.reference` gives."""
    found = {}
    for one in decisions.actions:
        action = one.action
        found[action.id] = {
            int(row): Outcome(
                STAGES[one.stage[place]],
                None if one.channel[place] < 0 else action.channels[one.channel[place]],
                None if one.variant[place] < 0 else action.variants[one.variant[place]].name,
                int(one.cost[place]),
                int(one.n[place]),
            )
            for place, row in enumerate(one.rows)
        }
    return found
