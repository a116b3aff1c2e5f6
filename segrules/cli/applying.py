"""Applying for a command: a plan from a file or made on the spot, a run that goes on or is given up, a proof.

In: options, what was asked.  Out: the screen or JSON, an exit code.  Always: exactly one thing is done; a plan is
carried out in the environment and with the parameters it was made with.

    applied(options, Asked(plan=Path("plan.segplan")))
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from segrules import pipeline
from segrules.cli.environment import environment
from segrules.cli.options import Format, Options
from segrules.cli.output import Output, output_for
from segrules.cli.planning import Wanted, planned, prepared
from segrules.cli.project import as_of, find_folder, load
from segrules.diagnostics.catalogue import say
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import Refused, WrongUsage
from segrules.plan import file
from segrules.plan.applied import Applied
from segrules.plan.apply import expected
from segrules.plan.document import Plan
from segrules.report import apply as screens
from segrules.report import plan_json
from segrules.report.screen import line
from segrules.source import NOWHERE


@dataclass(frozen=True, slots=True)
class Asked:
    """What `apply` was asked to do."""

    plan: Path | None = None
    auto_approve: bool = False
    resume: bool = False
    abandon: int | None = None
    expect: str | None = None
    no_actions: bool = False
    dry_run: bool = False
    allow: tuple[str, ...] = ()


def applied(options: Options, asked: Asked) -> int:
    """Do it; the exit code. Raises what the stages raise."""
    _check(options, asked)
    if asked.plan is not None:
        return _from_file(options, asked, asked.plan)
    if asked.auto_approve:
        return _at_once(options, asked)
    if asked.dry_run:
        return planned(options, Wanted(allow=asked.allow))
    rules, output = load(options), output_for(options)
    where = environment(options, rules.ruleset)
    if asked.abandon is not None:
        return _shown(pipeline.abandon(rules, where, asked.abandon), options, output)
    done = pipeline.resume(rules, where)
    if done is not None:
        return _shown(done, options, output)
    if options.format == Format.json:
        output.json({"format_version": screens.FORMAT_VERSION, "run": None})
    else:
        output.results([line(say("apply.nothing", output.language))])
    return 0


def _check(options: Options, asked: Asked) -> None:
    """Raises `WrongUsage` for what does not go together."""
    ways = {"PLAN": asked.plan, "--auto-approve": asked.auto_approve, "--resume": asked.resume}
    chosen = [name for name, given in ways.items() if given]
    chosen += ["--abandon"] if asked.abandon is not None else []
    if len(chosen) != 1 and not (asked.dry_run and chosen in ([], ["--auto-approve"])):
        raise WrongUsage([Diagnostic("P997", NOWHERE)])
    way = chosen[0] if chosen else "--dry-run"
    goes_with = {
        "--expect": (asked.expect is not None, ("PLAN",)),
        "--no-actions": (asked.no_actions, ("PLAN", "--auto-approve")),
        "--allow": (bool(asked.allow), ("--auto-approve", "--dry-run")),
        "--dry-run": (asked.dry_run, ("--auto-approve", "--dry-run")),
        "--as-of": (options.as_of is not None, ("--auto-approve", "--dry-run")),
        "--set": (bool(options.set_), ("--auto-approve", "--dry-run")),
    }
    for option, (is_given, ways_of) in goes_with.items():
        if is_given and way not in ways_of:
            raise WrongUsage([Diagnostic("P998", NOWHERE, {"option": option, "what": f"`{way}`"})])


def _from_file(options: Options, asked: Asked, path: Path) -> int:
    plan = file.read(path)
    if asked.expect is not None:
        expected(plan, asked.expect)
    rules = pipeline.load(find_folder(options.project), plan.manifest.parameters)
    where = environment(replace(options, env=options.env or plan.manifest.environment), rules.ruleset)
    output = output_for(options)
    output.warnings(rules.warnings)
    return _shown(pipeline.apply(rules, where, plan, with_actions=not asked.no_actions), options, output)


def _at_once(options: Options, asked: Asked) -> int:
    """The plan is shown before anything is done; what a guard stops is not."""
    found = prepared(options, Wanted(allow=asked.allow))
    output = output_for(options)
    if found.stops or asked.dry_run:
        found.show()
        return Refused.exit_code if found.stops else 0
    if options.format != Format.json:
        found.show()
    done = pipeline.apply(found.made.rules, found.where, found.made.plan, with_actions=not asked.no_actions)
    return _shown(done, options, output, found.made.plan)


def _shown(done: Applied, options: Options, output: Output, plan: Plan | None = None) -> int:
    if options.format == Format.json:
        found = screens.as_json(done)
        if plan is not None:
            found["plan"] = plan_json.as_json(plan)
        found["diagnostics"] = output.listed(done.left)
        output.json(found)
    else:
        output.results(screens.screen(done, output.language))
        output.warnings(done.left)
    return done.exit_code


def proved(options: Options, action: str, to: str, channel: str | None, customer: str | None) -> int:
    """Deliver one proof. Raises `WrongUsage`, and what the stages raise."""
    rules, output = load(options), output_for(options)
    where = environment(options, rules.ruleset)
    chosen = _named("P933", action, list(rules.ruleset.campaign.actions))
    channels = list(rules.ruleset.campaign.actions[chosen].channels)
    by = channels[0] if channel is None else _named("P979", channel, channels)
    key = pipeline.proof(rules, where, as_of(options, rules.ruleset), chosen, by, to, customer)
    sink = rules.ruleset.campaign.policies.channels[by].sink
    said = {"key": key, "action": chosen, "channel": by, "sink": sink}
    if options.format == Format.json:
        output.json({"format_version": screens.FORMAT_VERSION, **said})
    else:
        output.results([line(say("proof.sent", output.language, **said))])
    return 0


def _named(code: str, name: str, known: list[str]) -> str:
    """*name* if it is one of *known*. Raises `WrongUsage`."""
    if name in known:
        return name
    near = get_close_matches(name, known, n=1)
    way_out = Help("did_you_mean", {"name": near[0]}) if near else None
    raise WrongUsage([Diagnostic(code, NOWHERE, {"name": name}, way_out)])
