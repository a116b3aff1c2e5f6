"""`actions:` of a test: which of them take part, and where each must end.

In: a checked rule set, a test as written.  Out: the campaign of the test, expected stages; a diagnostic for every name
that does not exist, also in the rows of history.  Always: only the actions that a test names take part, so that what
others read need not be given; hold-outs, limits, budgets and capacity decide only where the test asks for them; no
data is read and numpy is not imported.

    actions: {winback_coupon: selected}      # ExpectedStage("c1", "winback_coupon", "selected")
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from segrules.check.suggest import nearest
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.documents import Row, Scalar, WrittenTest
from segrules.model.campaign import NOT_MATCHED, NOTHING, STAGES, Action, Campaign, Limit
from segrules.model.expr import Expr
from segrules.model.names import parts
from segrules.model.ruleset import RuleSet, Segment, StaticList
from segrules.schema.contract import Contracts, LedgerSource
from segrules.schema.types import Value
from segrules.source import Word
from segrules.testing.examples import ExampleRow, ExpectedStage

MEMBER = "action:"
"""How a row of `memberships:` begins that is about who matches an action."""
KINDS = (
    "delivered", "bounced", "opened", "clicked", "replied", "unsubscribed", "subscribed", "satisfaction", "task done",
)  # fmt: skip
NEEDED: Mapping[str, tuple[str, ...]] = {
    "contacts": ("action", "channel", "at"),
    "memberships": ("segment", "entered_at"),
    "outcomes": ("action", "channel", "kind", "at"),
}
"""What deciding reads of the rows of history."""


def taking_part(campaign: Campaign, names: Collection[str], also: Collection[str]) -> Campaign:
    """The actions *names* with their channels, under the policies that the test asks for."""
    actions = {name: _bounded(action, also) for name, action in campaign.actions.items() if name in names}
    used = {channel for action in actions.values() for channel in action.channels}
    bounds = replace(
        campaign.policies,
        channels={name: channel for name, channel in campaign.policies.channels.items() if name in used},
        capacity=campaign.policies.capacity if "limits" in also else {},
        global_holdout=campaign.policies.global_holdout if "holdout" in also else NOTHING,
    )
    return Campaign(actions, bounds)


def _bounded(action: Action, also: Collection[str]) -> Action:
    kept = replace(action, goal=None)
    if "holdout" not in also:
        kept = replace(kept, holdout=NOTHING)
    if "limits" not in also:
        kept = replace(kept, limit=Limit(), budget=None)
    return kept


def stages(
    ruleset: RuleSet, test: WrittenTest, customers: tuple[ExampleRow, ...], found: list[Diagnostic]
) -> tuple[ExpectedStage, ...]:
    """What the test expects of actions."""
    made: list[ExpectedStage] = []
    key = ruleset.contracts.tables[ruleset.contracts.customers].key or ""
    keys = {str(row.values[key]): row.values[key] for row in customers}
    for each in test.stages:
        name, stage = each.action.text, each.stage.text
        customer: Value = next(iter(keys.values()), None)
        if name not in ruleset.campaign.actions:
            found.append(_unlike("R590", each.action, {"name": name}, ruleset.campaign.actions))
        elif stage not in (*STAGES, NOT_MATCHED):
            args = {"text": stage, "stages": ", ".join(f"`{one}`" for one in (*STAGES, NOT_MATCHED))}
            found.append(_unlike("R591", each.stage, args, (*STAGES, NOT_MATCHED)))
        elif each.customer is not None and each.customer.text not in keys:
            args = {"key": each.customer.text, "keys": ", ".join(keys)}
            found.append(Diagnostic("R578", each.customer.span, args))
        else:
            customer = customer if each.customer is None else keys[each.customer.text]
            made.append(ExpectedStage(customer, name, stage, each.stage.span))
    return tuple(made)


def unknown_in_history(ruleset: RuleSet, test: WrittenTest) -> Iterator[Diagnostic]:
    """What rows of history name that does not exist."""
    known = _known(ruleset)
    for table, rows in test.tables.items():
        if table in known and _is_history(ruleset.contracts, table):
            for row in rows:
                yield from _strange(table, row, known[table])


def _known(ruleset: RuleSet) -> dict[str, dict[str, tuple[str, Collection[str]]]]:
    """By table and column: the word for what stands there, and all that may."""
    actions = [name for each in ruleset.campaign.actions.values() for name in (each.id, *each.previously)]
    about = {
        "action": ("action", actions),
        "channel": ("channel", tuple(ruleset.campaign.policies.channels)),
    }
    definitions = ruleset.definitions.values()
    members = [name for each in definitions if isinstance(each, Segment) for name in (each.name, *each.previously)]
    members += [each.name for each in definitions if isinstance(each, StaticList)]
    members += [str(part) for each in definitions for part in parts(each) if part.kind == "case"]
    members += [f"{MEMBER}{name}" for name in actions]
    return {
        "contacts": {**about},
        "memberships": {"segment": ("member", members)},
        "outcomes": {**about, "kind": ("outcome", KINDS)},
    }


def _strange(table: str, row: Row, known: Mapping[str, tuple[str, Collection[str]]]) -> Iterator[Diagnostic]:
    for column, (kind, names) in known.items():
        cells = row.get(column)
        if isinstance(cells, Scalar) and cells.value is not None and cells.text not in names:
            args: dict[str, str | Words] = {"table": table, "kind": Words(f"entry.{kind}"), "name": cells.text}
            yield _unlike("R592", Word(cells.text, cells.span), args, names)


def _is_history(contracts: Contracts[Expr], table: str) -> bool:
    return table in contracts.tables and isinstance(contracts.tables[table].source, LedgerSource)


def _unlike(code: str, word: Word, args: Mapping[str, str | Words], known: Collection[str]) -> Diagnostic:
    near = nearest(word.text, known)
    return Diagnostic(code, word.span, args, None if near is None else Help("did_you_mean", {"name": near}))
