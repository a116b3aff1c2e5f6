"""What became of a run, as the ledger tells it.

In: the ledger, a run.  Out: `Applied`.  Always: counts are of every contact that the run planned; each one of which
nobody knows whether it happened is listed by its key, which says nothing of the person.

    told(ledger, serial).exit_code      # 0, or 7 where something is left or unknown
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import PartlyApplied
from segrules.state import runs
from segrules.state.ledger import Ledger, snapshot
from segrules.state.outbox import run_contacts
from segrules.state.records import ContactState


@dataclass(frozen=True, slots=True)
class Unknown:
    """A contact of which nobody knows whether it happened."""

    key: str
    action: str
    channel: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """`already`: it had been carried out before; `left`: why batches are not done; `reasons`: how many contacts are
    cancelled, rejected or unknown for which reason."""

    serial: int
    plan_id: str
    finished: bool
    counts: Mapping[ContactState, int]
    reasons: Mapping[tuple[ContactState, str], int]
    unknown: tuple[Unknown, ...]
    left: tuple[Diagnostic, ...] = ()
    already: bool = False
    abandoned: bool = False

    @property
    def exit_code(self) -> int:
        if self.already or self.abandoned or (self.finished and not self.unknown):
            return 0
        return PartlyApplied.exit_code


def told(
    ledger: Ledger, serial: int, left: Sequence[Diagnostic] = (), already: bool = False, abandoned: bool = False
) -> Applied:
    """The state of the run with that serial."""
    with snapshot(ledger) as connection:
        run = runs.by_serial(connection, serial)
        assert run is not None
        counts = runs.contact_counts(connection, serial)
        ended = run_contacts(connection, serial, ("cancelled", "rejected", "unknown"))
    return Applied(
        serial=serial,
        plan_id=run.plan_id,
        finished=run.state == "finished",
        counts=counts,
        reasons=Counter((each.state, each.reason) for each in ended if each.reason is not None),
        unknown=tuple(
            Unknown(each.key, each.action, each.channel, each.reason) for each in ended if each.state == "unknown"
        ),
        left=tuple(left),
        already=already,
        abandoned=abandoned,
    )
