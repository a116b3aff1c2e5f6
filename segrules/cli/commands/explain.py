"""`segrules explain CUSTOMER [NAME]`: why in, why out, why unknown.

In: the project, its tables, a customer's key (`-`: read from standard input, so that it stands in no history), a name.
Out: the author's own expression with the value of every part, and the nearest way in; where actions ended, and why.
Always: private columns are masked.

    segrules explain C00042 dormant
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def explain(
    options: Options,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The key; `-` reads it from standard input.")],
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A name; without it, all of them.")] = None,
) -> int:
    """Show why a customer is in a segment, or is not: the value of every part of the rule."""
    from segrules.cli.customer import given_key
    from segrules.cli.explaining import asked_for, evaluated
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.engine.explain import explain as why
    from segrules.engine.explain import find_customer
    from segrules.report import explained_actions
    from segrules.report.explanation import as_json, screen
    from segrules.report.keys import parse_key

    output = output_for(options)
    customer = given_key(customer)
    rules = load(options)
    ruleset = rules.ruleset
    wanted = asked_for(ruleset, name)
    key = parse_key(ruleset, customer)
    found = evaluated(options, ruleset, wanted)
    explanation = why(ruleset, found.existing, found.results, key, wanted.name)
    if wanted.only_action is not None:
        explanation = replace(explanation, names=())
    row = find_customer(found.results.keys, key, ruleset.contracts.timezone)
    assert row is not None
    actions = [] if found.decisions is None else explained_actions.explained(found.decisions, row, wanted.only_action)
    output.warnings([*rules.warnings, *found.existing.warnings])
    if options.format == Format.json:
        more = {"actions": explained_actions.as_json(actions, output.language), "ledger": found.has_ledger}
        output.json(as_json(explanation) | (more if actions else {}))
    else:
        output.results(screen(explanation, output.language))
        output.results(explained_actions.screen(actions, found.has_ledger, output.language))
    return 0
