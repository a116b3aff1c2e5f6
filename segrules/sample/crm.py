"""A realistic Chinese CRM, made from a seed.

In: a folder, a number of customers, a seed.  Out: the CSV files of the demo project, as exports of such systems look:
missing answers, full-width digits, a repeated customer after a merge, a GB18030 export, test orders of 0.  Always:
the same seed gives the same customers; nobody in it exists.

    write(Path("build/demo/data"), customers=10_000)
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

LAST_DAY = date(2026, 6, 30)

CITIES = (
    ("北京", "华北", "一线", 12), ("上海", "华东", "一线", 13), ("广州", "华南", "一线", 9),
    ("深圳", "华南", "一线", 10), ("杭州", "华东", "二线", 7), ("南京", "华东", "二线", 6),
    ("成都", "西南", "二线", 7), ("武汉", "华中", "二线", 6), ("西安", "西北", "二线", 5),
    ("苏州", "华东", "二线", 5), ("洛阳", "华中", "其他", 3), ("绵阳", "西南", "其他", 3),
    ("宜昌", "华中", "其他", 2), ("湛江", "华南", "其他", 2), ("呼和浩特", "华北", "其他", 2),
    ("兰州", "西北", "其他", 2),
)  # fmt: skip
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红建国文辉鑫宇欣怡子涵雨桐浩然思远"
EDUCATION = (("高中及以下", 20), ("大专", 25), ("本科", 38), ("硕士及以上", 12), ("", 5))
OCCUPATIONS = (("企业职员", 34), ("专业人士", 18), ("公务员", 8), ("自由职业", 12), ("学生", 8), ("退休", 6), ("", 14))
CATEGORIES = (("护肤", 28), ("彩妆", 16), ("运动服饰", 20), ("家居", 18), ("食品", 18))
ORDER_CHANNELS = (("天猫", 34), ("小程序", 30), ("门店", 24), ("京东", 12))
INTERACTIONS = (("浏览", 48), ("咨询", 22), ("短信点击", 18), ("投诉", 5), ("到店", 7))
TAGS = ("母婴", "健身", "学生党", "礼品", "新品控", "价格敏感", "会员日", "企业采购")
MANAGERS = ("赵敏", "钱进", "孙悦", "李想", "周正")

PROFILES = (("流失", 18), ("低频", 34), ("常规", 30), ("活跃", 14), ("大客户", 4))
RATES = {"流失": (2.0, 260), "低频": (2.2, 130), "常规": (4.5, 60), "活跃": (10.0, 25), "大客户": (16.0, 18)}
BASKET = {"流失": 180.0, "低频": 220.0, "常规": 320.0, "活跃": 420.0, "大客户": 3800.0}


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    profile: str
    registered: date


def write(folder: Path, customers: int = 10_000, seed: int = 20260630) -> None:
    """Write the files of the demo into *folder*, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    people = [_person(chance, number) for number in range(1, customers + 1)]
    _csv(folder / "城市.csv", ("城市", "大区", "级别"), ([city, region, tier] for city, region, tier, _ in CITIES))
    _csv(folder / "客户.csv", CUSTOMER_HEADER, _customers(chance, people), encoding="gb18030")
    _csv(
        folder / "订单.csv.gz",
        ("订单号", "客户编号", "付款时间", "金额", "件数", "渠道", "品类"),
        _orders(chance, people),
    )
    _csv(folder / "互动.csv", ("互动号", "客户编号", "时间", "类型", "响应小时"), _interactions(chance, people))
    _csv(folder / "问卷.csv", ("客户编号", "答卷日期", "价格", "品质", "新意", "满意度"), _survey(chance, people))
    _csv(folder / "重点客户.csv", ("客户编号", "备注"), ([p.key, "年度框架"] for p in people if p.profile == "大客户"))
    quiet = random.Random(seed + 1)
    _csv(
        folder / "勿扰名单.csv",
        ("客户编号", "登记日期"),
        ([p.key, "2026-05-01"] for p in people if quiet.random() < 0.01),
    )


CUSTOMER_HEADER = (
    "客户编号", "姓名", "性别", "出生日期", "城市", "学历", "职业", "年收入", "手机", "短信同意", "会员", "标签",
    "客户经理", "注册日期", "成长潜力", "更新时间",
)  # fmt: skip


def _person(chance: random.Random, number: int) -> Person:
    age_in_days = int(chance.triangular(1, 1500, 300))
    return Person(f"C{number:05d}", _pick(chance, PROFILES), LAST_DAY - timedelta(days=age_in_days))


def _customers(chance: random.Random, people: Sequence[Person]) -> Iterator[list[str]]:
    for person in people:
        row = _customer(chance, person)
        yield row
        if chance.random() < 0.004:
            yield [*row[:7], f"{float(row[7] or 80_000) * 1.1:.2f}", *row[8:-1], "2026-06-29 23:10:00"]


def _customer(chance: random.Random, person: Person) -> list[str]:
    rich = {"大客户": 2.6, "活跃": 1.3}.get(person.profile, 1.0)
    income = f"{chance.lognormvariate(11.6, 0.5) * rich:.2f}" if chance.random() > 0.15 else ""
    born = date(1950, 1, 1) + timedelta(days=int(chance.triangular(0, 21_000, 14_000)))
    phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09d}"
    if chance.random() < 0.03:
        phone = phone.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    potential = str(max(0, min(100, round(chance.gauss(62 if rich > 1 else 50, 18)))))
    return [
        person.key,
        chance.choice(SURNAMES) + "".join(chance.choice(GIVEN) for _ in range(chance.choice((1, 2, 2)))),
        _pick(chance, (("女", 54), ("男", 43), ("", 3))),
        born.isoformat() if chance.random() > 0.08 else "",
        _pick(chance, tuple((city, weight) for city, _, _, weight in CITIES)),
        _pick(chance, EDUCATION),
        _pick(chance, OCCUPATIONS),
        income,
        f" {phone}" if chance.random() < 0.02 else phone if chance.random() > 0.04 else "",
        _pick(chance, (("是", 66), ("否", 24), ("", 10))),
        "是" if chance.random() < (0.75 if rich > 1 else 0.3) else "否",
        "|".join(sorted(chance.sample(TAGS, chance.choice((0, 0, 1, 1, 2, 3))))),
        chance.choice(MANAGERS) if person.profile in ("大客户", "活跃") else "",
        person.registered.isoformat(),
        potential if chance.random() > 0.06 else "",
        f"2026-06-{chance.randint(1, 28):02d} 0{chance.randrange(10)}:15:00",
    ]


def _orders(chance: random.Random, people: Sequence[Person]) -> Iterator[list[str]]:
    number = 0
    for person in people:
        mean, gap = RATES[person.profile]
        if chance.random() < 0.09:
            continue
        at = _moment(chance, LAST_DAY - timedelta(days=_quiet_days(chance, person.profile)))
        for _ in range(1 + int(chance.expovariate(1 / mean))):
            if at.date() < person.registered:
                break
            number += 1
            amount = 0.0 if chance.random() < 0.004 else chance.lognormvariate(0, 0.7) * BASKET[person.profile]
            yield [
                f"SO{number:07d}", person.key, at.strftime("%Y-%m-%d %H:%M:%S"), f"{amount:.2f}",
                str(1 + int(chance.expovariate(0.7))), _pick(chance, ORDER_CHANNELS), _pick(chance, CATEGORIES),
            ]  # fmt: skip
            at = _moment(chance, at.date() - timedelta(days=1 + int(chance.expovariate(1 / gap))))


def _quiet_days(chance: random.Random, profile: str) -> int:
    if profile == "流失":
        return 200 + int(chance.expovariate(1 / 200))
    return int(chance.expovariate(1 / {"低频": 100, "常规": 45, "活跃": 14, "大客户": 10}[profile]))


def _interactions(chance: random.Random, people: Sequence[Person]) -> Iterator[list[str]]:
    number = 0
    for person in people:
        for _ in range(int(chance.expovariate(1 / (1 + RATES[person.profile][0] / 3)))):
            number += 1
            kind = _pick(chance, INTERACTIONS)
            at = _moment(chance, LAST_DAY - timedelta(days=int(chance.expovariate(1 / 70))))
            hours = f"{chance.expovariate(1 / 9):.1f}" if kind in ("咨询", "投诉") and chance.random() > 0.1 else ""
            yield [f"T{number:07d}", person.key, at.strftime("%Y/%m/%d %H:%M"), kind, hours]


def _survey(chance: random.Random, people: Sequence[Person]) -> Iterator[list[str]]:
    for person in people:
        if chance.random() < 0.22:
            day = LAST_DAY - timedelta(days=chance.randrange(180))
            scores = [str(chance.choices((1, 2, 3, 4, 5), (6, 12, 30, 32, 20))[0]) for _ in range(3)]
            happy = str(chance.choices((1, 2, 3, 4, 5), (4, 8, 26, 38, 24))[0]) if chance.random() > 0.07 else ""
            yield [person.key, day.isoformat(), *scores, happy]


def _moment(chance: random.Random, day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(seconds=chance.randrange(7 * 3600, 23 * 3600))


def _pick(chance: random.Random, weighted: Sequence[tuple[str, int]]) -> str:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]


def _csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8-sig") -> None:
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(header)
    out.writerows(rows)
    data = text.getvalue().encode(encoding)
    file.write_bytes(gzip.compress(data, mtime=0) if file.suffix == ".gz" else data)
