"""Decisions → a plan: what would change, who would be contacted, and whether the guards let it pass.

In: a rule set, its decisions, where they would be carried out, what they were made from.  Out: `Plan`.  Always: the
same decisions give the same plan; the contacts are by action, then in the order of filling; nobody's address, message
or private value is in it; a guard that is exceeded is said in the plan and stops nothing here.

    plan = make(ruleset, environment, decisions, basis, allow={"max_contacted"})
    plan.manifest.waterfalls[0].selected      # 4500
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from segrules.decide.asked import asked
from segrules.decide.decide import memberships
from segrules.decide.decisions import HELD_OUT, SELECTED, Decision, Decisions
from segrules.decide.keys import address_hashes, contact_key, normalised, payload_hash
from segrules.engine.results import Results
from segrules.model.campaign import Action, Channel, Environment
from segrules.model.ruleset import RuleSet, Segmentation
from segrules.plan import guards
from segrules.plan.batches import batches
from segrules.plan.content import plan_id
from segrules.plan.cuts import cut_points
from segrules.plan.document import Manifest, Plan, SegmentChange, Waterfall
from segrules.plan.identity import Basis
from segrules.plan.payloads import bodies, due_day, keys_of, texts
from segrules.state.records import Cause, History, MemberChange, Members, NewBatch, NewContact
from segrules.tables.columns import Bools, Ints


def make(
    ruleset: RuleSet,
    environment: Environment,
    decisions: Decisions,
    basis: Basis,
    allow: Collection[str] = (),
) -> Plan:
    """The plan that *decisions* are. Raises `WrongUsage` for a guard in *allow* that there is not."""
    guards.known(allow)
    policies, history = ruleset.campaign.policies, decisions.history
    members, history = _without_forgotten(memberships(ruleset, decisions.results), history)
    segments = tuple(_changes(ruleset, decisions.results, history, members))
    changed = _changed(history, members, {each.name for each in segments})
    share = Fraction(0) if history.before is None else Fraction(changed, max(history.before, 1))
    sent = _batches(ruleset, environment, decisions)
    contacts = tuple(contact for each in decisions.actions for contact in _contacts(ruleset, decisions, each, sent))
    waterfalls = tuple(map(_waterfall, decisions.actions))
    number, spend = sum(each.selected for each in waterfalls), sum(each.cost for each in waterfalls)
    manifest = Manifest(
        project=ruleset.name,
        environment=environment.name,
        lineage=history.identity.lineage,
        serial=history.identity.serial,
        as_of=decisions.as_of,
        timezone=decisions.timezone,
        planned_at=decisions.planned_at,
        version=basis.version,
        model=basis.model,
        commit=basis.commit,
        clean=basis.clean,
        parameters=basis.parameters,
        sources=basis.sources,
        customers=decisions.results.customers,
        segments=segments,
        waterfalls=waterfalls,
        guards=guards.checks(policies.guards, segments, share, number, spend, basis.clean, allow),
        cut_points=cut_points(asked(ruleset), decisions.results.cut_points),
        max_plan_age=policies.max_plan_age,
        members_changed=changed,
        forgotten=decisions.results.customers - len(members.keys),
        before=history.before,
    )
    outgoing = tuple(sent.values())
    return Plan(plan_id(manifest, contacts, outgoing, members), manifest, contacts, outgoing, members)


def _without_forgotten(members: Members, history: History) -> tuple[Members, History]:
    """Both without the rows of customers who were forgotten: the plan neither names them nor counts their moves."""
    if not history.forgotten.any():
        return members, history
    there = np.flatnonzero(~history.forgotten)
    names = [replace(each, members=each.members[there]) for each in members.names]
    standing = {
        name: replace(each, members=each.members[there], cause=each.cause[there], since=each.since[there])
        for name, each in history.standing.items()
    }
    keys = [members.keys[row] for row in there.tolist()]
    return Members(keys, names), replace(history, forgotten=history.forgotten[there], standing=standing)


def _waterfall(decision: Decision) -> Waterfall:
    action = decision.action
    return Waterfall(
        action=action.id,
        label=action.label,
        channels=action.channels,
        matched=len(decision.rows),
        stages=decision.counts,
        cost=decision.spend,
        waiting=decision.waiting,
    )


def _changes(ruleset: RuleSet, results: Results, history: History, members: Members) -> Iterator[SegmentChange]:
    labels, unknown = _labels(ruleset), _unknown(results)
    for each in members.names:
        if each.name in labels:
            yield _change(each, labels[each.name], unknown.get(each.name, 0), history)


def _change(one: MemberChange, label: str | None, unknown: int, history: History) -> SegmentChange:
    now = int(one.members.sum())
    standing = history.standing.get(one.name)
    if standing is None:
        return SegmentChange(one.name, label, now, None, now, 0, unknown, "baseline")
    stayed = int((one.members & standing.members).sum())
    before = int(standing.members.sum()) if standing.count is None else standing.count
    cause: Cause = "data" if one.fingerprint == standing.fingerprint else "rule"
    return SegmentChange(one.name, label, now, before, now - stayed, before - stayed, unknown, cause)


def _changed(history: History, members: Members, names: Collection[str]) -> int:
    """Customers who entered or left one of *names* that the last run knew."""
    found = np.zeros(len(members.keys), np.bool_)
    for each in members.names:
        if each.name in names and (standing := history.standing.get(each.name)) is not None:
            found |= each.members ^ standing.members
    return int(found.sum()) + history.gone


def _labels(ruleset: RuleSet) -> dict[str, str | None]:
    """The segments, lists and cases, cases by their qualified id, with their labels."""
    found: dict[str, str | None] = {}
    for name, definition in ruleset.definitions.items():
        if isinstance(definition, Segmentation):
            for each in definition.reachable:
                case = f"{name}.{each.id}"
                found[case] = found.get(case) or each.label
        else:
            found[name] = definition.label
    return found


def _unknown(results: Results) -> dict[str, int]:
    """For how many it could not be said, by name; of a case, who passed it unknown."""
    found = {
        name: each.unknown.count()
        for name, each in {**results.segments, **results.lists}.items()
        if each.unknown is not None
    }
    for name, assignment in results.segmentations.items():
        found |= {f"{name}.{case}": number for case, number in assignment.passed_unknown.items()}
    return found


def _batches(ruleset: RuleSet, environment: Environment, decisions: Decisions) -> dict[tuple[str, str], NewBatch]:
    used = [
        (each.action.id, each.action.channels[channel])
        for each in decisions.actions
        for channel in np.unique(each.channel[each.stage == SELECTED]).tolist()
    ]
    return batches(ruleset.campaign, environment, used, decisions.history.identity, decisions.planned_at)


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Those of one action who are contacted or held out, in the order of filling; every sequence is by contact.
    `channel` indexes `action.channels`."""

    action: Action
    rows: Ints
    customers: Sequence[str]
    keys: Sequence[str]
    numbers: Sequence[int]
    variants: Sequence[str | None]
    costs: Sequence[int]
    channel: NDArray[np.int16]
    is_sent: Bools


def _chosen(decisions: Decisions, decision: Decision) -> _Chosen:
    action, lineage = decision.action, decisions.history.identity.lineage
    stages = decision.stage[decision.order]
    chosen = decision.order[(stages == SELECTED) | (stages == HELD_OUT)]
    rows = decision.rows[chosen]
    customers = keys_of(decisions.results.keys, rows, decisions.timezone)
    numbers = decision.n[chosen].tolist()
    return _Chosen(
        action=action,
        rows=rows,
        customers=customers,
        keys=[contact_key(lineage, action.first_id, *each) for each in zip(customers, numbers, strict=True)],
        numbers=numbers,
        variants=[action.variants[each].name if each >= 0 else None for each in decision.variant[chosen].tolist()],
        costs=decision.cost[chosen].tolist(),
        channel=decision.channel[chosen],
        is_sent=decision.stage[chosen] == SELECTED,
    )


def _contacts(
    ruleset: RuleSet, decisions: Decisions, decision: Decision, sent: Mapping[tuple[str, str], NewBatch]
) -> Iterator[NewContact]:
    """The contacts of one action, in the order of filling."""
    action, one = decision.action, _chosen(decisions, decision)
    channels = [ruleset.campaign.policies.channels[name] for name in action.channels]
    ids = [sent[action.id, each.name].id if (action.id, each.name) in sent else None for each in channels]
    due = due_day(action, decisions.today)
    addresses, payloads = _hashes(decisions, one, channels, due)
    per = None if action.limit.per is None else action.limit.per.value
    assignees, values = (
        texts(decisions.answers, each, one.rows, decisions.timezone) for each in (action.assign_to, per)
    )
    for at, (code, is_sent) in enumerate(zip(one.channel.tolist(), one.is_sent.tolist(), strict=True)):
        yield NewContact(
            key=one.keys[at],
            customer=one.customers[at],
            action=action.first_id,
            n=one.numbers[at],
            state="reserved" if is_sent else "held_out",
            channel=channels[code].name,
            contact_class=action.contact_class,
            variant=one.variants[at],
            cost=one.costs[at],
            batch=ids[code] if is_sent else None,
            address=addresses[at],
            payload=payloads[at],
            assignee=assignees[at],
            per=values[at],
            task=channels[code].task,
            due=due if is_sent else None,
            award=action.award if is_sent else None,
        )


def _hashes(
    decisions: Decisions, one: _Chosen, channels: Sequence[Channel], due: int | None
) -> tuple[Sequence[str | None], Sequence[str | None]]:
    """The HMACs of address and payload of each contact, None for those held out."""
    pepper, answers, timezone = decisions.history.identity.pepper, decisions.answers, decisions.timezone
    addresses, payloads = (np.full(len(one.rows), None, dtype=object) for _ in range(2))
    for code, channel in enumerate(channels):
        here = np.flatnonzero(one.is_sent & (one.channel == code))
        places = here.tolist()
        if not places:
            continue
        made = bodies(
            answers, timezone, one.action, channel, one.rows[here],
            [one.customers[at] for at in places], [one.keys[at] for at in places],
            [one.variants[at] for at in places], due,
        )  # fmt: skip
        payloads[here] = [payload_hash(pepper, body) for body in made]
        if channel.address is not None:
            found = texts(answers, channel.address, one.rows[here], timezone)
            known = np.array([each is not None for each in found], np.bool_)
            addresses[here[known]] = address_hashes(pepper, [normalised(each) for each in found if each is not None])
    return addresses.tolist(), payloads.tolist()
