"""Addresses: which customers share one, and which were reached at it before.

In: the answers to the addresses of channels, past contacts.  Out: a code per customer and channel.  Always: two
addresses are one if their normalised forms are equal; the ledger's hashes are made only for addresses that are asked
about, and only if the history has any.

    addresses.codes["sms"][row]      # 17, or -1 where there is none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segrules.decide.asked import Answers
from segrules.decide.keys import address_hash, normalised
from segrules.engine.vector.distinct import factor
from segrules.model.campaign import Channel
from segrules.model.expr import Expr
from segrules.schema.spelling import spelled
from segrules.schema.types import Text
from segrules.tables.columns import Bools, Column, Ints

UNASKED = -2


@dataclass(frozen=True, slots=True, eq=False)
class Addresses:
    """`codes`: by channel, per customer the code of the normalised address, -1 for none; channels that need no address
    are not in it. `shared`: by channel, per customer whether another one has the same. `texts`: normalised, by code.
    `past`: per code that of the same address in the history, -1 for none, `UNASKED` until somebody asks."""

    codes: Mapping[str, Ints]
    shared: Mapping[str, Bools]
    texts: list[str]
    past: Ints

    def known(self, codes: Ints, pepper: bytes, history: Mapping[str, int]) -> Ints:
        """For each of *codes* the code of the same address in the history, -1 for none; *history* by hash."""
        if not history:
            return np.full(len(codes), -1, np.int64)
        unasked = np.unique(codes[self.past[codes] == UNASKED])
        texts = self.texts
        self.past[unasked] = [history.get(address_hash(pepper, texts[code]), -1) for code in unasked.tolist()]
        return self.past[codes]


def needs_address(channel: Channel) -> bool:
    """Whether nobody can be reached without one: not for work for a person, nor where there is nothing to ask for."""
    return channel.address is not None and not channel.task


def addresses(channels: Sequence[Channel], answers: Answers, timezone: str) -> Addresses:
    """Those of every channel that needs one; channels with the same expression share its codes."""
    places: dict[str, int] = {}
    found: dict[Expr, Ints] = {}
    codes: dict[str, Ints] = {}
    for channel in channels:
        if needs_address(channel):
            assert channel.address is not None
            if channel.address not in found:
                found[channel.address] = _codes(answers.column(channel.address), timezone, places)
            codes[channel.name] = found[channel.address]
    shared = {each: _shared(own, len(places)) for each, own in found.items()}
    by_channel = {each.name: shared[each.address] for each in channels if each.name in codes and each.address}
    return Addresses(codes, by_channel, list(places), np.full(len(places), UNASKED, np.int64))


def _codes(column: Column, timezone: str, places: dict[str, int]) -> Ints:
    """The code of each customer's address, new ones added to *places*; one that is empty is none."""
    if isinstance(column.type, Text):
        own, texts = column.values, list(map(normalised, column.dictionary))
    else:
        distinct = factor(column)
        own, texts = distinct.codes, [normalised(spelled(value, column.type, timezone)) for value in distinct.values]
    coded = np.array([places.setdefault(text, len(places)) if text else -1 for text in texts] or [-1], np.int64)
    found: Ints = coded[own]
    return found if column.missing is None else np.where(column.missing, -1, found)


def _shared(codes: Ints, size: int) -> Bools:
    counts = np.bincount(codes + 1, minlength=size + 1)
    counts[0] = 0
    found: Bools = counts[codes + 1] > 1
    return found
