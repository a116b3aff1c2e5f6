"""The dictionary of customers: a number for every key that the ledger ever saw.

In: keys as text.  Out: ordinals.  Always: ordinals are 0, 1, 2 … in the order in which keys came; one who is forgotten
keeps the number, under a random key, and is never given another: the mark of the key (an HMAC under the ledger's
pepper) tells who that is.

    ordinals(dictionary(connection), ["a", "x"])      # array([0, -1])
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.state import bulk
from segrules.state.records import Bools, Ints
from segrules.state.schema import customers, forgotten

_KEYS = pa.schema([("key", pa.large_string())])


def dictionary(connection: Connection) -> pa.ChunkedArray:
    """Every key, by ordinal."""
    return bulk.read(connection, sa.select(customers.c.key).order_by(customers.c.ordinal), _KEYS).column("key")


def ordinals(known: pa.ChunkedArray, keys: Sequence[str]) -> Ints:
    """The ordinal of each key, -1 for one that the ledger does not know."""
    found = pc.index_in(pa.array(keys, pa.large_string()), value_set=known)
    return np.array(pc.fill_null(found, -1).cast(pa.int64()))


def nobody() -> str:
    """The random key that a forgotten customer gets."""
    return f"forgotten {secrets.token_hex(16)}"


def are_nobody(keys: pa.Array) -> Bools:
    """Which keys are those of forgotten customers."""
    return np.array(pc.match_substring_regex(keys, "^forgotten [0-9a-f]{32}$"), np.bool_)


def mark(pepper: bytes, key: str) -> str:
    """What stays of a forgotten customer: HMAC-SHA256 in hex, of no use without the ledger's pepper."""
    return hmac.digest(pepper, key.encode(), "sha256").hex()


def are_forgotten(connection: Connection, pepper: bytes, keys: Sequence[str], where: Ints) -> Bools:
    """Whether each customer was forgotten. Only a key that is not in the dictionary (*where* is -1) can be."""
    found = np.zeros(len(keys), np.bool_)
    marks = set(connection.scalars(sa.select(forgotten.c.mark)))
    if marks:
        for row in np.flatnonzero(where < 0).tolist():
            found[row] = mark(pepper, keys[row]) in marks
    return found
