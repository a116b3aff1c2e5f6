"""`segrules show RUN`: what one run was, planned and did.

In: the ledger, the number of a run or the beginning of its plan's id.  Out: who applied it and what became of its
contacts, then the plan's own figures.  Always: figures only; the ledger is only read.

    segrules show 12
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def show(
    options: Options,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its number, or the beginning of its plan's id.")],
) -> int:
    """Show one run: by whom, from which rules, what was planned and what became of it."""
    from segrules.cli.ledger import ledger_of
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.diagnostics.diagnostic import Diagnostic, Help
    from segrules.errors import WrongUsage
    from segrules.report.ledger import batch_json, run_json, run_screen, stored_report, unknown_json
    from segrules.report.ledger_plan import plan_screen
    from segrules.source import NOWHERE
    from segrules.state.ledger import snapshot
    from segrules.state.outbox import all_batches
    from segrules.state.overview import Done, done, reasons, unknown
    from segrules.state.runs import named

    output = output_for(options)
    rules = load(options)
    where, ledger = ledger_of(options, rules)
    zone = rules.ruleset.contracts.timezone
    with snapshot(ledger) as connection:
        meant = named(connection, run.strip())
        if len(meant) != 1:
            raise WrongUsage([Diagnostic("C942", NOWHERE, {"run": run, "n": len(meant)}, Help("history"))])
        (found,) = meant
        did = done(connection).get(found.serial, Done())
        batches = all_batches(connection, found.serial)
        because = reasons(connection, found.serial)
        left = unknown(connection, found.serial)
    if options.format == Format.json:
        output.json(
            {
                "format_version": 1,
                "environment": where.name,
                "run": run_json(found, did, zone),
                "batches": [batch_json(each) for each in batches],
                "reasons": [
                    {"state": state, "reason": reason, "contacts": number}
                    for (state, reason), number in because.items()
                ],
                "unknown": [unknown_json(each) for each in left],
                "plan": stored_report(found),
            }
        )
    else:
        output.results(run_screen(found, did, batches, because, left, zone, output.language))
        output.results(plan_screen(found, rules.ruleset, output.language))
    return 0
