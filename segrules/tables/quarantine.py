"""Rows set aside: one CSV file per table, for people to mend.

In: the rows of a table that break its contract, each with its reasons.  Out: `quarantine/<table>.csv` in the project
folder.  Always: every original cell of every row is in it, as text, with the row's number in the source and each
reason; the file appears whole or not at all, is readable by its owner only, and goes away when no row is set aside.
"""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from segrules.diagnostics.catalogue import say
from segrules.diagnostics.refusals import reason
from segrules.tables.checks import Broken
from segrules.tables.draft import Draft
from segrules.tables.findings import stop
from segrules.tables.raw import Origin, cell_text

FOLDER = "quarantine"


def quarantine_path(table: str) -> str:
    safe = "".join(
        "_" if character in '/\\:*?"<>|' or not character.isprintable() else character for character in table
    )
    return f"{FOLDER}/{safe}.csv"


def set_aside(folder: Path, draft: Draft, broken: Sequence[Broken], language: Literal["en", "zh"]) -> str | None:
    """Write the rows that break a rule; gives the file relative to *folder*. Raises `BrokenContract` (D845)."""
    columns = list(draft.raw.everything())
    extra = max([len(row.cells) - len(columns) for row in draft.raw.ragged] + [0])
    header = [*columns, *(f"+{index + 1}" for index in range(extra))]
    lines = [line for _, line in bad_lines(draft, broken, len(header), language)]
    return write_lines(folder, draft.raw.origin, header, lines)


def write_lines(folder: Path, origin: Origin, header: Sequence[str], lines: Iterable[Sequence[str]]) -> str | None:
    """Replace the file of a table by *lines*, each with its place and reason; without lines it goes away."""
    relative = quarantine_path(origin.table)
    file = folder / relative
    rest = iter(lines)
    try:
        first = next(rest, None)
        if first is None:
            file.unlink(missing_ok=True)
            return None
        _write(file, chain([[*header, "segrules_row", "segrules_reason"], first], rest))
    except OSError as error:
        raise stop("D845", origin, file=relative, reason=reason(error)) from None
    return relative


def bad_lines(
    draft: Draft, broken: Sequence[Broken], width: int, language: Literal["en", "zh"]
) -> list[tuple[int, list[str]]]:
    """(number in the source, cells, place and reasons) of every row that breaks a rule, by number; *width* cells."""
    columns = draft.raw.everything()
    bad = np.zeros(draft.rows, np.bool_)
    for one in broken:
        bad |= one.rows
    lines = []
    for row in np.flatnonzero(bad).tolist():
        cells = [cell_text(cells, row) or "" for cells in columns.values()]
        reasons = [_reason(one, language) for one in broken if one.rows[row]]
        number = draft.raw.number(row)
        ending = [str(draft.raw.place_of(number)), "; ".join(reasons)]
        lines.append((number, [*cells, *[""] * (width - len(cells)), *ending]))
    for ragged in draft.raw.ragged:
        cells = [*ragged.cells, *[""] * (width - len(ragged.cells))]
        why = say("data_reason_D811", language, cells=len(ragged.cells), columns=len(columns))
        lines.append((ragged.number, [*cells, str(draft.raw.place_of(ragged.number)), f"D811 {why}"]))
    return sorted(lines, key=lambda line: line[0])


def _reason(broken: Broken, language: Literal["en", "zh"]) -> str:
    return f"{broken.code} {say(f'data_reason_{broken.code}', language, column=broken.column, **broken.args)}"


def _write(file: Path, lines: Iterable[Sequence[str]]) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem[:40]}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(lines)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
