"""`segrules plan`: what would be done, to whom, without doing anything.

In: the project, its tables, the ledger of an environment.  Out: the waterfall of every action on stdout; with `-o` a
plan that `apply` carries out exactly.  Always: nothing is contacted and the ledger is only read; where a guard is
exceeded there is no file and the exit is 1.

    segrules plan --as-of 2026-06-30 -o plan.segplan
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segrules.cli.options import Options


def plan(
    options: Options,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the plan to a .segplan file.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="One line for each action.")] = False,
    sample: Annotated[
        int, typer.Option("--sample", min=0, metavar="N", help="Show N rendered messages of each action, masked.")
    ] = 0,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write who ends where to .xlsx, .csv or .parquet."),
    ] = None,
    with_pii: Annotated[
        bool, typer.Option("--with-pii", help="Private values in --export as they are, and addresses too.")
    ] = False,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="GUARD", help="Let a guard be exceeded; may be repeated.")
    ] = None,
    explain_changes: Annotated[
        bool, typer.Option("--explain-changes", help="Which clauses those who entered or left fulfil now.")
    ] = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 3 where applying it would change anything.")
    ] = False,
) -> int:
    """Show what would be done: changes of segments, and where everyone who matches an action ends."""
    from segrules.cli.planning import Wanted, planned

    return planned(
        options,
        Wanted(out, summary, sample, export, with_pii, tuple(allow or ()), explain_changes, detailed_exitcode),
    )
