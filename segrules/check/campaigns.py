"""Actions and policies → `Campaign`.

In: the documents of a project, the scope of a customer in which every definition has been checked.  Out: `Campaign`;
all that is wrong is in `scope.found`.  Always: actions stand in the order of the files; an id names one action; a
channel that is not known because policies.yaml could not be read is not reported again.

    campaign(project, scope).actions["winback_coupon"].channels      # ("sms",)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from segrules.check.amounts import exact, money, period, repeat, share
from segrules.check.asking import asked, every_value
from segrules.check.infer import predicate
from segrules.check.messages import message
from segrules.check.policies import known_channels, policies
from segrules.check.previously import earlier_actions
from segrules.check.scope import Scope, is_wrong
from segrules.check.sinks import twice, unknown
from segrules.check.widen import shown
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.campaign import WrittenAction, WrittenLimit, WrittenPolicies
from segrules.files.documents import Project, RuleFile, Scalar
from segrules.model.campaign import (
    NOTHING,
    Action,
    Budget,
    Campaign,
    Channel,
    Goal,
    Limit,
    Ordering,
    PerValue,
    Variant,
)  # fmt: skip
from segrules.model.expr import Expr
from segrules.schema.calendar import from_date
from segrules.source import Word
from segrules.syntax.expr import Expr as Written


def campaign(project: Project, scope: Scope) -> Campaign:
    """What the rules do, and what bounds it."""
    document = project.policies or WrittenPolicies()
    bounds = policies(document, scope)
    written = _unique(project.rules, scope.found)
    actions = {one.name.text: _action(one, bounds.channels, document.lost, scope) for one in written}
    earlier_actions(written, scope.found)
    return Campaign(actions, bounds)


def _unique(rules: Iterable[RuleFile], found: list[Diagnostic]) -> list[WrittenAction]:
    named: dict[str, WrittenAction] = {}
    for file in rules:
        for action in file.actions:
            first = named.setdefault(action.name.text, action)
            if first is not action:
                found.append(twice(action.name, "action", first.name))
    return list(named.values())


def _action(written: WrittenAction, channels: Mapping[str, Channel], lost: bool, scope: Scope) -> Action:
    found = scope.found
    by = None if written.channel_by is None else asked(written.channel_by, scope, "channel", "text")
    if lost:
        reached = tuple(word.text for word in written.channels)
    elif written.channel_by is not None and by is not None:
        reached = _named_by(written.channel_by, by, channels, scope)
    else:
        reached = known_channels(written.channels, channels, found)
    if reached and not lost:
        _of_tasks(written, [channels[name] for name in reached], scope)
    first, last = _day(written.active_from), _day(written.active_until)
    if first is not None and last is not None and last < first and written.active_until is not None:
        args = {"from": written.active_from.text if written.active_from else "", "until": written.active_until.text}
        scope.report("R612", written.active_until.span, args)
    budget = None if written.budget is None else money(written.budget.total, found)
    due, within = period(written.due, found), None if written.goal is None else period(written.goal.within, found)
    metric = None if written.goal is None else asked(written.goal.metric, scope, "goal.metric", "numeric")
    return Action(
        id=written.name.text,
        label=written.label,
        when=predicate(written.when, scope, Words("needs.action")),
        written=written.when,
        channels=reached,
        channel_by=by,
        contact_class=written.contact_class,
        active_from=first,
        active_until=last,
        message=None if written.message is None else message(written.message, scope),
        repeat=repeat(written.repeat, found),
        priority=exact(written.priority) or NOTHING,
        group=written.group,
        limit=Limit() if written.limit is None else _limit(written.limit, scope),
        budget=None if budget is None or written.budget is None else Budget(budget, written.budget.per),
        cost=money(written.cost, found) or 0,
        holdout=share(written.holdout, found) or NOTHING,
        own_salt=written.salt,
        variants=_variants(written, found),
        award=written.award,
        assign_to=None if written.assign_to is None else asked(written.assign_to, scope, "assign_to", "name"),
        due=due,
        goal=None if metric is None or within is None else Goal(metric, within),
        previously=tuple(word.text for word in written.previously),
        span=written.name.span,
    )


def _named_by(written: Written, by: Expr, channels: Mapping[str, Channel], scope: Scope) -> tuple[str, ...]:
    """Every channel that the expression may name, in the order of the policies."""
    if is_wrong(by):
        return ()
    values = every_value(by, scope)
    if values is None:
        scope.report("T434", written.span, {"text": shown(written)})
        return ()
    for value, span in values.items():
        if value not in channels:
            scope.found.append(unknown("N317", Word(str(value), span), channels))
    return tuple(name for name in channels if name in values)


def _of_tasks(written: WrittenAction, channels: Iterable[Channel], scope: Scope) -> None:
    """`assign_to:` and `due:` belong to tasks."""
    if any(channel.task for channel in channels):
        return
    args = {"channels": ", ".join(f"`{channel.name}`" for channel in channels)}
    if written.assign_to is not None:
        scope.report("R613", written.assign_to.span, {**args, "key": "assign_to"})
    if written.due is not None:
        scope.report("R613", written.due.span, {**args, "key": "due"})


def _day(scalar: Scalar | None) -> int | None:
    return None if scalar is None else from_date(date.fromisoformat(scalar.text))


def _limit(written: WrittenLimit, scope: Scope) -> Limit:
    order = per = None
    if written.order_by is not None:
        value = asked(written.order_by.value, scope, "order_by", "ordered")
        order = Ordering(value, written.order_by.descending)
    if written.per is not None:
        per = PerValue(asked(written.per, scope, "limit.per", "single"), written.at_most, written.counting)
    return Limit(written.customers, order, per)


def _variants(written: WrittenAction, found: list[Diagnostic]) -> tuple[Variant, ...]:
    made: list[Variant] = []
    named: dict[str, Word] = {}
    for word, scalar in written.variants:
        if (first := named.setdefault(word.text, word)) is not word:
            found.append(twice(word, "variant", first))
        elif (part := share(scalar, found)) is not None:
            made.append(Variant(word.text, part))
    total = sum((one.share for one in made), NOTHING)
    if written.variants and len(made) == len(written.variants) and total != 1:
        found.append(Diagnostic("R611", written.variants_span, {"total": _percent(total)}))
    return tuple(made)


def _percent(part: Fraction) -> str:
    return f"{float(part * 100):.10g}%"
