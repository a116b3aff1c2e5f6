"""Who is in, as bits: the form in which the ledger keeps a million memberships.

In: booleans by ordinal, or the serials with which stays began.  Out: bytes, and back.  Always: bit 0 of byte 0 is
ordinal 0; who came later than the bytes is not in; the bytes are zlib.

    unpacked(packed(np.array([True, False])), 3)      # array([True, False, False])
"""

from __future__ import annotations

import zlib

import numpy as np

from segrules.state.records import Bools, Ints

_LEVEL = 1


def packed(members: Bools) -> bytes:
    return zlib.compress(np.packbits(members, bitorder="little").tobytes(), _LEVEL)


def unpacked(stored: bytes, count: int) -> Bools:
    """Booleans of *count* ordinals."""
    found = np.unpackbits(np.frombuffer(zlib.decompress(stored), np.uint8), bitorder="little")[:count]
    members = np.zeros(count, np.bool_)
    members[: len(found)] = found.view(np.bool_)
    return members


def packed_stays(serials: Ints) -> bytes:
    """The serials of those who are in, by ordinal."""
    return zlib.compress(serials.astype("<i4").tobytes(), _LEVEL)


def unpacked_stays(stored: bytes) -> Ints:
    return np.frombuffer(zlib.decompress(stored), "<i4").astype(np.int64)
