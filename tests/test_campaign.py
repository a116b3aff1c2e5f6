"""What right actions and policies become, what is read of them in either language, and that no text breaks the reading.

In: `tests/cases/check/amounts.yaml`, `formats.yaml`; the project that `docs/language/actions.md` shows.  Wrong files
are in `test_errors.py`; tests that say where actions must end in `test_testing.py`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from decimal import Decimal as Exact
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules import pipeline
from segrules.check import amounts
from segrules.check.history import HISTORY, history_table, with_history
from segrules.diagnostics.catalogue import message
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.campaign import WrittenPlaceholder
from segrules.files.documents import Scalar
from segrules.files.load import load
from segrules.files.messages import read_message
from segrules.model.campaign import (
    Budget,
    Campaign,
    Capacity,
    Every,
    Guards,
    Once,
    OnEntry,
    Period,
    Placeholder,
    QuietHours,
    Variant,
)
from segrules.model.expr import Column, Reference
from segrules.model.ruleset import RuleSet
from segrules.plan.past import joined, renames
from segrules.schema.formats import fault, formatted
from segrules.schema.types import DATE, INTEGER, TEXT, TIMESTAMP, Decimal, Type, Value, parse_type
from segrules.source import Source
from segrules.state.records import OUTCOMES
from segrules.testing.acting import KINDS
from segrules.yamltree.nodes import Map
from segrules.yamltree.nodes import Scalar as ScalarNode
from segrules.yamltree.tree import parse_yaml

CASES = Path(__file__).parent / "cases" / "check"
PAGE = (Path(__file__).parents[1] / "docs" / "language" / "actions.md").read_text(encoding="utf-8")
ZONE = "Asia/Shanghai"


def folder_of(tmp_path: Path, name: str = "acts") -> Path:
    for path, text in re.findall(r"^```yaml (\S+)\n(.*?)^```$", PAGE, re.M | re.S):
        if path.startswith(f"{name}/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.fixture
def ruleset(tmp_path: Path) -> RuleSet:
    return pipeline.load(folder_of(tmp_path)).ruleset


@pytest.fixture
def campaign(ruleset: RuleSet) -> Campaign:
    return ruleset.campaign


def scalar(text: str) -> Scalar:
    root, _ = parse_yaml(Source("f.yaml", f"key: {text}\n"))
    assert isinstance(root, Map)
    found = fields.scalar(root.get("key"))
    assert found is not None
    return found


def read(kind: str, text: str, found: list[Diagnostic]) -> object:
    written = scalar(text)
    match kind:
        case "share":
            part = amounts.share(written, found)
            return None if part is None else str(part)
        case "money":
            return amounts.money(written, found)
        case "period":
            length = amounts.period(written, found)
            return None if length is None else f"{length.amount} {length.unit}"
        case "duration":
            return amounts.duration(written, found)
        case "clock":
            return amounts.clock(written, found)
        case _:
            made = amounts.repeat(written, found)
            if found:
                return None
            return f"every {made.period.amount} {made.period.unit}" if isinstance(made, Every) else "once"


AMOUNTS: dict[str, dict[str, str]] = yaml.load((CASES / "amounts.yaml").read_text("utf-8"), Loader=yaml.BaseLoader)
WRITTEN = [(kind, text, value) for kind, cases in AMOUNTS.items() for text, value in cases.items()]


@pytest.mark.parametrize(("kind", "text", "value"), WRITTEN, ids=[f"{kind} {text}" for kind, text, _ in WRITTEN])
def test_amounts(kind: str, text: str, value: str) -> None:
    found: list[Diagnostic] = []
    shown = f'"{text}"' if kind in ("clock", "period") or text == "%" else text
    made = read(kind, shown, found)
    assert (None if value == "null" else value) == (None if made is None else str(made))
    assert (made is None) == bool(found)
    assert all(message(one, "zh") for one in found)


FORMATS: list[list[Any]] = yaml.safe_load((CASES / "formats.yaml").read_text("utf-8"))


@pytest.mark.parametrize(("type_", "value", "format_", "shown"), FORMATS)
def test_formats(type_: str, value: Any, format_: str, shown: str | None) -> None:
    kind = parse_type(type_)
    assert kind is not None
    stored: Value = tuple(value) if isinstance(value, list) else float(value) if type_ == "number" else value
    if shown is None:
        assert fault(format_, kind) is not None
    else:
        assert not format_ or fault(format_, kind) is None
        assert formatted(stored, kind, format_, ZONE) == shown


KINDS_OF_VALUES: list[tuple[Type, st.SearchStrategy[Any]]] = [
    (INTEGER, st.integers(-(2**63), 2**63 - 1)),
    (Decimal(9), st.integers(-(2**63), 2**63 - 1)),
    (parse_type("number") or INTEGER, st.floats(allow_nan=False, allow_infinity=False)),
    (DATE, st.integers(-719_162, 2_932_896)),
    (TIMESTAMP, st.integers(-62_135_510_000_000_000, 253_402_200_000_000_000)),
    (TEXT, st.text()),
]


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_a_format_that_fits_shows_every_value(data: st.DataObject) -> None:
    kind, values = data.draw(st.sampled_from(KINDS_OF_VALUES))
    format_ = data.draw(st.text(alphabet="%+,.<>^-0123456789fdYymjBbHMS 月", max_size=8))
    value = data.draw(values)
    if not format_ or fault(format_, kind) is None:
        assert isinstance(formatted(value, kind, format_, ZONE), str)


@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_numbers_are_rounded_as_round_does(value: int, digits: int) -> None:
    """Half away from zero, on the decimal digits."""
    exact = Fraction(value, 10**6) * 10**digits
    away = int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    shown = formatted(value, Decimal(6), f".{digits}f", ZONE)
    assert Exact(shown) == Exact(away).scaleb(-digits)


@given(st.text(alphabet="{}｛｝:：ab\"'“”`#%.f \n您T1-", max_size=40))
@settings(max_examples=2000, deadline=None)
def test_any_text_is_a_message_or_is_reported(text: str) -> None:
    source = Source("m", text)
    found: list[Diagnostic] = []
    parts = read_message(ScalarNode(text, text, "double", source.whole(), source), found)
    assert all(one.span.place.column >= 0 for one in found)
    assert all(message(one, "en") for one in found)
    if not found:
        literal, at = [], 0
        for part in parts:
            if isinstance(part, WrittenPlaceholder):
                start, end = part.value.span.source.in_parent(0), part.format.span.end
                assert text[start - 1] == "{" and text[end] == "}"
                literal.append(text[at : start - 1])
                at = end + 1
        literal.append(text[at:])
        plain = [each.replace("{{", "{").replace("}}", "}") for each in literal]
        assert [part for part in parts if isinstance(part, str)] == [each for each in plain if each]


def test_the_example_of_the_page(campaign: Campaign) -> None:
    action = campaign.actions["winback_coupon"]
    assert list(campaign.actions) == ["winback_coupon", "newsletter", "welcome_back", "key_account_visit"]
    assert action.label == "休眠唤醒券" and action.channels == ("sms",) and action.contact_class == "marketing"
    day = (datetime(2026, 11, 1) - datetime(1970, 1, 1)).days
    assert (action.active_from, action.active_until) == (day, day + 91)
    assert action.repeat == Every(Period(90, "day")) and action.priority == 80 and action.group == "winback"
    assert action.limit.customers == 5000
    order, per = action.limit.order_by, action.limit.per
    assert order is not None and order.descending and isinstance(order.value, Column) and order.value.name == "clv"
    assert per is not None and (per.at_most, per.counting) == (20, "run")
    assert action.budget == Budget(80_000 * 10_000, "month") and action.cost == 12 * 10_000
    assert action.holdout == Fraction(1, 10)
    assert action.variants == (Variant("a", Fraction(1, 2)), Variant("b", Fraction(1, 2)))
    assert action.award == 200 and action.goal is not None and action.goal.within == Period(30, "day")
    assert (action.previously, action.first_id, action.salt) == (("autumn_coupon",), "autumn_coupon", "autumn_coupon")
    assert action.message is not None
    texts = [part if isinstance(part, str) else part.format for part in action.message.parts]
    assert texts == ["", "您好,送您", ".0f", "元券,", "%m月%d日", "前有效"]
    first = action.message.parts[0]
    assert isinstance(first, Placeholder) and isinstance(first.value, Column)
    assert isinstance(action.message.placeholders[1].value, Reference)
    letters, back, visit = (campaign.actions[name] for name in list(campaign.actions)[1:])
    assert letters.channels == ("sms", "email") and letters.channel_by is not None
    assert letters.repeat == Every(Period(1, "month")) and letters.holdout == 0 and letters.salt == "newsletter"
    assert back.repeat == OnEntry(Period(90, "day"), existing=False) and back.channels == ("sms", "email")
    assert visit.assign_to is not None and visit.due == Period(14, "day") and visit.repeat != Once()


def test_the_policies_of_the_page(campaign: Campaign) -> None:
    bounds = campaign.policies
    sms, email, visit = bounds.channels.values()
    assert (sms.cost, sms.billed_by_part, sms.sink, sms.task) == (500, True, "files", False)
    assert set(sms.consent) == {"marketing", "service"} and sms.address is not None and sms.address.type == TEXT
    hours = sms.quiet_hours
    assert hours is not None and (hours.start, hours.end, hours.zone) == (1260, 480, None) and hours.zone_of is not None
    assert set(email.consent) == {"marketing", "service"} and not email.billed_by_part and email.label == "邮件"
    assert visit.task and not visit.consent
    assert [each.text for each in bounds.suppress] == ["in_litigation", "do_not_contact ?? false"]
    assert [(cap.at_most, cap.period, cap.channels, cap.classes) for cap in bounds.caps] == [
        (3, Period(30, "day"), ("sms",), ("marketing",)), (20, Period(1, "year"), None, None)
    ]  # fmt: skip
    assert bounds.capacity == {"account_manager": Capacity("account_manager", 20, "week")}
    assert bounds.global_holdout == Fraction(1, 20)
    assert bounds.guards == Guards(Fraction(1, 5), 50_000, 100_000 * 10_000, require_clean_git=False)
    assert (bounds.max_plan_age, bounds.max_staleness) == (86_400, 129_600)
    crm = bounds.sinks["crm"]
    assert crm.kind == "webhook" and crm.settings == {
        "url": "https://crm.example/contacts", "secret": "CRM_SECRET", "delivery": "at_least_once", "timeout": 30,
        "batch": 100,
    }  # fmt: skip
    dev, prod = bounds.environments
    assert (dev.name, dev.state, dict(dev.sinks)) == ("dev", ".segrules/ledger.db", {})
    assert prod.sinks["files"].settings == {"folder": "out/prod"}


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
def test_a_zone_is_one_or_an_expression(zone: str, tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    policies = (folder / "policies.yaml").read_text(encoding="utf-8")
    (folder / "policies.yaml").write_text(policies.replace('own_zone ?? "Asia/Shanghai"', zone), encoding="utf-8")
    hours = pipeline.load(folder).ruleset.campaign.policies.channels["sms"].quiet_hours
    assert hours == QuietHours(1260, 480, zone)


def test_no_policies_are_empty_ones(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "policies.yaml").unlink()
    (folder / "rules" / "winback.yaml").write_text("purpose: p\nowner: o\nsegments: {s: {when: clv > 5}}\n", "utf-8")
    for test in (folder / "tests").iterdir():
        test.unlink()
    found = pipeline.load(folder).ruleset.campaign
    assert found == Campaign() and found.policies.environments[0].state == ".segrules/ledger.db"
    assert load(folder)[0].policies is None


def test_tables_of_the_ledger_are_there_where_they_are_read(ruleset: RuleSet) -> None:
    assert [name for name in ruleset.contracts.tables if name in HISTORY] == ["contacts"]
    whole = with_history(ruleset.contracts)
    assert [name for name in whole.tables if name in HISTORY] == ["contacts", "memberships", "points", "outcomes"]
    assert whole.chain("outcomes") == ("outcomes", "customers")
    assert history_table(whole, "contacts") is None


def test_a_table_of_the_project_wins(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    project = (folder / "segrules.yaml").read_text(encoding="utf-8")
    own = "  contacts: {source: c.csv, belongs_to: {table: customers, by: customer_id}, time: at, columns: "
    (folder / "segrules.yaml").write_text(project + own + "{customer_id: text, at: date, action: text}}\n", "utf-8")
    found = pipeline.load(folder).ruleset.contracts.tables["contacts"]
    assert list(found.columns) == ["customer_id", "at", "action"]


@pytest.mark.parametrize(
    ("type_", "texts", "keys"),
    [
        ("text", ["a", "b"], ["a", "b"]),
        ("integer", ["12", "-3"], [12, -3]),
        ("date", ["2026-01-05", "1969-12-31"], [datetime(2026, 1, 5).date(), datetime(1969, 12, 31).date()]),
        ("decimal(2)", ["1.50", "-2.00"], [Exact("1.50"), Exact("-2.00")]),
    ],
)
def test_rows_of_the_ledger_get_the_customers_key(
    type_: str, texts: list[str], keys: list[Any], tmp_path: Path
) -> None:
    folder = folder_of(tmp_path)
    project = (
        (folder / "segrules.yaml").read_text(encoding="utf-8").replace("customer_id: text", f"customer_id: {type_}")
    )
    (folder / "segrules.yaml").write_text(project, encoding="utf-8")
    for test in (folder / "tests").iterdir():
        test.unlink()
    rules = pipeline.load(folder).ruleset
    rows = pa.table({"customer": pa.array(texts, pa.large_string()), "action": ["x", "y"]})
    found = joined(rows, rules.contracts.tables["contacts"])
    assert found.column_names == ["customer_id", "action"] and found.column("customer_id").to_pylist() == keys
    assert renames(rules, "contacts") == {"autumn_coupon": "winback_coupon"}


PAST = """\
purpose: p
owner: o
attributes:
  coupons: {value: 'count(contacts where action = "winback_coupon" and at in last 30 days)'}
  spent: {value: sum(contacts.cost)}
segments:
  was_star: {when: any(memberships where segment = "star")}
  ist_star: {when: '存在(memberships 其中 segment = "star" 且 left_at 为空)'}
"""
DAY = 20_778


@pytest.mark.parametrize("engine", ["vector", "reference"])
def test_the_past_belongs_to_who_is_there(engine: Literal["vector", "reference"], tmp_path: Path) -> None:
    """Rows of a customer who is gone belong to nobody; without rows the tables are empty; nothing later is seen."""
    folder = tmp_path / "p"
    (folder / "rules").mkdir(parents=True)
    (folder / "segrules.yaml").write_text(
        "version: 1\nname: p\ntimezone: Asia/Shanghai\ncustomers: c\n"
        "tables: {c: {source: c.csv, key: id, columns: {id: text}}}\n", "utf-8"
    )  # fmt: skip
    (folder / "c.csv").write_text("id\na\nb\n", encoding="utf-8")
    (folder / "rules" / "a.yaml").write_text(PAST, encoding="utf-8")
    rules = pipeline.load(folder).ruleset
    at = pa.array(
        [datetime(2026, 11, 20, 3), datetime(2026, 11, 20, 3), datetime(2026, 11, 22)], pa.timestamp("us", "UTC")
    )
    contacts = pa.table(
        {
            "id": ["a", "gone", "b"], "action": ["winback_coupon"] * 3, "channel": ["sms"] * 3,
            "variant": pa.nulls(3, pa.string()), "at": at, "cost": pa.array([1, 2, 4], pa.decimal128(19, 4)),
        }
    )  # fmt: skip
    days = pa.array([DAY - 9, DAY - 9], pa.int32()).cast(pa.date32())
    left = pa.array([None, DAY], pa.int32()).cast(pa.date32())
    stays = pa.table({"id": ["a", "b"], "segment": ["star", "star"], "entered_at": days, "left_at": left})
    for past, coupons, spent, was, still in (
        ({}, [0, 0], [0, 0], [], []),
        ({"contacts": contacts, "memberships": stays}, [1, 0], [10_000, 0], [0, 1], [0]),
    ):
        found = pipeline.evaluate(rules, pipeline.bind(rules, past), DAY, engine=engine)
        assert [found.values["coupons"].at(row) for row in (0, 1)] == coupons
        assert [found.values["spent"].at(row) for row in (0, 1)] == spent
        assert found.segments["was_star"].true.ordinals().tolist() == was
        assert found.segments["ist_star"].true.ordinals().tolist() == still


def test_kinds_of_outcomes_are_those_of_the_ledger() -> None:
    assert KINDS == OUTCOMES


def test_checking_actions_and_their_tests_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom segrules.cli.app import main\n"
        "try:\n    main(['validate'])\nexcept SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "print('imported', [n for n in ('numpy', 'pandas', 'pyarrow', 'sqlalchemy', 'urllib3') if n in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder_of(tmp_path), capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout.endswith("imported []\n"), done.stdout + done.stderr
