"""One contender in a process of its own.

In: lines on standard input, `load`, `run` or `fresh`.  Out: for each a line of JSON: seconds, those of all processors
together, digest of the answer, highest memory in MB so far.  Always: what a library prints goes to standard error; the
clock runs around the contender's own work only; garbage is collected before it starts.

    python -m benchmarks.worker polars '{"kind": "rules", …}'
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from importlib import import_module
from typing import Any

from benchmarks.contender import Contender, Work

CONTENDERS = {
    "segrules": {"rules": "ours:Segrules", "orders": "orders:Segrules"},
    "ClickHouse": {"rules": "databases:ClickHouse", "orders": "orders:ClickHouse"},
    "Polars": {"rules": "frames:Polars", "orders": "orders:Polars"},
    "DuckDB": {"rules": "databases:DuckDB", "orders": "orders:DuckDB"},
    "pandas": {"rules": "frames:Pandas"},
    "numexpr": {"rules": "frames:Numexpr"},
    "rule-engine": {"rules": "rows:RuleEngine"},
    "zen-engine": {"rules": "rows:Zen"},
    "sum of columns": {"rules": "floor:Floor"},
}
PACKAGES = {
    "ClickHouse": "chdb",
    "Polars": "polars",
    "DuckDB": "duckdb",
    "numexpr": "numexpr",
    "rule-engine": "rule_engine",
    "zen-engine": "zen",
}


def make(name: str, work: Work) -> Contender:
    module, _, kind = CONTENDERS[name][work.kind].partition(":")
    made: Contender = getattr(import_module(f"benchmarks.{module}"), kind)(work)
    return made


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, text = sys.argv[1:]
    work = Work(**json.loads(text))
    contender = make(name, work)
    say(answers, version=contender.version(), share=contender.share)
    for line in sys.stdin:
        gc.collect()
        start, used = time.perf_counter(), time.process_time()
        answer = getattr(contender, line.strip())()
        seconds, processor = time.perf_counter() - start, time.process_time() - used
        digest = None if answer is None else contender.digest(answer)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        del answer
        say(answers, seconds=seconds, processor=processor, digest=digest, peak=peak)


def say(answers: Any, **fields: Any) -> None:
    print(json.dumps(fields), file=answers, flush=True)


if __name__ == "__main__":
    main()
