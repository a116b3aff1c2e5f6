"""Actions of a test, decided: where each ended, against where it had to.

In: an example whose rows are bound.  Out: every expectation that was not met, with what decided.  Always: the answers
of both engines are decided; the history is made from the rows of the test, all of them delivered; the planning clock
stands at the end of the day of the test; whoever has no row of `memberships:` for an action begins to match it today,
by data.

    unmet(ruleset, example, tables)[0].actual      # "no consent"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from segrules.decide.asked import asked, questions
from segrules.decide.decide import decide, recorded
from segrules.decide.decisions import Decision, Decisions
from segrules.decide.recorded import action_name
from segrules.decide.why import why
from segrules.diagnostics.diagnostic import Words
from segrules.engine.results import Results
from segrules.engine.stops import no_such_customer, shown_key
from segrules.errors import WrongUsage
from segrules.model.campaign import NOT_MATCHED, STAGES, Action, Campaign
from segrules.model.expr import Expr
from segrules.model.ruleset import Attribute, RuleSet, Segment
from segrules.pipeline import evaluate_existing
from segrules.schema.calendar import end_of_day, local_day
from segrules.schema.contract import LedgerSource
from segrules.schema.types import Bool, Value
from segrules.source import Source
from segrules.state.records import CAUSES, CONTACT_STATES, History, Identity, PastContacts, Standing
from segrules.syntax.parser import parse_expression
from segrules.tables.columns import Bools, Ints, Tables
from segrules.testing.acting import MEMBER, taking_part
from segrules.testing.examples import Example, ExpectedStage

if TYPE_CHECKING:
    from segrules.engine.explanation import Explanation

NO_LEDGER = Identity("", 0, 0, 0, b"")
_RowsOf = Mapping[str, Sequence[Mapping[str, Value]]]


@dataclass(frozen=True, slots=True)
class Unmet:
    """`why`: what decided, with its figures; `other`: what the other engine gives; `explanation`: the tree of the
    expression that decided, where one did."""

    expected: ExpectedStage
    actual: str
    other: str
    why: Words | None = None
    explanation: Explanation | None = None


def unmet(ruleset: RuleSet, example: Example, tables: Tables) -> list[Unmet]:
    """The expectations of *example* about actions that were not met; *tables* has the rows that exist on its day."""
    names = {each.name for each in example.stages}
    acting = replace(ruleset, campaign=taking_part(ruleset.campaign, names, example.also))
    asking = asked(acting)
    hidden = {each.name for each in questions(acting.campaign).values()}
    one, two = (_decided(acting, evaluate_existing(asking, tables, example.as_of, hidden, engine), example)
                for engine in ("reference", "vector"))  # fmt: skip
    row_of = _row_of(one.results)
    found = []
    for expected in example.stages:
        row = row_of.get(expected.customer)
        if row is None:
            raise WrongUsage([no_such_customer(ruleset, shown_key(ruleset, expected.customer), example.as_of)])
        actual, other = (_stage(decisions.of(expected.name), row) for decisions in (one, two))
        if actual != expected.stage or other != actual:
            reason = None if actual == "selected" else why(one, expected.name, row)
            found.append(_explained(acting, tables, Unmet(expected, actual, other, reason), example))
    return found


def _decided(ruleset: RuleSet, results: Results, example: Example) -> Decisions:
    past = _history(ruleset, example, _row_of(results))
    return decide(ruleset, results, past, end_of_day(example.as_of, ruleset.contracts.timezone))


def _row_of(results: Results) -> dict[Value, int]:
    return {results.keys.at(row): row for row in range(results.customers)}


def _stage(decision: Decision, row: int) -> str:
    place = np.flatnonzero(decision.rows == row)
    return STAGES[int(decision.stage[place[0]])] if len(place) else NOT_MATCHED


def _history(ruleset: RuleSet, example: Example, row_of: Mapping[Value, int]) -> History:
    rows = {name: _rows(ruleset, example, name, row_of) for name in ("contacts", "memberships", "outcomes")}
    return History(
        identity=NO_LEDGER,
        forgotten=np.zeros(len(row_of), np.bool_),
        unsubscribed=_unsubscribed(rows["outcomes"], len(row_of)),
        contacts=_contacts(ruleset, rows),
        standing=_standing(ruleset, rows["memberships"], len(row_of), example.as_of),
    )


def _rows(ruleset: RuleSet, example: Example, name: str, row_of: Mapping[Value, int]) -> list[dict[str, Value]]:
    """The rows of a table of the ledger in the order of their time, each with `row` of its customer."""
    table = ruleset.contracts.tables[name]
    if not isinstance(table.source, LedgerSource) or table.belongs_to is None:
        return []
    by, time = table.belongs_to.by, table.time or ""
    found = [{**each.values, "row": row_of.get(each.values[by], -1)} for each in example.rows[name]]
    return sorted(found, key=lambda row: _whole(row[time]))


def _contacts(ruleset: RuleSet, rows: _RowsOf) -> PastContacts:
    campaign, zone = ruleset.campaign, ruleset.contracts.timezone
    contacts = rows["contacts"]
    known = {name: each for each in campaign.actions.values() for name in (each.id, *each.previously)}
    classes = [
        known[str(each["action"])].contact_class if each["action"] in known else "marketing" for each in contacts
    ]
    texts: dict[str, tuple[str, ...]] = {}

    def coded(kind: str, values: Sequence[Value]) -> Ints:
        texts[kind] = tuple(dict.fromkeys(str(value) for value in values if value is not None))
        return np.array([-1 if value is None else texts[kind].index(str(value)) for value in values], np.int64)

    def numbers(name: str) -> Ints:
        return np.array([_whole(each[name]) for each in contacts], np.int64)

    nothing: list[Value] = [None] * len(contacts)
    day = np.array([local_day(_whole(each["at"]), zone) for each in contacts], np.int64)
    earlier = [sum(_same(one, each) for one in contacts[:at]) for at, each in enumerate(contacts)]
    return PastContacts(
        row=numbers("row"),
        action=coded("action", [each["action"] for each in contacts]),
        channel=coded("channel", [each["channel"] for each in contacts]),
        contact_class=coded("contact_class", classes),
        state=np.full(len(contacts), CONTACT_STATES.index("delivered"), np.int64),
        at=numbers("at"),
        day=day,
        serial=day,
        n=np.array(earlier, np.int64) + 1,
        cost=numbers("cost"),
        address=coded("address", nothing),
        assignee=coded("assignee", nothing),
        per=coded("per", nothing),
        open=np.array([_is_open(campaign, each, rows["outcomes"]) for each in contacts], np.bool_),
        texts=texts,
    )


def _same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether two rows are about one customer and action."""
    return one["row"] == other["row"] and one["action"] == other["action"]


def _is_open(campaign: Campaign, contact: Mapping[str, Value], outcomes: Sequence[Mapping[str, Value]]) -> bool:
    channel = campaign.policies.channels.get(str(contact["channel"]))
    done = any(each["kind"] == "task done" and _same(each, contact) for each in outcomes)
    return channel is not None and channel.task and not done


def _unsubscribed(outcomes: Sequence[Mapping[str, Value]], customers: int) -> dict[str, Bools]:
    found: dict[str, Bools] = {}
    for each in outcomes:
        if each["kind"] in ("unsubscribed", "subscribed") and _whole(each["row"]) >= 0:
            channel = found.setdefault(str(each["channel"]), np.zeros(customers, np.bool_))
            channel[_whole(each["row"])] = each["kind"] == "unsubscribed"
    return found


def _standing(
    ruleset: RuleSet, memberships: Sequence[Mapping[str, Value]], customers: int, as_of: int
) -> dict[str, Standing]:
    """Who matched each action already, since when: serials are days."""
    fingerprints = {name: fingerprint for name, _, fingerprint in recorded(ruleset)}
    found = {}
    for action in ruleset.campaign.actions.values():
        members, since = np.zeros(customers, np.bool_), np.zeros(customers, np.int64)
        names = {f"{MEMBER}{name}" for name in (action.id, *action.previously)}
        for each in memberships:
            left = each["left_at"]
            if each["segment"] in names and _whole(each["row"]) >= 0:
                row = _whole(each["row"])
                members[row] = left is None or _whole(left) > as_of
                since[row] = _whole(each["entered_at"])
        cause = np.full(customers, CAUSES.index("data"), np.int8)
        name = action_name(action)
        found[name] = Standing(fingerprints[name], members, cause, since)
    return found


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value


def _explained(ruleset: RuleSet, tables: Tables, found: Unmet, example: Example) -> Unmet:
    """With the tree of the expression that decided."""
    from segrules.engine.explain import explain

    for name, expression in _deciding(ruleset.campaign, ruleset.campaign.actions[found.expected.name], found.actual):
        source: Source = expression.span.source
        written, _ = parse_expression(source)
        definition: Segment | Attribute = Attribute(name, None, expression, written, span=expression.span)
        if isinstance(expression.type, Bool):
            definition = Segment(name, None, expression, written, span=expression.span)
        asking = replace(ruleset, definitions={**ruleset.definitions, name: definition})
        results = evaluate_existing(asking, tables, example.as_of, {name}, "reference")
        explanation = explain(asking, tables, results, found.expected.customer, name)
        value = explanation.names[0].value
        if found.actual in ("suppressed", "suppression unknown") and value is not _SUPPRESSING[found.actual]:
            continue
        return replace(found, explanation=explanation)
    return found


_SUPPRESSING = {"suppressed": True, "suppression unknown": None}


def _deciding(campaign: Campaign, action: Action, stage: str) -> Iterator[tuple[str, Expr]]:
    """The expressions that can let somebody end at *stage*."""
    channels = [campaign.policies.channels[name] for name in action.channels]
    match stage:
        case "not matched":
            yield f"{action.id}: for", action.when
        case "suppressed" | "suppression unknown":
            yield from (("policies: suppress", each.when) for each in campaign.policies.suppress)
        case "no consent" | "consent unknown":
            for channel in channels:
                if (consent := channel.consent.get(action.contact_class)) is not None:
                    yield f"{channel.name}: consent", consent
        case "no address":
            yield from ((f"{each.name}: address", each.address) for each in channels if each.address is not None)
        case _:
            return
