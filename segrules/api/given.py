"""What a caller of the Python API names: days, names of the rules, tables, engines.

In: the caller's own values.  Out: what the pipeline takes.  Always: what does not exist is `WrongUsage`, with the
nearest that does.

    named_in(ruleset, "lifecycle.new")      # Named("case", "lifecycle", "new", BOOL)
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from difflib import get_close_matches
from typing import TypeAlias, get_args

from segrules import pipeline
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.model.names import Named, find, like
from segrules.model.ruleset import RuleSet
from segrules.pipeline import Engine
from segrules.schema.calendar import from_date, zone
from segrules.source import NOWHERE

Day: TypeAlias = "str | date | None"

LATER_ENGINES = ("duckdb", "postgres", "spark")


def override(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(override(each) for each in value)
    return str(value)


def declared(ruleset: RuleSet, tables: Iterable[str]) -> None:
    """Raises `WrongUsage` for a table that the project does not have."""
    declared = ruleset.contracts.tables
    for name in tables:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            help_ = Help("did_you_mean", {"name": near[0]}) if near else None
            raise WrongUsage([Diagnostic("C917", NOWHERE, {"name": name}, help_)])


def texts(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else [str(name) for name in names]


def named_in(ruleset: RuleSet, text: str) -> Named:
    found = find(ruleset, text)
    if found is None:
        near = like(ruleset, text)
        help_ = None if near is None else Help("did_you_mean", {"name": near})
        raise WrongUsage([Diagnostic("C903", NOWHERE, {"name": text}, help_)])
    return found


def day_of(as_of: Day, ruleset: RuleSet) -> int:
    match as_of:
        case None:
            return pipeline.today(ruleset.contracts.timezone)
        case datetime():
            local = as_of if as_of.tzinfo is None else as_of.astimezone(zone(ruleset.contracts.timezone))
            return from_date(local.date())
        case date():
            return from_date(as_of)
        case _:
            return pipeline.parse_day(str(as_of))


def engine_named(name: str) -> Engine:
    names = ", ".join(get_args(Engine))
    if name == "vector":
        return "vector"
    if name == "reference":
        return "reference"
    if name in LATER_ENGINES:
        raise WrongUsage([Diagnostic("C911", NOWHERE, {"name": name, "names": names})])
    near = get_close_matches(name, get_args(Engine), n=1)
    help_ = Help("did_you_mean", {"name": near[0]}) if near else None
    raise WrongUsage([Diagnostic("C910", NOWHERE, {"name": name, "names": names}, help_)])
