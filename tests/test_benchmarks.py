"""The benchmark asks every contender the same questions: segrules, DuckDB, Polars and pandas answer alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ASKED = """
import sys
from benchmarks import {module}
from benchmarks.__main__ import stored
from benchmarks.contender import Work
from benchmarks.worker import make

with stored({module}.{table}({rows}, 3)) as path:
    work = Work({kind!r}, path, {rows}, {rules}, 3, 50, 1)
    answers = {{}}
    for name in {names}:
        one = make(name, work)
        one.load()
        answers[name] = [one.digest(one.run()), one.digest(one.fresh())]
first = answers["segrules"][0]
assert len(set(map(str, first))) > 10, first
for name, both in answers.items():
    for answer in both:
        wrong = [(a, b) for a, b in zip(first, answer, strict=True) if abs(a - b) > 1e-9 * abs(a)]
        assert not wrong, (name, wrong[:3])
"""


@pytest.mark.parametrize(
    ("kind", "module", "table", "rows", "rules", "names"),
    [
        ("rules", "customers", "table", 3000, 60, ("segrules", "DuckDB", "Polars", "pandas")),
        ("orders", "orders", "orders", 3000, 33, ("segrules", "DuckDB", "Polars")),
    ],
)
def test_contenders_agree(kind: str, module: str, table: str, rows: int, rules: int, names: tuple[str, ...]) -> None:
    for name in ("duckdb", "polars"):
        pytest.importorskip(name)
    script = ASKED.format(kind=kind, module=module, table=table, rows=rows, rules=rules, names=names)
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
