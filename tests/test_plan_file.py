"""Plan files that are what they seem, and hostile ones: each is read as written, or refused with a code.

A plan is made of the project of tests/cases/plans/shop; then its file is cut, changed, packed anew.
"""

from __future__ import annotations

import io
import json
import os
import random
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules import pipeline
from segrules.errors import Refused, SegrulesError
from segrules.plan import guards
from segrules.plan.content import Malformed, plain, plan_id, read_as, spelled
from segrules.plan.document import GuardCheck, Manifest, Plan, Waterfall
from segrules.plan.file import CONTACTS, CUSTOMERS, MANIFEST, MEMBERS, read, write
from segrules.state.records import NewBatch, NewContact
from tests.test_plan import CASES, made_project, microseconds, with_ledger


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    place = tmp_path_factory.mktemp("shop")
    made_project(CASES / "shop", place)
    with_ledger(place)
    rules = pipeline.load(place)
    environment = rules.ruleset.campaign.policies.environments[0]
    return pipeline.plan(rules, environment, 20_634, planned_at=microseconds("2026-06-30T10:00")).plan


def same(one: Plan, other: Plan) -> bool:
    return (
        (one.plan_id, one.manifest, one.contacts, one.batches)
        == (other.plan_id, other.manifest, other.contacts, other.batches)
        and list(one.members.keys) == list(other.members.keys)
        and [(each.name, each.fingerprint, each.previously) for each in one.members.names]
        == [(each.name, each.fingerprint, each.previously) for each in other.members.names]
        and all(
            np.array_equal(a.members, b.members) for a, b in zip(one.members.names, other.members.names, strict=True)
        )
    )


def entries(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(file: Path, parts: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(file, "w", how) as out:
        for name, data in parts.items():
            out.writestr(name, data)
    return file


def code(file: Path) -> str:
    with pytest.raises(SegrulesError) as refused:
        read(file)
    assert refused.value.exit_code == 4
    (found,) = refused.value.diagnostics
    assert str(file.parent) not in str(found)
    return found.code


def test_a_plan_is_read_as_it_was_written(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "plan.segplan"
    write(plan, file)
    assert same(read(file), plan)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["plan.segplan"]
    assert len(plan.contacts) == 7 and plan.manifest.contacts == 7


def test_an_earlier_plan_is_replaced_whole(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "plan.segplan"
    write(plan, file)
    before = file.read_bytes()

    def full(name: str, do: Callable[[], object]) -> object:
        raise OSError(28, "No space left on device")

    with pytest.raises(SegrulesError) as refused:
        write(plan, file, full)
    assert refused.value.diagnostics[0].code == "P925"
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["plan.segplan"]


def test_every_cut_is_seen(plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "plan.segplan"
    write(plan, file)
    whole = file.read_bytes()
    cut = tmp_path / "cut.segplan"
    for length in [*range(0, 64, 7), *range(64, len(whole), 1009), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        assert code(cut) in ("P921", "P922"), length


@settings(deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_bit_can_be_turned(plan: Plan, tmp_path_factory: pytest.TempPathFactory, where: float, bit: int) -> None:
    file = tmp_path_factory.getbasetemp() / "turned.segplan"
    write(plan, file)
    data = bytearray(file.read_bytes())
    data[int(where * len(data))] ^= 1 << bit
    file.write_bytes(data)
    try:
        found = read(file)
    except SegrulesError as refused:
        assert refused.diagnostics[0].code in ("P921", "P922", "P923")
    else:
        assert same(found, plan)


def test_a_changed_manifest_is_seen(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    said = json.loads(parts[MANIFEST])
    said["manifest"]["guards"] = []
    assert code(packed(tmp_path / "a.segplan", parts | {MANIFEST: spelled(said)})) == "P922"
    said["manifest"]["customers"] = "15"
    assert code(packed(tmp_path / "b.segplan", parts | {MANIFEST: spelled(said)})) == "P922"


def written(plan: Plan, folder: Path) -> dict[str, bytes]:
    file = folder / "whole.segplan"
    write(plan, file)
    return entries(file)


@pytest.mark.parametrize("name", [CONTACTS, CUSTOMERS, MEMBERS, MANIFEST])
def test_damage_under_a_right_checksum_is_seen(plan: Plan, tmp_path: Path, name: str) -> None:
    parts = written(plan, tmp_path)
    draw = random.Random(name)
    for _ in range(60):
        data = bytearray(parts[name])
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        file = packed(tmp_path / "damaged.segplan", parts | {name: bytes(data[: draw.choice([None, -1, -9])])})
        try:
            found = read(file)
        except SegrulesError as refused:
            assert refused.diagnostics[0].code in ("P921", "P922", "P923")
        else:
            assert same(found, plan)


def test_contacts_that_were_exchanged_are_seen(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    table = pq.read_table(io.BytesIO(parts[CONTACTS]))
    others = table.set_column(1, table.schema.field(1), pa.array(table.column("customer").to_pylist()[::-1]))
    out = io.BytesIO()
    pq.write_table(others, out)
    assert code(packed(tmp_path / "a.segplan", parts | {CONTACTS: out.getvalue()})) == "P922"


def test_figures_that_contradict_the_contacts_are_seen(plan: Plan, tmp_path: Path) -> None:
    """Even under an id of its own."""
    fewer = plan.contacts[1:]
    id_ = plan_id(plan.manifest, fewer, plan.batches, plan.members)
    write(replace(plan, plan_id=id_, contacts=fewer), tmp_path / "a.segplan")
    assert code(tmp_path / "a.segplan") == "P922"


def test_other_zips_are_no_plans(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    for number, other in enumerate(
        (
            {"a.txt": b"x"},
            parts | {"../../evil": b"x"},
            parts | {"/etc/passwd": b"x"},
            {name: data for name, data in parts.items() if name != MEMBERS},
            parts | {MANIFEST: b'{"format": "other"}'},
        )
    ):
        assert code(packed(tmp_path / f"{number}.segplan", other)) == "P921"
    (tmp_path / "text.segplan").write_text("a plan")
    assert code(tmp_path / "text.segplan") == "P921"
    assert not (tmp_path.parent / "evil").exists()


def test_an_entry_that_stands_there_twice_is_refused(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    file = tmp_path / "twice.segplan"
    packed(file, parts)
    with zipfile.ZipFile(file, "a") as out, pytest.warns(UserWarning, match="Duplicate"):
        out.writestr(MANIFEST, parts[MANIFEST])
    assert code(file) == "P921"


def test_bombs_are_not_unpacked(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = written(plan, tmp_path)
    assert code(packed(tmp_path / "zip.segplan", parts | {MANIFEST: b" " * 10_000_000}, zipfile.ZIP_DEFLATED)) == "P921"
    assert code(packed(tmp_path / "large.segplan", parts | {MANIFEST: b" " * (65 << 20)})) == "P922"
    keys = pa.table([pa.array(["x" * 1000] * 100_000)], schema=pa.schema([pa.field("key", pa.string(), False)]))
    out = io.BytesIO()
    pq.write_table(keys, out, compression="zstd", use_dictionary=False)
    assert keys.nbytes > 300 * len(out.getvalue())
    really = pq.ParquetFile.read

    def small_only(file: pq.ParquetFile) -> pa.Table:
        assert file.metadata.num_rows < 100_000, "unpacked"
        return really(file)

    monkeypatch.setattr(pq.ParquetFile, "read", small_only)
    assert code(packed(tmp_path / "parquet.segplan", parts | {CUSTOMERS: out.getvalue()})) == "P922"


def test_deep_json_is_refused(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    assert code(packed(tmp_path / "deep.segplan", parts | {MANIFEST: b"[" * 1_000_000})) == "P922"


def test_a_newer_format_is_refused(plan: Plan, tmp_path: Path) -> None:
    parts = written(plan, tmp_path)
    said = json.loads(parts[MANIFEST]) | {"format_version": 2, "more": 1}
    assert code(packed(tmp_path / "newer.segplan", parts | {MANIFEST: spelled(said)})) == "P923"


def test_files_that_cannot_be_read(plan: Plan, tmp_path: Path) -> None:
    assert code(tmp_path / "missing.segplan") == "P920"
    (tmp_path / "folder.segplan").mkdir()
    assert code(tmp_path / "folder.segplan") == "P920"
    os.mkfifo(tmp_path / "pipe.segplan")
    assert code(tmp_path / "pipe.segplan") == "P921"
    if os.geteuid():
        write(plan, tmp_path / "closed.segplan")
        (tmp_path / "closed.segplan").chmod(0)
        assert code(tmp_path / "closed.segplan") == "P920"


def test_every_value_counts_for_the_id(plan: Plan) -> None:
    """Each field of the manifest, of a contact, of a batch, and each member."""
    ids = {plan.plan_id}
    parts = (plan.manifest, plan.contacts, plan.batches, plan.members)
    assert plan_id(*parts) == plan.plan_id
    manifests = [replace(plan.manifest, **{name: other(name, plan.manifest)}) for name in plain(plan.manifest)]
    contacts = [replace(plan.contacts[0], **{name: other(name, plan.contacts[0])}) for name in plain(plan.contacts[0])]
    batches = [replace(plan.batches[0], **{name: other(name, plan.batches[0])}) for name in plain(plan.batches[0])]
    found = [plan_id(each, *parts[1:]) for each in manifests]
    found += [plan_id(parts[0], (each, *plan.contacts[1:]), *parts[2:]) for each in contacts]
    found += [plan_id(*parts[:2], (each, *plan.batches[1:]), parts[3]) for each in batches]
    first = plan.members.names[0]
    turned = replace(first, members=~first.members)
    for members in (
        replace(plan.members, keys=[*plan.members.keys[:-1], "other"]),
        replace(plan.members, names=[turned, *plan.members.names[1:]]),
        replace(plan.members, names=[replace(first, name="x"), *plan.members.names[1:]]),
        replace(plan.members, names=[replace(first, fingerprint="x"), *plan.members.names[1:]]),
        replace(plan.members, names=[replace(first, previously=("x",)), *plan.members.names[1:]]),
    ):
        found.append(plan_id(*parts[:3], members))
    assert len(ids | set(found)) == len(found) + 1


def other(name: str, of: Manifest | NewContact | NewBatch) -> object:
    """Another value for a field."""
    value = getattr(of, name)
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value + "x"
        case tuple():
            return (*value, "x")
        case dict():
            return {**value, "x": "y"}
        case _:
            return "x"


def test_values_are_held_to_their_types(plan: Plan) -> None:
    said = json.loads(spelled(plain(plan.manifest)))
    assert read_as(Manifest, said) == plan.manifest
    for name in said:
        for wrong in ({"a": 1.5}, 1.5, [1.5]):
            if name != "cut_points":
                with pytest.raises(Malformed):
                    read_as(Manifest, said | {name: wrong})
    with pytest.raises(Malformed):
        read_as(Manifest, said | {"more": 1})
    with pytest.raises(Malformed):
        read_as(Waterfall, {})


def test_a_guard_that_is_exceeded_refuses(plan: Plan) -> None:
    guards.keep(plan)
    stopped = GuardCheck("max_contacted", "7", "5", exceeded=True)
    with pytest.raises(Refused):
        guards.keep(replace(plan, manifest=replace(plan.manifest, guards=(stopped,))))
    allowed = replace(stopped, allowed=True)
    guards.keep(replace(plan, manifest=replace(plan.manifest, guards=(allowed,))))
