"""From a function to a Typer command with the options that every command has.

In: a function `(options, own arguments…) -> exit code`.  Out: the same function with the shared options, for Typer.
Always: the shared options stand after the command's own, under one name and one help text everywhere.

    app.command("validate")(command(validate))
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from segrules.cli.ending import guarded
from segrules.cli.options import Format, Lang, Options

P = ParamSpec("P")

SHARED: tuple[tuple[str, Any, Any], ...] = (
    (
        "project",
        Annotated[
            Path | None,
            typer.Option("--project", metavar="DIR", help="The project's folder; default: the nearest upward."),
        ],
        None,
    ),
    (
        "env",
        Annotated[
            str | None,
            typer.Option("--env", metavar="NAME", help="The environment; default: the first in policies.yaml."),
        ],
        None,
    ),
    ("format", Annotated[Format, typer.Option("--format", help="How results are written.")], Format.text),
    (
        "lang",
        Annotated[
            Lang | None,
            typer.Option("--lang", help="Language of messages; default: the project's, then the locale."),
        ],
        None,
    ),
    (
        "set_",
        Annotated[
            list[str],
            typer.Option("--set", metavar="NAME=VALUE", help="Override a parameter; may be repeated."),
        ],
        [],
    ),
    (
        "as_of",
        Annotated[
            str | None,
            typer.Option("--as-of", metavar="DATE", help="The date of the run; default: today in the project's zone."),
        ],
        None,
    ),
    ("quiet", Annotated[bool, typer.Option("--quiet", "-q", help="Results and errors only.")], False),
    ("no_color", Annotated[bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")], False),
    ("debug", Annotated[bool, typer.Option("--debug", help="Show the traceback of an internal error.")], False),
)


def command(function: Callable[Concatenate[Options, P], int]) -> Callable[..., None]:
    """*function* with the shared options; its exit code ends the process."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in SHARED
    ]

    @functools.wraps(function)
    def run(**arguments: Any) -> None:
        given = {each.name: arguments.pop(each.name) for each in fields(Options)}
        options = Options(**given | {"set_": tuple(given["set_"])})
        raise typer.Exit(guarded(options, functools.partial(function, options, **arguments)))

    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    run.__signature__ = inspect.Signature([*keyword_only, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*keyword_only, *shared]}
    return run
