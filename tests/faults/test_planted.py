"""The harness can fail: each of these defects, planted into the protocol, is found by it.

In: a step of the protocol that is left out or done wrongly.  Out: what the harness finds wrong, which may not be
nothing.  Always: the same scenarios that find nothing in the protocol as it is.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from segrules.plan import delivering, resuming
from segrules.plan.sinks.files import FileSink
from segrules.plan.sinks.sql import SqlSink
from segrules.plan.sinks.webhook import WebhookSink
from segrules.state import outbox, place
from tests.faults.cases import Scenario, struck
from tests.faults.receiver import receiving
from tests.faults.running import MEMORY
from tests.faults.world import World

Plant = Callable[[pytest.MonkeyPatch], None]


def nothing(*_: Any, **__: Any) -> None:
    pass


def not_prepared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "prepare", nothing)


def published_unseen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FileSink, "published", lambda *_: False)


def in_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FileSink, "_part", FileSink._target)


def nothing_withdrawn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FileSink, "withdraw", nothing)


def still_prepared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "reopen", nothing)


def no_batch_id(patch: pytest.MonkeyPatch) -> None:
    insert = SqlSink._insert

    def careless(self: SqlSink, batch: Any, rows: Any) -> None:
        with self._connected() as connection:
            connection.execute(self._deliveries.delete())
            connection.commit()
        insert(self, batch, rows)

    patch.setattr(SqlSink, "_insert", careless)
    patch.setattr(SqlSink, "published", lambda *_: False)


def not_sent_first(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(outbox, "send", nothing)


def unsure_is_delivered(patch: pytest.MonkeyPatch) -> None:
    step = delivering.after

    def hopeful(*arguments: Any) -> Any:
        found = step(*arguments)
        states = {key: "delivered" if state == "unknown" else state for key, state in found.states.items()}
        return replace(found, states=states, reasons={}, again=())

    patch.setattr(delivering, "after", hopeful)


def new_keys(patch: pytest.MonkeyPatch) -> None:
    request, numbers = WebhookSink.request, count()
    patch.setattr(
        WebhookSink, "request", lambda *args: replace(found := request(*args), body=found.body + b" " * next(numbers))
    )


def no_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(fcntl, "flock", nothing)
    patch.setattr(place, "BUSY_SECONDS", 0.1)


def everybody_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resuming, "_recheck", lambda *_: set())


PLANTED: tuple[tuple[Plant, str, Scenario], ...] = (
    (not_prepared, "files", Scenario("apply")),
    (published_unseen, "files", Scenario("apply")),
    (in_place, "files", Scenario("apply")),
    (nothing_withdrawn, "files", Scenario("abandon", before="files.rename")),
    (still_prepared, "files", Scenario("abandon", before="files.rename")),
    (no_lock, "files", Scenario("apply")),
    (no_batch_id, "sql", Scenario("apply")),
    (not_sent_first, "webhook", Scenario("apply")),
    (unsure_is_delivered, "webhook", Scenario("apply", behaviour="500 not done")),
    (new_keys, "honouring webhook", Scenario("apply", behaviour="500 done")),
    (everybody_goes_on, "files", Scenario("resume", before="files.rename", unsubscribed=True)),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="segrules-faults-", dir=MEMORY if MEMORY.is_dir() else None))
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.mark.parametrize(("plant", "sink", "scenario"), PLANTED, ids=[each[0].__name__ for each in PLANTED])
def test_planted(folder: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant, sink: str, scenario: Scenario) -> None:
    world = World.made(folder / "world", "sqlite", sink, None)
    plant(monkeypatch)
    with receiving() as receiver:
        assert struck(world, scenario, receiver, until_wrong=True).wrong
