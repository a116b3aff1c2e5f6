"""Keys, draws and hashes: what makes contacts the same contact and chance the same chance, for ever.

In: ids, salts, customers' keys as text.  Out: contact keys, who is held out, variants, hashes of addresses and texts.
Always: the same on every machine, whatever the order; a draw is `h = int(first 13 hex digits of
SHA-256(salt ‖ 0x1F ‖ key))`, 0 ≤ h < 2^52, and a share takes those with h < share × 2^52, so whoever is in a share
stays in it as it grows.

    held_out("winback_coupon", ["C-1", "C-2"], Fraction(1, 10))      # array([False, True])
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from hashlib import sha256
from itertools import accumulate

import numpy as np

from segrules.schema.spelling import spelled
from segrules.schema.types import Integer, Text
from segrules.tables.columns import Bools, Column, Ints

GLOBAL_SALT = "global"
VARIANT = ":variant"
DRAWS = 2**52
HASH_DIGITS = 32
BLOCK = 64


def contact_key(lineage: str, first_action: str, customer: str, n: int) -> str:
    """The key of the n-th contact of a customer by an action: 32 hexadecimal digits of the SHA-256 of the four parts,
    each in UTF-8 after its length in bytes and a colon."""
    parts = (part.encode() for part in (lineage, first_action, customer, str(n)))
    return sha256(b"".join(b"%d:%b" % (len(part), part) for part in parts)).hexdigest()[:HASH_DIGITS]


def draws(salt: str, keys: Iterable[str]) -> Ints:
    """The draw of every key, 0 … 2^52 - 1."""
    start = f"{salt}\x1f".encode()
    digests = b"".join([sha256(start + key.encode()).digest() for key in keys])
    heads = np.frombuffer(digests, ">u8").reshape(-1, 4)[:, 0]
    return (heads >> np.uint64(12)).astype(np.int64)


def held_out(salt: str, keys: Sequence[str], share: Fraction) -> Bools:
    """Who is held out, by place in *keys*."""
    return draws(salt, keys) < _threshold(share)


def bucket(salt: str, keys: Sequence[str], shares: Sequence[Fraction]) -> Ints:
    """Which of *shares*, which make up the whole, each key falls into: they follow each other in the order written."""
    thresholds = np.array([_threshold(share) for share in accumulate(shares)], np.int64)
    return np.searchsorted(thresholds, draws(salt, keys), side="right").astype(np.int64)


def _threshold(share: Fraction) -> int:
    """The least draw that is not in *share*: h < share × 2^52 for whole h means h < ⌈share × 2^52⌉."""
    return -(-share.numerator * DRAWS // share.denominator)


def normalised(address: str) -> str:
    """The form in which two spellings are one address: NFKC, trimmed, case-folded."""
    if address.isascii():
        return address.strip().lower()
    return unicodedata.normalize("NFKC", address).strip().casefold()


def address_hash(pepper: bytes, address: str) -> str:
    """The HMAC by which the ledger knows an address, whatever its spelling."""
    return address_hashes(pepper, [normalised(address)])[0]


def address_hashes(pepper: bytes, addresses: Iterable[str]) -> list[str]:
    """Those of many, which are normalised."""
    inner, outer = _pads(pepper)
    return [
        sha256(outer + sha256(inner + address.encode()).digest()).hexdigest()[:HASH_DIGITS] for address in addresses
    ]


def payload_hash(pepper: bytes, body: bytes) -> str:
    """The HMAC by which the ledger knows what was sent."""
    return hmac.digest(pepper, body, "sha256").hex()[:HASH_DIGITS]


def _pads(pepper: bytes) -> tuple[bytes, bytes]:
    """The two blocks that HMAC-SHA256 puts before what it hashes (RFC 2104), made once for many."""
    block = (sha256(pepper).digest() if len(pepper) > BLOCK else pepper).ljust(BLOCK, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


def key_texts(keys: Column, timezone: str) -> Callable[[Ints], list[str]]:
    """The keys of customers as the ledger and every hash spell them, by their rows: integers in decimal digits."""
    match keys.type:
        case Text():
            words = keys.dictionary
            return lambda rows: [words[code] for code in keys.values[rows].tolist()]
        case Integer():
            return lambda rows: list(map(str, keys.values[rows].tolist()))
        case _:
            return lambda rows: [spelled(keys.at(row), keys.type, timezone) for row in rows.tolist()]
