"""The ledger of a command: opened, the right one, perhaps locked.

In: options, the checked rules.  Out: a `Ledger`.  Always: a ledger that is not the one that segrules.lock names for
the environment is refused; who holds the lock can be read by whoever waits.

    where, ledger = ledger_of(options, rules)
    with working(options, rules, "prune") as (ledger, epoch): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segrules.cli.environment import environment
from segrules.cli.options import Options
from segrules.effects import directly
from segrules.model.campaign import Environment
from segrules.pipeline import Rules
from segrules.plan.clock import CLOCK
from segrules.plan.site import at_work
from segrules.state.ledger import Ledger, identity, opened, snapshot
from segrules.state.lockfile import checked


def ledger_of(options: Options, rules: Rules) -> tuple[Environment, Ledger]:
    """The environment of a command and its ledger. Raises `Conflict`, `Unreachable`, `WrongUsage`."""
    where = environment(options, rules.ruleset)
    folder = Path(rules.ruleset.folder)
    ledger = opened(where.state, folder)
    with snapshot(ledger) as connection:
        checked(folder, where.name, identity(connection))
    return where, ledger


@contextmanager
def working(options: Options, rules: Rules, doing: str) -> Iterator[tuple[Ledger, int]]:
    """The ledger and the epoch of its lock, while nobody else works with it."""
    where = environment(options, rules.ruleset)
    with at_work(where, Path(rules.ruleset.folder), doing, CLOCK, directly) as site:
        yield site.ledger, site.epoch
