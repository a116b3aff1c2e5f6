"""Members of segments over many runs: what the ledger remembers is what a plain model of lists says.

Sequences of runs in which customers come and go, segments appear, vanish, change their rule and take each other's
names. `SEGRULES_EXAMPLES` multiplies the number of sequences and then tries other ones each time (`make fuzz`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules.state import audit
from segrules.state.history import history
from segrules.state.ledger import Ledger, created, opened, snapshot, transaction
from segrules.state.memberships import forget_stays_before, stays, stays_of_customer
from segrules.state.records import CAUSES
from segrules.state.related import related
from segrules.state.schema import customers
from tests.ledgers import DAY, ZONE, accepted, members, new_run

FACTOR = int(os.environ.get("SEGRULES_EXAMPLES", "1"))


@dataclass
class Naive:
    """The same in the plainest way: every stay is a list of three."""

    records: list[dict[str, Any]] = field(default_factory=list)
    days: list[int] = field(default_factory=lambda: [0])

    def run(self, as_of: int, keys: str, today: dict[str, tuple[set[str], str, tuple[str, ...]]]) -> None:
        self.days.append(as_of)
        serial = len(self.days) - 1
        goes_on = self.goes_on(today)
        for name, (inside, fingerprint, _) in today.items():
            record = goes_on.get(name)
            if record is None:
                record = {"stays": [], "fingerprint": fingerprint, "causes": {serial: "baseline"}}
                self.records.append(record)
            cause = "data" if record["fingerprint"] == fingerprint else "rule"
            record["causes"].setdefault(serial, cause)
            record["fingerprint"], record["name"] = fingerprint, name
            self.members(record, inside & set(keys), serial)
        for record in self.records:
            if record["name"] not in today or not any(
                record is each for each in (*goes_on.values(), *self.new(serial))
            ):
                record["fingerprint"] = ""
                self.members(record, set(), serial)

    def new(self, serial: int) -> list[dict[str, Any]]:
        return [record for record in self.records if record["causes"].get(serial) == "baseline"]

    def goes_on(self, today: dict[str, tuple[set[str], str, tuple[str, ...]]]) -> dict[str, dict[str, Any]]:
        known = {record["name"]: record for record in self.records}
        found: dict[str, dict[str, Any]] = {}
        for name, (_, _, previously) in today.items():
            formers = [each for each in previously if each in known and known[each] not in found.values()]
            if name not in known and formers:
                found[name] = known[formers[-1]]
        for name in today:
            if name in known and not any(known[name] is each for each in found.values()):
                found[name] = known[name]
        return found

    def members(self, record: dict[str, Any], inside: set[str], serial: int) -> None:
        open_stays = {stay[0]: stay for stay in record["stays"] if stay[2] == 0}
        for key in sorted(open_stays.keys() - inside):
            open_stays[key][2] = serial
        for key in sorted(inside - open_stays.keys()):
            record["stays"].append([key, serial, 0])

    def rows(self, as_of: int) -> list[tuple[Any, ...]]:
        return sorted(
            (
                (key, record["name"], _date(self.days[entered]), left_at if left and self.days[left] <= as_of else None)
                for record in self.records
                for key, entered, left in record["stays"]
                if self.days[entered] <= as_of
                for left_at in [_date(self.days[left])]
            ),
            key=str,
        )


KEYS = "abcdef"
NAMES = ("n1", "n2", "n3")
in_a_name = st.tuples(
    st.sets(st.sampled_from(KEYS)),
    st.sampled_from(["f1", "f2"]),
    st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
)
one_run = st.tuples(
    st.integers(0, 3), st.sets(st.sampled_from(KEYS)), st.dictionaries(st.sampled_from(NAMES), in_a_name)
)
SEQUENCES = st.lists(one_run, min_size=1, max_size=6)
NUMBERS = count()


@settings(max_examples=40 * FACTOR, deadline=None, derandomize=FACTOR == 1)
@given(sequence=SEQUENCES, kept=st.integers(0, 6))
def test_memberships_on_sqlite(tmp_path_factory: pytest.TempPathFactory, sequence: Any, kept: int) -> None:
    remembers("ledger.db", tmp_path_factory.mktemp("ledger"), sequence, kept)


@settings(
    max_examples=12 * FACTOR, deadline=None, derandomize=FACTOR == 1,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(sequence=SEQUENCES, kept=st.integers(0, 6))
def test_memberships_on_postgresql(postgres_url: str, tmp_path: Path, sequence: Any, kept: int) -> None:
    remembers(f"{postgres_url}?schema=s{next(NUMBERS)}", tmp_path, sequence, kept)


def remembers(where: str, folder: Path, sequence: Any, kept: int) -> None:
    """Run after run, related tables of several days and what is known before the next; then what is left of it when
    what ended long ago is dropped."""
    created(where, folder)
    ledger, model, as_of = opened(where, folder), Naive(), DAY
    for number, (later, keys, today) in enumerate(sequence):
        as_of += later
        written = {
            name: (inside, fingerprint, tuple(x for x in old if x != name))
            for name, (inside, fingerprint, old) in today.items()
        }
        present = "".join(sorted(keys))
        model.run(as_of, present, written)
        who = members(
            present, {name: old for name, (_, _, old) in written.items()},
            **{name: f"{''.join(sorted(inside))}:{fingerprint}" for name, (inside, fingerprint, _) in written.items()},
        )  # fmt: skip
        accepted(ledger, 0, new_run(f"p{number}", as_of), who=who)
        for day in (as_of, (DAY + as_of) // 2):
            assert sorted(rows(ledger, day), key=str) == model.rows(day)
    same_standing(ledger, model)
    with snapshot(ledger) as connection:
        assert audit.verify(connection) is None
        everything = {name: list(zip(*_lists(each), strict=True)) for name, each in stays(connection)}
        for key, ordinal in connection.execute(sa.select(customers.c.key, customers.c.ordinal)).all():
            expected = [
                (name, entered, left)
                for name, found in everything.items()
                for o, entered, left in found
                if o == ordinal
            ]
            assert stays_of_customer(connection, ordinal) == expected, key
    with transaction(ledger, "prune") as connection:
        forget_stays_before(connection, kept)
        after = {name: list(zip(*_lists(each), strict=True)) for name, each in stays(connection)}
    for name, found in everything.items():
        assert set(after[name]) <= set(found)
        assert {stay for stay in found if not 0 < stay[2] <= kept} <= set(after[name])
    same_standing(ledger, model)


def same_standing(ledger: Ledger, model: Naive) -> None:
    with snapshot(ledger) as connection:
        found = history(connection, list(KEYS), [(name, ()) for name in NAMES], ZONE)
    assert set(found.standing) == {record["name"] for record in model.records}
    for record in model.records:
        standing = found.standing[record["name"]]
        expected = {key: entered for key, entered, left in record["stays"] if left == 0}
        inside = {key: at for at, key in enumerate(KEYS) if standing.members[at]}
        assert standing.fingerprint == record["fingerprint"]
        assert {key: int(standing.since[at]) for key, at in inside.items()} == expected
        assert {key: CAUSES[standing.cause[at]] for key, at in inside.items()} == {
            key: record["causes"][entered] for key, entered in expected.items()
        }


def _lists(each: Any) -> list[list[int]]:
    return [np.asarray(column).tolist() for column in (each.ordinal, each.entered, each.left)]


def rows(ledger: Ledger, as_of: int) -> list[tuple[Any, ...]]:
    with snapshot(ledger) as connection:
        return [tuple(row.values()) for row in related(connection, "memberships", as_of, ZONE).to_pylist()]


def _date(day: int) -> date:
    return date(1970, 1, 1) + timedelta(days=day)
