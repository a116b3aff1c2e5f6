"""The project that `segrules init` begins: files that validate and tests that pass, with made-up customers.

In: a language.  Out: the text of every file by its path.  Always: the same bytes on every machine and in every run,
because the data comes from a fixed seed; nobody in it exists.

    files("zh")["data/客户.csv"]
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import TypeVar

from segrules.diagnostics.catalogue import Language

T = TypeVar("T")

SEED = 20260630
CUSTOMERS = 200
LAST_DAY = date(2026, 6, 30)
IGNORED = ".segrules/\nquarantine/\nout/\n*.segplan\n"


@dataclass(frozen=True, slots=True)
class Words:
    """What the data of one language says."""

    customers: str
    orders: str
    cities: str
    customer_header: str
    order_header: str
    city_header: str
    genders: tuple[str, str]
    yes: str
    no: str
    towns: tuple[tuple[str, str], ...]
    channels: tuple[str, str, str]
    families: tuple[str, ...]
    given: tuple[str, ...]
    space: str


ZH = Words(
    customers="data/客户.csv",
    orders="data/订单.csv",
    cities="data/城市.csv",
    customer_header="客户号,姓名,性别,城市,手机,会员,注册日期",
    order_header="订单号,客户号,付款时间,金额,渠道",
    city_header="城市,级别",
    genders=("男", "女"),
    yes="是",
    no="否",
    towns=(("北京", "一线"), ("上海", "一线"), ("杭州", "二线"), ("成都", "二线"), ("洛阳", "其他")),
    channels=("门店", "小程序", "天猫"),
    families=tuple("王李张刘陈杨赵黄周吴"),
    given=tuple("伟芳敏静丽强磊军洋勇艳杰娟涛明"),
    space="",
)
EN = Words(
    customers="data/customers.csv",
    orders="data/orders.csv",
    cities="data/cities.csv",
    customer_header="customer_id,name,gender,city,phone,member,registered",
    order_header="order_id,customer_id,paid_at,amount,channel",
    city_header="city,tier",
    genders=("male", "female"),
    yes="yes",
    no="no",
    towns=(
        ("Beijing", "first"),
        ("Shanghai", "first"),
        ("Hangzhou", "second"),
        ("Chengdu", "second"),
        ("Luoyang", "other"),
    ),
    channels=("store", "app", "marketplace"),
    families=("Wang", "Li", "Zhang", "Liu", "Chen", "Yang", "Zhao", "Huang", "Zhou", "Wu"),
    given=("Wei", "Fang", "Min", "Jing", "Li", "Qiang", "Lei", "Jun", "Yang", "Yong", "Jie", "Tao", "Ming"),
    space=" ",
)


def files(language: Language) -> dict[str, str]:
    """The text of every file of the project, by its path in it."""
    start = resources.files("segrules.cli.start").joinpath(language)
    written = {name: start.joinpath(name).read_text(encoding="utf-8") for name in ("segrules.yaml", "policies.yaml")}
    for folder in ("rules", "tests"):
        for file in sorted(start.joinpath(folder).iterdir(), key=lambda each: each.name):
            written[f"{folder}/{file.name}"] = file.read_text(encoding="utf-8")
    return {**written, ".gitignore": IGNORED, **data(ZH if language == "zh" else EN)}


def data(words: Words) -> dict[str, str]:
    """The three CSV files: customers from regular to long gone, some who never ordered, some answers missing."""
    draw = random.Random(SEED).random
    customers: list[str] = []
    orders: list[str] = []
    for number in range(1, CUSTOMERS + 1):
        key = f"C{number:05d}"
        registered = LAST_DAY - timedelta(days=30 + int(draw() * 1000))
        name = words.space.join((_one(words.families, draw), _one(words.given, draw)))
        gender = "" if draw() < 0.08 else _one(words.genders, draw)
        phone = "" if draw() < 0.15 else f"130{int(draw() * 10**8):08d}"
        town = _one(words.towns, draw)[0]
        member = words.yes if draw() < 0.4 else words.no
        customers.append(f"{key},{name},{gender},{town},{phone},{member},{registered.isoformat()}")
        orders += _orders(words, key, registered, len(orders), draw)
    return {
        words.customers: _csv(words.customer_header, customers),
        words.orders: _csv(words.order_header, orders),
        words.cities: _csv(words.city_header, [",".join(town) for town in words.towns]),
    }


def _orders(words: Words, key: str, registered: date, before: int, draw: Callable[[], float]) -> list[str]:
    """The orders of one customer: none for some, and a last one long ago for others."""
    count = 0 if draw() < 0.12 else 1 + int(draw() ** 2 * 12)
    days = (LAST_DAY - registered).days
    if draw() < 0.35:
        days = max(1, days - 200)
    lines = []
    for number in range(count):
        day = registered + timedelta(days=int(draw() * days))
        time = datetime(day.year, day.month, day.day) + timedelta(seconds=int(draw() * 86_400))
        amount = 20 + int(draw() ** 3 * 150_000) / 100
        channel = _one(words.channels, draw)
        lines.append(f"O{before + number + 1:06d},{key},{time:%Y-%m-%d %H:%M:%S},{amount:.2f},{channel}")
    return lines


def _one(values: Sequence[T], draw: Callable[[], float]) -> T:
    return values[int(draw() * len(values))]


def _csv(header: str, lines: Iterable[str]) -> str:
    return "".join(f"{each}\n" for each in (header, *lines))
