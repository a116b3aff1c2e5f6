"""Files of a project folder: which there are, and their text.

In: a folder and names in it.  Out: `Source` of each file, named by its path from the project folder, and
diagnostics.  Always: nothing is raised for what stands on the disk (links in a loop, folders with the name of a
file, pipes, names and bytes that are not UTF-8, files that may not be read); nothing but regular files is opened; the
order is that of the paths.

    listed(Path("demo"), "rules", found)      # ["rules/10.yaml", "rules/sub/a.yml"]
"""

from __future__ import annotations

import stat
from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.source import Source, Span
from segrules.yamltree.tree import MAX_CHARACTERS, too_large

_ENDINGS = (".yaml", ".yml")


def at_file(path: str) -> Span:
    """The place that stands for a whole file."""
    return Source(shown(path), "").span(0, 0)


def shown(path: str) -> str:
    """*path* with what is not UTF-8 in it replaced, so that it can be printed."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def listed(folder: Path, start: str, found: list[Diagnostic], leave_out: frozenset[str] = frozenset()) -> list[str]:
    """The YAML files under *start*, as paths from *folder*; names that begin with a dot are left out."""
    files: list[str] = []
    visited: set[tuple[int, int]] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        try:
            status = (folder / here).stat()
            names = sorted(entry.name for entry in (folder / here).iterdir())
        except OSError as error:
            found.append(unreadable(here, error))
            continue
        if (status.st_dev, status.st_ino) in visited:
            found.append(Diagnostic("R522", at_file(here), {"path": shown(here)}))
            continue
        visited.add((status.st_dev, status.st_ino))
        for name in names:
            path = name if here in ("", ".") else f"{here}/{name}"
            if name.startswith(".") or path in leave_out:
                continue
            if (folder / path).is_dir() and not name.endswith(_ENDINGS):
                waiting.append(path)
            elif name.endswith(_ENDINGS):
                files.append(path)
    return sorted(files)


def read_text(folder: Path, path: str, found: list[Diagnostic]) -> Source | None:
    """The text of a YAML file, without a byte order mark; None where a diagnostic says why."""
    data = read_bytes(folder, path, found, at_file(path))
    if data is None:
        return None
    try:
        return Source(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        found.append(_not_utf8(path, data, error))
        return None


def read_bytes(folder: Path, path: str, found: list[Diagnostic], span: Span) -> bytes | None:
    """The bytes of a regular file that is not too large; *span* is where the file was asked for."""
    if shown(path) != path:
        found.append(Diagnostic("R523", span, {"path": shown(path)}))
        return None
    try:
        status = (folder / path).stat()
        if not stat.S_ISREG(status.st_mode):
            kind = Words("files.folder") if stat.S_ISDIR(status.st_mode) else Words("files.special")
            found.append(Diagnostic("R521", span, {"path": path, "kind": kind, "expected": Words("files.file")}))
            return None
        if status.st_size > 4 * MAX_CHARACTERS:
            found.append(too_large(Source(path, "")))
            return None
        return (folder / path).read_bytes()
    except (OSError, ValueError) as error:
        found.append(unreadable(path, error, span))
        return None


def not_a_folder(path: str, span: Span) -> Diagnostic:
    """Something else stands where a folder is expected."""
    return Diagnostic(
        "R521", span, {"path": shown(path), "kind": Words("files.file"), "expected": Words("files.folder")}
    )


def unreadable(path: str, error: Exception, span: Span | None = None) -> Diagnostic:
    """Why the system does not give the file, in the user's language where the reason is a common one."""
    match error:
        case FileNotFoundError():
            reason = Words("files.not_there")
        case PermissionError():
            reason = Words("files.forbidden")
        case NotADirectoryError():
            reason = Words("files.no_folder")
        case OSError(errno=40):
            reason = Words("files.link_loop")
        case _:
            reason = Words("files.system", {"reason": str(getattr(error, "strerror", None) or "?").lower()})
    return Diagnostic("R524", span or at_file(path), {"path": shown(path), "reason": reason})


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> Diagnostic:
    bom = len(data) - len(data.removeprefix(b"\xef\xbb\xbf"))
    start = error.start if error.object is data else error.start + bom
    before = data[bom:start].decode("utf-8")
    text = before + data[start:].decode("utf-8", "replace")
    span = Source(path, text).span(len(before), len(before) + 1)
    return Diagnostic("Y101", span, {"byte": f"0x{data[start]:02X}"}, _encoding(data))


def _encoding(data: bytes) -> Help:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Help("encoding", {"encoding": "UTF-16"})
    try:
        data.decode("gb18030")
    except UnicodeDecodeError:
        return Help("save")
    return Help("encoding", {"encoding": "GB18030"})
