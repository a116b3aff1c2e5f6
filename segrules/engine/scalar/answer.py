"""What the rules say about one customer.

In: built by the evaluator.  Out: `Answer`.  Always: nothing here changes; names are those of the rule files.

    answer.segments["star"]      # True, False, or None: nobody can say
    answer["lifecycle"], answer["lifecycle.new"], answer.values["annual_spend"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.engine.scalar.cells import friendly
from segrules.errors import WrongUsage
from segrules.model.names import find
from segrules.model.ruleset import RuleSet
from segrules.schema.types import Type, Value
from segrules.source import NOWHERE


@dataclass(frozen=True, slots=True)
class Answer:
    """`segments`: True, False or None (unknown). `lists`: True or False. `cases`: of each segmentation the id of the
    case. `stored`: attributes, scorecards and further outputs of decision tables as engines keep them; `values` has
    them as Python does."""

    as_of: date
    segments: Mapping[str, bool | None]
    lists: Mapping[str, bool]
    cases: Mapping[str, str]
    stored: Mapping[str, Value]
    _types: Mapping[str, Type] = field(repr=False, compare=False)
    _ruleset: RuleSet = field(repr=False, compare=False)

    @property
    def values(self) -> dict[str, Any]:
        """Attributes, scorecards and outputs: decimals as Decimal, dates as date, times as datetime in the project's
        zone, lists as tuples, missing ones as None."""
        zone = self._ruleset.contracts.timezone
        return {name: friendly(value, self._types[name], zone) for name, value in self.stored.items()}

    def __getitem__(self, name: str) -> Any:
        """The value of any name that was asked for: a segment, list, segmentation, case (`lifecycle.new`), attribute,
        scorecard or output. Raises `WrongUsage` for others."""
        for known in (self.segments, self.lists, self.cases):
            if name in known:
                return known[name]
        if name in self.stored:
            return friendly(self.stored[name], self._types[name], self._ruleset.contracts.timezone)
        found = find(self._ruleset, name)
        if found is not None and found.kind == "case" and found.definition in self.cases:
            return self.cases[found.definition] == found.part
        if found is not None and str(found) != name and (found.definition in self or str(found) in self):
            return self[str(found)]
        names = [*self.segments, *self.lists, *self.cases, *self.stored]
        near = get_close_matches(name, names, n=1)
        help_ = Help("did_you_mean", {"name": near[0]}) if near else None
        raise WrongUsage([Diagnostic("C903", NOWHERE, {"name": name}, help_)])

    def __contains__(self, name: object) -> bool:
        return any(name in known for known in (self.segments, self.lists, self.cases, self.stored))
