"""Why a command could not go on: the exception tree.

What is wrong in a user's file is a `Diagnostic`, a value; these exceptions carry diagnostics to whoever asked.
Always: every exception has at least one diagnostic and the exit code of the command line (docs/commands.md).

    raise InvalidRules(diagnostics)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from segrules.diagnostics.diagnostic import Diagnostic, in_order


class SegrulesError(Exception):
    """Base of everything that this package raises on purpose."""

    exit_code: ClassVar[int] = 4

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(map(str, self.diagnostics))


class InvalidRules(SegrulesError):
    """The files of the project are wrong; nothing was evaluated."""

    exit_code = 1


class WrongUsage(SegrulesError):
    """The caller asked for something that does not exist: an option, a name, a folder."""

    exit_code = 2


class BrokenContract(SegrulesError):
    """The data does not keep its contract, or cannot be read."""

    exit_code = 4


class RunStopped(SegrulesError):
    """Evaluation could not give a right answer: overflow, a `unique` segmentation with two cases true."""

    exit_code = 4


class Refused(SegrulesError):
    """Worked, and the answer is no: a guard exceeded, a date too old to act on."""

    exit_code = 1


class Unreachable(SegrulesError):
    """The ledger or a target is away, full, or does not answer; nothing external was done that is not recorded."""

    exit_code = 4


class Conflict(SegrulesError):
    """A plan too old or made on other data, rules or ledger; a foreign or missing ledger; another apply at work."""

    exit_code = 6


class PartlyApplied(SegrulesError):
    """Some of a run is done and some is not; both are recorded, and `apply --resume` goes on."""

    exit_code = 7
