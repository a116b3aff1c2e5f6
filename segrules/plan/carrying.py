"""Everything that an accepted run owes, batch by batch: what follows ACCEPT, up to FINISH.

In: a site, an accepted run.  Out: `Applied`.  Always: nothing but the ledger says what is owed; every effect outside of
it is fenced: done only as long as nobody has taken the lock over; a sink that does not go on leaves the others alone, a
ledger that does not stops everything.

    carried_out(site, run)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import BrokenContract, Conflict, PartlyApplied, SegrulesError, Unreachable
from segrules.plan.applied import Applied, told
from segrules.plan.delivering import Course, deliver
from segrules.plan.sinks.made import made
from segrules.plan.sinks.protocol import Sink
from segrules.plan.site import Site, fence
from segrules.state import outbox
from segrules.state.ledger import fenced, identity, snapshot
from segrules.state.outbox import Batch
from segrules.state.runs import Run

T = TypeVar("T")


def carried_out(
    site: Site, run: Run, withheld: Collection[str] = frozenset(), left: Sequence[Diagnostic] = (),
    leave: Collection[str] = frozenset(),
) -> Applied:  # fmt: skip
    """Deliver what is open. *withheld*: contacts that may not be posted again. *leave*: batches that cannot go on, for
    the reasons in *left*. Raises `Conflict`, `Unreachable` for the ledger."""
    with snapshot(site.ledger) as connection:
        pepper = identity(connection).pepper
        batches = outbox.open_batches(connection, run.serial)
    course = Course(site.ledger, site.epoch, run.serial, run.plan_id, pepper, site.clock, withheld)
    reasons = list(left)
    for batch in batches:
        if batch.id not in leave:
            with going_on(site, reasons):
                why = deliver(course, batch, sink_of(site, batch))
                reasons += [] if why is None else [why]
    with snapshot(site.ledger) as connection:
        is_done = not outbox.open_batches(connection, run.serial)
    if is_done:
        outbox.finish(site.ledger, site.epoch, run.serial)
    return told(site.ledger, run.serial, reasons)


@contextmanager
def going_on(site: Site, reasons: list[Diagnostic]) -> Iterator[None]:
    """What a sink could not do is put into *reasons*; what the ledger could not is raised, and so is a file that is not
    what was prepared."""
    try:
        yield
    except (Conflict, BrokenContract):
        raise
    except SegrulesError as error:
        fenced(site.ledger, site.epoch)
        reasons.extend(error.diagnostics)


def after_accept(do: Callable[[], T]) -> T:
    """Once a run is accepted a ledger that is away means that some of it is done and some is not."""
    try:
        return do()
    except Unreachable as error:
        raise PartlyApplied(error.diagnostics) from None


def sink_of(site: Site, batch: Batch) -> Sink:
    """The sink of *batch*, with the settings that it had when the run was accepted."""
    return made(batch.sink, batch.kind, batch.settings, site.folder, fence(site))
