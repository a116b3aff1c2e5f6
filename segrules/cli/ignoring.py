"""What git is told to leave alone: everything that holds people.

In: the project's folder, the folders that sinks write to.  Out: lines added to `.gitignore`.  Always: what stands there
stays; a line that is there already is not added again; a folder outside of the project is not named.

    ignore(Path("demo"), ["out"])      # [".segrules/", "quarantine/", "out/", "*.segplan"]
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.diagnostics.refusals import reason
from segrules.errors import Unreachable
from segrules.source import NOWHERE

FILE = ".gitignore"


def ignore(folder: Path, outputs: Iterable[str]) -> list[str]:
    """The lines that were added. Raises `Unreachable`."""
    wanted = [".segrules/", "quarantine/", *map(_line, filter(_inside, sorted(outputs))), "*.segplan"]
    try:
        file = folder / FILE
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        there = {line.strip().strip("/") for line in text.splitlines()}
        added = []
        for line in dict.fromkeys(wanted):
            if not _covered(line, there):
                added.append(line)
                there.add(line.strip("/"))
        if added:
            start = "" if not text or text.endswith("\n") else "\n"
            with file.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(start + "".join(f"{line}\n" for line in added))
    except (OSError, UnicodeDecodeError) as refused:
        if isinstance(refused, UnicodeDecodeError):
            return []
        why = reason(refused)
        raise Unreachable([Diagnostic("P948", NOWHERE, {"file": FILE, "reason": why}, Help("folder"))]) from None
    return added


def _covered(line: str, there: set[str]) -> bool:
    """Whether the line, or a folder above, is there."""
    path = PurePosixPath(line.strip("/"))
    return any(str(each) in there for each in (path, *path.parents))


def _inside(output: str) -> bool:
    path = PurePosixPath(output)
    return not path.is_absolute() and ".." not in path.parts and path.parts != ()


def _line(output: str) -> str:
    return f"{PurePosixPath(output)}/"
