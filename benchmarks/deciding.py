"""Who gets what: 50 actions over a million customers with a million past contacts.

In: a number of customers.  Out: seconds to answer the questions of the campaign, and seconds to decide, printed and as
JSON.  Always: campaign, customers and history come from a seed; on a sample the answer is first compared with that of
going through the customers one by one.

    python -m benchmarks.deciding --customers 1000000
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from segrules import pipeline
from segrules.decide.asked import asked
from segrules.decide.decide import decide
from segrules.decide.decisions import Decisions
from segrules.decide.keys import address_hash
from segrules.decide.reference.decide import one_by_one
from segrules.engine.results import Results
from segrules.model.campaign import STAGES
from segrules.model.ruleset import RuleSet
from segrules.schema.calendar import MICROSECONDS_PER_DAY, from_date
from segrules.state.records import CONTACT_STATES, History, Identity, PastContacts

CUSTOMERS, ACTIONS, CONTACTS, SAMPLE, SEED = 1_000_000, 50, 1_000_000, 20_000, 20261121
AS_OF = from_date(date(2026, 11, 21))
CLOCK = AS_OF * MICROSECONDS_PER_DAY + 4 * MICROSECONDS_PER_DAY // 24
PEPPER = b"benchmark"
MANAGERS = 400
TEXTS = ("action", "channel", "contact_class", "address", "assignee", "per")
PROJECT = """version: 1
name: deciding
timezone: Asia/Shanghai
keywords: en
customers: customers
tables:
  customers:
    source: customers.parquet
    key: customer_id
    columns:
      customer_id: integer
      spend: decimal(2)
      age: {type: integer, missing: allowed}
      recency: integer
      score: number
      city: text
      manager: {type: text, missing: allowed}
      phone: {type: text, missing: allowed}
      email: {type: text, missing: allowed}
      sms_ok: {type: bool, missing: allowed}
      mail_ok: {type: bool, missing: allowed}
      blocked: bool
      complaint: {type: bool, missing: allowed}
"""
POLICIES = """channels:
  sms: {consent: sms_ok, address: phone, cost: 0.05, sink: files}
  email: {consent: mail_ok, address: email, cost: 0.01, sink: files}
  visit: {task: true, cost: 60, sink: files}
suppress: [blocked, complaint]
caps:
  - {channels: [sms], at_most: 3, per: 30 days, classes: [marketing]}
  - {at_most: 8, per: 30 days}
capacity: {manager: {at_most: 20, per: week}}
global_holdout: 5%
sinks: {files: {kind: files, folder: out, format: csv}}
"""


def actions(number: int, size: int, seed: int) -> str:
    """*number* actions whose predicates hold for 1 to 30 percent of *size* customers, with every kind of bound."""
    random = np.random.default_rng(seed)
    lines = ["purpose: to measure", "owner: benchmarks", "actions:"]
    for place in range(number):
        share = float(random.choice((0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)))
        begin = float(random.uniform(0, 1 - share))
        lines += [
            f"  a{place:02d}:",
            f"    for: score >= {begin:.6f} and score < {begin + share:.6f} and recency < 360",
        ]
        channel = "visit" if place % 8 == 3 else str(random.choice(("sms", "email", "[email, sms]", "[sms, email]")))
        lines += [f"    channel: {channel}", f"    priority: {int(random.integers(0, 100))}"]
        lines += [f"    repeat: {random.choice(('once', 'every 30 days', 'every 90 days'))}"]
        lines += ["    assign_to: manager"] if channel == "visit" else []
        lines += [f"    group: g{place % 7}"] if place % 3 == 0 else []
        lines += ['    message: "Dear customer {customer_id}, {city} has something for you"'] if place % 2 else []
        lines += ["    holdout: 10%"] if place % 5 < 3 else []
        lines += ["    variants: {a: 50%, b: 50%}"] if place % 4 == 1 else []
        limits = [
            text
            for text in (
                f"customers: {size // 50}" if place % 4 == 0 else "",
                "order_by: spend desc" if place % 2 == 0 else "",
                f"per: {{value: city, at_most: {max(size // 10_000, 2)}}}" if place % 6 == 2 else "",
            )
            if text
        ]
        lines += [f"    limit: {{{', '.join(limits)}}}"] if limits else []
        lines += (
            [f"    budget: {{total: {size * float(random.uniform(0.0005, 0.003)):.2f}, per: month}}"]
            if place % 5 == 4
            else []
        )
    return "\n".join(lines) + "\n"


def customers(number: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed + 1)

    def gaps(values: Sequence[object], share: float) -> pa.Array:
        return pa.array(values, mask=random.random(number) < share)

    phones = 13_000_000_000 + random.permutation(number)
    phones[random.random(number) < 0.03] = 13_000_000_007 + random.integers(0, number, 1)
    shared = random.random(number) < 0.02
    phones[shared] = phones[random.integers(0, number, int(shared.sum()))]
    return pa.table(
        {
            "customer_id": np.arange(1, number + 1),
            "spend": pa.array(random.integers(0, 5_000_000, number)).cast(pa.decimal128(19, 0)),
            "age": gaps(random.integers(18, 90, number), 0.05),
            "recency": random.integers(0, 400, number),
            "score": random.random(number),
            "city": np.char.add("city ", random.integers(0, 300, number).astype(str)),
            "manager": gaps(np.char.add("m", random.integers(0, MANAGERS, number).astype(str)), 0.1),
            "phone": gaps(phones.astype(str), 0.05),
            "email": gaps(np.char.add(random.permutation(number).astype(str), "@Example.com"), 0.2),
            "sms_ok": gaps(random.random(number) < 0.8, 0.02),
            "mail_ok": gaps(random.random(number) < 0.7, 0.02),
            "blocked": random.random(number) < 0.01,
            "complaint": gaps(random.random(number) < 0.02, 0.005),
        }
    )


def history(number: int, contacts: int, seed: int, phones: Sequence[str | None]) -> History:
    """*contacts* of two years, most of them of actions that are still there, at the addresses of today or older."""
    random = np.random.default_rng(seed + 2)
    row = np.sort(random.integers(-1, number, contacts))
    texts = {
        "action": tuple(f"a{place:02d}" for place in range(ACTIONS)) + tuple(f"old{place}" for place in range(50)),
        "channel": ("sms", "email", "visit"),
        "contact_class": ("marketing", "service"),
        "assignee": tuple(f"m{place}" for place in range(MANAGERS)),
        "per": tuple(f"city {place}" for place in range(300)),
    }
    codes = {kind: random.integers(0, len(words), contacts) for kind, words in texts.items()}
    channel = random.choice(3, contacts, p=(0.6, 0.38, 0.02))
    codes |= {"channel": channel, "contact_class": random.choice(2, contacts, p=(0.8, 0.2))}
    codes["assignee"] = np.where(channel == 2, codes["assignee"], -1)
    reached = [None if each < 0 else phones[each] for each in row.tolist()]
    hashes = [None if each is None else address_hash(PEPPER, each) for each in reached]
    texts["address"] = tuple(dict.fromkeys(each for each in hashes if each is not None))
    places = {each: place for place, each in enumerate(texts["address"])}
    codes["address"] = np.array([-1 if each is None else places[each] for each in hashes], np.int64)
    codes["address"][channel != 0] = -1
    day = AS_OF - random.integers(0, 730, contacts)
    states = random.choice(len(CONTACT_STATES), contacts, p=(0.01, 0.01, 0.9, 0.02, 0.01, 0, 0.05))
    assert texts.keys() == set(TEXTS) and CONTACT_STATES[5] == "cancelled"
    past = PastContacts(
        row=row, at=day * MICROSECONDS_PER_DAY, day=day, state=states, serial=np.ones(contacts, np.int64),
        n=np.ones(contacts, np.int64), cost=random.integers(0, 1000, contacts),
        open=(channel == 2) & (random.random(contacts) < 0.05), texts=texts, **codes,
    )  # fmt: skip
    nobody = np.zeros(number, np.bool_)
    left = {"sms": random.random(number) < 0.01}
    return History(Identity("benchmark", 1, 1, 1, PEPPER), nobody, left, past, {})


def ready(folder: Path, number: int, contacts: int, seed: int) -> tuple[RuleSet, Results, History, float]:
    """What deciding takes, and the seconds to answer the questions of the campaign."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    (folder / "rules" / "actions.yaml").write_text(actions(ACTIONS, number, seed), encoding="utf-8")
    ruleset = pipeline.load(folder).ruleset
    questions = asked(ruleset)
    table = customers(number, seed)
    bound = pipeline.bind(questions, {"customers": table})
    begun = time.perf_counter()
    results = pipeline.evaluate(questions, bound, AS_OF)
    seconds = time.perf_counter() - begun
    return ruleset, results, history(number, contacts, seed, table.column("phone").to_pylist()), seconds


def differences(ruleset: RuleSet, found: Decisions) -> int:
    """Customers and actions for which going through them one by one gives another answer."""
    expected = one_by_one(ruleset, found.results, found.history, found.planned_at)
    wrong = 0
    for one in found.actions:
        for place, row in enumerate(one.rows.tolist()):
            own = expected[one.action.id].pop(row)
            channel = None if one.channel[place] < 0 else one.action.channels[one.channel[place]]
            variant = None if one.variant[place] < 0 else one.action.variants[one.variant[place]].name
            got = (STAGES[one.stage[place]], channel, variant, int(one.cost[place]), int(one.n[place]))
            wrong += got != (own.stage, own.channel, own.variant, own.cost, own.n)
        wrong += len(expected[one.action.id])
    return wrong


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.deciding", description=__doc__)
    options.add_argument("--customers", type=int, default=CUSTOMERS)
    options.add_argument("--contacts", type=int, default=CONTACTS, help="past contacts in the ledger")
    options.add_argument("--sample", type=int, default=SAMPLE, help="customers that are also decided one by one")
    options.add_argument("--rounds", type=int, default=3, help="measured rounds; the median is shown")
    options.add_argument("--json", type=Path, default=Path("build/deciding.json"), help="where the figures go")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.sample:
            ruleset, results, past, _ = ready(Path(folder), given.sample, given.sample, SEED)
            found = decide(ruleset, results, past, CLOCK)
            wrong = differences(ruleset, found)
            matched = sum(len(one.rows) for one in found.actions)
            print(f"{given.sample:,} customers one by one: {matched:,} matches, {wrong} decided otherwise")
            if wrong:
                raise SystemExit(1)
        ruleset, results, past, answered = ready(Path(folder), given.customers, given.contacts, SEED)
    times: list[float] = []
    work: list[float] = []
    for _ in range(given.rounds):
        begun, worked = time.perf_counter(), time.process_time()
        found = decide(ruleset, results, past, CLOCK)
        times.append(time.perf_counter() - begun)
        work.append(time.process_time() - worked)
    stages = {stage: sum(one.counts[stage] for one in found.actions) for stage in STAGES}
    matched = sum(stages.values())
    figures = {
        "customers": given.customers, "actions": ACTIONS, "contacts": given.contacts, "matched": matched,
        "stages": stages, "questions_seconds": round(answered, 2),
        "deciding_seconds": [round(each, 2) for each in times], "processor_seconds": [round(each, 2) for each in work],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "python": platform.python_version(),
    }  # fmt: skip
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"{given.customers:,} customers, {ACTIONS} actions, {given.contacts:,} past contacts: {matched:,} matches")
    for stage, count in stages.items():
        print(f"  {stage:<20} {count:>10,}")
    median, busy = (sorted(each)[len(each) // 2] for each in (times, work))
    print(f"questions answered in {answered:.2f} s; decided in {median:.2f} s, {busy:.2f} of them on a processor")


if __name__ == "__main__":
    main()
