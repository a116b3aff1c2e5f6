"""Ledgers of every schema that was ever released are opened, upgraded, and have in the end the tables of a new one.

In: `tests/cases/ledgers/schema-N.sql`, the dump of a SQLite ledger of schema N with a bit of everything in it.
Out: `pytest --update` writes the file of the present schema anew, until that schema is released.

A new schema adds its file here and leaves the others alone.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.errors import Conflict, Unreachable
from segrules.state import audit, outbox
from segrules.state.history import history
from segrules.state.ledger import Ledger, created, identity, opened, snapshot, transaction
from segrules.state.migrations import STEPS, Step
from segrules.state.outbox import finish
from segrules.state.records import NewPoints
from segrules.state.related import related
from segrules.state.runs import contact_counts, runs
from segrules.state.schema import METADATA, SCHEMA, contacts, meta, outcomes
from segrules.state.upgrade import upgrade
from tests.ledgers import CLOCK, DAY, ZONE, accepted, contact, members, new_run
from tests.ledgers import ledger as ledger
from tests.ledgers import state as state

STORED = Path(__file__).parent / "cases" / "ledgers"
LINEAGE = "0123456789abcdef" * 2
HOUR = 3_600_000_000


def stored(schema: int, folder: Path) -> str:
    """The name of a ledger in *folder*, made from the dump of a schema."""
    file = folder / f"schema-{schema}.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((STORED / f"schema-{schema}.sql").read_text(encoding="utf-8"))
    return file.name


def a_bit_of_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The dump of a ledger in which every table has rows; the same whenever it is made."""
    for module in ("accept", "outbox", "ledger"):
        monkeypatch.setattr(f"segrules.state.{module}.now", lambda: CLOCK)
    created("new.db", folder)
    ledger = opened("new.db", folder)
    with transaction(ledger, "test") as connection:
        connection.execute(sa.update(meta).values(lineage=LINEAGE, pepper=bytes(range(32))))
        connection.execute(sa.text("DELETE FROM audit"))
        audit.add(connection, CLOCK, "init", {"lineage": LINEAGE, "schema": SCHEMA})
        connection.execute(sa.text("INSERT INTO forgotten VALUES ('mark', 0)"))
    first = [
        contact("k1", "a", variant="x", address="h1", payload="p1", award=20, per="north"),
        contact("k2", "b", batch="b2"),
        contact("k3", "c", state="held_out", batch=None),
        contact("k4", "d", channel="visit", task=True, assignee="王", due=DAY + 14),
    ]  # fmt: skip
    order = NewPoints("a", CLOCK, "order", 10, "orders", "o1", CLOCK + HOUR)
    who = members("abcd", star="ab", lost="c", **{"action:winback": "abcd"})
    serial = accepted(ledger, 0, new_run("p1"), first, who, [order])
    outbox.prepare(ledger, 0, "b1", "f" * 64)
    outbox.deliver(ledger, 0, "b1")
    outbox.send(ledger, 0, "b2", ["k2"], 1, "e" * 64)
    outbox.settle(ledger, 0, "b2", {"k2": "unknown"}, {"k2": "timeout"})
    outbox.close(ledger, 0, "b2")
    finish(ledger, 0, serial)
    with transaction(ledger, "test") as connection:
        connection.execute(sa.insert(outcomes).values(contact=1, kind="satisfaction", at=CLOCK + HOUR, value=45_000))
    second = replace(new_run("p2", DAY + 1, CLOCK + 24 * HOUR), commit="3f2a91c", clean=True)
    who = members("abde", {"vip": ["star"]}, **{"vip": "bd:f2", "action:winback": "abde"})
    accepted(ledger, 0, second, [contact("k5", "e", batch="b3")], who)
    with sqlite3.connect(folder / "new.db") as connection:
        statements = list(connection.iterdump())
    last = sorted(each for each in statements if each.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")))
    return "\n".join([*(each for each in statements[:-1] if each not in last), *last, statements[-1]]) + "\n"


def test_the_stored_ledger_of_this_schema_is_what_is_made_now(
    tmp_path: Path, update: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = a_bit_of_everything(tmp_path, monkeypatch)
    file = STORED / f"schema-{SCHEMA}.sql"
    if update:
        file.write_text(made, encoding="utf-8")
    assert without_compressed(file.read_text(encoding="utf-8")) == without_compressed(made)


def without_compressed(dump: str) -> str:
    """zlib may compress otherwise in another version."""
    return re.sub(r"X'78[0-9a-fA-F]+'", "X'…'", dump)


@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_a_stored_ledger_is_upgraded_and_says_what_it_said(tmp_path: Path, schema: int) -> None:
    name = stored(schema, tmp_path)
    ledger = opened(name, tmp_path, any_schema=True)
    assert upgrade(ledger, "a test") == (schema, SCHEMA)
    created("new.db", tmp_path)
    assert tables(tmp_path / name) == tables(tmp_path / "new.db")
    with snapshot(opened(name, tmp_path)) as connection:
        found = identity(connection)
        assert (found.lineage, found.serial, found.schema) == (LINEAGE, 2, SCHEMA)
        assert audit.verify(connection) is None
        assert [(run.plan_id, run.state, run.clean) for run in runs(connection)] == [
            ("p1", "finished", None), ("p2", "unfinished", True),
        ]  # fmt: skip
        assert contact_counts(connection, 1) == {
            "reserved": 0, "sending": 0, "delivered": 2, "rejected": 0, "unknown": 1, "cancelled": 0, "held_out": 1,
        }  # fmt: skip
        assert [each.key for each in outbox.payloads(connection, "b3")] == ["k5"]
        past = history(connection, list("abcde"), [("vip", ()), ("lost", ())], ZONE)
        assert past.standing["vip"].members.tolist() == [False, True, False, True, False]
        assert past.standing["vip"].since[[1, 3]].tolist() == [1, 2]
        assert not past.standing["lost"].members.any()
        assert len(past.contacts) == 5
        counted = {
            name: len(related(connection, name, DAY + 1, ZONE))
            for name in ("memberships", "contacts", "points", "outcomes")
        }
        assert counted == {"memberships": 4, "contacts": 4, "points": 2, "outcomes": 1}


def tables(file: Path) -> set[tuple[str, str]]:
    """Every table and index as it was created, whatever the spacing."""
    with sqlite3.connect(file) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {(name, " ".join(statement.replace('"', "").split())) for name, statement in found}


def planted(connection: Connection) -> None:
    connection.execute(sa.text("ALTER TABLE runs ADD COLUMN note TEXT"))
    connection.execute(sa.text("UPDATE runs SET note = 'from before'"))


def broken(connection: Connection) -> None:
    connection.execute(sa.text("DELETE FROM runs"))
    raise ZeroDivisionError


def with_a_run(ledger: Ledger) -> None:
    accepted(ledger, 0, new_run("p1"), [contact("k1", "a")], members("ab", star="a"))


def test_an_upgrade_makes_a_backup_first(ledger: Ledger, state: str, tmp_path: Path) -> None:
    with_a_run(ledger)
    steps: Mapping[int, Step] = {**STEPS, SCHEMA + 1: planted, SCHEMA + 2: lambda connection: None}
    assert upgrade(ledger, "a test", steps, SCHEMA + 2) == (SCHEMA, SCHEMA + 2)
    with snapshot(ledger) as connection:
        assert identity(connection).schema == SCHEMA + 2
        assert connection.scalar(sa.text("SELECT note FROM runs")) == "from before"
        assert audit.verify(connection) is None
    with pytest.raises(Conflict) as raised:
        opened(state, tmp_path)
    assert raised.value.diagnostics[0].code == "P903"
    assert upgrade(ledger, "a test", steps, SCHEMA + 2) == (SCHEMA + 2, SCHEMA + 2)
    assert len(backups(ledger)) == 1
    with snapshot(opened(backups(ledger)[0], tmp_path)) as connection:
        assert identity(connection).schema == SCHEMA
        assert [run.plan_id for run in runs(connection)] == ["p1"]
        assert connection.scalar(sa.select(sa.func.count()).select_from(contacts)) == 1


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(ledger: Ledger, state: str, tmp_path: Path) -> None:
    with_a_run(ledger)
    with pytest.raises(ZeroDivisionError):
        upgrade(ledger, "a test", {SCHEMA + 1: planted, SCHEMA + 2: broken}, SCHEMA + 2, with_backup=False)
    with snapshot(opened(state, tmp_path)) as connection:
        assert "note" not in {column["name"] for column in sa.inspect(connection).get_columns("runs")}
        assert [run.plan_id for run in runs(connection)] == ["p1"]
    assert backups(ledger) == []


def test_without_room_for_the_backup_nothing_is_upgraded(tmp_path: Path) -> None:
    def full(name: str, do: object) -> object:
        if name == "upgrade.backup.write":
            raise OSError(28, "no space")
        return do()  # type: ignore[operator]

    created("ledger.db", tmp_path)
    ledger = opened("ledger.db", tmp_path, full)  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match="no space left") as raised:
        upgrade(ledger, "a test", {SCHEMA + 1: planted}, SCHEMA + 1)
    assert raised.value.diagnostics[0].code == "P916"
    opened("ledger.db", tmp_path)


def backups(ledger: Ledger) -> list[str]:
    """The states under which the copies beside a ledger can be opened."""
    if ledger.file is not None:
        return sorted(f"state/{file.name}" for file in ledger.file.parent.glob("ledger.db.schema*"))
    with snapshot(ledger) as connection:
        found = connection.scalars(sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'segrules_schema%'"))
        assert ledger.where.url is not None
        url = ledger.where.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return [f"{url}?schema={name}" for name in found]


def test_both_databases_have_the_same_tables(postgres_url: str, tmp_path: Path) -> None:
    created(postgres_url, tmp_path)
    created("ledger.db", tmp_path)
    shapes = []
    for where in (postgres_url, "ledger.db"):
        with snapshot(opened(where, tmp_path)) as connection:
            inspector = sa.inspect(connection)
            shapes.append(
                {
                    table: {column["name"]: column["nullable"] for column in inspector.get_columns(table)}
                    for table in METADATA.tables
                }
            )
    assert shapes[0] == shapes[1]


def test_texts_sort_by_code_point_on_both(ledger: Ledger) -> None:
    accepted(ledger, 0, new_run("p1"), who=members("aBé中A𝄞b", star=""))
    with snapshot(ledger) as connection:
        found = list(connection.scalars(sa.text("SELECT key FROM customers ORDER BY key")))
    assert found == sorted("aBé中A𝄞b")
