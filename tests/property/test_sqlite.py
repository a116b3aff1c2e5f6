"""SQL's answers for the same predicates: TRUE and unknown, from Python's own sqlite3.

Each predicate is one random tree, written twice: as an expression of the language, which goes through the parser, the
checker and both engines, and as SQL, by `predicates_in_sql`. Tables have many missing values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import pytest

from segrules.engine.reference.evaluate import evaluate as by_rows
from segrules.engine.results import Membership
from segrules.engine.vector.evaluate import evaluate as in_bulk
from segrules.schema.calendar import to_date
from tests import building
from tests.property.predicates_in_sql import COLUMNS, FIRST_DAY, INTEGER, NUMBER, TEXT, WHOLE, WORDS, Both, Kind, Trees

BATCHES, PREDICATES, CUSTOMERS = 14, 400, 29
BY_ROWS = 4
"""How many batches the reference evaluator, which is slow, answers too."""
DEEPEST = 20
"""How many brackets within brackets the parser of SQLite certainly takes."""


def table_of(random: Random) -> dict[str, list[str]]:
    """The customers as texts, a third of the values missing."""
    rows: dict[str, list[str]] = {"id": [str(number) for number in range(CUSTOMERS)]}
    for name, kind in COLUMNS.items():
        made = [_some_value(kind, random) if name != "zero" else str(random.randint(0, 2)) for _ in range(CUSTOMERS)]
        rows[name] = [building.MISSING if random.random() < 0.33 else text for text in made]
    return rows


def _some_value(kind: Kind, random: Random) -> str:
    match kind.name:
        case "integer":
            return str(random.randint(-12, 12))
        case "decimal":
            return f"{random.randint(-999, 999) / 10**kind.scale:.{kind.scale}f}"
        case "number":
            return str(random.choice((random.randint(-40, 40) / 4, random.randint(-99, 99) / 10)))
        case "text":
            return random.choice(WORDS)
        case "date":
            return to_date(FIRST_DAY + random.randint(-9, 9)).isoformat()
        case _:
            return random.choice(("true", "false"))


def answers_of_sqlite(rows: dict[str, list[str]], queries: Sequence[str]) -> list[list[bool | None]]:
    """For each query, TRUE, FALSE or NULL per customer."""
    connection = sqlite3.connect(":memory:")
    kinds = {"id": WHOLE, **COLUMNS}
    sql_types = {NUMBER: "REAL", TEXT: "TEXT"}
    columns = ", ".join(f"{name} {sql_types.get(kind.name, 'INTEGER')}" for name, kind in kinds.items())
    connection.execute(f"CREATE TABLE customers ({columns})")
    stored = [[_in_sql(text, kinds[name]) for text in texts] for name, texts in rows.items()]
    marks = ", ".join("?" * len(kinds))
    connection.executemany(f"INSERT INTO customers VALUES ({marks})", list(zip(*stored, strict=True)))
    found = []
    for query in queries:
        values = [value for (value,) in connection.execute(f"SELECT {query} FROM customers ORDER BY id")]
        found.append([None if value is None else bool(value) for value in values])
    connection.close()
    return found


def _in_sql(text: str, kind: Kind) -> int | float | str | None:
    if text == building.MISSING:
        return None
    match kind.name:
        case "integer" | "decimal":
            return int(text.replace(".", ""))
        case "number":
            return float(text)
        case "date":
            return int(np.datetime64(text, "D").astype(int))
        case "bool":
            return int(text == "true")
        case _:
            return text


def batch(seed: int) -> tuple[building.Scenario, list[Both]]:
    trees = Trees(seed)
    rows = table_of(Random(seed))
    types = {"id": INTEGER, **{name: kind.declared() for name, kind in COLUMNS.items()}}
    predicates: list[Both] = []
    while len(predicates) < PREDICATES:
        predicate = trees.predicate(trees.random.choice((1, 2, 2, 3, 4)))
        if _depth(predicate.sql) <= DEEPEST:
            predicates.append(predicate)
    return building.Scenario("", {}, {"table": rows, "types": types}), predicates


def _depth(sql: str) -> int:
    return max(np.cumsum([(letter == "(") - (letter == ")") for letter in sql]))  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(BATCHES))
def test_sql_gives_the_same_true_and_unknown_sets(seed: int, tmp_path: Path) -> None:
    scenario, predicates = batch(seed)
    segments = {f"p{number}": {"when": predicate.rule} for number, predicate in enumerate(predicates)}
    ruleset = building.ruleset(scenario, tmp_path, {"segments": segments})
    tables = building.tables(scenario, ruleset)
    expected = answers_of_sqlite(scenario.plain["table"], [predicate.sql for predicate in predicates])
    wrong = []
    for engine in (in_bulk, by_rows) if seed < BY_ROWS else (in_bulk,):
        results = engine(ruleset, tables, scenario.as_of)
        for number, predicate in enumerate(predicates):
            found = truths(results.segments[f"p{number}"])
            if found != expected[number]:
                rows = [row for row in range(CUSTOMERS) if found[row] != expected[number][row]]
                wrong.append(f"{engine.__module__}: {predicate.rule}\n    {predicate.sql}\n    differs in rows {rows}")
    assert not wrong, "\n".join(["", *wrong[:10]])


def truths(membership: Membership) -> list[bool | None]:
    true = membership.true.mask()
    unknown = np.zeros(len(true), np.bool_) if membership.unknown is None else membership.unknown.mask()
    return [None if blank else bool(yes) for yes, blank in zip(true, unknown, strict=True)]


CONSTRUCTS = (
    " = ", " != ", " <= ", "between", "not between", " in (", "not in (", ", missing", "is missing", "is not missing",
    " + ", " - ", " * ", " / ", " ?? ", "-", "not (", " and ", " or ", "case when", "if(", "div(", "mod(", "least(",
    "abs(", "contains", "starts with", "ends with",
)  # fmt: skip


def test_the_predicates_are_many_and_cover_what_they_should() -> None:
    """At least 5,000, and every construct in a good share of them, with all three answers."""
    texts = [predicate.rule for seed in range(BATCHES) for predicate in batch(seed)[1]]
    assert len(set(texts)) >= 5000
    for construct in CONSTRUCTS:
        assert sum(construct in text for text in texts) >= 100, construct
    scenario, predicates = batch(0)
    answers = answers_of_sqlite(scenario.plain["table"], [predicate.sql for predicate in predicates])
    mixed = sum(len(set(found)) == 3 for found in answers)
    assert mixed >= PREDICATES // 4
