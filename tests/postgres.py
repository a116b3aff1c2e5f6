"""A real PostgreSQL for tests: started when the first test asks for it, one per worker, gone with the worker.

In: the server's programs where a Linux distribution puts them, or on the PATH.  Out: `postgres_url`, the URL of an
empty database that only this test has.  Always: the server runs as a user of its own, because it refuses root; on a
port and in a folder of its own; nothing of it is synced to disk; texts sort as people do, so that whoever needs the
order of code points has to say so; without its programs a test is skipped, and with SEGRULES_REQUIRE_POSTGRES=1 fails.

    def test_x(postgres_url: str) -> None:
        with psycopg.connect(postgres_url) as connection: ...
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

USER, PASSWORD = "segrules", "only for tests: 密码@/"
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off",
    "shared_buffers": "64MB", "max_connections": "50", "max_wal_size": "4GB", "timezone": "America/New_York",
    "listen_addresses": "127.0.0.1",
}  # fmt: skip
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `url` leads to its own database."""

    port: int
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def created(self, template: str = "template0") -> str:
        """The name of a new database, a copy of *template*, to which nobody may be connected."""
        name = f"test_{next(self.numbers)}"
        self.told(f"create database {name} template {template}")
        return name

    def dropped(self, name: str) -> None:
        """End every session of a database, and the database."""
        self.told(f"drop database if exists {name} with (force)")

    def told(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A server of this worker."""
    programs = found_programs()
    if programs is None:
        reason = "PostgreSQL is not installed: no `initdb` in /usr/lib/postgresql or on the PATH"
        if os.environ.get("SEGRULES_REQUIRE_POSTGRES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    user = unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="segrules-postgres-"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        initialise(programs, folder, user)
        port = free_port()
        with started(programs, folder, port, user):
            yield Server(port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The URL of an empty database."""
    name = postgres_server.created()
    yield postgres_server.url(name)
    postgres_server.dropped(name)


def found_programs() -> Path | None:
    """The folder of the newest server that is installed."""
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    installed = [each for each in Path("/usr/lib/postgresql").glob("*/bin") if (each / "initdb").exists()]
    return max(installed, key=lambda each: float(each.parent.name), default=None)


def unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as when the tests run as root."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def initialise(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> None:
    words = folder / "password"
    words.write_text(PASSWORD + "\n", encoding="utf-8")
    words.chmod(0o644)
    command = [
        programs / "initdb", "--pgdata", folder / "data", "--username", USER, "--pwfile", words, "--no-sync",
        "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8",
    ]  # fmt: skip
    helped = subprocess.run([programs / "initdb", "--help"], capture_output=True, text=True, check=True).stdout
    if "--icu-locale" in helped:
        command += ["--locale-provider", "icu", "--icu-locale", "en-US"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, **as_user(user))
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def started(programs: Path, folder: Path, port: int, user: pwd.struct_passwd | None) -> Iterator[None]:
    """The server while in the block. It also ends with this process, however that ends."""
    settings = SETTINGS | {"port": str(port), "unix_socket_directories": str(folder)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    log = folder / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", *options], stdout=written, stderr=written, cwd=folder,
            preexec_fn=end_with_parent, **as_user(user),
        )  # fmt: skip
        try:
            last = time.monotonic() + START_SECONDS
            while not answers(port):
                said = log.read_text(encoding="utf-8", errors="replace")
                assert process.poll() is None, said
                assert time.monotonic() < last, said
                time.sleep(0.02)
            yield
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()


def answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(Server(port).url(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def end_with_parent() -> None:
    """Linux: SIGQUIT, which is PostgreSQL's immediate end, when the parent ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if user is None:
        return {"env": environment}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment | {"HOME": "/"}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
