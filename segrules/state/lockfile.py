"""`segrules.lock`: which ledger belongs to which environment of a project; part of what is under version control.

In: the project's folder, an environment, the lineage of its ledger.  Out: that file, JSON with sorted keys.  Always: it
is replaced whole; what else stands in it stays; a ledger of another lineage is never worked with.

    {"ledgers": {"prod": "8f0c…"}}
"""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.effects import Effect, directly
from segrules.errors import Conflict, Unreachable
from segrules.source import NOWHERE
from segrules.state.ledger import synced
from segrules.state.records import Identity

NAME = "segrules.lock"
_LEDGERS = "ledgers"


def pinned(folder: Path, environment: str) -> str | None:
    """The lineage that is pinned for an environment. Raises `Conflict` for a file that is none of ours."""
    found: str | None = _read(folder).get(_LEDGERS, {}).get(environment)
    return found


def pin(folder: Path, environment: str, lineage: str, effect: Effect = directly) -> None:
    """Write down the lineage of an environment's ledger. Raises `Conflict`, `Unreachable`."""
    content = _read(folder)
    content[_LEDGERS] = {**content.get(_LEDGERS, {}), environment: lineage}
    part = folder / f".{NAME}.part"
    try:
        effect(
            "lockfile.write", partial(_written, part, json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True))
        )
        effect("lockfile.rename", partial(part.replace, folder / NAME))
        synced(folder)
    except OSError as error:
        raise Unreachable([Diagnostic("P911", NOWHERE, {"reason": reason(error)}, Help("restore"))]) from None


def checked(folder: Path, environment: str, identity: Identity) -> None:
    """Raises `Conflict` where no ledger is pinned for the environment, or another."""
    wanted = pinned(folder, environment)
    if wanted is None:
        raise Conflict([Diagnostic("P909", NOWHERE, {"environment": environment}, Help("init"))])
    if wanted != identity.lineage:
        arguments = {"environment": environment, "pinned": wanted, "found": identity.lineage}
        raise Conflict([Diagnostic("P910", NOWHERE, arguments, Help("state"))])


def _read(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(reason(error)) from None
    except UnicodeDecodeError:
        raise _unusable(Words("lockfile.shape")) from None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _unusable(Words("lockfile.shape")) from None
    ledgers = content.get(_LEDGERS, {}) if isinstance(content, dict) else None
    if not isinstance(ledgers, dict) or not all(isinstance(lineage, str) for lineage in ledgers.values()):
        raise _unusable(Words("lockfile.shape"))
    found: dict[str, Any] = content
    return found


def _written(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())


def _unusable(why: Words) -> Conflict:
    return Conflict([Diagnostic("P911", NOWHERE, {"reason": why}, Help("restore"))])
