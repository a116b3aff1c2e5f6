"""The command line and the system around it: closed streams, full disks, other locales, refused files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segrules.cli.app import main
from segrules.cli.start.project import files

PYTHON = f'"{sys.executable}" -m segrules'
pytestmark = pytest.mark.skipif(os.name != "posix", reason="shells and devices of POSIX")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    folder = tmp_path / "空 格"
    for path, text in files("zh").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def shell(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**os.environ, **more},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("validate >&-", 0),
        ("validate 2>&-", 0),
        ("evaluate --as-of 2026-06-30 >&- 2>&-", 0),
        ("evaluate --as-of 2026-06-30 --only nobody >&- 2>&-", 2),
        ("explain - 休眠 <&-", 2),
        ("evaluate --as-of 2026-06-30 > /dev/full", 4),
        ("evaluate --as-of 2026-06-30 --format json > /dev/full", 4),
        ("evaluate --only nobody --format json > /dev/full", 4),
        ("evaluate --only nobody 2> /dev/full", 4),
        ("--help > /dev/full", 4),
    ],
)
def test_streams_that_are_closed_or_full(start: Path, command: str, code: int) -> None:
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = shell(f"{PYTHON} {command}", start)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception" not in done.stderr
    if "> /dev/full" in command and "2>" not in command and "--help" not in command:
        assert "磁盘空间不足" in done.stderr


def test_a_locale_without_chinese(start: Path) -> None:
    """Names on the command line, of files and in the output survive a locale that has only ASCII."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(
        f"{PYTHON} evaluate --as-of 2026-06-30 --set 高价值线=100 --only 高价值会员 -o 结果.csv", start, **plain
    )
    assert done.returncode == 0, done.stderr
    assert "高价值会员" in done.stdout
    assert (start / "结果.csv").read_text(encoding="utf-8-sig").startswith("客户号,高价值会员\n")
    done = shell(f"{PYTHON} validate rules/客户分群.yaml", start, **plain)
    assert (done.returncode, done.stderr) == (0, "没有问题：规则文件 1 个，名称 7 个\n")


def test_a_current_folder_that_is_gone(start: Path) -> None:
    done = shell(f"mkdir gone && cd gone && rmdir ../gone && {PYTHON} validate", start)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr


IS_FILE = Path.is_file


def refused(path: Path) -> bool:
    if path.name == "segrules.yaml":
        raise PermissionError(13, "Permission denied", "crm/segrules.yaml")
    return IS_FILE(path)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_folder_that_may_not_be_read(
    start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    monkeypatch.chdir(start)
    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--project", "crm", "--lang", lang])
    assert ended.value.code == 4
    said = {
        "zh": "C923 系统拒绝访问 `crm/segrules.yaml`：没有权限\n",
        "en": "C923 the system refuses `crm/segrules.yaml`: permission denied\n",
    }
    assert capsys.readouterr().err == said[lang]


def test_debug_shows_where(start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(start)
    monkeypatch.setattr(Path, "is_file", refused)
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--project", "crm", "--debug"])
    assert ended.value.code == 4
    assert "PermissionError" in capsys.readouterr().err


def test_links_in_a_loop(start: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (start / "rules" / "loop.yaml").symlink_to("loop.yaml")
    monkeypatch.chdir(start)
    for paths in ([], ["rules"]):
        with pytest.raises(SystemExit) as ended:
            main(["validate", *paths])
        assert ended.value.code == 1
        assert "R524" in capsys.readouterr().out
