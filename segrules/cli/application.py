"""The Typer application: one module per command.

In: nothing.  Out: the application.  Always: a command imports what it needs when it runs, so that each starts fast.

    application()(["evaluate", "--as-of", "2026-06-30"])
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules import __version__
from segrules.cli.command import command
from segrules.cli.commands.apply import apply
from segrules.cli.commands.evaluate import evaluate
from segrules.cli.commands.explain import explain
from segrules.cli.commands.forget import forget
from segrules.cli.commands.history import history
from segrules.cli.commands.init import init
from segrules.cli.commands.members import members
from segrules.cli.commands.plan import plan
from segrules.cli.commands.proof import proof
from segrules.cli.commands.record import record
from segrules.cli.commands.show import show
from segrules.cli.commands.state import STATE
from segrules.cli.commands.status import status
from segrules.cli.commands.test import test
from segrules.cli.commands.validate import validate

COMMANDS = (init, validate, test, evaluate, members, explain, plan, apply, proof, status, history, show, record, forget)


def application() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        name="segrules",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Declarative rules for customer segmentation and targeted marketing.",
    )
    app.callback()(_top)
    for each in COMMANDS:
        app.command(each.__name__)(command(each))
    state = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    for part in STATE:
        state.command(part.__name__)(command(part))
    app.add_typer(state, name="state", help="The ledger: made, copied, brought up to date, unlocked, pruned.")
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"segrules {__version__}")
        raise typer.Exit()


def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass
