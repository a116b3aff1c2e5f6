"""What the ledger is told and what it tells: plain values, in the words of the protocol.

In: nothing.  Out: the records that `decide` and `plan` exchange with the ledger.  Always: instants are microseconds
UTC, days are days since 1970-01-01, money is in 1/10,000 of the unit, customers are their key as text (integer keys
in decimal digits); no record holds an address or a rendered text but `Payload`.

    NewRun(plan_id="7c1e…", as_of=20_778, …)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ContactState = Literal["reserved", "sending", "delivered", "rejected", "unknown", "cancelled", "held_out"]
CONTACT_STATES: tuple[ContactState, ...] = get_args(ContactState)
COUNTING: frozenset[ContactState] = frozenset({"reserved", "sending", "delivered", "unknown", "held_out"})
"""States that use up a repeat; all but `held_out` count for caps and spend too."""

BatchState = Literal["pending", "prepared", "sending", "done"]
RunState = Literal["unfinished", "finished"]
Cause = Literal["baseline", "rule", "data"]
CAUSES: tuple[Cause, ...] = get_args(Cause)

OutcomeKind = Literal[
    "delivered", "bounced", "opened", "clicked", "replied", "unsubscribed", "subscribed", "satisfaction", "task done"
]
OUTCOMES: tuple[OutcomeKind, ...] = get_args(OutcomeKind)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which ledger this is, and how far it is."""

    lineage: str
    serial: int
    epoch: int
    schema: int
    pepper: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be accepted. `report` is the waterfall, segments, guards and cut points as JSON: counts, no person."""

    plan_id: str
    as_of: int
    planned_at: int
    model: str
    version: str
    commit: str | None
    clean: bool | None
    environment: str
    author: str
    with_actions: bool
    report: str


@dataclass(frozen=True, slots=True, eq=False)
class MemberChange:
    """A recorded name (a segment, list, case by its qualified id, or `for` of an action as ``action:FIRST_ID``) in a
    run. `members`: by row of `Members.keys`. `previously`: older names, oldest first, whose history it goes on."""

    name: str
    fingerprint: str
    members: Bools
    previously: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Who was in what: `keys` has every customer of the run, in key order."""

    keys: Sequence[str]
    names: Sequence[MemberChange]


@dataclass(frozen=True, slots=True)
class NewBatch:
    """Contacts that go to a sink together. `name` is that of the file, table or window; `kind` that of the sink; the
    settings a resume needs are kept with it, secrets as the names of their variables."""

    id: str
    action: str
    channel: str
    sink: str
    kind: str
    name: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewContact:
    """`key` is that of the protocol; `action` the first id. `address` and `payload` are HMACs under the ledger's
    pepper, None where there is none; `per` is the value that `limit: per:` counts by; `due` a day; `entered` tells
    whether the contact uses up a stay."""

    key: str
    customer: str
    action: str
    n: int
    state: Literal["reserved", "held_out", "cancelled"]
    channel: str
    contact_class: str
    variant: str | None
    cost: int
    batch: str | None
    address: str | None = None
    payload: str | None = None
    assignee: str | None = None
    per: str | None = None
    task: bool = False
    due: int | None = None
    award: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a sink will be given for one contact: the stored bytes, posted or written as they are. `zone`: by which the
    batch's quiet hours are told for this customer, so that a resume knows them too; None where there are none."""

    key: str
    batch: str
    body: bytes
    not_before: int | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class NewPoints:
    """One entry of the points account: `source` and `row` make it happen once."""

    customer: str
    at: int
    reason: str
    amount: int
    source: str
    row: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PastContacts:
    """Every contact of the ledger that was not cancelled, as columns of one length.

    `row`: the customer's row in the run, -1 for one who is not in it. `action`, `channel`, `contact_class`, `variant`,
    `assignee`, `per`, `address`: codes into the tuple of that name in `texts`, -1 for none. `state`: index into
    `CONTACT_STATES`. `at`: when it was reserved, by the planning clock; `day` its local day in the project's zone.
    `serial`: of the run that accepted it. `open`: a task that is not done.
    """

    row: Ints
    action: Ints
    channel: Ints
    contact_class: Ints
    state: Ints
    at: Ints
    day: Ints
    serial: Ints
    n: Ints
    cost: Ints
    address: Ints
    assignee: Ints
    per: Ints
    open: Bools
    texts: Mapping[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What the ledger knows of one recorded name before a run: by row of the run, whether the customer is in, and for
    those who are, the cause (index into `CAUSES`) and the serial with which the stay began. `count`: members of the
    last run, those who are not in this one too; None where that is as many as `members` has."""

    fingerprint: str
    members: Bools
    cause: NDArray[np.int8]
    since: Ints
    count: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One read snapshot of the ledger, for the customers of one run: all arrays are by row of the run.

    `unsubscribed`: by channel. `standing`: by recorded name, under today's name where a rename says so; a name
    that the ledger never saw is not in it. `last_as_of`: of the last applied run; `before`: customers in that run;
    `gone`: those who were a member of something and are not in this one.
    """

    identity: Identity
    forgotten: Bools
    unsubscribed: Mapping[str, Bools]
    contacts: PastContacts
    standing: Mapping[str, Standing]
    last_as_of: int | None = None
    before: int | None = None
    gone: int = 0
