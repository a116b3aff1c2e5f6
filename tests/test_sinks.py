"""Sinks by themselves: what files, tables and webhooks are given, and what they refuse before anything is accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from segrules.diagnostics.catalogue import message
from segrules.effects import directly
from segrules.errors import BrokenContract, Refused, SegrulesError, Unreachable
from segrules.plan.sinks import made as making
from segrules.plan.sinks.files import FileSink, guarded
from segrules.plan.sinks.made import made
from segrules.plan.sinks.protocol import Delivered, Outgoing, Retry, Row, Stop, Unsure, Whole, Windowed, columns
from segrules.plan.sinks.sql import SqlSink
from segrules.plan.sinks.webhook import WebhookSink

PLAN = "7c1e5a90d2b44f13" + "0" * 48
BATCH = Outgoing("b1", PLAN, "hello.sms", ("key", "address", "message"))
TEN = 1_795_276_800_000_000


def row(key: str = "k1", not_before: int | None = None, zone: str | None = None, **values: object) -> Row:
    return Row(key, json.dumps({"key": key, **values}, ensure_ascii=False).encode(), not_before, zone)


def code(error: pytest.ExceptionInfo[SegrulesError]) -> str:
    (one,) = error.value.diagnostics
    assert message(one, "en") and message(one, "zh")
    return one.code


def refused(name: str, kind: str, settings: dict[str, object], folder: Path = Path()) -> str:
    with pytest.raises(Refused) as error:
        made(name, kind, settings, folder, directly)
    assert "hunter2" not in str(error.value)
    return code(error)


# Files


def files(folder: Path, format: str = "csv") -> FileSink:  # noqa: A002
    return FileSink.of("out", {"folder": "out", "format": format}, folder, directly)


def published(sink: FileSink, *rows: Row) -> Path:
    sink.publish(BATCH, rows, sink.prepare(BATCH, rows))
    (file,) = sink.folder.iterdir()
    return file


def test_csv(tmp_path: Path) -> None:
    file = published(
        files(tmp_path),
        row(address="+8613", message="=1+1", n=-5, yes=True, none=None, more={"b": 1, "a": "号"}, price=1.50),
        row("k2", TEN, "America/New_York", address="x\r\ny", message='say "hi", all', n=7, yes=False, none="-"),
    )
    assert file.name == "hello.sms.7c1e5a90d2b44f13.csv"
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert file.read_bytes().decode("utf-8-sig").split("\r\n") == [
        "key,address,message,more,n,none,price,yes,not_before",
        "k1,+8613,'=1+1,\"{\"\"a\"\": \"\"号\"\", \"\"b\"\": 1}\",-5,,1.5,true,",
        "k2,\"x", "y\",\"say \"\"hi\"\", all\",,7,'-,,false,2026-11-21T11:00:00-05:00", "",
    ]  # fmt: skip


@given(st.text(max_size=12) | st.text("=+-@.0123456789()A'", max_size=8))
def test_no_text_is_a_formula(value: str) -> None:
    cell = guarded(value)
    is_number = value[:1] in ("+", "-") and value[1:].replace(".", "", 1).isdigit() and value.isascii()
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or is_number
    assert cell in (value, f"'{value}")


def test_others_cannot_read_who_is_contacted(tmp_path: Path) -> None:
    file = published(files(tmp_path), row())
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == stat.S_IMODE(file.parent.stat().st_mode) & 0o007 == 0


def test_parquet(tmp_path: Path) -> None:
    file = published(files(tmp_path, "parquet"), row(address="+8613", n=5), row("k2", address=None, n=None))
    assert pq.read_table(file).to_pydict() == {
        "key": ["k1", "k2"], "address": ["+8613", None], "n": ["5", None], "not_before": [None, None],
    }  # fmt: skip


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    sink = files(tmp_path)
    file = published(sink, row())
    with pytest.raises(Unreachable) as error:
        sink.check([BATCH])
    assert code(error) == "P954"
    sha256 = sink.prepare(BATCH, [row("k2")])
    with pytest.raises(Unreachable):
        sink.publish(BATCH, [row("k2")], sha256)
    assert "k1" in file.read_text(encoding="utf-8-sig")


def test_what_was_prepared_and_changed_is_not_published(tmp_path: Path) -> None:
    sink = files(tmp_path)
    sha256 = sink.prepare(BATCH, [row()])
    (part,) = sink.folder.iterdir()
    assert part.name.startswith(".")
    part.write_text("other", encoding="utf-8")
    with pytest.raises(BrokenContract) as error:
        sink.publish(BATCH, [row()], sha256)
    assert code(error) == "P955"


def test_a_folder_that_is_away_is_not_a_file_that_was_published(tmp_path: Path) -> None:
    sink = files(tmp_path)
    sha256 = sink.prepare(BATCH, [row()])
    sink.folder.rename(tmp_path / "elsewhere")
    with pytest.raises(Unreachable) as error:
        sink.published(BATCH, sha256)
    assert code(error) == "P956"


def test_a_link_in_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    sink = files(tmp_path)
    sink.prepare(BATCH, [row()])
    (part,) = sink.folder.iterdir()
    part.unlink()
    (tmp_path / "precious").write_text("precious", encoding="utf-8")
    part.symlink_to(tmp_path / "precious")
    with pytest.raises(Unreachable):
        sink.prepare(BATCH, [row()])
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "precious"


@pytest.mark.parametrize("name", ["a/b.sms", "客户" * 200 + ".sms", "x" * 300])
def test_any_name_becomes_a_file(tmp_path: Path, name: str) -> None:
    sink, batch = files(tmp_path), Outgoing("b1", PLAN, name)
    sink.check([batch])
    sink.publish(batch, [row()], sink.prepare(batch, [row()]))
    (file,) = sink.folder.iterdir()
    assert file.suffix == ".csv"


def test_batches_whose_names_look_alike_are_files_of_their_own(tmp_path: Path) -> None:
    sink, names = files(tmp_path), ["a/b.sms", "a_b.sms", "a.b.c", "a.b.c", "x" * 300, "x" * 301]
    batches = [Outgoing(f"b{n}", PLAN, name) for n, name in enumerate(names)]
    sink.check(batches)
    for batch in batches:
        sink.publish(batch, [row()], sink.prepare(batch, [row()]))
    assert len(list(sink.folder.iterdir())) == len(batches)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(Unreachable) as error:
        files(tmp_path).check([BATCH])
    assert code(error) == "P956"


# Tables


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = f"sqlite:///{tmp_path / 'crm.db'}"
    if request.param == "postgres":
        found = "postgresql+psycopg" + request.getfixturevalue("postgres_url")[10:]
    monkeypatch.setenv("CRM", found)
    return found


def told(url: str, *statements: str) -> list[Any]:
    found: list[Any] = []
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for each in statements:
            result = connection.execute(sa.text(each))
            found = [tuple(one) for one in result] if result.returns_rows else []
    return found


def table(**settings: object) -> SqlSink:
    return SqlSink.of("crm", {"url": "${CRM}", "table": "arrivals", **settings}, Path(), directly)


DELIVERIES = "CREATE TABLE segrules_deliveries (batch_id VARCHAR(64) PRIMARY KEY)"
ARRIVALS = (
    "CREATE TABLE arrivals (batch_id VARCHAR(64), key VARCHAR(64), address VARCHAR(64), message VARCHAR(64), n INTEGER,"
    " not_before TIMESTAMP)"
)


def test_rows_are_there_once(url: str) -> None:
    told(url, DELIVERIES, ARRIVALS)
    sink, rows = table(), [row(address="+8613", n=5), row("k2", TEN, "Asia/Shanghai", message="您好 {}", n=None)]
    sink.check([BATCH])
    sha256 = sink.prepare(BATCH, rows)
    assert not sink.published(BATCH, sha256)
    sink.publish(BATCH, rows, sha256)
    sink.publish(BATCH, rows, sha256)
    assert sink.published(BATCH, sha256)
    found = told(
        url, "SELECT batch_id, key, address, message, n, CAST(not_before AS VARCHAR) FROM arrivals ORDER BY key"
    )
    assert [each[:5] for each in found] == [("b1", "k1", "+8613", None, 5), ("b1", "k2", None, "您好 {}", None)]
    assert [each[5] and each[5][:16] for each in found] == [None, "2026-11-21 16:00"]


def test_a_row_that_is_refused_takes_back_the_batch(url: str) -> None:
    told(url, DELIVERIES, ARRIVALS.replace("key VARCHAR(64)", "key VARCHAR(64) NOT NULL UNIQUE"))
    rows = [row(message="hunter2"), row(message="hunter2")]
    with pytest.raises(Unreachable) as error:
        table().publish(BATCH, rows, "")
    assert code(error) == "P963"
    assert "hunter2" not in str(error.value)
    assert told(url, "SELECT * FROM arrivals") == told(url, "SELECT * FROM segrules_deliveries") == []


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ((), "P960"),
        ((ARRIVALS,), "P962"),
        ((ARRIVALS, "CREATE TABLE segrules_deliveries (batch_id VARCHAR(64))"), "P962"),
        ((DELIVERIES, "CREATE TABLE arrivals (key VARCHAR(64))"), "P961"),
        ((DELIVERIES, ARRIVALS.replace("address", "adress")), "P961"),
    ],
)
def test_what_a_target_must_have(url: str, statements: tuple[str, ...], expected: str) -> None:
    told(url, "SELECT 1", *statements)
    with pytest.raises(Refused) as error:
        table().check([BATCH])
    assert code(error) == expected


def test_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "hunter2")
    sink = SqlSink.of("crm", {"url": "postgresql+psycopg://u:${WORD}@127.0.0.1:1/x", "table": "t"}, Path(), directly)
    with pytest.raises(Unreachable) as error:
        sink.check([BATCH])
    assert code(error) == "P963"
    assert "hunter2" not in str(error.value) + repr(sink)


# Webhooks


class Server(ThreadingHTTPServer):
    """Answers as it is told; remembers what came."""

    status = 200
    moved = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.came: list[tuple[str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/in"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        if self.server.moved:
            self.send_header("Location", self.server.moved)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()


def hook(url: str, **settings: object) -> WebhookSink:
    return WebhookSink.of("crm", {"url": url, **settings}, Path(), directly)


def test_a_request_is_the_stored_bytes_signed_by_both_secrets(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = b"old secret", b"0123456789abcdef"
    monkeypatch.setenv("NEW", "whsec_" + base64.b64encode(new).decode())
    monkeypatch.setenv("OLD", old.decode())
    sink = hook(server.url, secrets=("NEW", "OLD"))
    rows = [row(message="您好"), row("k2", message="b")]
    request = sink.request(BATCH, rows)
    assert sink.post(request) == Delivered()
    ((path, headers, body),) = server.came
    assert path == "/in"
    assert body == request.body == b'{"batch":"b1","contacts":[' + rows[0].body + b"," + rows[1].body + b"]}"
    assert [each["key"] for each in json.loads(body)["contacts"]] == ["k1", "k2"]
    assert headers["Idempotency-Key"] == headers["webhook-id"] == request.id
    signed = f"{request.id}.{headers['webhook-timestamp']}.".encode() + body
    expected = [base64.b64encode(hmac.new(each, signed, hashlib.sha256).digest()).decode() for each in (new, old)]
    assert headers["webhook-signature"] == f"v1,{expected[0]} v1,{expected[1]}"


def test_standard_webhooks_example() -> None:
    """The worked example of the Standard Webhooks documentation."""
    from segrules.plan.sinks.protocol import Request
    from segrules.plan.sinks.webhook import signed

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    request = Request("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', ())
    found = signed(request, [secret], 1614265330)
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_contacts_have_the_same_key(server: Server) -> None:
    sink = hook(server.url)
    one, two = row(), row("k2")
    assert sink.request(BATCH, [one, two]) == sink.request(BATCH, [one, two])
    ids = {sink.request(BATCH, rows).id for rows in ([one], [two], [one, two], [two, one])}
    assert len(ids) == 4
    assert sink.request(Outgoing("b2", PLAN, "x"), [one]).id not in ids


def test_nothing_is_redirected(server: Server) -> None:
    server.status, server.moved = 307, server.url
    assert hook(server.url).post(hook(server.url).request(BATCH, [row()])) == Stop("answer 307")
    assert len(server.came) == 1


def test_nobody_listens() -> None:
    sink = hook("http://127.0.0.1:1/in")
    assert sink.post(sink.request(BATCH, [row()])) == Retry("no connection")


def test_a_server_without_tls_gets_nothing(server: Server) -> None:
    sink = hook(server.url.replace("http:", "https:"))
    assert sink.post(sink.request(BATCH, [row()])) == Stop("tls")
    assert server.came == []


def test_an_error_on_the_way_is_no_answer(server: Server) -> None:
    def broken(name: str, do: Any) -> Any:
        do()
        raise ConnectionResetError

    sink = WebhookSink.of("crm", {"url": server.url}, Path(), broken)
    assert sink.post(sink.request(BATCH, [row()])) == Unsure("no answer")


# Settings


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        ("files", {}, "P950"),
        ("files", {"folder": "${NOT_SET}"}, "P951"),
        ("files", {"folder": "out", "format": "xls"}, "P953"),
        ("sql", {"url": "sqlite:///x.db"}, "P950"),
        ("sql", {"url": "nothing", "table": "t"}, "P964"),
        ("sql", {"url": "fax://x/y", "table": "t"}, "P964"),
        ("sql", {"url": "postgresql+psycopg://u:hunter2@h/x", "table": "t"}, "P974"),
        ("webhook", {}, "P950"),
        ("webhook", {"url": "http://crm.example/in"}, "P970"),
        ("webhook", {"url": "https://u:hunter2@crm.example/in"}, "P970"),
        ("webhook", {"url": "ftp://crm.example/in"}, "P970"),
        ("webhook", {"url": "https://"}, "P970"),
        ("webhook", {"url": "https://x/", "secret": "hunter2-"}, "P972"),
        ("webhook", {"url": "https://x/", "secret": "NOT_SET"}, "P951"),
        ("webhook", {"url": "https://x/", "secret": "BAD_SECRET"}, "P971"),
        ("webhook", {"url": "https://x/", "batch": 0}, "P952"),
        ("webhook", {"url": "https://x/", "timeout": "2 weeks"}, "P952"),
        ("webhook", {"url": "https://x/", "delivery": "perhaps"}, "P953"),
        ("fax", {}, "P973"),
    ],
)
def test_settings_that_are_wrong(
    kind: str, settings: dict[str, object], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAD_SECRET", "whsec_hunter2!")
    assert refused("crm", kind, settings) == expected


def test_times() -> None:
    assert [hook("https://x/", timeout=each).seconds for each in (5, "5 seconds", "2 minutes")] == [5, 5, 120]


def test_others_add_a_kind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Entry:
        def load(self) -> Any:
            return FileSink.of

    monkeypatch.setattr(making, "entry_points", lambda group, name: [Entry()] if name == "fax" else [])
    sink = made("x", "fax", {"folder": "out"}, tmp_path, directly)
    assert isinstance(sink, Whole) and not isinstance(sink, Windowed)
    assert isinstance(hook("https://x/"), Windowed) and not isinstance(hook("https://x/"), Whole)


def test_columns_of_rows_that_differ() -> None:
    assert columns([row(z=1, message="m"), row("k2", a=2)]) == {
        "key": ["k1", "k2"], "message": ["m", None], "a": [None, 2], "z": [1, None], "not_before": [None, None],
    }  # fmt: skip
