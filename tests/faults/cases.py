"""One fault at one effect: strike, go on until it ends, and look at everything.

In: a world, a scenario.  Out: how many faults struck, by kind; what was found wrong.  Always: exhaustively, every
effect that the scenario passes × every fault that makes sense there (of two that come to the same one, where the
effect is known already).

    tally = struck(world, Scenario("apply"), receiver)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import sqlalchemy as sa

from segrules.effects import Effect, directly
from segrules.plan.applied import Applied
from segrules.plan.sinks import webhook
from segrules.plan.site import Site
from segrules.state import ledger
from segrules.state.ledger import transaction
from segrules.state.schema import METADATA
from tests.faults.receiver import BAD, Case, Receiver
from tests.faults.seam import BRIEF, FAULTS, Seam, strikes
from tests.faults.world import KILLED, LATE_SECONDS, Standing, World, engine, surroundings

T = TypeVar("T")

CONFLICT = 6
CALM = (0, 7)
ANSWERED = ("outbox.send.commit", "webhook.post", "outbox.settle.commit")
"""Effects around a request, for which it matters how the receiver behaves."""
MOST_RESUMES = 6
GONE = "c1"
"""The customer who unsubscribes."""


@dataclass(frozen=True)
class Scenario:
    """What is done under faults, after what went before. `before`: an apply that was killed before its n-th effect of
    that name, and whether somebody has unsubscribed since."""

    name: str
    before: str | None = None
    unsubscribed: bool = False
    behaviour: str = "ok"

    def __str__(self) -> str:
        parts = (
            self.name,
            self.before and f"after {self.before}",
            self.unsubscribed and "unsubscribed",
            self.behaviour,
        )
        return ", ".join(part for part in parts if part)


@dataclass
class Tally:
    """`names`: effects that were passed."""

    faults: Counter[str] = field(default_factory=Counter)
    names: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Play:
    """One case: its folder, what the receiver saw."""

    world: World
    scenario: Scenario
    folder: Path
    case: Case
    log: Path

    def process(self, do: Callable[[Site], Applied | None], effect: Effect = directly) -> tuple[int, str]:
        return self.world.run(self.folder, effect, do)

    def command(self) -> Callable[[Site], Applied | None]:
        found: dict[str, Callable[[Site], Applied | None]] = {
            "apply": self.world.apply,
            "resume": self.world.resume,
            "abandon": self.world.abandon,
        }
        return found[self.scenario.name]

    def second(self) -> int:
        """Another apply, at once, in a process of its own."""
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code, _ = self.world.ended(self.folder, directly, self.world.apply)
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


_numbers = count()


@contextmanager
def played(world: World, scenario: Scenario, receiver: Receiver) -> Iterator[Play]:
    """A case in which everything stands as it does before the scenario's command."""
    name = str(next(_numbers))
    folder = world.begin(name)
    case = Case(scenario.behaviour, honours=world.sink == "honouring webhook")
    receiver.cases[name] = case
    variables = {"HOOK": receiver.url(name), "SECRET": "whsec_c2VjcmV0", "TARGET": world.target_url(folder)}
    with (
        surroundings(**variables),
        patch.object(webhook, "seconds", lambda *_: LATE_SECONDS),
        patch.object(ledger, "engine", engine),
    ):
        play = Play(world, scenario, folder, case, folder / "log")
        if scenario.before is not None:
            code, said = play.process(world.apply, _Kill(scenario.before))
            assert code == KILLED, (code, said)
        if scenario.unsubscribed:
            unsubscribe(world, folder)
        yield play


@dataclass
class _Kill:
    """Ends the process before an effect."""

    name: str

    def __call__(self, name: str, do: Callable[[], T]) -> T:
        if name == self.name:
            os.kill(os.getpid(), 9)
        return do()


def unsubscribe(world: World, folder: Path) -> None:
    """That customer wants nothing more on the channel."""
    tables = METADATA.tables
    with transaction(world.opened(folder), "record") as connection:
        contacts, customers = tables["contacts"], tables["customers"]
        found = connection.scalar(
            sa.select(contacts.c.id)
            .join_from(contacts, customers, contacts.c.customer == customers.c.ordinal)
            .where(customers.c.key == GONE)
        )
        assert found is not None
        connection.execute(sa.insert(tables["outcomes"]).values(contact=found, kind="unsubscribed", at=1))


def struck(
    world: World, scenario: Scenario, receiver: Receiver, known: Collection[str] = (), until_wrong: bool = False
) -> Tally:
    """Every effect × every fault; of effects that are *known* from other scenarios, those faults that differ.
    *until_wrong*: only until something is."""
    tally = Tally()
    with played(world, scenario, receiver) as play:
        world.ended(play.folder, directly, world.apply)
    with played(world, scenario, receiver) as play:
        code, said = play.process(play.command(), Seam(None, -1, play.log, play.folder, play.second))
        names = play.log.read_text(encoding="utf-8").split()
        tally.names.update(names)
        tally.wrong += [f"{scenario}, no fault: {each}" for each in _ended(play, code, said)]
    for at, name in enumerate(names):
        for fault in BRIEF if name in known else FAULTS:
            if until_wrong and tally.wrong:
                return tally
            if strikes(fault, name) and (scenario.behaviour == "ok" or name in ANSWERED):
                tally.faults[fault] += 1
                place = f"{scenario}, {fault} at {at} {name}"
                with played(world, scenario, receiver) as play:
                    tally.wrong += [f"{place}: {each}" for each in _one(play, fault, at, tally)]
    return tally


def _one(play: Play, fault: str, at: int, tally: Tally) -> list[str]:
    seam = Seam(fault, at, play.log, play.folder, play.second)
    code, said = play.process(play.command(), seam)
    tally.names.update(play.log.read_text(encoding="utf-8").split())
    wrong = []
    if fault.startswith("kill"):
        wrong += [] if code == KILLED else [f"was not killed but ended with {code}: {said}"]
    elif fault == "second apply":
        seconds = play.folder / "seconds"
        found = seconds.read_text(encoding="utf-8").split() if seconds.exists() else []
        wrong += [] if found == [str(CONFLICT)] else [f"a second apply ended with {found}"]
    else:
        wrong += _told(play, code, said, begun=at > 0)
    return wrong + _ended(play, code, said)


def _told(play: Play, code: int, said: str, begun: bool) -> list[str]:
    """Whether the exit code says how far it came: 4 where nothing was begun, the lock not had or nothing accepted."""
    standing = play.world.standing(play.folder)
    if code not in ((0, 7) if begun and standing.run is not None else (4,)):
        return [f"ended with {code}, the run being {standing.run}: {said}"]
    if code == 0 and standing.run != "finished":
        return [f"ended with 0, the run being {standing.run}"]
    return []


def _ended(play: Play, code: int, said: str) -> list[str]:
    """Go on until there is nothing to be done; then everything has to be right."""
    for attempt in range(MOST_RESUMES):
        standing = play.world.standing(play.folder)
        if standing.run == "finished":
            return list(_wrong(play, standing, code))
        do = play.command() if play.scenario.name == "abandon" else (play.world.resume, play.world.apply)[attempt % 2]
        code, said = play.process(do)
        if code not in CALM:
            return [f"going on ended with {code}: {said}"]
    return [f"does not end: {code} {said}"]


def _wrong(play: Play, standing: Standing, code: int) -> Iterator[str]:
    """Nobody lost, nobody twice, nothing left behind, every unknown listed."""
    world, contacts = play.world, standing.contacts
    states = Counter(each.state for each in contacts.values())
    if sorted(contacts) != sorted(each.key for each in world.plan.contacts):
        yield f"contacts are not those of the plan: {states}"
    if open_ := states["reserved"] + states["sending"]:
        yield f"{open_} contacts are open in a finished run"
    if standing.waiting:
        yield f"{standing.waiting} rows stay in the outbox"
    awarded = 5 * (states["delivered"] + states["unknown"])
    if standing.points != awarded:
        yield f"{standing.points} points, not {awarded}"
    may_be_unknown = world.sink == "webhook" or play.scenario.name == "abandon"
    for contact in contacts.values():
        gone = play.scenario.unsubscribed and contact.customer == GONE
        if gone and contact.state == "delivered" and play.scenario.before != "outbox.deliver.commit":
            yield f"{contact.customer} has unsubscribed and is delivered"
        if contact.state == "unknown" and not (may_be_unknown or gone):
            yield f"{contact.customer} is unknown"
        if contact.state == "cancelled" and not gone and play.scenario.name != "abandon":
            yield f"{contact.customer} is cancelled"
    taken = play.case.taken if "webhook" in world.sink else Counter(world.received(play.folder))
    for key, contact in contacts.items():
        times = taken.pop(key, 0)
        may = {"delivered": (1,), "unknown": (0, 1)}.get(contact.state, (0,))
        if times not in may:
            yield f"{contact.customer} is {contact.state} and was received {times} times"
        if contact.state == "rejected" and (
            contact.customer != BAD or play.scenario.behaviour not in ("422", "per item")
        ):
            yield f"{contact.customer} is rejected"
    if taken:
        yield f"received who was not planned: {taken}"
    yield from _posts(play, standing)
    left = [each.name for each in (play.folder / "out").rglob(".*")] if world.sink == "files" else []
    if left:
        yield f"left behind: {left}"


def _posts(play: Play, standing: Standing) -> Iterator[str]:
    """Same contacts, same key and bytes; under at_most_once nobody is posted again whose post may have worked."""
    bodies: dict[str, bytes] = {}
    for post in play.case.posts:
        if bodies.setdefault(post.id, post.body) != post.body:
            yield "one Idempotency-Key has two bodies"
    may_repeat = play.world.sink == "honouring webhook" or play.scenario.behaviour in ("401", "422", "429", "503")
    posted = Counter(key for post in play.case.posts for key in post.keys)
    if not may_repeat and posted and max(posted.values()) > 1:
        yield f"posted again: {posted}"
