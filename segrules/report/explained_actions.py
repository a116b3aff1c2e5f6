"""At which stage every action ended for one customer, and why: what `explain` adds where a project has actions.

In: decisions, the customer's row.  Out: lines, JSON values.  Always: in the order in which actions are decided; the
stage is that of the plan of this moment; without a ledger it is said that nothing of the past was known.

    explained(decisions, 17)[0].stage      # "cap"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segrules.decide.decisions import Decisions
from segrules.decide.why import why
from segrules.diagnostics.catalogue import Language, say
from segrules.diagnostics.diagnostic import Words
from segrules.model.campaign import NOT_MATCHED, STAGES
from segrules.report.screen import Cell, Line, Piece, Style, line, table


@dataclass(frozen=True, slots=True)
class ExplainedAction:
    """`stage` as in a waterfall, or `not matched`."""

    action: str
    label: str | None
    stage: str
    why: Words


def explained(decisions: Decisions, row: int, only: str | None = None) -> list[ExplainedAction]:
    """Every action, or the one named *only*."""
    found = []
    for decision in decisions.actions:
        if only in (None, decision.action.id):
            place = int(np.searchsorted(decision.rows, row))
            is_there = place < len(decision.rows) and decision.rows[place] == row
            stage = STAGES[decision.stage[place]] if is_there else NOT_MATCHED
            action = decision.action
            found.append(ExplainedAction(action.id, action.label, stage, why(decisions, action.id, row)))
    return found


def screen(found: Sequence[ExplainedAction], has_ledger: bool, language: Language) -> list[Line]:
    """A line for each action."""
    rows: list[list[Cell]] = []
    for each in found:
        style: Style = {"selected": "green", NOT_MATCHED: "dim"}.get(each.stage, "yellow")  # type: ignore[assignment]
        said = say(each.why.key, language, **each.why.args)
        label = f" {each.label}" if each.label else ""
        rows.append([Piece(f"{each.action}{label}", "bold"), Piece(said, style)])
    note = [] if has_ledger else [line("  ", Piece(say("explain.no_ledger", language), "dim"))]
    return [line(), line(Piece(say("explain.actions", language), "dim")), *table(rows), *note] if rows else []


def as_json(found: Sequence[ExplainedAction], language: Language) -> list[dict[str, Any]]:
    """The same as JSON values; `why` in the reader's language."""
    return [
        {
            "action": each.action,
            "label": each.label,
            "stage": each.stage,
            "why": say(each.why.key, language, **each.why.args),
        }
        for each in found
    ]
