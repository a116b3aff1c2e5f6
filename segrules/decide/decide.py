"""Who gets what: every action of a campaign over the results of a run.

In: a rule set, its results (of `asked`), the history, the planning clock.  Out: `Decisions`.
"""

from __future__ import annotations

from segrules.decide.decisions import Decisions
from segrules.decide.recorded import memberships, recorded
from segrules.engine.results import Results
from segrules.model.ruleset import RuleSet
from segrules.state.records import History

__all__ = ["decide", "memberships", "recorded"]


def decide(ruleset: RuleSet, results: Results, history: History, planned_at: int) -> Decisions:
    """What becomes of everyone who matches an action. *results* are those of `asked(ruleset)`, *history* is by row of
    them; *planned_at* in microseconds UTC."""
    raise NotImplementedError
