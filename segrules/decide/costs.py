"""What a contact costs: the action's own share, and the channel's, for texts perhaps by part.

In: facts, an action, rows on channels.  Out: costs in 1/10,000.  Always: exact; the same for everybody where no channel
is billed by part.

    costs(facts, action, rows, channels)
"""

from __future__ import annotations

import numpy as np

from segrules.decide.facts import Facts
from segrules.decide.messages import parts
from segrules.model.campaign import Action
from segrules.tables.columns import Ints


def costs(facts: Facts, action: Action, rows: Ints, channels: Ints) -> Ints:
    """Of each of *rows* on `action.channels[channels]`."""
    found = np.full(len(rows), action.cost, np.int64)
    for place, name in enumerate(action.channels):
        channel = facts.campaign.policies.channels[name]
        here = slice(None) if len(action.channels) == 1 else np.flatnonzero(channels == place)
        if channel.billed_by_part and channel.cost and action.message is not None:
            found[here] += channel.cost * parts(action.message, facts.answers, rows[here], facts.timezone)
        else:
            found[here] += channel.cost
    return found
