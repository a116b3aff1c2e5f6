"""Tables of a PostgreSQL server: ADBC = psycopg = a CSV file of the same data, and all the ways in which it fails."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segrules.tables import postgres as reading
from segrules.tables.raw import cell_text
from tests.postgres import Server
from tests.test_tables_sources import problems, read, rows

Columns = dict[str, Any]
ROW = ("id text", "姓名 text", "n bigint", "amount numeric", "share real", "score double precision", "born date",
       "seen timestamptz", "at timestamp", "vip boolean", "tags text[]", "code char(4)", "mood mood")  # fmt: skip
MAY = {"missing": "allowed"}
COLUMNS: Columns = {
    "id": "text", "姓名": {"type": "text", **MAY}, "n": {"type": "integer", **MAY},
    "amount": {"type": "decimal(2)", **MAY}, "share": {"type": "number", **MAY}, "score": {"type": "number", **MAY},
    "born": {"type": "date", **MAY}, "seen": {"type": "timestamp", **MAY}, "at": {"type": "timestamp", **MAY},
    "vip": {"type": "bool", **MAY}, "tags": {"type": "list(text)", **MAY},
    "code": {"type": "text", **MAY}, "mood": {"type": "text", **MAY},
}  # fmt: skip
PEOPLE = [
    ("a", "欧阳 娜娜", 2**62, Decimal("1.50"), 0.1, 0.1, date(2026, 1, 5), datetime(2026, 1, 5, tzinfo=UTC),
     datetime(2026, 1, 5, 8, 0, 0, 123456), True, ["贵宾", "a,b"], "ab", "好"),
    ("b", "O'Neil \"x\" \\ 100%", -5, Decimal("-92233720368547758.07"), -2.5, 1e300, date(1, 1, 1),
     datetime(9999, 12, 30, tzinfo=UTC), datetime(1, 1, 3), False, [], "wxyz", "坏"),
    ("c", *[None] * 12),
    ("d", "", 0, Decimal(3), 0.0, -0.0, date(9999, 12, 31), datetime(1970, 1, 1, tzinfo=UTC),
     datetime(2000, 2, 29), None, ["x"], "", "好"),
]  # fmt: skip

Read = Callable[..., Any]


@pytest.fixture(params=["adbc", "psycopg"])
def driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way of reading; the other one is shown not to be used."""
    only(request.param, monkeypatch)
    return str(request.param)


def only(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if driver == "adbc":
        monkeypatch.setattr(reading, "_columns", None)
    else:
        monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)


def told(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for each in statements:
            connection.execute(each)


def filled(url: str, people: list[tuple[Any, ...]] = PEOPLE, name: str = "people") -> None:
    with psycopg.connect(url) as connection:
        connection.execute("do $$ begin create type mood as enum ('好', '坏'); exception when others then end $$")
        connection.execute(f"create table {name} ({', '.join(ROW)})")
        connection.cursor().executemany(f"insert into {name} values ({', '.join(['%s'] * len(ROW))})", people)


def as_csv(folder: Path, people: list[tuple[Any, ...]]) -> str:
    """The same people as a file: what is missing is `-`, since a CSV file has no empty text apart from it."""

    def cell(value: Any) -> str:
        match value:
            case None:
                return "-"
            case bool():
                return "true" if value else "false"
            case list():
                return "|".join(value)
            case _:
                return format(value, "f") if isinstance(value, Decimal) else str(value)

    with (folder / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([[name.split()[0] for name in ROW], *(map(cell, one) for one in people)])
    return "people.csv"


def padded(people: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """`char(4)` is filled up with blanks, which no source but the contract may take off."""
    return [(*one[:11], None if one[11] is None else one[11].ljust(4), one[12]) for one in people]


def test_the_same_as_a_file(tmp_path: Path, postgres_url: str, driver: str) -> None:
    filled(postgres_url)
    found = rows(read(tmp_path, {"url": postgres_url, "table": "people"}, COLUMNS))
    file = as_csv(tmp_path, padded(PEOPLE))
    clean = {name: {**MAY, "type": COLUMNS[name]["type"]} for name in COLUMNS if name != "id"}
    expected = rows(read(tmp_path, file, {"id": "text", **clean}, format={"missing": ["-"], "strip": []}))
    for one in found:
        one_expected = next(each for each in expected if each[0] == one[0])
        for mine, theirs in zip(one, one_expected, strict=True):
            assert mine == theirs or (mine in ("", ()) and theirs in (None, (), ("",)))
    assert [one[0] for one in found] == ["a", "b", "c", "d"]
    assert found[0][1:5] == ("欧阳 娜娜", 2**62, 150, 0.1)
    assert found[1][3] == -9223372036854775807
    assert found[2][1:] == (None,) * 12
    assert found[3][1] == ""
    assert found[0][10] == ("贵宾", "a,b")


def test_a_query_and_a_schema(tmp_path: Path, postgres_url: str, driver: str) -> None:
    filled(postgres_url)
    told(postgres_url, 'create schema "销售"', 'create table "销售"."Wide Name" as select id, n from people')
    asked = {"url": postgres_url, "table": "销售.Wide Name"}
    expected = [("a", 2**62), ("b", -5), ("c", None), ("d", 0)]
    columns = {"id": "text", "n": {"type": "integer", **MAY}}
    assert rows(read(tmp_path, asked, columns)) == expected
    query = "with x as (select * from people) select id, n, 1, 2 from x where id like '%' and '1:2' <> ':x'; -- all"
    assert rows(read(tmp_path, {"url": postgres_url, "query": query.replace("; -- all", ";\n")}, columns)) == expected
    tables = read(tmp_path, {"url": postgres_url, "query": query.replace(";", "")}, columns)
    assert rows(tables) == expected
    told(postgres_url, "create table nobody (id text, n integer)")
    assert rows(read(tmp_path, {"url": postgres_url, "table": "nobody"}, columns)) == []


def test_what_does_not_fit_is_a_bad_row(tmp_path: Path, postgres_url: str, driver: str) -> None:
    told(
        postgres_url,
        "create table odd (id text, amount numeric, born date, seen timestamptz, n numeric)",
        """insert into odd values ('a', 1e40, 'infinity', '2026-01-05 08:00+08', 1), ('b', 'NaN', '0044-03-15 BC',
           '-infinity', 1.5), ('c', 0.001, '2026-01-05', '12026-01-01', null), ('d', 2, null,
           '2026-01-05 00:00+08', 4e18)""",
    )
    columns = {"id": "text", **{name: COLUMNS[name] for name in ("amount", "born", "seen", "n")}}
    wrong = problems(tmp_path, {"url": postgres_url, "table": "odd"}, columns)
    assert [re.sub(r" in `\S+ odd`", "", one) for one in wrong] == EXPECTED_ODD
    tables = read(tmp_path, {"url": postgres_url, "table": "odd"}, columns, bad_rows="quarantine")
    assert rows(tables) == [("d", 200, None, 1_767_542_400_000_000, 4 * 10**18)]


EXPECTED_ODD = [
    "D830 `customers.born` is not date (2 ×): row 1 `infinity`, row 2 `0044-03-15 BC`",
    "D830 `customers.seen` is not timestamp (2 ×): row 2 `-infinity`, row 3 `12026-01-01 05:00:00+00`",
    "D831 `customers.amount` has more decimal digits than decimal(2) (1 ×): row 3 `0.001`",
    "D831 `customers.n` has more decimal digits than integer (1 ×): row 2 `1.5`",
    "D832 `customers.amount` is outside the range of decimal(2) (1 ×): row 1 `{}…`".format("1" + "0" * 39),
]


def test_types_that_are_read_as_text(tmp_path: Path, postgres_url: str, driver: str) -> None:
    told(
        postgres_url,
        """create table other as select 'a'::text as id, '{"a": [1, 2]}'::jsonb as doc, interval '1 day' as span,
           time '08:00' as clock, '6f1e2d3c-0000-4000-8000-000000000001'::uuid as guid,
           array[1.5, null, 2]::numeric[] as numbers, array[['a', 'b'], ['c', 'd']] as grid,
           '10.0.0.1'::inet as host, 5::oid as oid, null as nothing""",
    )
    columns = {"id": "text", "doc": "text", "span": "text", "clock": "text", "guid": "text", "numbers": "list(text)",
               "grid": "list(text)", "host": "text", "oid": "integer",
               "nothing": {"type": "integer", **MAY}}  # fmt: skip
    (found,) = rows(read(tmp_path, {"url": postgres_url, "table": "other"}, columns))
    assert found[:5] == ("a", '{"a": [1, 2]}', "1 day", "08:00:00", "6f1e2d3c-0000-4000-8000-000000000001")
    assert found[6:] == (("a", "b", "c", "d"), "10.0.0.1/32", 5, None)
    assert found[5][0] == "1.5"


def test_bytes_are_no_text(tmp_path: Path, postgres_url: str, driver: str) -> None:
    told(postgres_url, "create table raw as select 'a'::text as id, 'x'::bytea as data")
    (wrong,) = problems(tmp_path, {"url": postgres_url, "table": "raw"}, {"id": "text", "data": "text"})
    assert wrong.startswith("D815")


def test_another_encoding(tmp_path: Path, postgres_server: Server, driver: str) -> None:
    for encoding in ("EUC_CN", "SQL_ASCII"):
        name = f"old_{encoding.lower()}_{driver}"
        create = f"create database {name} template template0 encoding '{encoding}' locale 'C' locale_provider libc"
        postgres_server.told(create)
        url = postgres_server.url(name)
        try:
            with psycopg.connect(url, client_encoding="utf-8") as connection:
                connection.execute("create table people as select 'a'::text as id, '张伟'::text as 姓名")
            columns = {"id": "text", "姓名": "text"}
            assert rows(read(tmp_path, {"url": url, "table": "people"}, columns)) == [("a", "张伟")]
        finally:
            postgres_server.dropped(name)


def test_nothing_is_ever_written(tmp_path: Path, postgres_url: str) -> None:
    filled(postgres_url)
    told(postgres_url, "create function spoil() returns text language sql as $$ delete from people returning id $$")
    for query in (
        "select spoil() as id",
        "delete from people returning id",
        "select 1 as id) x; drop table people; --",
    ):
        (wrong,) = problems(tmp_path, {"url": postgres_url, "query": query}, {"id": "text"})
        assert wrong.startswith("D814")
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select count(*) from people").fetchone() == (4,)


def test_what_fails_is_said_and_keeps_its_secrets(
    tmp_path: Path, postgres_url: str, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(postgres_url)
    columns = {"id": "text", "n": "integer"}
    monkeypatch.setenv("CRM_PASSWORD", "hush/p@ss:w 密")

    def said(source: dict[str, str], columns: Columns = columns) -> str:
        (wrong,) = problems(tmp_path, source, columns)
        assert "hush" not in wrong and "p%40ss" not in wrong and "only for tests" not in wrong
        return wrong

    other = postgres_server.url().split("@")[1].split("/")[0]
    assert "password authentication failed" in said(
        {"url": f"postgresql://segrules:${{CRM_PASSWORD}}@{other}/postgres", "table": "people"}
    )
    assert said({"url": "postgresql://u:${CRM_PASSWORD}@127.0.0.1:1/d", "table": "people"}).startswith("D813")
    assert "does not exist" in said({"url": postgres_server.url("nowhere"), "table": "people"})
    assert said({"url": postgres_url, "table": "poeple"}).startswith("D814")
    assert said({"url": postgres_url, "table": "no.people"}).startswith("D814")
    assert said({"url": postgres_url, "table": "people"}, {"id": "text", "nn": "integer"}).startswith("D809")
    assert said({"url": postgres_url, "query": "select id, n from people where"}).startswith("D814")
    assert "division by zero" in said({"url": postgres_url, "query": "select id, 1/(n-n) as n from people"})
    twice = "select id, n, n from people"
    assert said({"url": postgres_url, "query": twice}).startswith("D810")
    for name in ("psycopg", "adbc_driver_postgresql"):
        monkeypatch.setitem(sys.modules, name, None)
    assert said({"url": postgres_url, "table": "people"}).startswith("D813")


def test_a_server_that_goes_away_while_it_answers(tmp_path: Path, postgres_url: str, driver: str) -> None:
    if driver == "adbc":
        pytest.skip("psycopg is what says why")
    query = "select pg_terminate_backend(pg_backend_pid())::text as id"
    (wrong,) = problems(tmp_path, {"url": postgres_url, "query": query}, {"id": "text"})
    assert wrong.startswith("D813"), wrong


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
NUMERICS = st.none() | st.decimals(
    allow_nan=False, allow_infinity=False, places=2, min_value=-(10**16), max_value=10**16
)
MADE = st.lists(
    st.tuples(
        st.none() | TEXTS, st.none() | st.integers(-(2**63), 2**63 - 1), NUMERICS, st.none() | st.dates(),
        st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),
        st.none() | st.booleans(), st.none() | st.lists(st.none() | TEXTS, max_size=3),
        st.none() | st.floats(width=32, allow_nan=False), st.none() | st.floats(allow_nan=False),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=MADE)
def test_both_drivers_give_the_same_cells(postgres_url: str, people: list[tuple[Any, ...]]) -> None:
    types = ("text", "bigint", "numeric", "date", "timestamptz", "boolean", "text[]", "real", "double precision")
    with psycopg.connect(postgres_url) as connection:
        connection.execute("drop table if exists made")
        connection.execute(f"create table made ({', '.join(f'c{at} {of}' for at, of in enumerate(types))})")
        connection.cursor().executemany(f"insert into made values ({', '.join(['%s'] * len(types))})", people)
    assert cells(postgres_url, "adbc") == cells(postgres_url, "psycopg")


def cells(url: str, driver: str) -> list[list[str | None]]:
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with pytest.MonkeyPatch.context() as patch, engine.connect() as connection:
            only(driver, patch)
            _, columns = reading.columns_of(connection, "made", lambda _: None)
            return [[cell_text(column, row) for row in range(len(column))] for column in columns]
    finally:
        engine.dispose()
