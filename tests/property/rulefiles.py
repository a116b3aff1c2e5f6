"""Rule files of every kind of definition, in generated expressions.

In: a source of choices.  Out: the body of a rule file.  Always: definitions use only earlier ones, and then stand in
any order; ids of cases are used bare only where one segmentation has them.

    body = rules(random, 10)      # {"purpose": …, "attributes": {"d0": {"value": "…"}}, …}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from segrules.schema.types import BOOL, DATE, INTEGER, LIST, NUMBER, TEXT, TIMESTAMP, Decimal, Text, Type
from tests.property.projects import VALUES
from tests.property.spelling import quoted, written
from tests.property.writing import Named, Writer, approximate, make, plain, unheld

PARAMETERS: dict[str, Any] = {
    "p_days": 30, "天数": 7, "p_line": "5万", "share": "20%", "p_word": "A", "p_day": "2026-01-31", "p_on": True,
    "kinds": ["A", "北京"], "名单": ["b", "z z"], "counts": [1, 2, 30], "p days": ["2026-11-21", "2024-02-29"],
}  # fmt: skip
NAMED = (
    Named("p_days", INTEGER), Named("天数", INTEGER), Named("p_word", TEXT), Named("p_day", DATE), Named("p_on", BOOL),
    Named("share", Decimal(2)),
)  # fmt: skip
LISTS = (Named("kinds", TEXT), Named("名单", TEXT), Named("counts", INTEGER), Named("`p days`", DATE))
TYPES: tuple[Type, ...] = (BOOL, INTEGER, Decimal(2), Decimal(4), NUMBER, TEXT, DATE, TIMESTAMP, LIST)


@dataclass(slots=True)
class File:
    """A rule file in the making. `approximate`: attributes that are rounded more than once."""

    random: Random
    names: list[Named] = field(default_factory=list)
    body: dict[str, dict[str, Any]] = field(default_factory=dict)
    approximate: set[str] = field(default_factory=set)

    def writer(self) -> Writer:
        return Writer(self.random, "customers", tuple(self.names), NAMED, LISTS)

    def text(self, type_: Type, depth: int) -> str:
        return written(self.random, make(self.writer(), type_, depth))

    def add(self, kind: str, name: str, body: dict[str, Any]) -> None:
        self.body.setdefault(kind, {})[name] = body


def rules(random: Random, definitions: int) -> tuple[dict[str, Any], set[str]]:
    """The body of a rule file, and the attributes whose values are rounded more than once."""
    file = File(random)
    makers = (
        attribute,
        attribute,
        attribute,
        segment,
        segment,
        segment,
        cases,
        matrix,
        table,
        table,
        scorecard,
        number,
    )
    for count in range(definitions):
        name = random.choice(("d{}", "定义{}", "非会员{}", "d {}", "end{}")).format(count)
        random.choice(makers)(file, name, count)
    for count in range(definitions):
        type_ = random.choice((BOOL, BOOL, INTEGER, INTEGER, INTEGER, NUMBER, TEXT, DATE, TIMESTAMP))
        file.add("attributes", f"one {count}", {"value": written(random, plain(file.writer(), type_))})
    return whole(random, file.body), file.approximate


def whole(random: Random, body: dict[str, dict[str, Any]]) -> dict[str, Any]:
    shuffled = {kind: dict(sorted(one.items(), key=lambda _: random.random())) for kind, one in body.items()}
    parameters = {name: {"value": value} for name, value in PARAMETERS.items()}
    return {"purpose": "to test", "owner": "tests", "parameters": parameters, **shuffled}


Maker = Callable[[File, str, int], None]


def attribute(file: File, name: str, count: int) -> None:
    type_ = file.random.choice(TYPES)
    piece = make(file.writer(), type_, 3)
    file.add("attributes", name, {"value": written(file.random, piece)})
    file.names.append(Named(quoted(name), type_, piece.finite))


def number(file: File, name: str, count: int) -> None:
    file.add("attributes", name, {"value": written(file.random, approximate(file.writer(), 2))})
    file.approximate.add(name)


def segment(file: File, name: str, count: int) -> None:
    file.add("segments", name, {"when": file.text(BOOL, 4)})
    file.names.append(Named(quoted(name), BOOL))


def cases(file: File, name: str, count: int) -> None:
    ids = file.random.sample(("new", "新客", "star", f"only{count}"), file.random.choice((1, 2, 3)))
    body: dict[str, Any] = {"cases": [{"segment": one, "when": file.text(BOOL, 2)} for one in ids]}
    if file.random.random() < 0.15:
        flag = file.random.choice(("flag", "确认", "flag"))
        body["cases"] += [{"segment": "no", "when": f"not ({flag})"}, {"segment": "yes", "when": flag},
                          {"segment": "maybe", "when": f"({flag}) is missing"}]  # fmt: skip
    else:
        body["otherwise"] = {"segment": file.random.choice(("rest", "new"))}
    if file.random.random() < 0.4:
        body["unknown"] = {"segment": file.random.choice(("unsure", "star"))}
    if file.random.random() < 0.15:
        body["hit_policy"] = "unique"
    file.add("segmentations", name, body)
    known(file, name, ids, f"only{count}")


def known(file: File, name: str, ids: list[str], own: str) -> None:
    """A segmentation and its cases may be named; a bare id where no other has it."""
    file.names.append(Named(quoted(name), TEXT, True))
    file.names += [Named(f"{quoted(name)}.{quoted(one)}", BOOL) for one in dict.fromkeys(ids)]
    if own in ids:
        file.names.append(Named(own, BOOL))


def matrix(file: File, name: str, count: int) -> None:
    random = file.random
    axes: dict[str, Any] = {}
    for axis in ("价值", "potential"):
        type_ = random.choice((INTEGER, Decimal(2), NUMBER, DATE, TEXT))
        if type_ == TEXT:
            axes[axis] = {"of": random.choice(("kind", "城市属于", "city.tier")), "bands": {
                "low": "A, b", "high": random.choice(("北京, z z", 'in ("北京", "z z")', "not A, b"))}}  # fmt: skip
        else:
            text = file.text(type_, 2)
            cut = "2026-01-01" if type_ == DATE else random.choice(("3", "1.5", "0"))
            low, high = random.choice(
                ((f"< {cut}", f">= {cut}"), (f"<= {cut}", f"大于{cut}"), (f"not > {cut}", f"> {cut}"))
            )
            axes[axis] = {"of": text, "bands": {"low": low, "high": high}}
        if random.random() < 0.4:
            axes[axis]["bands"]["none"] = random.choice(("missing", "缺失", "is missing"))
    ids = ["star", "new", f"only{count}", "新客"]
    spots = {tuple(random.choice((*one["bands"], "-")) for one in axes.values()) for _ in range(4)}
    cells = [
        {**dict(zip(axes, spot, strict=True)), "segment": id_} for spot, id_ in zip(sorted(spots), ids, strict=False)
    ]
    body = {"axes": axes, "cells": random.sample(cells, len(cells)), "otherwise": {"segment": "rest"}}
    file.add("segmentations", name, body)
    known(file, name, [cell["segment"] for cell in cells], f"only{count}")


def table(file: File, name: str, count: int) -> None:
    random = file.random
    columns = [random.choice(TYPES[:-1]) for _ in range(random.choice((1, 2, 3)))]
    subjects = [make(file.writer(), type_, 1) for type_ in columns]
    subjects = [unheld(file.writer(), piece) if piece.finite else piece for piece in subjects]
    outputs: list[Type] = [
        random.choice((INTEGER, Decimal(2), TEXT, DATE, BOOL)) for _ in range(random.choice((0, 1, 2)))
    ]
    names = ["segment", *(f"out{number}" for number in range(len(outputs)))]
    ids = [random.choice(("new", "star", f"only{count}", "old")) for _ in range(random.choice((1, 2, 4)))]

    def row(id_: str) -> list[Any]:
        return [id_, *(output(file, type_) for type_ in outputs)]

    rows = [[cell(file, type_) for type_ in columns] + row(id_) for id_ in ids]
    for at, type_ in enumerate(outputs):
        rows[0][len(columns) + 1 + at] = {"integer": 3, "text": "A", "date": "2026-11-21", "bool": True}.get(
            str(type_), "1.25"
        )
    body: dict[str, Any] = {"columns": [written(random, piece) for piece in subjects], "rows": rows,
                            "otherwise": row("rest"), "hit_policy": "first"}  # fmt: skip
    if outputs:
        body["outputs"] = names
    else:
        body["outputs"] = ["segment"]
    if random.random() < 0.3:
        body["unknown"] = row("unsure")
    file.add("segmentations", name, body)
    known(file, name, ids, f"only{count}")
    file.names += [Named(f"{quoted(name)}.{one}", type_, True) for one, type_ in zip(names[1:], outputs, strict=True)]


def output(file: File, type_: Type) -> Any:
    random = file.random
    if random.random() < 0.2:
        return ""
    if random.random() < 0.5:
        return "= " + file.text(type_, 1)
    values: dict[str, tuple[Any, ...]] = {
        "bool": (True, False, "真"), "integer": (3, "5万", -2), "text": ("A", "x y", "in 北京"),
        "date": ("2026-11-21",),
    }  # fmt: skip
    return random.choice(values.get(str(type_), ("1.25", "20%", 7)))


def cell(file: File, type_: Type) -> Any:
    """A cell over a column of *type_*."""
    random = file.random
    general: list[Any] = ["-", "", "missing", "不为空", "is missing"]
    match type_:
        case Text():
            a, b = random.sample(VALUES, 2)
            general += [a, f"{a}, {b}", f"{a}、{b}", f"not {a}", f'!= "{a}"', f'in ("{a}", \'{b}\')', "= p_word",
                        'contains "a"', "开头为“北”", f"missing, {a}"]  # fmt: skip
        case _ if type_ == BOOL:
            general += [True, False, "真", "not true"]
        case _ if type_ in (DATE, TIMESTAMP):
            general += ["in last 30 days", "在本月", ">= 2026-01-01", "[2024-02-29 .. 2026-11-21)",
                        "not 在未来 天数 天", "p_day", "2026-11-21, < 2000-01-01", 
                        "between 30 days ago and today"]  # fmt: skip
        case _:
            general += [3, 1, ">= 3", "[0 .. 3)", "(0..2]", "1, 2", "not 1", "> -1 and < 3", "介于 1 和3",
                        "p_days", "in counts" if type_ == INTEGER else "3", "in (1, 2)", "1, >= 3",
                        "!= 2", "小于5万"]  # fmt: skip
    return random.choice(general)


def scorecard(file: File, name: str, count: int) -> None:
    random = file.random
    decimal = random.random() < 0.4

    def points() -> Any:
        return random.choice((0, 5, -10, 35, *((1.5, 0.25) if decimal else ())))

    characteristics = []
    for number in range(random.choice((1, 2))):
        rows: list[Any] = [{"when": file.text(BOOL, 2), "points": points()} for _ in range(random.choice((1, 2)))]
        characteristics.append(
            {"name": f"c{number}", "points": [*rows, {"otherwise": points()}], "missing": points()}
        )  # fmt: skip
    file.add("scorecards", name, {"base": points(), "characteristics": characteristics})
    file.names.append(Named(quoted(name), Decimal(2) if decimal else INTEGER))
