"""Caps: at most so many contacts of one customer, and of one address, in a window that ends today.

In: facts, addresses.  Out: how many count for each cap, kept up to date as actions are decided.  Always: contacts of
the history and of this run count, whatever became of the customer or the action since, but not those held out;
contacts of somebody who is not in the run count for their address.

    caps.over(action, rows, channels)      # who has no contact left
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segrules.decide.addresses import Addresses
from segrules.decide.facts import Facts
from segrules.decide.filling import Constraint
from segrules.model.campaign import Action, Cap
from segrules.tables.columns import Bools, Ints


@dataclass(slots=True, eq=False)
class Tally:
    """What counts for one cap: `of_customer` by row, `of_address` by code, in the history (`past`, by its codes) and
    in this run."""

    cap: Cap
    of_customer: Ints
    past: Ints
    of_address: Ints

    def covers(self, action: Action, channel: str) -> bool:
        """Whether a contact of *action* on *channel* counts."""
        cap = self.cap
        return (cap.channels is None or channel in cap.channels) and (
            cap.classes is None or action.contact_class in cap.classes
        )


@dataclass(frozen=True, slots=True, eq=False)
class Caps:
    """Every cap. `hashes`: codes of the history's addresses that count for some cap, by hash."""

    tallies: tuple[Tally, ...]
    addresses: Addresses
    pepper: bytes
    hashes: dict[str, int]

    def over(self, action: Action, rows: Ints, channels: Ints) -> Bools:
        """Who of *rows*, on `action.channels[channels]`, has no contact left."""
        out = np.zeros(len(rows), np.bool_)
        for place, name in enumerate(action.channels):
            tallies = [tally for tally in self.tallies if tally.covers(action, name)]
            if tallies:
                here = np.flatnonzero(channels == place)
                for tally in tallies:
                    out[here] |= self.left(tally, name, rows[here]) <= 0
        return out

    def among(self, action: Action, rows: Ints, channels: Ints, held: Bools) -> Iterator[Constraint]:
        """What the candidates *rows* leave each other, who may share an address on several channels; *held*: who will
        be held out, and so counts for nobody."""
        if len(action.channels) == 1:
            return
        for tally in self.tallies:
            codes = np.full(len(rows), -1, np.int64)
            for place, name in enumerate(action.channels):
                if tally.covers(action, name) and name in self.addresses.codes:
                    here = channels == place
                    codes[here] = self.addresses.codes[name][rows[here]]
            members = np.flatnonzero(codes >= 0)
            distinct, keys = np.unique(codes[members], return_inverse=True)
            if len(distinct) < len(members):
                room = tally.cap.at_most - self.at(tally, distinct)
                need = np.ones(len(members), np.int64)
                yield Constraint("cap", members, keys, room, need, (~held[members]).astype(np.int64))

    def at(self, tally: Tally, codes: Ints) -> Ints:
        """How many contacts of addresses count."""
        known = self.addresses.known(codes, self.pepper, self.hashes)
        return tally.of_address[codes] + np.where(known < 0, 0, tally.past[known])

    def left(self, tally: Tally, channel: str, rows: Ints) -> Ints:
        """How many contacts on *channel* each of *rows* has left."""
        used = tally.of_customer[rows]
        if channel in self.addresses.codes:
            used = np.maximum(used, self.at(tally, self.addresses.codes[channel][rows]))
        return tally.cap.at_most - used

    def count(self, action: Action, rows: Ints, channels: Ints) -> None:
        """The contacts of *rows*, who were selected, count from now on."""
        for tally in self.tallies:
            for place, name in enumerate(action.channels):
                if tally.covers(action, name):
                    own = rows[channels == place]
                    tally.of_customer[own] += 1
                    if name in self.addresses.codes:
                        np.add.at(tally.of_address, self.addresses.codes[name][own], 1)


def caps(facts: Facts, addresses: Addresses) -> Caps:
    """Every cap of the policies with what the history has for it."""
    contacts = facts.history.contacts
    texts = contacts.texts["address"]
    some = np.zeros(max(len(texts), 1) + 1, np.bool_)
    tallies = []
    for cap in facts.campaign.policies.caps:
        counts = facts.sent & (contacts.day >= facts.first_day(cap.period))
        if cap.channels is not None:
            counts &= facts.are("channel", cap.channels)
        if cap.classes is not None:
            counts &= facts.are("contact_class", cap.classes)
        of_customer = np.bincount(contacts.row[counts] + 1, minlength=facts.customers + 1)[1:]
        past = np.bincount(contacts.address[counts] + 1, minlength=len(some))[1:]
        some[1:] |= past > 0
        of_address = np.zeros(max(len(addresses.past), 1), np.int64)
        tallies.append(Tally(cap, of_customer.astype(np.int64), past.astype(np.int64), of_address))
    hashes = {texts[code]: code for code in np.flatnonzero(some[1:]).tolist()}
    return Caps(tuple(tallies), addresses, facts.history.identity.pepper, hashes)
