"""A plan is carried out, once, whatever happens: the protocol from CHECK to ACCEPT, and on to FINISH.

In: an open ledger under its lock, a plan, the project as it is now.  Out: `Applied`.  Always: before ACCEPT nothing has
happened, after it everything that the plan owes stands in the ledger and is owed until it has an end; what was
interrupted goes on from there; a plan that was carried out is not carried out again.

    apply(site, plan, current, fresh).exit_code      # 0, or 7 where something is left or unknown
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from segrules.decide.asked import Answers
from segrules.decide.keys import key_texts
from segrules.diagnostics.diagnostic import Argument, Diagnostic
from segrules.errors import Conflict, Unreachable
from segrules.model.ruleset import RuleSet
from segrules.plan.applied import Applied, told
from segrules.plan.carrying import after_accept, carried_out
from segrules.plan.checking import Current, check
from segrules.plan.content import plain, spelled
from segrules.plan.document import Plan
from segrules.plan.quiet import as_setting
from segrules.plan.rereading import Reread, reread
from segrules.plan.resuming import resume
from segrules.plan.sinks.made import made
from segrules.plan.sinks.protocol import Outgoing, Row, in_order
from segrules.plan.site import Site, fence
from segrules.source import NOWHERE
from segrules.state import runs
from segrules.state.accept import accept
from segrules.state.history import history
from segrules.state.ledger import snapshot
from segrules.state.records import NewBatch, NewRun, Payload
from segrules.state.runs import Run

LEAST_DIGITS = 16


def apply(
    site: Site, plan: Plan, current: Current, fresh: Callable[[], tuple[RuleSet, Answers]], with_actions: bool = True
) -> Applied:
    """*fresh* evaluates `asked` on the plan's date, over the tables as they are now. Raises `Conflict`, `Refused`,
    `Unreachable` before anything has happened, `PartlyApplied` after."""
    with snapshot(site.ledger) as connection:
        run = runs.by_plan(connection, plan.plan_id)
        if run is None:
            check(plan, connection, current, site.clock.now())
    if run is not None:
        return told(site.ledger, run.serial, already=True) if run.state == "finished" else resume(site, run)
    found, batches = Reread((), ()), tuple[NewBatch, ...]()
    if with_actions:
        ruleset, answers = fresh()
        found = _reread(site, plan, ruleset, answers)
        batches = tuple(_with_quiet_hours(each, ruleset) for each in plan.batches)
        _check_sinks(site, plan, batches, found.payloads)
    accepted = _accepted(site, plan, found, batches, with_actions)
    return after_accept(lambda: carried_out(site, accepted))


def expected(plan: Plan, id_: str) -> None:
    """Raises `Conflict` where *plan* is not the one that was approved."""
    if len(id_) < LEAST_DIGITS or not plan.plan_id.startswith(id_.lower()):
        arguments: dict[str, Argument] = {"expected": id_, "found": plan.plan_id, "least": LEAST_DIGITS}
        raise Conflict([Diagnostic("P990", NOWHERE, arguments)])


def _reread(site: Site, plan: Plan, ruleset: RuleSet, answers: Answers) -> Reread:
    timezone = ruleset.contracts.timezone
    keys = key_texts(answers.results.keys, timezone)(np.arange(answers.customers))
    with snapshot(site.ledger) as connection:
        past = history(connection, keys, (), timezone)
    return reread(plan, ruleset, answers, past, site.clock.now())


def _with_quiet_hours(batch: NewBatch, ruleset: RuleSet) -> NewBatch:
    """A resume needs them, and has nothing but the ledger."""
    hours = ruleset.campaign.policies.channels[batch.channel].quiet_hours
    return batch if hours is None else replace(batch, settings={**batch.settings, "quiet": as_setting(hours)})


def _check_sinks(site: Site, plan: Plan, batches: Sequence[NewBatch], payloads: Sequence[Payload]) -> None:
    """Whether every sink could take its batches, before anything is accepted."""
    first: dict[str, Payload] = {}
    for payload in payloads:
        first.setdefault(payload.batch, payload)
    for sink in {each.sink: each for each in batches}.values():
        own = [
            Outgoing(each.id, plan.plan_id, each.name, _columns(first[each.id]))
            for each in batches
            if each.sink == sink.sink and each.id in first
        ]
        made(sink.sink, sink.kind, sink.settings, site.folder, fence(site)).check(own)


def _columns(payload: Payload) -> tuple[str, ...]:
    return tuple(in_order(Row(payload.key, payload.body).values.keys()))


def _accepted(site: Site, plan: Plan, found: Reread, batches: Sequence[NewBatch], with_actions: bool) -> Run:
    """ACCEPT. Where the ledger goes away while committing, it is asked whether it did."""
    manifest = plan.manifest
    run = NewRun(
        plan_id=plan.plan_id,
        as_of=manifest.as_of,
        planned_at=manifest.planned_at,
        model=manifest.model,
        version=manifest.version,
        commit=manifest.commit,
        clean=manifest.clean,
        environment=manifest.environment,
        author=site.author,
        with_actions=with_actions,
        report=_report(plan),
    )
    try:
        accept(site.ledger, site.epoch, run, found.contacts, found.payloads, batches, plan.points, plan.members)
    except Unreachable:
        there = _run(site, plan)
        if there is None:
            raise
        return there
    there = _run(site, plan)
    assert there is not None
    return there


def _run(site: Site, plan: Plan) -> Run | None:
    with snapshot(site.ledger) as connection:
        return runs.by_plan(connection, plan.plan_id)


def _report(plan: Plan) -> str:
    manifest = plan.manifest
    said = {
        "segments": plain(manifest.segments),
        "waterfalls": plain(manifest.waterfalls),
        "guards": plain(manifest.guards),
        "cut_points": plain(manifest.cut_points),
    }
    return spelled(said).decode()
