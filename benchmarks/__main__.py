"""Runs the benchmarks: `python -m benchmarks --help`.

In: sizes.  Out: tables on the screen, and every figure as a line of JSON in a file.  Always: answers are compared
before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from benchmarks import customers, memory, one, orders, processes, report
from benchmarks.contender import Work
from benchmarks.race import Result, race

SEED = 20260630
COLUMNAR = ("segrules", "ClickHouse", "Polars", "DuckDB", "pandas", "numexpr")
BY_ROW = ("rule-engine", "zen-engine")
SMALL = ("numexpr", *BY_ROW)
"""Who runs at the first size only."""
PARTS = ("rules", "memory", "orders", "one", "processes")
FLOOR = "sum of columns"
QUICK = {"customers": [200_000], "rules": [30, 100], "orders": 1_000_000, "rounds": 3, "sample": 300}
FULL = {
    "customers": [1_000_000, 5_000_000],
    "rules": [100, 300, 1000],
    "orders": 10_000_000,
    "rounds": 5,
    "sample": 1000,
}


def asked() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    options.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    options.add_argument("--customers", type=numbers, help="sizes, such as 1000000,5000000")
    options.add_argument(
        "--rules", type=numbers, help="numbers of rules, such as 100,300,1000; all peers run the middle"
    )
    options.add_argument("--orders", type=int, help="rows of orders, 10 per customer")
    options.add_argument("--rounds", type=int, help="measured rounds; medians are shown")
    options.add_argument("--sample", type=int, help="customers that rule-engine and zen-engine do")
    options.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--only", choices=PARTS, help="one part")
    options.add_argument("--without", default="", help="contenders to leave out, such as pandas,DuckDB")
    options.add_argument("--json", type=Path, default=Path("build/benchmarks.jsonl"), help="where the figures go")
    given = options.parse_args()
    for name, value in (QUICK if given.quick else FULL).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    return given


def numbers(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


@contextmanager
def stored(table: pa.Table) -> Iterator[str]:
    """The table as a file that every contender maps into its memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.arrow")
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        del table
        pa.default_memory_pool().release_unused()
        yield path


def contenders(names: Sequence[str], given: argparse.Namespace) -> list[str]:
    return [name for name in names if name not in given.without.split(",")]


def rule_races(given: argparse.Namespace) -> Iterator[tuple[Work, list[Result]]]:
    """Every contender on each size with the middle number of rules; the quicker ones on the other numbers."""
    middle = given.rules[len(given.rules) // 2]
    for size in given.customers:
        with stored(customers.table(size, SEED)) as path:

            def work(rules: int, size: int = size, path: str = path) -> Work:
                return Work("rules", path, size, rules, SEED, min(given.sample, size), given.threads)

            names = (*COLUMNAR, *BY_ROW, FLOOR)
            everyone = contenders(
                names if size == given.customers[0] else [name for name in names if name not in SMALL], given
            )
            yield work(middle), race(work(middle), everyone, given.rounds, fresh=True)
            if size == given.customers[0]:
                for rules in given.rules:
                    if rules != middle:
                        few = contenders(("segrules", "ClickHouse", "Polars", FLOOR), given)
                        yield work(rules), race(work(rules), few, given.rounds, fresh=False)


def memories(given: argparse.Namespace) -> Iterator[memory.Memory]:
    for size in given.customers:
        with stored(customers.table(size, SEED)) as path:
            rules = given.rules[len(given.rules) // 2]
            found = memory.measured(Work("rules", path, size, rules, SEED, 0, given.threads))
            if found is not None:
                yield found


def order_race(given: argparse.Namespace) -> tuple[Work, list[Result]]:
    with stored(orders.orders(given.orders, SEED)) as path:
        work = Work("orders", path, given.orders, len(orders.ASKED), SEED, 0, given.threads)
        names = contenders(("segrules", "DuckDB", "Polars", "ClickHouse"), given)
        return work, race(work, names, given.rounds, fresh=True)


def described(work: Work) -> dict[str, object]:
    return {name: value for name, value in asdict(work).items() if name != "data"}


def main() -> None:
    given = asked()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    with given.json.open("w", encoding="utf-8") as file:

        def keep(**line: object) -> None:
            print(json.dumps(line, ensure_ascii=False), file=file, flush=True)

        machine = report.machine()
        keep(**machine)
        print(report.heading(machine, given.threads, given.rounds))
        found = []
        if given.only in (None, "rules"):
            for work, results in rule_races(given):
                found.append((work, results))
                print(report.rules(work, results), flush=True)
                keep(workload=described(work), results=[asdict(result) for result in results])
            print(report.scaling(found), flush=True)
        if given.only in (None, "memory"):
            for each in memories(given):
                print(report.memory(each), flush=True)
                keep(**asdict(each))
        if given.only in (None, "orders"):
            work, results = order_race(given)
            print(report.orders(work, results), flush=True)
            keep(workload=described(work), results=[asdict(result) for result in results])
        if given.only in (None, "one"):
            for timed in (one.rules(given.rules[len(given.rules) // 2], given.rounds), one.aggregates(given.rounds)):
                print(one.shown(timed), flush=True)
                keep(**asdict(timed))
        if given.only in (None, "processes"):
            lines = processes.lines(given.rounds)
            print(report.processes(lines), flush=True)
            for line in lines:
                keep(**asdict(line), ratio=line.ratio)
    print(f"\nfigures: {given.json}")


if __name__ == "__main__":
    main()
