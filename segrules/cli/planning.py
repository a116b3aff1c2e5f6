"""A plan for a command: made, shown, written; `apply --dry-run` does the same.

In: options, what is wanted.  Out: the screen or JSON, files.  Always: files that cannot be written are found before
data is read; what a guard stops is shown, and then refused, with no file written.

    planned(options, Wanted(out=Path("plan.segplan")))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from segrules import pipeline
from segrules.cli.environment import environment
from segrules.cli.evaluation import keep_sources
from segrules.cli.options import Format, Options
from segrules.cli.output import Output, output_for
from segrules.cli.project import as_of, load
from segrules.diagnostics.catalogue import say
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import Refused
from segrules.model.campaign import Environment
from segrules.pipeline import Planned
from segrules.plan import file, guards
from segrules.report import plan as screens
from segrules.report import plan_changes, plan_export, plan_json, plan_sample
from segrules.report.screen import line
from segrules.report.unknown import why_unknown

CHANGES = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a command was asked to do with a plan."""

    out: Path | None = None
    summary: bool = False
    sample: int = 0
    export: Path | None = None
    with_pii: bool = False
    allow: tuple[str, ...] = ()
    explain_changes: bool = False
    detailed_exitcode: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A plan that was made for a command; `stops` are the guards that it exceeds."""

    options: Options
    wanted: Wanted
    where: Environment
    made: Planned
    stops: tuple[Diagnostic, ...]

    def show(self) -> None:
        """Show it, and write what was asked for."""
        _show(self.made, self.wanted, self.options, output_for(self.options), self.stops)


def prepared(options: Options, wanted: Wanted) -> Prepared:
    """Make the plan. Raises what the stages raise."""
    guards.known(wanted.allow)
    rules = load(options)
    for target, check in ((wanted.out, file.check_target), (wanted.export, plan_export.check_target)):
        if target is not None:
            check(target)
            keep_sources(rules.ruleset, target)
    where = environment(options, rules.ruleset)
    made = pipeline.plan(rules, where, as_of(options, rules.ruleset), wanted.allow)
    return Prepared(options, wanted, where, made, tuple(guards.exceeded(made.plan.manifest.guards)))


def planned(options: Options, wanted: Wanted) -> int:
    """Make the plan, show it, write what was asked for; the exit code. Raises what the stages raise."""
    found = prepared(options, wanted)
    found.show()
    if found.stops:
        return Refused.exit_code
    return CHANGES if wanted.detailed_exitcode and screens.has_changes(found.made.plan.manifest) else 0


def _show(made: Planned, wanted: Wanted, options: Options, output: Output, stops: Sequence[Diagnostic]) -> None:
    output.warnings(made.warnings)
    saved = None if stops else wanted.out
    if saved is not None:
        file.write(made.plan, saved)
    rows = None if wanted.export is None or stops else plan_export.write(made, wanted.export, wanted.with_pii)
    if options.format == Format.json:
        found = plan_json.as_json(made.plan)
        found["changes"] = plan_changes.as_json(plan_changes.attributed(made) if wanted.explain_changes else [])
        found["samples"] = plan_sample.as_json(made, wanted.sample)
        found["output"] = None if saved is None else saved.as_posix()
        found["diagnostics"] = output.listed([*stops, *made.warnings])
        output.json(found)
        return
    campaign, manifest, language = made.rules.ruleset.campaign, made.plan.manifest, output.language
    if wanted.summary:
        output.results(screens.summary(manifest, language))
    else:
        output.results(screens.screen(manifest, campaign, language, why_unknown(made)))
    if wanted.explain_changes:
        output.results(plan_changes.screen(plan_changes.attributed(made), language))
    output.results(plan_sample.screen(made, wanted.sample, language))
    if saved is not None:
        name = say("plan.saved", language, file=saved.as_posix(), id=made.plan.plan_id)
        output.results([line(name)])
    if rows is not None and wanted.export is not None:
        said = say("plan.exported", language, n=f"{rows:,}", file=wanted.export.as_posix())
        output.messages([line(said)])
    if stops:
        output.diagnostics(stops, results=False)
