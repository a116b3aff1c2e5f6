"""The first ledger of an environment, pinned so that no other ever takes its place.

In: where it will be, the project's folder, the environment.  Out: its lineage.  Always: nothing is made where
segrules.lock pins a ledger for the environment; what stopped between making and pinning is taken up, as long as the
ledger was never used.

    begun(".segrules/ledger.db", folder, "prod")      # (".segrules/ledger.db", "8f0c…", True)
"""

from __future__ import annotations

from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.effects import Effect, directly
from segrules.errors import Conflict
from segrules.source import NOWHERE
from segrules.state.ledger import created, identity, opened, snapshot
from segrules.state.lockfile import pin, pinned


def begun(state: str, folder: Path, environment: str, effect: Effect = directly) -> tuple[str, str, bool]:
    """Where the ledger is, as it may be shown, its lineage, and whether it was made just now. Raises `Conflict`,
    `Unreachable`."""
    there = pinned(folder, environment)
    if there is not None:
        arguments = {"lineage": there, "environment": environment}
        raise Conflict([Diagnostic("P959", NOWHERE, arguments, Help("restore"))])
    new = True
    try:
        lineage = created(state, folder, effect).lineage
    except Conflict as refused:
        found = _unused(state, folder, refused)
        lineage, new = found, False
    pin(folder, environment, lineage, effect)
    return opened(state, folder).place, lineage, new


def _unused(state: str, folder: Path, refused: Conflict) -> str:
    """The lineage of a ledger that is there and was never used, pinned by nobody; else *refused* is raised."""
    if not any(each.code == "P905" for each in refused.diagnostics):
        raise refused
    with snapshot(opened(state, folder)) as connection:
        found = identity(connection)
    if found.epoch or found.serial:
        raise refused
    return found.lineage
