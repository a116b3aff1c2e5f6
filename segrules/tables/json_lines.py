"""JSON lines: one object per line, its members the columns.

In: a file.  Out: `Raw`.  Always: the columns are those of all lines, in the order in which they come; a member that a
line lacks is missing there; values keep their types; a line that is no object stops the reading, with its number.

    {"key": "6b1e…", "kind": "opened", "at": "2026-11-21T09:30:00+08:00"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from segrules.diagnostics.diagnostic import Words
from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.headers import find_columns
from segrules.tables.raw import Cells, Origin, Raw, python_cells


def read_json_lines(file: Path, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for what is no JSON lines and for missing columns."""
    objects: list[dict[str, Any]] = []
    numbers: list[int] = []
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    objects.append(_object(line, number, origin))
                    numbers.append(number)
    except UnicodeDecodeError:
        raise stop("D807", origin, kind="JSON", reason=Words("data_no_utf8")) from None
    headers = list(dict.fromkeys(name for each in objects for name in each))
    positions, unlisted = find_columns(origin, headers, wanted if objects else {})

    def column(at: int) -> Cells:
        return python_cells([each.get(headers[at]) for each in objects])

    return Raw(
        origin=origin,
        rows=len(objects),
        columns={name: column(positions[name]) if objects else python_cells([]) for name in wanted},
        headers=tuple(headers),
        unlisted=unlisted,
        everything=lambda: {name: column(at) for at, name in enumerate(headers)},
        numbers=np.array(numbers, np.int64),
    )


def _object(line: str, number: int, origin: Origin) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise stop("D807", origin, kind="JSON", reason=Words("data_no_object", {"number": number}))
    return found
