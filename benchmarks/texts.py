"""A tree as text in the language of each contender.

In: trees of `trees`.  Out: source text.  Always: every translation is written against the contender's own manual and
none goes through segrules; languages in which a comparison with a missing value is false get `inward` trees, so that
all give TRUE for the same customers.

    sql(Compare("age", ">=", 30), DUCKDB)      # age >= 30
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import assert_never

from benchmarks.customers import CHANNELS, CITIES, GENDERS, TIERS, TODAY
from benchmarks.trees import (
    And,
    Between,
    Compare,
    Flag,
    HasAny,
    Leaf,
    Literal,
    Missing,
    Not,
    OneOf,
    Or,
    Recent,
    Tree,
    inward,
)

WORDS = {"city": CITIES, "tier": TIERS, "gender": GENDERS, "channel": CHANNELS}
NUMBERS_AS_BOOL = "email_consent"


def _joined(tree: Tree, leaf: Callable[[Leaf], str], both: str, either: str, negation: str) -> str:
    def inner(part: Tree) -> str:
        return _joined(part, leaf, both, either, negation)

    match tree:
        case And(parts):
            return "(" + f" {both} ".join(inner(part) for part in parts) + ")"
        case Or(parts):
            return "(" + f" {either} ".join(inner(part) for part in parts) + ")"
        case Not(part):
            return f"{negation} ({inner(part)})"
        case _:
            return leaf(tree)


def _quoted(values: Sequence[str], quote: str) -> str:
    return ", ".join(f"{quote}{value}{quote}" for value in values)


def segrules(tree: Tree) -> str:
    return _joined(tree, _segrules_leaf, "and", "or", "not")


def _segrules_leaf(leaf: Leaf) -> str:
    def literal(value: Literal) -> str:
        return f'"{value}"' if isinstance(value, str) else str(value)

    match leaf:
        case Compare(column, op, value):
            return f"{column} {op} {literal(value)}"
        case OneOf(column, values, negated):
            return f"{column} {'not ' if negated else ''}in ({_quoted(values, chr(34))})"
        case Between(column, low, high):
            return f"{column} between {literal(low)} and {literal(high)}"
        case Recent(column, days):
            return f"{column} in last {days} days"
        case HasAny(column, values, negated):
            text = f"{column} has any of ({_quoted(values, chr(34))})"
            return f"not ({text})" if negated else text
        case Flag(column, negated):
            return f"not {column}" if negated else column
        case Missing(column, negated):
            return f"{column} is {'not ' if negated else ''}missing"
        case _:
            assert_never(leaf)


DUCKDB = "{0}"
CLICKHOUSE = "toDecimal64('{0}', 2)"


def sql(tree: Tree, decimal: str) -> str:
    """A predicate of SQL, whose three-valued logic needs no help. *decimal*: how an exact literal is written."""

    def literal(value: Literal) -> str:
        match value:
            case str():
                return f"'{value}'"
            case date():
                return f"DATE '{value}'"
            case Decimal():
                return decimal.format(value.quantize(Decimal("0.01")))
            case float():
                return f"{value!r}e0"
            case _:
                return str(value)

    def leaf(one: Leaf) -> str:
        match one:
            case Compare(column, op, value):
                return f"{column} {'<>' if op == '!=' else op} {literal(value)}"
            case OneOf(column, values, negated):
                return f"{column} {'NOT ' if negated else ''}IN ({_quoted(values, chr(39))})"
            case Between(column, low, high):
                return f"{column} BETWEEN {literal(low)} AND {literal(high)}"
            case Recent(column):
                return f"{column} BETWEEN {literal(one.first)} AND {literal(TODAY)}"
            case HasAny(column, values, negated):
                text = "(" + " OR ".join(f"{column}_{value}" for value in values) + ")"
                return f"NOT {text}" if negated else text
            case Flag(column, negated):
                return f"NOT {column}" if negated else column
            case Missing(column, negated):
                return f"{column} IS {'NOT ' if negated else ''}NULL"
            case _:
                assert_never(one)

    return _joined(tree, leaf, "AND", "OR", "NOT")


def pandas(tree: Tree) -> str:
    """Code over a DataFrame `t`; a tag is a bool column, `email_consent` a float because values are missing."""

    def literal(value: Literal) -> str:
        match value:
            case str():
                return f'"{value}"'
            case date():
                return f'day("{value}")'
            case _:
                return repr(float(value)) if isinstance(value, Decimal) else repr(value)

    def leaf(one: Leaf) -> str:
        match one:
            case Compare(column, "!=", value):
                return f"((t.{column} != {literal(value)}) & t.{column}.notna())"
            case Compare(column, op, value):
                return f"(t.{column} {'==' if op == '=' else op} {literal(value)})"
            case OneOf(column, values, negated):
                text = f"t.{column}.isin([{_quoted(values, chr(34))}])"
                return f"(~{text} & t.{column}.notna())" if negated else text
            case Between(column, low, high):
                return f"t.{column}.between({literal(low)}, {literal(high)})"
            case HasAny(column, values, negated):
                text = " | ".join(f"t.{column}_{value}" for value in values)
                return f"(~({text}) & t.{column}_known)" if negated else f"({text})"
            case Flag(column, negated):
                if column == NUMBERS_AS_BOOL:
                    return f"(t.{column} == {0 if negated else 1})"
                return f"~t.{column}" if negated else f"t.{column}"
            case Missing(column, negated):
                return f"t.{column}.{'notna' if negated else 'isna'}()"
            case Recent() | _:
                raise AssertionError(one)

    return _joined(inward(tree), leaf, "&", "|", "~")


def numexpr(tree: Tree) -> str:
    """numexpr knows numbers only: texts are codes, -1 where missing; days are numbers, NaN where missing."""

    def literal(column: str, value: Literal) -> str:
        match value:
            case str():
                return str(WORDS[column].index(value))
            case date():
                return str((value - date(1970, 1, 1)).days)
            case _:
                return str(value)

    def equal(column: str, values: Sequence[str]) -> str:
        return "(" + " | ".join(f"({column} == {literal(column, value)})" for value in values) + ")"

    def leaf(one: Leaf) -> str:
        match one:
            case Compare(column, "!=", value):
                return f"(({column} != {literal(column, value)}) & ({column} >= 0))"
            case Compare(column, op, value):
                return f"({column} {'==' if op == '=' else op} {literal(column, value)})"
            case OneOf(column, values, negated):
                return f"(~{equal(column, values)} & ({column} >= 0))" if negated else equal(column, values)
            case Between(column, low, high):
                return f"(({column} >= {literal(column, low)}) & ({column} <= {literal(column, high)}))"
            case HasAny(column, values, negated):
                text = " | ".join(f"{column}_{value}" for value in values)
                return f"(~({text}) & {column}_known)" if negated else f"({text})"
            case Flag(column, negated):
                if column == NUMBERS_AS_BOOL:
                    return f"({column} == {0 if negated else 1})"
                return f"(~{column})" if negated else column
            case Missing(column, negated):
                if column in WORDS:
                    return f"({column} {'>=' if negated else '<'} 0)"
                return f"({column} {'==' if negated else '!='} {column})"
            case Recent() | _:
                raise AssertionError(one)

    return _joined(inward(tree), leaf, "&", "|", "~")


def rule_engine(tree: Tree) -> str:
    return _row(tree, "{column} in [{values}]", "({one} in {column})", '"')


def zen(tree: Tree) -> str:
    return _row(tree, "{column} in [{values}]", "some({column}, # == {one})", "'")


def _row(tree: Tree, member: str, tagged: str, quote: str) -> str:
    """One customer as a mapping: null where missing, days as numbers."""

    def literal(value: Literal) -> str:
        match value:
            case str():
                return f"{quote}{value}{quote}"
            case date():
                return str((value - date(1970, 1, 1)).days)
            case _:
                return str(value)

    def known(column: str, text: str) -> str:
        return f"({column} != null and {text})"

    def leaf(one: Leaf) -> str:
        match one:
            case Compare(column, op, value):
                return known(column, f"{column} {'==' if op == '=' else op} {literal(value)}")
            case OneOf(column, values, negated):
                text = member.format(column=column, values=_quoted(values, quote))
                return known(column, f"not ({text})" if negated else text)
            case Between(column, low, high):
                return known(column, f"{column} >= {literal(low)} and {column} <= {literal(high)}")
            case HasAny(column, values, negated):
                text = " or ".join(tagged.format(column=column, one=f"{quote}{value}{quote}") for value in values)
                return known(column, f"not ({text})" if negated else f"({text})")
            case Flag(column, negated):
                return f"{column} == {'false' if negated else 'true'}"
            case Missing(column, negated):
                return f"{column} {'!=' if negated else '=='} null"
            case Recent() | _:
                raise AssertionError(one)

    return _joined(inward(tree), leaf, "and", "or", "not")
