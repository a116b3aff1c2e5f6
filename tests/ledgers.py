"""Ledgers for tests: an empty one on each database, and runs to put in.

In: nothing, or what a run should hold.  Out: fixtures `state` (what `policies.yaml` would say) and `ledger`; `NewRun`s,
contacts and members that are right but for what the test is about.

    serial = applied(ledger, "p1", members("ab", star="a"))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from segrules.state.accept import accept
from segrules.state.ledger import Ledger, created, locked, opened
from segrules.state.outbox import finish
from segrules.state.records import MemberChange, Members, NewBatch, NewContact, NewPoints, NewRun, Payload

DATABASES = ("sqlite", "postgres")
ZONE = "Asia/Shanghai"
DAY = 20_000
CLOCK = DAY * 86_400_000_000
"""2024-10-04T00:00Z: eight in the morning of that day in the zone."""


@pytest.fixture(params=DATABASES)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a ledger could be, on each database."""
    if request.param == "sqlite":
        return "state/ledger.db"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(state: str, tmp_path: Path) -> Ledger:
    """An empty ledger."""
    created(state, tmp_path)
    return opened(state, tmp_path)


@pytest.fixture
def epoch(ledger: Ledger) -> Iterator[int]:
    """The lock of that ledger, held."""
    with locked(ledger, "a test") as number:
        yield number


def new_run(plan_id: str, as_of: int = DAY, planned_at: int = CLOCK) -> NewRun:
    return NewRun(plan_id, as_of, planned_at, "m" * 64, "0.1.0", None, None, "dev", "zhang@web1", True, "{}")


def contact(key: str, customer: str, **other: object) -> NewContact:
    given: dict[str, object] = {
        "action": "winback", "n": 1, "state": "reserved", "channel": "sms", "contact_class": "marketing",
        "variant": None, "cost": 500, "batch": "b1",
    }  # fmt: skip
    return NewContact(key=key, customer=customer, **(given | other))  # type: ignore[arg-type]


def batch(name: str = "b1") -> NewBatch:
    return NewBatch(name, "winback", "sms", "files", "files", "winback.sms", {"folder": "out"})


def payload(key: str, of_batch: str = "b1") -> Payload:
    return Payload(key, of_batch, f'{{"message":"您好 {key}"}}'.encode())


def members(keys: Sequence[str], previously: Mapping[str, Sequence[str]] | None = None, **names: str) -> Members:
    """*names*: who is in each, as letters; a fingerprint may follow a colon: ``star="ab:f2"``."""
    found = []
    for name, written in names.items():
        inside, _, fingerprint = written.partition(":")
        bits = np.array([key in inside for key in keys], np.bool_)
        found.append(MemberChange(name, fingerprint or "f1", bits, tuple((previously or {}).get(name, ()))))
    return Members(list(keys), found)


def accepted(
    ledger: Ledger, epoch: int, run: NewRun, contacts: Sequence[NewContact] = (), who: Members | None = None,
    points: Sequence[NewPoints] = (),
) -> int:  # fmt: skip
    """A run whose batches and payloads follow from its contacts."""
    owed = [each for each in contacts if each.state == "reserved" and each.batch is not None]
    names = sorted({each.batch for each in owed if each.batch is not None})
    payloads = [payload(each.key, str(each.batch)) for each in owed]
    known = Members(sorted({each.customer for each in contacts}), []) if who is None else who
    return accept(ledger, epoch, run, contacts, payloads, [batch(name) for name in names], points, known)


def applied(ledger: Ledger, plan_id: str, who: Members, as_of: int = DAY) -> int:
    """A run without contacts, from lock to finish."""
    with locked(ledger, "a test") as epoch:
        serial = accepted(ledger, epoch, new_run(plan_id, as_of), who=who)
        finish(ledger, epoch, serial)
    return serial
