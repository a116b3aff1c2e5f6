"""A run in parts, with its file of one row per customer: what `evaluate --stream` and `Project.stream` share.

In: a rule set, a date, names, perhaps a path.  Out: `StreamedRun`, and the file, complete or not there at all.
Always: the same counts, bits and bytes of a CSV file as a run over everything gives; keys and values are in the file
only.

    streamed(ruleset, 20_778, target=Path("segments.parquet")).counts["star"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic, Help, in_order
from segrules.diagnostics.refusals import reason
from segrules.engine.results import Bits, CutPoints, Membership, Results
from segrules.engine.streaming import Streamed
from segrules.errors import SegrulesError, WrongUsage
from segrules.model.names import Named
from segrules.model.ruleset import RuleSet
from segrules.pipeline import stream
from segrules.report import counts, table_file
from segrules.schema.calendar import to_date
from segrules.source import NOWHERE
from segrules.tables.columns import Account, Tables


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StreamedRun:
    """What one evaluation in parts found. Bits stand in key order."""

    ruleset: RuleSet
    results: Streamed

    def __repr__(self) -> str:
        return f"<StreamedRun {self.ruleset.name}: {self.customers:,} customers as of {self.as_of}>"

    @property
    def as_of(self) -> date:
        return to_date(self.results.as_of)

    @property
    def customers(self) -> int:
        return self.results.customers

    @property
    def counts(self) -> dict[str, int]:
        """Members per segment, list and case; cases by their qualified id `lifecycle.new`."""
        return counts.counts(self.ruleset, self.results)

    def members(self, name: str) -> Bits:
        """Who is in a segment, a list or a case (`lifecycle.new`): one bit per customer. Raises `KeyError`."""
        found: Membership | None = self.results.segments.get(name) or self.results.lists.get(name)
        if found is not None:
            return found.true
        segmentation, _, case = name.rpartition(".")
        return self.results.segmentations[segmentation].members(case)

    @property
    def cut_points(self) -> tuple[CutPoints, ...]:
        return self.results.cut_points

    @property
    def accounts(self) -> tuple[Account, ...]:
        """Where the rows of each table went."""
        return self.results.accounts

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return in_order(self.results.warnings)


def streamed(
    ruleset: RuleSet,
    day: int,
    names: Sequence[Named] | None = None,
    target: Path | None = None,
    cases: bool = False,
    part_rows: int | None = None,
) -> StreamedRun:
    """One run in parts, of *names* or of everything; with *target* the rows go there (*cases*: with every case).
    Raises `WrongUsage` where the project cannot run in parts, and what `bind` and `evaluate` raise."""
    only = None if names is None else {each.definition for each in names} & set(ruleset.definitions)
    if target is None:
        return StreamedRun(ruleset, stream(ruleset, day, only, part_rows=part_rows))
    shown = target.as_posix()
    if target.suffix.lower() not in table_file.SUFFIXES:
        raise WrongUsage([Diagnostic("C907", NOWHERE, {"file": shown}, Help("ending"))])
    wanted = names or table_file.wanted(ruleset, cases)
    try:
        with table_file.Growing(target) as file:

            def take(existing: Tables, results: Results) -> None:
                customers = existing.tables[ruleset.contracts.customers]
                file.add(table_file.columns(ruleset, results, customers, wanted))

            return StreamedRun(ruleset, stream(ruleset, day, only, take, part_rows))
    except OSError as refused:
        raise SegrulesError([Diagnostic("C913", NOWHERE, {"file": shown, "reason": reason(refused)})]) from None
