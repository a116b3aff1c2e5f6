"""The server that tests are given: its own for every test, and what it promises."""

from __future__ import annotations

import os

import psycopg
import pytest

from tests import postgres


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_an_empty_database(postgres_url: str, turn: int) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("create table seen (turn integer)")
        connection.execute("insert into seen values (%s)", [turn])
        assert connection.execute("select turn from seen").fetchall() == [(turn,)]


def test_texts_sort_as_people_do_and_a_password_is_asked_for(postgres_server: postgres.Server) -> None:
    with psycopg.connect(postgres_server.url()) as connection:
        assert connection.execute("show server_encoding").fetchone() == ("UTF8",)
        if connection.info.server_version >= 150_000:
            assert connection.execute("select 'a' < 'B'").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres_server.url(password="another"))


def test_where_it_is_required_its_absence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "found_programs", lambda: None)
    start = postgres.postgres_server.__wrapped__
    monkeypatch.setenv("SEGRULES_REQUIRE_POSTGRES", "1")
    with pytest.raises(pytest.fail.Exception, match="not installed"):
        next(start())
    monkeypatch.delenv("SEGRULES_REQUIRE_POSTGRES")
    with pytest.raises(pytest.skip.Exception, match="not installed"):
        next(start())


def test_it_never_runs_as_root(postgres_server: postgres.Server) -> None:
    user = postgres.unprivileged()
    assert (user is None) == (os.geteuid() != 0)
    assert user is None or user.pw_uid != 0
