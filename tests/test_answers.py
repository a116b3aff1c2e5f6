"""What an answer of a receiver means: tests/cases/answers/, and what holds of every answer.

In: status, headers and body as a receiver may write them.  Out: the next step.  Always: every contact of the window
gets a state; nobody is posted again whose post may have worked, but to a receiver that honours keys.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from segrules.diagnostics.catalogue import message
from segrules.plan.answers import Step, Window, after
from segrules.plan.sinks.protocol import Row
from segrules.plan.sinks.webhook import answer

CASES = Path(__file__).parent / "cases" / "answers"
NOW = 10.0


@dataclass
class Promise:
    """As much of a sink as an answer needs."""

    again: bool
    size: int = 3
    attempts: int = 5


def cases() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.yaml")):
        for number, case in enumerate(yaml.safe_load(file.read_text(encoding="utf-8")), start=1):
            found.append(pytest.param(case, id=f"{file.stem}-{number}-{case['status']}"))
    return found


def stepped(
    status: int, headers: dict[str, str], body: bytes, keys: str, again: bool, attempt: int
) -> tuple[Window, Step]:
    window = Window(tuple(Row(key, b"{}") for key in keys), attempt)
    said = answer(status, headers, body, tuple(keys), NOW)
    return window, after(said, window, Promise(again), "hello.sms", 0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    headers = {"Retry-After": case["after"]} if "after" in case else {}
    body = str(case.get("body", "")).encode()
    if "json" in case:
        body = json.dumps(case["json"]).encode()
    if "json" in case or "type" in case:
        headers["Content-Type"] = "application/json"
    attempt = case.get("attempt", 1)
    _, step = stepped(case["status"], headers, body, case.get("window", "abc"), case.get("again", False), attempt)
    assert step.states == case["states"]
    assert step.reasons == case.get("reasons", {})
    assert ["".join(row.key for row in each.rows) for each in step.again] == case.get("next", [])
    assert step.wait == case.get("wait", 0.0)
    assert step.unclear == case.get("unclear", False)
    assert (None if step.why is None else step.why.code) == case.get("why")
    if step.why is not None:
        assert message(step.why, "en") != message(step.why, "zh")


STATUSES = st.integers(100, 599)
BODIES = st.one_of(
    st.binary(max_size=40),
    st.lists(
        st.fixed_dictionaries({"key": st.sampled_from("abcx"), "status": st.one_of(STATUSES, st.none(), st.text())}),
        max_size=5,
    ).map(lambda results: json.dumps({"results": results}).encode()),
)
HEADERS = st.dictionaries(st.sampled_from(["Retry-After", "Content-Type"]), st.text(max_size=20), max_size=2)


@given(STATUSES, HEADERS, BODIES, st.sampled_from(["a", "ab", "abc"]), st.booleans(), st.integers(1, 6))
def test_every_contact_gets_a_state_and_none_is_posted_again_that_may_have_been_taken(
    status: int, headers: dict[str, str], body: bytes, keys: str, again: bool, attempt: int
) -> None:
    window, step = stepped(status, headers, body, keys, again, attempt)
    assert set(step.states) == set(keys)
    posted = [row.key for each in step.again for row in each.rows]
    assert len(posted) == len(set(posted))
    for key in posted:
        assert step.states[key] == "reserved" or (step.states[key] == "unknown" and again)
    assert set(step.reasons) == {key for key, state in step.states.items() if state in ("rejected", "unknown")}
    assert 0 <= step.wait <= 120
    assert all(len(each.rows) < len(window.rows) or each.attempt == attempt < 5 for each in step.again)
