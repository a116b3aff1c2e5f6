"""A run that was interrupted goes on, or is given up.

In: a site, an unfinished run.  Out: `Applied`.  Always: neither plan nor data are needed, only the ledger; who has
unsubscribed since is not contacted any more; what was published before the interruption counts as delivered, whatever
happens now.

    resume(site, run); abandon(site, run)
"""

from __future__ import annotations

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.plan.applied import Applied, told
from segrules.plan.carrying import after_accept, carried_out, going_on, sink_of
from segrules.plan.delivering import outgoing
from segrules.plan.sinks.protocol import Whole
from segrules.plan.site import Site
from segrules.state import outbox
from segrules.state.history import history
from segrules.state.ledger import snapshot
from segrules.state.outbox import Batch, Settled
from segrules.state.runs import Run

ABANDONED = "abandoned"
UNSUBSCRIBED = "unsubscribed"


def resume(site: Site, run: Run) -> Applied:
    """Go on with *run* from the outbox. Raises `PartlyApplied`, `Conflict`."""

    def go_on() -> Applied:
        reasons: list[Diagnostic] = []
        stuck = {batch.id for batch in _prepared(site, run) if not _recorded(site, run, batch, reasons)}
        return carried_out(site, run, _recheck(site, run, stuck), reasons, stuck)

    return after_accept(go_on)


def abandon(site: Site, run: Run) -> Applied:
    """Nothing more of *run*: what was published is delivered, what was not is cancelled, what nobody knows is unknown.
    Raises `PartlyApplied`, `Conflict`."""
    if run.state == "finished":
        return told(site.ledger, run.serial, already=True)

    def end() -> Applied:
        reasons: list[Diagnostic] = []
        for batch in _prepared(site, run):
            if not _recorded(site, run, batch, reasons):
                _not_known(site, batch)
        if not _withdrawn(site, run, reasons):
            return told(site.ledger, run.serial, reasons)
        outbox.abandon(site.ledger, site.epoch, run.serial, ABANDONED)
        outbox.finish(site.ledger, site.epoch, run.serial)
        return told(site.ledger, run.serial, reasons, abandoned=True)

    return after_accept(end)


def _prepared(site: Site, run: Run) -> list[Batch]:
    with snapshot(site.ledger) as connection:
        found = outbox.open_batches(connection, run.serial)
    return [each for each in found if each.state == "prepared"]


def _recorded(site: Site, run: Run, batch: Batch, reasons: list[Diagnostic]) -> bool:
    """Whether the sink could be asked if it has published *batch*; if it has, that is in the ledger now."""
    is_published: bool | None = None
    with going_on(site, reasons):
        sink = sink_of(site, batch)
        is_published = isinstance(sink, Whole) and sink.published(outgoing(run.plan_id, batch), batch.sha256 or "")
    if is_published:
        outbox.deliver(site.ledger, site.epoch, batch.id)
    return is_published is not None


def _recheck(site: Site, run: Run, stuck: set[str]) -> set[str]:
    """Cancel who has unsubscribed since and was not sent yet; those who may have been sent are given back, not to be
    posted again."""
    with snapshot(site.ledger) as connection:
        waiting = outbox.run_contacts(connection, run.serial, ("reserved", "sending", "unknown"))
        keys = sorted({each.customer for each in waiting})
        left = history(connection, keys, (), "UTC").unsubscribed
    rows = {key: row for row, key in enumerate(keys)}
    gone = [
        each
        for each in waiting
        if each.contact_class == "marketing" and each.channel in left and left[each.channel][rows[each.customer]]
    ]
    cancelled = [each.key for each in gone if each.state == "reserved" and each.batch not in stuck]
    if cancelled:
        outbox.cancel(site.ledger, site.epoch, cancelled, UNSUBSCRIBED)
    return {each.key for each in gone if each.state != "reserved"}


def _not_known(site: Site, batch: Batch) -> None:
    """A batch that was prepared, and whose sink cannot say whether it was published."""
    with snapshot(site.ledger) as connection:
        keys = [each.key for each in outbox.payloads(connection, batch.id, ("reserved",))]
    unknown: dict[str, Settled] = dict.fromkeys(keys, "unknown")
    outbox.settle(site.ledger, site.epoch, batch.id, unknown, dict.fromkeys(keys, ABANDONED))


def _withdrawn(site: Site, run: Run, reasons: list[Diagnostic]) -> bool:
    """Whether nothing stays behind of what was prepared and will not be published. It is no longer prepared before it
    is taken away: what is prepared and gone counts as published."""
    with snapshot(site.ledger) as connection:
        batches = outbox.open_batches(connection, run.serial)
    before = len(reasons)
    for batch in batches:
        with going_on(site, reasons):
            sink = sink_of(site, batch)
            if isinstance(sink, Whole):
                if batch.state == "prepared":
                    outbox.reopen(site.ledger, site.epoch, batch.id)
                sink.withdraw(outgoing(run.plan_id, batch))
    return len(reasons) == before
