"""One test contact, rendered and delivered as real ones are, and known to nobody.

In: an action, a channel, one customer's answers, an address.  Out: the key of the proof.  Always: nothing of it is in
the ledger; its key, its customer, its batch and the name of its file begin with `proof`, so that nobody takes it for a
contact; it goes to the address that was asked for and to no other.

    proof(ruleset, answers, action, channel, "13800000000", None, sink)
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

import numpy as np

from segrules.decide.asked import Answers
from segrules.decide.keys import key_texts
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import Unreachable, WrongUsage
from segrules.model.campaign import Action, Channel
from segrules.model.ruleset import RuleSet
from segrules.plan.content import spelled
from segrules.plan.payloads import bodies
from segrules.plan.sinks.protocol import Delivered, Each, Outgoing, Row, Sink, Whole, in_order
from segrules.source import NOWHERE

MARK = "proof"


def proof(
    ruleset: RuleSet, answers: Answers, action: Action, channel: Channel, address: str, customer: str | None, sink: Sink
) -> str:
    """*customer*: for whom it is rendered; None: the first who matches the action. Raises `WrongUsage`, and what the
    sink raises."""
    at = _row(ruleset, answers, action, customer)
    key = f"{MARK}-{secrets.token_hex(5)}"
    rows = np.array([at], np.int64)
    alone = replace(channel, address=None)
    variant = action.variants[0].name if action.variants else None
    (made,) = bodies(answers, ruleset.contracts.timezone, action, alone, rows, [MARK], [key], [variant], None)
    body = spelled({**json.loads(made), "address": address})
    row = Row(key, body)
    out = Outgoing(key, key, f"{action.id}.{channel.name}", tuple(in_order(row.values.keys())))
    sink.check([out])
    if isinstance(sink, Whole):
        sink.publish(out, [row], sink.prepare(out, [row]))
        return key
    answer = sink.post(sink.request(out, [row]))
    outcome = answer.outcomes[key] if isinstance(answer, Each) else answer
    if not isinstance(outcome, Delivered):
        raise Unreachable([Diagnostic("P999", NOWHERE, {"sink": channel.sink, "reason": outcome.reason})])
    return key


def _row(ruleset: RuleSet, answers: Answers, action: Action, customer: str | None) -> int:
    if customer is None:
        found = np.flatnonzero(answers.truth(action.when)[0])
    else:
        every = key_texts(answers.results.keys, ruleset.contracts.timezone)(np.arange(answers.customers))
        found = np.flatnonzero(np.array(every, dtype=object) == customer)
    if not len(found):
        raise WrongUsage([Diagnostic("P994", NOWHERE, {"action": action.id, "customer": customer or "?"})])
    return int(found[0])
