"""What a plan says, as plain JSON values and as one digest.

In: frozen dataclasses of texts, numbers, tuples and mappings.  Out: JSON values and back, held to the types of the
fields; `plan_id`.  Always: a value read back equals the one that was written; the digest covers every value that
`apply` will use, not the bytes of a file, so nothing can differ under one id.

    read_as(Waterfall, plain(waterfall)) == waterfall
"""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from segrules.plan.document import Manifest
from segrules.state.records import Members, NewBatch, NewContact

FORMAT_VERSION = 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


class Malformed(ValueError):
    """A value that is not what its place takes; says where, never what."""


def plain(value: object) -> Any:
    """*value* as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value


def read_as(kind: Any, value: object, where: str = "") -> Any:
    """The value of type *kind* that *value* writes. Raises `Malformed`."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(parts, value, where)
    if is_dataclass(kind):
        return _record(kind, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(read_as(parts[0], each, f"{where}[{at}]") for at, each in enumerate(value))
    if origin is Mapping and isinstance(value, dict):
        return {read_as(parts[0], key, where): read_as(parts[1], each, f"{where}.{key}") for key, each in value.items()}
    if kind is object or (origin is Literal and value in parts) or type(value) is kind:
        return value
    raise Malformed(where or "manifest")


def _one_of(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    for kind in kinds:
        if kind is not type(None):
            try:
                return read_as(kind, value, where)
            except Malformed:
                continue
    raise Malformed(where)


def _record(kind: Any, value: object, where: str) -> Any:
    hints = hints_of(kind)
    if not isinstance(value, dict) or set(value) != set(hints):
        raise Malformed(where or kind.__name__)
    return kind(**{name: read_as(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})


@cache
def hints_of(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, in their order."""
    found = get_type_hints(kind)
    return {each.name: found[each.name] for each in fields(kind)}


def plan_id(manifest: Manifest, contacts: Sequence[NewContact], batches: Sequence[NewBatch], members: Members) -> str:
    """The SHA-256 of everything that a plan says, as 64 hex digits."""
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)

    add(b"segplan", str(FORMAT_VERSION).encode(), spelled(plain(manifest)), spelled(plain(tuple(batches))))
    for name in hints_of(NewContact):
        add(name.encode(), spelled([getattr(each, name) for each in contacts]))
    add(spelled(list(members.keys)))
    for each in members.names:
        add(spelled([each.name, each.fingerprint, list(each.previously)]), np.packbits(each.members).tobytes())
    return digest.hexdigest()


def spelled(value: Any) -> bytes:
    """The one spelling of a JSON value."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")
