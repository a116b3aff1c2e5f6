"""Files with columns of their own types: Parquet, and spreadsheets, whose cells are typed one by one.

In: a file.  Out: `Raw`.  Always: Parquet reads the wanted columns only; a spreadsheet's header is its first row that
is not blank, blank rows are skipped, and an empty cell is missing.

    read_workbook(Path("data/customers.xlsx"), "2026", origin, {"customer_id": span})
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from segrules.source import Span
from segrules.tables.findings import stop
from segrules.tables.frames import from_table
from segrules.tables.headers import find_columns
from segrules.tables.raw import Cells, Origin, Raw, cell_text, python_cells


def read_parquet(file: Path, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for a damaged file or missing columns."""
    try:
        with pq.ParquetFile(file) as opened:
            headers = opened.schema_arrow.names
            positions, unlisted = find_columns(origin, headers, wanted)
            names = [headers[index] for index in positions.values()]
            simple = len(set(headers)) == len(headers) and not any("." in name for name in headers)
            table = opened.read(columns=list(dict.fromkeys(names)) if simple else None)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise stop("D807", origin, kind="Parquet", reason=str(error).partition("\n")[0][:200]) from None

    def everything() -> Mapping[str, Cells]:
        whole = pq.read_table(file)
        return {name: whole.column(index) for index, name in enumerate(whole.column_names)}

    raw = from_table(table, origin, wanted)
    return Raw(
        origin=origin,
        rows=raw.rows,
        columns=raw.columns,
        headers=tuple(headers),
        unlisted=tuple(name for name in unlisted if not name.startswith("__index_level_")),
        everything=everything,
    )


def read_workbook(file: Path, sheet: str | None, origin: Origin, wanted: Mapping[str, Span]) -> Raw:
    """Raises `BrokenContract` for a damaged file, an absent sheet, or missing columns."""
    try:
        with CalamineWorkbook.from_path(str(file)) as book:
            names = ", ".join(f"`{name}`" for name in book.sheet_names)
            if not book.sheet_names:
                raise stop("D804", origin)
            found = book.get_sheet_by_index(0) if sheet is None else book.get_sheet_by_name(sheet)
            rows = found.to_python(skip_empty_area=False)
    except WorksheetNotFound:
        raise stop("D808", origin, "sheets", {"names": names}, sheet=sheet or "") from None
    except (CalamineError, OSError, ValueError) as error:
        raise stop("D807", origin, kind="Excel", reason=str(error).partition("\n")[0][:200]) from None
    top = next((index for index, row in enumerate(rows) if _has_cells(row)), None)
    if top is None:
        raise stop("D804", origin)
    headers = _headers(rows[top])
    kept = [index for index in range(top + 1, len(rows)) if _has_cells(rows[index])]
    positions, unlisted = find_columns(origin, headers, wanted)

    def column(at: int) -> Cells:
        return python_cells([None if rows[row][at] == "" else rows[row][at] for row in kept])

    return Raw(
        origin=origin,
        rows=len(kept),
        columns={name: column(at) for name, at in positions.items()},
        headers=tuple(headers),
        unlisted=unlisted,
        everything=lambda: {name: column(at) for at, name in enumerate(headers)},
        spelled=True,
        numbers=np.array(kept, np.int64) - top,
        place_of=lambda number: top + 1 + number,
    )


def _has_cells(row: list[Any]) -> bool:
    return any(cell != "" for cell in row)


def _headers(row: list[Any]) -> list[str]:
    cells = python_cells([None if cell == "" else cell for cell in row])
    names = [cell_text(cells, index) or "" for index in range(len(row))]
    return [name.removesuffix(".0") if isinstance(cell, float) else name for name, cell in zip(names, row, strict=True)]
