"""`segrules record FILE`: what became of contacts, or entries of the points account.

In: a CSV file, JSON lines, Parquet or a spreadsheet.  Out: the ledger, and how much of the file was new to it.  Always:
all of the file is recorded or nothing; a file may be recorded again; what is wrong is said with its lines.

    segrules record outcomes.csv
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segrules.cli.options import Format, Options

if TYPE_CHECKING:
    from segrules.errors import Refused
    from segrules.state.outcomes import Recorded
    from segrules.tables.reported import Rows


def record(
    options: Options,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Columns key, kind, at[, value]; see --points.")],
    points: Annotated[
        bool, typer.Option("--points", help="Columns customer, at, amount, reason, source, row[, expires_at].")
    ] = False,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out rows whose key no contact has, instead of stopping.")
    ] = False,
) -> int:
    """Record what became of contacts (opened, unsubscribed, task done …), or points."""
    import hashlib

    from segrules.cli.ledger import ledger_of
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.diagnostics.catalogue import say
    from segrules.report.screen import line
    from segrules.state.outcomes import Recorded
    from segrules.state.outcomes import record as record_outcomes
    from segrules.state.points import post
    from segrules.tables import reported

    output = output_for(options)
    rules = load(options)
    zone = rules.ruleset.contracts.timezone
    _, ledger = ledger_of(options, rules)
    if points:
        customers = rules.ruleset.contracts.tables[rules.ruleset.contracts.customers]
        key = customers.columns[customers.key or ""].type
        rows = reported.read_rows(file, zone, {**reported.POINT_COLUMNS, "customer": key})
        new = post(ledger, reported.points(rows, zone))
        done = Recorded({"points": new} if new else {}, rows.count - new)
    else:
        rows = reported.read_rows(file, zone, reported.OUTCOME_COLUMNS)
        done = record_outcomes(
            ledger, reported.outcomes(rows), hashlib.sha256(file.read_bytes()).hexdigest(), skip_unknown
        )
        if refused := _refused(done, rows, skip_unknown):
            raise refused
    if options.format == Format.json:
        said = {"file": file.as_posix(), "rows": rows.count, "new": dict(done.new), "before": done.before}
        output.json({"format_version": 1, **said, "left_out": len(done.unknown)})
        return 0
    new = sum(done.new.values())
    shown = {"new": f"{new:,}", "before": f"{done.before:,}", "file": file.as_posix()}
    output.results([line(say("record.done", output.language, **shown))])
    if done.unknown:
        places = rows.where(done.unknown)
        output.results([line(say("record.skipped", output.language, n=f"{len(done.unknown):,}", places=places))])
    return 0


def _refused(done: Recorded, rows: Rows, skip_unknown: bool) -> Refused | None:
    """Why nothing was recorded, None if all was."""
    from segrules.diagnostics.diagnostic import Diagnostic, Help
    from segrules.errors import Refused
    from segrules.source import NOWHERE

    reasons = (
        ("P940", () if skip_unknown else done.unknown, "skip"), ("P944", done.unsent, "sender"),
        ("P945", done.other, "time"),
    )  # fmt: skip
    found = [
        Diagnostic(code, NOWHERE, {"places": rows.where(places), "count": f"{len(places):,}"}, Help(way_out))
        for code, places, way_out in reasons
        if places
    ]
    return Refused(found) if found else None
