"""Every keyword in both languages: what the lexer reads and the printer writes.

In: nothing.  Out: `TERMINALS`, the regular expressions of all tokens in the order in which they are tried; `spelling`
of a keyword in a language; what may be a name without backquotes.  Always: one table for grammar, lexer and printer;
English ignores case and ends at a word boundary; Chinese needs none, except the words that begin an operand and the
units.

    spelling("IN", "zh")                  # 属于
    keywords_inside("城市属于")            # ("属于",)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from segrules.syntax.expr import Unit

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Keyword:
    """`ends` marks Chinese that must end at a space or punctuation; the first spelling of a language is printed."""

    terminal: str
    en: tuple[str, ...]
    zh: tuple[str, ...]
    symbols: tuple[str, ...] = ()
    ends: bool = False


def _word(terminal: str, en: str, zh: str = "", symbols: str = "", *, ends: bool = False) -> Keyword:
    return Keyword(terminal, _split(en), _split(zh), tuple(symbols.split()), ends)


def _split(spellings: str) -> tuple[str, ...]:
    return tuple(part for part in spellings.split("/") if part)


KEYWORDS: tuple[Keyword, ...] = (
    _word("NOT_CONTAINS_ANY", "", "不包含任一"),
    _word("NOT_CONTAINS", "", "不包含"),
    _word("NOT_STARTS", "", "开头不为"),
    _word("NOT_ENDS", "", "结尾不为"),
    _word("NOT_MATCHES", "", "不匹配"),
    _word("NOT_BETWEEN", "", "不介于"),
    _word("NOT_IN", "", "不属于/不在"),
    _word("IS_NOT_MISSING", "", "不为空"),
    _word("HAS_NONE", "has none of", "不含"),
    _word("HAS_ANY", "has any of", "含任一"),
    _word("HAS_ALL", "has all of", "含全部"),
    _word("NE", "", "不等于", "!= <> ≠"),
    _word("LE", "", "小于等于/不大于", "<= ≤"),
    _word("GE", "", "大于等于/不小于", ">= ≥"),
    _word("EQ", "", "等于", "== ="),
    _word("LT", "", "小于", "<"),
    _word("GT", "", "大于", ">"),
    _word("CONTAINS_ANY", "contains any of", "包含任一"),
    _word("CONTAINS", "contains", "包含"),
    _word("STARTS", "starts with", "开头为"),
    _word("ENDS", "ends with", "结尾为"),
    _word("MATCHES", "matches", "匹配"),
    _word("BETWEEN", "between", "介于"),
    _word("IN", "in", "属于/在"),
    _word("IS_MISSING", "", "为空"),
    _word("IS", "is"),
    _word("AND", "and", "且/并且"),
    _word("OR", "or", "或/或者"),
    _word("TO", "", "和/与/到/至"),
    _word("THEN", "then", "则"),
    _word("ELSE", "else", "否则"),
    _word("END", "end", "结束"),
    _word("WHEN", "when"),
    _word("WHERE", "where", "其中"),
    _word("BY", "by", "按"),
    _word("AMONG", "among", "限于"),
    _word("DESC", "desc", "降序"),
    _word("AGO", "ago", "前"),
    _word("FROM_NOW", "from now", "后"),
    _word("NOT", "not", "非", ends=True),
    _word("TRUE", "true", "真", ends=True),
    _word("FALSE", "false", "假", ends=True),
    _word("MISSING", "missing", "缺失", ends=True),
    _word("CASE", "case"),
    _word("WHEN_ZH", "", "当", ends=True),
)

RESERVED_EN = ("and", "or", "not", "in", "is", "true", "false", "missing", "case")
RESERVED_ZH = (
    "且", "并且", "或", "或者", "非", "属于", "在", "不属于", "不在", "为空", "不为空", "真", "假", "缺失", "当",
)  # fmt: skip

UNITS_EN: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year")
UNITS_ZH: Mapping[str, Unit] = {
    "天": "day", "日": "day", "周": "week", "个月": "month", "季度": "quarter", "季": "quarter", "年": "year",
}  # fmt: skip
WINDOW_WORDS: Mapping[str, tuple[str, str]] = {
    "LAST": ("last", "最近"), "NEXT": ("next", "未来"), "THIS": ("this", "本"), "PREVIOUS": ("previous", "上"),
}  # fmt: skip
_SPELLINGS = {keyword.terminal: keyword for keyword in KEYWORDS}
_NEGATIVE_EN = {
    "NOT_CONTAINS_ANY": "not contains any of", "NOT_CONTAINS": "not contains", "NOT_STARTS": "not starts with",
    "NOT_ENDS": "not ends with", "NOT_MATCHES": "not matches", "NOT_BETWEEN": "not between", "NOT_IN": "not in",
    "IS_MISSING": "is missing", "IS_NOT_MISSING": "is not missing", "TO": "and",
}  # fmt: skip

_EDGE = r"(?!\w)"
_GAP = r"[ \t\r\n]"
_RESERVED = rf"(?:(?ai:{'|'.join(RESERVED_EN)})|{'|'.join(RESERVED_ZH)}){_EDGE}"
PLAIN_NAME = rf"(?!{_RESERVED})[^\W\d]\w*"
_PART = rf"(?:{PLAIN_NAME}|`[^`]*+(?:``[^`]*+)*+`)"
_UNIT_EN = rf"(?ai:{'|'.join(f'{unit}s?' for unit in UNITS_EN)}){_EDGE}"
_UNIT_ZH = "|".join(sorted(UNITS_ZH, key=len, reverse=True))
_UNIT = rf"(?:{_UNIT_EN}|(?:{_UNIT_ZH}){_EDGE})"
_PERIOD = rf"(?:{_UNIT_EN}|(?:{_UNIT_ZH}|月){_EDGE})"
_NAMED_AMOUNT = rf"{_GAP}+{_PART}{_GAP}+{_UNIT}"
_WITH_AMOUNT = rf"(?={_GAP}*[0-9]|{_NAMED_AMOUNT})"
_ONE_PERIOD = rf"(?={_GAP}*{_PERIOD}(?!{_GAP}+{_UNIT}))"


def _window(terminal: str, ahead: str) -> str:
    en, zh = WINDOW_WORDS[terminal]
    return rf"(?:(?ai:{en}){_EDGE}|{zh}){ahead}"


def _pattern(keyword: Keyword) -> str:
    choices = [re.escape(symbol) for symbol in keyword.symbols]
    choices += [rf"(?ai:{spelling.replace(' ', _GAP + '+')}){_EDGE}" for spelling in keyword.en]
    longest_first = sorted(keyword.zh, key=len, reverse=True)
    choices += [spelling + (_EDGE if keyword.ends else "") for spelling in longest_first]
    return "|".join(choices)


_TEXT = "|".join(
    rf"{opening}[^{closing}]*+(?:{closing}{closing}[^{closing}]*+)*+{closing}"
    for opening, closing in (('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"))
)

TERMINALS: Mapping[str, str] = {
    "TIMESTAMP": r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T[0-9:.]*(?:Z|[+-][0-9]{1,2}:?[0-9]{0,2})?",
    "DATE": (
        r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?![0-9])|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}(?![0-9/])"
        r"|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日?"
    ),
    "NUMBER": r"[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:万亿|万|亿|%)?(?![A-Za-z_0-9%]|\.[0-9])",
    "TEXT": _TEXT,
    **{keyword.terminal: _pattern(keyword) for keyword in KEYWORDS},
    "LAST": _window("LAST", _WITH_AMOUNT),
    "NEXT": _window("NEXT", _WITH_AMOUNT),
    "PREVIOUS": _window("PREVIOUS", _WITH_AMOUNT),
    "PREVIOUS_ONE": _window("PREVIOUS", _ONE_PERIOD),
    "THIS": _window("THIS", _ONE_PERIOD),
    "UNIT": rf"{_UNIT_EN}|(?:{_UNIT_ZH})(?:{_EDGE}|(?=[前后]))",
    "MONTH_ZH": rf"月{_EDGE}",
    "NAME": rf"{_PART}(?:{_GAP}*\.{_GAP}*{_PART})*",
    "QQ": r"\?\?",
    "DOTS": r"\.\.",
    "PLUS": r"\+",
    "MINUS": "-",
    "STAR": r"\*",
    "SLASH": "/",
    "LPAR": r"\(",
    "RPAR": r"\)",
    "LSQB": r"\[",
    "RSQB": r"\]",
    "COMMA": ",",
}

OPERANDS = frozenset({"NUMBER", "DATE", "TIMESTAMP", "TEXT", "NAME"})
WINDOWS = frozenset({"LAST", "NEXT", "PREVIOUS", "PREVIOUS_ONE", "THIS"})


def spelling(terminal: str, language: Language) -> str:
    """The canonical spelling of a keyword."""
    keyword = _SPELLINGS[terminal]
    if language == "zh" and keyword.zh:
        return keyword.zh[0]
    return keyword.en[0] if keyword.en else _NEGATIVE_EN[terminal]


def unit_of(written: str) -> Unit:
    """The unit that a UNIT or MONTH_ZH token means."""
    if written == "月":
        return "month"
    if written in UNITS_ZH:
        return UNITS_ZH[written]
    singular = written.lower().removesuffix("s")
    return next(unit for unit in UNITS_EN if unit == singular)


def is_unit(written: str) -> bool:
    return re.fullmatch(rf"{_UNIT_EN}|{_UNIT_ZH}", written) is not None


@cache
def _plain() -> re.Pattern[str]:
    return re.compile(PLAIN_NAME)


@cache
def _like_window() -> re.Pattern[str]:
    """Names that would read as a window after `in`."""
    words = "|".join(word for pair in WINDOW_WORDS.values() for word in pair)
    return re.compile(rf"(?ai:{words})|(?:最近|未来|上)[0-9]\w*|[本上](?:{_UNIT_ZH}|月)")


def is_plain_name(part: str) -> bool:
    """Whether *part*, whose characters are letters, digits and `_`, needs no backquotes."""
    return _plain().fullmatch(part) is not None and part.lower() != "null"


def is_like_window(name: str) -> bool:
    return _like_window().fullmatch(name) is not None


def is_reserved(word: str) -> bool:
    return word.lower() in RESERVED_EN or word in RESERVED_ZH


@cache
def _comparisons() -> frozenset[str]:
    kinds = ("EQ", "NE", "LT", "LE", "GT", "GE", "CONTAINS", "STARTS", "ENDS", "MATCHES", "BETWEEN")
    words = [word for keyword in KEYWORDS for word in (*keyword.en, *keyword.zh) if keyword.terminal in kinds]
    return frozenset({*words, *(word.split()[0] for word in words)})


def is_comparison(word: str) -> bool:
    """Whether *word* is that of a comparison, or its first one."""
    return word.lower() in _comparisons()


@cache
def _chinese() -> re.Pattern[str]:
    words = {spelling for keyword in KEYWORDS for spelling in keyword.zh}
    return re.compile("|".join(sorted(words, key=lambda word: (-len(word), word))))


def keywords_inside(name: str) -> tuple[str, ...]:
    """The Chinese keywords that stand inside *name*, in order: perhaps a space before one was forgotten."""
    return tuple(dict.fromkeys(found for found in _chinese().findall(name) if found != name))
