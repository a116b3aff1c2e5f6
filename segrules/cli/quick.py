"""`segrules validate` without building the whole command line: for editors and hooks that run it on every save.

In: the arguments of the process.  Out: the options and paths of a plain `validate`, or None where anything is unusual
(help, an unknown option, a wrong value): then Typer reads the arguments and says what is wrong.  Always: what is read
here means the same as with Typer.

    plain_validate(["validate", "--format", "json", "rules"])      # (Options(format=json), [Path("rules")])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from segrules.cli.options import Format, Lang, Options

FLAGS = ("--quiet", "-q", "--no-color", "--debug")
VALUES = ("--project", "--env", "--format", "--lang", "--set", "--as-of")


def plain_validate(arguments: Sequence[str]) -> tuple[Options, list[Path]] | None:
    """Options and paths, or None: not this command, or not plain."""
    if not arguments or arguments[0] != "validate":
        return None
    options, paths = Options(), []
    words = iter(arguments[1:])
    for word in words:
        name, equals, value = word.partition("=")
        if word in FLAGS:
            options = _with_flag(options, word)
        elif name in VALUES:
            found = _with_value(options, name, value if equals else next(words, None))
            if found is None:
                return None
            options = found
        elif word.startswith("-") or not word:
            return None
        else:
            paths.append(Path(word))
    return options, paths


def _with_flag(options: Options, word: str) -> Options:
    match word:
        case "--no-color":
            return replace(options, no_color=True)
        case "--debug":
            return replace(options, debug=True)
        case _:
            return replace(options, quiet=True)


def _with_value(options: Options, name: str, value: str | None) -> Options | None:
    if value is None or value.startswith("-"):
        return None
    match name:
        case "--project":
            return replace(options, project=Path(value))
        case "--env":
            return replace(options, env=value)
        case "--set":
            return replace(options, set_=(*options.set_, value))
        case "--as-of":
            return replace(options, as_of=value)
        case "--format" if value in Format.__members__:
            return replace(options, format=Format[value])
        case "--lang" if value in Lang.__members__:
            return replace(options, lang=Lang[value])
        case _:
            return None
