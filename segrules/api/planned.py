"""A plan from Python: what would be done, as pandas objects; kept in a file, or carried out.

In: a plan with all that it was made from.  Out: `PlannedRun`.  Always: the same plan as `segrules plan` makes; where a
guard is exceeded it can be looked at, but neither saved nor applied.

    plan = project.plan(as_of="2026-06-30")
    plan.waterfall("winback_coupon")["selected"], plan.contacts, plan.save("plan.segplan")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.model.campaign import MONEY_SCALE, Environment
from segrules.pipeline import Planned
from segrules.source import NOWHERE

if TYPE_CHECKING:
    import pandas as pd

    from segrules.plan.document import GuardCheck

COLUMNS = ("customer", "action", "n", "state", "channel", "variant", "cost", "assignee", "due", "key")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlannedRun:
    """What would be done in one environment. `given`: the tables that were not read from their source."""

    planned: Planned
    environment: Environment
    given: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        manifest = self.planned.plan.manifest
        return f"<PlannedRun {manifest.project}: {manifest.contacts:,} contacts, plan_id {self.plan_id[:8]}…>"

    @property
    def plan_id(self) -> str:
        """The SHA-256 of all that the plan says."""
        return self.planned.plan.plan_id

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return self.planned.warnings

    @property
    def guards(self) -> tuple[GuardCheck, ...]:
        """Every guard that the policies set, against what was found."""
        return self.planned.plan.manifest.guards

    def waterfall(self, action: str) -> pd.Series[int]:
        """Customers by stage, who match `for` first. Raises `WrongUsage`."""
        import pandas as pd

        manifest = self.planned.plan.manifest
        found = next((each for each in manifest.waterfalls if each.action == action), None)
        if found is None:
            near = get_close_matches(action, [each.action for each in manifest.waterfalls], n=1)
            help_ = Help("did_you_mean", {"name": near[0]}) if near else None
            raise WrongUsage([Diagnostic("P933", NOWHERE, {"name": action}, help_)])
        numbers = {"matched": found.matched, **{str(stage): number for stage, number in found.stages.items()}}
        index = pd.Index(list(numbers), dtype="object", name="stage")
        return pd.Series(list(numbers.values()), index=index, dtype="int64", name=action)

    @property
    def contacts(self) -> pd.DataFrame:
        """Who is contacted or held out (`state`), by action, then in the order of filling."""
        import pandas as pd

        rows = self.planned.plan.contacts
        data = {name: [getattr(each, name) for each in rows] for name in COLUMNS}
        data["cost"] = [Decimal(each).scaleb(-MONEY_SCALE) for each in data["cost"]]
        frame = pd.DataFrame(data, columns=list(COLUMNS))
        return frame.astype({"n": "int64", "due": "Int64"})

    @property
    def segments(self) -> pd.DataFrame:
        """Segments, lists and cases against the last run, by name; `before` is missing of new ones."""
        import pandas as pd

        names = ("now", "before", "entered", "left", "unknown", "cause")
        changes = self.planned.plan.manifest.segments
        index = pd.Index([each.name for each in changes], dtype="object", name="name")
        frame = pd.DataFrame({name: [getattr(each, name) for each in changes] for name in names}, index=index)
        return frame.astype(dict.fromkeys(names[:-1], "Int64"))

    def save(self, path: str | Path) -> None:
        """Write a .segplan file. Raises `Refused` where a guard is exceeded, `WrongUsage`."""
        from segrules.plan import file, guards

        guards.keep(self.planned.plan)
        file.write(self.planned.plan, Path(path))
