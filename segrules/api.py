"""segrules from Python: load a project, bind data, evaluate, ask.

In: a folder; DataFrames or anything with the Arrow PyCapsule interface.  Out: `Project`, `Bound`, `Run`, whose
answers are pandas objects.  Always: the same rules and the same numbers as the command line; what is wrong is one of
the exceptions of `segrules.errors`, with `.diagnostics`; pandas is imported when the first answer is asked for.

    run = segrules.load("demo").evaluate(as_of="2026-06-30")
    run.counts["star"], run.frame(["star", "annual_spend"]), run.explain("C00042", "star")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from segrules import pipeline
from segrules.diagnostics.diagnostic import Diagnostic, Help, in_order
from segrules.errors import WrongUsage
from segrules.model.names import Named, find, like
from segrules.model.ruleset import RuleSet
from segrules.pipeline import Engine
from segrules.schema.calendar import from_date, zone
from segrules.schema.types import Bool, Integer, Number, Text, Timestamp, Value
from segrules.source import NOWHERE

if TYPE_CHECKING:
    import pandas as pd

    from segrules.engine import explanation as engine_explanation
    from segrules.engine.results import CutPoints, Results
    from segrules.engine.scalar.evaluator import Evaluator
    from segrules.engine.scalar.lookups import Lookups
    from segrules.report.streamed import StreamedRun
    from segrules.tables.columns import Account, Tables

Day: TypeAlias = "str | date | None"

LATER_ENGINES = ("duckdb", "postgres", "spark")


def load(path: str | Path, parameters: Mapping[str, object] | None = None) -> Project:
    """The project in the folder *path*. *parameters* overrides values of parameters, as `--set` does.

    Raises `InvalidRules` with every diagnostic at once, `WrongUsage` if there is no project.
    """
    folder = Path(path)
    if not (folder / "segrules.yaml").is_file():
        raise WrongUsage([Diagnostic("C902", NOWHERE, {"folder": folder.as_posix()})])
    overrides = {name: _override(value) for name, value in (parameters or {}).items()}
    return Project(pipeline.load(folder, overrides))


def _override(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_override(each) for each in value)
    return str(value)


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
        """Data, converted and held to its contract once. *tables* by name; the others are read from their source.
        Raises `BrokenContract`."""
        _declared(self.rules.ruleset, tables)
        return Bound(self.rules, pipeline.bind(self.rules.ruleset, tables))

    def evaluate(
        self, as_of: Day = None, engine: str = "vector", only: Iterable[str] | None = None, **tables: object
    ) -> Run:
        """`bind` and `evaluate` in one."""
        return self.bind(**tables).evaluate(as_of, engine, only)

    def evaluator(self, run: Run | None = None, only: Iterable[str] | None = None, **tables: object) -> Evaluator:
        """The rules for one customer at a time, for services. Tables that rows refer to (`refers_to:`) are given by
        name or read from their source, and so are lists; customers and their rows come with each call. *run*: by whose
        cut points `qcut` and `quantile` place a customer. Raises `WrongUsage`, `BrokenContract`."""
        from segrules.engine.scalar.lookups import Lookups

        ruleset = self.rules.ruleset
        _declared(ruleset, tables)
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
        names = None if only is None else [_named(ruleset, each) for each in _texts(only)]
        return streamed(ruleset, _day(as_of, ruleset), names, Path(output) if output else None, cases)


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
        day = _day(as_of, ruleset)
        chosen = _engine(str(engine))
        names = None if only is None else {_named(ruleset, each).definition for each in _texts(only)}
        definitions = None if names is None else names & set(ruleset.definitions)
        existing = at(ruleset, self.tables, day)
        results = pipeline.evaluate_existing(ruleset, existing, day, definitions, chosen)
        return Run(ruleset, existing, results)

    def evaluator(self, run: Run | None = None, only: Iterable[str] | None = None) -> Evaluator:
        """As `Project.evaluator`, with look-ups and lists of these tables."""
        from segrules.engine.scalar.lookups import Lookups

        ruleset = self.rules.ruleset
        return _one_at_a_time(ruleset, Lookups.bound(ruleset, self.tables), run, only)


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """Why a customer is what they are; private columns are left out. `str()` and a notebook show the author's own
    expression with the value of every part; `as_json` is what `segrules explain --format json` prints."""

    found: engine_explanation.Explanation
    language: Literal["en", "zh"]

    @property
    def names(self) -> tuple[engine_explanation.Explained, ...]:
        """One answer for each name that was asked for."""
        return self.found.names

    def as_json(self) -> dict[str, Any]:
        from segrules.report.explanation import as_json

        return as_json(self.found)

    def __str__(self) -> str:
        from segrules.report.explanation import screen
        from segrules.report.screen import plain

        return plain(screen(self.found, self.language))

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Run:
    """What one evaluation found. Customers stand in key order everywhere."""

    ruleset: RuleSet
    existing: Tables
    results: Results

    def __repr__(self) -> str:
        return f"<Run {self.ruleset.name}: {self.results.customers:,} customers as of {self.as_of}>"

    @property
    def as_of(self) -> date:
        from segrules.schema.calendar import to_date

        return to_date(self.results.as_of)

    @property
    def counts(self) -> pd.Series[int]:
        """Members per segment, list and case; cases by their qualified id `lifecycle.new`."""
        import pandas as pd

        from segrules.report.counts import counts

        found = counts(self.ruleset, self.results)
        return pd.Series(
            list(found.values()), index=pd.Index(list(found), dtype="object"), dtype="int64", name="members"
        )

    @property
    def unknown(self) -> pd.Series[int]:
        """Customers for whom it could not be said, per segment, list and case (there: who passed it unknown)."""
        import pandas as pd

        from segrules.report.counts import unknown_count

        results = self.results
        found = {name: unknown_count(each) for name, each in {**results.segments, **results.lists}.items()}
        for name, assignment in results.segmentations.items():
            found |= {f"{name}.{each}": assignment.passed_unknown.get(each, 0) for each in assignment.ids}
        order = [name for name in self.counts.index if name in found]
        return pd.Series(
            [found[name] for name in order], index=pd.Index(order, dtype="object"), dtype="int64", name="unknown"
        )

    def frame(self, names: Iterable[str] | None = None, cases: bool = False) -> pd.DataFrame:
        """One row per customer, indexed by key. Segments are nullable booleans (unknown: NA), segmentations text,
        decimals Arrow decimals of their scale, dates Arrow dates, times in the project's zone. Without *names* every
        attribute, segment, segmentation and scorecard of the run; with *cases* every case too."""
        import pandas as pd

        from segrules.report.table_file import wanted

        if names is None:
            chosen = [name for name in wanted(self.ruleset, cases) if self._has(name)]
        else:
            chosen = [self._known(_named(self.ruleset, each)) for each in _texts(names)]
        data = {str(name): self._values(name) for name in chosen}
        return pd.DataFrame(data, index=self._keys())

    def members(self, name: str) -> pd.Index[Any]:
        """The keys of those who are in a segment, list or case."""
        from segrules.report.members import membership

        found = self._known(_named(self.ruleset, name))
        if found.kind not in ("segment", "list", "case"):
            raise WrongUsage([Diagnostic("C905", NOWHERE, {"name": name})])
        return self._keys()[membership(self.results, found).true.mask()]

    def explain(self, key: Any, name: str | None = None) -> Explanation:
        """Why the customer *key* is in *name*, or is not, or nobody can say; without *name* every name.
        `str()` of it is a text for people."""
        from segrules.engine.explain import explain

        if name is not None:
            name = str(_named(self.ruleset, name))
        found = explain(self.ruleset, self.existing, self.results, self._stored_key(key), name)
        return Explanation(found, self.ruleset.language)

    @property
    def cut_points(self) -> tuple[CutPoints, ...]:
        return self.results.cut_points

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Where the rows of each table went."""
        return self.existing.accounts

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return in_order([*self.existing.warnings, *self.results.warnings])

    def _has(self, name: Named) -> bool:
        results = self.results
        there = (results.segments, results.lists, results.segmentations, results.values)
        return name.kind == "column" or any(name.definition in each or str(name) in each for each in there)

    def _known(self, name: Named) -> Named:
        if name.kind == "parameter":
            raise WrongUsage([Diagnostic("C904", NOWHERE, {"name": str(name)})])
        if not self._has(name):
            raise WrongUsage([Diagnostic("C921", NOWHERE, {"name": str(name)})])
        return name

    def _values(self, name: Named) -> Any:
        from segrules.report.arrow import named

        customers = self.existing.tables[self.ruleset.contracts.customers]
        return _pandas(named(self.results, customers, name, self.ruleset.contracts.timezone), name)

    def _keys(self) -> pd.Index[Any]:
        import pandas as pd

        from segrules.report.arrow import array

        customers = self.ruleset.contracts.tables[self.ruleset.contracts.customers]
        key = customers.key or ""
        name = Named("column", key, "", self.results.keys.type)
        values = _pandas(array(self.results.keys, self.ruleset.contracts.timezone), name)
        index: pd.Index[Any] = pd.Index(values, name=key)
        return index

    def _stored_key(self, key: Any) -> Value:
        from segrules.report.keys import parse_key

        match key:
            case date():
                text = key.isoformat()
            case _ if isinstance(self.results.keys.type, Bool):
                text = str(key).lower()
            case _:
                text = str(key)
        return parse_key(self.ruleset, text)


def _pandas(values: Any, name: Named) -> Any:
    """An Arrow array as the pandas array of its type."""
    import numpy as np
    import pandas as pd

    if name.kind in ("segment", "list", "case") or isinstance(name.type, Integer | Number) or str(name.type) == "bool":
        mask = np.asarray(values.is_null())
        filled = values.fill_null(False if str(values.type) == "bool" else 0).to_numpy(zero_copy_only=False)
        match str(values.type):
            case "bool":
                return pd.arrays.BooleanArray(filled.astype(np.bool_), mask)
            case "int64":
                return pd.arrays.IntegerArray(filled.copy(), mask)
            case _:
                return pd.arrays.FloatingArray(filled.copy(), mask)
    if isinstance(name.type, Timestamp):
        return values.to_pandas().array
    arrow = pd.arrays.ArrowExtensionArray(values)
    if isinstance(name.type, Text):
        return arrow.astype("string[pyarrow]")
    return arrow


def _declared(ruleset: RuleSet, tables: Iterable[str]) -> None:
    """Raises `WrongUsage` for a table that the project does not have."""
    declared = ruleset.contracts.tables
    for name in tables:
        if name not in declared:
            near = get_close_matches(name, declared, n=1)
            help_ = Help("did_you_mean", {"name": near[0]}) if near else None
            raise WrongUsage([Diagnostic("C917", NOWHERE, {"name": name}, help_)])


def _one_at_a_time(ruleset: RuleSet, lookups: Lookups, run: Run | None, only: Iterable[str] | None) -> Evaluator:
    from segrules.engine.scalar.evaluator import Evaluator
    from segrules.engine.scalar.population import thresholds

    named = {_named(ruleset, each).definition for each in _texts(ruleset.definitions if only is None else only)}
    wanted = [name for name in ruleset.definitions if name in named]
    cut = {} if run is None else thresholds(run.ruleset, run.results)
    return Evaluator(ruleset, wanted, lookups, cut, partial(_day, ruleset=ruleset))


def _texts(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else [str(name) for name in names]


def _named(ruleset: RuleSet, text: str) -> Named:
    found = find(ruleset, text)
    if found is None:
        near = like(ruleset, text)
        help_ = None if near is None else Help("did_you_mean", {"name": near})
        raise WrongUsage([Diagnostic("C903", NOWHERE, {"name": text}, help_)])
    return found


def _day(as_of: Day, ruleset: RuleSet) -> int:
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


def _engine(name: str) -> Engine:
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
