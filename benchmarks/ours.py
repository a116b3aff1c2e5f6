"""segrules itself as a contender.

In: `Work`.  Out: members per rule.  Always: the rules are files of a project, loaded before the time starts; `load`
binds and evaluates once, so that columns stand in few bits and, with `segrules[fast]`, the machine code is there; `run`
is `bound.evaluate()` with the counts of all segments, `fresh` also converts new data and holds it to its contract.
"""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import texts
from benchmarks.contender import Digest, Work
from benchmarks.customers import TODAY
from benchmarks.trees import rules

CUSTOMERS = """
version: 1
name: benchmark
timezone: UTC
customers: customers
tables:
  customers:
    source: customers.parquet
    key: customer_id
    columns:
      customer_id: text
      age: {type: integer, missing: allowed}
      income: {type: decimal(2), missing: allowed}
      spend_12m: decimal(2)
      spend_90d: decimal(2)
      balance: {type: decimal(2), missing: allowed}
      basket: {type: decimal(2), missing: allowed}
      orders_12m: integer
      visits_30d: integer
      discount_share: {type: number, missing: allowed}
      score: {type: number, missing: allowed}
      city: {type: text, missing: allowed}
      tier: text
      gender: {type: text, missing: allowed}
      channel: {type: text, missing: allowed}
      signup_date: date
      last_order: {type: date, missing: allowed}
      last_contact: {type: date, missing: allowed}
      vip: bool
      email_consent: {type: bool, missing: allowed}
      tags: {type: list(text), missing: allowed}
"""


def write_project(folder: Path, work: Work) -> None:
    """The project of the rule workload."""
    lines = ["purpose: benchmark", "owner: benchmark", "segments:"]
    for number, tree in enumerate(rules(work.seed, work.rules)):
        lines.append(f"  r{number}: {{when: '{texts.segrules(tree)}'}}")
    (folder / "rules").mkdir(parents=True)
    (folder / "segrules.yaml").write_text(CUSTOMERS, encoding="utf-8")
    (folder / "rules" / "rules.yaml").write_text("\n".join(lines), encoding="utf-8")


class Segrules:
    share = 1.0

    def __init__(self, work: Work) -> None:
        import segrules

        self.work = work
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "project"
            write_project(folder, work)
            self.project = segrules.load(folder)

    def version(self) -> str:
        from importlib.metadata import version

        fast = f", numba {version('numba')}" if find_spec("numba") else ""
        return f"{version('segrules')} (numpy {np.__version__}{fast})"

    def load(self) -> None:
        self.bound = self.project.bind(customers=self.work.table())
        self.run()

    def run(self) -> Any:
        return self.counts(self.bound)

    def fresh(self) -> Any:
        return self.counts(self.project.bind(customers=self.work.table()))

    def counts(self, bound: Any) -> list[int]:
        segments = bound.evaluate(as_of=TODAY).results.segments
        return [segments[f"r{number}"].true.count() for number in range(self.work.rules)]

    def digest(self, answer: Any) -> Digest:
        return list(answer)
