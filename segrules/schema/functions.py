"""The functions of the language: names in both languages, and what each takes.

In: nothing.  Out: `FUNCTIONS` by canonical name and `by_spelling`.  Always: a function has one canonical English
name, used by every tree and engine; what it means stands in docs/language.md and `engine/reference/`.

`parameters` has one word per argument: numeric, exact, text, date (a date or timestamp), bool, list, any, integer,
and with `const:` before it one that must be known before the run; `…` repeats the last; `?` marks an optional one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

Kind = Literal["scalar", "aggregate", "population"]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    zh: tuple[str, ...]
    kind: Kind
    parameters: tuple[str, ...]


def _scalar(name: str, zh: str, *parameters: str) -> Function:
    return Function(name, tuple(zh.split("/")), "scalar", parameters)


def _aggregate(name: str, zh: str, *parameters: str) -> Function:
    return Function(name, tuple(zh.split("/")), "aggregate", parameters)


def _population(name: str, zh: str, *parameters: str) -> Function:
    return Function(name, tuple(zh.split("/")), "population", parameters)


_ALL = (
    _scalar("if", "如果", "bool", "any", "any"),
    _scalar("abs", "绝对值", "numeric"),
    _scalar("round", "四舍五入", "numeric", "const:integer?"),
    _scalar("floor", "向下取整", "numeric"),
    _scalar("ceil", "向上取整", "numeric"),
    _scalar("least", "最小值", "any", "…"),
    _scalar("greatest", "最大值", "any", "…"),
    _scalar("sqrt", "平方根", "numeric"),
    _scalar("ln", "自然对数", "numeric"),
    _scalar("exp", "指数", "numeric"),
    _scalar("power", "乘方", "numeric", "numeric"),
    _scalar("div", "整除", "integer", "integer"),
    _scalar("mod", "取余", "integer", "integer"),
    _scalar("lower", "小写", "text"),
    _scalar("upper", "大写", "text"),
    _scalar("trim", "去空格", "text"),
    _scalar("length", "长度", "text"),
    _scalar("concat", "连接", "text", "…"),
    _scalar("replace", "替换", "text", "text", "text"),
    _scalar("left_text", "左取", "text", "integer"),
    _scalar("right_text", "右取", "text", "integer"),
    _scalar("year", "年份", "date"),
    _scalar("quarter", "季度数", "date"),
    _scalar("month", "月份", "date"),
    _scalar("day", "日数", "date"),
    _scalar("weekday", "星期", "date"),
    _scalar("days_since", "距今天数", "date"),
    _scalar("weeks_since", "距今周数", "date"),
    _scalar("months_since", "距今月数", "date"),
    _scalar("years_since", "距今年数", "date"),
    _scalar("days_between", "相隔天数", "date", "date"),
    _scalar("next_anniversary", "下个周年日", "date"),
    _scalar("date", "日期", "date"),
    _scalar("count_items", "项数", "list"),
    _scalar("band", "分段", "numeric", "const:numeric[]"),
    _scalar("default", "默认值", "any", "any"),
    _scalar("hash_bucket", "哈希分桶", "text", "const:integer", "const:text"),
    _aggregate("count", "计数", "rows"),
    _aggregate("sum", "求和/合计", "numeric"),
    _aggregate("avg", "平均", "numeric"),
    _aggregate("min", "最小", "any"),
    _aggregate("max", "最大", "any"),
    _aggregate("stddev", "标准差", "numeric"),
    _aggregate("median", "中位数", "numeric"),
    _aggregate("count_distinct", "去重计数", "any"),
    _aggregate("any", "存在", "rows"),
    _aggregate("all", "全部", "bool"),
    _aggregate("first", "首次", "any"),
    _aggregate("last", "末次", "any"),
    _population("qcut", "分位分组", "ordered", "const:integer"),
    _population("ntile", "等分组", "ordered", "const:integer"),
    _population("rank", "排名", "ordered"),
    _population("percent_rank", "百分比排名", "ordered"),
    _population("quantile", "分位数", "ordered", "const:fraction"),
)

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}


@cache
def by_spelling() -> Mapping[str, str]:
    """Every spelling (English lower case, Chinese) of every function, to its canonical name."""
    found = {name: name for name in FUNCTIONS}
    for function in _ALL:
        found.update(dict.fromkeys(function.zh, function.name))
    return found
