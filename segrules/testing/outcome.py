"""Verdicts for a screen and as JSON.

In: verdicts.  Out: lines or a JSON value.  Always: a failed test says file and line, what was expected, what came out
and why; the last line counts.

    screen(verdicts, "zh", as_written)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segrules.diagnostics.catalogue import Language, say
from segrules.model.ruleset import RuleSet
from segrules.report.diagnostics import NamePath, text_lines
from segrules.report.diagnostics import as_json as diagnostics_json
from segrules.report.explanation import screen as explanation_lines
from segrules.report.screen import Line, Piece, line, visible
from segrules.schema.calendar import to_date
from segrules.testing.run import Verdict


def screen(verdicts: Sequence[Verdict], language: Language, shown: NamePath) -> list[Line]:
    """What failed, with the reason, and the count."""
    lines: list[Line] = []
    for verdict in verdicts:
        if verdict.passed:
            continue
        place = verdict.example.span.place
        where = f"{shown(place.file)}:{place.line}" if place.line else ""
        failed = Piece(say("tests.failed", language), "bold red")
        lines += [line(failed, " ", Piece(visible(verdict.example.name.text), "bold"), "  ", Piece(where, "dim"))]
        explained = {mismatch.expected.span: mismatch.explanation for mismatch in verdict.mismatches}
        for one in verdict.diagnostics:
            lines += text_lines([one], language, shown)
            if (explanation := explained.get(one.span)) is not None:
                lines += [(Piece("    "), *each) for each in explanation_lines(explanation, language)]
        lines.append(line())
    failures = sum(not verdict.passed for verdict in verdicts)
    total = say("tests.total", language, passed=len(verdicts) - failures, failed=failures)
    lines.append(line(Piece(total, "bold red" if failures else "bold green")))
    return lines


def as_json(ruleset: RuleSet, verdicts: Sequence[Verdict], language: Language, shown: NamePath) -> dict[str, Any]:
    """Every test with its expectations that were not met, and every diagnostic."""
    return {
        "format_version": 1,
        "project": ruleset.name,
        "passed": sum(verdict.passed for verdict in verdicts),
        "failed": sum(not verdict.passed for verdict in verdicts),
        "tests": [_one(verdict, language, shown) for verdict in verdicts],
    }


def _one(verdict: Verdict, language: Language, shown: NamePath) -> dict[str, Any]:
    place = verdict.example.span.place
    return {
        "name": verdict.example.name.text,
        "file": shown(place.file) if place.file else None,
        "line": place.line or None,
        "as_of": to_date(verdict.example.as_of).isoformat(),
        "passed": verdict.passed,
        "mismatches": [
            {
                "customer": str(each.expected.customer),
                "name": str(each.expected.name),
                "expected": each.wanted,
                "actual": each.actual,
            }
            for each in verdict.mismatches
        ],
        "diagnostics": diagnostics_json(verdict.diagnostics, language, shown),
    }
