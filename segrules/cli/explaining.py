"""What `explain` needs: the names that were asked for, and one evaluation of them.

In: options, a rule set, perhaps a name.  Out: `Asked`, `Found`.  Always: actions are decided only where they are
wanted, by one moment of the ledger, or as if nothing had ever happened where there is none yet.

    evaluated(options, ruleset, asked_for(ruleset, "winback_coupon")).decisions
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segrules import pipeline
from segrules.cli.environment import environment
from segrules.cli.options import Options
from segrules.cli.project import as_of, unknown_name
from segrules.decide.decisions import Decisions
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.results import Results
from segrules.errors import WrongUsage
from segrules.model.names import find
from segrules.model.ruleset import RuleSet
from segrules.plan.past import moment
from segrules.source import NOWHERE
from segrules.state import ledger
from segrules.tables.bind import at
from segrules.tables.columns import Tables


@dataclass(frozen=True, slots=True)
class Asked:
    """`name`: a value's, None for all; `only_action`: an action's, and then nothing else was asked for."""

    name: str | None
    definition: str | None
    with_actions: bool
    only_action: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    existing: Tables
    results: Results
    decisions: Decisions | None = None
    has_ledger: bool = False


def asked_for(ruleset: RuleSet, name: str | None) -> Asked:
    """What *name* asks for. Raises `WrongUsage`."""
    actions = ruleset.campaign.actions
    if name is None:
        return Asked(None, None, bool(actions))
    found = find(ruleset, name)
    if found is None:
        if name.strip() in actions:
            return Asked(None, None, True, name.strip())
        raise unknown_name(ruleset, name)
    if found.kind == "parameter":
        raise WrongUsage([Diagnostic("C904", NOWHERE, {"name": name})])
    definition = found.definition if found.definition in ruleset.definitions else None
    return Asked(str(found), definition, False)


def evaluated(options: Options, ruleset: RuleSet, wanted: Asked) -> Found:
    """The rows of the date, results, and decisions where actions are wanted. Raises what the stages raise."""
    day = as_of(options, ruleset)
    if not wanted.with_actions:
        only = None if wanted.definition is None else {wanted.definition}
        existing = at(ruleset, pipeline.bind(ruleset, pipeline.remembered(ruleset, options.env, day)), day)
        return Found(existing, pipeline.evaluate_existing(ruleset, existing, day, only))
    with moment(environment(options, ruleset), Path(ruleset.folder)) as connection:
        decided = pipeline.decide(ruleset, day, ledger.now(), connection)
        return Found(decided.existing, decided.decisions.results, decided.decisions, connection is not None)
