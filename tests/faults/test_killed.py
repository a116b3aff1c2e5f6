"""The real command, really killed (SIGKILL) at moments chosen at random, and begun again, until it is through.

In: one plan for forty people; so many kills, hundreds in `make fuzz`.  Out: what the receiver has, and what the ledger
says of it.  Always: whatever is killed is a process of its own, with nothing of this one.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from segrules.state import ledger, lockfile, outbox, runs
from segrules.state.ledger import snapshot
from tests.faults.receiver import Case, receiving

KILLS = 7 * max(1, int(os.environ.get("SEGRULES_EXAMPLES", "1")) // 5)
"""Of each sink."""
CHANCE = random.Random(None if "SEGRULES_EXAMPLES" in os.environ else 20_778)
PEOPLE = 40

PROJECT = """
version: 1
name: killed
timezone: Asia/Shanghai
customers: people
tables: {people: {source: people.csv, key: id, columns: {id: text, phone: text}}}
"""
RULES = """
purpose: killed
owner: tests
actions: {hello: {for: phone is not missing, channel: sms, message: "hello {id}"}}
"""
SINKS = {
    "files": "{kind: files, folder: out}",
    "at_most_once": "{kind: webhook, url: '${HOOK}', batch: 2}",
    "at_least_once": "{kind: webhook, url: '${HOOK}', batch: 2, delivery: at_least_once}",
}


def command(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "segrules", *arguments, "--project", str(folder), "--format", "json"]


def made(folder: Path, sink: str) -> None:
    (folder / "rules").mkdir(parents=True)
    files = {
        "segrules.yaml": PROJECT, "rules/hello.yaml": RULES,
        "policies.yaml": f"channels: {{sms: {{address: phone, sink: out}}}}\nsinks: {{out: {SINKS[sink]}}}\n"
        "environments: {dev: {state: ledger.db}}\n",
        "people.csv": "id,phone\n" + "".join(f"p{at},1{at:03}\n" for at in range(PEOPLE)),
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    lockfile.pin(folder, "dev", ledger.created("ledger.db", folder).lineage)


def killed(arguments: list[str], seconds: float) -> bool:
    """Whether the command lived that long, and was killed then."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    assert process.returncode in (0, 7)
    return False


@pytest.mark.parametrize("sink", sorted(SINKS))
def test_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sink: str, request: pytest.FixtureRequest) -> None:
    template = tmp_path / "template"
    made(template, sink)
    subprocess.run(command(template, "plan", "-o", str(template / "x.segplan")), check=True, capture_output=True)
    kills, rounds = 0, count()
    with receiving() as receiver:
        monkeypatch.setenv("HOOK", receiver.url("x"))
        whole = 0.0
        while kills < KILLS:
            folder = tmp_path / str(next(rounds))
            shutil.copytree(template, folder)
            apply = command(folder, "apply", str(folder / "x.segplan"))
            receiver.cases["x"] = case = Case("ok", honours=sink == "at_least_once", pause=0.02)
            while whole and kills < KILLS and killed(apply, whole * CHANCE.uniform(0.2, 1.0)):
                kills += 1
            began = time.monotonic()
            last = subprocess.run(apply, check=False, capture_output=True, text=True)
            whole = whole or time.monotonic() - began
            assert last.returncode in (0, 7), last.stderr
            is_right(folder, sink, json.loads(last.stdout), case.taken)
    request.node.user_properties.append(("faults", f"{sink}, the real command", {"kill -9": kills}))


def is_right(folder: Path, sink: str, said: dict[str, Any], taken: Counter[str]) -> None:
    """Nobody lost, nobody twice, every unknown listed."""
    assert said["finished"]
    with snapshot(ledger.opened("ledger.db", folder)) as connection:
        run = runs.last(connection)
        assert run is not None
        contacts = outbox.run_contacts(connection, run.serial)
    states = Counter(each.state for each in contacts)
    if sink == "files":
        (file,) = (folder / "out").iterdir()
        taken = Counter(line.split(",")[0] for line in file.read_text(encoding="utf-8-sig").splitlines()[1:])
    assert states["delivered"] + states["unknown"] == len(contacts) == PEOPLE
    assert sink == "at_most_once" or not states["unknown"]
    assert {each["key"] for each in said["unknown"]} == {each.key for each in contacts if each.state == "unknown"}
    for each in contacts:
        assert taken[each.key] in ((1,) if each.state == "delivered" else (0, 1)), (each.customer, each.state)
    assert set(taken) <= {each.key for each in contacts}
