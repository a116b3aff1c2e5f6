"""The options that every command has, as values.

In: built from the arguments of the process, by `cli.command` or `cli.quick`.  Out: `Options`.  Always: as given;
nothing is looked up; importing this module is cheap.

    Options(project=Path("demo"), format=Format.json)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


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
    env: str | None = None
    format: Format = Format.text
    lang: Lang | None = None
    set_: tuple[str, ...] = ()
    as_of: str | None = None
    quiet: bool = False
    no_color: bool = False
    debug: bool = False
