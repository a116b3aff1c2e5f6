"""`segrules apply PLAN`: carries out exactly that plan, once.

In: a plan, the project, the ledger of its environment.  Out: what became of every contact, exit 0 or 7.  Always: what
was interrupted goes on with `--resume`, and is never done twice; docs/apply.md has the protocol.

    segrules apply plan.segplan --expect 7c1e5a90d2b44f13
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segrules.cli.options import Options


def apply(
    options: Options,
    plan: Annotated[Path | None, typer.Argument(metavar="[PLAN]", help="A plan of `segrules plan -o`.")] = None,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Plan and apply in one, without a file.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that was interrupted.")] = False,
    abandon: Annotated[
        int | None, typer.Option("--abandon", metavar="RUN", help="Give up what is left of a run.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="ID", help="Only if this is the plan's id (16 digits or more).")
    ] = None,
    no_actions: Annotated[
        bool, typer.Option("--no-actions", help="Record who is in which segment; contact nobody.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, as `segrules plan`.")] = False,
    allow: Annotated[
        list[str] | None, typer.Option("--allow", metavar="GUARD", help="Let a guard be exceeded; may be repeated.")
    ] = None,
) -> int:
    """Carry out a plan: record memberships, contact who was selected; each exactly once."""
    from segrules.cli.applying import Asked, applied

    return applied(options, Asked(plan, auto_approve, resume, abandon, expect, no_actions, dry_run, tuple(allow or ())))
