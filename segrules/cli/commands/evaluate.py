"""`segrules evaluate`: who is in what, over the project's data.

In: the project and its tables.  Out: counts on stdout; with `-o` one row per customer in a file, written whole or not
at all.  Always: the date is said; what the data broke is an error with places, exit 4.

    segrules evaluate --as-of 2026-06-30 -o customers.parquet
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segrules.cli.options import Format, Options
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import WrongUsage
from segrules.source import NOWHERE

if TYPE_CHECKING:
    from segrules.cli.output import Output


def evaluate(
    options: Options,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a row per customer: .csv or .parquet.")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="NAMES", help="Only these names, by comma.")] = None,
    cases: Annotated[bool, typer.Option("--cases", help="Every case as a column of its own too.")] = False,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="SEGMENTATION", help="Customers and means of the numeric values, per case."),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="In parts, for Parquet tables larger than memory: counts, and -o FILE.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Where the time goes: per step, and the costliest definitions.")
    ] = False,
) -> int:
    """Evaluate every rule over the data: counts on screen, one row per customer in a file."""
    from segrules.cli.evaluation import check_target, chosen_names, evaluated, write_file
    from segrules.cli.output import output_for
    from segrules.diagnostics.catalogue import say
    from segrules.report import averages, counts
    from segrules.report import profile as profiles
    from segrules.report.screen import line

    output = output_for(options)
    if out is not None:
        check_target(out)
    if stream:
        if profile:
            raise WrongUsage([Diagnostic("C929", NOWHERE)])
        return _in_parts(options, output, out, only, by, cases)
    done = evaluated(options, only, by, out, profile)
    output.warnings(done.warnings)
    if out is not None:
        write_file(done, out, chosen_names(done.ruleset, only), cases)
    wanted = None if only is None else {name.definition for name in chosen_names(done.ruleset, only)}
    means = None if by is None else averages.case_means(done.ruleset, done.results, by, wanted)
    if options.format == Format.json:
        found = counts.as_json(done.ruleset, done.results, done.existing.accounts)
        if by is not None and means is not None:
            found["means"] = averages.as_json(by, means)
        if done.profile is not None:
            found["profile"] = profiles.as_json(done.profile)
        found["output"] = None if out is None else out.as_posix()
        found["diagnostics"] = output.listed(done.warnings)
        output.json(found)
    else:
        output.results(counts.screen(done.ruleset, done.results, done.existing.accounts, output.language, wanted))
        if by is not None and means is not None:
            output.results([line(), *averages.screen(by, means, output.language)])
        if done.profile is not None:
            output.results([line(), *profiles.screen(done.profile, output.language)])
        if out is not None:
            rows = f"{done.results.customers:,}"
            output.messages([line(say("cli.written", output.language, file=out.as_posix(), n=rows))])
    return 0


def _in_parts(options: Options, output: Output, out: Path | None, only: str | None, by: str | None, cases: bool) -> int:
    from segrules.cli.evaluation import chosen_names, evaluated_in_parts
    from segrules.diagnostics.catalogue import say
    from segrules.report import counts
    from segrules.report.screen import line

    done = evaluated_in_parts(options, only, by, out, cases)
    run = done.run
    output.warnings(done.warnings)
    wanted = None if only is None else {name.definition for name in chosen_names(run.ruleset, only)}
    if options.format == Format.json:
        found = counts.as_json(run.ruleset, run.results, run.accounts)
        found["output"] = None if out is None else out.as_posix()
        found["diagnostics"] = output.listed(done.warnings)
        output.json(found)
    else:
        output.results(counts.screen(run.ruleset, run.results, run.accounts, output.language, wanted))
        if out is not None:
            output.messages([line(say("cli.written", output.language, file=out.as_posix(), n=f"{run.customers:,}"))])
    return 0
