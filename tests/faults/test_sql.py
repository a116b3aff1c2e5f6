"""Databases: every effect × every fault × both ledgers; a batch is in the target once, whoever heard of its commit."""

from __future__ import annotations

import pytest

from tests.faults.cases import Scenario
from tests.faults.running import run
from tests.ledgers import DATABASES

SCENARIOS = (
    Scenario("apply"),
    Scenario("resume", before="sql.commit", unsubscribed=True),
    Scenario("resume", before="outbox.deliver.commit", unsubscribed=True),
    Scenario("abandon", before="sql.commit"),
    Scenario("abandon", before="outbox.deliver.commit"),
)
NAMES = {
    "lock.commit", "accept.commit", "outbox.prepare.commit", "sql.commit", "outbox.deliver.commit",
    "outbox.finish.commit", "outbox.reopen.commit", "outbox.cancel.commit", "outbox.abandon.commit",
}  # fmt: skip
"""Every effect that there is on the way to a table."""


@pytest.mark.parametrize("database", DATABASES)
def test_sql(request: pytest.FixtureRequest, database: str) -> None:
    assert run(request, database, "sql", SCENARIOS) == NAMES
