"""What every command takes, and how every command ends.

In: a function `(options, own arguments…) -> exit code`.  Out: the same function with the shared options, for Typer.
Always: exceptions of the package become diagnostics and their exit code; a defect of ours is one line and 70 (a
traceback only with `--debug`); Ctrl-C is 130; a closed pipe is quiet.

    @command
    def validate(options: Options, paths: …) -> int: …
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from segrules.errors import SegrulesError

P = ParamSpec("P")

INTERRUPTED = 130
PIPE_CLOSED = 141
OUR_BUG = 70


class Format(StrEnum):
    """How results and findings are written."""

    text = "text"
    json = "json"
    github = "github"


class Lang(StrEnum):
    """The language of messages."""

    zh = "zh"
    en = "en"


@dataclass(frozen=True, slots=True)
class Options:
    """The options that every command has, as given."""

    project: Path | None = None
    format: Format = Format.text
    lang: Lang | None = None
    set_: tuple[str, ...] = ()
    as_of: str | None = None
    quiet: bool = False
    no_color: bool = False
    debug: bool = False


SHARED: tuple[tuple[str, Any, Any], ...] = (
    (
        "project",
        Annotated[
            Path | None,
            typer.Option("--project", metavar="DIR", help="The project's folder; default: the nearest upward."),
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


def guarded(options: Options, run: Callable[[], int]) -> int:
    """The exit code of *run*, whatever happens in it."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except SegrulesError as stopped:
        from segrules.cli.output import output_for

        output_for(options).diagnostics(stopped.diagnostics, results=False)
        return stopped.exit_code
    except BrokenPipeError:
        silence(sys.stdout)
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as bug:
        if options.debug:
            raise
        from segrules.cli.output import output_for

        output_for(options).defect(bug)
        return OUR_BUG


def silence(stream: Any) -> None:
    """Let nothing more be written to a closed pipe, not even when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
