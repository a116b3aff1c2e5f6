"""One door: equal cells give equal columns, whatever holds them, and exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal as Exact
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.errors import BrokenContract
from segrules.schema.calendar import from_date, from_local, to_local
from segrules.schema.contract import Format
from segrules.schema.types import INT64_MAX, INT64_MIN, Value, parse_type
from segrules.tables.bind import bind
from segrules.tables.columns import Column
from segrules.tables.parsed import Spelling
from segrules.tables.times import timestamp
from tests.tables_builder import row_values, ruleset

ZONE = "Europe/Berlin"


def values(given_table: object, of: str, **options: Any) -> list[Value]:
    column = bound(given_table, of, **options)
    return [column.at(row) for row in range(len(column))]


def bound(given_table: object, of: str, **options: Any) -> Column:
    contract = {"type": of, "missing": "allowed", **options}
    made = ruleset(Path(), {"customers": {"columns": {"k": "integer", "x": contract}, "key": "k"}}, timezone=ZONE)
    return bind(made, {"customers": given_table}, row_values=row_values).tables["customers"].columns["x"]


def keyed(column: Any) -> dict[str, Any]:
    return {"k": list(range(len(column))), "x": column}


def refused(given_table: object, of: str, **options: Any) -> list[str]:
    with pytest.raises(BrokenContract) as stopped:
        bound(given_table, of, **options)
    return [one.code for one in stopped.value.diagnostics]


BACKENDS = {
    "dict of lists": lambda x: keyed(x),
    "pandas object": lambda x: pd.DataFrame(keyed(pd.Series(x, dtype=object))),
    "pandas inferred": lambda x: pd.DataFrame(keyed(x)),
    "pandas nullable": lambda x: pd.DataFrame(keyed(x)).convert_dtypes(),
    "pandas arrow": lambda x: pd.DataFrame(keyed(pd.array(pa.array(x), dtype=pd.ArrowDtype(pa.array(x).type)))),
    "pandas categorical": lambda x: pd.DataFrame(keyed(pd.Series(x, dtype=object).astype("category"))),
    "polars": lambda x: pl.DataFrame(keyed(x)),
    "pyarrow": lambda x: pa.table(keyed(x)),
    "record batch": lambda x: pa.RecordBatch.from_pydict(keyed(x)),
    "arrow dictionary": lambda x: pa.table(keyed(pa.array(x).dictionary_encode())),
    "text": lambda x: keyed([None if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in x]),
}

D, T = date(2026, 3, 29), datetime(2026, 3, 29, 12, 30, 0, 250000)
MATRIX = [
    ("integer", [3, None, -17850], [3, None, -17850]),
    ("integer", [3.0, None, 17850.0], [3, None, 17850]),
    ("decimal(2)", [3, None, -5], [300, None, -500]),
    ("decimal(2)", [0.1, None, 2.675e2], [10, None, 26750]),
    ("decimal(3)", [Exact("1.500"), None, Exact("-0.001")], [1500, None, -1]),
    ("number", [3, None, -5], [3.0, None, -5.0]),
    ("number", [0.1, None, 1e300], [0.1, None, 1e300]),
    ("number", [Exact("0.1"), None, Exact("2.5")], [0.1, None, 2.5]),
    ("text", ["a", None, ""], ["a", None, ""]),
    ("bool", [True, None, False], [True, None, False]),
    ("date", [D, None, date(1, 1, 1)], [from_date(D), None, from_date(date(1, 1, 1))]),
    ("timestamp", [T, None, T], [from_local(T, ZONE), None, from_local(T, ZONE)]),
    (
        "timestamp",
        [D, None, D],
        [from_local(datetime(2026, 3, 29), ZONE), None, from_local(datetime(2026, 3, 29), ZONE)],
    ),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("of", "cells", "expected"), MATRIX, ids=lambda v: str(v)[:30])
def test_every_backend_gives_the_same_column(backend: str, of: str, cells: list[Any], expected: list[Value]) -> None:
    if backend == "pandas inferred" and of == "integer" and None in cells:
        cells = [np.nan if cell is None else cell for cell in cells]
    assert values(BACKENDS[backend](cells), of) == expected


@pytest.mark.parametrize(
    ("of", "cells", "expected"),
    [
        ("text", [13800000000.0, 0.1, 1e22, "007"], ["13800000000", "0.1", "10000000000000000000000", "007"]),
        ("text", [Exact("1.50"), 5, True, date(2026, 1, 5)], ["1.50", "5", "true", "2026-01-05"]),
        ("text", [datetime(2026, 1, 5, 8), datetime(2026, 1, 5, 8, 0, 0, 500000)],
         ["2026-01-05 08:00:00", "2026-01-05 08:00:00.5"]),
        ("integer", [1, "2", 3.0, Exact("4.00"), np.int8(5)], [1, 2, 3, 4, 5]),
        ("integer", [str(INT64_MAX), INT64_MIN, Exact(INT64_MIN), " 7 "], [INT64_MAX, INT64_MIN, INT64_MIN, 7]),
        ("decimal(2)", [1, "2.5", 3.25, Exact("4.10"), np.float32(0.1)], [100, 250, 325, 410, 10]),
        ("decimal(9)", ["9223372036.854775807", Exact("-9223372036.854775808")], [INT64_MAX, INT64_MIN]),
        ("decimal(2)", ["1e3", "+.5", "5.", "1.2e-1", "-0"], [100000, 50, 500, 12, 0]),
        ("number", ["1e-3", 2, Exact("0.3"), "-0"], [0.001, 2.0, 0.3, 0.0]),
        ("date", [date(2026, 1, 5), "2026-01-05", datetime(2026, 1, 5)], [20458] * 3),
        ("list(text)", [["a", None, ""], "b|c", (), {"d"}], [("a",), ("b", "c"), (), ("d",)]),
        ("bool", [True, 1, 0, "true", "FALSE"], [True, True, False, True, False]),
    ],
)  # fmt: skip
def test_cells_of_several_kinds(of: str, cells: list[Any], expected: list[Value]) -> None:
    assert values(keyed(cells), of) == expected
    assert values(pd.DataFrame(keyed(pd.Series(cells, dtype=object))), of) == expected


@pytest.mark.parametrize(
    ("of", "cell", "code"),
    [
        ("integer", 1.5, "D831"), ("integer", "1.5", "D831"), ("integer", 2**63, "D832"), ("integer", 9.3e18, "D832"),
        ("integer", "0x1F", "D830"), ("integer", "1_000", "D830"), ("integer", "１２", "D830"),
        ("integer", "1,000", "D830"),
        ("integer", "1e999999999", "D832"), ("integer", "1e-999999999", "D831"), ("integer", "9" * 300, "D832"),
        ("integer", "9" * 5000, "D830"), ("integer", "x", "D830"), ("integer", "", None), ("integer", True, "D815"),
        ("decimal(2)", 0.1 + 0.2, "D831"), ("decimal(2)", "1.005", "D831"), ("decimal(2)", 1e17, "D832"),
        ("decimal(2)", Exact("1.001"), "D831"), ("decimal(2)", 1.7763568394002505e-15, "D831"),
        ("decimal(9)", 10**10, "D832"), ("number", "1,5", "D830"), ("number", "abc", "D830"),
        ("number", "0x10", "D830"),
        ("date", "2026-02-30", "D830"), ("date", "2026-1-5", "D830"), ("date", "0000-01-01", "D832"),
        ("date", datetime(2026, 1, 5, 1), "D833"), ("date", "2026-01-05 01:00", "D833"), ("date", 20260105, "D815"),
        ("timestamp", "2026-01-05 24:00", "D830"), ("timestamp", "05.01.2026", "D830"), ("timestamp", 5, "D815"),
        ("timestamp", "2026-01-05 08:00+25", "D830"), ("bool", "yes", "D830"), ("bool", 2, "D830"),
        ("text", b"\xff", "D815"), ("text", "\ud800", "D830"), ("list(text)", 5, "D815"),
        ("text", {"a": 1}, "D815"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(of: str, cell: Any, code: str | None) -> None:
    if code is None:
        assert values(keyed([cell]), of) == [None]
        return
    assert refused(keyed([cell]), of) == [code]
    assert refused(keyed([cell, None, "§" if of not in ("text", "list(text)") else 1]), of) != []


@pytest.mark.parametrize("of", ["integer", "decimal(2)", "number", "date", "timestamp", "bool"])
def test_one_wrong_cell_changes_no_other(of: str) -> None:
    right = {
        "integer": ["1", "+2", "3.00", "1e2", "-0"], "decimal(2)": ["1.5", ".5", "7.", "1e2", "2.500"],
        "number": ["1.5", ".5", "1e-7", "+3", "12345678901234567890"], "date": ["2026-01-05", "0001-01-01"],
        "timestamp": ["2026-01-05", "2026-01-05 08", "2026-01-05T08:01:02.123456", "2026-01-05 08:01"],
        "bool": ["true", "False"],
    }[of]  # fmt: skip
    made = ruleset(
        Path(),
        {"customers": {"bad_rows": "quarantine", "key": "k", "columns": {"k": "integer", "x": of}}},
        timezone=ZONE,
    )
    alone = values(keyed(right), of)
    assert None not in alone
    with_wrong = keyed([*right, "?"])
    parsed = [values(keyed([text]), of)[0] for text in right]
    assert alone == parsed
    assert refused(with_wrong, of) == ["D830"]
    from segrules.schema.contract import ColumnContract, Format
    from segrules.tables.convert import convert, spelling
    from segrules.tables.raw import python_cells

    target = parse_type(of)
    assert target is not None
    contract: ColumnContract[Any] = made.contracts.tables["customers"].columns["x"]
    found = convert(python_cells(with_wrong["x"]), target, spelling(contract, Format(), ZONE, False))
    assert [found.column.at(row) for row in range(len(right))] == alone
    assert [mask.tolist() for mask in found.faults.values()] == [[False] * len(right) + [True]]


def test_not_finite_is_missing_and_counted() -> None:
    made = ruleset(
        Path(), {"customers": {"key": "k", "columns": {"k": "integer", "x": {"type": "number", "missing": "allowed"}}}}
    )
    for cells in ([1.0, np.nan, np.inf, None, -np.inf], ["1", "NaN", "inf", None, "-Infinity"]):
        tables = bind(made, {"customers": pa.table(keyed(cells))}, row_values=row_values)
        column = tables.tables["customers"].columns["x"]
        assert [column.at(row) for row in range(5)] == [1.0, None, None, None, None]
        assert tables.accounts[0].not_finite == 3
    assert refused(keyed([1.0, np.inf]), "number", missing="no") == ["D834"]


@pytest.mark.parametrize(
    ("of", "cell"), [("number", np.inf), ("integer", 7), ("date", D), ("timestamp", T), ("bool", True)]
)
def test_values_at_missing_places_are_zero(of: str, cell: Any) -> None:
    for cells in ([cell, None], [None, cell, None]):
        column = bound(pa.table(keyed(cells)), of)
        assert column.missing is not None
        assert not column.values[column.missing].any()


def test_pandas_spells_missing_as_nan() -> None:
    made = ruleset(
        Path(), {"customers": {"key": "k", "columns": {"k": "integer", "x": {"type": "number", "missing": "allowed"}}}}
    )
    tables = bind(made, {"customers": pd.DataFrame(keyed([1.0, np.nan, np.inf]))}, row_values=row_values)
    assert tables.accounts[0].not_finite == 1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_and_zones_of_timestamps(unit: str) -> None:
    naive = pa.array([datetime(2026, 7, 1, 8), None]).cast(pa.timestamp(unit))
    zoned = pa.array([datetime(2026, 7, 1, 8, tzinfo=UTC), None]).cast(pa.timestamp(unit, "Asia/Tokyo"))
    utc = 1_782_892_800_000_000
    assert values(pa.table(keyed(naive)), "timestamp") == [utc - 7_200_000_000, None]
    assert values(pa.table(keyed(zoned)), "timestamp") == [utc, None]
    assert values(pa.table(keyed(naive)), "timestamp", zone="Asia/Shanghai") == [utc - 28_800_000_000, None]
    midnight = pa.array([datetime(2026, 6, 30, 22, tzinfo=UTC)]).cast(pa.timestamp(unit, "UTC"))
    assert values(pa.table(keyed(midnight)), "date") == [from_date(date(2026, 7, 1))]


def test_finer_than_microseconds_is_cut_off() -> None:
    assert values(pa.table(keyed(pa.array([-1, 1999], pa.timestamp("ns")))), "timestamp", zone="UTC") == [-1, 1]
    assert values(keyed(["1970-01-01 00:00:00.0000019Z"]), "timestamp") == [1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # no clock showed it: 03:30 summer time
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # shown twice: the earlier one
        ("2026-07-01T08:00:00+05:30", datetime(2026, 7, 1, 2, 30, tzinfo=UTC)),
        ("2026-07-01 08:00Z", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-07-01 08:00-0230", datetime(2026, 7, 1, 10, 30, tzinfo=UTC)),
    ],
)
def test_local_times_and_offsets(text: str, expected: datetime) -> None:
    micro = int((expected - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    assert values(keyed([text]), "timestamp") == [micro]
    assert values(keyed([text, "2026-07-01 08:00", "2026-07-01 08:00Z"]), "timestamp")[0] == micro


FORMATS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%Y/%m/%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y年%m月%d日",
    "%d%m%Y%H",
    "%y-%m-%d",
]
PARTS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2, "%y": 2}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("form", FORMATS)
def test_formats_of_times_mean_what_python_says(form: str, data: st.DataObject) -> None:
    def written(_: int) -> str:
        text = form
        for part, width in PARTS.items():
            digits = st.integers(0, 9999 if width == 4 else data.draw(st.sampled_from([12, 31, 62])))
            padded = data.draw(st.sampled_from([width, width, width, 0]))
            text = text.replace(part, str(data.draw(digits)).zfill(padded)) if part in text else text
        return data.draw(st.sampled_from([text, text, text, f" {text}", f"{text} ", f"{text}x", text[:-1]]))

    texts = [written(number) for number in range(4)]
    found = timestamp(
        pa.chunked_array([pa.array(texts, pa.large_string())]), Spelling(Format(), ZONE, True, date_format=form)
    )
    for row, text in enumerate(texts):
        try:
            expected = from_local(datetime.strptime(text.strip(), form), ZONE)
        except ValueError:
            expected = None
        assert found.column.at(row) == expected, text
        assert (expected is None) == bool("type" in found.faults and found.faults["type"][row]), text


def test_aware_and_naive_datetimes_in_one_column() -> None:
    east = timezone(timedelta(hours=8))
    cells = [datetime(2026, 7, 1, 8), datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 7, 1, 8, tzinfo=east)]
    micro = from_local(datetime(2026, 7, 1, 8), "UTC")
    hours = 3_600_000_000
    assert values(pd.DataFrame(keyed(pd.Series(cells, dtype=object))), "timestamp") == [
        micro - 2 * hours, micro, micro - 8 * hours,
    ]  # fmt: skip


def test_numbers_that_mean_yes_and_no() -> None:
    assert values(keyed([1, 0, None]), "bool") == [True, False, None]
    assert values(keyed([1.0, 0.0]), "bool", yes=["是"], no=["否"]) == [True, False]
    assert values(keyed([0, 2]), "bool", yes=["0"], no=["2"]) == [True, False]
    assert refused(keyed([0, 1]), "bool", yes=["0"], no=["2"]) == ["D830"]


def test_index_of_a_frame_may_hold_the_key() -> None:
    frame = pd.DataFrame({"x": ["b", "a"]}, index=pd.Index([2, 1], name="k"))
    assert values(frame, "text") == ["a", "b"]
    assert refused(pd.DataFrame({"x": ["b", "a"]}, index=[2, 1]), "text") == ["D809"]
    assert list(frame.columns) == ["x"]


class Frame(pd.DataFrame):
    """A frame of the caller's own kind."""


def test_a_frame_of_another_class_is_a_frame() -> None:
    frame = Frame({"x": ["b", 1]}, index=pd.Index([2, 1], name="k"))
    assert values(frame, "text") == ["1", "b"]


def test_lists_of_every_kind() -> None:
    expected = [("a", "b"), (), None]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_view(pa.string())):
        assert values(pa.table(keyed(pa.array([["a", "b"], [], None], kind))), "list(text)") == expected
    assert values(pl.DataFrame(keyed([["a", "b"], [], None])), "list(text)") == expected
    assert values(keyed(["a, b", "", None]), "list(text)", separator=",", clean=["trim"]) == [("a", "b"), (), None]


def test_customers_stand_in_key_order() -> None:
    keys = ["b", "a", "É", "e\u0301", "Z", "\U0001f600", "\uffff", "10", "9"]
    made = ruleset(Path(), {"customers": {"key": "k", "columns": {"k": "text"}}})
    column = bind(made, {"customers": {"k": keys}}, row_values=row_values).tables["customers"].columns["k"]
    assert [column.at(row) for row in range(len(keys))] == sorted(keys)
    assert column.values.tolist() == list(range(len(keys)))


decimals = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).map(lambda d: d)
DRAWN = {
    "integer": st.integers(INT64_MIN, INT64_MAX),
    "decimal(2)": decimals,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    "bool": st.booleans(),
    "date": st.dates(),
    "timestamp": instants,
}


@settings(max_examples=25, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("of", DRAWN)
def test_backends_agree(of: str, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.none() | DRAWN[of], min_size=1, max_size=8))
    expected = values(BACKENDS["pyarrow"](cells), of)
    for backend in ("dict of lists", "pandas object", "polars", "arrow dictionary"):
        assert values(BACKENDS[backend](cells), of) == expected, backend
    if of not in ("number", "text", "bool"):
        assert values(BACKENDS["text"](cells), of) == expected
    if of == "number":
        assert values(keyed([None if v is None else repr(v) for v in cells]), of) == expected
    exact = {
        "integer": lambda v: v, "decimal(2)": lambda v: int(v.scaleb(2)), "number": lambda v: v + 0.0,
        "text": lambda v: v, "bool": lambda v: v, "date": from_date, "timestamp": lambda v: from_local(v, ZONE),
    }[of]  # fmt: skip
    assert expected == [None if cell is None else exact(cell) for cell in cells]


@settings(max_examples=200, deadline=None)
@given(x=st.floats(allow_nan=False, allow_infinity=False, width=64), scale=st.integers(0, 9))
def test_a_double_stands_for_its_shortest_decimal(x: float, scale: int) -> None:
    _agree(x, repr(x), scale)
    _agree(round(x % 1e6, scale), repr(round(x % 1e6, scale)), scale)


@settings(max_examples=100, deadline=None)
@given(
    x=st.floats(allow_nan=False, allow_infinity=False, width=32, min_value=-1e7, max_value=1e7), scale=st.integers(0, 4)
)
def test_so_does_a_single(x: float, scale: int) -> None:
    single = np.float32(x)
    _agree(np.array([single]), np.format_float_positional(single, unique=True), scale)
    single = np.float32(round(x, scale))
    _agree(np.array([single]), np.format_float_positional(single, unique=True), scale)


def _agree(cell: Any, text: str, scale: int) -> None:
    of = f"decimal({scale})"
    outcomes = []
    for column in (cell if isinstance(cell, np.ndarray) else [cell], [text]):
        try:
            outcomes.append(values(pa.table({"k": [0], "x": pa.array(column)}), of))
        except BrokenContract as stopped:
            outcomes.append([one.code for one in stopped.diagnostics])
    assert outcomes[0] == outcomes[1]


def test_a_column_without_values_may_have_any_type() -> None:
    nothing = pd.DataFrame(keyed([np.nan, np.nan]))
    for of in ("integer", "decimal(2)", "number", "text", "bool", "date", "timestamp", "list(text)"):
        assert values(nothing, of) == [None, None]
        assert values(pd.DataFrame({"k": [], "x": []}), of) == []
    assert refused(pd.DataFrame(keyed([np.nan, 1.0])), "date") == ["D815"]


def test_values_of_one_class_that_arrow_cannot_hold_together() -> None:
    def wrong(cells: list[Any], of: str) -> dict[str, Any]:
        with pytest.raises(BrokenContract) as stopped:
            bound(keyed(cells), of)
        (found,) = stopped.value.diagnostics
        return {"code": found.code, "count": found.args["count"]}

    assert wrong(["a", "\ud800", None, "b"], "text") == {"code": "D830", "count": "1"}
    assert wrong([["\ud800"], ["a"], None], "list(text)") == {"code": "D830", "count": "1"}
    assert values(keyed([[1, 2], ["a"], [], None]), "list(text)") == [("1", "2"), ("a",), (), None]
    assert values(keyed([1, 2**63 - 1, None]), "integer") == [1, INT64_MAX, None]
    assert wrong([1, 2**63, None], "integer") == {"code": "D832", "count": "1"}


def test_extension_types_are_what_they_stand_for_or_refused() -> None:
    one = UUID(int=5)
    assert values(keyed([one, None]), "text") == [str(one), None]
    assert values(pa.table(keyed(pa.array([one.bytes, None], pa.uuid()))), "text") == [str(one), None]
    assert values(pa.table(keyed(pa.array([1, 0, None], pa.bool8()))), "bool") == [True, False, None]
    assert refused(pd.DataFrame(keyed(pd.period_range("2020-01", periods=2, freq="D"))), "integer") == ["D815"]
    assert refused(pd.DataFrame(keyed(pd.interval_range(0, 2))), "text") == ["D815"]


def test_times_as_text_have_a_fraction_only_where_there_is_one() -> None:
    moments = [datetime(2020, 1, 1, 5, tzinfo=UTC), datetime(2020, 1, 1, 5, 0, 0, 120_000, UTC)]
    for zone, hour, mark in (("UTC", "05", "Z"), ("Europe/Berlin", "06", "+0100")):
        cells = pa.array(moments, pa.timestamp("us", zone))
        expected = [f"2020-01-01 {hour}:00:00{mark}", f"2020-01-01 {hour}:00:00.12{mark}"]
        assert values(pa.table(keyed(cells)), "text") == expected


@pytest.mark.parametrize("of", ["date", "timestamp"])
def test_days_beyond_any_calendar_are_refused(of: str) -> None:
    for days in (2**31 - 1, -(2**31)):
        cells = pa.array([days, 0], pa.int32()).cast(pa.date32())
        assert refused(pa.table(keyed(cells)), of) == ["D832"]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_the_first_and_the_last_second_of_the_calendar(zone: str) -> None:
    columns = {"k": "integer", "x": "timestamp"}
    made = ruleset(Path(), {"customers": {"key": "k", "columns": columns}}, timezone=zone)
    for moment in (datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)):
        stored = from_local(moment, zone)
        assert to_local(stored, zone).replace(tzinfo=None) == moment
        for cells in ([moment], [moment.isoformat(" ")], pa.array([moment], pa.timestamp("us"))):
            tables = bind(made, {"customers": pa.table(keyed(cells))}, row_values=row_values)
            assert tables.tables["customers"].columns["x"].at(0) == stored
        outside = moment.replace(tzinfo=timezone(timedelta(hours=14 if moment.year == 1 else -12)))
        with pytest.raises(BrokenContract, match="D832"):
            bind(made, {"customers": keyed([outside.isoformat()])}, row_values=row_values)
