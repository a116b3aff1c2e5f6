"""What an answer of a receiver means for the contacts of a window, and what is to be done next.

In: the answer, the window, what the sink promises.  Out: `Step`: a state for each contact, windows to be posted again.
Always: every contact of the window gets a state; nothing is posted again whose outcome nobody knows, but to a receiver
that honours keys; then the very same contacts, so that key and bytes are the same.

    after(Split("answer 422"), window, sink, chance)      # two halves
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.plan.sinks.protocol import (
    Answer,
    Delivered,
    Each,
    Outcome,
    Rejected,
    Retry,
    Row,
    Split,
    Stop,
    Unsure,
    Windowed,
)
from segrules.source import NOWHERE
from segrules.state.outbox import Settled

LONGEST_WAIT = 120.0
"""Seconds; a receiver that wants to be left alone for longer is asked again by a resume."""
_SLOWEST = 60.0


@dataclass(frozen=True, slots=True)
class Window:
    """Contacts that are posted together; `attempt` counts how often they were."""

    rows: tuple[Row, ...]
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """`again`: windows that come next, after `wait` seconds. `why`: the rest of the batch has to wait."""

    states: Mapping[str, Settled]
    reasons: Mapping[str, str] = field(default_factory=dict)
    again: tuple[Window, ...] = ()
    wait: float = 0.0
    unclear: bool = False
    why: Diagnostic | None = None


def after(answer: Answer, window: Window, sink: Windowed, batch: str, chance: float) -> Step:
    """*chance* from 0 to 1 spreads the waits of many senders; *batch* is what messages call it."""
    keys = [row.key for row in window.rows]
    match answer:
        case Delivered() | Rejected() | Retry() | Unsure():
            return _each(dict.fromkeys(keys, answer), window, sink, batch, chance)
        case Each(outcomes):
            return _each(outcomes, window, sink, batch, chance)
        case Split():
            middle = len(keys) // 2
            halves = (Window(window.rows[:middle]), Window(window.rows[middle:]))
            return Step(_reserved(keys), again=halves)
        case Stop(reason):
            why = Diagnostic("P995", NOWHERE, {"batch": batch, "reason": reason})
            return Step(_reserved(keys), why=why)
        case _:
            assert_never(answer)


def _each(outcomes: Mapping[str, Outcome], window: Window, sink: Windowed, batch: str, chance: float) -> Step:
    later = [(row, found) for row in window.rows if isinstance(found := outcomes[row.key], Retry)]
    unsure = tuple(row for row in window.rows if isinstance(outcomes[row.key], Unsure))
    wait = max([_backing_off(window.attempt, chance), *(found.after or 0.0 for _, found in later)])
    again = tuple(
        Window(rows, window.attempt)
        for rows, may in ((tuple(row for row, _ in later), True), (unsure, sink.again))
        if rows and may and window.attempt < sink.attempts and wait <= LONGEST_WAIT
    )
    why = None
    if later and (window.attempt >= sink.attempts or wait > LONGEST_WAIT):
        why = Diagnostic("P992", NOWHERE, {"batch": batch, "reason": later[0][1].reason})
    return Step(
        {key: _state(found) for key, found in outcomes.items()},
        {key: found.reason for key, found in outcomes.items() if isinstance(found, Rejected | Unsure)},
        again,
        wait if again else 0.0,
        bool(unsure),
        why,
    )


def _reserved(keys: Sequence[str]) -> dict[str, Settled]:
    return dict.fromkeys(keys, "reserved")


def _state(outcome: Outcome) -> Settled:
    match outcome:
        case Delivered():
            return "delivered"
        case Rejected():
            return "rejected"
        case Retry():
            return "reserved"
        case Unsure():
            return "unknown"
        case _:
            assert_never(outcome)


def _backing_off(attempt: int, chance: float) -> float:
    """1, 2, 4 … seconds, somewhere between half of it and all."""
    return min(_SLOWEST, float(2 ** (min(attempt, 10) - 1))) * (0.5 + chance / 2)
