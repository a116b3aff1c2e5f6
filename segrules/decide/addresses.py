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
import pyarrow as pa
import pyarrow.compute as pc

from segrules.decide.asked import Answers
from segrules.decide.keys import address_hashes, normalised
from segrules.engine.vector.distinct import factor
from segrules.model.campaign import Channel
from segrules.model.expr import Expr
from segrules.schema.spelling import spelled
from segrules.schema.types import Text
from segrules.tables.columns import Bools, Column, Ints

UNASKED = -2
WHITE = " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"
"""What `str.strip` takes off an ASCII text."""


@dataclass(frozen=True, slots=True, eq=False)
class Addresses:
    """`codes`: by channel, per customer the code of the normalised address, -1 for none; channels that need no address
    are not in it. `shared`: by channel, per customer whether another one has the same. `texts`: normalised, by code.
    `past`: per code that of the same address in the history, -1 for none, `UNASKED` until somebody asks."""

    codes: Mapping[str, Ints]
    shared: Mapping[str, Bools]
    texts: pa.Array
    past: Ints

    def known(self, codes: Ints, pepper: bytes, history: Mapping[str, int]) -> Ints:
        """For each of *codes* the code of the same address in the history, -1 for none; *history* by hash."""
        if not history:
            return np.full(len(codes), -1, np.int64)
        unasked = np.unique(codes[self.past[codes] == UNASKED])
        hashes = address_hashes(pepper, self.texts.take(pa.array(unasked)).to_pylist())
        self.past[unasked] = [history.get(each, -1) for each in hashes]
        return self.past[codes]


def needs_address(channel: Channel) -> bool:
    """Whether nobody can be reached without one: not for work for a person, nor where there is nothing to ask for."""
    return channel.address is not None and not channel.task


def addresses(channels: Sequence[Channel], answers: Answers, timezone: str) -> Addresses:
    """Those of every channel that needs one; channels with the same expression share its codes."""
    asked = {channel.name: channel.address for channel in channels if needs_address(channel) and channel.address}
    columns = {each: _texts(answers.column(each), timezone) for each in asked.values()}
    every = pa.concat_arrays([texts for _, texts, _ in columns.values()] or [pa.array([], pa.large_string())])
    coded = every.dictionary_encode()
    code = np.where(np.asarray(pc.equal(every, "")), -1, np.asarray(coded.indices).astype(np.int64))
    found: dict[Expr, Ints] = {}
    start = 0
    for each, (own, texts, missing) in columns.items():
        found[each] = np.append(code[start : start + len(texts)], -1)[np.where(missing, -1, own)]
        start += len(texts)
    shared = {each: _shared(own, len(coded.dictionary)) for each, own in found.items()}
    return Addresses(
        {name: found[each] for name, each in asked.items()},
        {name: shared[each] for name, each in asked.items()},
        coded.dictionary,
        np.full(len(coded.dictionary), UNASKED, np.int64),
    )


def _texts(column: Column, timezone: str) -> tuple[Ints, pa.Array, Bools]:
    """(code per customer, normalised text per code, where there is none)."""
    missing = np.zeros(len(column), np.bool_) if column.missing is None else column.missing
    if isinstance(column.type, Text):
        return column.values.astype(np.int64), _normalised(column.dictionary), missing
    distinct = factor(column)
    return distinct.codes, _normalised([spelled(each, column.type, timezone) for each in distinct.values]), missing


def _normalised(texts: Sequence[str]) -> pa.Array:
    """Every text as `normalised` has it; the many plain ones at once."""
    array = pa.array(texts, pa.large_string())
    quick = pc.ascii_lower(pc.utf8_trim(array, characters=WHITE))
    others = pc.invert(pc.string_is_ascii(array))
    if not pc.any(others).as_py():
        return quick
    slow = pa.array([normalised(text) for text in array.filter(others).to_pylist()], pa.large_string())
    return pc.replace_with_mask(quick, others, slow)


def _shared(codes: Ints, size: int) -> Bools:
    counts = np.bincount(codes + 1, minlength=size + 1)
    counts[0] = 0
    found: Bools = counts[codes + 1] > 1
    return found
