"""Whole commands against what a person would run instead.

In: the project and, where it is beside it, the Online Retail data.  Out: a `Line` per race, the medians of both sides.
Always: both sides of a ratio are timed in the same run, alternating, as whole processes, with compiled bytecode (an
unmeasured round writes it); where both give answers, these are compared first.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("SEGRULES_DATA", ROOT.parent / "shared" / "data"))

PANDAS_RFM = """
import json, sys
import pandas as pd
df = pd.read_csv(sys.argv[1], dtype={"InvoiceNo": str}, parse_dates=["InvoiceDate"])
df = df[df.CustomerID.notna() & df.Description.notna() & ~df.InvoiceNo.str.startswith("C")]
df = df[(df.Quantity > 0) & (df.UnitPrice > 0)]
day = pd.Timestamp("2011-12-10")
per = df.groupby("CustomerID").agg(last=("InvoiceDate", "max"), frequency=("InvoiceNo", "nunique"))
recency = (day - per["last"].dt.normalize()).dt.days
r = 6 - (pd.qcut(recency, 5, labels=False) + 1)
tiles = [band for band in range(5) for _ in range(len(per) // 5 + (band < len(per) % 5))]
f = pd.Series([1 + band for band in tiles], per.frequency.sort_values(kind="stable").index).reindex(per.index)
print(json.dumps({f"{a}{b}": int(n) for (a, b), n in pd.Series(1, per.index).groupby([r, f]).size().items()}))
"""


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    ours: float
    other: str
    theirs: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def seconds(command: Sequence[str], folder: Path) -> float:
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, env=compiled)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{command}: exit {done.returncode}\n{done.stderr.decode()}")
    return taken


def race(what: str, ours: Sequence[str], other: str, theirs: Sequence[str], folder: Path, rounds: int) -> Line:
    """Both commands, alternating, *rounds* times after one unmeasured round; the medians."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for times, command in zip(taken, (ours, theirs), strict=True):
            spent = seconds(command, folder)
            if turn:
                times.append(spent)
    return Line(what, statistics.median(taken[0]), other, statistics.median(taken[1]))


def segrules(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("segrules")), *arguments]


def startup(rounds: int) -> Line:
    demo = ROOT / "rules" / "demo"
    python = [sys.executable, "-c", "import pandas"]
    return race(
        "validate the demo", segrules("validate", "--as-of", "2026-06-30"), "import pandas", python, demo, rounds
    )


def many_files(rounds: int) -> Line:
    """1,000 rule files of 5 segments each against reading the same files with a bare YAML loader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
        for number in range(1000):
            (folder / "rules" / f"r{number:04d}.yaml").write_text(rule_file(number), encoding="utf-8")
        files = "pathlib.Path('rules').glob('*.yaml')"
        bare = f"import pathlib, yaml\nfor f in {files}: yaml.load(f.read_text(), yaml.CSafeLoader)"
        command = segrules("validate", "--as-of", "2026-06-30")
        return race("validate 1,000 files", command, "PyYAML alone", [sys.executable, "-c", bare], folder, rounds)


PROJECT = """
version: 1
name: many
timezone: UTC
customers: customers
tables:
  customers:
    source: c.csv
    key: id
    columns: {id: text, spend: decimal(2), city: text, tier: integer, born: {type: date, missing: allowed}}
  orders:
    source: o.csv
    belongs_to: {table: customers, by: id}
    time: paid_at
    columns: {id: text, paid_at: timestamp, amount: decimal(2), channel: text}
"""


def rule_file(number: int) -> str:
    conditions = (
        f'spend >= {number} and city in ("北京", "上海", "c{number}")',
        f"years_since(born) between 25 and {40 + number % 9} or tier > {number % 7}",
        f'count(orders where channel = "web" and paid_at in last {30 + number % 90} days) >= 2',
        f"not s{number}_0 and sum(orders.amount where paid_at in last {number + 1} days) > {number * 10}",
        f's{number}_1 且 城市级别_{number} = "高" or tier is missing',
    )
    segments = "".join(f"  s{number}_{at}: {{when: '{text}'}}\n" for at, text in enumerate(conditions))
    attribute = f'attributes:\n  城市级别_{number}: {{value: \'if(tier > 3, "高", "低")\'}}\n'
    return f"purpose: file {number}\nowner: benchmark\n{attribute}segments:\n{segments}"


def online_retail(rounds: int) -> Line | None:
    source = DATA / "online_retail" / "online_retail_all.csv.gz"
    if not source.exists():
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        shutil.copytree(ROOT / "rules" / "online_retail", folder)
        (folder / "data").symlink_to(source.parent, target_is_directory=True)
        ours = segrules("evaluate", "--as-of", "2011-12-10", "--only", "R,F", "-o", "out.csv", "--quiet")
        theirs = [sys.executable, "-c", PANDAS_RFM, str(source)]
        compare_scores(folder, ours, theirs)
        return race("Online Retail RFM, 541,909 lines", ours, "a pandas script", theirs, folder, rounds)


def compare_scores(folder: Path, ours: Sequence[str], theirs: Sequence[str]) -> None:
    import csv
    from collections import Counter

    seconds(ours, folder)
    with (folder / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        found = Counter(row["R"] + row["F"] for row in csv.DictReader(file))
    expected = json.loads(subprocess.run(theirs, capture_output=True, check=True).stdout)
    if dict(found) != expected:
        raise SystemExit(f"answers differ: {dict(found)} {expected}")


def lines(rounds: int) -> list[Line]:
    """Every race that this machine has the data for."""
    return [line for line in (startup(rounds), many_files(rounds), online_retail(rounds)) if line is not None]
