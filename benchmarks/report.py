"""The tables that people read.

In: the results of races.  Out: text.  Always: a ratio says how many times as long as segrules somebody took; what was
scaled from a sample is marked; who is not installed is named.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contender import Work
from benchmarks.memory import Memory
from benchmarks.processes import Line
from benchmarks.race import Result

FLOOR = "sum of columns"
RIVALS = ("ClickHouse", "Polars", "DuckDB")


def machine() -> dict[str, object]:
    model = (
        [
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        if Path("/proc/cpuinfo").exists()
        else [platform.processor()]
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {
        "machine": model[0] if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": memory,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
    }


def heading(machine: dict[str, object], threads: int, rounds: int) -> str:
    return (
        f"{machine['machine']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}; {threads} threads each; medians of {rounds} rounds in turn"
    )


def rules(work: Work, results: Sequence[Result]) -> str:
    title = f"\n{work.rules:,} rules over {work.rows:,} customers (answers equal)"
    return "\n".join([title, *table(results, "evaluate on loaded data", "from an Arrow table")])


def orders(work: Work, results: Sequence[Result]) -> str:
    title = (
        f"\n{work.rules} windowed aggregates over {work.rows:,} orders of {work.rows // 10:,} customers (answers equal)"
    )
    return "\n".join([title, *table(results, "evaluate on loaded data", "from an Arrow table")])


def table(results: Sequence[Result], loaded: str, fresh: str) -> list[str]:
    ours = next(one for one in results if one.name == "segrules")
    lines = [f"  {'':16}{loaded:>28}{'of processors':>26}{fresh:>26}{'memory':>10}  version"]
    for one in results:
        if one.median is None:
            lines.append(f"  {one.name:16}{one.version}")
            continue
        scaled = "" if one.share == 1 else f" (scaled from {one.share:.2%} of the rows)"
        lines.append(
            f"  {one.name:16}{timed(one.median, ours.median):>28}"
            f"{timed(one.processor_median, ours.processor_median):>26}{timed(one.fresh_median, ours.fresh_median):>26}"
            f"{f'{one.peak:,} MB':>10}  {one.version}{scaled}"
        )
    return lines + verdict(results, ours)


def timed(seconds: float | None, ours: float | None) -> str:
    return "" if seconds is None or ours is None else f"{shown(seconds)} {seconds / ours:>8.2f} x"


def shown(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:,.0f} s" if seconds >= 100 else f"{seconds:.3f} s"


def verdict(results: Sequence[Result], ours: Result) -> list[str]:
    assert ours.median is not None
    times = {one.name: one.median for one in results if one.median is not None}
    rivals = {name: times[name] for name in RIVALS if name in times}
    found = []
    if rivals:
        best = min(rivals, key=rivals.__getitem__)
        found.append(f"{rivals[best] / ours.median:.1f} x the best of {', '.join(rivals)} ({best})")
    if "pandas" in times:
        found.append(f"{times['pandas'] / ours.median:.1f} x pandas")
    if FLOOR in times:
        found.append(f"{ours.median / times[FLOOR]:.1f} times the sum of every used column")
    return [f"  → {'; '.join(found)}"] if found else []


def scaling(found: Sequence[tuple[Work, Sequence[Result]]]) -> str:
    """How segrules' time grows with rules and with customers."""
    lines = [
        "\nsegrules as rules and customers grow",
        f"  {'customers':>12}{'rules':>8}{'seconds':>10}{'per rule':>12}{'per customer':>15}",
    ]
    for work, results in sorted(found, key=lambda pair: (pair[0].rows, pair[0].rules)):
        ours = next(one for one in results if one.name == "segrules").median
        if ours is not None:
            per_rule, per_customer = f"{ours / work.rules * 1e6:.0f} µs", f"{ours / work.rows * 1e9:.0f} ns"
            lines.append(f"  {work.rows:>12,}{work.rules:>8,}{ours:>10.3f}{per_rule:>12}{per_customer:>15}")
    return "\n".join(lines)


def memory(found: Memory) -> str:
    shares = [f"{mb:,.0f} MB ({mb / found.table:.2f} of it)" for mb in (found.first, found.second)]
    return (
        f"\n{found.rules:,} rules over {found.customers:,} customers, an Arrow table of {found.table:,.0f} MB: "
        f"beyond the bound data the first evaluation takes {shares[0]} at its highest, the next {shares[1]}"
    )


def processes(lines: Sequence[Line]) -> str:
    """Whole commands, from start to exit."""
    rows = [f"\n{'whole commands':36}{'segrules':>12}  {'beside it':20}{'':>8}{'ratio':>8}"]
    for line in lines:
        rows.append(f"  {line.what:34}{line.ours:>10.3f} s  {line.other:18}{line.theirs:>8.3f} s{line.ratio:>7.2f} x")
    return "\n".join(rows)
