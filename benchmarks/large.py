"""More customers than memory holds: 100 rules in parts, from a Parquet file that this makes.

In: a number of customers.  Out: seconds, rows per second and the peak of resident memory, printed and as JSON.
Always: the free disk is looked at before anything is written; the file comes from a seed; the run is a process of its
own, so that its peak is its own; what it wrote is removed.

    python -m benchmarks.large --customers 50000000
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CUSTOMERS, RULES, ROW_GROUP = 50_000_000, 100, 250_000
BYTES_PER_CUSTOMER = 60
AS_OF = date(2026, 6, 30)
CITIES = tuple(f"city {number}" for number in range(60))
PROJECT = """version: 1
name: large
timezone: Asia/Shanghai
keywords: en
customers: customers
tables:
  customers:
    source: customers.parquet
    key: customer_id
    columns:
      customer_id: integer
      age: {type: integer, min: 0, missing: allowed}
      income: {type: decimal(2), min: 0, missing: allowed}
      spend: {type: decimal(2), min: 0}
      orders: {type: integer, min: 0}
      score: {type: number, missing: allowed}
      city: {type: text, missing: allowed}
      tier: {type: text, values: [bronze, silver, gold]}
      since: date
      consent: {type: bool, missing: allowed}
"""


def rules(number: int, population: bool) -> str:
    """*number* definitions: attributes, predicates that share their parts, and a segmentation."""
    lines = ["purpose: to measure", "owner: benchmarks", "attributes:"]
    lines += ["  basket: {value: spend / orders}", "  loyal_days: {value: today - since}"]
    if population:
        lines += ['  band: {value: "qcut(spend, 10)"}']
    lines += [
        "segmentations:",
        "  value:",
        "    cases:",
        "      - {segment: high, when: spend >= 5000}",
        "      - {segment: middle, when: spend >= 1000}",
        "    otherwise: {segment: low}",
        "segments:",
    ]
    tests = (
        "spend >= {a}00 and city in [\"city {b}\", \"city {c}\", \"city 1\"]",
        "orders > {d} and tier = \"gold\" and consent",
        "age between {b} and {c} and income < {a}000",
        "basket > {a} or score >= 0.{d}",
        "loyal_days > {a}0 and not (age < {b})",
        "since >= today - {c} days and spend < {a}00",
        "value.high and score < 0.{d}",
        "city = \"city {d}\" and (income >= {a}000 or tier = \"silver\")",
    )  # fmt: skip
    draw = np.random.default_rng(7)
    for place in range(number - (4 if population else 3)):
        a, b, c, d = draw.integers(1, 50), draw.integers(18, 40), draw.integers(41, 60), draw.integers(1, 9)
        when = tests[place % len(tests)].format(a=a, b=b, c=c, d=d)
        lines.append(f"  s{place}: {{when: '{when}'}}")
    return "\n".join(lines) + "\n"


def rows(first: int, count: int, draw: np.random.Generator) -> pa.Table:
    """The customers from number *first* on."""

    def gaps() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return draw.random(count) < 0.05

    def money(mean: float) -> pa.Array:
        cents = np.minimum(draw.exponential(mean * 100, count), 1e11).astype(np.int64)
        halves = np.stack([cents, np.zeros_like(cents)], axis=1)
        return pa.Array.from_buffers(pa.decimal128(18, 2), count, [None, pa.py_buffer(halves.tobytes())])

    cities = pa.DictionaryArray.from_arrays(
        pa.array(draw.integers(0, len(CITIES), count).astype(np.int32), mask=gaps()), list(CITIES)
    )
    tiers = pa.DictionaryArray.from_arrays(draw.integers(0, 3, count).astype(np.int32), ["bronze", "silver", "gold"])
    days = AS_OF.toordinal() - date(1970, 1, 1).toordinal() - draw.integers(0, 3_000, count)
    return pa.table(
        {
            "customer_id": np.arange(first, first + count),
            "age": pa.array(draw.integers(16, 90, count), mask=gaps()),
            "income": money(9_000),
            "spend": money(2_000),
            "orders": draw.poisson(4, count),
            "score": pa.array(draw.random(count), mask=gaps()),
            "city": cities.cast(pa.string()),
            "tier": tiers.cast(pa.string()),
            "since": pa.array(days.astype(np.int32)).cast(pa.date32()),
            "consent": pa.array(draw.random(count) < 0.6, mask=gaps()),
        }
    )


def write(folder: Path, customers: int, number: int, population: bool) -> None:
    """The project, its file of customers row group by row group."""
    (folder / "rules").mkdir(parents=True)
    (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "rules" / "rules.yaml").write_text(rules(number, population), encoding="utf-8")
    draw = np.random.default_rng(20260630)
    with pq.ParquetWriter(folder / "customers.parquet", rows(0, 1, np.random.default_rng(0)).schema) as file:
        for first in range(0, customers, ROW_GROUP):
            file.write_table(rows(first, min(ROW_GROUP, customers - first), draw))


def measured(folder: Path) -> dict[str, float]:
    """One run in parts, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.large", "--run", str(folder.absolute())]
    ran = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(ran.stderr)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def run(folder: Path) -> dict[str, float]:
    from segrules import pipeline
    from segrules.schema.calendar import from_date

    begun = time.perf_counter()
    loaded = pipeline.load(folder)
    found = pipeline.stream(loaded.ruleset, from_date(AS_OF))
    seconds = time.perf_counter() - begun
    members = sum(one.true.count() for one in found.segments.values())
    return {"customers": found.customers, "seconds": seconds, "peak_bytes": peak_bytes(), "members": members}


def peak_bytes() -> int:
    """The most resident memory that this process has had. Linux counts what its parent had too, but for VmHWM."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--customers", type=int, default=CUSTOMERS)
    arguments.add_argument("--rules", type=int, default=RULES)
    arguments.add_argument("--no-population", action="store_true", help="only rules that look at one customer")
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room")
    arguments.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.run is not None:
        print(json.dumps(run(given.run)))
        return
    needed = given.customers * BYTES_PER_CUSTOMER * 2
    free = shutil.disk_usage(given.folder).free
    print(f"disk: {free / 1e9:.1f} GB free in {given.folder}, {needed / 1e9:.1f} GB wanted")
    if free < needed:
        raise SystemExit("not enough room; name another folder with --folder, or fewer customers with --customers")
    with tempfile.TemporaryDirectory(dir=given.folder, prefix="segrules-large-") as name:
        folder = Path(name) / "project"
        begun = time.perf_counter()
        write(folder, given.customers, given.rules, not given.no_population)
        size = (folder / "customers.parquet").stat().st_size
        print(f"wrote {given.customers:,} customers, {size / 1e9:.2f} GB, in {time.perf_counter() - begun:.1f} s")
        found = measured(folder)
    found |= {"rules": given.rules, "file_bytes": size, "rows_per_second": found["customers"] / found["seconds"]}
    print(
        f"{found['customers']:,} customers × {given.rules} rules: {found['seconds']:.1f} s, "
        f"{found['rows_per_second']:,.0f} rows/s, peak {found['peak_bytes'] / 1e9:.2f} GB "
        f"({platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}, pyarrow {pa.__version__})"
    )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
