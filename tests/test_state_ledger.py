"""The ledger as a place: made, opened, refused, locked, fenced, written whole or not at all; on both databases."""

from __future__ import annotations

import errno
import os
import pwd
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from segrules.effects import Effect
from segrules.errors import Conflict, SegrulesError, Unreachable
from segrules.state import audit, lockfile, place
from segrules.state.ledger import Ledger, created, fenced, identity, locked, opened, owner, snapshot, transaction
from segrules.state.records import Identity
from segrules.state.runs import runs
from segrules.state.schema import audit as audit_table
from segrules.state.schema import meta
from tests.ledgers import accepted, contact, members, new_run
from tests.ledgers import epoch as epoch
from tests.ledgers import ledger as ledger
from tests.ledgers import state as state

T = TypeVar("T")
ROOT = Path(__file__).parents[1]


def code(raised: pytest.ExceptionInfo[SegrulesError]) -> str:
    assert raised.value.diagnostics[0].help is not None
    return raised.value.diagnostics[0].code


def test_a_missing_ledger_is_a_conflict_and_nothing_is_made(state: str, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="segrules state init") as raised:
        opened(state, tmp_path)
    assert code(raised) == "P901"
    assert list(tmp_path.iterdir()) == []


def test_a_new_ledger_has_a_lineage_of_its_own_and_is_made_once(state: str, tmp_path: Path) -> None:
    made = created(state, tmp_path)
    ledger = opened(state, tmp_path)
    with snapshot(ledger) as connection:
        assert identity(connection) == made
        assert audit.verify(connection) is None
    assert (made.serial, made.epoch, made.schema, len(made.lineage), len(made.pepper)) == (0, 0, 1, 32, 32)
    assert repr(made.pepper) not in repr(made)
    with pytest.raises(Conflict) as raised:
        created(state, tmp_path)
    assert code(raised) == "P905"
    with snapshot(ledger) as connection:
        assert identity(connection) == made


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    created("ledger.db", tmp_path)
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"name,phone\n", b"SQLite format 3\x00" + b"x" * 200])
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.db").write_bytes(content)
    for attempt in (opened, created):
        with pytest.raises(Conflict) as raised:
            attempt("ledger.db", tmp_path)
        assert code(raised) == "P902"
    assert (tmp_path / "ledger.db").read_bytes() == content


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "crm.db") as other:
        other.execute("CREATE TABLE meta (id INTEGER, value TEXT)")
    with pytest.raises(Conflict) as raised:
        opened("crm.db", tmp_path)
    assert code(raised) == "P902"


def test_a_schema_of_postgresql_with_something_else_is_refused(postgres_url: str, tmp_path: Path) -> None:
    with place.engine(place.place(postgres_url, tmp_path)).begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA segrules"))
        connection.execute(sa.text("CREATE TABLE segrules.orders (id integer)"))
    for attempt in (opened, created):
        with pytest.raises(Conflict) as raised:
            attempt(postgres_url, tmp_path)
        assert code(raised) == "P902"


def test_tables_of_the_same_names_in_other_schemas_do_not_disturb(postgres_url: str, tmp_path: Path) -> None:
    with place.engine(place.place(postgres_url, tmp_path)).begin() as connection:
        connection.execute(sa.text("CREATE TABLE public.meta (id integer)"))
        connection.execute(sa.text("CREATE TABLE public.contacts (id integer)"))
    made = created(postgres_url, tmp_path)
    other = created(f"{postgres_url}?schema=second", tmp_path)
    assert made.lineage != other.lineage
    with snapshot(opened(f"{postgres_url}?schema=second", tmp_path)) as connection:
        assert identity(connection) == other


@pytest.mark.parametrize(("schema", "expected"), [(2, "P903"), (0, "P904")])
def test_another_schema_is_refused(ledger: Ledger, state: str, tmp_path: Path, schema: int, expected: str) -> None:
    with transaction(ledger, "test") as connection:
        connection.execute(sa.update(meta).values(schema=schema))
    with pytest.raises(Conflict) as raised:
        opened(state, tmp_path)
    assert code(raised) == expected


@pytest.mark.parametrize("kind", ["folder", "in a file"])
def test_a_place_that_cannot_be(tmp_path: Path, kind: str) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SegrulesError) as raised:
        created("folder" if kind == "folder" else "plain/ledger.db", tmp_path)
    assert raised.value.exit_code in (4, 6)
    with pytest.raises(SegrulesError):
        opened("folder" if kind == "folder" else "plain/ledger.db", tmp_path)


@pytest.mark.parametrize("closed", ["ledger.db", "."])
def test_no_rights(tmp_path: Path, closed: str) -> None:
    created("ledger.db", tmp_path)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    (tmp_path / closed).chmod(0o000)
    with as_nobody(), pytest.raises(Unreachable, match="right to read"):
        opened("ledger.db", tmp_path)
    (tmp_path / closed).chmod(0o700)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may read everything, so who is root is not for a while."""
    who = os.geteuid()
    if who == 0:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        yield
    finally:
        os.seteuid(who)


def test_a_server_that_is_away_is_said_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as raised:
        opened("postgresql://me:s3cret%40x@127.0.0.1:1/crm?options=-cgeqo%3Doff", tmp_path)
    assert code(raised) == "P908"
    assert "s3cret" not in str(raised.value)
    assert "postgresql://127.0.0.1:1/crm" in str(raised.value)


def test_a_wrong_password_is_said_without_it(postgres_url: str, tmp_path: Path) -> None:
    wrong = postgres_url.replace(postgres_url.split(":")[2].split("@")[0], "s3cret")
    with pytest.raises(Unreachable) as raised:
        opened(wrong, tmp_path)
    assert code(raised) == "P908"
    assert "s3cret" not in str(raised.value)


def test_secrets_come_from_the_environment(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.parse import unquote

    password = postgres_url.split(":")[2].split("@")[0]
    with_variable = postgres_url.replace(password, "${LEDGER_PASSWORD}")
    with pytest.raises(Unreachable) as raised:
        created(with_variable, tmp_path)
    assert code(raised) == "P912"
    monkeypatch.setenv("LEDGER_PASSWORD", unquote(password))
    created(with_variable, tmp_path)


@pytest.mark.parametrize("written", ["mysql://db/x", "http://db/x", "postgresql://db:port/x"])
def test_no_place_for_a_ledger(tmp_path: Path, written: str) -> None:
    with pytest.raises(Unreachable) as raised:
        opened(written, tmp_path)
    assert code(raised) == "P913"


def test_what_is_read_is_of_one_moment(ledger: Ledger, epoch: int) -> None:
    with snapshot(ledger) as before:
        accepted(ledger, epoch, new_run("p1"), who=members("ab", star="a"))
        assert runs(before) == []
        assert identity(before).serial == 0
    with snapshot(ledger) as after:
        assert [run.plan_id for run in runs(after)] == ["p1"]


def test_nothing_is_written_in_a_snapshot(ledger: Ledger) -> None:
    with pytest.raises(SegrulesError), snapshot(ledger) as connection:
        connection.execute(sa.update(meta).values(serial=9))
    with snapshot(ledger) as connection:
        assert identity(connection).serial == 0


def test_what_raises_inside_takes_everything_back(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), transaction(ledger, "test") as connection:
        connection.execute(sa.update(meta).values(serial=9))
        raise ZeroDivisionError
    with snapshot(ledger) as connection:
        assert identity(connection).serial == 0


def no_space(name: str, do: Callable[[], T], at: str, after: bool) -> T:
    if name == at and not after:
        raise OSError(errno.ENOSPC, "no space")
    done = do()
    if name == at:
        raise OSError(errno.ENOSPC, "no space")
    return done


@pytest.mark.parametrize("after", [False, True])
def test_no_space_at_a_commit(state: str, tmp_path: Path, after: bool) -> None:
    created(state, tmp_path)
    effect: Effect = partial(no_space, at="accept.commit", after=after)  # type: ignore[assignment]
    ledger = opened(state, tmp_path, effect)
    with locked(ledger, "a test") as epoch:
        with pytest.raises(Unreachable, match="no space left"):
            accepted(ledger, epoch, new_run("p1"), who=members("ab", star="a"))
        with snapshot(ledger) as connection:
            assert [run.plan_id for run in runs(connection)] == (["p1"] if after else [])
            assert audit.verify(connection) is None


def test_a_ledger_is_made_whole_or_not_at_all(state: str, tmp_path: Path) -> None:
    for at in ["init.commit"] if state.startswith("postgres") else ["init.write", "init.rename"]:
        with pytest.raises(Unreachable):
            created(state, tmp_path, partial(no_space, at=at, after=False))
        with pytest.raises(Conflict, match="there is no ledger"):
            opened(state, tmp_path)
    created(state, tmp_path)
    opened(state, tmp_path)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    created("ledger.db", tmp_path)
    ledger = opened("ledger.db", tmp_path)
    with locked(ledger, "a test") as epoch:
        with pytest.raises(Unreachable, match="no space left"), transaction(ledger, "test", epoch) as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")
            connection.execute(sa.insert(audit_table), [_entry(seq) for seq in range(10, 5000)])
        with snapshot(ledger) as connection:
            assert audit.verify(connection) is None


def _entry(seq: int) -> dict[str, object]:
    return {"seq": seq, "at": 0, "what": "x", "detail": "y" * 500, "previous": "", "digest": ""}


def test_a_damaged_file(tmp_path: Path) -> None:
    created("ledger.db", tmp_path)
    file = tmp_path / "ledger.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(Unreachable, match="damaged"):
        opened("ledger.db", tmp_path)


def test_connecting_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        place.sqlite_connection(tmp_path / "ledger.db")
    assert list(tmp_path.iterdir()) == []


def test_the_second_who_wants_the_lock_is_told_who_has_it(ledger: Ledger, state: str, tmp_path: Path) -> None:
    assert owner(ledger) is None
    with locked(ledger, "张三@web1, apply 7c1e") as first:
        assert "张三@web1, apply 7c1e" in str(owner(ledger))
        with pytest.raises(Conflict, match="张三@web1") as raised, locked(opened(state, tmp_path), "li@web2"):
            pass
        assert code(raised) == "P906"
    assert owner(ledger) is None
    with locked(ledger, "li@web2") as second:
        assert second == first + 1


def test_a_ledger_is_not_made_twice_at_once(tmp_path: Path) -> None:
    created("ledger.db", tmp_path)
    with locked(opened("ledger.db", tmp_path), "wang@web3"), pytest.raises(Conflict, match="wang@web3"):
        created("ledger.db", tmp_path)


def test_who_lost_the_lock_cannot_write(ledger: Ledger) -> None:
    with locked(ledger, "first") as stale:
        with transaction(ledger, "test") as connection:
            connection.execute(sa.update(meta).values(epoch=meta.c.epoch + 1))
        for attempt in (
            lambda: accepted(ledger, stale, new_run("p1"), [contact("k1", "a")]),
            lambda: fenced(ledger, stale),
        ):
            with pytest.raises(Conflict) as raised:
                attempt()
            assert code(raised) == "P907"
        fenced(ledger, stale + 1)
    with snapshot(ledger) as connection:
        assert runs(connection) == []


def test_an_audit_that_was_changed_is_found(ledger: Ledger, epoch: int) -> None:
    for number in range(3):
        accepted(ledger, epoch, new_run(f"p{number}"), who=members("ab", star="a"))
    with snapshot(ledger) as connection:
        second = connection.execute(sa.select(audit_table).where(audit_table.c.seq == 2)).one()
    sealed = audit.digest(2, second.at, "other", second.detail, second.previous)
    tampering = [
        (sa.update(audit_table).where(audit_table.c.seq == 2).values(what="other", digest=sealed), 3),
        (sa.update(audit_table).where(audit_table.c.seq == 2).values(detail="{}"), 2),
        (sa.delete(audit_table).where(audit_table.c.seq == 3), 3),
        (sa.update(audit_table).where(audit_table.c.seq == 1).values(previous="f" * 64), 1),
        (sa.update(audit_table).where(audit_table.c.seq == 4).values(seq=9), 4),
    ]
    for statement, broken in tampering:
        with ledger.engine.connect() as connection:
            assert audit.verify(connection) is None
            connection.exec_driver_sql("BEGIN") if ledger.file is not None else None
            connection.execute(statement)
            assert audit.verify(connection) == broken
            connection.rollback()


CRASH = """
import os, signal, sys
from pathlib import Path
from segrules.state.ledger import opened, locked
from segrules.state.accept import accept
from tests.ledgers import *

def effect(name, do):
    if name == sys.argv[3] and sys.argv[4] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = do()
    if name == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

ledger = opened(sys.argv[1], Path(sys.argv[2]), effect)
with locked(ledger, "who crashes") as epoch:
    accepted(ledger, epoch, new_run("p1"), [contact("k1", "a")], members("ab", star="a"))
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", ["lock.commit", "accept.commit"])
def test_a_kill_leaves_nothing_half_and_no_lock(state: str, tmp_path: Path, at: str, when: str) -> None:
    created(state, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CRASH, state, str(tmp_path), at, when], cwd=ROOT, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    ledger = opened(state, tmp_path)
    there = at == "accept.commit" and when == "after"
    with locked(ledger, "who comes next"), snapshot(ledger) as connection:
        assert [run.plan_id for run in runs(connection)] == (["p1"] if there else [])
        assert identity(connection).serial == int(there)
        assert audit.verify(connection) is None
        for table in ("customers", "names", "snapshots", "contacts", "batches", "outbox"):
            assert bool(connection.scalar(sa.text(f"SELECT count(*) FROM {table}"))) == there, table


def test_the_lineage_of_an_environment_is_pinned(tmp_path: Path) -> None:
    this, other = Identity("a" * 32, 0, 0, 1, b""), Identity("b" * 32, 0, 0, 1, b"")
    with pytest.raises(Conflict) as raised:
        lockfile.checked(tmp_path, "prod", this)
    assert code(raised) == "P909"
    (tmp_path / "segrules.lock").write_text('{"frozen": {"cut": [1]}, "ledgers": {"dev": "x"}}', encoding="utf-8")
    lockfile.pin(tmp_path, "prod", this.lineage)
    lockfile.checked(tmp_path, "prod", this)
    assert lockfile.pinned(tmp_path, "dev") == "x"
    written = (tmp_path / "segrules.lock").read_text(encoding="utf-8")
    assert '"cut"' in written
    lockfile.pin(tmp_path, "prod", this.lineage)
    assert (tmp_path / "segrules.lock").read_text(encoding="utf-8") == written
    with pytest.raises(Conflict) as raised:
        lockfile.checked(tmp_path, "prod", other)
    assert code(raised) == "P910"


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"ledgers": []}', b"\xff", b'{"ledgers": {"prod": 3}}', b"[" * 100_000]
)
def test_a_lock_file_that_is_none_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "segrules.lock").write_bytes(content)
    for attempt in (lambda: lockfile.pinned(tmp_path, "prod"), lambda: lockfile.pin(tmp_path, "prod", "x")):
        with pytest.raises(Conflict) as raised:
            attempt()
        assert code(raised) == "P911"
    assert (tmp_path / "segrules.lock").read_bytes() == content
