"""Time and chance, as the protocol needs them.

In: nothing.  Out: `Clock`.  Always: whoever waits, or asks for the time, does so through one of these, so that a test
need not wait.

    CLOCK.now()      # microseconds UTC
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


def _now() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` in microseconds UTC, `sleep` takes seconds, `chance` is from 0 to 1."""

    now: Callable[[], int] = _now
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


CLOCK = Clock()
