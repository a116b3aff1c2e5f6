"""`segrules members NAME`: who is in, with values, near misses and overlap with other segments.

In: the project, its tables, the name of a segment, list or case.  Out: a sample on stdout.  Always: the sample is the
same in every run on the same data; private columns are masked.

    segrules members lifecycle.new --sample 5
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def members(
    options: Options,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A segment, a list, or a case such as lifecycle.new.")],
    sample: Annotated[int, typer.Option("--sample", min=0, help="How many customers to show.")] = 10,
) -> int:
    """Show who is in a segment, with values, near misses and overlap."""
    from segrules import pipeline
    from segrules.cli.output import output_for
    from segrules.cli.project import as_of, load, membership_name
    from segrules.report.members import as_json
    from segrules.report.members import members as find_members
    from segrules.report.members_screen import screen
    from segrules.schema.calendar import to_date
    from segrules.tables.bind import at

    output = output_for(options)
    rules = load(options)
    ruleset = rules.ruleset
    wanted = membership_name(ruleset, name)
    day = as_of(options, ruleset)
    existing = at(ruleset, pipeline.bind(ruleset, pipeline.remembered(ruleset, options.env, day)), day)
    found = find_members(ruleset, existing, day, wanted, sample)
    customers = ruleset.contracts.tables[ruleset.contracts.customers]
    key_type = customers.columns[customers.key or ""].type
    output.warnings([*rules.warnings, *existing.warnings])
    if options.format == Format.json:
        said = {"format_version": 1, "as_of": to_date(day).isoformat(), "timezone": ruleset.contracts.timezone}
        output.json(said | as_json(found, key_type, ruleset.contracts.timezone))
    else:
        output.results(screen(found, ruleset, day, key_type, output.language))
    return 0
