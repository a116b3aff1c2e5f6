"""`segrules status`: how far the ledger of an environment is.

In: the project's policies, the ledger.  Out: lineage, last run, lock, what is unfinished or unknown, the audit.
Always: the ledger is only read; exit 1 where its audit chain is broken.

    segrules status --env prod
"""

from __future__ import annotations

from segrules.cli.options import Format, Options


def status(options: Options) -> int:
    """Show how far the ledger is: lineage, lock, unfinished run, contacts whose end is unknown, the audit."""
    from segrules.cli.ledger import ledger_of
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.report.ledger import status_json, status_screen
    from segrules.state.overview import overview

    output = output_for(options)
    rules = load(options)
    where, ledger = ledger_of(options, rules)
    zone = rules.ruleset.contracts.timezone
    found = overview(ledger)
    if options.format == Format.json:
        output.json(status_json(found, where.name, zone))
    else:
        output.results(status_screen(found, where.name, zone, output.language))
    return 0 if found.broken is None else 1
