"""Files that report to the ledger, of every kind, and JSON lines as a source of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrules.diagnostics.catalogue import fill, help_text, message
from segrules.errors import BrokenContract
from segrules.schema.types import INTEGER
from segrules.state.outcomes import Report
from segrules.state.records import NewPoints
from segrules.tables import reported
from segrules.tables.reported import OUTCOME_COLUMNS, POINT_COLUMNS, read_rows
from tests.test_tables_sources import problems as source_problems
from tests.test_tables_sources import read, rows

ZONE = "Asia/Shanghai"
AT = 1_795_224_600_000_000
CSV = """\
key,kind,at,value
a1,opened,2026-11-21 09:30,
a2,satisfaction,2026-11-21T01:30:00Z,4.5
a3,task done,2026-11-21 09:30:00+08:00,
"""
EXPECTED = [Report("a1", "opened", AT), Report("a2", "satisfaction", AT, 45_000), Report("a3", "task done", AT)]
LINES = """\
{"key": "a1", "kind": "opened", "at": "2026-11-21 09:30"}

{"kind": "satisfaction", "at": "2026-11-21T01:30:00Z", "value": 4.5, "key": "a2", "more": [1]}
{"key": "a3", "kind": "task done", "at": "2026-11-21T09:30:00+08:00", "value": null}
"""


def problems(file: Path, columns: Any = OUTCOME_COLUMNS) -> list[str]:
    with pytest.raises(BrokenContract) as stopped:
        read_rows(file, ZONE, columns)
    for one in stopped.value.diagnostics:
        assert message(one, "zh")
        assert one.help is None or help_text(one, "zh")
    return [f"{one.code} {message(one, 'en')}".replace(file.as_posix(), file.name) for one in stopped.value.diagnostics]


def test_outcomes_of_every_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(CSV, encoding="utf-8-sig")
    (tmp_path / "o.jsonl").write_text(LINES, encoding="utf-8")
    columns = {
        "key": ["a1", "a2", "a3"], "kind": ["opened", "satisfaction", "task done"],
        "at": pa.array([AT] * 3, pa.timestamp("us", "UTC")), "value": [None, 4.5, None],
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "o.parquet")
    for name in ("o.csv", "o.jsonl", "o.parquet"):
        found = read_rows(tmp_path / name, ZONE, OUTCOME_COLUMNS)
        assert reported.outcomes(found) == EXPECTED, name
    (tmp_path / "short.csv").write_text("at,kind,key\n2026-11-21 09:30,opened,a1\n", encoding="utf-8")
    assert reported.outcomes(read_rows(tmp_path / "short.csv", ZONE, OUTCOME_COLUMNS)) == EXPECTED[:1]


def test_places_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text("\n" + LINES, encoding="utf-8")
    found = read_rows(tmp_path / "o.jsonl", ZONE, OUTCOME_COLUMNS)
    assert fill("{places}", "en", {"places": found.where((1, 2))}) == "line 4, line 5"
    (tmp_path / "wrong.jsonl").write_text(LINES.replace("opened", "opend") + '{"key": "a4", "kind": "opened"}\n')
    assert problems(tmp_path / "wrong.jsonl") == [
        "D834 `outcomes.at` in `wrong.jsonl` is missing (1 ×): line 5",
        "D835 `outcomes.kind` in `wrong.jsonl` is none of `delivered`, `bounced`, `opened`, `clicked`, `replied`, "
        "`unsubscribed`, `subscribed`, `satisfaction` … (1 ×): line 1 `opend`",
    ]
    (tmp_path / "w.csv").write_text("key,kind,at\n,opened,2026-11-21\na,opened,soon\n", encoding="utf-8")
    assert [one.partition(" in ")[0] for one in problems(tmp_path / "w.csv")] == [
        "D830 `outcomes.at`",
        "D834 `outcomes.key`",
    ]
    (tmp_path / "n.csv").write_text("key,type,at\n", encoding="utf-8")
    assert problems(tmp_path / "n.csv")[0].startswith("D809")
    assert problems(tmp_path / "away.csv")[0].startswith("D801")


def test_points_of_integer_keys(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(
        "customer,at,amount,reason,source,row,expires_at\n007,2026-11-21 09:30,120,订单,orders,O-1,2027-11-21 09:30\n"
        "8,2026-11-21 09:30,-20,兑换,shop,R-1,\n",
        encoding="utf-8",
    )
    columns = {**POINT_COLUMNS, "customer": INTEGER}
    found = reported.points(read_rows(tmp_path / "p.csv", ZONE, columns), ZONE)
    assert found == [
        NewPoints("7", AT, "订单", 120, "orders", "O-1", AT + 365 * 86_400_000_000),
        NewPoints("8", AT, "兑换", -20, "shop", "R-1"),
    ]


def test_json_lines_as_a_table(tmp_path: Path) -> None:
    text = '{"id": "a", "城市": "北京", "n": 1}\n{"id": "b", "n": 2.0}\n{"n": "3", "id": 7, "城市": null}\n'
    columns = {"id": "text", "城市": {"type": "text", "missing": "allowed"}, "n": "integer"}
    for data in (text.encode(), text.encode("utf-8-sig"), text.replace("\n", "\r\n\r\n").encode()):
        (tmp_path / "c.jsonl").write_bytes(data)
        assert rows(read(tmp_path, "c.jsonl", columns)) == [("7", None, 3), ("a", "北京", 1), ("b", None, 2)]
    (tmp_path / "c.ndjson").write_bytes(b"")
    assert rows(read(tmp_path, "c.ndjson", columns)) == []
    for data, code in ((b'{"id": 1}\n[1]\n', "D807"), (b'{"id"', "D807"), (b"\xff{}", "D807"), (b'{"x": 1}', "D809")):
        (tmp_path / "c.jsonl").write_bytes(data)
        assert source_problems(tmp_path, "c.jsonl", columns)[0].startswith(code)
    (tmp_path / "c.jsonl").write_text('{"id": "a", "n": {"deep": 1}, "城市": "x"}', encoding="utf-8")
    assert source_problems(tmp_path, "c.jsonl", columns)[0].startswith(("D815", "D830"))


@given(data=st.binary(max_size=100) | st.text(alphabet='{}[]":,k a1\n', max_size=60).map(str.encode))
def test_no_bytes_give_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("lines") / "o.jsonl"
    file.write_bytes(data)
    try:
        read_rows(file, ZONE, OUTCOME_COLUMNS)
    except BrokenContract as stopped:
        assert all(one.code.startswith("D8") for one in stopped.diagnostics)
