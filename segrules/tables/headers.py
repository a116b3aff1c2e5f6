"""Which columns of a source a contract means.

In: the headers of a source and the contract's columns.  Out: the position of each column, and the headers that no
contract names.  Always: headers match after NFKC, white space around them aside; a column that is not there, or there
twice, is reported with the names that come near.

    find_columns(origin, ["ｉｄ", "amount"], {"id": span})      # ({"id": 0}, ("amount",))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from unicodedata import normalize

from segrules.source import Span
from segrules.tables.findings import missing_columns, stop
from segrules.tables.raw import Origin


def find_columns(
    origin: Origin, headers: Sequence[str], wanted: Mapping[str, Span]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Raises `BrokenContract` (D809, D810)."""
    positions: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        positions.setdefault(normal(header), []).append(index)
    absent = {column: span for column, span in wanted.items() if normal(column) not in positions}
    if absent:
        raise missing_columns(origin, [header for header in headers if header.strip()], absent)
    for column in wanted:
        if len(positions[normal(column)]) > 1:
            raise stop("D810", origin, "rename", column=column)
    known = {normal(column) for column in wanted}
    unlisted = dict.fromkeys(header.strip() for header in headers if header.strip() and normal(header) not in known)
    return {column: positions[normal(column)][0] for column in wanted}, tuple(unlisted)


def normal(header: str) -> str:
    return normalize("NFKC", header).strip()
