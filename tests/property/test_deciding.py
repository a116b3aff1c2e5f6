"""Deciding keeps its promises on campaigns at random, and gives what going through the customers one by one gives.

`SEGRULES_EXAMPLES` multiplies the number of campaigns and then tries other ones each time (`make fuzz`).
"""

from __future__ import annotations

import os
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from segrules.decide.asked import asked
from segrules.decide.decide import decide
from segrules.decide.decisions import Decisions
from segrules.decide.reference.decide import one_by_one
from segrules.engine.vector.evaluate import evaluate
from segrules.errors import RunStopped
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import MICROSECONDS_PER_DAY
from tests.deciding import outcomes
from tests.property.campaigns import past, with_campaign
from tests.property.generators import AS_OF, world
from tests.property.rulesets import ruleset

EXAMPLES = 300 * int(os.environ.get("SEGRULES_EXAMPLES", "1"))
slow = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="SEGRULES_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
seeds = st.integers(0, 2**48)
CLOCK = AS_OF * MICROSECONDS_PER_DAY + MICROSECONDS_PER_DAY // 2


def decided(seed: int) -> tuple[RuleSet, Decisions]:
    random = Random(seed)
    made = world(random)
    rules = with_campaign(random, made, ruleset(random, made, 3))
    try:
        results = evaluate(asked(rules), made.tables, AS_OF)
    except RunStopped:
        assume(False)
        raise
    clock = CLOCK + random.choice((0, 0, 3)) * MICROSECONDS_PER_DAY
    return rules, decide(rules, results, past(random, rules, results.customers), clock)


@slow
@given(seeds)
def test_bulk_equals_one_by_one(seed: int) -> None:
    rules, found = decided(seed)
    assert outcomes(found) == one_by_one(rules, found.results, found.history, found.planned_at)
