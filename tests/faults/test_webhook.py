"""Webhooks: every effect × every fault × both promises, with a receiver that behaves in bad ways."""

from __future__ import annotations

import pytest

from tests.faults.cases import Scenario
from tests.faults.receiver import BEHAVIOURS
from tests.faults.running import run

ANY_LEDGER = (
    Scenario("apply"),
    Scenario("apply", behaviour="500 done"),
    Scenario("resume", before="outbox.settle.commit", unsubscribed=True),
    Scenario("resume", before="outbox.send.commit", unsubscribed=True),
    Scenario("abandon", before="outbox.settle.commit"),
    Scenario("abandon", before="outbox.send.commit"),
)
EVERY_BEHAVIOUR = (
    *ANY_LEDGER,
    *(Scenario("apply", behaviour=each) for each in BEHAVIOURS if each not in ("ok", "500 done")),
)
NAMES = {
    "lock.commit", "accept.commit", "outbox.send.commit", "webhook.post", "outbox.settle.commit",
    "outbox.close.commit", "outbox.finish.commit", "outbox.cancel.commit", "outbox.abandon.commit",
}  # fmt: skip
"""Every effect that there is on the way to a receiver."""


@pytest.mark.parametrize("sink", ["webhook", "honouring webhook"])
def test_webhook(request: pytest.FixtureRequest, sink: str) -> None:
    assert run(request, "sqlite", sink, EVERY_BEHAVIOUR) == NAMES
