"""What a plan was made from: rules, data, commit.

In: a project as read, its folder, `--set`.  Out: hashes as hex, the commit.  Always: any change to a file that could
change a decision or an effect changes `model_hash`, be it of a comment, whatever the file is called; what is of the
ledger alone (lineages in segrules.lock) does not; git that is not there, or does not answer, is None and never an
error.

    model_hash(rules.project, rules.files, {"threshold": "500"})      # "3f2a91c0…", 64 digits
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import Conflict
from segrules.files.documents import DecisionTable, Project
from segrules.files.load import POLICIES_FILE, PROJECT_FILE
from segrules.files.project import DEFAULT_RULES
from segrules.model.ruleset import RuleSet, StaticList
from segrules.schema.contract import DatabaseSource, DistinctSource, FileSource, LedgerSource
from segrules.source import NOWHERE

LOCK_FILE = "segrules.lock"
LINEAGES = "ledgers"
"""The part of segrules.lock that says which ledger an environment has (`state.lockfile`)."""
GIT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan is made from, beside the customers."""

    model: str
    version: str
    commit: str | None
    clean: bool | None
    parameters: Mapping[str, str]
    sources: Mapping[str, str | None]


def basis(
    project: Project,
    ruleset: RuleSet,
    files: Mapping[str, str],
    overrides: Mapping[str, str],
    given: Collection[str] = (),
) -> Basis:
    """Rules as they were read (*files* as of `files_read`), data as it is now; *given* names tables that are not read
    from their source."""
    found, clean = commit(project)
    return Basis(
        model=model_hash(project, files, overrides),
        version=metadata.version("segrules"),
        commit=found,
        clean=clean,
        parameters=dict(overrides),
        sources=source_hashes(ruleset, given),
    )


def files_read(project: Project) -> dict[str, str]:
    """SHA-256 of the files that were read with the rules and are not kept as text: policies and decision tables. To be
    taken when they are read, since a plan may be made much later."""
    folder = Path(project.folder)
    names = sorted({POLICIES_FILE, *_table_files(project)})
    return {name: _sha256(folder / name) for name in names if (folder / name).is_file()}


def model_hash(project: Project, files: Mapping[str, str], overrides: Mapping[str, str]) -> str:
    """SHA-256 of every file that rules are made of, by its path, and of `--set`."""
    folder = Path(project.folder)
    found = {**files, **{name: hashlib.sha256(text.encode()).hexdigest() for name, text in _texts(project).items()}}
    found |= {name: _sha256(folder / name) for name in _lists(project) if (folder / name).is_file()}
    if (locked := _lock(folder / LOCK_FILE)) is not None:
        found[LOCK_FILE] = hashlib.sha256(locked).hexdigest()
    said = [sorted(found.items()), sorted(overrides.items())]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def model_files(project: Project) -> tuple[str, ...]:
    """The paths, from the project's folder, of all that rules are made of."""
    there = [POLICIES_FILE, *_table_files(project), *_lists(project)]
    return tuple(sorted({*_texts(project), *(name for name in there if (Path(project.folder) / name).is_file())}))


def _texts(project: Project) -> dict[str, str]:
    spans = [*([] if project.file is None else [project.file.span]), *(each.span for each in project.rules)]
    return {span.source.name: span.source.text for span in spans}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _lists(project: Project) -> Iterator[str]:
    return (each.file.text for rules in project.rules for each in rules.lists)


def _table_files(project: Project) -> Iterator[str]:
    for each in (each for rules in project.rules for each in rules.segmentations):
        if isinstance(each.body, DecisionTable) and each.body.file is not None:
            yield each.body.file.text


def _lock(file: Path) -> bytes | None:
    """What segrules.lock says beside lineages; None where that is nothing."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    rest = {key: value for key, value in said.items() if key != LINEAGES} if isinstance(said, dict) else said
    return json.dumps(rest, sort_keys=True).encode() if rest else None


def source_hashes(ruleset: RuleSet, given: Collection[str] = ()) -> dict[str, str | None]:
    """SHA-256 of the file behind each table and list; None for a database and for what the caller gave."""
    found: dict[str, str | None] = {}
    for name, path in _sources(ruleset, given):
        if path is None:
            found[name] = None
        elif path.is_file():
            found[name] = _sha256(path)
    return found


def _sources(ruleset: RuleSet, given: Collection[str]) -> Iterator[tuple[str, Path | None]]:
    folder = Path(ruleset.folder)
    for table in ruleset.contracts.tables.values():
        match table.source:
            case _ if table.name in given:
                yield table.name, None
            case FileSource(path):
                yield table.name, folder / path
            case DatabaseSource():
                yield table.name, None
            case DistinctSource() | LedgerSource() | None:
                pass
    for definition in ruleset.definitions.values():
        if isinstance(definition, StaticList):
            yield definition.name, folder / definition.file


def data_hash(sources: Mapping[str, str | None]) -> str | None:
    """One hash of all files, to be shown; None where there is none."""
    files = {name: found for name, found in sources.items() if found is not None}
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest() if files else None


@dataclass(frozen=True, slots=True)
class Stamps:
    """When and how large the files of the data were; two of one moment are equal."""

    files: tuple[tuple[str, int, int, int], ...]


def stamps(ruleset: RuleSet, given: Collection[str] = ()) -> Stamps:
    """The stamps of the sources now."""
    found = []
    for name, path in _sources(ruleset, given):
        if path is not None and path.exists():
            status = path.stat()
            found.append((name, status.st_ino, status.st_size, status.st_mtime_ns))
    return Stamps(tuple(found))


def unchanged(before: Stamps, after: Stamps) -> None:
    """Raises `Conflict` where a file of the data changed in between."""
    changed = sorted({each[0] for each in set(before.files) ^ set(after.files)})
    if changed:
        raise Conflict([Diagnostic("P926", NOWHERE, {"names": ", ".join(changed)})])


def commit(project: Project) -> tuple[str | None, bool | None]:
    """The commit that holds the project, and whether the files of the rules are as in it; None where the project's
    file is in none."""
    folder, files = Path(project.folder), model_files(project)
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    tracked = _git(folder, "ls-files", "-z", "--", PROJECT_FILE, *files)
    if head is None or tracked is None or PROJECT_FILE not in tracked.split("\0"):
        return None, None
    rules_in = DEFAULT_RULES if project.file is None else project.file.rules.text
    paths = dict.fromkeys([PROJECT_FILE, POLICIES_FILE, LOCK_FILE, rules_in, *files])
    changes = _git(folder, "status", "--porcelain", "--untracked-files=all", "--", *paths)
    everything = set(files) <= set(tracked.split("\0"))
    return head.strip(), None if changes is None else everything and not changes.strip()


def _git(folder: Path, *arguments: str) -> str | None:
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments],
            env={**os.environ, **quiet}, stdin=subprocess.DEVNULL, capture_output=True, timeout=GIT_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
