"""Where tables come from: encodings, spreadsheets, Parquet, databases, and all the ways in which a source fails."""

from __future__ import annotations

import gzip
import sqlite3
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.diagnostics.catalogue import help_text, message
from segrules.errors import BrokenContract
from segrules.source import NOWHERE
from segrules.tables.bind import bind
from segrules.tables.columns import Tables
from segrules.tables.database import database_url
from segrules.tables.raw import Origin
from tests.tables_builder import row_values, ruleset

COLUMNS = {"id": "text", "城市": {"type": "text", "missing": "allowed"}}


def read(folder: Path, source: Any, columns: dict[str, Any] | None = None, **options: Any) -> Tables:
    written = {"source": source, "key": "id", "columns": columns or COLUMNS, **options}
    return bind(ruleset(folder, {"customers": written}), row_values=row_values)


def rows(tables: Tables) -> list[tuple[Any, ...]]:
    one = tables.tables["customers"]
    return [tuple(column.at(row) for column in one.columns.values()) for row in range(one.rows)]


def problems(folder: Path, source: Any, columns: dict[str, Any] | None = None, **options: Any) -> list[str]:
    with pytest.raises(BrokenContract) as stopped:
        read(folder, source, columns, **options)
    for one in stopped.value.diagnostics:
        assert message(one, "zh")
        assert one.help is None or (help_text(one, "en") and help_text(one, "zh"))
    return [f"{one.code} {message(one, 'en')}" for one in stopped.value.diagnostics]


TEXT = 'id,城市\na,北京\nb,"上\n海"\nc,\n'
CITIES = [("a", "北京"), ("b", "上\n海"), ("c", None)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le-bom", "utf-32"])
def test_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    data = "\ufeff".encode("utf-16-le") + TEXT.encode("utf-16-le") if "bom" in encoding else TEXT.encode(encoding)
    (tmp_path / "c.csv").write_bytes(data)
    assert rows(read(tmp_path, "c.csv")) == CITIES
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(data, mtime=0))
    assert rows(read(tmp_path, "c.csv.gz")) == CITIES


@pytest.mark.parametrize("encoding", ["big5", "shift_jis", "utf-16-be", "GB2312"])
def test_declared_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "c.csv").write_bytes("id,城市\na,北京\n".encode(encoding))
    assert rows(read(tmp_path, "c.csv", format={"encoding": encoding})) == [("a", "北京")]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_line_ends(tmp_path: Path, delimiter: str, ending: str) -> None:
    lines = ["", delimiter.join(["x,;y" if delimiter not in ",;" else "x", "id", "城市"]), delimiter.join("1ab")]
    (tmp_path / "c.csv").write_text(ending.join([*lines, "", ""]), encoding="utf-8", newline="")
    assert rows(read(tmp_path, "c.csv")) == [("a", "b")]


def test_a_declared_delimiter_and_the_mark_of_spreadsheets(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("id^城市\na^b\n", encoding="utf-8")
    assert rows(read(tmp_path, "c.csv", format={"delimiter": "^"})) == [("a", "b")]
    (tmp_path / "c.csv").write_text("sep=^\nid^城市\na^b\n", encoding="utf-8")
    assert rows(read(tmp_path, "c.csv")) == [("a", "b")]
    assert problems(tmp_path, "c.csv", format={"delimiter": "||"})[0].startswith("D819")


def test_an_encoding_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(TEXT, encoding="utf-8")
    for name in ("utf-9", "hex", "x" * 500):
        assert problems(tmp_path, "c.csv", format={"encoding": name})[0].startswith("D818")
    assert problems(tmp_path, "c.csv", format={"encoding": "ascii"})[0].startswith("D805")


def test_a_relation_of_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("select 'a' as id, '北京' as 城市")
    made = ruleset(tmp_path, {"customers": {"key": "id", "columns": COLUMNS}})
    assert rows(bind(made, {"customers": relation}, row_values=row_values)) == [("a", "北京")]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    for text in ("id,城市", "id,城市\n", "id,城市\r\n\r\n"):
        (tmp_path / "c.csv").write_text(text, encoding="utf-8", newline="")
        tables = read(tmp_path, "c.csv")
        assert (rows(tables), tables.accounts[0].read) == ([], 0)


def test_long_cells_and_stray_quotes(tmp_path: Path) -> None:
    long = "x" * 9_000_000
    (tmp_path / "c.csv").write_text(f'id,城市\na,"{long}"\nb,5" nail\nc,"say ""hi"""\n', encoding="utf-8")
    assert rows(read(tmp_path, "c.csv")) == [("a", long), ("b", '5" nail'), ("c", 'say "hi"')]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("c.csv", b"", "D804"), ("c.csv", b" \n\n", "D804"), ("c.csv", b"\xef\xbb\xbf", "D804"),
        ("c.csv", b"id,\xff\xff\n\x80\x81\n", "D805"), ("c.csv", b"PK\x03\x04\x00\x00id", "D806"),
        ("c.csv.gz", b"\x1f\x8bjunk", "D807"), ("c.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:-9], "D807"),
        ("c.parquet", b"junk", "D807"), ("c.xlsx", b"junk", "D807"), ("c.xls", b"junk", "D807"),
        ("c.xlsx", b"", "D807"),
        ("c.json", b"{}", "D803"), ("c", b"id", "D803"),
    ],
)  # fmt: skip
def test_damaged_files(tmp_path: Path, name: str, data: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert [one[:4] for one in problems(tmp_path, name)] == [expected]


@pytest.mark.parametrize(
    ("lines", "opens"),
    [
        (['a,"北京', "b,上海", "c,广州"], 2),
        (["a,北京", 'b,"'], 3),
        (["a,北京", '"b,上海', "c,广州", ""], 3),
        (['a,"北京"', 'b,"上""海', 'c,""广州""', ""], 3),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_quote_that_nothing_closes_swallows_no_rows(
    tmp_path: Path, lines: list[str], opens: int, ending: str
) -> None:
    (tmp_path / "c.csv").write_bytes(ending.join(["id,城市", *lines]).encode())
    (told,) = problems(tmp_path, "c.csv")
    assert told.startswith("D807")
    assert f"line {opens} " in told


def test_quotes_inside_cells_of_several_lines_are_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('id,城市\na,北京\nb,"上海\nc,"广州"\nd,深圳\n', encoding="utf-8")
    (told,) = problems(tmp_path, "c.csv")
    assert told.startswith("D807")
    assert "line 4 has a quote inside a cell" in told


@pytest.mark.parametrize("cell", ['5" x', '"5"" x"', '"5""\nx"', '5""" x'])
def test_quotes_inside_cells(tmp_path: Path, cell: str) -> None:
    (tmp_path / "c.csv").write_text(f"id,城市\na,{cell}\nb,上海\n", encoding="utf-8")
    assert [row[0] for row in rows(read(tmp_path, "c.csv"))] == ["a", "b"]


def test_absent_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    assert problems(tmp_path, "c.csv") == ["D801 `customers`: there is no file `c.csv`"]
    assert problems(tmp_path, "d.csv")[0].startswith("D802")
    assert problems(tmp_path, "\0.csv")[0].startswith(("D801", "D802"))
    assert problems(tmp_path, "x" * 5000 + ".csv")[0].startswith(("D801", "D802"))
    assert problems(tmp_path, None) == ["D817 `customers` has no source, and was not given"]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200))
@pytest.mark.parametrize("name", ["c.csv", "c.parquet", "c.xlsx", "c.xls"])
def test_no_bytes_give_a_traceback(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / name).write_bytes(b"id,x\n" + data if name == "c.csv" else data)
    try:
        read(folder, name, {"id": "text", "x": {"type": "integer", "missing": "allowed"}}, bad_rows="quarantine")
    except BrokenContract as stopped:
        assert all(one.code.startswith("D8") for one in stopped.diagnostics)


def test_line_numbers_count_lines_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text('\nid,n\n"a\n\nb",1\n\n\nc,x\n', encoding="utf-8")
    expected = "D830 `customers.n` in `c.csv` is not integer (1 ×): line 8 `x`"
    assert problems(tmp_path, "c.csv", {"id": "text", "n": "integer"}) == [expected]


PERSON = {
    "id": "text", "phone": {"type": "text", "missing": "allowed"}, "born": {"type": "date", "missing": "allowed"},
    "seen": {"type": "timestamp", "missing": "allowed"}, "n": {"type": "integer", "missing": "allowed"},
    "amount": {"type": "decimal(2)", "missing": "allowed"}, "vip": {"type": "bool", "missing": "allowed"},
}  # fmt: skip
CELLS = [
    ["001", 13800000000.0, date(2026, 1, 5), datetime(2026, 1, 5, 8), 17850.0, 0.1, True],
    ["002", "0138", datetime(2026, 1, 6), datetime(2026, 1, 6), 3, 2.5, False],
    [None] * 7,
    [7, None, None, None, None, None, None],
]
PEOPLE = [
    ("001", "13800000000", 20458, 1_767_571_200_000_000, 17850, 10, True),
    ("002", "0138", 20459, 1_767_628_800_000_000, 3, 250, False),
    ("7", None, None, None, None, None, None),
]


def test_xlsx(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["other"])
    sheet = book.create_sheet("客户")
    sheet.append([])
    sheet.append([*PERSON, "extra"])
    for cells in CELLS:
        sheet.append(cells)
    book.save(tmp_path / "c.xlsx")
    source = {"file": "c.xlsx", "sheet": "客户"}
    tables = read(tmp_path, source, PERSON)
    assert rows(tables) == PEOPLE
    assert tables.accounts[0].unlisted_columns == ("extra",)
    assert problems(tmp_path, "c.xlsx")[0].startswith("D809")
    assert problems(tmp_path, {"file": "c.xlsx", "sheet": "x"}) == ["D808 `customers`: `c.xlsx` has no sheet `x`"]
    wrong = problems(
        tmp_path, source, {"id": "text", "phone": {"type": "integer", "missing": "allowed"}, "vip": "date"}
    )
    assert wrong == [
        "D830 `customers.vip` in `c.xlsx` is not date (2 ×): row 3 `True`, row 4 `False`",
        "D834 `customers.vip` in `c.xlsx` is missing (1 ×): row 6",
    ]


def test_xls(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("s")
    day, moment = xlwt.XFStyle(), xlwt.XFStyle()
    day.num_format_str, moment.num_format_str = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"
    for row, cells in enumerate([list(PERSON), *CELLS]):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write(row, column, cell, moment if isinstance(cell, datetime) else day)
            elif cell is not None:
                sheet.write(row, column, cell)
    book.save(str(tmp_path / "c.xls"))
    assert rows(read(tmp_path, "c.xls", PERSON)) == PEOPLE


def test_an_empty_sheet(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "c.xlsx")
    assert problems(tmp_path, "c.xlsx") == ["D804 `customers`: `c.xlsx` is empty, a header is expected"]


def test_parquet_reads_nested_and_dotted_columns_by_contract(tmp_path: Path) -> None:
    table = pa.table({"id": ["a", "b"], "x.y": [1, None], "tags": [["p"], []], "deep": [{"a": 1}, None]})
    pq.write_table(table, tmp_path / "c.parquet")
    columns = {"id": "text", "x.y": {"type": "integer", "missing": "allowed"}, "tags": "list(text)"}
    tables = read(tmp_path, "c.parquet", columns)
    assert rows(tables) == [("a", 1, ("p",)), ("b", None, ())]
    assert tables.accounts[0].unlisted_columns == ("deep",)
    wrong = problems(tmp_path, "c.parquet", {"id": "text", "deep": "text"})
    assert wrong == ["D815 `customers`: `deep` in `c.parquet` is of type struct, which cannot be text"]
    frame = pd.DataFrame({"id": ["b", "a"]}).set_index(pd.Index(["u", "v"]))
    frame.to_parquet(tmp_path / "p.parquet")
    assert read(tmp_path, "p.parquet", {"id": "text"}).accounts[0].unlisted_columns == ()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "crm.db") as connection:
        connection.execute(
            "create table people (id text, n integer, amount numeric, born text, vip integer, extra text)"
        )
        connection.executemany(
            "insert into people values (?, ?, ?, ?, ?, ?)",
            [
                ("b", None, 1.25, "2026-01-05", 1, "x"),
                ("a", 2**62 + 1, 3, None, 0, "y"),
                ("c", 5, "0.10", None, None, "z"),
            ],
        )
    connection.close()
    return tmp_path


SQL = {
    "id": "text", "n": {"type": "integer", "missing": "allowed"}, "amount": "decimal(2)",
    "born": {"type": "date", "missing": "allowed"}, "vip": {"type": "bool", "missing": "allowed"},
}  # fmt: skip
PAID = [("a", 2**62 + 1, 300, None, False), ("b", None, 125, 20458, True), ("c", 5, 10, None, None)]


def test_a_table_and_a_query(database: Path) -> None:
    tables = read(database, {"url": "sqlite:///crm.db", "table": "people"}, SQL)
    assert rows(tables) == PAID
    assert tables.accounts[0].unlisted_columns == ("extra",)
    query = "select id, n, amount, born, vip from people where '12:30' <> ':x' order by id"
    assert rows(read(database, {"url": "sqlite:///crm.db", "query": query}, SQL)) == PAID


def test_variables_in_urls(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_FILE", "crm.db")
    assert rows(read(database, {"url": "sqlite:///${CRM_FILE}", "table": "people"}, SQL)) == PAID
    monkeypatch.delenv("CRM_FILE")
    wrong = problems(database, {"url": "sqlite:///${CRM_FILE}", "table": "people"}, SQL)
    assert wrong == ["D812 `customers`: the environment has no variable `CRM_FILE`"]


def test_a_password_from_the_environment_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "a b+c%20@密/:")
    url = database_url("postgresql://u:${SECRET}@h/d", tmp_path, Origin("customers", "url", NOWHERE))
    assert url.password == "a b+c%20@密/:"


def test_databases_that_fail_keep_their_secrets(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "p@ss/w:rd")
    urls = [
        "nonsense://u:${SECRET}@h/d",
        "postgresql://u:${SECRET}@127.0.0.1:1/d",
        "u:${SECRET}",
        "mysql+nope://u:${SECRET}@h/d",
    ]
    for url in urls:
        wrong = problems(database, {"url": url, "table": "people"}, SQL)
        assert wrong[0].startswith("D813"), wrong
        assert "p@ss" not in wrong[0] and "p%40ss" not in wrong[0] and "w:rd" not in wrong[0]
    assert problems(database, {"url": "sqlite:///away.db", "table": "people"}, SQL)[0].startswith("D801")
    assert not (database / "away.db").exists()
    assert problems(database, {"url": "sqlite:///crm.db", "table": "orders"}, SQL)[0].startswith("D814")
    assert problems(database, {"url": "sqlite:///crm.db", "query": "selec 1"}, SQL)[0].startswith("D814")
    (database / "junk.db").write_bytes(b"junk" * 100)
    assert problems(database, {"url": "sqlite:///junk.db", "table": "people"}, SQL)[0].startswith(("D813", "D814"))


@pytest.mark.parametrize(
    "thing", [5, "text", [1, 2], {"id": 5}, {"id": "ab"}, object(), pd.Series([1]), {"id": [1], "x": [1, 2]}]
)
def test_what_is_no_table(tmp_path: Path, thing: object) -> None:
    made = ruleset(tmp_path, {"customers": {"key": "id", "columns": {"id": "text"}}})
    with pytest.raises(BrokenContract) as stopped:
        bind(made, {"customers": thing}, row_values=row_values)
    assert [one.code for one in stopped.value.diagnostics] == ["D816"]


def test_a_plan_for_a_table_is_no_table(tmp_path: Path) -> None:
    made = ruleset(tmp_path, {"customers": {"key": "id", "columns": {"id": "text"}}})
    with pytest.raises(BrokenContract) as stopped:
        bind(made, {"customers": pl.LazyFrame({"id": ["a"]})}, row_values=row_values)
    (found,) = stopped.value.diagnostics
    assert message(found, "en") == "`customers`: what was given (`LazyFrame`) is no table"
    assert "collect()" in (help_text(found, "en") or "")


def test_a_table_that_has_no_place(tmp_path: Path) -> None:
    tables = {
        "customers": {"from": "orders"},
        "orders": {"belongs_to": {"table": "customers", "by": "id"}, "columns": {"id": "text"}},
    }
    made = ruleset(tmp_path, tables)
    frame = pd.DataFrame({"id": ["a"]})
    for name in ("order", "customers"):
        with pytest.raises(BrokenContract) as stopped:
            bind(made, {"orders": frame, name: frame}, row_values=row_values)
        assert [one.code for one in stopped.value.diagnostics] == ["D821"]


def test_only_needed_columns(tmp_path: Path) -> None:
    made = ruleset(tmp_path, {"customers": {"key": "id", "columns": {"id": "text", "n": "integer", "m": "integer"}}})
    given_table = pa.table({"id": ["a"], "n": [1], "m": ["x"]})
    tables = bind(made, {"customers": given_table}, row_values=row_values, needed={"customers": ["n"]})
    assert list(tables.tables["customers"].columns) == ["id", "n"]
    with pytest.raises(BrokenContract):
        bind(made, {"customers": given_table}, row_values=row_values)


def test_strings_of_numpy_and_wide_frames(tmp_path: Path) -> None:
    made = ruleset(tmp_path, {"customers": {"key": "id", "columns": {"id": "text", "n": "integer"}}})
    frame = pd.DataFrame({"id": np.array(["a", "b"]), "n": np.array([1, 2], np.uint8), 3: ["x", "y"]})
    tables = bind(made, {"customers": frame}, row_values=row_values)
    assert rows(tables) == [("a", 1), ("b", 2)]
    assert tables.accounts[0].unlisted_columns == ("3",)
