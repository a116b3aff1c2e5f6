"""Files: every effect × every fault × both ledgers; nobody is lost, or twice, or in a file that is half written."""

from __future__ import annotations

import pytest

from tests.faults.cases import Scenario
from tests.faults.running import run
from tests.ledgers import DATABASES

SCENARIOS = (
    Scenario("apply"),
    Scenario("resume", before="files.rename"),
    Scenario("resume", before="files.rename", unsubscribed=True),
    Scenario("resume", before="outbox.deliver.commit", unsubscribed=True),
    Scenario("abandon", before="files.sync"),
    Scenario("abandon", before="files.rename"),
    Scenario("abandon", before="outbox.deliver.commit"),
)
NAMES = {
    "lock.commit", "accept.commit", "files.folder", "files.write", "files.sync", "files.sync_folder",
    "outbox.prepare.commit", "files.rename", "files.sync_published", "outbox.deliver.commit", "outbox.finish.commit",
    "outbox.reopen.commit", "outbox.cancel.commit", "files.withdraw", "outbox.abandon.commit",
}  # fmt: skip
"""Every effect that there is on the way to a file."""


@pytest.mark.parametrize("database", DATABASES)
def test_files(request: pytest.FixtureRequest, database: str) -> None:
    assert run(request, database, "files", SCENARIOS) == NAMES
