"""`plan --sample`: a few messages of every action as they would be sent, without what is private.

In: a plan with its decisions, how many.  Out: lines, or JSON values.  Always: the first of each action in the order of
filling; what is made from a `pii` column is `***`, the key too where it is one; tasks without a message are shown too.

    screen(planned, 10, "en")
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from segrules.decide.decisions import Decision
from segrules.decide.messages import rendered
from segrules.diagnostics.catalogue import Language, say
from segrules.model.campaign import Message
from segrules.model.expr import Expr
from segrules.model.privacy import is_private, private_names
from segrules.model.ruleset import RuleSet
from segrules.pipeline import Planned
from segrules.plan.payloads import keys_of
from segrules.report.screen import Cell, Line, Piece, line, table, visible
from segrules.schema.values import MASK


@dataclass(frozen=True, slots=True)
class Sampled:
    """One contact as it may be shown."""

    customer: str
    channel: str
    variant: str | None
    message: str | None


def samples(planned: Planned, number: int) -> Iterator[tuple[Decision, list[Sampled]]]:
    """For each action that selects somebody, its first contacts."""
    ruleset, decisions = planned.rules.ruleset, planned.decisions
    secret = Secrets.of(ruleset)
    for decision in decisions.actions:
        chosen, action = decision.at("selected")[:number], decision.action
        if not len(chosen):
            continue
        rows = decision.rows[chosen]
        count = len(chosen)
        keys = [MASK] * count if secret.key else keys_of(decisions.results.keys, rows, decisions.timezone)
        texts: list[str | None] = [None] * count
        if action.message is not None:
            message = secret.masked(action.message)
            texts = list(rendered(message, decisions.answers, rows, decisions.timezone))
        channels = [action.channels[each] for each in decision.channel[chosen].tolist()]
        variants = [action.variants[each].name if each >= 0 else None for each in decision.variant[chosen].tolist()]
        yield decision, [Sampled(*each) for each in zip(keys, channels, variants, texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What of a rule set is private; `key`: whether the customers' key is."""

    ruleset: RuleSet
    names: frozenset[str]
    key: bool

    @staticmethod
    def of(ruleset: RuleSet) -> Secrets:
        customers = ruleset.contracts.tables[ruleset.contracts.customers]
        column = customers.columns.get(customers.key or "")
        return Secrets(ruleset, private_names(ruleset), column is not None and column.pii)

    def holds(self, expression: Expr | None) -> bool:
        """Whether the value of *expression* is private."""
        return expression is not None and is_private(self.ruleset, expression, self.names)

    def masked(self, message: Message) -> Message:
        """*message* with private placeholders as `***`."""
        parts = (MASK if not isinstance(each, str) and self.holds(each.value) else each for each in message.parts)
        return replace(message, parts=tuple(parts))


def screen(planned: Planned, number: int, language: Language) -> list[Line]:
    """A block of messages for each action."""
    lines: list[Line] = []
    for decision, found in samples(planned, number) if number else ():
        title = say("plan.sample", language, action=decision.action.id)
        rows: list[list[Cell]] = [
            [visible(each.customer), each.channel, each.variant or "", visible(each.message or "")] for each in found
        ]
        lines += [line(), line("  ", Piece(title, "dim")), *table(rows, indent=4)]
    return lines


def as_json(planned: Planned, number: int) -> list[dict[str, Any]]:
    """The same as a list of contacts."""
    return [
        {
            "action": decision.action.id,
            "customer": each.customer,
            "channel": each.channel,
            "variant": each.variant,
            "message": each.message,
        }
        for decision, found in (samples(planned, number) if number else ())
        for each in found
    ]
