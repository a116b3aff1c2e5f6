"""The questions of a campaign, answered with the rules in one evaluation.

In: a rule set with its campaign.  Out: the rule set with one more definition per question, and the `Answers` of an
evaluation of it.  Always: a question that several actions ask is asked once; the names of the questions begin with a
blank, which no name in a file may, and say whose question it is, for messages.

    results = evaluate_existing(asked(ruleset), existing, as_of)
    answers(ruleset.campaign, results).truth(action.when)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from segrules.engine.results import Results
from segrules.model.campaign import Action, Campaign, Channel
from segrules.model.expr import Expr
from segrules.model.ruleset import Attribute, RuleSet, Segment
from segrules.schema.types import BOOL, Bool
from segrules.source import NOWHERE, Span
from segrules.syntax.expr import Broken
from segrules.syntax.expr import Expr as Written
from segrules.tables.columns import Bools, Column


@dataclass(frozen=True, slots=True)
class Question:
    """An expression of the campaign under the hidden name that it is evaluated by."""

    name: str
    value: Expr
    written: Written
    span: Span


def questions(campaign: Campaign) -> Mapping[Expr, Question]:
    """Every question of *campaign*, by its expression; named after who asks first."""
    found: dict[Expr, Question] = {}
    names: set[str] = set()
    for asking, value, written, span in _asking(campaign):
        if value not in found:
            name = f" {asking}"
            while name in names:
                name += "+"
            names.add(name)
            found[value] = Question(name, value, written, span)
    return found


def asked(ruleset: RuleSet) -> RuleSet:
    """*ruleset* with a hidden definition per question, after everything that it may need."""
    hidden = {each.name: _definition(each) for each in questions(ruleset.campaign).values()}
    return replace(ruleset, definitions={**ruleset.definitions, **hidden})


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What an evaluation of `asked` says about each expression of the campaign."""

    results: Results
    names: Mapping[Expr, str]

    def truth(self, question: Expr) -> tuple[Bools, Bools | None]:
        """For whom a predicate is TRUE, and for whom it cannot be said (None: for nobody)."""
        if not isinstance(question.type, Bool):
            return np.zeros(self.customers, np.bool_), np.ones(self.customers, np.bool_)
        found = self.results.segments[self.names[question]]
        return found.true.mask(), None if found.unknown is None else found.unknown.mask()

    def column(self, question: Expr) -> Column:
        """The values of a question; of a yes-or-no as a bool column."""
        if not isinstance(question.type, Bool):
            return self.results.values[self.names[question]]
        true, unknown = self.truth(question)
        return Column(BOOL, true, unknown)

    @property
    def customers(self) -> int:
        return self.results.customers


def answers(campaign: Campaign, results: Results) -> Answers:
    """The answers in *results*, which are those of an evaluation of `asked`."""
    return Answers(results, {value: each.name for value, each in questions(campaign).items()})


def _definition(question: Question) -> Attribute | Segment:
    if isinstance(question.value.type, Bool):
        return Segment(question.name, None, question.value, question.written, span=question.span)
    return Attribute(question.name, None, question.value, question.written, span=question.span)


def _asking(campaign: Campaign) -> Iterator[tuple[str, Expr, Written, Span]]:
    unwritten = Broken()
    for action in campaign.actions.values():
        for part, value in _of_action(action):
            yield f"{action.id}: {part}", value, action.written if part == "for" else unwritten, action.span
    for suppression in campaign.policies.suppress:
        yield f"suppress: {suppression.text}", suppression.when, unwritten, NOWHERE
    for channel in campaign.policies.channels.values():
        for part, value in _of_channel(channel):
            yield f"{channel.name}: {part}", value, unwritten, channel.span


def _of_action(action: Action) -> Iterator[tuple[str, Expr]]:
    yield "for", action.when
    if action.channel_by is not None:
        yield "channel", action.channel_by
    if action.limit.order_by is not None:
        yield "order_by", action.limit.order_by.value
    if action.limit.per is not None:
        yield "per", action.limit.per.value
    if action.assign_to is not None:
        yield "assign_to", action.assign_to
    for place, placeholder in enumerate(() if action.message is None else action.message.placeholders, start=1):
        yield f"message {place}", placeholder.value


def _of_channel(channel: Channel) -> Iterator[tuple[str, Expr]]:
    for contact_class, consent in channel.consent.items():
        yield f"consent {contact_class}", consent
    if channel.address is not None:
        yield "address", channel.address
    if channel.quiet_hours is not None and channel.quiet_hours.zone_of is not None:
        yield "zone", channel.quiet_hours.zone_of
