"""A run as a person names it.

In: a number, or the beginning of a plan's id.  Out: the run.  Always: what names none, or several, is `WrongUsage`.

    wanted_run(connection, "12")
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.source import NOWHERE
from segrules.state.runs import Run, runs

LEAST_DIGITS = 4


def wanted_run(connection: Connection, text: str) -> Run:
    """Raises `WrongUsage`."""
    every = runs(connection)
    found = [each for each in every if str(each.serial) == text.strip()]
    if not found and len(text) >= LEAST_DIGITS:
        found = [each for each in every if each.plan_id.startswith(text.strip().lower())]
    if len(found) != 1:
        raise WrongUsage([Diagnostic("C942", NOWHERE, {"run": text, "n": len(found)}, Help("history"))])
    return found[0]
