"""What became of everyone who matches an action: stages, channels, variants, costs.

In: built by `decide`.  Out: `Decisions`, read by `plan`, `explain` and tests.  Always: every customer for whom `for`
is TRUE stands at exactly one stage, so the counts of a waterfall add up to the last customer.

    decisions.of("winback_coupon").counts["selected"]      # 4500
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segrules.decide.asked import Answers, answers
from segrules.engine.results import Results
from segrules.model.campaign import STAGES, Action, Campaign, Stage
from segrules.state.records import History

Ints = NDArray[np.int64]
Stages = NDArray[np.uint8]

CODES: Mapping[Stage, int] = {stage: code for code, stage in enumerate(STAGES)}
SELECTED = CODES["selected"]
HELD_OUT = CODES["action hold-out"]


def total(amounts: Ints) -> int:
    """The sum of amounts, which may be beyond 64 bits."""
    return (int((amounts >> 32).sum()) << 32) + int((amounts & 0xFFFFFFFF).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """One action. `rows`: the customers for whom `for` is TRUE, ascending; every other array is by position in it.

    `stage`: index into `STAGES`. `channel`: index into `action.channels`, -1 where none reaches. `variant`: index into
    `action.variants`, -1 for none. `cost`: of the contact in 1/10,000, also where it is held out (then reserved, not
    spent), 0 for everyone else. `n`: the number of the contact in its key, 0 for those who get none. `order`: positions
    in the order of filling. `waiting`: those at the stage "repeat" who entered, but not by data, which is no cause for
    `on: entry`.
    """

    action: Action
    rows: Ints
    stage: Stages
    channel: NDArray[np.int16]
    variant: NDArray[np.int16]
    cost: Ints
    n: Ints
    order: Ints
    waiting: int = 0

    @property
    def counts(self) -> Mapping[Stage, int]:
        """Customers per stage, in the order of the stages, also where there are none."""
        found = np.bincount(self.stage, minlength=len(STAGES))
        return {stage: int(count) for stage, count in zip(STAGES, found, strict=True)}

    def at(self, stage: Stage) -> Ints:
        """Positions of those who ended at *stage*, in the order of filling."""
        there = self.stage[self.order] == CODES[stage]
        found: Ints = self.order[there]
        return found

    @property
    def spend(self) -> int:
        """What the selected cost together."""
        return total(self.cost[self.stage == SELECTED])


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """All actions, in the order in which they were decided. `results` has the answers to `asked` questions too;
    `today` is the local day of the planning clock."""

    as_of: int
    planned_at: int
    today: int
    timezone: str
    campaign: Campaign
    results: Results
    history: History
    actions: tuple[Decision, ...]

    @property
    def answers(self) -> Answers:
        return answers(self.campaign, self.results)

    def of(self, action_id: str) -> Decision:
        """Raises `LookupError` for an action that there is not."""
        for each in self.actions:
            if each.action.id == action_id:
                return each
        raise LookupError(action_id)
