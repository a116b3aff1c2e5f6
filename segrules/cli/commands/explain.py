"""`segrules explain CUSTOMER [NAME]`: why in, why out, why unknown.

In: the project, its tables, a customer's key (`-`: read from standard input, so that it stands in no history), a name.
Out: the author's own expression with the value of every part, and the nearest way in.  Always: private columns are
masked.

    segrules explain C00042 dormant
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def explain(
    options: Options,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The key; `-` reads it from standard input.")],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A name; without it, all of them.")] = None,
) -> int:
    """Show why a customer is in a segment, or is not: the value of every part of the rule."""
    from segrules import pipeline
    from segrules.cli.output import output_for
    from segrules.cli.project import as_of, load, unknown_name
    from segrules.diagnostics.diagnostic import Diagnostic
    from segrules.engine.explain import explain as why
    from segrules.errors import WrongUsage
    from segrules.model.names import find
    from segrules.report.explanation import as_json, screen
    from segrules.report.keys import parse_key
    from segrules.source import NOWHERE
    from segrules.tables.bind import at

    output = output_for(options)
    if customer == "-":
        customer = sys.stdin.readline().strip().removeprefix("\ufeff")
        if not customer:
            raise WrongUsage([Diagnostic("C916", NOWHERE)])
        if not sys.stdin.isatty() and any(line.strip() for line in sys.stdin):
            raise WrongUsage([Diagnostic("C930", NOWHERE)])
    rules = load(options)
    ruleset = rules.ruleset
    wanted = None
    if name is not None:
        found = find(ruleset, name)
        if found is None:
            raise unknown_name(ruleset, name)
        if found.kind == "parameter":
            raise WrongUsage([Diagnostic("C904", NOWHERE, {"name": name})])
        wanted = found
    key = parse_key(ruleset, customer)
    day = as_of(options, ruleset)
    existing = at(ruleset, pipeline.bind(ruleset), day)
    only = None
    if wanted is not None and wanted.definition in ruleset.definitions:
        only = {wanted.definition}
    results = pipeline.evaluate_existing(ruleset, existing, day, only)
    explanation = why(ruleset, existing, results, key, None if wanted is None else str(wanted))
    output.warnings([*rules.warnings, *existing.warnings])
    if options.format == Format.json:
        output.json(as_json(explanation))
    else:
        output.results(screen(explanation, output.language))
    return 0
