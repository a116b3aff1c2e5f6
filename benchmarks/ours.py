"""segrules itself as a contender.

In: `Work`.  Out: members per rule.  Always: the rules are files of a project, loaded before the time starts; `run` is
`bound.evaluate()` on bound data with the counts of all segments, `fresh` also converts and holds the data to its
contract.
"""

from __future__ import annotations

import tempfile
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

        return f"{version('segrules')} (numpy {np.__version__})"

    def load(self) -> None:
        self.bound = self.project.bind(customers=self.work.table())

    def run(self) -> Any:
        return self.bound.evaluate(as_of=TODAY).counts

    def fresh(self) -> Any:
        return self.project.evaluate(as_of=TODAY, customers=self.work.table()).counts

    def digest(self, answer: Any) -> Digest:
        return [int(answer[f"r{number}"]) for number in range(self.work.rules)]
