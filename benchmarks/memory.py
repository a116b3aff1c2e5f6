"""What an evaluation takes beyond its input, in memory.

In: `Work` for the rules.  Out: `Memory`.  Always: measured by the kernel, in a process of its own that has loaded
everything, so that no library is counted; results are part of it; of two evaluations the first also puts columns
in few bits, which stay with the bound data.

    python -m benchmarks.memory '{"kind": "rules", …}'
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.contender import Work
from benchmarks.customers import TODAY
from benchmarks.ours import Segrules
from segrules.engine.vector.fused import machine_code

ROOT = Path(__file__).parents[1]
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FEW = 1000


@dataclass(frozen=True, slots=True)
class Memory:
    """MB: the Arrow table, and what the first and the second evaluation had at their highest beyond what was there."""

    rules: int
    customers: int
    table: float
    first: float
    second: float


def measured(work: Work) -> Memory | None:
    """None where the kernel does not tell."""
    if not CLEAR.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.memory", work.text()]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Memory(**json.loads(done.stdout))


def evaluated(work: Work) -> Memory:
    contender = Segrules(work)
    table = work.table()
    few = contender.project.bind(customers=table.slice(0, FEW))
    few.evaluate(as_of=TODAY)
    machine_code(0, again=True, wanted=True)
    bound = contender.project.bind(customers=table)
    beyond = []
    for _ in range(2):
        gc.collect()
        CLEAR.write_text("5", encoding="ascii")
        before = kept("VmRSS")
        run = bound.evaluate(as_of=TODAY)
        beyond.append(kept("VmHWM") - before)
        del run
    return Memory(work.rules, work.rows, round(table.nbytes / 1e6, 1), *beyond)


def kept(what: str) -> float:
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(what))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)


if __name__ == "__main__":
    print(json.dumps(asdict(evaluated(Work(**json.loads(sys.argv[1]))))))
