"""Where a plan is carried out, and the right to do it.

In: an environment's ledger, a project's folder, who asks and why.  Out: `Site`, while nobody else has one.  Always: the
ledger is the one that is pinned for the environment; an effect outside of the ledger is done only as long as the lock
has not been taken over.

    with at_work(environment, folder, "apply 7c1e", clock, effect) as site:
        apply(site, plan, current, fresh)
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from segrules.effects import Effect
from segrules.model.campaign import Environment
from segrules.plan.clock import Clock
from segrules.state.ledger import Ledger, fenced, identity, locked, opened, snapshot
from segrules.state.lockfile import checked

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a plan is carried out: the ledger and the epoch that its lock gave, the project's folder, who asks."""

    ledger: Ledger
    epoch: int
    folder: Path
    author: str
    clock: Clock


@contextmanager
def at_work(environment: Environment, folder: Path, doing: str, clock: Clock, effect: Effect) -> Iterator[Site]:
    """Raises `Conflict` for a ledger that is missing or foreign, and where another is at work; `Unreachable`."""
    ledger = opened(environment.state, folder, effect)
    with snapshot(ledger) as connection:
        checked(folder, environment.name, identity(connection))
    with locked(ledger, f"{author()}, {doing}") as epoch:
        yield Site(ledger, epoch, folder, author(), clock)


def author() -> str:
    """Who runs this, and where."""
    return f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    """Who runs this; a container may have nobody."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@dataclass(frozen=True, slots=True)
class _Fence:
    site: Site

    def __call__(self, name: str, do: Callable[[], T]) -> T:
        fenced(self.site.ledger, self.site.epoch)
        return self.site.ledger.effect(name, do)


def fence(site: Site) -> Effect:
    """The seam for effects outside of the ledger."""
    return _Fence(site)
