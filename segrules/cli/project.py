"""From the options of a command to a project: its folder, its rules, the date of the run.

In: options.  Out: a folder, `Rules`, a day.  Always: what does not exist is `WrongUsage` with a diagnostic.

    rules = load(options)
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from segrules import pipeline
from segrules.cli.options import Options
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.model.names import Named, find, like, parts
from segrules.model.ruleset import RuleSet
from segrules.pipeline import Rules
from segrules.source import NOWHERE

FILE = "segrules.yaml"
_EQUALS = re.compile("[=＝]")


def find_folder(given: Path | None) -> Path:
    """*given*, which must hold a project, or the nearest folder upward that does."""
    if given is not None:
        if not (given / FILE).is_file():
            way_out = Help("folder", {"folder": given.parent.as_posix()}) if given.is_file() else Help("init")
            raise WrongUsage([Diagnostic("C902", NOWHERE, {"folder": given.as_posix()}, way_out)])
        return given
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise WrongUsage([Diagnostic("C901", NOWHERE, {}, Help("init"))])


def project_of(options: Options, paths: Sequence[Path]) -> Path:
    """The project that `validate PATHS` is about: the one asked for, or nearest, or a path that is one itself.
    Raises `WrongUsage` for a path that is not there or lies outside."""
    for path in paths:
        if not path.exists():
            raise WrongUsage([Diagnostic("C918", NOWHERE, {"path": path.as_posix()}, Help("path"))])
    if options.project is None and len(paths) == 1 and (paths[0] / FILE).is_file():
        return paths[0]
    folder = find_folder(options.project)
    for path in paths:
        if not real_path(path).is_relative_to(real_path(folder)):
            shown = {"path": path.as_posix(), "folder": folder.as_posix()}
            raise WrongUsage([Diagnostic("C919", NOWHERE, shown, Help("project"))])
    return folder


def real_path(path: Path) -> Path:
    """*path* without links; unlike `Path.resolve` it takes links in a loop as they are."""
    return Path(os.path.realpath(path))


def load(options: Options) -> Rules:
    """The checked project. Raises `InvalidRules` or `WrongUsage`."""
    return pipeline.load(find_folder(options.project), overrides(options))


def overrides(options: Options) -> dict[str, str]:
    """`--set NAME=VALUE` by name; the last one of a name counts."""
    found: dict[str, str] = {}
    for each in options.set_:
        name, equals, value = _EQUALS.sub("=", each, count=1).partition("=")
        if not equals or not name.strip():
            raise WrongUsage([Diagnostic("C908", NOWHERE, {"text": each})])
        found[name.strip()] = value.strip()
    return found


def as_of(options: Options, ruleset: RuleSet) -> int:
    """The day of the run: `--as-of`, else today in the project's zone."""
    if options.as_of is None:
        return pipeline.today(ruleset.contracts.timezone)
    return pipeline.parse_day(options.as_of)


def unknown_name(ruleset: RuleSet, text: str) -> WrongUsage:
    """The error for a name that is none, with the nearest that is one."""
    near = like(ruleset, text)
    way_out = None if near is None else Help("did_you_mean", {"name": near})
    return WrongUsage([Diagnostic("C903", NOWHERE, {"name": text}, way_out)])


def membership_name(ruleset: RuleSet, text: str) -> Named:
    """The segment, list or case that *text* names. Raises `WrongUsage`."""
    found = find(ruleset, text)
    if found is None:
        raise unknown_name(ruleset, text)
    if found.kind not in ("segment", "list", "case"):
        cases = [str(each) for each in parts(ruleset.definitions.get(found.definition)) if each.kind == "case"]
        way_out = Help("cases", {"names": ", ".join(cases)}) if cases else None
        raise WrongUsage([Diagnostic("C905", NOWHERE, {"name": text}, way_out)])
    return found
