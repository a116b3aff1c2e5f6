"""The command line, case by case: arguments in, exit code, stdout and stderr out.

Each folder of tests/cases/cli/ holds `case.yaml` and what the command wrote (`stdout.txt`, `stderr.txt`; no file:
nothing). The project is one that `init` makes (`start-…`, `fresh-…`: chance counts), perhaps with a
ledger (`ledger-…`: two runs, `unfinished-…`: one more that stopped), with the case's own `project/` copied over it; the
command runs inside.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import jsonschema
import pyarrow.parquet
import pytest
import yaml

from segrules.cli.app import main
from segrules.cli.quick import plain_validate
from segrules.cli.start.project import files
from tests import ledger_of_start

CASES = Path(__file__).parent / "cases" / "cli"
SCHEMAS = Path(__file__).parents[1] / "schemas" / "output"
COMMANDS = (
    "state", "init", "validate", "test", "evaluate", "members", "explain", "status", "history", "show", "record",
    "forget",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    folder: Path
    project: str
    command: tuple[str, ...]
    code: int = 0
    stdin: str = ""
    files: tuple[str, ...] = ()


def read_case(folder: Path) -> Case:
    written = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    return Case(
        folder,
        written.get("project", "start-zh"),
        tuple(map(str, written["command"])),
        written.get("exit", 0),
        written.get("stdin", ""),
        tuple(written.get("files", ())),
    )


def folders() -> list[Path]:
    return sorted(CASES.iterdir())


def make_project(case: Case, place: Path) -> None:
    kind, _, language = case.project.partition("-")
    if language:
        for path, text in files("zh" if language == "zh" else "en").items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_text(text, encoding="utf-8")
    if (case.folder / "project").is_dir():
        shutil.copytree(case.folder / "project", place, dirs_exist_ok=True)
    if kind in ("ledger", "unfinished"):
        ledger_of_start.filled(place, unfinished=kind == "unfinished")


def run(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0 if code is None else 1), said.out, said.err


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_case(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    update: bool,
) -> None:
    case = read_case(folder)
    if not case.project.startswith("start-"):
        ledger_of_start.frozen(monkeypatch)
    make_project(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    monkeypatch.setattr(sys, "stdin", StringIO(case.stdin))
    code, out, err = run(case.command, capsys)
    found = {"stdout.txt": out, "stderr.txt": err}
    found |= {f"file-{Path(name).name}": (tmp_path / name).read_text(encoding="utf-8") for name in case.files}
    found = {name: text.replace(str(tmp_path), "PROJECT") for name, text in found.items()}
    if update:
        for name, text in found.items():
            (folder / name).write_text(text, encoding="utf-8") if text else (folder / name).unlink(missing_ok=True)
    expected = {name: (folder / name).read_text("utf-8") if (folder / name).exists() else "" for name in found}
    assert found == expected
    assert code == case.code
    if "json" in case.command:
        check_schema(case, json.loads(out))


def check_schema(case: Case, said: object) -> None:
    """What a command prints as JSON keeps its schema; a command that could not go on prints findings."""
    command = next(word for word in case.command if word in COMMANDS)
    is_findings = isinstance(said, dict) and "errors" in said
    name = "findings" if is_findings or command == "validate" else command
    if name == "state":
        name = f"state-{case.command[1]}"
    jsonschema.validate(said, json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_a_schema_can_refuse() -> None:
    case = Case(CASES, "", ("init",))
    check_schema(case, {"format_version": 1, "files": []})
    with pytest.raises(jsonschema.ValidationError):
        check_schema(case, {"format_version": 1, "files": [], "more": 1})


def test_every_command_has_a_json_case() -> None:
    commands = [read_case(folder).command for folder in folders()]
    assert {command[0] for command in commands if "json" in command} == set(COMMANDS)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    make_project(Case(CASES, "start-en", ()), tmp_path)
    return tmp_path


def python(*arguments: str, cwd: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_MESSAGES", "LANG")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=env, input=stdin, capture_output=True, encoding="utf-8", check=False
    )


HEAVY = ("numpy", "pandas", "pyarrow", "sqlalchemy", "python_calamine", "rich", "lark")


def test_validate_imports_nothing_heavy(start: Path) -> None:
    code = (
        "import sys\n"
        "from segrules.cli.app import main\n"
        "try:\n    main(['validate'])\n"
        "except SystemExit as ended:\n    assert not ended.code, ended.code\n"
        f"print('imported', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = python("-c", code, cwd=start)
    assert done.stdout.endswith("imported []\n"), done.stdout + done.stderr


def test_importing_the_package_is_light(start: Path) -> None:
    code = "import sys, segrules; segrules.load; print([n for n in ('numpy', 'pandas', 'typer') if n in sys.modules])"
    assert python("-c", code, cwd=start).stdout == "[]\n"


def test_a_closed_pipe_is_quiet(start: Path) -> None:
    reader = "import sys; sys.stdin.close()"
    command = f'"{sys.executable}" -m segrules evaluate --format json --as-of 2026-06-30'
    done = subprocess.run(
        f'{{ {command}; echo "code $?" >&2; }} | "{sys.executable}" -c "{reader}"',
        shell=True, cwd=start, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_a_bug_of_ours_is_one_line(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(start)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("planted\nhere")

    monkeypatch.setattr("segrules.pipeline.examine", broken)
    code, out, err = run(("validate", "--lang", "en"), capsys)
    assert (code, out) == (70, "")
    assert err.count("\n") == 1
    assert "ZeroDivisionError: planted here" in err
    with pytest.raises(ZeroDivisionError):
        main(["validate", "--debug"])


def test_ctrl_c_is_130(start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(start)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segrules.pipeline.examine", interrupted)
    assert run(("validate",), capsys)[0] == 130


def test_a_run_without_a_date_says_today(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(start)
    monkeypatch.setattr("segrules.pipeline.today", lambda zone: 20_634 if zone == "Asia/Shanghai" else 0)
    code, out, _ = run(("evaluate", "--only", "dormant"), capsys)
    assert code == 0
    assert out.startswith("Customer care · as of 2026-06-30 Asia/Shanghai · 200 customers\n")


@pytest.mark.parametrize(("arguments", "expected"), [((), "en"), (("--lang", "zh"), "zh")])
def test_the_language_of_messages(
    start: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    expected: str,
) -> None:
    monkeypatch.chdir(start)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    _, _, err = run(("members", "nobody", *arguments), capsys)
    assert ("没有名为" in err) == (expected == "zh")


def test_an_unfinished_file_never_takes_the_place_of_a_good_one(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from segrules.report import table_file

    monkeypatch.chdir(start)
    (start / "out.csv").write_text("good", encoding="utf-8")

    def half(stream: object, found: object) -> None:
        stream.write(b"half")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(table_file, "_write_rows", half)
    code, _, err = run(("evaluate", "--as-of", "2026-06-30", "-o", "out.csv"), capsys)
    assert code == 4
    assert "no space left" in err
    assert (start / "out.csv").read_text(encoding="utf-8") == "good"
    assert sorted(path.name for path in start.glob("*out.csv*")) == ["out.csv"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["rules", "tests"],
        ["--quiet", "--no-color", "--project", "."],
        ["--project=.", "--lang=zh", "--format", "json", "rules"],
        ["-q", "--set", "a=1", "--set=b=2", "--as-of", "2026-01-01", "--env", "prod"],
        ["--debug", "--lang", "en", "--format=github"],
    ],
    ids=" ".join,
)
def test_the_short_way_to_validate_means_the_same(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.chdir(start)
    seen: list[object] = []

    def remember(options: object, paths: object) -> int:
        seen.append((options, paths))
        return 0

    monkeypatch.setattr("segrules.cli.validation.validate_files", remember)
    assert run(("validate", *arguments), capsys)[0] == 0
    monkeypatch.setattr("segrules.cli.app.plain_validate", lambda _: None)
    assert run(("validate", *arguments), capsys)[0] == 0
    assert seen[0] == seen[1]


@pytest.mark.parametrize("arguments", [["--help"], ["--nothing"], ["--format", "xml"], ["--lang"], ["--set", "-q"]])
def test_what_is_unusual_is_left_to_typer(arguments: list[str]) -> None:
    assert plain_validate(["validate", *arguments]) is None
    assert plain_validate(["test"]) is None


def test_parquet_keeps_the_types(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(start)
    assert run(("evaluate", "--as-of", "2026-06-30", "--cases", "-o", "out.parquet"), capsys)[0] == 0
    table = pyarrow.parquet.read_table(start / "out.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "customer_id": "string",
        "order_count": "int64",
        "annual_spend": "decimal128(19, 2)",
        "last_order": "date32[day]",
        "dormant": "bool",
        "valuable_member": "bool",
        "first_tier_women": "bool",
        "lifecycle": "string",
        "lifecycle.prospect": "bool",
        "lifecycle.new": "bool",
        "lifecycle.asleep": "bool",
        "lifecycle.regular": "bool",
    }
    keys = table["customer_id"].to_pylist()
    assert keys == sorted(keys)
    assert table["first_tier_women"].null_count == 4
