"""The ledger after the runs: outcomes, points, forgetting, copies, pruning, on both databases."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from segrules.errors import Conflict, Refused, SegrulesError
from segrules.state import audit
from segrules.state.forgetting import forget, held
from segrules.state.history import history
from segrules.state.ledger import Ledger, locked, opened, snapshot, transaction
from segrules.state.outbox import cancel, close, deliver, finish, open_batches, prepare, settle
from segrules.state.outcomes import Report, record
from segrules.state.points import Entry, balance, balance_of, overspent, post
from segrules.state.records import Members, NewPoints
from segrules.state.related import related
from segrules.state.runs import contact_counts, runs
from segrules.state.schema import contacts as contact_table
from segrules.state.schema import customers, outcomes, points
from segrules.state.upkeep import Pruned, backup, prune, resolve
from tests.ledgers import CLOCK, DAY, ZONE, accepted, applied, contact, members, new_run
from tests.ledgers import ledger as ledger
from tests.ledgers import state as state

PERSON = "顾客-Zhang.Wei-0042"


def codes(stopped: pytest.ExceptionInfo[SegrulesError]) -> list[str]:
    return [each.code for each in stopped.value.diagnostics]


def sent(ledger: Ledger, **states: str) -> int:
    """A finished run with one contact per name, in the state that is given for it (`reserved`: none of them)."""
    with locked(ledger, "a test") as epoch:
        made = [
            contact(key, f"customer {key}", state="held_out" if state == "held_out" else "reserved",
                    batch=None if state == "held_out" else "b1", award=50, task=key.startswith("task"))
            for key, state in states.items()
        ]  # fmt: skip
        serial = accepted(ledger, epoch, new_run("plan " + " ".join(states)), made)
        settle(ledger, epoch, "b1", {key: state for key, state in states.items() if state != "held_out"})  # type: ignore[misc]
        close(ledger, epoch, "b1")
        finish(ledger, epoch, serial)
    return serial


def state_of(ledger: Ledger, key: str) -> str:
    with snapshot(ledger) as connection:
        return str(connection.scalar(sa.select(contact_table.c.state).where(contact_table.c.key == key)))


def intact(ledger: Ledger) -> bool:
    with snapshot(ledger) as connection:
        return audit.verify(connection) is None


def past(ledger: Ledger, *keys: str):  # type: ignore[no-untyped-def]
    with snapshot(ledger) as connection:
        return history(connection, list(keys), [], ZONE)


def test_outcomes_count_once(ledger: Ledger) -> None:
    sent(ledger, a="delivered", b="unknown", c="delivered")
    posted = [Report("a", "opened", CLOCK), Report("b", "clicked", CLOCK), Report("c", "satisfaction", CLOCK, 45_000)]
    first = record(ledger, posted)
    assert (dict(first.new), first.before) == ({"clicked": 1, "opened": 1, "satisfaction": 1}, 0)
    again = record(ledger, [*posted, Report("a", "opened", CLOCK + 1), Report("a", "opened", CLOCK + 1)])
    assert (dict(again.new), again.before) == ({"opened": 1}, 4)
    assert state_of(ledger, "b") == "delivered"
    with snapshot(ledger) as connection:
        found = related(connection, "outcomes", DAY, ZONE).to_pylist()
    assert [(one["customer"], one["kind"], one["value"]) for one in found] == [
        ("customer a", "opened", None), ("customer b", "clicked", None), ("customer c", "satisfaction", 4.5),
        ("customer a", "opened", None),
    ]  # fmt: skip
    assert intact(ledger)


def test_an_answer_to_what_was_cancelled_proves_that_it_was_sent(ledger: Ledger) -> None:
    with locked(ledger, "a test") as epoch:
        for plan in ("p1", "p2"):
            serial = accepted(ledger, epoch, new_run(plan), [contact("k", "a", batch=plan)])
            cancel(ledger, epoch, ["k"], "abandoned")
            close(ledger, epoch, plan)
            finish(ledger, epoch, serial)
    record(ledger, [Report("k", "unsubscribed", CLOCK)])
    with snapshot(ledger) as connection:
        assert contact_counts(connection, 1)["cancelled"] == 1
        assert contact_counts(connection, 2)["delivered"] == 1
    assert past(ledger, "a").unsubscribed["sms"].tolist() == [True]


def test_wrong_reports_record_nothing(ledger: Ledger) -> None:
    sent(ledger, a="delivered", out="held_out")
    good = Report("a", "opened", CLOCK)
    assert record(ledger, [good, Report("nobody", "opened", CLOCK)]).unknown == (1,)
    assert record(ledger, [Report("out", "opened", CLOCK), good]).unsent == (0,)
    twice = [Report("a", "satisfaction", CLOCK, 1), Report("a", "satisfaction", CLOCK, 2)]
    assert record(ledger, [good, *twice]).other == (2,)
    with snapshot(ledger) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(outcomes)) == 0
    skipped = record(ledger, [good, Report("nobody", "opened", CLOCK)], skip_unknown=True)
    assert (dict(skipped.new), skipped.unknown) == ({"opened": 1}, (1,))
    record(ledger, twice[:1])
    assert record(ledger, twice[1:]).other == (0,)


def test_unsubscribing_and_finished_tasks_hold_at_once(ledger: Ledger) -> None:
    sent(ledger, a="delivered", task1="delivered", task2="delivered")
    assert past(ledger, "customer a").unsubscribed == {}
    assert past(ledger).contacts.open.tolist() == [False, True, True]
    record(ledger, [Report("a", "unsubscribed", CLOCK), Report("task1", "task done", CLOCK)])
    assert past(ledger, "customer a").unsubscribed["sms"].tolist() == [True]
    assert past(ledger).contacts.open.tolist() == [False, False, True]
    record(ledger, [Report("a", "subscribed", CLOCK + 1)])
    assert past(ledger, "customer a").unsubscribed["sms"].tolist() == [False]


def entry(customer: str, row: str, amount: int, at: int = CLOCK, expires_at: int | None = None) -> NewPoints:
    return NewPoints(customer, at, "orders", amount, "orders", row, expires_at)


def test_points_come_in_once_and_are_spent_once(ledger: Ledger) -> None:
    applied(ledger, "p", members("ab"))
    assert post(ledger, [entry("a", "1", 100, expires_at=CLOCK + 50), entry("a", "2", 30)]) == 2
    assert post(ledger, [entry("a", "1", 100, expires_at=CLOCK + 50), entry("b", "3", 7)]) == 1
    assert post(ledger, [entry("a", "spend 1", -110, CLOCK + 10)]) == 1

    def left(customer: str, at: int) -> int:
        with snapshot(ledger) as connection:
            return balance_of(connection, customer, at)

    assert [left("a", CLOCK + at) for at in (-1, 0, 10, 50)] == [0, 130, 20, 20]
    assert left("b", CLOCK) == 7
    assert left("nobody", CLOCK) == 0
    for wrong, code in (
        ([entry("b", "5", 1), entry("a", "spend 2", -21, CLOCK + 20)], "P943"),
        ([entry("b", "5", 1), entry("a", "2", 31)], "P942"),
        ([entry("b", "5", 1), entry("z", "6", 1)], "P941"),
    ):
        with pytest.raises(Refused) as stopped:
            post(ledger, wrong)
        assert codes(stopped) == [code]
        assert left("b", CLOCK) == 7
    assert intact(ledger)


ENTRIES = st.lists(
    st.builds(Entry, st.integers(0, 20), st.integers(-30, 30), st.none() | st.integers(0, 30)), max_size=8
)


@given(entries=ENTRIES, at=st.integers(0, 30), order=st.randoms(use_true_random=False))
def test_a_balance_adds_up(entries: list[Entry], at: int, order: object) -> None:
    found = balance(entries, at)
    came_in = sum(each.amount for each in entries if each.at <= at and each.amount > 0)
    spent = -sum(each.amount for each in entries if each.at <= at and each.amount < 0)
    assert 0 <= found <= came_in
    shuffled = list(entries)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert balance(shuffled, at) == found
    if all(each.expires_at is None for each in entries):
        assert found == came_in - spent + overspent([each for each in entries if each.at <= at])
    if found and not overspent(entries):
        assert overspent([*entries, Entry(at, -found - 1, None)]) >= 1


@pytest.mark.parametrize("open_too", [False, True])
def test_nobody_can_be_found_who_was_forgotten(ledger: Ledger, tmp_path: Path, open_too: bool) -> None:
    key = "keyofacontact0001"
    another = None if ledger.file is None else sqlite3.connect(ledger.file)
    if another is not None:
        another.execute("select count(*) from meta").fetchall()
    with locked(ledger, "a test") as epoch:
        who = members([PERSON, "b"], star=PERSON)
        made = [contact(key, PERSON, address="a" * 32, payload="p" * 32, award=5), contact("other", "b", batch="b2")]
        serial = accepted(ledger, epoch, new_run("p1"), made, who, [NewPoints(PERSON, CLOCK, "o", 9, "orders", "O-77")])
        if not open_too:
            deliver(ledger, epoch, "b1")
            deliver(ledger, epoch, "b2")
            finish(ledger, epoch, serial)
    if not open_too:
        record(ledger, [Report(key, "opened", CLOCK)])
    with snapshot(ledger) as connection:
        given_out = held(connection, PERSON)
        assert held(connection, "nobody") == {}
    assert [one["name"] for one in given_out["memberships"]] == ["star"]
    assert [one["key"] for one in given_out["contacts"]] == [key]
    assert [one["amount"] for one in given_out["points"]] == [9, 5]
    assert len(given_out["outcomes"]) == (0 if open_too else 1)
    assert len(given_out["payloads"]) == (1 if open_too else 0)
    with locked(ledger, "a test") as epoch:
        done = forget(ledger, epoch, PERSON)
        assert (done.known, done.before, done.contacts, done.cancelled) == (True, False, 1, int(open_too))
        again = forget(ledger, epoch, PERSON)
        assert (again.known, again.before) == (False, True)
        if open_too:
            for each in open_batches_of(ledger, serial):
                deliver(ledger, epoch, each)
            finish(ledger, epoch, serial)
    assert intact(ledger)
    found = past(ledger, PERSON, "b")
    assert found.forgotten.tolist() == [True, False]
    assert len(found.contacts) == (1 if open_too else 2)
    with snapshot(ledger) as connection:
        assert held(connection, PERSON) == {}
        assert contact_counts(connection, serial)["cancelled"] == int(open_too)
        for name in ("memberships", "contacts", "points", "outcomes"):
            assert set(related(connection, name, DAY, ZONE)["customer"].to_pylist()) <= {"b"}  # type: ignore[arg-type]
        assert "O-77" not in connection.scalars(sa.select(points.c.source_row)).all()
    if ledger.file is not None:
        rest = b"".join(file.read_bytes() for file in ledger.file.parent.iterdir())
        for secret in (PERSON, key, "O-77", "a" * 32, "p" * 32):
            assert secret.encode() not in rest, secret
    if another is not None:
        another.close()
    with locked(ledger, "a test") as epoch, pytest.raises(Conflict) as stopped:
        accepted(ledger, epoch, new_run("p2"), [contact("new", PERSON)])
    assert codes(stopped) == ["P918"]


def test_a_reader_in_the_way_of_overwriting_is_told_of(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    if ledger.file is None:
        pytest.skip("only a file has a journal that readers hold")
    applied(ledger, "p1", members(["a", PERSON], star="a"))
    monkeypatch.setattr("segrules.state.place.BUSY_SECONDS", 0.1)
    impatient = opened(str(ledger.file), ledger.file.parent)
    with locked(impatient, "a test") as epoch:
        with snapshot(ledger), pytest.raises(SegrulesError) as stopped:
            forget(impatient, epoch, PERSON)
        assert codes(stopped) == ["P908"]
        assert forget(impatient, epoch, PERSON).before
    assert PERSON.encode() not in b"".join(file.read_bytes() for file in ledger.file.parent.iterdir())


def open_batches_of(ledger: Ledger, serial: int) -> list[str]:
    with snapshot(ledger) as connection:
        return [each.id for each in open_batches(connection, serial)]


def test_one_whom_no_run_has_seen_can_be_forgotten_too(ledger: Ledger) -> None:
    with locked(ledger, "a test") as epoch:
        done = forget(ledger, epoch, PERSON)
    assert (done.known, done.before) == (False, False)
    assert past(ledger, PERSON).forgotten.tolist() == [True]


def test_what_may_be_published_is_not_forgotten(ledger: Ledger) -> None:
    with locked(ledger, "a test") as epoch:
        serial = accepted(ledger, epoch, new_run("p1"), [contact("k", PERSON), contact("l", "b")])
        prepare(ledger, epoch, "b1", "0" * 64)
        with pytest.raises(Conflict) as stopped:
            forget(ledger, epoch, PERSON)
        assert codes(stopped) == ["P946"]
        with snapshot(ledger) as connection:
            assert held(connection, PERSON)["contacts"]
        deliver(ledger, epoch, "b1")
        finish(ledger, epoch, serial)
        assert forget(ledger, epoch, PERSON).contacts == 1


def test_a_copy_is_a_ledger(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(ledger, a="delivered")
    file = tmp_path / "copy.db"
    with transaction(ledger, "other") as connection:
        if ledger.file is None:
            connection.rollback()
        programs = [str(each) for each in Path("/usr/lib/postgresql").glob("*/bin")]
        monkeypatch.setenv("PATH", os.pathsep.join([*programs, os.environ["PATH"]]))
        backup(ledger, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob(".*part*")) == []
    with pytest.raises(Refused) as stopped:
        backup(ledger, file)
    assert codes(stopped) == ["P947"]
    if ledger.file is None:
        listed = subprocess.run(["pg_restore", "--list", file], capture_output=True, text=True, check=True).stdout
        assert "TABLE DATA segrules contacts" in listed
        monkeypatch.setattr(shutil, "which", lambda _: None)
        with pytest.raises(SegrulesError) as stopped:
            backup(ledger, tmp_path / "more.db")
        assert codes(stopped) == ["P949"]
    else:
        copy = opened(str(file), tmp_path)
        with snapshot(copy) as connection:
            assert len(runs(connection)) == 1
            assert audit.verify(connection) is None
    with pytest.raises(SegrulesError) as stopped:
        backup(ledger, tmp_path / "nowhere" / "copy.db")
    assert codes(stopped) == ["P948" if ledger.file is None else "P916"]
    assert not (tmp_path / "more.db").exists()


@pytest.mark.parametrize(("end", "state_after", "left"), [("delivered", "delivered", 50), ("not-sent", "rejected", 0)])
def test_an_unknown_end_is_told_by_hand(ledger: Ledger, end: str, state_after: str, left: int) -> None:
    sent(ledger, a="unknown", b="delivered")
    with locked(ledger, "a test") as epoch:
        assert resolve(ledger, epoch, "a", end)  # type: ignore[arg-type]
        assert not resolve(ledger, epoch, "a", end)  # type: ignore[arg-type]
        for key, code in (("nobody", "P957"), ("b", "P958")):
            with pytest.raises(Refused) as stopped:
                resolve(ledger, epoch, key, "not-sent")
            assert codes(stopped) == [code]
    assert state_of(ledger, "a") == state_after
    with snapshot(ledger) as connection:
        assert balance_of(connection, "customer a", CLOCK) == left
    assert intact(ledger)


def test_what_deciding_needs_is_never_pruned(ledger: Ledger) -> None:
    keys = "abcd"
    for at, inside in enumerate(("ab", "bc", "cd", "d")):
        applied(ledger, f"p{at}", members(keys, star=inside), as_of=DAY + at)
    with locked(ledger, "a test") as epoch:
        made = [contact(f"k{key}", key, address=f"address {key}", payload="x", per="east") for key in "abc"]
        made.append(contact("kb2", "b", address="address b", action="thanks"))
        serial = accepted(
            ledger, epoch, new_run("p9", DAY + 4), made, Members(list(keys), members(keys, star="d").names)
        )
        cancel(ledger, epoch, ["kc", "kb2"], "no consent")
        deliver(ledger, epoch, "b1")
        finish(ledger, epoch, serial)
    reports = [
        Report("ka", "opened", CLOCK),
        Report("kb", "unsubscribed", CLOCK),
        Report("kb2", "subscribed", CLOCK + 1),
    ]
    record(ledger, reports)

    def known() -> object:
        with snapshot(ledger) as connection:
            found = history(connection, list(keys), [("star", ())], ZONE)
            stays = related(connection, "memberships", DAY + 9, ZONE).to_pylist()
        told = [
            getattr(found.contacts, name).tolist()
            for name in ("row", "action", "state", "at", "day", "n", "cost", "address", "per", "open")
        ]
        star = found.standing["star"]
        alive = [one for one in stays if one["left_at"] is None]
        return told, {k: v.tolist() for k, v in found.unsubscribed.items()}, star.members.tolist(), (
            star.since[star.members].tolist(), star.cause[star.members].tolist(), alive
        )  # fmt: skip

    before = known()
    with locked(ledger, "a test") as epoch:
        assert prune(ledger, epoch, DAY) == Pruned(0)
        done = prune(ledger, epoch, DAY + 9)
        assert (done.serial, done.contacts, done.outcomes) == (serial, 1, 1)
        assert done.stays > 0
        assert prune(ledger, epoch, DAY + 9) == Pruned(serial)
    assert known() == before
    assert intact(ledger)
    with snapshot(ledger) as connection:
        assert related(connection, "memberships", DAY + 9, ZONE)["customer"].to_pylist() == ["d"]
    applied(ledger, "p10", members("abcd", star="ad"), as_of=DAY + 10)
    with snapshot(ledger) as connection:
        found = related(connection, "memberships", DAY + 10, ZONE).to_pylist()
    assert sorted((one["customer"], one["entered_at"].isoformat()) for one in found) == [
        ("a", "2024-10-14"), ("d", "2024-10-06"),
    ]  # fmt: skip


def test_an_unfinished_run_is_never_pruned(ledger: Ledger) -> None:
    applied(ledger, "p1", members("ab", star="a"))
    with locked(ledger, "a test") as epoch:
        accepted(ledger, epoch, new_run("p2", DAY + 1), [contact("k", "a")], members("ab", star="b"))
        assert prune(ledger, epoch, DAY + 9).serial == 1
    with snapshot(ledger) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(customers)) == 2
        assert len(open_batches(connection, 2)) == 1
