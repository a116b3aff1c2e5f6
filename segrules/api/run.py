"""What one evaluation found, as pandas objects.

In: a rule set, the rows that exist on the date, results.  Out: `Run`, `Explanation`.  Always: customers stand in key
order; pandas is imported when the first answer is asked for.

    run.counts["star"], run.frame(["star", "annual_spend"]), run.explain("C00042", "star")
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from segrules.api.given import named_in, texts
from segrules.diagnostics.diagnostic import Diagnostic, in_order
from segrules.errors import WrongUsage
from segrules.model.names import Named
from segrules.model.ruleset import RuleSet
from segrules.schema.types import Bool, Integer, Number, Text, Timestamp, Value
from segrules.source import NOWHERE

if TYPE_CHECKING:
    import pandas as pd

    from segrules.engine import explanation as engine_explanation
    from segrules.engine.results import CutPoints, Results
    from segrules.tables.columns import Account, Tables


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
            chosen = [self._known(named_in(self.ruleset, each)) for each in texts(names)]
        data = {str(name): self._values(name) for name in chosen}
        return pd.DataFrame(data, index=self._keys())

    def members(self, name: str) -> pd.Index[Any]:
        """The keys of those who are in a segment, list or case."""
        from segrules.report.members import membership

        found = self._known(named_in(self.ruleset, name))
        if found.kind not in ("segment", "list", "case"):
            raise WrongUsage([Diagnostic("C905", NOWHERE, {"name": name})])
        return self._keys()[membership(self.results, found).true.mask()]

    def explain(self, key: Any, name: str | None = None) -> Explanation:
        """Why the customer *key* is in *name*, or is not, or nobody can say; without *name* every name.
        `str()` of it is a text for people."""
        from segrules.engine.explain import explain

        if name is not None:
            name = str(named_in(self.ruleset, name))
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
