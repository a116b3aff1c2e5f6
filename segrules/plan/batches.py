"""Contacts that go out together: one batch per action and channel.

In: a campaign, an environment, who is contacted where.  Out: `NewBatch` by action and channel.  Always: a sink of the
environment takes the place of the one with its name; an id is never used again, not even by a ledger that was
restored; settings are as written, so that no secret is in them.

    batches(campaign, environment, [("winback_coupon", "sms")], identity, planned_at)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from segrules.model.campaign import Campaign, Environment, SinkSettings
from segrules.state.records import Identity, NewBatch

ID_DIGITS = 32


def batches(
    campaign: Campaign,
    environment: Environment,
    used: Iterable[tuple[str, str]],
    identity: Identity,
    planned_at: int,
) -> dict[tuple[str, str], NewBatch]:
    """The batches of *used*: pairs of an action's id and a channel."""
    found = {}
    for action, channel in used:
        sink = sink_of(campaign, environment, channel)
        first = campaign.actions[action].first_id
        of = (identity.lineage, identity.serial, planned_at, first, channel, sink.name)
        found[action, channel] = NewBatch(
            id=hashlib.sha256(json.dumps(of).encode()).hexdigest()[:ID_DIGITS],
            action=first,
            channel=channel,
            sink=sink.name,
            kind=sink.kind,
            name=f"{action}.{channel}",
            settings=sink.settings,
        )
    return found


def sink_of(campaign: Campaign, environment: Environment, channel: str) -> SinkSettings:
    """The sink that a channel's contacts go to in an environment."""
    name = campaign.policies.channels[channel].sink
    return environment.sinks.get(name) or campaign.policies.sinks[name]
