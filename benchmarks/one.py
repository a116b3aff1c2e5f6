"""One customer at a time: microseconds per call, answers compared with a run over all first.

In: seeds and sizes.  Out: lines on the screen and a line of JSON each.  Always: what goes in are mappings of Python
values, as a service has them, converted and held to their contract within the time; the median of several rounds.

    python -m benchmarks.one --rules 300
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import customers, orders
from benchmarks.contender import Work
from benchmarks.customers import TODAY
from benchmarks.ours import Segrules as Rules

SEED = 20260630
CUSTOMERS = 500
PER_CUSTOMER = 300
"""Related rows of each customer of the aggregates."""
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Timed:
    """`one` converts and evaluates, `state` evaluates a customer at hand, `added` adds a row to it and evaluates:
    microseconds, medians. `made`: seconds to make the evaluator, once."""

    what: str
    one: float
    state: float
    added: float | None
    made: float


def rules(number: int, rounds: int) -> Timed:
    """That many rules over the columns of a customer."""
    contender = Rules(Work("rules", "", CUSTOMERS, number, SEED, CUSTOMERS, 1))
    table = customers.table(CUSTOMERS, SEED)
    run = contender.project.evaluate(as_of=TODAY, customers=table).frame()
    started = time.perf_counter()
    evaluator = contender.project.evaluator()
    made = time.perf_counter() - started
    rows = table.to_pylist()
    for position, row in enumerate(rows):
        found = evaluator.one(row, as_of=TODAY).segments
        expected = {name: run[name].iloc[position] for name in found}
        wrong = [name for name, truth in found.items() if truth is not truth_of(expected[name])]
        must_agree(wrong, row["customer_id"])
    states = [evaluator.customer(row) for row in rows]
    return Timed(
        f"{number} rules",
        median(lambda row: evaluator.one(row, as_of=TODAY), rows, rounds),
        median(lambda state: state.evaluate(TODAY), states, rounds),
        None,
        made,
    )


def aggregates(rounds: int) -> Timed:
    """33 windowed aggregates over the orders of a customer."""
    contender = orders.Segrules(Work("orders", "", 0, 0, SEED, 0, 1))
    count = 20
    table = orders.orders(count * PER_CUSTOMER, SEED)
    owner = pa.array(np.arange(table.num_rows) % count)
    table = table.set_column(0, "customer_id", owner)
    keys = pa.table({"customer_id": pa.array(np.arange(count))})
    run = contender.project.evaluate(as_of=TODAY, customers=keys, orders=table).results
    started = time.perf_counter()
    evaluator = contender.project.evaluator()
    made = time.perf_counter() - started
    given = [({"customer_id": key}, table.filter(pc.equal(owner, key)).to_pylist()) for key in range(count)]
    for key, (row, rows) in enumerate(given):
        found = evaluator.one(row, as_of=TODAY, orders=rows).stored
        must_agree([name for name, value in found.items() if not same(value, run.values[name].at(key))], key)
    states = [evaluator.customer(row, orders=rows[1:]) for row, rows in given]
    pairs = [(state, rows[0]) for state, (_, rows) in zip(states, given, strict=True)]
    return Timed(
        f"{len(orders.ASKED)} aggregates over {PER_CUSTOMER} orders",
        median(lambda pair: evaluator.one(pair[0], as_of=TODAY, orders=pair[1]), given, rounds),
        median(lambda state: state.evaluate(TODAY), states, rounds),
        median(lambda pair: pair[0].with_row("orders", pair[1]).evaluate(TODAY), pairs, rounds),
        made,
    )


def median(call: Callable[[Any], object], given: Sequence[Any], rounds: int) -> float:
    """Microseconds per call, the median of rounds over all that is given."""
    found = []
    gc.collect()
    for _ in range(rounds):
        started = time.perf_counter()
        for one in given:
            call(one)
        found.append((time.perf_counter() - started) / len(given) * 1e6)
    return round(statistics.median(found), 1)


def truth_of(value: object) -> bool | None:
    """A cell of a nullable boolean column."""
    return None if type(value).__name__ == "NAType" else bool(value)


def same(value: Any, other: Any) -> bool:
    if isinstance(value, float) and isinstance(other, float):
        return abs(value - other) <= TOLERANCE * abs(other)
    return bool(value == other)


def must_agree(wrong: list[str], key: object) -> None:
    if wrong:
        raise SystemExit(f"customer {key}: one customer at a time differs from the run in {', '.join(wrong[:5])}")


def shown(one: Timed) -> str:
    added = "" if one.added is None else f", with a row added {one.added:,.0f} µs"
    return f"{one.what}: one(…) {one.one:,.0f} µs, evaluate() {one.state:,.0f} µs{added}; made in {one.made:.2f} s"


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.one", description=__doc__)
    options.add_argument("--rules", type=int, default=300)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    for one in (rules(given.rules, given.rounds), aggregates(given.rounds)):
        print(shown(one))
        print(json.dumps(asdict(one)))


if __name__ == "__main__":
    main()
