"""One evaluation for a command: rules, tables, results, and the names that were asked for.

In: options.  Out: `Evaluated`.  Always: wrong names and files that cannot be written are found before data is read.

    done = evaluated(options, "star,lifecycle")
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segrules import pipeline
from segrules.cli.options import Options
from segrules.cli.project import as_of, load, unknown_name
from segrules.diagnostics.diagnostic import Diagnostic, in_order
from segrules.engine.results import Results
from segrules.errors import SegrulesError, WrongUsage
from segrules.model.names import Named, find
from segrules.model.ruleset import RuleSet
from segrules.report import table_file
from segrules.source import NOWHERE
from segrules.tables.bind import at
from segrules.tables.columns import Tables


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """`existing` holds the rows that exist on the date of `results`."""

    ruleset: RuleSet
    existing: Tables
    results: Results
    warnings: tuple[Diagnostic, ...]


def evaluated(options: Options, only: str | None = None) -> Evaluated:
    """The whole flow for a command. Raises what its stages raise."""
    rules = load(options)
    day = as_of(options, rules.ruleset)
    names = None if only is None else {name.definition for name in chosen_names(rules.ruleset, only)}
    definitions = None if names is None else names & set(rules.ruleset.definitions)
    existing = at(rules.ruleset, pipeline.bind(rules.ruleset), day)
    results = pipeline.evaluate_existing(rules.ruleset, existing, day, definitions)
    warnings = in_order([*rules.warnings, *existing.warnings, *results.warnings])
    return Evaluated(rules.ruleset, existing, results, warnings)


def chosen_names(ruleset: RuleSet, only: str | None) -> list[Named]:
    """The names of `--only a,b`, none for None. Raises `WrongUsage`."""
    if only is None:
        return []
    found = []
    for text in filter(None, (part.strip() for part in only.replace("，", ",").split(","))):
        name = find(ruleset, text)
        if name is None:
            raise unknown_name(ruleset, text)
        if name.kind == "parameter":
            raise WrongUsage([Diagnostic("C904", NOWHERE, {"name": text})])
        found.append(name)
    return found


def check_target(path: Path) -> None:
    """Whether a result can be written to *path*, before anything is read. Raises `WrongUsage`."""
    if path.suffix.lower() not in table_file.SUFFIXES:
        raise WrongUsage([Diagnostic("C907", NOWHERE, {"file": path.as_posix()})])
    if not path.absolute().parent.is_dir():
        raise WrongUsage([Diagnostic("C912", NOWHERE, {"file": path.as_posix()})])


def write_file(done: Evaluated, path: Path, names: list[Named], with_cases: bool) -> None:
    """One row per customer, as `report.table_file` has it."""
    ruleset = done.ruleset
    wanted = names or table_file.wanted(ruleset, with_cases)
    customers = done.existing.tables[ruleset.contracts.customers]
    try:
        table_file.write(path, table_file.columns(ruleset, done.results, customers, wanted))
    except OSError as refused:
        raise SegrulesError(
            [Diagnostic("C913", NOWHERE, {"file": path.as_posix(), "reason": _reason(refused)})]
        ) from None


def _reason(refused: OSError) -> str:
    return (refused.strerror or type(refused).__name__).lower()
