"""One evaluation for a command: rules, tables, results, and the names that were asked for.

In: options.  Out: `Evaluated`.  Always: wrong names and files that cannot be written are found before data is read.

    done = evaluated(options, "star,lifecycle")
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segrules import pipeline
from segrules.cli.options import Options
from segrules.cli.project import as_of, load, real_path, unknown_name
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words, in_order
from segrules.diagnostics.refusals import reason
from segrules.engine.profile import Profile
from segrules.engine.results import Results
from segrules.engine.vector.evaluate import evaluate_watched
from segrules.errors import SegrulesError, WrongUsage
from segrules.model.names import Named, find
from segrules.model.ruleset import RuleSet, Segmentation, StaticList
from segrules.report import table_file
from segrules.report.streamed import StreamedRun, streamed
from segrules.schema.contract import FileSource
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
    profile: Profile | None = None


def evaluated(
    options: Options, only: str | None = None, by: str | None = None, target: Path | None = None, watched: bool = False
) -> Evaluated:
    """The whole flow for a command, *watched*: with where its time went. Raises what its stages raise."""
    rules = load(options)
    day = as_of(options, rules.ruleset)
    names = None if only is None else {name.definition for name in chosen_names(rules.ruleset, only)}
    if by is not None:
        _check_segmentation(rules.ruleset, by)
        names = None if names is None else names | {by}
    if target is not None:
        keep_sources(rules.ruleset, target)
    definitions = None if names is None else names & set(rules.ruleset.definitions)
    history = pipeline.remembered(rules.ruleset, options.env, day)
    existing = at(rules.ruleset, pipeline.bind(rules.ruleset, history), day)
    profile: Profile | None = None
    if watched:
        results, profile = evaluate_watched(rules.ruleset, existing, day, definitions)
    else:
        results = pipeline.evaluate_existing(rules.ruleset, existing, day, definitions)
    warnings = in_order([*rules.warnings, *existing.warnings, *results.warnings])
    return Evaluated(rules.ruleset, existing, results, warnings, profile)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedInParts:
    """What `--stream` gives."""

    run: StreamedRun
    warnings: tuple[Diagnostic, ...]


def evaluated_in_parts(
    options: Options, only: str | None, by: str | None, target: Path | None, cases: bool
) -> EvaluatedInParts:
    """The whole flow in parts, the file included. Raises what its stages raise."""
    if by is not None:
        raise WrongUsage([Diagnostic("C928", NOWHERE)])
    rules = load(options)
    ruleset = rules.ruleset
    day = as_of(options, ruleset)
    names = None if only is None else chosen_names(ruleset, only)
    if target is not None:
        keep_sources(ruleset, target)
    run = streamed(ruleset, day, names, target, cases)
    return EvaluatedInParts(run, in_order([*rules.warnings, *run.warnings]))


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
    if not found:
        raise WrongUsage([Diagnostic("C924", NOWHERE)])
    return found


def _check_segmentation(ruleset: RuleSet, name: str) -> None:
    """Whether *name* is a segmentation. Raises `WrongUsage`."""
    if isinstance(ruleset.definitions.get(name), Segmentation):
        return
    if find(ruleset, name) is None:
        raise unknown_name(ruleset, name)
    there = [each.name for each in ruleset.definitions.values() if isinstance(each, Segmentation)]
    way_out = Help("segmentations", {"names": ", ".join(there)}) if there else None
    raise WrongUsage([Diagnostic("C927", NOWHERE, {"name": name}, way_out)])


def keep_sources(ruleset: RuleSet, target: Path) -> None:
    """Whether a result in *target* would replace the data. Raises `WrongUsage`."""
    for name, file in _files(ruleset):
        if real_path(Path(ruleset.folder) / file) == real_path(target):
            raise WrongUsage([Diagnostic("C926", NOWHERE, {"file": target.as_posix(), "name": name})])


def _files(ruleset: RuleSet) -> Iterator[tuple[str, str]]:
    """Who reads which file: tables, static lists, decision tables with rows in a file of their own."""
    for table in ruleset.contracts.tables.values():
        if isinstance(table.source, FileSource):
            yield table.name, table.source.path
    for definition in ruleset.definitions.values():
        match definition:
            case StaticList(name=name, file=file):
                yield name, file
            case Segmentation(name=name, cases=cases):
                yield from {(name, each.span.place.file) for each in cases}
            case _:
                pass


def check_target(path: Path) -> None:
    """Whether a result can be written to *path*, before anything is read. Raises `WrongUsage`."""
    shown = {"file": path.as_posix()}
    if path.suffix.lower() not in table_file.SUFFIXES:
        raise WrongUsage([Diagnostic("C907", NOWHERE, shown, Help("ending"))])
    if not path.absolute().parent.is_dir():
        raise WrongUsage([Diagnostic("C912", NOWHERE, shown, Help("make", {"folder": path.parent.as_posix()}))])
    if path.is_dir():
        raise WrongUsage([Diagnostic("C913", NOWHERE, {**shown, "reason": Words("system.is_folder")})])
    if not os.access(path.absolute().parent, os.W_OK):
        raise SegrulesError([Diagnostic("C913", NOWHERE, {**shown, "reason": Words("system.forbidden")})])


def write_file(done: Evaluated, path: Path, names: list[Named], with_cases: bool) -> None:
    """One row per customer, as `report.table_file` has it."""
    ruleset = done.ruleset
    wanted = names or table_file.wanted(ruleset, with_cases)
    customers = done.existing.tables[ruleset.contracts.customers]
    try:
        table_file.write(path, table_file.columns(ruleset, done.results, customers, wanted))
    except OSError as refused:
        raise SegrulesError(
            [Diagnostic("C913", NOWHERE, {"file": path.as_posix(), "reason": reason(refused)})]
        ) from None
