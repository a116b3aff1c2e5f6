"""The Typer application: one module per command.

In: nothing.  Out: the application.  Always: a command imports what it needs when it runs, so that each starts fast.

    application()(["evaluate", "--as-of", "2026-06-30"])
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules import __version__
from segrules.cli.command import command
from segrules.cli.commands.evaluate import evaluate
from segrules.cli.commands.explain import explain
from segrules.cli.commands.init import init
from segrules.cli.commands.members import members
from segrules.cli.commands.plan import plan
from segrules.cli.commands.test import test
from segrules.cli.commands.validate import validate

COMMANDS = (init, validate, test, evaluate, members, explain, plan)


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
