"""From rules to effect on a million made-up people: plan, first apply, a second apply that changes nothing.

In: numbers of customers, segments and actions.  Out: seconds of each command, printed and as JSON.  Always: the
customers come from a seed; what is planned is what is delivered, and the second plan contacts nobody (checked before
any figure is shown); each command is a process of its own; what it wrote is removed.

    python -m benchmarks.acting --customers 1000000
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CUSTOMERS, SEGMENTS, ACTIONS = 1_000_000, 50, 50
AS_OF = date(2026, 6, 30)
CITIES = tuple(f"city {number}" for number in range(60))
PROJECT = """version: 1
name: acting
timezone: Asia/Shanghai
keywords: en
customers: customers
tables:
  customers:
    source: customers.parquet
    key: customer_id
    columns:
      customer_id: text
      age: {type: integer, min: 0, missing: allowed}
      spend: {type: decimal(2), min: 0}
      orders: {type: integer, min: 0}
      city: {type: text, missing: allowed}
      phone: {type: text, pii: true, missing: allowed}
      consent: {type: bool, missing: allowed}
      frozen: bool
      manager: {type: text, missing: allowed}
"""
POLICIES = """channels:
  sms: {consent: consent, address: phone, cost: 0.05, sink: out}
  visit: {task: true, cost: 30, sink: out}
suppress: [frozen]
caps: [{channels: [sms], at_most: 1, per: 30 days, classes: [marketing]}]
capacity: {manager: {at_most: 20, per: week}}
global_holdout: 5%
sinks: {out: {kind: files, folder: out, format: csv}}
"""


def rules(segments: int, actions: int) -> str:
    """Segments with thresholds that recur, and an action for each of the first ones: mostly texts, some visits."""
    draw = np.random.default_rng(11)
    lines = ["purpose: to measure", "owner: benchmarks", "segments:"]
    for number in range(segments):
        low, high = sorted(int(one) for one in draw.integers(1, 60, 2))
        lines.append(
            f'  s{number}: {{when: "spend >= {int(draw.integers(5, 60))}00 and age between {low} and {high + 20}'
            f' and not (city = \\"city {number % 60}\\")"}}'
        )
    lines.append("actions:")
    for number in range(actions):
        who = f"s{number % segments}"
        if number % 10 == 9:
            lines.append(
                f"  a{number}: {{for: {who} and manager is not missing, channel: visit, assign_to: manager,"
                f" due: 14 days, repeat: every 90 days, priority: {number}, limit: {{order_by: spend desc}}}}"
            )
        else:
            lines.append(
                f'  a{number}: {{for: {who}, channel: sms, message: "offer {number} for {{spend:.0f}}",'
                f" repeat: every 90 days, priority: {number}, group: g{number % 7}, holdout: 10%,"
                f" variants: {{a: 50%, b: 50%}}, budget: {{total: 2000, per: month}}, cost: 1}}"
            )
    return "\n".join(lines) + "\n"


def customers(number: int) -> pa.Table:
    draw = np.random.default_rng(20260630)

    def some(values: Any, missing: float) -> pa.Array:
        return pa.array(values, mask=draw.random(number) < missing)

    cents = (draw.lognormal(7.5, 1.0, number) * 100).astype(np.int64)
    wide = pa.py_buffer(np.column_stack([cents, np.zeros(number, np.int64)]).tobytes())
    spend = pa.Decimal128Array.from_buffers(pa.decimal128(19, 2), number, [None, wide])
    return pa.table(
        {
            "customer_id": [f"C{each:08d}" for each in range(number)],
            "age": some(draw.integers(16, 90, number), 0.05),
            "spend": spend,
            "orders": draw.integers(0, 40, number),
            "city": some(np.array(CITIES)[draw.integers(0, len(CITIES), number)], 0.05),
            "phone": some(np.char.mod("139%08d", draw.integers(0, 10**8, number)), 0.04),
            "consent": some(draw.random(number) < 0.7, 0.05),
            "frozen": draw.random(number) < 0.01,
            "manager": some(np.char.mod("m%03d", draw.integers(0, 200, number)), 0.5),
        }
    )


def timed(folder: Path, *words: str) -> tuple[float, dict[str, Any]]:
    """Seconds of one command and what it says as JSON."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "segrules", *words, "--project", str(folder), "--format", "json"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, json.loads(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.acting", description=__doc__)
    options.add_argument("--customers", type=int, default=CUSTOMERS)
    options.add_argument("--segments", type=int, default=SEGMENTS)
    options.add_argument("--actions", type=int, default=ACTIONS)
    options.add_argument("--json", type=Path, default=Path("build/acting.json"))
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "rules").mkdir()
        (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
        (folder / "policies.yaml").write_text(POLICIES, encoding="utf-8")
        (folder / "rules" / "all.yaml").write_text(rules(given.segments, given.actions), encoding="utf-8")
        pq.write_table(customers(given.customers), folder / "customers.parquet")
        day = ("--as-of", AS_OF.isoformat())
        seconds = {"state init": timed(folder, "state", "init")[0]}
        seconds["plan"], plan = timed(folder, "plan", *day, "-o", "first.segplan")
        seconds["apply"], _ = timed(folder, "apply", "first.segplan")
        written = sum(len(each.read_text("utf-8-sig").splitlines()) - 1 for each in (folder / "out").glob("*.csv*"))
        seconds["second plan"], again = timed(folder, "plan", *day, "-o", "second.segplan")
        seconds["second apply"], _ = timed(folder, "apply", "second.segplan")
        ledger = sum(each.stat().st_size for each in (folder / ".segrules").iterdir()) / 1e6
    contacts = plan["contacts"]
    if written != contacts or not contacts:
        raise SystemExit(f"{contacts} contacts planned, {written} rows delivered")
    if again["contacts"]:
        raise SystemExit(f"the second plan would contact {again['contacts']}")
    print(f"{given.customers:,} customers, {given.segments} segments, {given.actions} actions: {contacts:,} contacts")
    for name, each in seconds.items():
        print(f"  {name:<14}{each:8.2f} s")
    print(f"  ledger        {ledger:8.1f} MB")
    figures = {"customers": given.customers, "contacts": contacts, "seconds": seconds, "ledger_mb": ledger}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures | {"machine": platform.processor()}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
