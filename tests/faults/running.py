"""Scenarios run one after another in one world, and counted.

In: a sink, scenarios.  Out: a test that fails with everything that was found wrong, and says how many faults struck.
Always: a ledger on SQLite lies in memory where the machine has a folder for that: nothing here is about a disk's speed.

    run(request, "sqlite", "files", SCENARIOS)
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.cases import Scenario, struck
from tests.faults.receiver import receiving
from tests.faults.world import World

MEMORY = Path("/dev/shm")


def run(request: pytest.FixtureRequest, database: str, sink: str, scenarios: Sequence[Scenario]) -> set[str]:
    """The names of all effects that were passed. Raises `AssertionError`."""
    url = request.getfixturevalue("postgres_url") if database == "postgres" else None
    faults: Counter[str] = Counter()
    names: set[str] = set()
    wrong: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="segrules-faults-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        world = World.made(folder / "world", database, sink, url)
        with receiving() as receiver:
            for scenario in scenarios:
                tally = struck(world, scenario, receiver, names)
                faults.update(tally.faults)
                names |= tally.names
                wrong += tally.wrong
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    request.node.user_properties.append(("faults", f"{sink} on {database}", dict(faults)))
    assert not wrong, "\n".join([f"{len(wrong)} wrong:", *wrong[:40]])
    assert faults.total() > 0
    return names
