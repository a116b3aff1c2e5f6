"""What a run leaves in the ledger: contacts and what became of them, members, history, related tables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from segrules.errors import Conflict
from segrules.state import audit, outbox
from segrules.state.customers import mark, nobody
from segrules.state.history import history
from segrules.state.ledger import Ledger, identity, snapshot, transaction
from segrules.state.records import CAUSES, CONTACT_STATES, History, NewPoints
from segrules.state.related import related
from segrules.state.runs import by_plan, contact_counts, unfinished
from segrules.state.schema import contacts, customers, forgotten, names, outcomes, points
from tests.ledgers import CLOCK, DAY, ZONE, accepted, applied, contact, members, new_run
from tests.ledgers import epoch as epoch
from tests.ledgers import ledger as ledger
from tests.ledgers import state as state

HOUR = 3_600_000_000


def before(ledger: Ledger, keys: str, *wanted: str, **renames: tuple[str, ...]) -> History:
    with snapshot(ledger) as connection:
        return history(connection, list(keys), [(name, renames.get(name, ())) for name in wanted], ZONE)


def rows(
    ledger: Ledger, name: Any, as_of: int = DAY + 1000, renamed: dict[str, str] | None = None
) -> list[tuple[Any, ...]]:
    with snapshot(ledger) as connection:
        table = related(connection, name, as_of, ZONE, renamed)
    return [tuple(row.values()) for row in table.to_pylist()]


def states(ledger: Ledger) -> dict[str, str]:
    with snapshot(ledger) as connection:
        return {row.key: row.state for row in connection.execute(sa.select(contacts.c.key, contacts.c.state))}


def bodies(ledger: Ledger) -> list[bytes]:
    with snapshot(ledger) as connection:
        return [bytes(body) for body in connection.scalars(sa.select(outbox.outbox.c.body))]


def test_a_run_is_there_with_all_that_it_owes(ledger: Ledger, epoch: int) -> None:
    given_contacts = [
        contact("k1", "a", address="h1", payload="p1", variant="x", assignee="王", per="north", award=20),
        contact("k2", "b", state="held_out", batch=None),
        contact("k3", "c", batch="b2", task=True, due=DAY + 14),
    ]
    serial = accepted(ledger, epoch, new_run("p1"), given_contacts, members("abc", star="ac"))
    assert serial == 1
    with snapshot(ledger) as connection:
        run = unfinished(connection)
        assert run is not None and run == by_plan(connection, "p1")
        assert (run.serial, run.as_of, run.customers, run.contacts, run.state) == (1, DAY, 3, 3, "unfinished")
        assert identity(connection).serial == 1
        assert audit.verify(connection) is None
        assert contact_counts(connection, 1) == dict.fromkeys(CONTACT_STATES, 0) | {"reserved": 2, "held_out": 1}
        assert [each.id for each in outbox.open_batches(connection, 1)] == ["b1", "b2"]
        assert outbox.open_batches(connection, 1)[0].settings == {"folder": "out"}
        assert [each.body for each in outbox.payloads(connection, "b1")] == ['{"message":"您好 k1"}'.encode()]
        found = outbox.run_contacts(connection, 1)
    assert [(each.key, each.customer, each.state) for each in found] == [
        ("k1", "a", "reserved"), ("k2", "b", "held_out"), ("k3", "c", "reserved"),
    ]  # fmt: skip
    assert rows(ledger, "points") == [("a", _instant(CLOCK), "winback", 20, None)]


def test_a_plan_is_accepted_once(ledger: Ledger, epoch: int) -> None:
    accepted(ledger, epoch, new_run("p1"), [contact("k1", "a")])
    with pytest.raises(Conflict, match="run 1") as raised:
        accepted(ledger, epoch, new_run("p1"), [contact("k9", "a")])
    assert raised.value.diagnostics[0].code == "P914"
    assert states(ledger) == {"k1": "reserved"}


def test_a_contact_is_recorded_once_unless_it_was_cancelled(ledger: Ledger, epoch: int) -> None:
    accepted(ledger, epoch, new_run("p1"), [contact("k1", "a"), contact("k2", "b")])
    outbox.cancel(ledger, epoch, ["k2"], "no consent")
    with pytest.raises(Conflict) as raised:
        accepted(ledger, epoch, new_run("p2"), [contact("k3", "c", batch="b2"), contact("k1", "a", batch="b2")])
    assert raised.value.diagnostics[0].code == "P915"
    with snapshot(ledger) as connection:
        assert identity(connection).serial == 1
        assert by_plan(connection, "p2") is None
        assert list(connection.scalars(sa.select(customers.c.key))) == ["a", "b"]
    accepted(ledger, epoch, new_run("p2"), [contact("k2", "b", batch="b2")])


def test_files_are_delivered_whole(ledger: Ledger, epoch: int) -> None:
    serial = accepted(ledger, epoch, new_run("p1"), [contact("k1", "a"), contact("k2", "b", batch="b2")])
    for _ in range(2):
        outbox.prepare(ledger, epoch, "b1", "f" * 64)
    with snapshot(ledger) as connection:
        assert [(each.id, each.state, each.sha256) for each in outbox.open_batches(connection, serial)] == [
            ("b1", "prepared", "f" * 64), ("b2", "pending", None),
        ]  # fmt: skip
    for _ in range(2):
        outbox.deliver(ledger, epoch, "b1")
    outbox.prepare(ledger, epoch, "b1", "0" * 64)
    with snapshot(ledger) as connection:
        assert [each.id for each in outbox.open_batches(connection, serial)] == ["b2"]
    assert states(ledger) == {"k1": "delivered", "k2": "reserved"}
    assert len(bodies(ledger)) == 1
    with pytest.raises(AssertionError):
        outbox.finish(ledger, epoch, serial)
    outbox.deliver(ledger, epoch, "b2")
    for _ in range(2):
        outbox.finish(ledger, epoch, serial)
    with snapshot(ledger) as connection:
        assert unfinished(connection) is None
        assert audit.verify(connection) is None
    assert bodies(ledger) == []


def test_windows_are_settled_contact_by_contact(ledger: Ledger, epoch: int) -> None:
    keys = [f"k{number}" for number in range(6)]
    serial = accepted(ledger, epoch, new_run("p1"), [contact(key, key, award=5) for key in keys])
    outbox.send(ledger, epoch, "b1", keys[:5], 1, "f" * 64)
    assert states(ledger) == dict.fromkeys(keys[:5], "sending") | {"k5": "reserved"}
    with snapshot(ledger) as connection:
        found = outbox.run_contacts(connection, serial, ["sending"])
        assert [(each.attempt, each.body_hash) for each in found] == [(1, "f" * 64)] * 5
        assert outbox.open_batches(connection, serial)[0].state == "sending"
    outbox.settle(
        ledger, epoch, "b1",
        {"k0": "delivered", "k1": "rejected", "k2": "unknown", "k3": "reserved", "k4": "cancelled"},
        {"k1": "400", "k2": "timeout", "k4": "no consent"},
    )  # fmt: skip
    expected = {
        "k0": "delivered",
        "k1": "rejected",
        "k2": "unknown",
        "k3": "reserved",
        "k4": "cancelled",
        "k5": "reserved",
    }
    assert states(ledger) == expected
    with snapshot(ledger) as connection:
        assert [each.key for each in outbox.payloads(connection, "b1")] == ["k3", "k5"]
        assert [each.key for each in outbox.payloads(connection, "b1", ["unknown"])] == ["k2"]
        assert {each.key: each.reason for each in outbox.run_contacts(connection, serial)} == {
            "k0": None, "k1": "400", "k2": "timeout", "k3": None, "k4": "no consent", "k5": None,
        }  # fmt: skip
    assert {row[0] for row in rows(ledger, "points")} == {"k0", "k2", "k3", "k5"}
    assert sorted(bodies(ledger)) == [f'{{"message":"您好 {key}"}}'.encode() for key in ("k2", "k3", "k5")]
    outbox.settle(ledger, epoch, "b1", {"k0": "rejected", "k1": "delivered", "k4": "delivered"})
    assert states(ledger) == expected
    outbox.settle(ledger, epoch, "b1", {"k2": "delivered", "k3": "delivered", "k5": "delivered"})
    outbox.close(ledger, epoch, "b1")
    outbox.finish(ledger, epoch, serial)
    with snapshot(ledger) as connection:
        assert unfinished(connection) is None


def test_an_abandoned_run_has_an_end(ledger: Ledger, epoch: int) -> None:
    serial = accepted(
        ledger, epoch, new_run("p1"), [contact("k1", "a"), contact("k2", "b"), contact("k3", "c", state="held_out")]
    )
    outbox.send(ledger, epoch, "b1", ["k1"], 1, "f")
    outbox.abandon(ledger, epoch, serial, "abandoned")
    outbox.finish(ledger, epoch, serial)
    assert states(ledger) == {"k1": "unknown", "k2": "cancelled", "k3": "held_out"}
    assert bodies(ledger) == []


def test_more_contacts_than_one_statement_takes(ledger: Ledger, epoch: int) -> None:
    keys = [f"k{number}" for number in range(1300)]
    accepted(ledger, epoch, new_run("p1"), [contact(key, key) for key in keys])
    outbox.send(ledger, epoch, "b1", keys, 1, "f")
    outbox.settle(ledger, epoch, "b1", dict.fromkeys(keys[:700], "delivered") | dict.fromkeys(keys[700:], "reserved"))
    outbox.cancel(ledger, epoch, keys, "no consent")
    with snapshot(ledger) as connection:
        counts = contact_counts(connection, 1)
    assert (counts["delivered"], counts["cancelled"]) == (700, 600)


def test_a_source_row_brings_points_once(ledger: Ledger, epoch: int) -> None:
    first = NewPoints("a", CLOCK, "order", 10, "orders", "o1", CLOCK + HOUR)
    again = NewPoints("a", CLOCK + 1, "order", 99, "orders", "o1")
    accepted(ledger, epoch, new_run("p1"), points=[first, again, NewPoints("z", CLOCK, "order", 5, "orders", "o2")])
    accepted(ledger, epoch, new_run("p2"), points=[again])
    assert rows(ledger, "points") == [
        ("a", _instant(CLOCK), "order", 10, _instant(CLOCK + HOUR)), ("z", _instant(CLOCK), "order", 5, None),
    ]  # fmt: skip


def test_past_contacts_by_row_of_the_run(ledger: Ledger, epoch: int) -> None:
    late = CLOCK + 17 * HOUR
    accepted(ledger, epoch, new_run("p1"), [
        contact("k1", "b", address="h1", per="north", assignee="王"), contact("k2", "gone", channel="visit", task=True),
        contact("k3", "a", state="held_out", task=True), contact("k4", "c"),
        contact("k5", "a", channel="visit", task=True),
    ])  # fmt: skip
    outbox.cancel(ledger, epoch, ["k4"], "no consent")
    outbox.deliver(ledger, epoch, "b1")
    accepted(ledger, epoch, new_run("p2", DAY, late), [contact("k6", "b", n=2, batch="b2", cost=7)])
    with transaction(ledger, "test") as connection:
        done = sa.select(contacts.c.id).where(contacts.c.key == "k5").scalar_subquery()
        connection.execute(sa.insert(outcomes).values(contact=done, kind="task done", at=late))
    found = before(ledger, "abc").contacts
    assert len(found) == 5
    assert found.row.tolist() == [1, -1, 0, 0, 1]
    assert [CONTACT_STATES[code] for code in found.state] == [
        "delivered",
        "delivered",
        "held_out",
        "delivered",
        "reserved",
    ]
    assert (found.at - CLOCK).tolist() == [0, 0, 0, 0, 17 * HOUR]
    assert (found.day - DAY).tolist() == [0, 0, 0, 0, 1]
    assert (found.serial.tolist(), found.n.tolist()) == ([1, 1, 1, 1, 2], [1, 1, 1, 1, 2])
    assert found.cost.tolist() == [500, 500, 500, 500, 7]
    assert found.open.tolist() == [False, True, False, False, False]

    def told(name: str, codes: Any) -> list[str | None]:
        return [None if code < 0 else found.texts[name][code] for code in codes.tolist()]

    assert told("channel", found.channel) == ["sms", "visit", "sms", "visit", "sms"]
    assert told("address", found.address) == ["h1", None, None, None, None]
    assert told("assignee", found.assignee) == ["王", None, None, None, None]
    assert told("per", found.per) == ["north", None, None, None, None]
    assert told("action", found.action) == ["winback"] * 5
    assert told("contact_class", found.contact_class) == ["marketing"] * 5


def test_the_last_word_on_a_channel_counts(ledger: Ledger, epoch: int) -> None:
    accepted(ledger, epoch, new_run("p1"), [
        contact("k1", "a"), contact("k2", "b"), contact("k3", "c", channel="email"), contact("k4", "gone"),
    ])  # fmt: skip
    said = [("k1", "unsubscribed", 1), ("k1", "subscribed", 2), ("k2", "subscribed", 1), ("k2", "unsubscribed", 5),
            ("k3", "unsubscribed", 1), ("k4", "unsubscribed", 1), ("k1", "opened", 9)]  # fmt: skip
    with transaction(ledger, "test") as connection:
        ids = {row.key: row.id for row in connection.execute(sa.select(contacts.c.key, contacts.c.id))}
        for key, kind, at in said:
            connection.execute(sa.insert(outcomes).values(contact=ids[key], kind=kind, at=at))
    found = before(ledger, "abc").unsubscribed
    assert {channel: who.tolist() for channel, who in found.items()} == {
        "sms": [False, True, False], "email": [False, False, True],
    }  # fmt: skip


def test_who_was_forgotten_is_known_and_not_recorded_again(ledger: Ledger, epoch: int) -> None:
    accepted(ledger, epoch, new_run("p1"), [contact("k1", "a", award=3)], members("abc", star="ab"))
    assert not before(ledger, "abc").forgotten.any()
    with transaction(ledger, "test") as connection:
        pepper = identity(connection).pepper
        connection.execute(sa.insert(forgotten).values(mark=mark(pepper, "a"), at=0))
        connection.execute(sa.update(customers).where(customers.c.key == "a").values(key=nobody()))
    found = before(ledger, "abc", "star")
    assert found.forgotten.tolist() == [True, False, False]
    assert found.standing["star"].members.tolist() == [False, True, False]
    assert (rows(ledger, "memberships"), rows(ledger, "contacts"), rows(ledger, "points")) == (
        [("b", "star", _date(DAY), None)], [], [],
    )  # fmt: skip
    with pytest.raises(Conflict, match="forgotten"):
        accepted(ledger, epoch, new_run("p2"), [contact("k2", "a", batch="b2")])
    accepted(
        ledger, epoch, new_run("p2"), who=members("abc", star="abc"), points=[NewPoints("a", CLOCK, "x", 1, "s", "r")]
    )
    with snapshot(ledger) as connection:
        assert sorted(connection.scalars(sa.select(customers.c.key)))[:2] == ["b", "c"]
        assert len(list(connection.scalars(sa.select(customers.c.key)))) == 3
        assert connection.scalar(sa.select(sa.func.count()).select_from(points)) == 1


def test_related_tables_are_cut_at_their_day(ledger: Ledger, epoch: int) -> None:
    late = CLOCK + 16 * HOUR - 1
    accepted(ledger, epoch, new_run("p1", DAY, late), [
        contact("k1", "a", variant="x"), contact("k2", "b", state="held_out"), contact("k3", "c"), contact("k4", "d"),
    ])  # fmt: skip
    outbox.settle(ledger, epoch, "b1", {"k3": "rejected", "k4": "unknown"})
    accepted(ledger, epoch, new_run("p2", DAY, late + 1), [contact("k5", "a", n=2, batch="b2", action="thanks")])
    with transaction(ledger, "test") as connection:
        of_k1 = sa.select(contacts.c.id).where(contacts.c.key == "k1").scalar_subquery()
        for kind, at, value in (("satisfaction", late, 45_000), ("opened", late + 1, None)):
            connection.execute(sa.insert(outcomes).values(contact=of_k1, kind=kind, at=at, value=value))
    first = ("a", "winback", "sms", "x", _instant(late), Decimal("0.0500"))
    unknown = ("d", "winback", "sms", None, _instant(late), Decimal("0.0500"))
    third = ("a", "thanks", "sms", None, _instant(late + 1), Decimal("0.0500"))
    assert rows(ledger, "contacts", DAY - 1) == []
    assert rows(ledger, "contacts", DAY) == [first, unknown]
    assert rows(ledger, "contacts", DAY + 1) == [first, unknown, third]
    assert [row[1] for row in rows(ledger, "contacts", DAY + 1, {"winback": "comeback"})] == [
        "comeback",
        "comeback",
        "thanks",
    ]
    assert rows(ledger, "outcomes", DAY) == [("a", "winback", "sms", "satisfaction", _instant(late), 4.5)]
    assert [row[3] for row in rows(ledger, "outcomes", DAY + 1)] == ["satisfaction", "opened"]


def test_no_row_of_a_hidden_name_is_a_membership(ledger: Ledger) -> None:
    applied(ledger, "p1", members("ab", **{"star": "a", "action:winback": "ab", "value.high": "b"}))
    assert rows(ledger, "memberships") == [("a", "star", _date(DAY), None), ("b", "value.high", _date(DAY), None)]


def test_an_unchanged_run_stores_next_to_nothing(ledger: Ledger) -> None:
    applied(ledger, "p1", members("abc", star="ab", gold=""))
    applied(ledger, "p2", members("abc", star="ab", gold=""), DAY + 1)
    with snapshot(ledger) as connection:
        for table, expected in (("snapshots", 2), ("changes", 0), ("customers", 3), ("runs", 2)):
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == expected


def test_causes(ledger: Ledger) -> None:
    applied(ledger, "p1", members("abc", star="a"))
    applied(ledger, "p2", members("abc", star="ab"), DAY + 1)
    applied(ledger, "p3", members("abc", star="abc:f2"), DAY + 2)
    found = before(ledger, "abc", "star", "never")
    assert found.standing["star"].fingerprint == "f2"
    assert [CAUSES[code] for code in found.standing["star"].cause] == ["baseline", "data", "rule"]
    assert found.standing["star"].since.tolist() == [1, 2, 3]
    assert list(found.standing) == ["star"]
    assert (found.last_as_of, found.before) == (DAY + 2, 3)


def test_a_name_that_comes_back_came_by_a_rule(ledger: Ledger) -> None:
    applied(ledger, "p1", members("ab", star="a", gold="b"))
    applied(ledger, "p2", members("ab", gold="b"), DAY + 1)
    assert before(ledger, "ab", "star").standing["star"].members.tolist() == [False, False]
    applied(ledger, "p3", members("ab", star="ab", gold="b"), DAY + 2)
    standing = before(ledger, "ab", "star").standing["star"]
    assert [CAUSES[code] for code in standing.cause] == ["rule", "rule"]
    assert rows(ledger, "memberships") == [
        ("a", "star", _date(DAY), _date(DAY + 1)), ("a", "star", _date(DAY + 2), None),
        ("b", "star", _date(DAY + 2), None), ("b", "gold", _date(DAY), None),
    ]  # fmt: skip


def test_a_rename_goes_on_with_the_history(ledger: Ledger) -> None:
    applied(ledger, "p1", members("ab", vip="a", other="b"))
    found = before(ledger, "ab", "gold", "vip", gold=("vip",))
    assert (found.standing["gold"].members.tolist(), list(found.standing)) == ([True, False], ["gold"])
    assert rows(ledger, "memberships", DAY, {"vip": "gold"})[0][1] == "gold"
    applied(ledger, "p2", members("ab", {"gold": ["older", "vip"]}, gold="ab", vip="b", other="b"), DAY + 1)
    assert rows(ledger, "memberships") == [
        ("a", "gold", _date(DAY), None), ("b", "gold", _date(DAY + 1), None),
        ("b", "other", _date(DAY), None), ("b", "vip", _date(DAY + 1), None),
    ]  # fmt: skip


def test_one_name_goes_on_with_a_history(ledger: Ledger) -> None:
    applied(ledger, "p1", members("ab", vip="a"))
    renamed = {"gold": ["vip"], "silver": ["vip"]}
    applied(ledger, "p2", members("ab", renamed, gold="a", silver="a", vip="b"), DAY + 1)
    assert rows(ledger, "memberships") == [
        ("a", "gold", _date(DAY), None), ("a", "silver", _date(DAY + 1), None), ("b", "vip", _date(DAY + 1), None),
    ]  # fmt: skip


def test_names_change_places_by_a_chain_of_renames(ledger: Ledger) -> None:
    applied(ledger, "p1", members("abc", one="a", two="b"))
    applied(ledger, "p2", members("abc", {"three": ["two"], "two": ["one"]}, three="b", two="a"), DAY + 1)
    with snapshot(ledger) as connection:
        assert list(connection.scalars(sa.select(names.c.name).order_by(names.c.id))) == ["one", "three", "two"]


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
