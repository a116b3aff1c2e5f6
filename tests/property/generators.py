"""Well-typed rule sets and tables that keep their contract, from a source of choices.

In: a `random.Random`, which Hypothesis controls.  Out: a `RuleSet` of checked trees and `Tables`.  Always: every
expression has the types that the checker promises; what is rounded more than once (sums of doubles, square roots)
stands only as a value of its own, where it is compared within a tolerance, never inside a comparison.

    world = tables(random.Random(1))
    rules = ruleset(random.Random(2), world.contracts)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import numpy as np

from segrules.model import expr as m
from segrules.model.expr import Expr
from segrules.schema.calendar import MICROSECONDS_PER_DAY
from segrules.schema.contract import ColumnContract, Contracts, Parent, Table
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
    UNTYPED,
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
    Value,
    scale_of,
)  # fmt: skip
from segrules.tables.columns import Column, Ints, Loaded, Tables
from tests.columns_of import column_of

T = TypeVar("T")

AS_OF = 20_778
"""2026-11-21."""

ZONES = ("Asia/Shanghai", "America/St_Johns", "Europe/London", "UTC", "America/Sao_Paulo")
WORDS = ("", "a", "A", "ab", "b", "北京", "上海", "北", "Ä", "z z", "1", "10")
COLUMNS: dict[str, dict[str, tuple[Type, bool]]] = {
    "customers": {
        "id": (TEXT, False), "flag": (BOOL, True), "sure": (BOOL, False), "n": (INTEGER, True), "m": (INTEGER, False),
        "big": (INTEGER, True), "money": (Decimal(2), True), "fine": (Decimal(4), False), "x": (NUMBER, True),
        "y": (NUMBER, False), "name": (TEXT, True), "kind": (TEXT, False), "born": (DATE, True), "since": (DATE, False),
        "seen": (TIMESTAMP, True), "made": (TIMESTAMP, False), "tags": (LIST, True), "city": (TEXT, True),
    },
    "orders": {
        "oid": (TEXT, False), "cid": (TEXT, True), "paid": (TIMESTAMP, False), "amount": (Decimal(2), True),
        "count": (INTEGER, False), "huge": (INTEGER, True), "channel": (TEXT, True), "ok": (BOOL, True),
        "score": (NUMBER, True), "due": (DATE, True), "labels": (LIST, True), "shop": (TEXT, True),
    },
    "lines": {
        "of": (TEXT, False), "at": (TIMESTAMP, False), "price": (Decimal(3), True), "pieces": (INTEGER, True),
        "sku": (TEXT, False),
    },
    "cities": {"city": (TEXT, False), "tier": (TEXT, True), "size": (INTEGER, False), "region": (TEXT, True)},
    "regions": {"region": (TEXT, False), "rank": (Decimal(1), True), "coast": (BOOL, False)},
}  # fmt: skip
REFERS = {("customers", "city"): "cities", ("orders", "shop"): "cities", ("cities", "region"): "regions"}


def contracts(zone: str) -> Contracts[Expr]:
    def table(name: str, key: str | None, parent: Parent | None = None, time: str | None = None) -> Table[Expr]:
        columns = {
            each: ColumnContract(each, type_, gaps, refers_to=REFERS.get((name, each)), unmatched_is_missing=True)
            for each, (type_, gaps) in COLUMNS[name].items()
        }
        return Table(name, None, columns, key, parent, time)

    return Contracts(
        "customers",
        zone,
        {
            "customers": table("customers", "id"),
            "orders": table("orders", "oid", Parent("customers", "cid"), "paid"),
            "lines": table("lines", None, Parent("orders", "of"), "at"),
            "cities": table("cities", "city"),
            "regions": table("regions", "region"),
        },
    )


@dataclass(frozen=True, slots=True)
class World:
    """Contracts and tables that keep them. `tame`: no value is near the ends of 64 bits."""

    contracts: Contracts[Expr]
    tables: Tables
    tame: bool


def world(random: Random) -> World:
    """Tables of a few rows: ties, gaps, rows of nobody, references to nothing, sometimes no rows at all."""
    zone = random.choice(ZONES)
    tame = random.random() < 0.7
    sizes = {
        "customers": random.choice((0, 1, 3, 8, 17, 40)), "orders": random.choice((0, 5, 30, 80)),
        "lines": random.choice((0, 10, 60)), "cities": random.choice((0, 2, 5)), "regions": random.choice((0, 2)),
    }  # fmt: skip
    loaded: dict[str, Loaded] = {}
    keys: dict[str, list[str]] = {}
    gaps = random.choice((0.0, 0.1, 0.4, 0.8))
    for name, size in sizes.items():
        columns: dict[str, Column] = {}
        keys[name] = sorted(f"{name[0]}{(7 * i) % 101:02d}" for i in range(size))
        for each, (type_, can_be_missing) in COLUMNS[name].items():
            column_gaps = gaps if can_be_missing and random.random() < 0.8 else 0.0
            wild = each in ("big", "huge") and not tame
            values = [None if random.random() < column_gaps else value(random, type_, wild) for _ in range(size)]
            columns[each] = column_of(type_, values, spare=("spare", "b"))
        if (key := {"customers": "id", "orders": "oid", "cities": "city", "regions": "region"}.get(name)) is not None:
            own = keys[name] if name == "customers" else shuffled(random, keys[name])
            columns[key] = column_of(TEXT, own)
            keys[name] = own
        loaded[name] = Loaded(name, size, columns)
    parents = {"orders": "customers", "lines": "orders"}
    for name, parent in parents.items():
        strangers = 0.15 if name == "orders" and random.random() < 0.4 else 0.0
        links = _links(random, sizes[name], sizes[parent], strangers)
        loaded[name] = Loaded(name, sizes[name], loaded[name].columns, links)
    for (name, each), target in REFERS.items():
        links = _links(random, sizes[name], sizes[target], 0.3)
        old = loaded[name]
        texts = [None if link < 0 else keys[target][link] for link in links]
        columns = {**old.columns, each: column_of(TEXT, texts)}
        loaded[name] = Loaded(name, old.rows, columns, old.parent, {**old.references, each: links})
    listed = frozenset[Value](key for key in keys["customers"] if random.random() < 0.3)
    return World(contracts(zone), Tables(loaded, lists={"chosen": listed}), tame)


def shuffled(random: Random, values: Sequence[T]) -> list[T]:
    return sorted(values, key=lambda _: random.random())


def _links(random: Random, rows: int, targets: int, loose: float) -> Ints:
    found = [-1 if not targets or random.random() < loose else random.randrange(targets) for _ in range(rows)]
    return np.array(found, np.int64)


def value(random: Random, type_: Type, wild: bool = False) -> Value:
    """A stored value of *type_*, from few enough that ties are common; *wild*: near the ends of 64 bits."""
    match type_:
        case Bool():
            return random.random() < 0.5
        case Integer():
            if wild and random.random() < 0.7:
                return random.choice(
                    (INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1, 2**62, -(2**53) - 1, 2**53 + 1)
                )
            return random.choice((0, 1, 2, 3, 5, -1, -7, 12, 60, 100))
        case Decimal(scale):
            return random.choice((0, 1, 5, 100, 150, -250, 999, 1234, 50)) * 10 ** (scale // 3)
        case Number():
            return random.choice((0.0, 0.125, 1.5, -2.25, 3.0, 100.0, -0.5, 12.0))
        case Text():
            return random.choice(WORDS)
        case Date():
            return AS_OF + random.choice((0, 0, 1, -1, -29, -30, -31, -365, 40, -9000, -8331, 7))
        case Timestamp():
            day = AS_OF + random.choice((0, -1, -20, -21, -30, -90, -230, -365, 3))
            return day * MICROSECONDS_PER_DAY + random.choice((0, 1, -1, 57_600_000_000, 10_800_000_000, 12_345))
        case ListOfText():
            return tuple(random.choice(WORDS) for _ in range(random.choice((0, 1, 2, 3))))
        case _:
            return None


Made = Callable[["Maker", int], Expr]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes expressions for the rows of `table`; `names`: what may be referred to, with its type; `mild`: without
    columns whose values may be near the ends of 64 bits."""

    random: Random
    table: str
    names: tuple[tuple[str, Type], ...]
    tame: bool
    mild: bool = False

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def inside(self, table: str) -> Maker:
        return Maker(self.random, table, self.names, self.tame, self.mild)


def make(self: Maker, type_: Type, depth: int) -> Expr:
    """An expression of *type_*, at most *depth* operations deep."""
    if depth <= 0 or self.chance(0.12):
        return leaf(self, type_)
    ways: list[Made] = [lambda s, d: leaf(s, type_), lambda s, d: case(s, type_, d), lambda s, d: default(s, type_, d)]
    match type_:
        case Bool():
            ways = [comparison, comparison, logic, logic, logic, contained, is_missing, text_test, *ways]
        case Integer():
            ways += [arithmetic_of(type_), whole_function, part_of_day, counted, counted]
        case Decimal():
            ways += [arithmetic_of(type_), lambda s, d: rounded(s, type_, d), lambda s, d: widened(s, type_, d)]
        case Number():
            ways += [arithmetic_of(type_), quotient, lambda s, d: widened(s, type_, d), floored]
        case Text():
            ways += [text_function, text_function]
        case Date():
            ways += [moved_of(type_), local_day, anniversary]
        case Timestamp():
            ways += [moved_of(type_)]
    if self.table == "customers" and not isinstance(type_, ListOfText):
        ways.append(lambda s, d: aggregated(s, type_, d))
    if self.table == "customers" and isinstance(type_, Integer | Date):
        ways.append(lambda s, d: ranked(s, type_, d))
    return self.random.choice(ways)(self, depth - 1)


def leaf(self: Maker, type_: Type) -> Expr:
    """A constant, a column of the row or its parents, a name, or a looked-up value."""
    found: list[Expr] = [m.Constant(value(self.random, type_), type_)]
    if self.chance(0.05):
        return m.Constant(None, self.random.choice((type_, UNTYPED)))
    chain = {"customers": ("customers",), "orders": ("orders", "customers"), "lines": ("lines", "orders", "customers")}
    for table in chain[self.table]:
        for name, (own, gaps) in COLUMNS[table].items():
            wild = name in ("big", "huge")
            if own == type_ and not (wild and self.mild):
                found += [m.Column(table, name, own, gaps)] * (2 if self.tame or not wild else 4)
    found += [m.Reference(name, own, True) for name, own in self.names if own == type_]
    city = m.Column("customers", "city", TEXT, True)
    shop = m.Column("orders", "shop", TEXT, True)
    for key in (city,) if self.table == "customers" else (city, shop):
        region = m.Lookup(key, "cities", "region", TEXT, True)
        looked = (
            m.Lookup(key, "cities", "tier", TEXT, True), m.Lookup(key, "cities", "size", INTEGER, True),
            m.Lookup(region, "regions", "rank", Decimal(1), True), m.Lookup(region, "regions", "coast", BOOL, True),
        )  # fmt: skip
        found += [one for one in looked if one.type == type_]
    if isinstance(type_, Date):
        kind = self.random.choice(("last", "next", "this", "previous"))
        unit = self.random.choice(("day", "week", "month", "quarter", "year"))
        amount = 1 if kind == "this" else self.random.choice((1, 2, 30))
        found += [m.AsOf(), m.WindowEdge(kind, amount, unit, self.random.choice(("first", "last")))]
    return self.random.choice(found)


def case(self: Maker, type_: Type, depth: int) -> Expr:
    branches = tuple((make(self, BOOL, depth), make(self, type_, depth)) for _ in range(self.random.choice((1, 1, 2))))
    return m.Case(branches, make(self, type_, depth) if self.chance(0.7) else None, type_)


def default(self: Maker, type_: Type, depth: int) -> Expr:
    return m.Call("default", (make(self, type_, depth), make(self, type_, depth)), type_)


def exact(self: Maker) -> Type:
    return self.random.choice((INTEGER, Decimal(1), Decimal(2), Decimal(4)))


def comparison(self: Maker, depth: int) -> Expr:
    op = self.random.choice(("=", "!=", "<", "<=", ">", ">="))
    type_: Type = self.random.choice((INTEGER, INTEGER, Decimal(2), NUMBER, TEXT, DATE, DATE, TIMESTAMP, BOOL))
    other = exact(self) if isinstance(type_, Integer | Decimal) else type_
    sides = [make(self, type_, depth), make(self, other, min(depth, 1))]
    if isinstance(type_, Date) and self.chance(0.5):
        sides[0] = m.Convert(make(self, TIMESTAMP, min(depth, 1)), DATE)
    if self.chance(0.3):
        sides.reverse()
    return m.Compare(op, sides[0], sides[1])


def contained(self: Maker, depth: int) -> Expr:
    type_: Type = self.random.choice((INTEGER, Decimal(2), NUMBER, TEXT, TEXT, DATE, TIMESTAMP, BOOL))
    operand = make(self, type_, depth)
    if isinstance(type_, Date) and self.chance(0.5):
        operand = m.Convert(make(self, TIMESTAMP, 0), DATE)
    many = self.chance(0.2)
    options: list[Expr] = []
    for _ in range(12 if many else self.random.choice((1, 2, 3))):
        own = exact(self) if isinstance(type_, Integer | Decimal) else type_
        constant = many or self.chance(0.7)
        options.append(m.Constant(value(self.random, own), own) if constant else make(self, own, 0))
    return m.In(operand, tuple(options))


def logic(self: Maker, depth: int) -> Expr:
    kind = self.random.choice((m.And, m.Or, m.Not))
    if kind is m.Not:
        return m.Not(make(self, BOOL, depth))
    return kind(tuple(make(self, BOOL, depth) for _ in range(self.random.choice((2, 2, 3)))))


def is_missing(self: Maker, depth: int) -> Expr:
    type_ = self.random.choice((BOOL, INTEGER, Decimal(2), NUMBER, TEXT, DATE, TIMESTAMP, LIST))
    return m.IsMissing(make(self, type_, depth))


def text_test(self: Maker, depth: int) -> Expr:
    function = self.random.choice(
        ("contains", "starts_with", "ends_with", "matches", "contains_any", "has_any", "has_all")
    )
    if function == "matches":
        pattern = self.random.choice(("^a", "[0-9]", "b$", "北", "", "^.$"))
        return m.Call(function, (make(self, TEXT, depth), m.Constant(pattern, TEXT)), BOOL)
    subject = make(self, LIST if function.startswith("has") else TEXT, depth)
    several = function in ("contains_any", "has_any", "has_all")
    parts = [
        make(self, TEXT, 0) if self.chance(0.3) else m.Constant(self.random.choice(WORDS), TEXT)
        for _ in range(self.random.choice((1, 2, 3)) if several else 1)
    ]
    return m.Call(function, (subject, *parts), BOOL)


def arithmetic_of(type_: Type) -> Made:
    def made(self: Maker, depth: int) -> Expr:
        op = self.random.choice(("+", "-", "*"))
        if isinstance(type_, Decimal) and op == "*":
            left = self.random.choice(range(type_.scale + 1))
            scales = (left, type_.scale - left)
            sides = [make(self, Decimal(scale) if scale else INTEGER, depth) for scale in scales]
            sides = [m.Convert(s, Decimal(0)) if isinstance(s.type, Integer) else s for s in sides]
            return m.Arithmetic(op, sides[0], sides[1], type_)
        if isinstance(type_, Integer) and op == "-" and self.chance(0.2):
            return m.Arithmetic("-", make(self, DATE, depth), make(self, DATE, depth), INTEGER)
        left = extreme(self) if isinstance(type_, Integer) and self.chance(0.3) else make(self, type_, depth)
        return m.Arithmetic(op, left, make(self, type_, min(depth, 1)), type_)

    return made


def extreme(self: Maker) -> Expr:
    """The column whose values may be near the ends of 64 bits."""
    if self.mild:
        return leaf(self, INTEGER)
    if self.table == "orders":
        return m.Column("orders", "huge", INTEGER, True)
    return m.Column("customers", "big", INTEGER, True)


def quotient(self: Maker, depth: int) -> Expr:
    if self.chance(0.4):
        return m.Arithmetic("/", make(self, NUMBER, depth), make(self, NUMBER, 0), NUMBER)
    sides = [make(self, exact(self), depth), extreme(self) if self.chance(0.3) else make(self, exact(self), 0)]
    return m.Arithmetic("/", *shuffled(self.random, sides), NUMBER)


def whole_function(self: Maker, depth: int) -> Expr:
    function = self.random.choice(("abs", "floor", "ceil", "round", "least", "greatest", "div", "mod", "band", "length",
                                   "count_items", "hash_bucket"))  # fmt: skip
    match function:
        case "abs":
            return m.Call(function, (make(self, INTEGER, depth),), INTEGER)
        case "floor" | "ceil":
            return m.Call(function, (make(self, exact(self), depth),), INTEGER)
        case "round":
            return m.Call(function, (make(self, exact(self), depth),), INTEGER)
        case "least" | "greatest" | "div" | "mod":
            return m.Call(function, (make(self, INTEGER, depth), make(self, INTEGER, depth)), INTEGER)
        case "band":
            cuts = tuple(m.Constant(cut, Decimal(1)) for cut in (-5, 10, 15))
            return m.Call(function, (make(self, exact(self), depth), *cuts), INTEGER)
        case "length":
            return m.Call(function, (make(self, TEXT, depth),), INTEGER)
        case "count_items":
            return m.Call(function, (make(self, LIST, depth),), INTEGER)
        case _:
            rest = (m.Constant(7, INTEGER), m.Constant("salt", TEXT))
            return m.Call("hash_bucket", (make(self, TEXT, depth), *rest), INTEGER)


def part_of_day(self: Maker, depth: int) -> Expr:
    function = self.random.choice(("year", "quarter", "month", "day", "weekday", "days_since", "weeks_since",
                                   "months_since", "years_since", "days_between"))  # fmt: skip
    own = [self.random.choice((DATE, TIMESTAMP)) for _ in range(2 if function == "days_between" else 1)]
    return m.Call(function, tuple(make(self, one, depth) for one in own), INTEGER)


def counted(self: Maker, depth: int) -> Expr:
    """A scorecard or aggregate where there can be one; else a number."""
    return aggregated(self, INTEGER, depth) if self.table == "customers" else leaf(self, INTEGER)


def rounded(self: Maker, type_: Decimal, depth: int) -> Expr:
    if type_.scale == 0:
        return leaf(self, type_)
    return m.Call("round", (make(self, Decimal(4), depth), m.Constant(type_.scale, INTEGER)), type_)


def widened(self: Maker, type_: Type, depth: int) -> Expr:
    narrow = exact(self)
    if isinstance(type_, Decimal) and scale_of(narrow) > type_.scale:
        narrow = INTEGER
    inner = make(self, narrow, depth)
    return inner if inner.type == type_ else m.Convert(inner, type_)


def floored(self: Maker, depth: int) -> Expr:
    function = self.random.choice(("floor", "ceil", "round", "abs"))
    return m.Call(function, (make(self, NUMBER, depth),), NUMBER)


def text_function(self: Maker, depth: int) -> Expr:
    function = self.random.choice(("lower", "upper", "trim", "concat", "replace", "left_text", "right_text", "least"))
    subject = make(self, TEXT, depth)
    match function:
        case "concat" | "least":
            return m.Call(function, (subject, make(self, TEXT, depth)), TEXT)
        case "replace":
            return m.Call(function, (subject, make(self, TEXT, 0), make(self, TEXT, 0)), TEXT)
        case "left_text" | "right_text":
            return m.Call(function, (subject, make(self, INTEGER, 0)), TEXT)
        case _:
            return m.Call(function, (subject,), TEXT)


def moved_of(type_: Type) -> Made:
    def made(self: Maker, depth: int) -> Expr:
        unit = self.random.choice(("day", "week", "month", "quarter", "year"))
        amount = self.random.choice((1, -1, 3, -13, 400, -9000))
        return m.Shift(make(self, type_, depth), amount, unit, type_)

    return made


def local_day(self: Maker, depth: int) -> Expr:
    return m.Call("date", (make(self, self.random.choice((DATE, TIMESTAMP)), depth),), DATE)


def anniversary(self: Maker, depth: int) -> Expr:
    return m.Call("next_anniversary", (make(self, self.random.choice((DATE, TIMESTAMP)), depth),), DATE)


def aggregated(self: Maker, type_: Type, depth: int) -> Expr:
    """An aggregate of *type_* over orders or lines, exact."""
    table = self.random.choice(("orders", "orders", "lines"))
    inner = self.inside(table)
    where = make(inner, BOOL, min(depth, 2)) if self.chance(0.6) else None
    functions = ["min", "max", "first", "last"]
    match type_:
        case Bool():
            functions = ["any", "all", "first"]
        case Integer():
            functions += ["count", "sum", "count_distinct"]
        case Decimal():
            functions += ["sum"]
        case Number():
            functions += ["avg", "median"]
    function = self.random.choice(functions)
    own: Type = type_
    match function:
        case "count":
            return m.Aggregate(function, table, None, where, INTEGER)
        case "any":
            return m.Aggregate(function, table, make(inner, BOOL, 1) if self.chance(0.3) else None, where, BOOL)
        case "count_distinct":
            own = self.random.choice((TEXT, INTEGER, Decimal(2), DATE, BOOL, NUMBER, TIMESTAMP))
        case "avg" | "median":
            own = exact(self)
    return m.Aggregate(function, table, make(inner, own, min(depth, 1)), where, type_)


def ranked(self: Maker, type_: Type, depth: int) -> Expr:
    """A value relative to all customers: an integer, or for dates a quantile."""
    own = self.random.choice((INTEGER, Decimal(2), NUMBER, DATE)) if isinstance(type_, Integer) else DATE
    function = self.random.choice(("qcut", "ntile", "rank")) if isinstance(type_, Integer) else "quantile"
    by = tuple(make(self, t, 0) for t in self.random.choice(((), (), (TEXT,), (BOOL, TEXT), (INTEGER,), (DATE,))))
    among = make(self, BOOL, 1) if self.chance(0.3) else None
    argument = {"qcut": 4, "ntile": 3, "rank": None, "quantile": (1, 3)}[function]
    shown = make(self, own, min(depth, 1))
    return m.Population(function, shown, self.chance(0.4), by, among, argument, type_)


def approximate(self: Maker, depth: int) -> Expr:
    """A number that is rounded more than once: only for a value of its own."""
    self = Maker(self.random, self.table, (), self.tame, mild=True)
    inner = self.inside("orders")
    kind = self.random.choice(
        ("sum", "avg", "stddev", "median", "sqrt", "ln", "exp", "power", "percent_rank", "quantile")
    )
    where = make(inner, BOOL, 1) if self.chance(0.5) else None
    match kind:
        case "sum" | "avg" | "median":
            return m.Aggregate(kind, "orders", make(inner, NUMBER, 1), where, NUMBER)
        case "stddev":
            return m.Aggregate(kind, "orders", make(inner, exact(self), 1), where, NUMBER)
        case "sqrt" | "ln" | "exp":
            return m.Call(kind, (make(self, self.random.choice((NUMBER, Decimal(2))), depth),), NUMBER)
        case "power":
            return m.Call(kind, (make(self, NUMBER, depth), make(self, INTEGER, 0)), NUMBER)
        case "percent_rank":
            return m.Population(kind, make(self, INTEGER, 1), self.chance(0.5), (), None, None, NUMBER)
        case _:
            return m.Population("quantile", make(self, NUMBER, 1), self.chance(0.5), (), None, (7, 20), NUMBER)


def is_approximate(expr: Expr) -> bool:
    """Whether *expr* was made by `approximate`, so that engines may differ in its last digits."""
    rounded_twice = ("sum", "avg", "stddev", "median", "sqrt", "ln", "exp", "power", "percent_rank", "quantile")
    return isinstance(expr, m.Aggregate | m.Call | m.Population) and expr.function in rounded_twice
