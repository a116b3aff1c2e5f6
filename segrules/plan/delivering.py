"""One batch to its sink: steps F1 … F4, S1 … S3 and W1 … W3 of the protocol.

In: a batch of the ledger, its sink.  Out: None where the batch is done, else why it is not.  Always: what is going to
happen stands in the ledger before it does; a contact whose outcome nobody knows is not posted again but to a receiver
that honours keys.

    why = deliver(course, batch, sink)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from segrules.decide.keys import payload_hash
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.plan.answers import Window, after
from segrules.plan.clock import Clock
from segrules.plan.quiet import Quiet, quiet_of, quiet_until
from segrules.plan.sinks.protocol import Outgoing, Row, Sink, Whole, Windowed
from segrules.source import NOWHERE
from segrules.state import outbox
from segrules.state.ledger import Ledger, snapshot
from segrules.state.outbox import Batch, Settled
from segrules.state.records import ContactState

FEW = 3
"""Windows in a row without a clear answer, after which the rest waits for a resume."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where deliveries stand: the ledger, the epoch that its lock gave, the run, the clock. `withheld`: contacts that
    may not be posted again, for they are suppressed by now."""

    ledger: Ledger
    epoch: int
    serial: int
    plan_id: str
    pepper: bytes = field(repr=False)
    clock: Clock
    withheld: Collection[str] = frozenset()


def deliver(course: Course, batch: Batch, sink: Sink) -> Diagnostic | None:
    """None where the batch is done, else why it is not. Raises `SegrulesError` where the sink or the ledger does not
    go on."""
    if not isinstance(sink, Whole):
        return _windows(course, batch, sink)
    _whole(course, batch, sink)
    return None


def outgoing(plan_id: str, batch: Batch) -> Outgoing:
    """*batch* as its sink sees it."""
    return Outgoing(batch.id, plan_id, batch.name)


def _whole(course: Course, batch: Batch, sink: Whole) -> None:
    """A batch that was prepared before is published as it was, unless some of its contacts have been cancelled since:
    then it is prepared anew."""
    ledger, epoch = course.ledger, course.epoch
    out, rows = outgoing(course.plan_id, batch), _owed(course, batch, ("reserved",))
    sha256 = batch.sha256 if batch.state == "prepared" else None
    if sha256 is not None and sink.published(out, sha256):
        outbox.deliver(ledger, epoch, batch.id)
        return
    if sha256 is not None and sha256 != sink.fingerprint(out, rows):
        outbox.reopen(ledger, epoch, batch.id)
        sha256 = None
    if not rows:
        sink.withdraw(out)
    else:
        if sha256 is None:
            sha256 = sink.prepare(out, rows)
            outbox.prepare(ledger, epoch, batch.id, sha256)
        sink.publish(out, rows, sha256)
    outbox.deliver(ledger, epoch, batch.id)


def _windows(course: Course, batch: Batch, sink: Windowed) -> Diagnostic | None:
    """Window by window, until all are answered or something says to stop."""
    out, quiet = outgoing(course.plan_id, batch), quiet_of(batch.settings)
    queue = deque(_first(course, batch, sink))
    unclear = asleep = 0
    while queue:
        found = queue.popleft()
        rows = _awake(found.rows, quiet, course.clock)
        asleep += len(found.rows) - len(rows)
        if not rows:
            continue
        window = Window(rows, found.attempt + 1)
        request = sink.request(out, rows)
        body_hash = payload_hash(course.pepper, request.body)
        outbox.send(course.ledger, course.epoch, batch.id, request.keys, window.attempt, body_hash)
        step = after(sink.post(request), window, sink, batch.name, course.clock.chance())
        outbox.settle(course.ledger, course.epoch, batch.id, step.states, step.reasons)
        unclear = unclear + 1 if step.unclear else 0
        if step.why is not None:
            return step.why
        if unclear >= FEW and not step.again:
            return Diagnostic("P993", NOWHERE, {"batch": batch.name})
        queue.extendleft(reversed(step.again))
        if step.again and step.wait:
            course.clock.sleep(step.wait)
    if asleep:
        return Diagnostic("P991", NOWHERE, {"batch": batch.name, "n": asleep})
    if sink.again and _owed(course, batch, ("unknown",)):
        return Diagnostic("P993", NOWHERE, {"batch": batch.name})
    outbox.close(course.ledger, course.epoch, batch.id)
    return None


def _first(course: Course, batch: Batch, sink: Windowed) -> Iterator[Window]:
    """The windows to begin with. Those of an earlier attempt whose end nobody knows come first, as they were, if they
    may be posted again; if not, they are unknown from now on."""
    with snapshot(course.ledger) as connection:
        earlier = outbox.run_contacts(connection, course.serial, ("sending", "unknown"))
    sent = {each.key: each for each in earlier if each.batch == batch.id}
    lost = [key for key, each in sent.items() if each.state == "sending" and (not sink.again or key in course.withheld)]
    if lost:
        unknown: dict[str, Settled] = dict.fromkeys(lost, "unknown")
        outbox.settle(course.ledger, course.epoch, batch.id, unknown, dict.fromkeys(lost, "interrupted"))
    if sink.again:
        together: dict[str, list[Row]] = {}
        for row in _owed(course, batch, ("sending", "unknown")):
            together.setdefault(sent[row.key].body_hash or "", []).append(row)
        yield from (Window(tuple(rows)) for rows in together.values())
    fresh = _owed(course, batch, ("reserved",))
    yield from (Window(tuple(fresh[at : at + sink.size])) for at in range(0, len(fresh), sink.size))


def _owed(course: Course, batch: Batch, states: Sequence[ContactState]) -> list[Row]:
    """What the outbox has for a batch, in its order."""
    with snapshot(course.ledger) as connection:
        found = outbox.payloads(connection, batch.id, states)
    return [Row(each.key, each.body, each.not_before, each.zone) for each in found if each.key not in course.withheld]


def _awake(rows: Sequence[Row], quiet: Quiet | None, clock: Clock) -> tuple[Row, ...]:
    """Those who may be written to at this moment."""
    if quiet is None:
        return tuple(rows)
    now = clock.now()
    zones = {row.zone or "UTC" for row in rows}
    awake = {zone for zone in zones if quiet_until(quiet, zone, now) is None}
    return tuple(row for row in rows if (row.zone or "UTC") in awake)
