"""What the plan of a past run said, as `plan` shows it.

In: a run of the ledger, the rules of today.  Out: lines.  Always: the figures are those that were stored with the run;
where they were pruned away, or another version wrote them, that is said.

    plan_screen(run, ruleset, "en")
"""

from __future__ import annotations

from dataclasses import replace

from segrules.diagnostics.catalogue import Language, say
from segrules.model.campaign import STAGES
from segrules.model.ruleset import RuleSet
from segrules.plan.content import Malformed, read_as
from segrules.plan.document import GuardCheck, Manifest, SegmentChange, Waterfall
from segrules.report import plan as screens
from segrules.report.ledger import stored_report
from segrules.report.screen import Line, line
from segrules.state.runs import Run


def plan_screen(run: Run, ruleset: RuleSet, language: Language) -> list[Line]:
    """Segments, waterfalls and guards of the plan; stages are named in the words of the actions of today."""
    stored = stored_report(run)
    if stored is None:
        return [line(), line("  ", say("ledger.pruned", language))]
    try:
        manifest = Manifest(
            project=ruleset.name,
            environment=run.environment,
            lineage="",
            serial=run.serial - 1,
            as_of=run.as_of,
            timezone=ruleset.contracts.timezone,
            planned_at=run.planned_at,
            version=run.version,
            model=run.model,
            commit=run.commit,
            clean=run.clean,
            parameters={},
            sources={},
            customers=run.customers,
            segments=read_as(tuple[SegmentChange, ...], stored["segments"]),
            waterfalls=tuple(map(_in_order, read_as(tuple[Waterfall, ...], stored["waterfalls"]))),
            guards=read_as(tuple[GuardCheck, ...], stored["guards"]),
        )
    except (Malformed, KeyError):
        return [line(), line("  ", say("ledger.other_version", language, version=run.version))]
    return screens.screen(manifest, ruleset.campaign, language)[1:]


def _in_order(stored: Waterfall) -> Waterfall:
    """JSON sorts its keys; the stages stand in the order in which they are decided."""
    return replace(stored, stages={stage: stored.stages[stage] for stage in STAGES if stage in stored.stages})
