"""Contenders that take one customer at a time: rule-engine and zen-engine, on a sample.

In: `Work` for the rules.  Out: members per rule among the first `sample` customers.  Always: rules are compiled and
rows made before the time starts; the time is scaled to all customers, and the table says so.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from benchmarks import texts
from benchmarks.contender import Digest, Work
from benchmarks.customers import doubles
from benchmarks.trees import rules


def mappings(work: Work) -> list[dict[str, Any]]:
    """Customers as mappings of plain Python values; days as numbers, money as doubles."""
    table = work.table().slice(0, work.sample).drop_columns(["customer_id"])
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_date32(column.type):
            column = column.cast(pa.int32())
        elif pa.types.is_decimal(column.type):
            column = doubles(column)
        columns[name] = column.to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


class RuleEngine:
    def __init__(self, work: Work) -> None:
        import rule_engine

        self.work = work
        self.share = min(work.sample, work.rows) / work.rows
        self.asked = [rule_engine.Rule(texts.rule_engine(tree)) for tree in rules(work.seed, work.rules)]

    def version(self) -> str:
        import rule_engine

        return str(rule_engine.__version__)

    def load(self) -> None:
        self.customers = mappings(self.work)

    def run(self) -> Any:
        return [sum(map(rule.matches, self.customers)) for rule in self.asked]

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        return list(answer)


class Zen:
    """All rules as the expressions of one decision node, evaluated once per customer."""

    def __init__(self, work: Work) -> None:
        import zen

        self.work = work
        self.share = min(work.sample, work.rows) / work.rows
        expressions = [
            {"id": str(number), "key": f"r{number}", "value": texts.zen(tree)}
            for number, tree in enumerate(rules(work.seed, work.rules))
        ]
        where = {"position": {"x": 0, "y": 0}}
        nodes = [
            {"id": "in", "type": "inputNode", "name": "in", **where},
            {"id": "x", "type": "expressionNode", "name": "x", "content": {"expressions": expressions}, **where},
            {"id": "out", "type": "outputNode", "name": "out", **where},
        ]
        edges = [
            {"id": "1", "type": "edge", "sourceId": "in", "targetId": "x"},
            {"id": "2", "type": "edge", "sourceId": "x", "targetId": "out"},
        ]
        self.decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def version(self) -> str:
        from importlib.metadata import version

        return version("zen-engine")

    def load(self) -> None:
        self.customers = mappings(self.work)

    def run(self) -> Any:
        counts = [0] * self.work.rules
        for customer in self.customers:
            found = self.decision.evaluate(customer)["result"]
            for number in range(self.work.rules):
                counts[number] += found[f"r{number}"] is True
        return counts

    def fresh(self) -> Any:
        self.load()
        return self.run()

    def digest(self, answer: Any) -> Digest:
        return list(answer)
