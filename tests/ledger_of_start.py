"""The project that `init` makes, with a ledger that has seen two runs, the same in every test.

In: a folder with that project.  Out: `.segrules/ledger.db`, pinned.  Always: time stands still and chance counts, so
that screens are the same; a third run stopped on its way where asked for.

    filled(tmp_path, unfinished=True)
"""

from __future__ import annotations

import itertools
import secrets
import time
from pathlib import Path

import numpy as np
import pytest

from segrules.model.campaign import STAGES, Stage
from segrules.plan.content import plain, spelled
from segrules.plan.document import GuardCheck, SegmentChange, Waterfall
from segrules.state import lockfile
from segrules.state.accept import accept
from segrules.state.ledger import created, locked, opened
from segrules.state.outbox import close, deliver, finish, prepare, settle
from segrules.state.records import MemberChange, Members, NewBatch, NewContact, NewPoints, NewRun, Payload

STATE = ".segrules/ledger.db"
NOW = 1_782_868_800_000_000
"""2026-07-01T09:20+08:00."""
DAY = 20_634
MINUTE = 60_000_000
KEYS = [f"C{number:05d}" for number in range(1, 201)]


def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still, chance counts."""
    numbers = itertools.count(1)
    monkeypatch.setattr(time, "time_ns", lambda: NOW * 1000)
    monkeypatch.setattr(secrets, "token_hex", lambda size=32: f"{next(numbers):0{2 * size}x}")


def filled(folder: Path, unfinished: bool = False) -> None:
    made = created(STATE, folder)
    lockfile.pin(folder, "default", made.lineage)
    ledger = opened(STATE, folder)
    with locked(ledger, "zhang@web1, apply") as epoch:
        serial = accept(ledger, epoch, run("1" * 64, DAY - 30), [], [], [], [points()], members(range(50)))
        finish(ledger, epoch, serial)
        sent = [contact(number) for number in range(1, 7)]
        batches = [batch("sms", "files", 2), batch("push", "webhook", 2)]
        run_2 = run("2" * 64, DAY - 1, report(len(sent)))
        serial = accept(
            ledger, epoch, run_2, sent, [payload(each) for each in sent[:5]], batches, [], members(range(1, 53))
        )
        prepare(ledger, epoch, batches[0].id, "0" * 64)
        deliver(ledger, epoch, batches[0].id)
        keys = [each.key for each in sent]
        ends = {keys[2]: "delivered", keys[3]: "unknown", keys[4]: "rejected"}
        settle(ledger, epoch, batches[1].id, ends, {keys[3]: "timeout", keys[4]: "400"})  # type: ignore[arg-type]
        close(ledger, epoch, batches[1].id)
        finish(ledger, epoch, serial)
        if unfinished:
            more = [contact(number, "3") for number in (11, 12)]
            accept(
                ledger, epoch, run("3" * 64, DAY), more, [payload(each, "3") for each in more],
                [batch("sms", "files", 3)], [], members(range(2, 52)),
            )  # fmt: skip


def run(plan_id: str, as_of: int, said: str = "{}") -> NewRun:
    return NewRun(
        plan_id, as_of, NOW - MINUTE, "m" * 64, "0.1.0", "3f2a91c" + "0" * 33, True, "default", "zhang@web1", True, said
    )


def contact(number: int, of: str = "2") -> NewContact:
    held_out = number == 6
    channel = "sms" if number < 3 or of == "3" else "push"
    return NewContact(
        key=f"6b1e{number:028x}", customer=KEYS[number], action="winback", n=1,
        state="held_out" if held_out else "reserved", channel=channel, contact_class="marketing", variant="a",
        cost=500 if channel == "sms" else 0, batch=None if held_out else f"{of}.{channel}", award=10,
    )  # fmt: skip


def batch(channel: str, kind: str, of: int) -> NewBatch:
    return NewBatch(f"{of}.{channel}", "winback", channel, kind, kind, f"winback.{channel}", {"folder": "out"})


def payload(one: NewContact, of: str = "2") -> Payload:
    return Payload(one.key, f"{of}.{one.channel}", b'{"name":"Wang Wei","phone":"13000000000"}')


def points() -> NewPoints:
    return NewPoints(KEYS[1], NOW - 10 * MINUTE, "orders", 120, "orders", "O000001", NOW + 525_600 * MINUTE)


def members(inside: range) -> Members:
    bits = np.isin(np.arange(len(KEYS)), inside)
    names = [MemberChange(name, "f1", bits) for name in ("dormant", "lifecycle.asleep", "action:winback")]
    return Members(KEYS, names)


def report(matched: int) -> str:
    stages: dict[Stage, int] = dict.fromkeys(STAGES, 0)
    stages |= {"no consent": 2, "cap": 1, "action hold-out": 1, "selected": matched - 1}
    segment = SegmentChange("dormant", "Dormant", 52, 50, 3, 1, 0, "data")
    waterfall = Waterfall("winback", "Win back", ("sms", "push"), matched + 3, stages, 1000)
    guard = GuardCheck("max_contacted", str(matched - 1), "100", False)
    parts = {"segments": (segment,), "waterfalls": (waterfall,), "guards": (guard,), "cut_points": ()}
    return spelled(plain(parts)).decode()
