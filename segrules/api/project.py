"""Checked rules, and the same with their data.

In: a folder; DataFrames or anything with the Arrow PyCapsule interface.  Out: `Project`, `Bound`.  Always: the same
rules and the same numbers as the command line.

    load("demo").bind(orders=frame).evaluate(as_of="2026-06-30")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from segrules import pipeline
from segrules.api.given import Day, day_of, declared, engine_named, named_in, override, texts
from segrules.api.planned import PlannedRun
from segrules.api.run import Run
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import WrongUsage
from segrules.model.ruleset import RuleSet
from segrules.source import NOWHERE

if TYPE_CHECKING:
    from segrules.engine.scalar.evaluator import Evaluator
    from segrules.engine.scalar.lookups import Lookups
    from segrules.plan.applied import Applied
    from segrules.report.streamed import StreamedRun
    from segrules.tables.columns import Account, Tables


def load(path: str | Path, parameters: Mapping[str, object] | None = None) -> Project:
    """The project in the folder *path*. *parameters* overrides values of parameters, as `--set` does.

    Raises `InvalidRules` with every diagnostic at once, `WrongUsage` if there is no project.
    """
    folder = Path(path)
    if not (folder / "segrules.yaml").is_file():
        raise WrongUsage([Diagnostic("C902", NOWHERE, {"folder": folder.as_posix()})])
    overrides = {name: override(value) for name, value in (parameters or {}).items()}
    return Project(pipeline.load(folder, overrides))


@dataclass(frozen=True, slots=True, repr=False)
class Project:
    """Checked rules, with no data yet."""

    rules: pipeline.Rules

    def __repr__(self) -> str:
        return f"<Project {self.name}: {len(self.rules.ruleset.definitions)} names>"

    @property
    def name(self) -> str:
        return self.rules.ruleset.name

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return self.rules.warnings

    def bind(self, **tables: object) -> Bound:
        """Data, converted and held to its contract once. *tables* by name; the others are read from their source, but
        those of the ledger, which are empty unless given. Raises `BrokenContract`."""
        declared(self.rules.ruleset, tables)
        return Bound(self.rules, pipeline.bind(self.rules.ruleset, tables))

    def evaluate(
        self,
        as_of: Day = None,
        engine: str = "vector",
        only: Iterable[str] | None = None,
        environment: str | None = None,
        **tables: object,
    ) -> Run:
        """`bind` and `evaluate` in one; rules that read the ledger's tables see them as the *environment* had them on
        the date. Raises what both raise, `Conflict`, `Unreachable`."""
        ruleset = self.rules.ruleset
        past = pipeline.remembered(ruleset, environment, day_of(as_of, ruleset))
        return self.bind(**{**past, **tables}).evaluate(as_of, engine, only)

    def evaluator(self, run: Run | None = None, only: Iterable[str] | None = None, **tables: object) -> Evaluator:
        """The rules for one customer at a time, for services. Tables that rows refer to (`refers_to:`) are given by
        name or read from their source, and so are lists; customers and their rows come with each call. *run*: by whose
        cut points `qcut` and `quantile` place a customer. Raises `WrongUsage`, `BrokenContract`."""
        from segrules.engine.scalar.lookups import Lookups

        ruleset = self.rules.ruleset
        declared(ruleset, tables)
        return _one_at_a_time(ruleset, Lookups.read(ruleset, tables), run, only)

    def stream(
        self,
        as_of: Day = None,
        only: Iterable[str] | None = None,
        output: str | Path | None = None,
        cases: bool = False,
    ) -> StreamedRun:
        """`evaluate` in parts, of Parquet larger than memory; keys and values go to *output*, .csv or .parquet."""
        from segrules.report.streamed import streamed

        ruleset = self.rules.ruleset
        names = None if only is None else [named_in(ruleset, each) for each in texts(only)]
        return streamed(ruleset, day_of(as_of, ruleset), names, Path(output) if output else None, cases)

    def plan(
        self, as_of: Day = None, environment: str | None = None, allow: Iterable[str] = (), **tables: object
    ) -> PlannedRun:
        """What would be done in an environment (the first of policies.yaml without *environment*); nothing is done.
        *allow* names guards that may be exceeded. Raises `Conflict` where there is no ledger, `WrongUsage`."""
        ruleset = self.rules.ruleset
        declared(ruleset, tables)
        where = pipeline.environment_named(ruleset, environment)
        made = pipeline.plan(self.rules, where, day_of(as_of, ruleset), tuple(texts(allow)), tables)
        return PlannedRun(made, where, tables)

    def apply(self, plan: PlannedRun | str | Path) -> Applied:
        """Carry out exactly *plan*, or the one in a file, once. Raises `Conflict`, `Refused`, `PartlyApplied`."""
        from segrules.plan import file

        if isinstance(plan, PlannedRun):
            return pipeline.apply(self.rules, plan.environment, plan.planned.plan, plan.given)
        found = file.read(Path(plan))
        return pipeline.apply(
            self.rules, pipeline.environment_named(self.rules.ruleset, found.manifest.environment), found
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bound:
    """Checked rules with their data; may be evaluated for many dates, and by several threads at once."""

    rules: pipeline.Rules
    tables: Tables

    def __repr__(self) -> str:
        rows = ", ".join(f"{each.table} {each.kept:,}" for each in self.accounts)
        return f"<Bound {self.rules.ruleset.name}: rows of {rows}>"

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Where the rows of each table went."""
        return self.tables.accounts

    def evaluate(self, as_of: Day = None, engine: str = "vector", only: Iterable[str] | None = None) -> Run:
        """The rules for the customers as they stood on *as_of* (ISO text or date, of an aware datetime its day in
        the project's zone; default today there). *only* limits the names. Raises `RunStopped`, `WrongUsage`."""
        from segrules.tables.bind import at

        ruleset = self.rules.ruleset
        day = day_of(as_of, ruleset)
        chosen = engine_named(str(engine))
        names = None if only is None else {named_in(ruleset, each).definition for each in texts(only)}
        definitions = None if names is None else names & set(ruleset.definitions)
        existing = at(ruleset, self.tables, day)
        results = pipeline.evaluate_existing(ruleset, existing, day, definitions, chosen)
        return Run(ruleset, existing, results)

    def evaluator(self, run: Run | None = None, only: Iterable[str] | None = None) -> Evaluator:
        """As `Project.evaluator`, with look-ups and lists of these tables."""
        from segrules.engine.scalar.lookups import Lookups

        ruleset = self.rules.ruleset
        return _one_at_a_time(ruleset, Lookups.bound(ruleset, self.tables), run, only)


def _one_at_a_time(ruleset: RuleSet, lookups: Lookups, run: Run | None, only: Iterable[str] | None) -> Evaluator:
    from segrules.engine.scalar.evaluator import Evaluator
    from segrules.engine.scalar.population import thresholds

    named = {named_in(ruleset, each).definition for each in texts(ruleset.definitions if only is None else only)}
    wanted = [name for name in ruleset.definitions if name in named]
    cut = {} if run is None else thresholds(run.ruleset, run.results)
    return Evaluator(ruleset, wanted, lookups, cut, partial(day_of, ruleset=ruleset))
