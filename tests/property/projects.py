"""A project with every kind of column, and tables that keep its contract.

In: a source of choices.  Out: `PROJECT` (the body of segrules.yaml) and Arrow tables by name.  Always: the tables
keep the contract to the letter, ends of every range included: rows of nobody, references to nothing where they are
allowed, clock changes, 29 February, ties, gaps, sometimes no rows at all.

    bind(ruleset, data(random, "Europe/Berlin"))
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal as Exact
from random import Random
from typing import Any

import pyarrow as pa

from segrules.schema.types import (
    BOOL,
    DATE,
    INT64_MAX,
    INT64_MIN,
    INTEGER,
    LIST,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Bool,
    Date,
    Decimal,
    Integer,
    Number,
    Text,
    Timestamp,
    Type,
)  # fmt: skip

DAYS = ("2026-11-21", "2024-02-29", "2026-03-29", "2026-10-31", "2025-12-31")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "UTC")
VALUES = ("A", "b", "北京", "z z")
"""The values of every text column that has `values:`."""
GRADES = (1, 2, 3)
WORDS = ("", "a", "A", "ab", "b", "北京", "北", "Ä", "z z", "10", "it's", '"q"', "ß", "　x ")


@dataclass(frozen=True, slots=True)
class Made:
    """A column: `contract` has more keys of segrules.yaml; `wild`: values near the ends of what the type holds."""

    type: Type
    gaps: bool = False
    contract: dict[str, Any] = field(default_factory=dict)
    wild: bool = False


def _gaps(type_: Type, wild: bool = False, **contract: Any) -> Made:
    return Made(type_, True, contract, wild)


def _sure(type_: Type, wild: bool = False, **contract: Any) -> Made:
    return Made(type_, False, contract, wild)


FINITE: dict[str, Any] = {"values": list(VALUES)}
COLUMNS: dict[str, dict[str, Made]] = {
    "customers": {
        "id": _sure(TEXT), "flag": _gaps(BOOL), "确认": _sure(BOOL), "非会员": _gaps(BOOL), "n": _gaps(INTEGER),
        "m": _sure(INTEGER, min=-7, max=100), "grade": _gaps(INTEGER, values=list(GRADES)), "count": _gaps(INTEGER),
        "month": _sure(INTEGER, min=0), "big": _gaps(INTEGER, True), "money": _gaps(Decimal(2), min=-250),
        "当前余额": _sure(Decimal(4), min=0), "order no": _gaps(Decimal(1)), "desc": _gaps(Decimal(2)),
        "x": _gaps(NUMBER), "y": _sure(NUMBER), "vast": _gaps(NUMBER, True), "name": _gaps(TEXT, pii=True),
        "by": _sure(TEXT), "kind": _sure(TEXT, **FINITE), "城市属于": _gaps(TEXT, **FINITE),
        "born": _gaps(DATE), "date": _gaps(DATE), "since": _sure(DATE), "end": _sure(DATE), "ages": _gaps(DATE, True),
        "seen": _gaps(TIMESTAMP), "made": _sure(TIMESTAMP), "dawn": _sure(TIMESTAMP, True),
        "tags": _gaps(LIST, **FINITE), "words": _sure(LIST),
        "city": _gaps(TEXT, refers_to="cities", unmatched="missing"), "home": _sure(TEXT, refers_to="cities"),
    },
    "orders": {
        "oid": _sure(TEXT), "cid": _gaps(TEXT), "paid_at": _sure(TIMESTAMP), "amount": _gaps(Decimal(2), min=0),
        "数量": _sure(INTEGER, min=0, max=50), "count": _gaps(INTEGER), "huge": _gaps(INTEGER, True),
        "channel": _gaps(TEXT, **FINITE), "first": _sure(TEXT, **FINITE), "ok": _gaps(BOOL), "gift": _sure(BOOL),
        "score": _gaps(NUMBER), "weight": _sure(NUMBER), "due": _gaps(DATE), "labels": _gaps(LIST),
        "shop": _gaps(TEXT, refers_to="cities", unmatched="missing"), "name": _gaps(TEXT),
    },
    "lines": {
        "of": _sure(TEXT), "at": _sure(TIMESTAMP), "price": _gaps(Decimal(3)), "pieces": _gaps(INTEGER),
        "amount": _sure(Decimal(1)), "sku": _sure(TEXT), "ship": _gaps(DATE), "last": _sure(DATE),
    },
    "visits": {"who": _sure(TEXT), "day": _gaps(DATE), "minutes": _sure(INTEGER, min=0), "note": _gaps(TEXT),
               "real": _sure(BOOL)},
    "cities": {
        "city": _sure(TEXT), "tier": _gaps(TEXT, **FINITE), "size": _sure(INTEGER, min=0), "opened": _gaps(DATE),
        "region": _gaps(TEXT, refers_to="regions", unmatched="missing"),
    },
    "regions": {"region": _sure(TEXT), "rank": _gaps(Decimal(1)), "coast": _sure(BOOL)},
}  # fmt: skip
KEYS = {"customers": "id", "orders": "oid", "cities": "city", "regions": "region"}
PARENTS = {"orders": ("customers", "cid"), "lines": ("orders", "of"), "visits": ("customers", "who")}
TIMES = {"orders": "paid_at", "lines": "at"}
CHAINS = {
    "customers": ("customers",), "orders": ("orders", "customers"), "lines": ("lines", "orders", "customers"),
    "visits": ("visits", "customers"),
}  # fmt: skip


def project(zone: str) -> dict[str, Any]:
    """The body of segrules.yaml."""
    tables: dict[str, Any] = {}
    for name, columns in COLUMNS.items():
        table: dict[str, Any] = {"source": f"{name}.parquet"}
        if name in KEYS:
            table["key"] = KEYS[name]
        if name in PARENTS:
            table["belongs_to"] = {"table": PARENTS[name][0], "by": PARENTS[name][1]}
        if name in TIMES:
            table["time"] = TIMES[name]
        table["columns"] = {
            each: {"type": str(made.type), **({"missing": "allowed"} if made.gaps else {}), **made.contract}
            for each, made in columns.items()
        }
        tables[name] = table
    return {"version": 1, "name": "generated", "timezone": zone, "customers": "customers", "tables": tables}


def data(random: Random, zone: str) -> dict[str, pa.Table]:
    """Tables of a few rows. One world in four has values near the ends of what its types hold."""
    wild = random.random() < 0.25
    gaps = random.choice((0.0, 0.1, 0.1, 0.4, 0.9))
    sizes = {
        "regions": random.choice((0, 2)), "cities": random.choice((1, 2, 5)),
        "customers": random.choice((0, 1, 4, 9, 9, 17, 17, 30)), "orders": random.choice((0, 6, 30, 60)),
        "lines": random.choice((0, 10, 60)), "visits": random.choice((0, 12, 40)),
    }  # fmt: skip
    keys = {name: [f"{name[0]}{(7 * i) % 101:02d}" for i in range(size)] for name, size in sizes.items()}
    found: dict[str, pa.Table] = {}
    for name, columns in COLUMNS.items():
        rows = sizes[name]
        if name in PARENTS and not keys[PARENTS[name][0]]:
            rows = 0 if name != "orders" else rows
        made: dict[str, pa.Array] = {}
        for each, column in columns.items():
            share = gaps if column.gaps and random.random() < 0.8 else 0.0
            values: list[Any] = [None if random.random() < share else value(random, column, wild) for _ in range(rows)]
            target = column.contract.get("refers_to")
            if name in PARENTS and each == PARENTS[name][1]:
                target = PARENTS[name][0]
            if KEYS.get(name) == each:
                values = list(keys[name])[:rows]
            elif target is not None:
                loose = column.contract.get("unmatched") == "missing"
                values = [_link(random, keys[target], gaps if column.gaps else 0.0, loose) for _ in range(rows)]
            made[each] = pa.array(values, _arrow(column.type, zone))
        found[name] = pa.table(made)
        keys[name] = keys[name][:rows]
    return found


def _link(random: Random, targets: list[str], gaps: float, loose: bool) -> str | None:
    if random.random() < gaps or not (targets or loose):
        return None
    if loose and (not targets or random.random() < 0.2):
        return "nowhere"
    return random.choice(targets)


def _arrow(type_: Type, zone: str) -> pa.DataType:
    match type_:
        case Bool():
            return pa.bool_()
        case Integer():
            return pa.int64()
        case Decimal(scale):
            return pa.decimal128(30, scale)
        case Number():
            return pa.float64()
        case Text():
            return pa.string()
        case Date():
            return pa.date32()
        case Timestamp():
            return pa.timestamp("us", tz=zone)
        case _:
            return pa.list_(pa.string())


MOMENTS = (
    "2018-02-18T01:30:00", "2018-02-18T02:00:00", "2018-02-18T02:30:00", "2018-02-18T03:00:00",
    "2026-03-29T00:59:59.999999", "2026-03-29T01:00:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00",
    "2018-11-04T02:59:59", "2018-11-04T03:00:00", "2026-11-21T00:00:00", "2026-11-20T16:00:00", "2026-11-20T15:59:59",
    "2024-02-29T12:00:00", "2023-11-05T05:31:00", "2026-08-23T23:00:00.000001", "2025-11-21T12:00:00",
)  # fmt: skip
DATES = (
    "2026-11-21", "2026-11-20", "2026-11-22", "2026-10-23", "2026-10-22", "2026-10-21", "2025-11-21", "2024-02-29",
    "2000-02-29", "2026-12-31", "2026-01-31", "2026-03-29", "1970-01-01", "1999-12-31",
)  # fmt: skip


def value(random: Random, column: Made, wild: bool) -> Any:
    """A value that keeps the contract of *column*, from few enough that ties are common."""
    contract = column.contract
    if "values" in contract and column.type != LIST:
        return random.choice(contract["values"])
    most = wild and column.wild and random.random() < 0.7
    found: Any
    match column.type:
        case Bool():
            return random.random() < 0.5
        case Integer():
            ends = (INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, 2**62, -(2**53) - 1, 2**53 + 1)
            found = random.choice(ends if most else (0, 1, 2, 3, 5, -1, -7, 12, 30, 100))
        case Decimal(scale):
            found = Exact(random.choice((0, 1, 5, 100, 150, -250, 999, 1234, 50, 100_000))).scaleb(-scale)
        case Number():
            ends_of_doubles = (1e308, -1e308, 5e-324, 0.1, 2.0**53 + 1, 1.7976931348623157e308)
            return random.choice(ends_of_doubles if most else (0.0, 0.125, 1.5, -2.25, 3.0, 100.0, -0.5, 12.0))
        case Text():
            return random.choice(WORDS)
        case Date():
            ends_of_days = ("0001-01-01", "9999-12-31", "9999-11-30", "0001-03-01", "1582-10-15")
            return datetime.date.fromisoformat(random.choice(ends_of_days if most else DATES))
        case Timestamp():
            ends_of_time = ("0001-01-02T00:00:00", "9999-12-30T23:59:59.999999", "0001-01-01T12:00:00", "1582-10-15")
            chosen = random.choice(ends_of_time if most else MOMENTS)
            return datetime.datetime.fromisoformat(chosen).replace(tzinfo=datetime.UTC)
        case _:
            several = [random.choice(contract.get("values", WORDS)) for _ in range(random.choice((0, 1, 2, 3)))]
            return [one for one in several if one != ""]
    least, greatest = contract.get("min"), contract.get("max")
    if random.random() < 0.1 and (least if random.random() < 0.5 else greatest) is not None:
        found = type(found)(least if least is not None else greatest)
    if least is not None and found < least:
        found = type(found)(least)
    if greatest is not None and found > greatest:
        found = type(found)(greatest)
    return found
