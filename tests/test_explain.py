"""Explanations: what they say, and that the nearest way in is one and the shortest.

`tests/cases/explain/shop.yaml` has the rules and tables; each `.txt` begins with `# CUSTOMER [NAME] LANGUAGE` and holds
the screen that must come out.  `pytest --update` rewrites them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.engine.explain import explain
from segrules.engine.explanation import Explanation, Threshold
from segrules.engine.nearest import nearest
from segrules.engine.reference.evaluate import evaluate
from segrules.engine.reference.values import all_of, any_of, negation
from segrules.errors import WrongUsage
from segrules.model.expr import And, Column, Expr, Not, Or
from segrules.model.ruleset import RuleSet
from segrules.report.explanation import as_json, screen
from segrules.report.screen import plain
from segrules.schema.contract import Contracts
from segrules.schema.types import BOOL, Value
from tests import building
from tests.test_semantics import rules_of

CASES = Path(__file__).parent / "cases" / "explain"
Explain = Callable[..., Explanation]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Explain:
    scenario = building.Scenario.read((CASES / "shop.yaml").read_text(encoding="utf-8"))
    ruleset = building.ruleset(scenario, tmp_path_factory.mktemp("shop"), rules_of(scenario))
    tables = building.tables(scenario, ruleset)
    results = evaluate(ruleset, tables, scenario.as_of)
    return lambda key, name=None: explain(ruleset, tables, results, key, name)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.txt")), ids=lambda case: case.stem)
def test_screen(case: Path, shop: Explain, request: pytest.FixtureRequest) -> None:
    first, _, expected = case.read_text(encoding="utf-8").partition("\n")
    key, *name, language = first.removeprefix("# ").split()
    got = plain(screen(shop(key, *name), "zh" if language == "zh" else "en"))
    if request.config.getoption("--update", default=False):
        case.write_text(f"{first}\n{got}", encoding="utf-8")
    else:
        assert got == expected


def test_private_values_never_leave(shop: Explain) -> None:
    for name in (None, "both", "reach", "tail", "phone"):
        said = shop("C1", name)
        assert "138" not in json.dumps(as_json(said)) + plain(screen(said, "en"))
        assert "138" not in repr(said)


def test_json_has_everything(shop: Explain) -> None:
    said: Any = as_json(shop("C1", "star"))["names"][0]
    assert said["value"] is False
    assert [part["value"] for part in said["part"]["parts"]] == [False, True, True]
    assert said["nearest"] == [
        {"subject": "annual_spend", "op": ">=", "needed": 50000, "now": "30000.00", "by": "20000.00"}
    ]


def test_an_unknown_customer_or_name_is_wrong_usage(shop: Explain) -> None:
    for key, name, code in (("C9", "star", "D854"), ("C1", "str", "D855")):
        with pytest.raises(WrongUsage) as wrong:
            shop(key, name)
        assert [one.code for one in wrong.value.diagnostics] == [code]


def test_nearest_way_into_a_case_needs_the_earlier_ones_to_fail(shop: Explain) -> None:
    changes = shop("C2", "life.big").names[0].nearest or ()
    assert [(one.subject, one.op) for one in changes if isinstance(one, Threshold)] == [
        ("first_order", "<"),
        ("annual_spend", ">"),
    ]


ATOMS = [Column("customers", name, BOOL, True) for name in "abcd"]
TREES: st.SearchStrategy[Expr] = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
EMPTY = RuleSet("", "en", "", Contracts("customers", "UTC", {}), {}, {})


def truth_of(node: Expr, known: dict[Expr, Value]) -> Value:
    match node:
        case Not(operand):
            return negation(truth_of(operand, known))
        case And(operands):
            return all_of([truth_of(one, known) for one in operands])
        case Or(operands):
            return any_of([truth_of(one, known) for one in operands])
        case _:
            return known[node]


@settings(max_examples=400, deadline=None)
@given(TREES, st.lists(st.sampled_from([True, False, None]), min_size=4, max_size=4))
def test_nearest_is_a_way_and_none_is_shorter(tree: Expr, truths: list[Value]) -> None:
    known: dict[Expr, Value] = dict(zip(ATOMS, truths, strict=True))
    found = nearest(tree, lambda atom: known[atom], lambda atom: 1.0, EMPTY)
    shortest = next(
        (
            size
            for size in range(5)
            for chosen in itertools.combinations(ATOMS, size)
            for turned in itertools.product([True, False], repeat=size)
            if truth_of(tree, known | dict(zip(chosen, turned, strict=True))) is True
        ),
        None,
    )
    if found is None:
        assert shortest is None
    else:
        assert truth_of(tree, known | dict(found)) is True
        assert len(found) == shortest
