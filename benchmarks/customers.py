"""The customers of the rule benchmark: a key and 20 columns, from a seed.

In: a number of customers.  Out: an Arrow table, as a warehouse would hand it over.  Always: 5 % of the values are
missing in each column that may have missing ones; money is decimal(2), text plain strings, tags a list of text.

    table(1_000_000, seed=1)
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TODAY = date(2026, 6, 30)
CITIES = (
    "北京", "上海", "广州", "深圳", "杭州", "成都", "重庆", "武汉", "西安", "苏州",
    "南京", "天津", "长沙", "郑州", "东莞", "青岛", "沈阳", "宁波", "昆明", "合肥",
    "佛山", "无锡", "大连", "福州", "厦门", "哈尔滨", "济南", "温州", "南宁", "长春",
    "泉州", "石家庄", "贵阳", "南昌", "金华", "常州", "南通", "嘉兴", "太原", "徐州",
    "惠州", "珠海", "中山", "台州", "烟台", "兰州", "绍兴", "海口", "扬州", "汕头",
    "洛阳", "潍坊", "保定", "镇江", "唐山", "湖州", "临沂", "盐城", "桂林", "三亚",
)  # fmt: skip
TIERS = ("bronze", "diamond", "gold", "platinum", "silver")
GENDERS = ("女", "男")
CHANNELS = ("app", "douyin", "jd", "mini", "store", "tmall", "web", "wechat")
TAGS = ("baby", "beauty", "books", "coupon", "fashion", "fitness", "gift", "home", "outdoor", "pets", "snacks", "tech")
MISSING = 0.05


def table(customers: int, seed: int) -> pa.Table:
    draw = np.random.default_rng(seed)
    rows = customers

    def gaps() -> Bools:
        return draw.random(rows) < MISSING

    def ago(days: int) -> Ints:
        return np.minimum(draw.exponential(days, rows), 2_000).astype(np.int64)

    columns = {
        "customer_id": pa.array([f"C{number:08d}" for number in range(rows)], pa.string()),
        "age": pa.array(draw.integers(16, 80, rows), mask=gaps()),
        "income": _decimal(_cents(draw, rows, 90_000), gaps()),
        "spend_12m": _decimal(_cents(draw, rows, 3_000), None),
        "spend_90d": _decimal(_cents(draw, rows, 800), None),
        "balance": _decimal(_cents(draw, rows, 4_000) - 150_000, gaps()),
        "basket": _decimal(_cents(draw, rows, 220), gaps()),
        "orders_12m": pa.array(draw.poisson(5, rows)),
        "visits_30d": pa.array(draw.geometric(0.2, rows) - 1),
        "discount_share": pa.array(draw.beta(2, 4, rows), mask=gaps()),
        "score": pa.array(draw.random(rows), mask=gaps()),
        "city": _texts(draw, CITIES, rows, gaps(), 1 / np.arange(2, len(CITIES) + 2)),
        "tier": _texts(draw, TIERS, rows, None),
        "gender": _texts(draw, GENDERS, rows, gaps()),
        "channel": _texts(draw, CHANNELS, rows, gaps()),
        "signup_date": _dates(draw.integers(0, 2_000, rows), None),
        "last_order": _dates(ago(200), gaps()),
        "last_contact": _dates(ago(60), gaps()),
        "vip": pa.array(draw.random(rows) < 0.08),
        "email_consent": pa.array(draw.random(rows) < 0.6, mask=gaps()),
        "tags": _tags(draw, rows, gaps()),
    }
    return pa.table(columns)


def _cents(draw: np.random.Generator, rows: int, middle: int) -> Ints:
    """Amounts in cents around *middle* units, lognormal."""
    return np.round(draw.lognormal(np.log(middle * 100), 1.1, rows)).astype(np.int64)


def _decimal(cents: Ints, missing: Bools | None) -> pa.Array:
    """decimal(2): 128-bit integers, of which an int64 fills the lower half."""
    wide = np.empty((len(cents), 2), np.int64)
    wide[:, 0], wide[:, 1] = cents, cents >> 63
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(14, 2), len(cents), [valid, pa.py_buffer(wide)])


def _dates(ago: Ints, missing: Bools | None) -> pa.Array:
    days = (TODAY - date(1970, 1, 1)).days - ago
    return pa.array(days.astype(np.int32), mask=missing).cast(pa.date32())


def _texts(
    draw: np.random.Generator,
    words: tuple[str, ...],
    rows: int,
    missing: Bools | None,
    weights: NDArray[np.float64] | None = None,
) -> pa.Array:
    share = None if weights is None else weights / weights.sum()
    return _spelled(draw.choice(len(words), rows, p=share).astype(np.int32), missing, words)


def _spelled(codes: NDArray[np.int32], missing: Bools | None, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(words)).cast(pa.string())


def _tags(draw: np.random.Generator, rows: int, missing: Bools) -> pa.Array:
    """Up to four different tags each; none where missing."""
    lengths = np.where(missing, 0, draw.integers(0, 5, rows))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    first = np.repeat(draw.integers(0, len(TAGS), rows), lengths)
    items = _spelled(((first + within * 5) % len(TAGS)).astype(np.int32), None, TAGS)
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=pa.array(missing))


def tag_flags(lists: pa.ChunkedArray) -> tuple[dict[str, Bools], Bools]:
    """For each tag who has it, and whose tags are known."""
    whole = lists.combine_chunks()
    owner = pc.list_parent_indices(whole).to_numpy()
    items = pc.index_in(pc.list_flatten(whole), value_set=pa.array(TAGS)).to_numpy()
    flags = np.zeros((len(TAGS), len(whole)), np.bool_)
    flags[items, owner] = True
    return dict(zip(TAGS, flags, strict=True)), pc.is_valid(whole).to_numpy(zero_copy_only=False)


def with_flags(given: pa.Table) -> pa.Table:
    """The table with a bool column `tags_…` per tag, missing where the tags are, in the place of the lists."""
    flags, known = tag_flags(given["tags"])
    made = given.drop_columns(["tags"])
    for tag, flag in flags.items():
        made = made.append_column(f"tags_{tag}", pa.array(flag, mask=~known))
    return made


def doubles(money: pa.ChunkedArray) -> pa.Array:
    """decimal(2) as the nearest doubles; Arrow's own cast multiplies by 0.01 and makes 29.900000000000002 of 29.90."""
    whole = money.combine_chunks()
    words = np.frombuffer(whole.buffers()[1], np.int64)
    values = words[2 * whole.offset : 2 * (whole.offset + len(whole)) : 2] / 100
    return pa.array(values, mask=whole.is_null().to_numpy(zero_copy_only=False))
