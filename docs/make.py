"""Pages that are made from the program, and screens in pages that show what it prints.

In: the catalogue, and Markdown files with `console` blocks.  Out: `docs/diagnostics.md`, and the same Markdown files
with every screen as the program prints it now.  Always: what stands in a page is what a run gave; a test compares.

    python docs/make.py            # rewrite
    python docs/make.py --check    # exit 1 and a diff if a page is not what the program says

A `console` block has lines `$ segrules …` and what each prints, and runs in a demo project of the page's own. What is
another in every run (ids, moments, whoever runs it) is shown as an ellipsis.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from segrules.diagnostics.catalogue import entries
from segrules.sample.project import make

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "README.zh.md", "docs/plan.md")
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = (
    (re.compile(r"\b([0-9a-f]{4})[0-9a-f]{12,60}\b"), "…"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?"), "…"),
)
FAMILIES = {
    "Y": "YAML", "S": "Expression syntax", "N": "Names", "T": "Types", "R": "Rule structure and tests",
    "D": "Data and evaluation", "P": "Plan and apply", "C": "Command line",
}  # fmt: skip


def diagnostics() -> str:
    """One heading per code: message in both languages, why, wrong and right."""
    lines = ["# Diagnostics", "", "Written by `make docs` from the catalogue of messages.", ""]
    coded = {key: entry for key, entry in entries().items() if re.fullmatch(r"[A-Z]\d{3}", key)}
    for family, title in FAMILIES.items():
        codes = sorted(code for code in coded if code.startswith(family))
        if codes:
            lines += [f"## {title}", ""]
        for code in codes:
            lines += list(_entry(code, coded[code]))
    return "\n".join(lines).rstrip() + "\n"


def _entry(code: str, entry: object) -> Iterator[str]:
    assert isinstance(entry, dict)
    yield f"### {code}"
    yield ""
    level = "" if entry.get("level") != "warning" else " (warning)"
    yield f"{entry['en']}{level}  \n{entry['zh']}"
    yield ""
    if "why_en" in entry:
        yield f"{entry['why_en']}  \n{entry['why_zh']}"
        yield ""
    for key, title in (("wrong", "wrong 错误"), ("right", "right 正确")):
        if key in entry:
            yield f"{title}:"
            yield "```yaml"
            yield str(entry[key]).strip("\n")
            yield "```"
    yield ""


def with_screens(text: str, project: Path) -> str:
    """*text* with every `console` block rerun in *project*."""
    return BLOCK.sub(lambda block: f"```console\n{''.join(_rerun(block[1], project))}```", text)


def _rerun(block: str, project: Path) -> Iterator[str]:
    for line in block.splitlines():
        if line.startswith("$ "):
            yield line + "\n"
            yield _printed(line[2:], project)


def _printed(command: str, project: Path) -> str:
    arguments = shlex.split(command)
    if arguments[0] == "segrules":
        arguments = [sys.executable, "-m", "segrules", *arguments[1:]]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    done = subprocess.run(
        arguments, cwd=project, env=environment, check=False, encoding="utf-8", stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = done.stdout
    for varying, shown in VARYING:
        said = varying.sub(shown, said)
    said = said.replace(datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat(), "…")
    return "".join(f"{line.rstrip()}\n" for line in said.splitlines())


def pages() -> Iterator[tuple[Path, str]]:
    """Every made page with the text that it should have."""
    yield ROOT / "docs" / "diagnostics.md", diagnostics()
    for page in PAGES:
        with tempfile.TemporaryDirectory() as name:
            project = Path(name) / "demo"
            make(project)
            yield ROOT / page, with_screens((ROOT / page).read_text(encoding="utf-8"), project)


def main(arguments: list[str]) -> int:
    changed = 0
    for file, wanted in pages():
        found = file.read_text(encoding="utf-8") if file.exists() else ""
        if found == wanted:
            continue
        changed += 1
        if "--check" in arguments:
            shown = difflib.unified_diff(found.splitlines(), wanted.splitlines(), str(file.name), "now", lineterm="")
            print("\n".join(list(shown)[:80]))
        else:
            file.write_text(wanted, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
