"""Commands on the ledger beyond what texts show: servers, crashes, files that name somebody, broken chains."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segrules.cli.start.project import files
from segrules.plan.leftovers import leftovers
from segrules.state import begin
from segrules.state.ledger import created, locked, opened
from tests import ledger_of_start
from tests.test_cli import run

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that `init` makes, as the current folder."""
    for path, text in files("en").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def on_server(project: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with an environment whose ledger is on PostgreSQL."""
    monkeypatch.setenv("LEDGER_URL", postgres_url)
    with (project / "policies.yaml").open("a", encoding="utf-8") as policies:
        policies.write('environments:\n  dev: {state: .segrules/ledger.db}\n  prod: {state: "${LEDGER_URL}"}\n')
    return project


def said(capsys: Capsys, *arguments: str, code: int = 0) -> Any:
    found, out, err = run((*arguments, "--format", "json"), capsys)
    assert found == code, out + err
    assert "only for tests" not in out + err
    return json.loads(out)


def test_environments_have_ledgers_of_their_own(on_server: Path, capsys: Capsys) -> None:
    lineages = [said(capsys, "state", "init", *which)["lineage"] for which in ((), ("--env", "prod"))]
    pinned = json.loads((on_server / "segrules.lock").read_text(encoding="utf-8"))["ledgers"]
    assert pinned == {"dev": lineages[0], "prod": lineages[1]}
    assert said(capsys, "status", "--env", "prod")["lineage"] == lineages[1]
    pinned["prod"], pinned["dev"] = pinned["dev"], pinned["prod"]
    (on_server / "segrules.lock").write_text(json.dumps({"ledgers": pinned}), encoding="utf-8")
    for command in (["status"], ["history"], ["record", "o.csv"], ["state", "prune", "--keep", "1 day"]):
        found = said(capsys, *command, "--env", "prod", code=6)
        assert [each["code"] for each in found["diagnostics"]] == ["P910"]


def test_on_a_server_who_holds_the_lock_can_be_ended(on_server: Path, capsys: Capsys, postgres_url: str) -> None:
    said(capsys, "state", "init", "--env", "prod")
    ledger = opened(postgres_url, on_server)
    with locked(ledger, "li@web2, apply 7c1e"):
        found = said(capsys, "state", "unlock", "--env", "prod")
        assert found["owner"].startswith("li@web2, apply 7c1e (pid ") and not found["ended"]
        assert "li@web2" in said(capsys, "status", "--env", "prod")["lock"]
        waits = said(capsys, "state", "prune", "--keep", "1 day", "--env", "prod", code=6)
        assert [each["code"] for each in waits["diagnostics"]] == ["P906"]
        assert said(capsys, "state", "unlock", "--yes", "--env", "prod")["ended"]
        assert said(capsys, "state", "unlock", "--env", "prod") == {"format_version": 1, "owner": None, "ended": False}


def test_a_lock_of_the_system_is_only_told_of(project: Path, capsys: Capsys) -> None:
    ledger_of_start.filled(project)
    with locked(opened(ledger_of_start.STATE, project), "li@web2, apply 7c1e"):
        for more in ((), ("--yes",)):
            assert said(capsys, "state", "unlock", *more)["owner"] == "li@web2, apply 7c1e"
        assert said(capsys, "forget", "C00004", code=6)["diagnostics"][0]["code"] == "P906"
        (project / "o.csv").write_text(f"key,kind,at\n6b1e{1:028x},opened,2026-07-01\n", encoding="utf-8")
        assert said(capsys, "record", "o.csv")["new"] == {"opened": 1}
    assert said(capsys, "record", "o.csv")["before"] == 1


def test_init_takes_up_what_stopped_before_the_pin(project: Path, capsys: Capsys) -> None:
    lineage = created(ledger_of_start.STATE, project).lineage
    found = said(capsys, "state", "init")
    assert (found["lineage"], found["created"]) == (lineage, False)
    (project / "segrules.lock").unlink()
    with locked(opened(ledger_of_start.STATE, project), "somebody worked with it"):
        pass
    assert said(capsys, "state", "init", code=6)["diagnostics"][0]["code"] == "P905"
    assert not (project / "segrules.lock").exists()


def test_a_fault_in_init_leaves_nothing_that_stops_the_next(project: Path, capsys: Capsys) -> None:
    boundaries: list[str] = []

    def watched(name: str, do: Any) -> Any:
        boundaries.append(name)
        return do()

    begin.begun("watched.db", project, "watched", watched)
    assert len(boundaries) >= 3
    for number, name in enumerate(boundaries):
        for after in (False, True):
            state, environment = f"{number}-{after}.db", f"e{number}{after}"

            def faulty(at: str, do: Any, name: str = name, after: bool = after) -> Any:
                if at == name and not after:
                    raise KeyboardInterrupt
                found = do()
                if at == name:
                    raise KeyboardInterrupt
                return found

            with pytest.raises(KeyboardInterrupt):
                begin.begun(state, project, environment, faulty)
            if name == "lockfile.rename" and after:
                continue
            place, lineage, _ = begin.begun(state, project, environment)
            assert place == state
            assert json.loads((project / "segrules.lock").read_text())["ledgers"][environment] == lineage


def test_git_is_told_once_what_to_leave_alone(project: Path, capsys: Capsys) -> None:
    (project / ".gitignore").write_text("/.segrules\n# ours\nbuild", encoding="utf-8")
    with (project / "policies.yaml").open("a", encoding="utf-8") as policies:
        policies.write(
            "sinks:\n  files: {kind: files, folder: out/sms}\n  away: {kind: files, folder: /srv/out}\n"
            "environments:\n  dev: {state: .segrules/ledger.db, sinks: {files: {kind: files, folder: out/dev}}}\n"
        )
    assert said(capsys, "state", "init")["ignored"] == ["quarantine/", "out/dev/", "out/sms/", "*.segplan"]
    assert (project / ".gitignore").read_text(encoding="utf-8").splitlines() == [
        "/.segrules", "# ours", "build", "quarantine/", "out/dev/", "out/sms/", "*.segplan",
    ]  # fmt: skip


def test_a_changed_audit_is_seen(project: Path, capsys: Capsys) -> None:
    ledger_of_start.filled(project)
    assert said(capsys, "status")["audit"]["first_broken"] is None
    with sqlite3.connect(project / ledger_of_start.STATE) as connection:
        connection.execute("update audit set detail = replace(detail, '\"contacts\"', '\"contact\"') where seq = 3")
    connection.close()
    assert said(capsys, "status", code=1)["audit"]["first_broken"] == 3
    code, out, _ = run(("status", "--lang", "en"), capsys)
    assert code == 1
    assert "entry 3 is missing or not what was written" in out


def test_what_was_held_is_for_its_owner_only(project: Path, capsys: Capsys) -> None:
    ledger_of_start.filled(project)
    found = said(capsys, "forget", "C00002")
    file = Path(found["export"])
    assert file.parent.name == ".segrules"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text(encoding="utf-8"))["points"]["balance"] > 0
    again = said(capsys, "forget", "C00002")
    assert (again["known"], again["before"], again["export"]) == (False, True, None)
    assert said(capsys, "history", "--customer", "C00002")["forgotten"]
    assert said(capsys, "status")["audit"]["first_broken"] is None


def test_nothing_is_forgotten_unless_it_was_written_out(
    project: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger_of_start.filled(project)
    assert said(capsys, "forget", "C00002", "--export", "nowhere/held.json", code=4)["diagnostics"][0]["code"] == "P948"
    assert said(capsys, "history", "--customer", "C00002")["known"]


def test_files_that_name_somebody(tmp_path: Path) -> None:
    (tmp_path / "out" / "old").mkdir(parents=True)
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "data").mkdir()
    for name, text in {
        "out/a.csv": "\ufeffkey,customer\nk1,C1\n",
        "out/b.csv": "key,customer\nk1,C10\n",
        "out/old/c.csv.part": 'x,"C1"\n',
        "out/d.jsonl": '{"customer": "C1"}\n',
        "quarantine/orders.csv": "C1,bad\n",
        "data/customers.csv": "customer\nC1\n",
        "notes.txt": "C1",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    pq.write_table(pa.table({"customer": pa.array(["C2", "C1"]).dictionary_encode()}), tmp_path / "out" / "e.parquet")
    pq.write_table(pa.table({"customer": ["C2"]}), tmp_path / "out" / "f.parquet")
    pq.write_table(pa.table({"customer": [7, 8]}), tmp_path / "out" / "g.parquet")
    (tmp_path / "broken.segplan").write_bytes(b"PK\x03\x04 no plan")
    (tmp_path / "out" / "h.parquet").write_bytes(b"PAR1 no table")
    found = [each.as_posix() for each in leftovers(tmp_path, ["out", "nowhere"], "C1")]
    assert found == [
        "broken.segplan", "out/a.csv", "out/d.jsonl", "out/e.parquet", "out/h.parquet", "out/old/c.csv.part",
        "quarantine/orders.csv",
    ]  # fmt: skip
    assert Path("out/g.parquet") in leftovers(tmp_path, ["out"], "7")


def test_a_plan_file_that_names_somebody(project: Path, capsys: Capsys) -> None:
    said(capsys, "state", "init")
    code, _, err = run(("plan", "--as-of", "2026-06-30", "-o", "old.segplan"), capsys)
    assert code == 0, err
    assert said(capsys, "forget", "C00002")["leftovers"] == ["old.segplan"]
    assert said(capsys, "forget", "C99999")["leftovers"] == []


def test_a_copy_of_a_ledger_on_a_server(on_server: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    said(capsys, "state", "init", "--env", "prod")
    programs = [str(each) for each in Path("/usr/lib/postgresql").glob("*/bin")]
    monkeypatch.setenv("PATH", os.pathsep.join([*programs, os.environ["PATH"]]))
    found = said(capsys, "state", "backup", "copy.dump", "--env", "prod")
    assert "only" not in found["place"] and found["place"].startswith("postgresql://127.0.0.1")
    assert (on_server / "copy.dump").read_bytes().startswith(b"PGDMP")


def test_what_the_ledger_says_needs_no_data(project: Path, capsys: Capsys) -> None:
    ledger_of_start.filled(project)
    for file in (project / "data").iterdir():
        file.unlink()
    for command in (["status"], ["history"], ["show", "2"], ["history", "--customer", "C00002"], ["forget", "C00002"]):
        said(capsys, *command)


def test_the_page_shows_what_status_prints() -> None:
    root = Path(__file__).parents[1]
    printed = (root / "tests" / "cases" / "cli" / "status_unfinished" / "stdout.txt").read_text(encoding="utf-8")
    assert f"```\n{printed}```" in (root / "docs" / "operations.md").read_text(encoding="utf-8")
