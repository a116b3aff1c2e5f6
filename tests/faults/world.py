"""A small world in which plans are applied: a project, a ledger, a sink, and how they stand afterwards.

In: which database has the ledger, which sink takes the contacts.  Out: `World`, whose cases each begin from the same
ledger with the same plan.  Always: a process that was killed is a real process, forked from this one, in which all is
loaded already.

    world = World.made(folder, "sqlite", "files", receiver, None)
    code = world.run(case, seam, apply)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from segrules import pipeline
from segrules.decide.asked import Answers, answers, asked
from segrules.effects import Effect
from segrules.errors import SegrulesError
from segrules.model.campaign import Environment
from segrules.plan import apply as applying
from segrules.plan import resuming
from segrules.plan.applied import Applied
from segrules.plan.checking import Current
from segrules.plan.clock import Clock
from segrules.plan.document import Plan
from segrules.plan.site import Site, at_work
from segrules.state import audit, ledger, lockfile, outbox, place, runs
from segrules.state.ledger import snapshot
from segrules.state.schema import METADATA
from segrules.tables.bind import at

AS_OF = 20_778
NOW = AS_OF * 86_400_000_000 + 6 * 3_600_000_000
"""Two in the afternoon of that day in the project's zone."""
KILLED = -signal.SIGKILL
WINDOW = 2
LATE_SECONDS = 0.1

PROJECT = """
version: 1
name: faults
timezone: Asia/Shanghai
customers: people
tables:
  people:
    source: people.csv
    key: id
    columns: {id: text, phone: {type: text, pii: true}, agreed: bool, blocked: bool}
"""
RULES = """
purpose: faults
owner: tests
actions:
  hello: {for: not blocked is missing, channel: sms, message: "hello {id}", award: 5}
"""
SINKS = {
    "files": "{kind: files, folder: out}",
    "sql": "{kind: sql, url: '${TARGET}', table: arrivals}",
    "webhook": "{kind: webhook, url: '${HOOK}', secret: SECRET, delivery: at_most_once, batch: 2, timeout: 1 seconds}",
    "honouring webhook": "{kind: webhook, url: '${HOOK}', delivery: at_least_once, batch: 2, timeout: 1 seconds}",
}
PEOPLE = ("c1", "c2", "c3", "bad")
COLUMNS = (
    "batch_id", "key", "customer", "action", "channel", "variant", "address", "message", "assign_to", "class", "due",
    "points", "not_before",
)  # fmt: skip


@dataclass
class World:
    """`rows`: what the ledger's tables hold before a case, for a database that is not copied as a file."""

    folder: Path
    database: str
    sink: str
    rules: pipeline.Rules
    environment: Environment
    plan: Plan
    answers: Answers
    url: str | None
    rows: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)

    @staticmethod
    def made(folder: Path, database: str, sink: str, url: str | None) -> World:
        """*url* of an empty PostgreSQL database, for a ledger there."""
        state = "ledger.db" if url is None else url
        (folder / "rules").mkdir(parents=True)
        (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
        (folder / "rules" / "hello.yaml").write_text(RULES, encoding="utf-8")
        (folder / "policies.yaml").write_text(
            "channels:\n  sms: {consent: agreed, address: phone, sink: out}\nsuppress: [blocked]\n"
            f"sinks:\n  out: {SINKS[sink]}\nenvironments:\n  dev: {{state: {json.dumps(state)}}}\n",
            encoding="utf-8",
        )
        people = [*((each, "true", "false") for each in PEOPLE), ("no", "false", "false"), ("off", "true", "true")]
        lines = [f"{key},+86{key},{agreed},{blocked}" for key, agreed, blocked in people]
        (folder / "people.csv").write_text("\n".join(["id,phone,agreed,blocked", *lines]) + "\n", encoding="utf-8")
        rules = pipeline.load(folder)
        environment = rules.ruleset.campaign.policies.environments[0]
        lockfile.pin(folder, environment.name, ledger.created(environment.state, folder).lineage)
        plan = pipeline.plan(rules, environment, AS_OF, planned_at=NOW).plan
        questions = asked(rules.ruleset)
        existing = at(questions, pipeline.bind(questions), AS_OF)
        found = answers(rules.ruleset.campaign, pipeline.evaluate_existing(questions, existing, AS_OF))
        world = World(folder, database, sink, rules, environment, plan, found, url)
        assert len(plan.contacts) == len(PEOPLE)
        if url is not None:
            with world.server.engine.connect() as connection:
                world.rows = {
                    table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
                    for table in METADATA.sorted_tables
                }
        world._make_target()
        return world

    @cached_property
    def server(self) -> ledger.Ledger:
        """The ledger on PostgreSQL, by one connection that this process keeps."""
        with patch.object(place, "NullPool", sa.QueuePool):
            return ledger.opened(self.environment.state, self.folder)

    def opened(self, folder: Path) -> ledger.Ledger:
        """The ledger of a case, for this process to look at."""
        return ledger.opened(self.environment.state, folder) if self.url is None else self.server

    def target_url(self, folder: Path) -> str:
        if self.url is None:
            return f"sqlite:///{folder / 'target.db'}"
        return f"postgresql+psycopg{self.url[10:]}?options=-csearch_path%3Dpublic"

    def _make_target(self) -> None:
        """The tables of the sink, beside the ledger."""
        if self.sink == "sql":
            columns = ", ".join(f'"{name}" VARCHAR(200)' for name in COLUMNS)
            with sa.create_engine(self.target_url(self.folder), poolclass=sa.NullPool).begin() as connection:
                connection.execute(sa.text("CREATE TABLE segrules_deliveries (batch_id VARCHAR(64) PRIMARY KEY)"))
                connection.execute(sa.text(f"CREATE TABLE arrivals ({columns})"))

    def begin(self, case: str) -> Path:
        """The folder of a new case; the ledger is as it was when the plan was made."""
        folder = self.folder / "cases" / case
        folder.mkdir(parents=True)
        shutil.copy(self.folder / "segrules.lock", folder)
        if self.url is None:
            for name in ("ledger.db", *(["target.db"] if self.sink == "sql" else [])):
                shutil.copy(self.folder / name, folder)
        else:
            self._wait_for_sessions()
            with self.server.engine.begin() as connection:
                for table in reversed(METADATA.sorted_tables):
                    connection.execute(sa.delete(table))
                for name, rows in self.rows.items():
                    if rows:
                        connection.execute(sa.insert(METADATA.tables[name]), rows)
                if self.sink == "sql":
                    connection.execute(sa.text("DELETE FROM public.segrules_deliveries"))
                    connection.execute(sa.text("DELETE FROM public.arrivals"))
        return folder

    def _wait_for_sessions(self) -> None:
        """The server notices by itself, soon, that a process which was killed has gone."""
        others = (
            "SELECT string_agg(concat_ws(' ', pid, state, left(query, 60)), '; ') FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self.server.engine.connect() as connection:
            last = time.monotonic() + 30
            while (found := connection.scalar(sa.text(others))) is not None:
                assert time.monotonic() < last, f"a session stays: {found}"
                connection.rollback()
                time.sleep(0.002)

    def run(self, folder: Path, effect: Effect, do: Callable[[Site], Applied | None]) -> tuple[int, str]:
        """*do* in a process of its own: its exit code and what it said. `KILLED` if it was."""
        if self.url is not None:
            self._wait_for_sessions()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            code, said = 99, ""
            if self.url is not None:
                place.NullPool = sa.QueuePool  # type: ignore[misc, attr-defined]
            try:
                code, said = self.ended(folder, effect, do)
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(writing, said.encode()[:4000])
            os._exit(code)
        os.close(writing)
        with os.fdopen(reading, "rb") as said_by:
            said = said_by.read().decode()
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), said

    def ended(self, folder: Path, effect: Effect, do: Callable[[Site], Applied | None]) -> tuple[int, str]:
        """The exit code of a command that does *do*."""
        try:
            with at_work(
                self.environment, folder, "a test", Clock(lambda: NOW, lambda _: None, lambda: 0.5), effect
            ) as site:
                done = do(site)
            return (0, "") if done is None else (done.exit_code, str(done))
        except SegrulesError as error:
            return error.exit_code, str(error)

    def apply(self, site: Site) -> Applied:
        current = Current(
            self.plan.manifest.model, self.plan.manifest.version, self.environment.name,
            self.rules.ruleset.campaign.policies, lambda: self.plan.manifest.sources,
        )  # fmt: skip
        return applying.apply(site, self.plan, current, lambda: (self.rules.ruleset, self.answers))

    def resume(self, site: Site) -> Applied | None:
        with snapshot(site.ledger) as connection:
            run = runs.unfinished(connection)
        return None if run is None else resuming.resume(site, run)

    def abandon(self, site: Site) -> Applied | None:
        with snapshot(site.ledger) as connection:
            run = runs.by_serial(connection, 1)
        return None if run is None else resuming.abandon(site, run)

    def standing(self, folder: Path) -> Standing:
        """How everything stands."""
        with snapshot(self.opened(folder)) as connection:
            run = runs.last(connection)
            contacts = {} if run is None else {each.key: each for each in outbox.run_contacts(connection, run.serial)}
            waiting = connection.scalar(sa.select(sa.func.count()).select_from(METADATA.tables["outbox"])) or 0
            points = connection.scalar(sa.select(sa.func.sum(METADATA.tables["points"].c.amount))) or 0
            assert audit.verify(connection) is None
        return Standing(None if run is None else run.state, contacts, waiting, int(points))

    def received(self, folder: Path) -> Iterator[str]:
        """The keys of the contacts that a file or table sink has, as often as it has them."""
        if self.sink == "files":
            for file in sorted((folder / "out").glob("hello.sms.*")):
                for line in file.read_text(encoding="utf-8-sig").splitlines()[1:]:
                    yield line.split(",")[0]
        elif self.sink == "sql":
            with sa.create_engine(self.target_url(folder), poolclass=sa.NullPool).connect() as connection:
                yield from connection.scalars(sa.text('SELECT "key" FROM arrivals'))


@dataclass
class Standing:
    """What a ledger says of the one run that there may be."""

    run: str | None
    contacts: Mapping[str, outbox.Contact]
    waiting: int
    points: int


_COMPILED: dict[Any, Any] = {}
_DIALECTS: dict[str, Any] = {}


def engine(where: place.Place) -> sa.Engine:
    """As the ledger has it; statements that were compiled once, in whatever process, are not compiled again."""
    found = place.engine(where)
    found.dialect = _DIALECTS.setdefault(found.dialect.name, found.dialect)
    return found.execution_options(compiled_cache=_COMPILED)


@contextmanager
def surroundings(**variables: str) -> Iterator[None]:
    """Variables of the environment, for sinks."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
