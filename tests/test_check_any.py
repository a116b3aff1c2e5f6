"""Whatever expression somebody writes, checking answers: a diagnostic, or a typed tree.

In: expressions made from operands of every kind and shapes of every operation, over the project of
`tests/cases/errors/default_project`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules.check.bounds import bounds
from segrules.check.infer import infer
from segrules.check.missing import can_be_missing
from segrules.check.needs import needs
from segrules.check.regions import lines
from segrules.check.rulesets import check
from segrules.check.scope import Entry, EntryKind, Fact, Names, Parts, Scope, is_wrong
from segrules.diagnostics.catalogue import help_text, message
from segrules.files.load import load
from segrules.model.expr import Constant, Expr, IsMissing, children
from segrules.schema.types import BOOL, TEXT, UNTYPED, Decimal
from segrules.source import Source
from segrules.syntax.parser import parse_expression

PROJECT = Path(__file__).parent / "cases" / "errors" / "default_project" / "segrules.yaml"
RULES = """
purpose: p
owner: o
parameters: {cut: {value: 30}, homes: {value: [a, b]}}
attributes: {spend: {value: sum(orders.amount)}}
segments: {star: {when: vip}}
segmentations:
  lifecycle: {cases: [{segment: new, when: vip}], otherwise: {segment: old}}
  t: {columns: [age], outputs: [segment, discount], rows: [[1, x, 5%]], otherwise: [y, 0]}
"""
DEFINED: dict[str, EntryKind] = {
    "cut": "parameter", "homes": "parameter", "spend": "attribute", "star": "segment", "lifecycle": "segmentation",
    "t": "segmentation",
}  # fmt: skip
OPERANDS = [
    "age",
    "annual_income",
    "score",
    "name",
    "tags",
    "vip",
    "consent",
    "signed_up",
    "birth_date",
    "city",
    "city.tier",
    "missing",
    "today",
    "5",
    "1.25",
    "'a'",
    "true",
    "2026-01-01",
    "2026-01-01T08:00:00",
    "cut",
    "homes",
    "star",
    "spend",
    "lifecycle",
    "lifecycle.new",
    "new",
    "t.discount",
    "orders.amount",
    "orders",
    "nobody",
    "lines.price",
    "channel",
    "paid_at",
]
SHAPES = [
    "{} + {}",
    "{} * {}",
    "{} / {}",
    "{} - {}",
    "-({})",
    "({}) ?? ({})",
    "{} = {}",
    "{} < {}",
    "{} between {} and {}",
    "{} in ({}, {})",
    "{} in homes",
    "{} in last 30 days",
    "{} in next cut months",
    "{} is missing",
    "({}) and ({})",
    "({}) or ({})",
    "not ({})",
    "{} contains {}",
    "{} matches {}",
    "{} has any of ({}, {})",
    "{} has none of homes",
    "if({}, {}, {})",
    "({}) + 3 days",
    "case when {} then {} else {} end",
    "least({}, {})",
    "round({}, {})",
    "band({}, [{}, {}])",
    "concat({}, {})",
    "year({})",
    "days_between({}, {})",
    "abs({})",
    "floor({})",
    "power({}, {})",
    "hash_bucket({}, {}, {})",
    "count({} where {})",
    "sum({} where {})",
    "first({})",
    "max({})",
    "all({} where {})",
    "any({})",
    "qcut({}, {})",
    "rank({} by city among {})",
    "quantile({} desc, {})",
    "count_distinct({})",
    "div({}, {})",
    "length({})",
    "default({}, {})",
    "date({})",
    "next_anniversary({})",
]


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Scope:
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "rules").mkdir()
    (folder / "segrules.yaml").write_text(PROJECT.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "rules" / "a.yaml").write_text(RULES, encoding="utf-8")
    project, found = load(folder)
    ruleset, more = check(project)
    assert (found, more) == ([], [])
    assert ruleset is not None
    columns = ruleset.contracts.tables["customers"].columns
    entries = {name: Entry(name, "column") for name in columns} | {n: Entry(n, kind) for n, kind in DEFINED.items()}
    parts = {"lifecycle": Parts(("new", "old")), "t": Parts(("x", "y"), ("discount",))}
    bare = {"new": ("lifecycle",), "old": ("lifecycle",), "x": ("t",), "y": ("t",)}
    facts = {"spend": Fact(Decimal(2)), "star": Fact(BOOL), "lifecycle": Fact(TEXT, False, ("new", "old"))}
    facts |= {"t": Fact(TEXT, False, ("x", "y")), "t.discount": Fact(Decimal(2), True)}
    return Scope(
        ruleset.contracts, Names(entries, parts, bare), ruleset.parameters, facts, [], (ruleset.contracts.customers,)
    )


def expressions(deep: int) -> st.SearchStrategy[str]:
    leaf = st.sampled_from(OPERANDS)
    if not deep:
        return leaf
    inner = expressions(deep - 1)

    def fill(shape: str) -> st.SearchStrategy[str]:
        holes = shape.count("{}")
        return st.lists(inner, min_size=holes, max_size=holes).map(lambda parts: shape.format(*parts))

    return st.one_of(leaf, st.sampled_from(SHAPES).flatmap(fill), st.sampled_from(SHAPES).flatmap(fill))


def typed(node: Expr) -> bool:
    """Whether every part but a missing constant at the top has a type."""
    waiting = list(children(node))
    while waiting:
        part = waiting.pop()
        if part.type == UNTYPED:
            return False
        waiting += children(part)
    return node.type != UNTYPED or isinstance(node, Constant)


@settings(max_examples=1200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=expressions(3), sight=st.sampled_from(["customer", "own row"]))
def test_no_expression_makes_checking_fail(text: str, sight: Any, surroundings: Scope) -> None:
    scope = replace(surroundings, found=[], sight=sight)
    written, unreadable = parse_expression(Source("x", text))
    node = infer(written, scope)
    assert is_wrong(node) == bool([*unreadable, *(one for one in scope.found if one.code != "T407")])
    for one in scope.found:
        assert message(one, "zh")
        assert message(one, "en")
        assert one.help is None or help_text(one, "zh")
    if not is_wrong(node):
        assert typed(node)
        assert can_be_missing(node) in (False, True)
        bounds(node, scope)
        lines(node, [IsMissing(node)], scope)
    assert set(needs([written], scope)) <= {"spend", "star", "lifecycle", "t"}
