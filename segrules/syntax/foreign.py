"""Words and signs of other languages, and what is written here instead.

In: nothing.  Out: tables by what was written.  Always: every `help` is a key of the code's entry in the catalogue;
`instead` is how the same is written here.

    OPERATORS["&&"]          # Foreign("S220", "use", "and")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Foreign:
    code: str
    help: str
    instead: str = ""


def _use(instead: str) -> Foreign:
    return Foreign("S220", "use", instead)


OPERATORS: Mapping[str, Foreign] = {
    "&&": _use("and"), "&": _use("and"), "||": Foreign("S220", "or_concat"), "|": _use("or"),
    "!": _use("not"), "~": Foreign("S220", "matches"), "=~": Foreign("S220", "matches"),
    "=<": _use("<="), "=>": _use(">="), "===": _use("="), "!==": _use("!="), ":=": _use("="), "<=>": _use("="),
    "==!": _use("!="), "=!": _use("!="), "><": _use("!="), "≦": _use("<="), "≧": _use(">="), "≈": _use("="),
    "×": _use("*"), "÷": _use("/"), "−": _use("-"), "–": _use("-"), "—": _use("-"),
    "%": Foreign("S220", "mod"), "^": Foreign("S220", "power"), "**": Foreign("S220", "power"),
    "//": Foreign("S220", "div"), "+": Foreign("S220", "plus"),
}  # fmt: skip

WORDS: Mapping[str, Foreign] = {
    **dict.fromkeys(("like", "ilike", "like%", "像", "类似"), Foreign("S226", "like")),
    **dict.fromkeys(("rlike", "regexp", "similar", "match"), Foreign("S226", "use", "matches")),
    **dict.fromkeys(("startswith", "starts", "begins", "beginswith"), Foreign("S226", "use", "starts with")),
    **dict.fromkeys(("endswith", "ends"), Foreign("S226", "use", "ends with")),
    **dict.fromkeys(("equals", "eq", "是"), Foreign("S226", "use", "=")),
    **dict.fromkeys(("includes", "contain", "include"), Foreign("S226", "use", "contains")),
    **dict.fromkeys(("has",), Foreign("S226", "use", "has any of")),
    **dict.fromkeys(("isnull", "空", "空值"), Foreign("S226", "use", "is missing")),
    **dict.fromkeys(("notnull",), Foreign("S226", "use", "is not missing")),
    **dict.fromkeys(("ne", "不是"), Foreign("S226", "use", "!=")),
    **dict.fromkeys(("gt",), Foreign("S226", "use", ">")),
    **dict.fromkeys(("lt",), Foreign("S226", "use", "<")),
    **dict.fromkeys(("gte", "ge"), Foreign("S226", "use", ">=")),
    **dict.fromkeys(("lte", "le"), Foreign("S226", "use", "<=")),
    **dict.fromkeys(("mod",), Foreign("S226", "use", "mod(a, b)")),
    **dict.fromkeys(("div",), Foreign("S226", "use", "div(a, b)")),
    **dict.fromkeys(("xor",), Foreign("S226", "use", "!=")),
    **dict.fromkeys(("but",), Foreign("S226", "use", "and")),
    **dict.fromkeys(("unless", "except"), Foreign("S226", "use", "and not")),
}

NULLS = frozenset({"null", "none", "nil", "nan", "na", "empty", "blank", "空", "空值", "null值"})

HIDDEN_UNITS = frozenset(
    {
        "hour",
        "hours",
        "minute",
        "minutes",
        "second",
        "seconds",
        "h",
        "min",
        "mins",
        "s",
        "小时",
        "分钟",
        "秒",
        "个小时",
        "时",
    }
)

STRAY: Mapping[str, str] = {
    **dict.fromkeys("$￥¥€£", "currency"),
    **dict.fromkeys("「」『』«»„《》〈〉＂＇", "quotes"),
    **dict.fromkeys("{}｛｝〔〕", "brackets"),
    **dict.fromkeys("。;；", "end"),
}
