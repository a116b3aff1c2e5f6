"""Well-typed expressions as people write them: text in English and Chinese, mixed at random.

In: a source of choices and what is in sight.  Out: `Piece`, tokens with how tightly they bind; `written` joins them.
Always: the text means something (whatever the checker says against it is a defect of one of the two); what is rounded
more than once stands only where `approximate` made it, never inside a comparison.

    written(random, make(Writer(random, "customers", ()), BOOL, 3))      # 非(n ＞＝ 3)  且 近…
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from segrules.schema.functions import FUNCTIONS
from segrules.schema.types import (
    BOOL,
    DATE,
    INTEGER,
    LIST,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Type,
)  # fmt: skip
from tests.property.projects import CHAINS, COLUMNS, VALUES, WORDS
from tests.property.spelling import (
    AND,
    DEFAULT,
    NEGATIVE,
    NOT,
    OPERATORS,
    OR,
    PRIMARY,
    PRODUCT,
    QUOTES,
    SUM,
    TEST,
    UNITS,
    Piece,
    enclosed,
    quoted,
)  # fmt: skip

DECIMALS = (Decimal(1), Decimal(2), Decimal(4))


@dataclass(frozen=True, slots=True)
class Named:
    """Something of the customer's that may be referred to, as it is written."""

    text: str
    type: Type
    finite: bool = False


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes for the rows of `table`; `mild`: no columns with values near the ends of their type."""

    random: Random
    table: str
    names: tuple[Named, ...]
    parameters: tuple[Named, ...] = ()
    lists: tuple[Named, ...] = ()
    mild: bool = False

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def word(self, name: str) -> str:
        return self.random.choice(OPERATORS[name])

    def function(self, name: str) -> str:
        if self.chance(0.4):
            return self.random.choice(FUNCTIONS[name].zh)
        return name.upper() if self.chance(0.1) else name

    def inside(self, table: str) -> Writer:
        return replace(self, table=table)


def at(self: Writer, piece: Piece, level: int) -> tuple[str, ...]:
    """The tokens of *piece* as an operand of something that binds as tightly as *level*."""
    if piece.level < level or self.chance(0.05):
        return enclosed(piece).tokens
    return piece.tokens


def listed(pieces: Sequence[Piece]) -> tuple[str, ...]:
    tokens: list[str] = []
    for piece in pieces:
        tokens += [*([","] if tokens else []), *piece.tokens]
    return tuple(tokens)


def call(self: Writer, name: str, *args: Piece) -> Piece:
    return Piece((self.function(name), "(", *listed(args), ")"))


def literal(self: Writer, type_: Type, held: bool = False) -> Piece:
    """A literal of *type_* (of a decimal, with at most as many digits); *held*: a value that finite columns have."""
    random = self.random
    match type_:
        case Bool():
            return Piece((self.word(random.choice(("true", "false"))),))
        case Integer():
            if held:
                return Piece((random.choice(("1", "2", "3")),))
            return signed(self, random.choice(("0", "1", "2", "3", "5", "12", "30", "100", "1_000", "5万", "0.5万")))
        case Decimal(scale):
            choices = ["0", "1.5", "2.5", "0.1", "99.9", "1.0"]
            if scale >= 2:
                choices += ["1.25", "9.99", "12.34", "20%", "0.05", "100%", "150%"]
            if scale >= 4:
                choices += ["0.0005", "0.25%", "1.2345", "99.99%"]
            return signed(self, random.choice(choices))
        case Number():
            return enclosed(Piece((random.choice(("1", "3", "12.5")), "/", random.choice(("2", "4", "8"))), PRODUCT))
        case Text():
            return text(self, random.choice(VALUES if held else WORDS))
        case Date():
            days = (
                "2026-11-21",
                "2026-10-23",
                "2018-02-17",
                "2018-02-18",
                "2023-11-05",
                "2024-02-29",
                "2000-01-01",
                "2026-11-20",
                "1970-01-01",
            )
            return Piece((random.choice(days),))
        case Timestamp():
            moments = (
                "2026-11-21T08:00:00+08:00", "2026-11-20T16:00Z", "2026-03-29T02:30:00", "2026-10-25T01:30:00Z",
                "2025-11-21T12:00:00Z", "2018-11-04T00:00:00",
            )  # fmt: skip
            return Piece((random.choice(moments),))
        case _:
            raise AssertionError(type_)


def signed(self: Writer, digits: str) -> Piece:
    return Piece(("-", digits), NEGATIVE) if self.chance(0.15) else Piece((digits,))


def text(self: Writer, value: str) -> Piece:
    opening, closing = self.random.choice(QUOTES)
    return Piece((opening + value.replace(closing, closing * 2) + closing,))


def leaf(self: Writer, type_: Type, depth: int = 0) -> Piece:
    """A column in sight, a lookup, a name, a parameter, a literal, today."""
    found: list[Piece] = []
    for table in CHAINS[self.table]:
        for name, made in COLUMNS[table].items():
            if fits(made.type, type_) and not (self.mild and made.wild):
                found += [Piece(column(self, table, name))]
            if made.contract.get("refers_to") == "cities":
                found += [Piece(one) for one in looked_up(self, column(self, table, name), type_)]
    found += [Piece((named.text,), PRIMARY, named.finite) for named in self.names if fits(named.type, type_)] * 2
    found += [Piece((named.text,)) for named in self.parameters if fits(named.type, type_)]
    if not isinstance(type_, ListOfText) and (not found or self.chance(0.3)):
        found += [literal(self, type_)] * 6
    if isinstance(type_, Date):
        unit = self.random.choice(tuple(UNITS))
        away = self.word(self.random.choice(("ago", "from now")))
        found += [Piece((self.word("today"),)), Piece((*amount(self, unit), away))]
    return self.random.choice(found)


def fits(type_: Type, wanted: Type) -> bool:
    """Whether a value of *type_* stands where *wanted* is: decimals take fewer digits, and integers."""
    if isinstance(wanted, Decimal):
        return isinstance(type_, Integer) or (isinstance(type_, Decimal) and type_.scale <= wanted.scale)
    return type_ == wanted


def column(self: Writer, table: str, name: str, qualified: bool = False) -> tuple[str, ...]:
    """A column as it must be written here: qualified where two tables in sight have one of its name."""
    owners = [one for one in CHAINS[self.table] if name in COLUMNS[one]]
    plain = quoted(name, self.chance(0.05))
    if len(owners) > 1 or qualified or self.chance(0.1):
        return (f"{table}.{plain}",)
    return (plain,)


def looked_up(self: Writer, key: tuple[str, ...], type_: Type) -> list[tuple[str, ...]]:
    paths: dict[str, Type] = {
        "tier": TEXT,
        "size": INTEGER,
        "opened": DATE,
        "region.rank": Decimal(1),
        "region.coast": BOOL,
    }
    return [(f"{key[0]}.{path}",) for path, own in paths.items() if fits(own, type_)]


def amount(self: Writer, unit: str, least: int = 0) -> tuple[str, ...]:
    """A number of units: of digits, or an integer parameter (which is at least 1)."""
    counts = [named.text for named in self.parameters if isinstance(named.type, Integer)]
    word = self.random.choice(UNITS[unit])
    if counts and self.chance(0.2):
        return self.random.choice(counts), word
    return str(self.random.choice((max(least, 0), 1, 2, 3, 7, 12, 30, 90, 365))), word


def make(self: Writer, type_: Type, depth: int) -> Piece:
    """An expression of *type_*, at most *depth* operations deep."""
    if depth <= 0 or self.chance(0.1):
        return leaf(self, type_)
    ways = [leaf, default, choice, case]
    own = {Bool: BOOLS, Integer: INTEGERS, Decimal: EXACTS, Number: NUMBERS, Text: TEXTS, Date: DATES,
           Timestamp: MOMENTS}  # fmt: skip
    for kind, more in own.items():
        if isinstance(type_, kind):
            ways = [*ways, *more, *more, *more]
    if not isinstance(type_, ListOfText):
        ways += [aggregated] * 6
    if self.table == "customers" and isinstance(type_, Integer | Date | Number):
        ways += [ranked] * 4
    return self.random.choice(ways)(self, type_, depth - 1)


def plain(self: Writer, type_: Type) -> Piece:
    """One operation of its type, about values in sight."""
    own = {Bool: BOOLS, Integer: [*INTEGERS, ranked, ranked, ranked, aggregated], Decimal: EXACTS,
           Number: [*NUMBERS, ranked, aggregated], Text: TEXTS, Date: [*DATES, ranked], Timestamp: MOMENTS}  # fmt: skip
    ways = next(ways for kind, ways in own.items() if isinstance(type_, kind))
    return self.random.choice(ways)(self, type_, 0)


def default(self: Writer, type_: Type, depth: int) -> Piece:
    left, right = make(self, type_, depth), make(self, type_, min(depth, 1))
    if self.chance(0.1):
        right = Piece((self.word("missing"),))
    if self.chance(0.3):
        return call(self, "default", left, right)
    return Piece((*at(self, left, PRIMARY), "??", *at(self, right, NEGATIVE)), DEFAULT)


def choice(self: Writer, type_: Type, depth: int) -> Piece:
    values = [make(self, type_, depth), make(self, type_, min(depth, 1))]
    if self.chance(0.1):
        values[self.random.choice((0, 1))] = Piece((self.word("missing"),))
    return call(self, "if", make(self, BOOL, depth), *values)


def case(self: Writer, type_: Type, depth: int) -> Piece:
    tokens: list[str] = []
    for number in range(self.random.choice((1, 1, 2))):
        chinese = self.chance(0.5) if not number else tokens[0] == "当"
        tokens += ["当"] if chinese else ["when"] if number else ["case", "when"]
        condition, value = make(self, BOOL, min(depth, 1)), make(self, type_, depth)
        tokens += [*condition.tokens, self.word("then"), *value.tokens]
    if self.chance(0.7):
        tokens += [self.word("else"), *make(self, type_, min(depth, 1)).tokens]
    return Piece((*tokens, self.word("end")))


def logic(self: Writer, type_: Type, depth: int) -> Piece:
    kind = self.random.choice((OR, AND, NOT))
    if kind == NOT:
        return Piece((self.word("not"), *at(self, make(self, BOOL, depth), NOT)), NOT)
    tokens: list[str] = []
    for _ in range(self.random.choice((2, 2, 3))):
        tokens += [self.word("or" if kind == OR else "and")] if tokens else []
        tokens += at(self, make(self, BOOL, depth), kind + 1)
    return Piece(tuple(tokens), kind)


def kinds(self: Writer) -> tuple[Type, Type]:
    """Two types that may be compared."""
    exact = (INTEGER, INTEGER, INTEGER, INTEGER, *DECIMALS)
    first: Type = self.random.choice((*exact, *exact, NUMBER, TEXT, TEXT, DATE, DATE, TIMESTAMP, BOOL))
    second = first
    if isinstance(first, Integer | Decimal | Number):
        second = self.random.choice((*exact, NUMBER))
    elif isinstance(first, Date | Timestamp):
        second = self.random.choice((DATE, TIMESTAMP))
    return first, second


def compared(self: Writer, type_: Type, depth: int) -> Piece:
    op = self.random.choice(("=", "!=", "<", "<=", ">", ">="))
    first, second = kinds(self)
    held = op in ("=", "!=") or isinstance(first, Text)
    left, right = make(self, first, depth), other(self, second, held)
    if (left.finite or is_literal(left)) and held:
        left = unheld(self, left)
    if self.chance(0.3):
        left, right = right, left
    return Piece((*at(self, left, SUM), self.word(op), *at(self, right, SUM)), TEST)


def other(self: Writer, type_: Type, held: bool, depth: int = 1) -> Piece:
    """The other side of a comparison: mostly a literal; *held*: one that columns with `values:` can equal."""
    if self.chance(0.05):
        return Piece((self.word("missing"),))
    if self.chance(0.5):
        kept = held and isinstance(type_, Integer | Text)
        if held and isinstance(type_, Decimal | Number):
            return literal(self, INTEGER, True)
        return literal(self, type_, kept)
    found = make(self, type_, depth)
    if held and is_literal(found):
        return literal(self, INTEGER if isinstance(type_, Decimal | Number) else type_, True)
    return found


def unheld(self: Writer, piece: Piece) -> Piece:
    """The same value, which literals are not held to, and which is no literal."""
    return call(self, "if", Piece(("确认",)), piece, piece)


def is_literal(piece: Piece) -> bool:
    last = piece.tokens[-1] if len(piece.tokens) < 4 else ""
    return bool(last) and (last[0] in "\"'“‘" or last[0].isdigit()) and (len(piece.tokens) < 3 or last == ")")


def ranged(self: Writer, type_: Type, depth: int) -> Piece:
    first, second = kinds(self)
    word = self.word(self.random.choice(("between", "not between")))
    held = isinstance(first, Text)
    ends = [other(self, second, True) if held else make(self, second, 1) for _ in range(2)]
    operand = make(self, first, depth)
    if held and (operand.finite or is_literal(operand)):
        operand = unheld(self, operand)
    tokens = (*at(self, operand, SUM), word, *at(self, ends[0], SUM))
    return Piece((*tokens, self.word("to"), *at(self, ends[1], SUM)), TEST)


def member(self: Writer, type_: Type, depth: int) -> Piece:
    first, second = kinds(self)
    operand = make(self, first, depth)
    if operand.finite or is_literal(operand):
        operand = unheld(self, operand)
    word = self.word(self.random.choice(("in", "not in")))
    named = [one for one in self.lists if one.type == first]
    if named and self.chance(0.3):
        return Piece((*at(self, operand, SUM), word, self.random.choice(named).text), TEST)
    count = 11 if self.chance(0.1) else self.random.choice((1, 2, 3))
    options = [other(self, second, True, 0) for _ in range(count)]
    opening, closing = self.random.choice((("(", ")"), ("[", "]")))
    return Piece((*at(self, operand, SUM), word, opening, *listed(options), closing), TEST)


def window(self: Writer, type_: Type, depth: int) -> Piece:
    operand = make(self, self.random.choice((DATE, TIMESTAMP)), depth)
    return Piece((*at(self, operand, SUM), self.word(self.random.choice(("in", "in", "not in"))), *period(self)), TEST)


def period(self: Writer) -> tuple[str, ...]:
    """A window in one of its five forms."""
    unit = self.random.choice(tuple(UNITS))
    kind = self.random.choice(("last", "last", "next", "this", "previous", "one"))
    if kind in ("last", "next", "previous"):
        return self.word(kind), *amount(self, unit, 1)
    word = "this" if kind == "this" else "previous"
    if self.chance(0.5):
        short = {"day": "日", "week": "周", "month": "月", "quarter": "季度", "year": "年"}
        return (OPERATORS[word][1] + short[unit],)
    return OPERATORS[word][0], unit


def gaps(self: Writer, type_: Type, depth: int) -> Piece:
    own = self.random.choice((BOOL, INTEGER, Decimal(2), NUMBER, TEXT, DATE, TIMESTAMP, LIST))
    word = self.word(self.random.choice(("is missing", "is not missing")))
    return Piece((*at(self, make(self, own, depth), SUM), word), TEST)


def text_test(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("contains", "starts with", "ends with", "matches", "contains any of"))
    subject = at(self, make(self, TEXT, depth), SUM)
    word = self.word(f"not {name}" if self.chance(0.3) else name)
    if name == "matches":
        pattern = self.random.choice(("^a", "[0-9]", "b$", "北", "", "^.$", r"^\w+\s?", "(?i)Q|A"))
        return Piece((*subject, word, *text(self, pattern).tokens), TEST)
    if name == "contains any of":
        return Piece((*subject, word, *texts(self, False)), TEST)
    part = literal(self, TEXT) if self.chance(0.6) else make(self, TEXT, 0)
    return Piece((*subject, word, *at(self, part, SUM)), TEST)


def texts(self: Writer, held: bool) -> tuple[str, ...]:
    """Bracketed texts, or a list parameter."""
    named = [one for one in self.lists if one.type == TEXT]
    if named and self.chance(0.2):
        return (self.random.choice(named).text,)
    parts = [
        literal(self, TEXT, held) if self.chance(0.7) else call(self, "concat", make(self, TEXT, 0))
        for _ in range(self.random.choice((1, 2, 3)))
    ]
    return ("(", *listed(parts), ")")


def list_test(self: Writer, type_: Type, depth: int) -> Piece:
    subject = at(self, make(self, LIST, depth), SUM)
    word = self.word(self.random.choice(("has any of", "has all of", "has none of")))
    return Piece((*subject, word, *texts(self, True)), TEST)


def arithmetic(self: Writer, type_: Type, depth: int) -> Piece:
    op = self.random.choice("+-*")
    first: Type = type_
    second: Type = type_
    if isinstance(type_, Decimal) and op == "*":
        scale = self.random.randint(0, type_.scale)
        first, second = (Decimal(s) if s else INTEGER for s in (scale, type_.scale - scale))
    if isinstance(type_, Number):
        op = self.random.choice("+-*/")
        first, second = self.random.choice(((NUMBER, INTEGER), (Decimal(2), NUMBER), (NUMBER, NUMBER)))
        if op == "/" and self.chance(0.6):
            first, second = self.random.choice((INTEGER, *DECIMALS)), self.random.choice((INTEGER, *DECIMALS))
    level = SUM if op in "+-" else PRODUCT
    left, right = make(self, first, depth), make(self, second, min(depth, 1))
    if self.chance(0.05) and not isinstance(type_, Number):
        right = Piece((self.word("missing"),))
    return Piece((*at(self, left, level), op, *at(self, right, level + 1)), level)


def negative(self: Writer, type_: Type, depth: int) -> Piece:
    return Piece(("-", *at(self, make(self, type_, depth), DEFAULT)), NEGATIVE)


def days_apart(self: Writer, type_: Type, depth: int) -> Piece:
    if self.chance(0.5):
        own = [self.random.choice((DATE, TIMESTAMP)) for _ in range(2)]
        return call(self, "days_between", *(make(self, one, depth) for one in own))
    left, right = make(self, DATE, depth), make(self, DATE, 0)
    return Piece((*at(self, left, SUM), "-", *at(self, right, PRODUCT)), SUM)


def of_integers(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("abs", "least", "greatest", "div", "div", "mod", "mod", "round"))
    if name in ("abs", "round"):
        return call(self, name, make(self, INTEGER, depth))
    return call(self, name, make(self, INTEGER, depth), make(self, INTEGER, min(depth, 1)))


def whole(self: Writer, type_: Type, depth: int) -> Piece:
    exact = self.random.choice(DECIMALS)
    name = self.random.choice(("floor", "ceil", "band", "length", "count_items", "hash_bucket", "band"))
    match name:
        case "floor" | "ceil":
            # An expression that may hold integers only gives an integer all the same.
            return call(self, name, make(self, exact, depth))
        case "band":
            cuts = listed([Piece((one,)) for one in ("0", "1.5", "10", "5万")[: self.random.choice((1, 2, 4))]])
            own = self.random.choice((INTEGER, NUMBER, exact))
            return Piece((self.function(name), "(", *make(self, own, depth).tokens, ",", "[", *cuts, "]", ")"))
        case "length":
            return call(self, name, make(self, TEXT, depth))
        case "count_items":
            return call(self, name, make(self, LIST, depth))
        case _:
            return call(
                self, name, make(self, TEXT, depth), Piece((self.random.choice(("7", "100")),)), text(self, "s")
            )


def part_of_day(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("year", "quarter", "month", "day", "weekday", "days_since", "weeks_since",
                               "months_since", "years_since"))  # fmt: skip
    return call(self, name, make(self, self.random.choice((DATE, TIMESTAMP)), depth))


def rounded(self: Writer, type_: Type, depth: int) -> Piece:
    digits = type_.scale if isinstance(type_, Decimal) else self.random.choice((0, 2, 4))
    own = Decimal(4) if isinstance(type_, Decimal) else NUMBER
    return call(self, "round", make(self, own, depth), Piece((str(digits),)))


def extremes(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("least", "greatest"))
    return call(self, name, *(make(self, type_, min(depth, 1)) for _ in range(self.random.choice((2, 3)))))


def of_number(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("floor", "ceil", "abs", "sqrt"))
    return call(self, name, make(self, NUMBER, depth))


def of_text(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("lower", "upper", "trim", "concat", "replace", "left_text", "right_text"))
    subject = make(self, TEXT, depth)
    match name:
        case "concat":
            return call(self, name, subject, make(self, TEXT, 0))
        case "replace":
            return call(self, name, subject, make(self, TEXT, 0), make(self, TEXT, 0))
        case "left_text" | "right_text":
            return call(self, name, subject, make(self, INTEGER, 0))
        case _:
            return call(self, name, subject)


def moved(self: Writer, type_: Type, depth: int) -> Piece:
    unit = self.random.choice(tuple(UNITS))
    operand = at(self, make(self, type_, depth), SUM)
    return Piece((*operand, self.random.choice("+-"), *amount(self, unit)), SUM)


def to_date(self: Writer, type_: Type, depth: int) -> Piece:
    name = self.random.choice(("date", "next_anniversary"))
    return call(self, name, make(self, self.random.choice((DATE, TIMESTAMP)), depth))


def aggregated(self: Writer, type_: Type, depth: int) -> Piece:
    """An aggregate of *type_*, exact or rounded once."""
    table = self.random.choice(("orders", "orders", "lines", "visits"))
    functions = ["min", "max", *(("first", "last") if table != "visits" else ())]
    own: Type = type_
    match type_:
        case Bool():
            functions = ["any", "any", "all", "max"]
        case Integer():
            functions += ["count", "count", "sum", "count_distinct"]
        case Decimal():
            functions += ["sum"]
        case Number():
            functions += ["avg", "median", "stddev"]
    name = self.random.choice(functions)
    inner = self.inside(table)
    where: tuple[str, ...] = ()
    if self.chance(0.6):
        where = (self.word("where"), *make(inner, BOOL, min(depth, 1)).tokens)
    if name in ("count", "any"):
        return Piece((self.function(name), "(", table, *where, ")"))
    if name == "count_distinct":
        own = self.random.choice((TEXT, INTEGER, Decimal(2), DATE, BOOL, NUMBER, TIMESTAMP))
    elif name in ("avg", "median", "stddev"):
        own = self.random.choice((INTEGER, *DECIMALS))
    return Piece((self.function(name), "(", *field(inner, own, depth).tokens, *where, ")"))


def field(self: Writer, type_: Type, depth: int) -> Piece:
    """What an aggregate goes over: an expression in which a column of its table is qualified."""
    own = [Piece(column(self, self.table, name, True)) for name, made in COLUMNS[self.table].items()
           if fits(made.type, type_) and not (self.mild and made.wild)]  # fmt: skip
    anything = list(COLUMNS[self.table])
    if own and self.chance(0.7) and type_ != BOOL:
        piece = self.random.choice(own)
        if self.chance(0.6):
            return piece
        return Piece((*piece.tokens, "??", *at(self, make(self, type_, min(depth, 1)), NEGATIVE)), DEFAULT)
    test = (*column(self, self.table, self.random.choice(anything), True), self.word("is missing"))
    if type_ == BOOL:
        more = at(self, make(self, BOOL, min(depth, 1)), NOT)
        return Piece((*more, self.word("or"), *test), OR)
    return call(self, "if", Piece(test, TEST), make(self, type_, 0), make(self, type_, min(depth, 1)))


def ranked(self: Writer, type_: Type, depth: int) -> Piece:
    """A value relative to all customers, rounded at most once."""
    own: Type = self.random.choice((INTEGER, Decimal(2), NUMBER, DATE)) if isinstance(type_, Integer) else type_
    functions: tuple[str, ...] = ("qcut", "ntile", "rank") if isinstance(type_, Integer) else ("quantile",)
    if isinstance(type_, Number):
        own, functions = self.random.choice((INTEGER, Decimal(2))), ("quantile", "percent_rank")
    return relative(self, self.random.choice(functions), own, depth)


def relative(self: Writer, name: str, own: Type, depth: int) -> Piece:
    modifiers: list[tuple[str, ...]] = []
    if self.chance(0.4):
        modifiers.append((self.word("desc"),))
    if self.chance(0.4):
        groups = [make(self, self.random.choice((TEXT, BOOL, INTEGER, DATE)), 0) for _ in range(2)]
        one = leaf(replace(self, parameters=()), TEXT)
        single = (self.word("by"), *(one.tokens if "." not in one.tokens[0] and not is_literal(one) else ("kind",)))
        modifiers.append(single if self.chance(0.5) else (self.word("by"), "(", *listed(groups), ")"))
    if self.chance(0.3):
        modifiers.append((self.word("among"), *make(self, BOOL, 1).tokens))
    self.random.shuffle(modifiers)
    argument = {"qcut": ("4",), "ntile": ("3",), "quantile": (self.random.choice(("0.5", "25%", "0", "1", "0.9")),)}
    rest = (",", *argument[name]) if name in argument else ()
    tokens = (*make(self, own, min(depth, 1)).tokens, *(token for one in modifiers for token in one))
    return Piece((self.function(name), "(", *tokens, *rest, ")"))


def approximate(self: Writer, depth: int) -> Piece:
    """A number that is rounded more than once: only for a value of its own."""
    self = replace(self, mild=True, names=())
    name = self.random.choice(("sum", "avg", "stddev", "median", "ln", "exp", "power", "quantile"))
    match name:
        case "sum" | "avg" | "stddev" | "median":
            inner = self.inside(self.random.choice(("orders", "orders", "visits", "lines")))
            where = (self.word("where"), *make(inner, BOOL, 1).tokens) if self.chance(0.5) else ()
            return Piece((self.function(name), "(", *field(inner, NUMBER, min(depth, 1)).tokens, *where, ")"))
        case "ln" | "exp":
            return call(self, name, make(self, self.random.choice((NUMBER, Decimal(2))), depth))
        case "power":
            return call(self, name, make(self, NUMBER, depth), make(self, INTEGER, 0))
        case _:
            return relative(self, name, NUMBER, depth)


BOOLS = [compared, compared, compared, compared, aggregated, logic, logic, logic, ranged, member,
         member, window, window, gaps, text_test, text_test, list_test]  # fmt: skip
INTEGERS = [arithmetic, negative, days_apart, of_integers, of_integers, *[whole] * 3, *[part_of_day] * 4]
EXACTS = [arithmetic, negative, rounded, extremes]
NUMBERS = [arithmetic, arithmetic, of_number, extremes, rounded]
TEXTS = [of_text, of_text, of_text, extremes]
DATES = [moved, to_date, extremes]
MOMENTS = [moved, extremes]
