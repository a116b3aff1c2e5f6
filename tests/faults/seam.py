"""The seam of effects, with one fault in it.

In: a fault, and before which effect (the n-th of the run) it strikes.  Out: an `Effect`.  Always: everything else is
done as it is; what was passed is written down in a file, so that a process that was killed tells it too.

    effect = Seam("kill after", 7, log, second)
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

FAULTS = ("kill before", "kill after", "no space", "torn", "lost connection", "second apply")
BRIEF = ("kill before", "no space", "torn", "lost connection")
"""Without what other faults come to: killed after an effect is killed before the next."""
WRITES = ("files.write",)
"""Effects that can be done by half, with what was written by half left behind."""


@dataclass
class Seam:
    """`second`: another apply, begun at that moment; its exit code."""

    fault: str | None
    at: int
    log: Path
    folder: Path
    second: Callable[[], int]
    count: int = 0

    def __call__(self, name: str, do: Callable[[], T]) -> T:
        place, self.count = self.count, self.count + 1
        with self.log.open("a", encoding="utf-8") as out:
            out.write(f"{name}\n")
        if place != self.at:
            return do()
        match self.fault:
            case "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            case "kill after":
                do()
                os.kill(os.getpid(), signal.SIGKILL)
            case "no space":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            case "torn":
                do()
                for part in self.folder.rglob(".*.part"):
                    os.truncate(part, part.stat().st_size // 2)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            case "lost connection":
                do()
                raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            case "second apply":
                (self.folder / "seconds").write_text(str(self.second()), encoding="utf-8")
        return do()


def strikes(fault: str, name: str) -> bool:
    """Whether a fault makes sense at an effect."""
    return fault != "torn" or name in WRITES
