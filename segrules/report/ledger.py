"""What a ledger says of itself, on screen and as JSON: how far it is, its runs, one run.

In: values of `state.overview` and `state.runs`.  Out: lines, or a JSON value of `schemas/output/`.  Always: figures and
keys of contacts, never a person; times in the project's zone; money with its two or more digits.

    status_screen(found, "prod", "Asia/Shanghai", "en")
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segrules.diagnostics.catalogue import Language, say
from segrules.report.screen import Cell, Line, Piece, line, table
from segrules.schema.calendar import to_date
from segrules.schema.spelling import spelled
from segrules.schema.types import TIMESTAMP
from segrules.schema.values import money
from segrules.state.outbox import Batch
from segrules.state.overview import Done, Overview, Unknown
from segrules.state.records import CONTACT_STATES, ContactState
from segrules.state.runs import Run

FORMAT_VERSION = 1
SHORT = 12
SHORT_COMMIT = 7


def status_screen(found: Overview, environment: str, zone: str, language: Language) -> list[Line]:
    """The whole status of a ledger."""
    rows: list[list[Cell]] = [
        _row(
            "lineage",
            f"{found.lineage}   {say('ledger.serial', language, n=found.serial, schema=found.schema)}",
            language,
        ),
        _row("last", _run_line(found.last, zone, language), language),
        _row("lock", say("ledger.free", language) if found.owner is None else Piece(found.owner, "yellow"), language),
        _row("audit", _audit(found, language), language),
    ]
    lines = [
        line(Piece("segrules status", "bold"), f" · {environment} · {found.place}"),
        *table(rows),
    ]
    if found.unfinished is not None:
        run = found.unfinished
        lines += [line(), line("  ", Piece(say("ledger.unfinished", language, serial=run.serial), "yellow"))]
        lines += [line("    ", _counts(found.done.contacts, language))]
        lines += _batches(found.batches, language)
    if found.unknown:
        lines += [line(), line("  ", Piece(say("ledger.unknown", language, n=f"{len(found.unknown):,}"), "yellow"))]
        lines += _unknown(found.unknown)
    return lines


def status_json(found: Overview, environment: str, zone: str) -> dict[str, Any]:
    waiting = None
    if found.unfinished is not None:
        waiting = run_json(found.unfinished, found.done, zone)
        waiting["batches"] = [batch_json(each) for each in found.batches]
    return {
        "format_version": FORMAT_VERSION,
        "environment": environment,
        "place": found.place,
        "lineage": found.lineage,
        "schema": found.schema,
        "serial": found.serial,
        "created_at": _instant(found.created_at, zone),
        "lock": found.owner,
        "last_run": None if found.last is None else found.last.serial,
        "unfinished": waiting,
        "unknown": [unknown_json(each) for each in found.unknown],
        "audit": {"entries": found.entries, "first_broken": found.broken},
    }


def runs_screen(runs: Sequence[Run], done: Mapping[int, Done], zone: str, language: Language) -> list[Line]:
    """A line for each run, the newest first."""
    titles: list[Cell] = [
        Piece(say(f"ledger.{key}", language), "dim")
        for key in ("run", "as_of", "applied", "by", "rules", "customers", "in", "out", "contacts", "cost", "plan")
    ]
    rows: list[list[Cell]] = [titles]
    for run in reversed(runs):
        did = done.get(run.serial, Done())
        rows.append(
            [
                Piece(str(run.serial), "bold"),
                to_date(run.as_of).isoformat(),
                _minute(run.applied_at, zone),
                run.author,
                _rules(run, language),
                f"{run.customers:,}",
                f"+{did.entered:,}",
                f"-{did.left:,}",
                f"{sum(did.contacts.values()):,}",
                money(did.cost),
                run.plan_id[:SHORT],
                "" if run.state == "finished" else Piece(say("ledger.not_finished", language), "yellow"),
            ]
        )
    return table(rows, right={0, 5, 6, 7, 8, 9}) if runs else [line("  ", say("ledger.no_runs", language))]


def run_screen(
    run: Run, did: Done, batches: Sequence[Batch], reasons: Mapping[tuple[ContactState, str], int],
    unknown: Sequence[Unknown], zone: str, language: Language,
) -> list[Line]:  # fmt: skip
    """Who did what with one run, and what became of its contacts: the head of `show`."""
    finished = "not_finished" if run.finished_at is None else "finished"
    at = "" if run.finished_at is None else f" {_minute(run.finished_at, zone)}"
    rows = [
        _row("plan", run.plan_id, language),
        _row(
            "by",
            f"{run.author}   {_minute(run.applied_at, zone)} · {say(f'ledger.{finished}', language)}{at}",
            language,
        ),
        _row("rules", f"{_rules(run, language)}   segrules {run.version} · {run.model[:SHORT]}", language),
        _row("members", f"+{did.entered:,} -{did.left:,}", language),
        _row("contacts", f"{_counts(did.contacts, language)}   {money(did.cost)}", language),
    ]
    head = say("ledger.run_title", language, serial=run.serial, date=to_date(run.as_of).isoformat())
    lines = [line(Piece(head, "bold"), f" · {run.environment}"), *table(rows)]
    if not run.with_actions:
        lines.append(line("  ", Piece(say("ledger.without_actions", language), "yellow")))
    because: list[list[Cell]] = [
        [say(f"apply.{state}", language), f"{number:,}", reason] for (state, reason), number in reasons.items()
    ]
    for block in (_batches(batches, language), table(because, right={1}, indent=4), list(_unknown(unknown))):
        lines += [line(), *block] if block else []
    return lines


def run_json(run: Run, did: Done, zone: str) -> dict[str, Any]:
    return {
        "serial": run.serial,
        "plan_id": run.plan_id,
        "state": run.state,
        "as_of": to_date(run.as_of).isoformat(),
        "planned_at": _instant(run.planned_at, zone),
        "applied_at": _instant(run.applied_at, zone),
        "finished_at": None if run.finished_at is None else _instant(run.finished_at, zone),
        "author": run.author,
        "environment": run.environment,
        "version": run.version,
        "model": run.model,
        "commit": run.commit,
        "clean": run.clean,
        "with_actions": run.with_actions,
        "customers": run.customers,
        "planned_contacts": run.contacts,
        "contacts": {state: did.contacts[state] for state in CONTACT_STATES if did.contacts.get(state)},
        "cost": money(did.cost).replace(",", ""),
        "entered": did.entered,
        "left": did.left,
    }


def batch_json(batch: Batch) -> dict[str, Any]:
    same = ("id", "name", "action", "channel", "sink", "kind", "state", "sha256")
    return {name: getattr(batch, name) for name in same}


def unknown_json(one: Unknown) -> dict[str, Any]:
    return {"key": one.key, "run": one.serial, "action": one.action, "channel": one.channel, "reason": one.reason}


def stored_report(run: Run) -> dict[str, Any] | None:
    """What the plan of a run said, None where it was pruned away."""
    found = json.loads(run.report)
    return found if isinstance(found, dict) and found else None


def _row(key: str, value: Cell, language: Language) -> list[Cell]:
    return [Piece(say(f"ledger.{key}", language), "dim"), value]


def _run_line(run: Run | None, zone: str, language: Language) -> str:
    if run is None:
        return say("ledger.no_runs", language)
    state = say("ledger.finished" if run.state == "finished" else "ledger.not_finished", language)
    day = say("ledger.as_of_day", language, date=to_date(run.as_of).isoformat())
    return f"{run.serial} · {day} · {_minute(run.applied_at, zone)} · {run.author} · {state}"


def _audit(found: Overview, language: Language) -> Cell:
    if found.broken is None:
        return say("ledger.unbroken", language, n=f"{found.entries:,}")
    return Piece(say("ledger.broken", language, n=found.broken), "bold red")


def _counts(counts: Mapping[ContactState, int], language: Language) -> str:
    some = [f"{say(f'apply.{state}', language)} {counts[state]:,}" for state in CONTACT_STATES if counts.get(state)]
    return " · ".join(some) or "0"


def _batches(batches: Sequence[Batch], language: Language) -> list[Line]:
    rows: list[list[Cell]] = [
        [each.name, f"{each.sink} ({each.kind})", say(f"ledger.batch_{each.state}", language)] for each in batches
    ]
    return table(rows, indent=4) if rows else []


def _unknown(unknown: Sequence[Unknown]) -> Iterator[Line]:
    rows: list[list[Cell]] = [[each.key, each.action, each.channel, each.reason or ""] for each in unknown]
    yield from table(rows, indent=4)


def _rules(run: Run, language: Language) -> str:
    state = {True: "clean", False: "changed", None: "none"}[run.clean]
    return f"{(run.commit or run.model)[:SHORT_COMMIT]} ({say(f'plan.git_{state}', language)})"


def _instant(microseconds: int, zone: str) -> str:
    return spelled(microseconds, TIMESTAMP, zone)


def _minute(microseconds: int, zone: str) -> str:
    return _instant(microseconds, zone)[:16].replace("T", " ")
