"""The whole flow on one screen: folder → rules → tables → rows of a date → results → decisions → plan → apply.

In: a folder, perhaps DataFrames, a date, an environment.  Out: `Results`, `Decided`, `Planned`, or an exception that
carries every diagnostic.  Always: each stage takes values and gives values; what needs numpy is imported by the stage
that needs it, so `load` stays light.

    rules = load(Path("demo"))
    tables = bind(rules.ruleset)
    evaluate(rules.ruleset, tables, as_of=20_778)
    plan(rules, environment, as_of=20_778).plan.manifest.contacts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from segrules.diagnostics.catalogue import level
from segrules.diagnostics.diagnostic import Diagnostic, Help, in_order
from segrules.effects import Effect, directly
from segrules.errors import Conflict, InvalidRules, WrongUsage
from segrules.files.documents import Project
from segrules.model.campaign import Environment
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import from_date, zone
from segrules.schema.contract import LedgerSource
from segrules.source import NOWHERE

if TYPE_CHECKING:
    from segrules.decide.asked import Answers
    from segrules.decide.decisions import Decisions
    from segrules.engine.results import Results
    from segrules.engine.streaming import Streamed
    from segrules.plan.applied import Applied
    from segrules.plan.clock import Clock
    from segrules.plan.document import Plan
    from segrules.state.ledger import Reading
    from segrules.tables.columns import Tables

Engine = Literal["vector", "reference"]


@dataclass(frozen=True, slots=True)
class Rules:
    """A folder that was read and checked: its documents, their meaning, what is worth a warning, `--set`, and hashes of
    the files that were read and are not kept (`plan.identity`)."""

    project: Project
    ruleset: RuleSet
    warnings: tuple[Diagnostic, ...]
    overrides: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return Path(self.project.folder)


def examine(
    folder: Path, overrides: Mapping[str, str] | None = None, day: int | None = None
) -> tuple[Project, RuleSet | None, list[Diagnostic]]:
    """Read and check a folder; everything that is wrong with it, the rule set only where nothing is.

    Reviews that are due on *day* (today in the project's zone if None) are a warning.
    """
    from segrules.check.consequences import without_consequences
    from segrules.check.rulesets import check
    from segrules.files.load import load as read

    project, found = read(folder)
    ruleset, more = check(project, overrides or {}, _today(project) if day is None else day)
    return project, ruleset, [*found, *without_consequences(project, found, more)]


def load(folder: Path, overrides: Mapping[str, str] | None = None) -> Rules:
    """The rules of a folder. Raises `InvalidRules` with every diagnostic at once."""
    from segrules.plan.identity import files_read

    project, ruleset, found = examine(folder, overrides)
    if ruleset is None or any(level(one.code) == "error" for one in found):
        raise InvalidRules(found)
    return Rules(project, ruleset, in_order(found), overrides or {}, files_read(project))


def bind(ruleset: RuleSet, given: Mapping[str, object] | None = None) -> Tables:
    """Every table of the project, converted and held to its contract. Raises `BrokenContract`."""
    from segrules.engine.vector.rows import row_values
    from segrules.tables.bind import bind as read

    zoned = partial(row_values, timezone=ruleset.contracts.timezone)
    return read(ruleset, given or {}, row_values=zoned)


def evaluate(
    ruleset: RuleSet, tables: Tables, as_of: int, only: Collection[str] | None = None, engine: Engine = "vector"
) -> Results:
    """What the rules say about the customers of *tables*, as they stood on a date. Raises `RunStopped`."""
    from segrules.tables.bind import at

    return evaluate_existing(ruleset, at(ruleset, tables, as_of), as_of, only, engine)


def evaluate_existing(
    ruleset: RuleSet, existing: Tables, as_of: int, only: Collection[str] | None = None, engine: Engine = "vector"
) -> Results:
    """The last stage alone: *existing* holds the rows that exist on the date."""
    if engine == "reference":
        from segrules.engine.reference.evaluate import evaluate as run
    else:
        from segrules.engine.vector.evaluate import evaluate as run
    return run(ruleset, existing, as_of, only)


def stream(
    ruleset: RuleSet,
    as_of: int,
    only: Collection[str] | None = None,
    take: Callable[[Tables, Results], None] | None = None,
    part_rows: int | None = None,
) -> Streamed:
    """The flow from tables to results in parts of about *part_rows* rows, for customers larger than memory; *take*
    gets each part, in key order. Raises `WrongUsage` where a project cannot run in parts."""
    from segrules.engine.needs import expressions
    from segrules.engine.streaming import run
    from segrules.engine.vector.evaluate import evaluate as results_of
    from segrules.engine.vector.rows import row_values
    from segrules.tables.bind import at
    from segrules.tables.stream import PART_ROWS, opened

    zoned = partial(row_values, timezone=ruleset.contracts.timezone)
    written = [expr for definition in ruleset.definitions.values() for expr in expressions(definition)]
    with opened(ruleset, written, row_values=zoned, part_rows=part_rows or PART_ROWS) as source:
        return run(ruleset, source, as_of, only, results_of, at, source.folder, take)


def environment_named(ruleset: RuleSet, name: str | None) -> Environment:
    """The environment *name*, the first of policies.yaml where it is None. Raises `WrongUsage`."""
    from segrules.check.suggest import nearest

    known = {each.name: each for each in ruleset.campaign.policies.environments}
    if name is None:
        return next(iter(known.values()))
    if name in known:
        return known[name]
    near = nearest(name, known)
    way_out = Help("names", {"names": ", ".join(known)}) if near is None else Help("did_you_mean", {"name": near})
    raise WrongUsage([Diagnostic("C940", NOWHERE, {"name": name}, way_out)])


def remembered(ruleset: RuleSet, environment: str | None, as_of: int) -> Mapping[str, object]:
    """The tables of an environment's ledger, as they were on a date, that rules read; none where there is no ledger
    yet, and then they are empty. Raises `Conflict`, `Unreachable`, `WrongUsage`."""
    if not any(isinstance(table.source, LedgerSource) for table in ruleset.contracts.tables.values()):
        return {}
    from segrules.plan.past import moment, related_tables

    with moment(environment_named(ruleset, environment), Path(ruleset.folder)) as connection:
        return related_tables(connection, ruleset, as_of)


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """What becomes of every customer; `existing` holds the rows that exist on the date."""

    existing: Tables
    decisions: Decisions


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A plan, and all that it was made from."""

    rules: Rules
    existing: Tables
    decisions: Decisions
    plan: Plan
    warnings: tuple[Diagnostic, ...]


def decide(
    ruleset: RuleSet,
    as_of: int,
    planned_at: int,
    connection: Reading | None,
    given: Mapping[str, object] | None = None,
) -> Decided:
    """Who gets what, by the ledger as *connection* sees it; None: as if nothing had ever happened. *planned_at* in
    microseconds UTC. Raises `BrokenContract`, `RunStopped`."""
    from segrules.decide.asked import asked
    from segrules.decide.decide import decide as decided
    from segrules.plan.past import past, related_tables
    from segrules.tables.bind import at

    questions = asked(ruleset)
    existing = at(questions, bind(questions, {**related_tables(connection, questions, as_of), **(given or {})}), as_of)
    results = evaluate_existing(questions, existing, as_of)
    return Decided(existing, decided(ruleset, results, past(connection, ruleset, results), planned_at))


def plan(
    rules: Rules,
    environment: Environment,
    as_of: int,
    allow: Collection[str] = (),
    given: Mapping[str, object] | None = None,
    planned_at: int | None = None,
) -> Planned:
    """What would be done in *environment*, decided by one moment of its ledger; *allow* names guards that may be
    exceeded. Raises `Conflict` where there is no ledger, or the data changes meanwhile."""
    from segrules.plan import identity
    from segrules.plan.guards import foreseen
    from segrules.plan.make import make
    from segrules.state import ledger, lockfile

    ruleset, clock = rules.ruleset, ledger.now() if planned_at is None else planned_at
    stamps = identity.stamps(ruleset, given or {})
    basis = identity.basis(rules.project, ruleset, rules.files, rules.overrides, given or {})
    with ledger.snapshot(ledger.opened(environment.state, rules.folder)) as connection:
        lockfile.checked(rules.folder, environment.name, ledger.identity(connection))
        decided = decide(ruleset, as_of, clock, connection, given)
    identity.unchanged(stamps, identity.stamps(ruleset, given or {}))
    made = make(ruleset, environment, decided.decisions, basis, allow)
    found = [*rules.warnings, *decided.existing.warnings, *decided.decisions.results.warnings]
    return Planned(
        rules,
        decided.existing,
        decided.decisions,
        made,
        in_order([*found, *foreseen(ruleset.campaign.policies, decided.decisions)]),
    )


def apply(
    rules: Rules,
    environment: Environment,
    plan: Plan,
    given: Mapping[str, object] | None = None,
    with_actions: bool = True,
    clock: Clock | None = None,
    effect: Effect = directly,
) -> Applied:
    """Carry out exactly *plan*, once. Raises `Conflict` or `Refused` where that may not be, before anything happened,
    and `PartlyApplied` where the ledger goes away after."""
    from importlib import metadata

    from segrules.decide.asked import answers, asked
    from segrules.plan import identity
    from segrules.plan.apply import apply as carried_out
    from segrules.plan.checking import Current
    from segrules.plan.clock import CLOCK
    from segrules.plan.past import related_tables
    from segrules.plan.site import at_work
    from segrules.state.ledger import snapshot
    from segrules.tables.bind import at

    ruleset, as_of = rules.ruleset, plan.manifest.as_of

    def fresh() -> tuple[RuleSet, Answers]:
        questions, stamps = asked(ruleset), identity.stamps(ruleset, given or {})
        with snapshot(site.ledger) as connection:
            history = related_tables(connection, questions, as_of)
        existing = at(questions, bind(questions, {**history, **(given or {})}), as_of)
        identity.unchanged(stamps, identity.stamps(ruleset, given or {}))
        return ruleset, answers(ruleset.campaign, evaluate_existing(questions, existing, as_of))

    current = Current(
        identity.model_hash(rules.project, rules.files, rules.overrides),
        metadata.version("segrules"),
        environment.name,
        ruleset.campaign.policies,
        partial(identity.source_hashes, ruleset, given or {}),
    )
    with at_work(environment, rules.folder, f"apply {plan.plan_id[:16]}", clock or CLOCK, effect) as site:
        return carried_out(site, plan, current, fresh, with_actions)


def resume(
    rules: Rules, environment: Environment, clock: Clock | None = None, effect: Effect = directly
) -> Applied | None:
    """Go on with the run that was interrupted, from what the ledger has; None where there is none."""
    from segrules.plan.clock import CLOCK
    from segrules.plan.resuming import resume as gone_on
    from segrules.plan.site import at_work
    from segrules.state.ledger import snapshot
    from segrules.state.runs import unfinished

    with at_work(environment, rules.folder, "apply --resume", clock or CLOCK, effect) as site:
        with snapshot(site.ledger) as connection:
            run = unfinished(connection)
        return None if run is None else gone_on(site, run)


def abandon(
    rules: Rules, environment: Environment, serial: int, clock: Clock | None = None, effect: Effect = directly
) -> Applied:
    """Give up what is left of a run. Raises `WrongUsage` for a run that there is not."""
    from segrules.plan.clock import CLOCK
    from segrules.plan.resuming import abandon as given_up
    from segrules.plan.site import at_work
    from segrules.state.ledger import snapshot
    from segrules.state.runs import by_serial

    with at_work(environment, rules.folder, f"apply --abandon {serial}", clock or CLOCK, effect) as site:
        with snapshot(site.ledger) as connection:
            run = by_serial(connection, serial)
        if run is None:
            raise WrongUsage([Diagnostic("P996", NOWHERE, {"serial": serial})])
        return given_up(site, run)


def proof(
    rules: Rules, environment: Environment, as_of: int, action: str, channel: str, address: str, customer: str | None
) -> str:
    """Render one contact for *customer*, or the first who matches, and deliver it to *address*; its key. Raises
    `WrongUsage`, `Unreachable`, `Refused`."""
    from segrules.decide.asked import answers, asked
    from segrules.plan.batches import sink_of
    from segrules.plan.past import related_tables
    from segrules.plan.proof import proof as proved
    from segrules.plan.sinks.made import made
    from segrules.state.ledger import opened, snapshot
    from segrules.tables.bind import at

    ruleset, questions = rules.ruleset, asked(rules.ruleset)
    try:
        with snapshot(opened(environment.state, rules.folder)) as connection:
            history = related_tables(connection, questions, as_of)
    except Conflict:
        history = related_tables(None, questions, as_of)
    existing = at(questions, bind(questions, history), as_of)
    found = answers(ruleset.campaign, evaluate_existing(questions, existing, as_of))
    settings = sink_of(ruleset.campaign, environment, channel)
    sink = made(settings.name, settings.kind, settings.settings, rules.folder, directly)
    of = ruleset.campaign.actions[action], ruleset.campaign.policies.channels[channel]
    return proved(ruleset, found, *of, address, customer, sink)


def today(timezone: str) -> int:
    """Today in the project's zone: the date of a run that names none."""
    return from_date(datetime.now(zone(timezone)).date())


def _today(project: Project) -> int | None:
    """Today in the zone that the project names; None where it names none that exists."""
    try:
        return None if project.file is None else today(project.file.timezone.text)
    except (KeyError, ValueError, OSError):
        return None


def parse_day(text: str) -> int:
    """An ISO date as a day. Raises `WrongUsage`."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip(), re.ASCII):
        try:
            return from_date(date.fromisoformat(text.strip()))
        except ValueError:
            pass
    raise WrongUsage([Diagnostic("C909", NOWHERE, {"text": text})])
