"""How people spell what they mean: tokens to text, in two languages, with spaces and full-width forms at will.

In: `Piece`, tokens with how tightly they bind.  Out: text.  Always: two tokens touch only where the language lets
them; a text in quotes and a name in backquotes stay as they are.

    written(Random(1), Piece(("n", ">=", "3"), TEST))      # n ＞＝3
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

from segrules.syntax.keywords import is_plain_name

OR, AND, NOT, TEST, SUM, PRODUCT, NEGATIVE, DEFAULT, PRIMARY = range(9)

OPERATORS = {
    "or": ("or", "OR", "或", "或者"), "and": ("and", "And", "且", "并且"), "not": ("not", "非", "NOT"),
    "=": ("=", "==", "等于"), "!=": ("!=", "<>", "≠", "不等于"), "<": ("<", "小于"),
    "<=": ("<=", "≤", "小于等于", "不大于"), ">": (">", "大于"), ">=": (">=", "≥", "大于等于", "不小于"),
    "in": ("in", "属于", "在"), "not in": ("not in", "不属于", "不在"), "between": ("between", "介于"),
    "not between": ("not between", "不介于"), "to": ("and", "和", "与", "到", "至"),
    "is missing": ("is missing", "为空", "IS  MISSING"), "is not missing": ("is not missing", "不为空"),
    "contains": ("contains", "包含"), "not contains": ("not contains", "不包含"),
    "starts with": ("starts with", "开头为"), "not starts with": ("not starts with", "开头不为"),
    "ends with": ("ends with", "结尾为"), "not ends with": ("not ends with", "结尾不为"),
    "matches": ("matches", "匹配"), "not matches": ("not matches", "不匹配"),
    "contains any of": ("contains any of", "包含任一"), "not contains any of": ("not contains any of", "不包含任一"),
    "has any of": ("has any of", "含任一"), "has all of": ("has all of", "含全部"),
    "has none of": ("has none of", "不含"),
    "where": ("where", "其中"), "by": ("by", "按"), "among": ("among", "限于"), "desc": ("desc", "降序"),
    "then": ("then", "则"), "else": ("else", "否则"), "end": ("end", "结束"),
    "true": ("true", "真", "TRUE"), "false": ("false", "假"), "missing": ("missing", "缺失"),
    "last": ("last", "最近"), "next": ("next", "未来"), "this": ("this", "本"), "previous": ("previous", "上"),
    "ago": ("ago", "前"), "from now": ("from now", "后"), "today": ("today", "今天"),
}  # fmt: skip
UNITS = {
    "day": ("day", "days", "天", "日", "Days"), "week": ("week", "weeks", "周"), "month": ("month", "months", "个月"),
    "quarter": ("quarter", "quarters", "季度", "季"), "year": ("year", "years", "年"),
}  # fmt: skip
JOINED = frozenset(
    spelling for name in (
        "or", "and", "=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "not between", "to", "contains",
        "not contains", "starts with", "not starts with", "ends with", "not ends with", "matches", "not matches",
        "where", "by", "among", "then", "else",
    ) for spelling in OPERATORS[name] if spelling[0] >= "\u4e00"
)  # fmt: skip
"""Chinese words that what follows may touch."""
SIGNS = frozenset({"+", "*", "=", "==", "!=", "<>", "≠", "<", "<=", "≤", ">", ">=", "≥", "??"})
QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"))
FULL_WIDTH = {ord(c): ord(c) + 0xFEE0 for c in "(),:;=<>+-*/%[].?!0123456789"}


@dataclass(frozen=True, slots=True)
class Piece:
    """`finite`: the tokens name a segmentation or output, which literals are held to."""

    tokens: tuple[str, ...]
    level: int = PRIMARY
    finite: bool = False


def quoted(name: str, always: bool = False) -> str:
    if re.fullmatch(r"\w+", name) and is_plain_name(name) and not always:
        return name
    return "`" + name.replace("`", "``") + "`"


def written(random: Random, piece: Piece) -> str:
    """The tokens with spaces where they must be and some where they may be; full-width here and there."""
    out: list[str] = []
    wide = random.random() < 0.15
    for number, token in enumerate(piece.tokens):
        if number:
            before = piece.tokens[number - 1]
            touching = may_touch(before, token) and random.random() < 0.5
            blank = " " if random.random() < 0.95 else random.choice(("\n", "  ", "　", "\t"))
            out.append("" if touching else blank)
        literal = token[0] in "\"'“‘`"
        if not literal and wide and random.random() < 0.5:
            token = token.translate(FULL_WIDTH)
        out.append(random.choice("，、") if token == "," and random.random() < 0.1 else token)
    return "".join(out)


def may_touch(before: str, after: str) -> bool:
    """Whether two tokens may stand without a space between them."""
    if before in ("(", "[") or after in (")", "]", ",") or before == ",":
        return True
    if after == "+" and "T" in before and before[0].isdigit():
        return False
    if before in SIGNS or after in SIGNS:
        return not (before in SIGNS and after in SIGNS)
    if before in JOINED:
        return True
    chinese = (
        after in JOINED or after in OPERATORS["is missing"][1:2] or after in ("其中", "按", "限于", "结束", "前", "后")
    )
    number = before[0].isdigit()
    if chinese and ((number and "-" not in before) or before[-1] in ')]"”'):
        return True
    return number and before.isdigit() and after[0] >= "\u4e00" and any(after in each for each in UNITS.values())


def enclosed(piece: Piece) -> Piece:
    return Piece(("(", *piece.tokens, ")"), PRIMARY, piece.finite)
