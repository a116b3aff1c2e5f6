"""What a sink is: a place that takes contacts, and says what became of them.

In: the settings of a sink and the seam of effects.  Out: a `Sink`, of one of two kinds.  Always: a `Whole` sink takes
a batch entirely or not at all and can say whether it did; a `Windowed` one is asked window by window and answers for
each contact; neither keeps anything that the ledger does not know; every effect passes the seam.

    sink = FileSink.of(settings, folder, effect)
    sha256 = sink.prepare(batch, rows)
    sink.publish(batch, rows, sha256)

Others add a kind by an entry point of the group `segrules.sinks`: its name is the kind, its object is called like
`FileSink.of` and gives a `Whole` or a `Windowed`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.effects import Effect
from segrules.errors import SegrulesError
from segrules.schema.calendar import zone
from segrules.source import NOWHERE

SHORT_ID = 16
"""Digits of a plan's id in names that people see."""

FIRST_COLUMNS = ("key", "customer", "action", "channel", "variant", "address", "message")
NOT_BEFORE = "not_before"
_DECODER = json.JSONDecoder(parse_float=Decimal)
_PLAIN = frozenset({type(None), str, bool, int, Decimal})


@dataclass(frozen=True, slots=True)
class Row:
    """One contact as a sink is given it: the bytes of the outbox, a JSON object. `not_before` in microseconds UTC, told
    in `zone`."""

    key: str
    body: bytes = field(repr=False)
    not_before: int | None = None
    zone: str | None = None

    @property
    def values(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = _DECODER.decode(self.body.decode())
        return found

    @property
    def earliest(self) -> str | None:
        """`not_before` as people of that zone write it."""
        if self.not_before is None:
            return None
        instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.not_before)
        return instant.astimezone(zone(self.zone or "UTC")).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A batch as a sink sees it: `name` is `ACTION.CHANNEL`; `columns` are the names of its rows' values, where they
    are known."""

    id: str
    plan_id: str
    name: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it, now or from before."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The receiver will never take it. `reason` in a few words of ours, never the receiver's."""

    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Nothing happened; it may be asked again, after so many seconds if the receiver said so."""

    reason: str
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Unsure:
    """Perhaps it happened, perhaps not."""

    reason: str


Outcome: TypeAlias = Delivered | Rejected | Retry | Unsure


@dataclass(frozen=True, slots=True)
class Each:
    """An answer per contact, by key."""

    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Split:
    """Nothing happened because of some contact in the window: smaller windows will find it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing happened, and nothing will until somebody looks at it."""

    reason: str


Answer: TypeAlias = Outcome | Each | Split | Stop


@dataclass(frozen=True, slots=True)
class Request:
    """One window: `id` is the same whenever the same contacts are posted, `body` then is too."""

    id: str
    body: bytes = field(repr=False)
    keys: tuple[str, ...]


@runtime_checkable
class Whole(Protocol):
    """Takes a batch at once. Every method may be called again after a crash anywhere in it."""

    def check(self, batches: Sequence[Outgoing]) -> None:
        """Before anything is accepted: whether *batches* could be taken. Raises `SegrulesError`."""

    def prepare(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        """Everything that can be done without anybody seeing it; the SHA-256 of what would be published."""

    def fingerprint(self, batch: Outgoing, rows: Sequence[Row]) -> str:
        """That SHA-256, with nothing done."""

    def published(self, batch: Outgoing, sha256: str) -> bool:
        """Whether the batch that was prepared with this SHA-256 has been published. Raises `SegrulesError` where
        what is there is something else."""

    def publish(self, batch: Outgoing, rows: Sequence[Row], sha256: str) -> None:
        """Let the receiver have it: once, however often this is called."""

    def withdraw(self, batch: Outgoing) -> None:
        """Take away what `prepare` left of a batch that will not be published."""


@runtime_checkable
class Windowed(Protocol):
    """Is asked for window after window."""

    @property
    def size(self) -> int:
        """Contacts per window, at most."""

    @property
    def again(self) -> bool:
        """Whether the receiver honours keys, so that what is unsure may be asked again (`at_least_once`)."""

    @property
    def attempts(self) -> int:
        """How often one window is tried before it waits for a resume."""

    def check(self, batches: Sequence[Outgoing]) -> None:
        """As of `Whole`."""

    def request(self, batch: Outgoing, rows: Sequence[Row]) -> Request:
        """The stored bytes of *rows* as one request."""

    def post(self, request: Request) -> Answer:
        """Ask once."""


Sink: TypeAlias = Whole | Windowed


class MakeSink(Protocol):
    """What an entry point of `segrules.sinks` gives."""

    def __call__(self, name: str, settings: Mapping[str, object], folder: Path, effect: Effect) -> Sink: ...


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows as columns: the well-known ones first, then the others by name, `not_before` last. A value that a row
    does not have is None; one that is no plain value is JSON."""
    values = [row.values for row in rows]
    order = in_order({name for each in values for name in each})
    found: dict[str, list[Any]] = {name: [_plain(each.get(name)) for each in values] for name in order}
    found[NOT_BEFORE] = [row.earliest for row in rows]
    return found


def in_order(names: AbstractSet[str]) -> list[str]:
    """The names of values as columns are ordered."""
    return [*(name for name in FIRST_COLUMNS if name in names), *sorted(names - {*FIRST_COLUMNS, NOT_BEFORE})]


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def text(value: Any) -> str:
    """A plain value as it is written in a cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def trouble(code: str, error: type[SegrulesError], sink: str, /, **args: str | int | Words) -> SegrulesError:
    """An error of a sink; *args* never hold a secret, an address or a message."""
    return error([Diagnostic(code, NOWHERE, {"sink": sink, **args})])
