"""Webhooks with a ledger on PostgreSQL: every effect × every fault × both promises."""

from __future__ import annotations

import pytest

from tests.faults.running import run
from tests.faults.test_webhook import ANY_LEDGER, NAMES


@pytest.mark.parametrize("sink", ["webhook", "honouring webhook"])
def test_webhook(request: pytest.FixtureRequest, sink: str) -> None:
    assert run(request, "postgres", sink, ANY_LEDGER) == NAMES
