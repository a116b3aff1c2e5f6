"""policies.yaml → `Policies`.

In: the document, the scope of a customer.  Out: the checked policies; all that is wrong is in `scope.found`.  Always:
every channel that was written is there, so that actions that name it are not wrong a second time.

    policies(project.policies, scope).channels["sms"].cost      # 500
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segrules.check.amounts import clock, duration, money, period, share
from segrules.check.asking import asked
from segrules.check.infer import predicate
from segrules.check.scope import Scope
from segrules.check.sinks import environments, sinks, twice, unknown
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.campaign import WrittenCap, WrittenCapacity, WrittenChannel, WrittenPolicies, WrittenQuietHours
from segrules.model.campaign import (
    NOTHING,
    Cap,
    Capacity,
    Channel,
    Guards,
    Policies,
    QuietHours,
    SinkSettings,
    Suppression,
)  # fmt: skip
from segrules.schema.calendar import zone
from segrules.source import Word
from segrules.syntax.expr import Name
from segrules.syntax.parser import parse_expression

BILLED_BY_PART = frozenset({"sms", "短信"})
"""Channels whose cost is per part of the message unless `billed_per:` says otherwise."""


def policies(written: WrittenPolicies, scope: Scope) -> Policies:
    """The policies, as far as they are right."""
    found = scope.found
    targets = sinks(written.sinks, found)
    channels: dict[str, Channel] = {}
    for each in written.channels:
        if (first := channels.get(each.name.text)) is not None:
            found.append(twice(each.name, "channel", Word(first.name, first.span)))
        else:
            channels[each.name.text] = _channel(each, targets, scope)
    guards = written.guards
    return Policies(
        channels=channels,
        suppress=tuple(
            Suppression(each.span.text.strip(), predicate(each, scope, Words("needs.suppress")))
            for each in written.suppress
        ),
        caps=tuple(cap for each in written.caps if (cap := _cap(each, channels, found)) is not None),
        capacity=_capacities(written.capacity, scope),
        global_holdout=share(written.global_holdout, found) or NOTHING,
        guards=Guards(
            share(guards.max_members_changed, found),
            guards.max_contacted,
            money(guards.max_spend, found),
            guards.require_clean_git,
        ),
        max_plan_age=duration(written.max_plan_age, found),
        max_staleness=duration(written.max_staleness, found),
        sinks=targets,
        environments=environments(written.environments, targets, found),
    )


def known_channels(words: Iterable[Word], channels: Mapping[str, Channel], found: list[Diagnostic]) -> tuple[str, ...]:
    """The channels that *words* name, each once."""
    named: dict[str, Word] = {}
    for word in words:
        if word.text not in channels:
            found.append(unknown("N317", word, channels))
        elif (first := named.setdefault(word.text, word)) is not word:
            found.append(Diagnostic("R614", word.span, {"name": word.text}, also=(first.span,)))
    return tuple(named)


def _channel(written: WrittenChannel, targets: Mapping[str, SinkSettings], scope: Scope) -> Channel:
    if written.sink is not None and written.sink.text not in targets:
        scope.found.append(unknown("N318", written.sink, targets))
    by_part = written.name.text in BILLED_BY_PART if written.billed_per is None else written.billed_per == "part"
    return Channel(
        name=written.name.text,
        sink="" if written.sink is None else written.sink.text,
        label=written.label,
        consent={each: predicate(one, scope, Words("needs.consent")) for each, one in written.consent.items()},
        address=None if written.address is None else asked(written.address, scope, "address", "text"),
        cost=money(written.cost, scope.found) or 0,
        task=written.task,
        billed_by_part=by_part,
        quiet_hours=None if written.quiet_hours is None else _quiet_hours(written.quiet_hours, scope),
        span=written.name.span,
    )


def _quiet_hours(written: WrittenQuietHours, scope: Scope) -> QuietHours | None:
    start, end = clock(written.start, scope.found), clock(written.end, scope.found)
    if start is not None and start == end:
        scope.report("R615", written.end.span, {"time": written.end.text})
    made = QuietHours(start or 0, end or 0)
    if written.zone is None or not isinstance(written.zone.value, str):
        return made
    try:
        zone(written.zone.text)
        return QuietHours(made.start, made.end, written.zone.text)
    except (KeyError, ValueError, OSError):
        value, wrong = parse_expression(written.zone.span.source)
    if wrong or ("/" in written.zone.text and '"' not in written.zone.text):
        scope.report("R535", written.zone.span, {"zone": written.zone.text})
        return made
    return QuietHours(made.start, made.end, zone_of=asked(value, scope, "zone", "text"))


def _cap(written: WrittenCap, channels: Mapping[str, Channel], found: list[Diagnostic]) -> Cap | None:
    length = period(written.per, found)
    named = None if written.channels is None else known_channels(written.channels, channels, found)
    return None if length is None else Cap(written.at_most, length, named, written.classes)


def _capacities(written: Iterable[WrittenCapacity], scope: Scope) -> dict[str, Capacity]:
    made: dict[str, Capacity] = {}
    named: dict[str, Word] = {}
    for each in written:
        name = each.name.text
        if (first := named.setdefault(name, each.name)) is not each.name:
            scope.found.append(twice(each.name, "capacity", first))
            continue
        asked(Name(tuple(name.split(".")), span=each.name.span), scope, "capacity", "name")
        made[name] = Capacity(name, each.at_most, each.per)
    return made
