"""What became of a run: for a screen, and as JSON.

In: `Applied`.  Out: lines, or the JSON value of `apply --format json`.  Always: counts of everyone, keys of contacts
of which nobody knows whether they happened (a key says nothing of the person), and what to do next.

    screen(applied, "en")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segrules.diagnostics.catalogue import Language, say
from segrules.plan.applied import Applied
from segrules.report.screen import Cell, Line, Piece, line, table

FORMAT_VERSION = 1
LISTED = 20
SHORT_ID = 16


def screen(applied: Applied, language: Language) -> list[Line]:
    """The run, its contacts by state with why, and what to do next."""
    title = say("apply.title", language, serial=applied.serial, plan=applied.plan_id[:SHORT_ID])
    return [
        line(Piece(title, "bold")),
        *table(_states(applied, language), right={1}),
        *_unknown(applied, language),
        _end(applied, language),
    ]


def _states(applied: Applied, language: Language) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = []
    for state, count in applied.counts.items():
        why = [
            say("apply.reason", language, reason=reason, n=f"{number:,}")
            for (of, reason), number in sorted(applied.reasons.items())
            if of == state
        ]
        if count:
            rows.append([say(f"apply.{state}", language), f"{count:,}", " · ".join(why)])
    return rows or [[say("apply.nobody", language)]]


def _unknown(applied: Applied, language: Language) -> list[Line]:
    if not applied.unknown:
        return []
    rows: list[Sequence[Cell]] = [
        [each.key, each.action, each.channel, each.reason or ""] for each in applied.unknown[:LISTED]
    ]
    if len(applied.unknown) > LISTED:
        rows.append([say("cli.more", language, n=f"{len(applied.unknown) - LISTED:,}")])
    return [line(Piece(say("apply.resolve", language), "yellow")), *table(rows)]


def _end(applied: Applied, language: Language) -> Line:
    match applied:
        case Applied(already=True):
            return line(say("apply.already", language))
        case Applied(finished=False):
            return line(Piece(say("apply.unfinished", language), "yellow"))
        case Applied(abandoned=True):
            return line(say("apply.given_up", language))
        case _:
            return line(Piece(say("apply.done", language), "green"))


def as_json(applied: Applied) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "run": applied.serial,
        "plan_id": applied.plan_id,
        "finished": applied.finished,
        "already": applied.already,
        "abandoned": applied.abandoned,
        "contacts": dict(applied.counts),
        "reasons": [
            {"state": state, "reason": reason, "contacts": number}
            for (state, reason), number in sorted(applied.reasons.items())
        ],
        "unknown": [
            {"key": each.key, "action": each.action, "channel": each.channel, "reason": each.reason}
            for each in applied.unknown
        ],
    }
