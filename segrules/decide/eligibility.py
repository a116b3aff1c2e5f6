"""Who may be contacted at all, and on which channel.

In: facts.  Out: for each customer the first of the stages "forgotten" to "no address" that stops them, or the channel.
Always: fails closed: nobody passes for whom a suppression is not FALSE, or the consent that is needed not TRUE; a
channel list goes to the first channel that reaches, and where none does to the furthest stage that any of them came to.

    reached(eligibility, action, rows)      # (stage per row, index into action.channels per row)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segrules.decide.addresses import Addresses, addresses, needs_address
from segrules.decide.asked import Answers
from segrules.decide.decisions import CODES, SELECTED, Stages
from segrules.model.campaign import Action, Campaign, Channel, ContactClass
from segrules.tables.columns import Bools, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Eligibility:
    """`stopped`: per customer the stage that stops every contact, `SELECTED` for none. `channels`: the same for one
    channel and class, once it was asked for."""

    campaign: Campaign
    answers: Answers
    unsubscribed: Mapping[str, Bools]
    stopped: Stages
    addresses: Addresses
    channels: dict[tuple[str, ContactClass], Stages] = field(default_factory=dict)


def eligibility(
    campaign: Campaign, answers: Answers, forgotten: Bools, unsubscribed: Mapping[str, Bools], timezone: str
) -> Eligibility:
    """*forgotten*, and *unsubscribed* by channel, are by row of the answers."""
    used = {name for action in campaign.actions.values() for name in action.channels}
    channels = [channel for channel in campaign.policies.channels.values() if channel.name in used]
    stopped = _stopped(campaign, answers, forgotten)
    return Eligibility(campaign, answers, unsubscribed, stopped, addresses(channels, answers, timezone))


def reached(found: Eligibility, action: Action, rows: Ints) -> tuple[Stages, NDArray[np.int16]]:
    """(stage, channel) of each of *rows*: `SELECTED` and an index into `action.channels`, or where they drop out
    and -1."""
    stage = np.full(len(rows), CODES["no address"] if action.channel_by is not None else 0, np.uint8)
    channel = np.full(len(rows), -1, np.int16)
    named = None if action.channel_by is None else _named(found.answers, action, rows)
    for place, name in enumerate(action.channels):
        own = channel_stage(found, found.campaign.policies.channels[name], action.contact_class)[rows]
        asked = channel < 0 if named is None else named == place
        stage = np.where(asked, own if named is not None else np.maximum(stage, own), stage)
        channel[asked & (own == SELECTED)] = place
    stage = np.minimum(stage, found.stopped[rows])
    channel[stage != SELECTED] = -1
    return stage, channel


def _stopped(campaign: Campaign, answers: Answers, forgotten: Bools) -> Stages:
    stage = np.full(answers.customers, SELECTED, np.uint8)
    truths = [answers.truth(suppression.when) for suppression in campaign.policies.suppress]
    for _, unknown in truths:
        if unknown is not None:
            stage[unknown] = CODES["suppression unknown"]
    for true, _ in truths:
        stage[true] = CODES["suppressed"]
    stage[forgotten] = CODES["forgotten"]
    return stage


def channel_stage(found: Eligibility, channel: Channel, contact_class: ContactClass) -> Stages:
    """Per customer the stage at which the channel ends, `SELECTED` where it reaches."""
    key = channel.name, contact_class
    if key not in found.channels:
        stage = np.full(found.answers.customers, SELECTED, np.uint8)
        if needs_address(channel):
            stage[found.addresses.codes[channel.name] < 0] = CODES["no address"]
        if (consent := channel.consent.get(contact_class)) is not None:
            true, unknown = found.answers.truth(consent)
            refused = ~true if unknown is None else ~(true | unknown)
            if unknown is not None:
                stage[unknown] = CODES["consent unknown"]
            stage[refused] = CODES["no consent"]
        if contact_class == "marketing" and channel.name in found.unsubscribed:
            stage[found.unsubscribed[channel.name]] = CODES["suppressed"]
        found.channels[key] = stage
    return found.channels[key]


def _named(answers: Answers, action: Action, rows: Ints) -> Ints:
    """The channel that each customer's own answer names, -1 where it names none of the action's."""
    assert action.channel_by is not None
    column = answers.column(action.channel_by).take(rows)
    places = [action.channels.index(text) if text in action.channels else -1 for text in column.dictionary]
    found: Ints = np.array(places or [-1], np.int64)[column.values]
    return found if column.missing is None else np.where(column.missing, -1, found)
