"""Random predicates, each written in the language and in SQL.

In: a seed.  Out: `Both`: one tree as two texts.  Always: the SQL shares nothing with the parser, the checker or the
engines; what SQL leaves open is closed here: decimals are integers in units of their scale, whose scales are tracked;
quotients are of doubles; a `??` of mixed numbers is brought to their widest type; nothing leaves 53 bits.

    Trees(1).predicate(3)      # Both("not (a < 3 or b is missing)", "(NOT ((a < 3) OR (b IS NULL)))", …)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from segrules.schema.calendar import to_date

INTEGER, NUMBER, TEXT, DATE, BOOL = "integer", "number", "text", "date", "bool"
ANY, OR, AND, NOT, TEST, SUM, PRODUCT, UNARY, FALLBACK, PRIMARY = range(10)
FIRST_DAY = 20_000


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of the language; exact numbers have a scale, 0 for integer."""

    name: str
    scale: int = 0

    @property
    def exact(self) -> bool:
        return self.name in (INTEGER, "decimal")

    def declared(self) -> str:
        return f"decimal({self.scale})" if self.name == "decimal" else self.name


WHOLE, REAL, WORD, DAY, TRUTH = (Kind(name) for name in (INTEGER, NUMBER, TEXT, DATE, BOOL))


def decimal(scale: int) -> Kind:
    return Kind("decimal", scale)


COLUMNS: dict[str, Kind] = {
    "a": WHOLE, "b": WHOLE, "zero": WHOLE, "price": decimal(2), "rate": decimal(1), "x": REAL, "y": REAL,
    "city": WORD, "name": WORD, "born": DAY, "joined": DAY, "vip": TRUTH, "active": TRUTH,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Both:
    """One tree in both languages. `level`: how loosely the expression binds; the SQL is always in brackets. `most`:
    a bound on its size in units of its scale, so that nothing leaves 53 bits."""

    rule: str
    sql: str
    kind: Kind
    level: int = PRIMARY
    most: int = 0

    def at(self, level: int, random: Random) -> str:
        """The expression as an operand that must bind at least as tightly as *level*; at times in spare brackets."""
        return f"({self.rule})" if self.level < level or random.random() < 0.08 else self.rule


class Trees:
    """Random predicates."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    def predicate(self, depth: int) -> Both:
        if depth > 0 and self.random.random() < 0.6:
            return self.logic(depth)
        return self.test(max(depth, 1))

    def logic(self, depth: int) -> Both:
        if self.random.random() < 0.35:
            inner = self.predicate(depth - 1)
            return Both(f"not {inner.at(NOT, self.random)}", f"(NOT {inner.sql})", TRUTH, NOT)
        word, level = ("and", AND) if self.random.random() < 0.5 else ("or", OR)
        parts = [self.predicate(depth - 1) for _ in range(self.random.choice((2, 2, 3)))]
        rule = f" {word} ".join(part.at(level + 1, self.random) for part in parts)
        return Both(rule, "(" + f" {word} ".join(part.sql for part in parts) + ")", TRUTH, level)

    def test(self, depth: int) -> Both:
        match self.pick("compare", "compare", "compare", "between", "in", "in", "missing", "column", "text"):
            case "compare":
                return self.compare(depth)
            case "between":
                return self.between(depth)
            case "in":
                return self.member(depth)
            case "missing":
                return self.is_missing(depth)
            case "text":
                return self.text_test()
            case _:
                return self.column(TRUTH)

    def compare(self, depth: int) -> Both:
        op = self.pick("=", "!=", "<", "<=", ">", ">=")
        left, right = self.comparable(depth, 2)
        rule = f"{left.at(SUM, self.random)} {op} {right.at(SUM, self.random)}"
        return Both(rule, _compared(op, left, right), TRUTH, TEST)

    def between(self, depth: int) -> Both:
        subject, low, high = self.comparable(depth, 3)
        negated = self.random.random() < 0.4
        rule = (
            f"{subject.at(SUM, self.random)} {'not ' if negated else ''}between"
            f" {low.at(SUM, self.random)} and {high.at(SUM, self.random)}"
        )
        sql = f"({_compared('>=', subject, low)} AND {_compared('<=', subject, high)})"
        if len({each.kind for each in (subject, low, high)}) == 1:
            sql = f"({subject.sql} BETWEEN {low.sql} AND {high.sql})"
        return Both(rule, f"(NOT {sql})" if negated else sql, TRUTH, TEST)

    def member(self, depth: int) -> Both:
        subject, *options = self.comparable(depth, self.random.choice((2, 3, 4)))
        if self.random.random() < 0.3:
            options.insert(self.random.randrange(len(options) + 1), Both("missing", "NULL", subject.kind))
        negated = self.random.random() < 0.4
        words = ", ".join(option.at(ANY, self.random) for option in options)
        rule = f"{subject.at(SUM, self.random)} {'not ' if negated else ''}in ({words})"
        sql = " OR ".join(_compared("=", subject, option) for option in options)
        if all(option.kind == subject.kind for option in options):
            sql = f"{subject.sql} IN ({', '.join(option.sql for option in options)})"
        return Both(rule, f"(NOT ({sql}))" if negated else f"({sql})", TRUTH, TEST)

    def is_missing(self, depth: int) -> Both:
        tested = self.predicate(1) if self.random.random() < 0.2 else self.value(self.some_kind(), depth)
        word, sql = ("is missing", "IS NULL") if self.random.random() < 0.6 else ("is not missing", "IS NOT NULL")
        return Both(f"{tested.at(SUM, self.random)} {word}", f"({tested.sql} {sql})", TRUTH, TEST)

    def text_test(self) -> Both:
        subject, part = self.value(WORD, 1), self.column(WORD) if self.random.random() < 0.3 else self.literal(WORD)
        negated = self.random.random() < 0.3
        match self.pick("contains", "starts with", "ends with"):
            case "contains" as op:
                sql = f"(instr({subject.sql}, {part.sql}) > 0)"
            case "starts with" as op:
                sql = f"(substr({subject.sql}, 1, length({part.sql})) = {part.sql})"
            case op:
                start = f"length({subject.sql}) - length({part.sql}) + 1"
                sql = f"({start} > 0 AND substr({subject.sql}, {start}, length({part.sql})) = {part.sql})"
        rule = f"{subject.at(SUM, self.random)} {'not ' if negated else ''}{op} {part.at(SUM, self.random)}"
        return Both(rule, f"(NOT {sql})" if negated else sql, TRUTH, TEST)

    def some_kind(self) -> Kind:
        return self.random.choice((WHOLE, WHOLE, decimal(2), decimal(1), REAL, WORD, DAY, TRUTH))

    def comparable(self, depth: int, count: int) -> list[Both]:
        """Operands of one kind, or of several kinds of numbers."""
        kind = self.some_kind()
        if kind.name in (TEXT, DATE, BOOL):
            return [self.value(kind, depth) for _ in range(count)]
        return [self.value(self.number_kind(), depth) for _ in range(count)]

    def number_kind(self) -> Kind:
        return self.random.choice((WHOLE, WHOLE, WHOLE, decimal(1), decimal(2), decimal(3), REAL))

    def value(self, kind: Kind, depth: int) -> Both:
        """A value of *kind*; an exact number may come out with another scale."""
        if depth <= 0 or self.random.random() < 0.3:
            return self.leaf(kind)
        match self.pick("arithmetic", "arithmetic", "??", "choice", "leaf"):
            case "arithmetic" if kind.exact or kind == REAL:
                return self.arithmetic(kind, depth)
            case "arithmetic" if kind == DAY:
                return self.moved(depth)
            case "??":
                return self.coalesce(kind, depth)
            case "choice":
                return self.choice(kind, depth)
            case _:
                return self.leaf(kind)

    def leaf(self, kind: Kind) -> Both:
        if self.random.random() < 0.04:
            return Both("missing", "NULL", kind)
        return self.column(kind) if self.random.random() < 0.65 else self.literal(kind)

    def column(self, kind: Kind) -> Both:
        same = [name for name, other in COLUMNS.items() if other == kind]
        names = same or [name for name, other in COLUMNS.items() if other.exact]
        name = self.random.choice(names)
        return Both(name, name, COLUMNS[name], most=2000)

    def literal(self, kind: Kind) -> Both:
        match kind.name:
            case "integer":
                number = self.random.randint(0, 12)
                return Both(str(number), str(number), WHOLE, most=20)
            case "decimal" | "number":
                units = self.random.randint(0, 99)
                return Both(f"{units / 10:.1f}", str(units), decimal(1), most=100)
            case "text":
                word = self.random.choice(WORDS)
                return Both('"' + word.replace('"', '""') + '"', "'" + word.replace("'", "''") + "'", WORD)
            case "date":
                day = FIRST_DAY + self.random.randint(0, 9)
                return Both(to_date(day).isoformat(), str(day), DAY, most=10**5)
            case _:
                word = self.pick("true", "false")
                return Both(word, word.upper(), TRUTH)

    def arithmetic(self, kind: Kind, depth: int) -> Both:
        if self.random.random() < 0.1:
            inner = self.value(kind, depth - 1)
            return Both(f"-{inner.at(UNARY, self.random)}", f"(-{inner.sql})", inner.kind, UNARY, inner.most)
        if kind == DAY or self.random.random() < 0.05:
            left, right = self.value(DAY, depth - 1), self.value(DAY, 0)
            if "missing" not in (left.rule, right.rule):
                rule = f"{left.at(SUM, self.random)} - {right.at(PRODUCT, self.random)}"
                return Both(rule, f"({left.sql} - {right.sql})", WHOLE, SUM, 10**5)
        if self.random.random() < 0.2:
            return self.called(kind, depth)
        op = self.pick("+", "-", "*", "/") if kind == REAL else self.pick("+", "-", "+", "-", "*")
        left, right = self.value(kind, depth - 1), self.value(self.number_kind() if kind == REAL else kind, depth - 1)
        return self.calculated(op, left, right)

    def calculated(self, op: str, left: Both, right: Both) -> Both:
        level = SUM if op in "+-" else PRODUCT
        rule = f"{left.at(level, self.random)} {op} {right.at(level + 1, self.random)}"
        if op == "/":
            return Both(rule, _quotient(left, right), REAL, level)
        if not (left.kind.exact and right.kind.exact):
            return Both(rule, f"({_real(left)} {op} {_real(right)})", REAL, level)
        if op == "*":
            scale = left.kind.scale + right.kind.scale
            if scale > 6 or left.most * right.most > 10**12:
                return left
            kind = decimal(scale) if "decimal" in (left.kind.name, right.kind.name) else WHOLE
            return Both(rule, f"({left.sql} * {right.sql})", kind, level, left.most * right.most)
        kind = _widest((left, right))
        both = [_scaled(each, kind) for each in (left, right)]
        most = sum(each.most * 10 ** (kind.scale - each.kind.scale) for each in (left, right))
        return Both(rule, f"({both[0]} {op} {both[1]})", kind, level, most)

    def called(self, kind: Kind, depth: int) -> Both:
        if kind == WHOLE and self.random.random() < 0.5:
            left, right = self.value(WHOLE, depth - 1), self.value(WHOLE, depth - 1)
            if left.kind == right.kind == WHOLE:
                name, op = self.random.choice((("div", "/"), ("mod", "%")))
                rule = f"{name}({left.at(ANY, self.random)}, {right.at(ANY, self.random)})"
                return Both(rule, f"({left.sql} {op} {right.sql})", WHOLE, most=max(left.most, right.most))
        if self.random.random() < 0.3:
            inner = self.value(kind, depth - 1)
            return Both(f"abs({inner.at(ANY, self.random)})", f"abs({inner.sql})", inner.kind, most=inner.most)
        name, sql = self.random.choice((("least", "min"), ("greatest", "max")))
        parts = [self.value(kind, depth - 1) for _ in range(2)]
        return self.unified(f"{name}({', '.join(part.at(ANY, self.random) for part in parts)})", sql, parts, PRIMARY)

    def unified(self, rule: str, function: str, parts: Sequence[Both], level: int) -> Both:
        """A function of *parts* that gives one of them, in the widest of their types."""
        kind = _widest(parts)
        sql = f"{function}({', '.join(_scaled(part, kind) for part in parts)})"
        most = max(part.most * 10 ** max(kind.scale - part.kind.scale, 0) for part in parts)
        return Both(rule, sql, kind, level, most)

    def moved(self, depth: int) -> Both:
        inner, sign, days = self.value(DAY, depth - 1), self.pick("+", "-"), self.random.randint(0, 9)
        if inner.rule == "missing":
            return inner
        unit, length = self.random.choice((("days", 1), ("weeks", 7)))
        rule = f"{inner.at(SUM, self.random)} {sign} {days} {unit}"
        return Both(rule, f"({inner.sql} {sign} {days * length})", DAY, SUM, 10**5)

    def coalesce(self, kind: Kind, depth: int) -> Both:
        left, right = self.value(kind, depth - 1), self.value(kind, depth - 1)
        rule = f"{left.at(PRIMARY, self.random)} ?? {right.at(FALLBACK, self.random)}"
        return self.unified(rule, "coalesce", (left, right), FALLBACK)

    def choice(self, kind: Kind, depth: int) -> Both:
        condition, parts = self.predicate(1), [self.value(kind, depth - 1) for _ in range(2)]
        unified = self.unified("", "", parts, PRIMARY)
        yes, no = (_scaled(part, unified.kind) for part in parts)
        words = [condition.at(ANY, self.random), *(part.at(ANY, self.random) for part in parts)]
        if self.random.random() < 0.3:
            sql = f"(CASE WHEN {condition.sql} THEN {yes} END)"
            return Both(f"case when {words[0]} then {words[1]} end", sql, unified.kind, most=unified.most)
        rule = f"if({', '.join(words)})"
        return Both(rule, f"(CASE WHEN {condition.sql} THEN {yes} ELSE {no} END)", unified.kind, most=unified.most)


def _widest(parts: Sequence[Both]) -> Kind:
    kinds = [part.kind for part in parts if part.rule != "missing"] or [parts[0].kind]
    if REAL in kinds:
        return REAL
    if all(kind.exact for kind in kinds):
        scale = max(kind.scale for kind in kinds)
        return decimal(scale) if any(kind.name == "decimal" for kind in kinds) else WHOLE
    return kinds[0]


def _real(part: Both) -> str:
    return f"(CAST({part.sql} AS REAL) / {10**part.kind.scale}.0)" if part.kind.scale else f"CAST({part.sql} AS REAL)"


def _scaled(part: Both, kind: Kind) -> str:
    if kind == REAL:
        return _real(part)
    more = kind.scale - part.kind.scale
    return f"({part.sql} * {10**more})" if more > 0 else part.sql


def _compared(op: str, left: Both, right: Both) -> str:
    kind = _widest((left, right))
    return f"({_scaled(left, kind)} {op} {_scaled(right, kind)})"


def _quotient(left: Both, right: Both) -> str:
    if left.kind.exact and right.kind.exact:
        common = decimal(max(left.kind.scale, right.kind.scale))
        return f"(CAST({_scaled(left, common)} AS REAL) / CAST({_scaled(right, common)} AS REAL))"
    return f"({_real(left)} / {_real(right)})"


WORDS = ("", "a", "A", "ab", "b", "京", "北京", "é", "😀", "it's", 'say "x"', "%")
