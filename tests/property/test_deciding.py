"""Deciding keeps its promises on campaigns at random, and gives what going through the customers one by one gives.

`SEGRULES_EXAMPLES` multiplies the number of campaigns and then tries other ones each time (`make fuzz`).
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from segrules.decide.asked import asked
from segrules.decide.decide import decide
from segrules.decide.decisions import Decisions
from segrules.decide.filling import fill
from segrules.decide.reference.decide import one_by_one
from segrules.engine.results import Results
from segrules.engine.vector.evaluate import evaluate
from segrules.errors import RunStopped
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import MICROSECONDS_PER_DAY
from segrules.tables.columns import Tables
from tests.deciding import outcomes
from tests.property import deciding_laws as laws
from tests.property.campaigns import past, with_campaign
from tests.property.generators import AS_OF, world
from tests.property.rulesets import ruleset

EXAMPLES = 150 * int(os.environ.get("SEGRULES_EXAMPLES", "1"))
slow = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="SEGRULES_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
seeds = st.integers(0, 2**48)
CLOCK = AS_OF * MICROSECONDS_PER_DAY + MICROSECONDS_PER_DAY // 2


def answered(rules: RuleSet, tables: Tables) -> Results:
    try:
        return evaluate(rules, tables, AS_OF)
    except RunStopped:
        assume(False)
        raise


def decided(seed: int) -> tuple[RuleSet, Decisions]:
    random = Random(seed)
    made = world(random)
    rules = with_campaign(random, made, ruleset(random, made, 3))
    results = answered(asked(rules), made.tables)
    clock = CLOCK + random.choice((0, 0, 3)) * MICROSECONDS_PER_DAY
    return rules, decide(rules, results, past(random, rules, results.customers), clock)


@slow
@given(seeds)
def test_bulk_equals_one_by_one(seed: int) -> None:
    rules, found = decided(seed)
    assert outcomes(found) == one_by_one(rules, found.results, found.history, found.planned_at)


@slow
@given(seeds)
def test_promises_hold(seed: int) -> None:
    rules, found = decided(seed)
    for one in found.actions:
        true, _ = found.answers.truth(one.action.when)
        assert sum(one.counts.values()) == true.sum() == len(one.rows)
        assert sorted(one.order.tolist()) == list(range(len(one.rows)))
        assert laws.permitted(rules, found, one)
    laws.check_bounds(rules, found)


@slow
@given(seeds)
def test_order_and_pieces_change_nothing(seed: int) -> None:
    """Rows of related tables, dictionaries of texts and past contacts in another order; blocks and threads."""
    random = Random(seed)
    made = world(random)
    rules = with_campaign(random, made, ruleset(random, made, 3))
    questions = asked(rules)
    results = answered(questions, made.tables)
    known = past(random, rules, results.customers)
    again = evaluate(questions, laws.shuffled(random, made.tables), AS_OF, block_rows=8, threads=3)
    found = decide(rules, results, known, CLOCK)
    assert outcomes(decide(rules, again, laws.shuffled_past(random, known), CLOCK)) == outcomes(found)


@slow
@given(seeds)
def test_a_rename_changes_nothing_but_the_name(seed: int) -> None:
    """An action goes on under a new id: the same hold-out, variants, contacts that count, and stays."""
    rules, found = decided(seed)
    action = next(iter(rules.campaign.actions.values()))
    renamed = replace(action, id="renamed", previously=(*action.previously, action.id))
    told = []
    for each in (action, renamed):
        alone = laws.alone(rules, each)
        results = laws.under_new_names(rules, alone, found.results)
        told.append(outcomes(decide(alone, results, found.history, found.planned_at))[each.id])
    assert told[0] == told[1]


@slow
@given(seeds, st.sampled_from((0, 1, 24)))
def test_filling_is_going_through_the_line(seed: int, rounds: int) -> None:
    """Constraints that tighten each other, and a number of rounds after which the rest is gone through one by one."""
    random = Random(seed)
    count = random.choice((0, 1, 5, 30, 200))
    constraints = [laws.constraint(random, count) for _ in range(random.choice((1, 2, 3, 4)))]
    fits, stage = fill(count, constraints, rounds)
    assert (fits.tolist(), stage.tolist()) == laws.filled(count, constraints)
