"""The ``.segplan`` file: a plan that can be looked at, approved and carried to where it is applied.

In: a `Plan`, a path; or a path.  Out: the file, whole or not there at all; or the plan.  Always: mode 0600; a zip
without compression of exactly the entries below, so that it says its own size; nothing in it is ever executed; what is
read has the `plan_id` that it names, or is refused.

    write(plan, Path("plan.segplan")); read(Path("plan.segplan")).plan_id == plan.plan_id
"""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.effects import Effect, directly
from segrules.errors import SegrulesError, WrongUsage
from segrules.plan.content import FORMAT_VERSION, Malformed, hints_of, plain, plan_id, read_as, spelled
from segrules.plan.document import Manifest, Plan
from segrules.source import NOWHERE
from segrules.state.records import MemberChange, Members, NewBatch, NewContact

ENDING = ".segplan"
MANIFEST, CONTACTS, CUSTOMERS, MEMBERS = "manifest.json", "contacts.parquet", "customers.parquet", "members.parquet"
ENTRIES = (MANIFEST, CONTACTS, CUSTOMERS, MEMBERS)
MAX_MANIFEST = 64 << 20
MAX_GROWTH = 100
"""How many times the size of the file a Parquet entry may take once it is unpacked, beside `FREE_GROWTH`."""
FREE_GROWTH = 64 << 20

_ARROW = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
_MEMBERS = pa.schema(
    [
        pa.field("name", pa.string(), False),
        pa.field("fingerprint", pa.string(), False),
        pa.field("previously", pa.list_(pa.field("element", pa.string(), False)), False),
        pa.field("bits", pa.binary(), False),
    ]
)
_CUSTOMERS = pa.schema([pa.field("key", pa.string(), False)])


def write(plan: Plan, path: Path, effect: Effect = directly) -> None:
    """Write *plan*, replacing an earlier file. Raises `WrongUsage`, `SegrulesError`."""
    check_target(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
                _pack(plan, stream)
                stream.flush()
                effect("plan.sync", partial(os.fsync, stream.fileno()))
            effect("plan.rename", partial(part.replace, path))
        finally:
            part.unlink(missing_ok=True)
    except OSError as refused:
        raise SegrulesError([Diagnostic("P925", NOWHERE, {"file": path.name, "reason": reason(refused)})]) from None


def check_target(path: Path) -> None:
    """Whether a plan can be written to *path*. Raises `WrongUsage`."""
    shown = {"file": path.as_posix()}
    if path.suffix != ENDING:
        raise WrongUsage([Diagnostic("P924", NOWHERE, shown, Help("ending", {"file": f"{path.stem}{ENDING}"}))])
    if not path.absolute().parent.is_dir():
        raise WrongUsage([Diagnostic("C912", NOWHERE, shown, Help("make", {"folder": path.parent.as_posix()}))])
    if path.is_dir():
        raise WrongUsage([Diagnostic("P925", NOWHERE, {**shown, "reason": Words("system.is_folder")})])


def _pack(plan: Plan, stream: Any) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as packed:
        for name, data in (
            (MANIFEST, spelled(_said(plan))),
            (CONTACTS, _parquet(_contacts(plan.contacts))),
            (CUSTOMERS, _parquet(pa.table([pa.array(plan.members.keys, pa.string())], schema=_CUSTOMERS))),
            (MEMBERS, _parquet(_members(plan.members))),
        ):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, data)


def _said(plan: Plan) -> dict[str, Any]:
    return {
        "format": "segplan",
        "format_version": FORMAT_VERSION,
        "plan_id": plan.plan_id,
        "manifest": plain(plan.manifest),
        "batches": plain(plan.batches),
    }


def _contact_schema() -> pa.Schema:
    columns = []
    for name, hint in hints_of(NewContact).items():
        kinds = get_args(hint)
        of = next((each for each in (*kinds, hint) if each in _ARROW), str)
        columns.append(pa.field(name, _ARROW[of], type(None) in kinds))
    return pa.schema(columns)


def _contacts(contacts: Sequence[NewContact]) -> pa.Table:
    schema = _contact_schema()
    return pa.table(
        [pa.array([getattr(one, each.name) for one in contacts], each.type) for each in schema], schema=schema
    )


def _members(members: Members) -> pa.Table:
    columns = [
        [each.name for each in members.names],
        [each.fingerprint for each in members.names],
        [list(each.previously) for each in members.names],
        [np.packbits(each.members).tobytes() for each in members.names],
    ]
    return pa.table([pa.array(v, each.type) for v, each in zip(columns, _MEMBERS, strict=True)], schema=_MEMBERS)


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def read(path: Path) -> Plan:
    """The plan in *path*. Raises `SegrulesError` for a file that is none, is damaged or was made by a newer version."""
    said, parts = _entries(path)
    try:
        plan = _plan(said, parts)
    except (Malformed, pa.ArrowException, OSError, UnicodeError, OverflowError, MemoryError):
        _refuse(path, "P922")
    if plan_id(plan.manifest, plan.contacts, plan.batches, plan.members) != plan.plan_id or not _adds_up(plan):
        _refuse(path, "P922")
    return plan


def _entries(path: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the manifest says, and the bytes of the other entries."""
    try:
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            _refuse(path, "P921")
        with zipfile.ZipFile(path) as packed:
            entries = packed.infolist()
            if sorted(each.filename for each in entries) != sorted(ENTRIES) or any(map(_is_packed, entries)):
                _refuse(path, "P921")
            return _manifest(path, packed), {name: packed.read(name) for name in (CONTACTS, CUSTOMERS, MEMBERS)}
    except OSError as refused:
        raise SegrulesError([Diagnostic("P920", NOWHERE, {"file": path.name, "reason": reason(refused)})]) from None
    except Malformed:
        _refuse(path, "P922")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        _refuse(path, "P922" if _begins_like_one(path) else "P921")


def _refuse(path: Path, code: str, **args: str | int) -> NoReturn:
    raise SegrulesError([Diagnostic(code, NOWHERE, {"file": path.name, **args}, Help("again"))]) from None


def _begins_like_one(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def _is_packed(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry takes more room than it has in the file, or is locked."""
    return (
        entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size or entry.flag_bits & 1 > 0
    )


def _manifest(path: Path, packed: zipfile.ZipFile) -> dict[str, Any]:
    if packed.getinfo(MANIFEST).file_size > MAX_MANIFEST:
        _refuse(path, "P922")
    try:
        said = json.loads(packed.read(MANIFEST).decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed(MANIFEST) from None
    if not isinstance(said, dict) or said.get("format") != "segplan":
        _refuse(path, "P921")
    version = said.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        _refuse(path, "P923", version=version, known=FORMAT_VERSION)
    if version != FORMAT_VERSION or set(said) != {"format", "format_version", "plan_id", "manifest", "batches"}:
        raise Malformed(MANIFEST)
    return said


def _plan(said: dict[str, Any], parts: dict[str, bytes]) -> Plan:
    manifest: Manifest = read_as(Manifest, said["manifest"])
    room = FREE_GROWTH + MAX_GROWTH * sum(map(len, parts.values()))
    columns = _table(parts[CONTACTS], _contact_schema(), room).to_pydict()
    names = [each.name for each in fields(NewContact)]
    rows = zip(*(columns[name] for name in names), strict=True)
    contacts = tuple(NewContact(**dict(zip(names, row, strict=True))) for row in rows)
    keys = _table(parts[CUSTOMERS], _CUSTOMERS, room).column("key").to_pylist()
    batches: tuple[NewBatch, ...] = read_as(tuple[NewBatch, ...], said["batches"])
    return Plan(
        plan_id=read_as(str, said["plan_id"]),
        manifest=manifest,
        contacts=contacts,
        batches=batches,
        members=Members(keys, _names(_table(parts[MEMBERS], _MEMBERS, room), len(keys))),
    )


def _names(table: pa.Table, customers: int) -> tuple[MemberChange, ...]:
    found = []
    for row in table.to_pylist():
        if len(row["bits"]) != (customers + 7) // 8:
            raise Malformed(MEMBERS)
        bits = np.unpackbits(np.frombuffer(row["bits"], np.uint8), count=customers).view(np.bool_)
        found.append(MemberChange(row["name"], row["fingerprint"], bits, tuple(row["previously"])))
    return tuple(found)


def _table(data: bytes, schema: pa.Schema, room: int) -> pa.Table:
    """The table of a Parquet entry. Raises `Malformed` where it is another table, or takes more bytes than *room*."""
    file = pq.ParquetFile(io.BytesIO(data))
    groups = [file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)]
    if not file.schema_arrow.equals(schema) or sum(groups) > room:
        raise Malformed("parquet")
    table = file.read()
    if any(not each.nullable and table.column(each.name).null_count for each in schema):
        raise Malformed("parquet")
    table.validate(full=True)
    return table


def _adds_up(plan: Plan) -> bool:
    """Whether the figures and the contacts say the same."""
    selected: dict[str, list[int]] = {}
    for each in plan.contacts:
        if each.state == "reserved":
            selected.setdefault(each.action, []).append(each.cost)
    manifest = plan.manifest
    known = {each.id for each in plan.batches} | {None}
    return (
        manifest.customers - manifest.forgotten == len(plan.members.keys) == len(set(plan.members.keys))
        and manifest.contacts == sum(map(len, selected.values()))
        and manifest.cost == sum(map(sum, selected.values()))
        and all(each.matched == sum(each.stages.values()) for each in manifest.waterfalls)
        and all(each.batch in known and each.state in ("reserved", "held_out") for each in plan.contacts)
        and len({each.key for each in plan.contacts}) == len(plan.contacts)
    )
