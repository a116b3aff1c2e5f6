"""Several contenders on one workload: answers compared, then timed in turn.

In: `Work`, names of contenders, a number of rounds.  Out: a `Result` per contender.  Always: each contender has a
process of its own; the first, unmeasured round compares every answer with segrules' and stops where one differs; the
measured rounds alternate between the contenders, and whoever has used 15 seconds does three; a contender that is not
installed is named, with nothing measured.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.contender import Digest, Work
from benchmarks.ours import Segrules
from benchmarks.worker import PACKAGES

ROOT = Path(__file__).parents[1]
TOLERANCE = 1e-9
ENOUGH = 3
PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds for all rows, scaled where *share* is less than one; `processor`: those that all threads of a run took
    together, which a busy machine changes less; memory in MB at its highest, loading included."""

    name: str
    version: str
    share: float = 1.0
    runs: tuple[float, ...] = ()
    fresh: tuple[float, ...] = ()
    processor: tuple[float, ...] = ()
    peak: int | None = None

    @property
    def median(self) -> float | None:
        return statistics.median(self.runs) if self.runs else None

    @property
    def processor_median(self) -> float | None:
        return statistics.median(self.processor) if self.processor else None

    @property
    def fresh_median(self) -> float | None:
        return statistics.median(self.fresh) if self.fresh else None


@dataclass(slots=True)
class Runner:
    """A contender's process and what it has answered."""

    name: str
    process: subprocess.Popen[str]
    version: str
    share: float
    runs: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak: int = 0
    used: float = 0.0

    def ask(self, what: str) -> tuple[float, Digest | None]:
        assert self.process.stdin is not None
        print(what, file=self.process.stdin, flush=True)
        found = heard(self.process, self.name)
        self.peak = found["peak"]
        self.used = found["processor"] / self.share
        return found["seconds"] / self.share, found["digest"]

    def again(self, what: str, times: list[float]) -> None:
        """One more round, unless this contender has had enough of them and of the time."""
        if len(times) < ENOUGH or sum(times) * self.share < PATIENCE:
            times.append(self.ask(what)[0])
            if what == "run":
                self.processor.append(self.used)

    def result(self) -> Result:
        return Result(
            self.name, self.version, self.share, tuple(self.runs), tuple(self.fresh), tuple(self.processor), self.peak
        )


def heard(process: subprocess.Popen[str], name: str) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{name} ended with {process.wait()}; what it said is above")
    found: dict[str, Any] = json.loads(line)
    return found


def started(name: str, work: Work) -> Runner:
    command = [sys.executable, "-m", "benchmarks.worker", name, work.text()]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    found = heard(process, name)
    return Runner(name, process, found["version"], found["share"])


def installed(name: str) -> bool:
    return name not in PACKAGES or find_spec(PACKAGES[name]) is not None


def race(work: Work, names: Sequence[str], rounds: int, fresh: bool) -> list[Result]:
    """Every contender of *names*, segrules among them, *rounds* times; with *fresh* also from the Arrow table.

    Raises SystemExit where answers differ or a contender fails.
    """
    runners = [started(name, work) for name in names if installed(name)]
    try:
        for runner in runners:
            runner.ask("load")
        answers = {runner.name: runner.ask("run")[1] for runner in runners}
        compare(answers, work)
        for _ in range(rounds):
            for runner in runners:
                runner.again("run", runner.runs)
        for _ in range(rounds if fresh else 0):
            for runner in runners:
                if runner.name != "sum of columns":
                    runner.again("fresh", runner.fresh)
    finally:
        for runner in runners:
            runner.process.kill()
            runner.process.wait()
    done = {runner.name: runner.result() for runner in runners}
    return [done.get(name, Result(name, "not installed")) for name in names]


def compare(answers: dict[str, Digest | None], work: Work) -> None:
    """Raises SystemExit unless every contender answers as segrules does; those on a sample, as segrules on it."""
    whole = answers["segrules"]
    assert whole is not None
    for name, found in answers.items():
        if name in ("segrules", "sum of columns"):
            continue
        expected = sampled(work) if name in ("rule-engine", "zen-engine") else whole
        wrong = [at for at, (a, b) in enumerate(zip(expected, found or [], strict=True)) if not same(a, b)]
        if wrong:
            at = wrong[0]
            raise SystemExit(
                f"{name} differs from segrules in {len(wrong)} answers; {at}: {expected[at]}, {(found or [])[at]}"
            )


def same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=TOLERANCE)
    return bool(a == b)


def sampled(work: Work) -> Digest:
    """What segrules answers for the sample alone."""
    one = Segrules(work)
    bound = one.project.bind(customers=work.table().slice(0, work.sample))
    return one.digest(one.counts(bound))
