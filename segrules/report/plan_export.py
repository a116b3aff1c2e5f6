"""`plan --export`: who matches an action and where they end, as a table for a colleague.

In: a plan with its decisions, a path.  Out: the file, whole or not there at all, that only its owner may read.  Always:
by action, then in the order of filling; private values are `***` unless asked for; a cell never becomes a formula.

    write(planned, Path("list.xlsx"), with_pii=False)
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segrules.decide.decisions import SELECTED, Decision
from segrules.decide.messages import rendered
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.diagnostics.refusals import reason
from segrules.errors import SegrulesError, WrongUsage
from segrules.model.campaign import MONEY_SCALE, STAGES
from segrules.model.expr import Expr
from segrules.pipeline import Planned
from segrules.plan.payloads import due_day, keys_of, texts
from segrules.report.plan_sample import Secrets
from segrules.report.screen import visible
from segrules.report.table_file import Growing
from segrules.schema.calendar import to_date
from segrules.schema.values import MASK
from segrules.source import NOWHERE
from segrules.tables.columns import Ints

SUFFIXES = (".xlsx", ".csv", ".parquet")
BLOCK = 100_000
SHEET_ROWS = 1_048_576
OWNER_ONLY = 0o600
_FORMULA = r"^[=+\-@\t\r]"


def check_target(path: Path) -> None:
    """Whether a list can be written to *path*, before anything is read. Raises `WrongUsage`."""
    shown = {"file": path.as_posix()}
    if path.suffix.lower() not in SUFFIXES:
        raise WrongUsage([Diagnostic("P935", NOWHERE, shown, Help("endings"))])
    if not path.absolute().parent.is_dir():
        raise WrongUsage([Diagnostic("C912", NOWHERE, shown, Help("make", {"folder": path.parent.as_posix()}))])
    if path.is_dir():
        raise WrongUsage([Diagnostic("C913", NOWHERE, {**shown, "reason": Words("system.is_folder")})])


def write(planned: Planned, path: Path, with_pii: bool) -> int:
    """Write the list; how many rows it has. Raises `SegrulesError`."""
    blocks = _blocks(planned, with_pii)
    try:
        if path.suffix.lower() == ".xlsx":
            return _workbook(path, blocks)
        number = 0
        with Growing(path, OWNER_ONLY) as file:
            for block in blocks:
                file.add(_guarded(block) if path.suffix.lower() == ".csv" else block)
                number += len(block["customer"])
        return number
    except OSError as refused:
        said = Diagnostic("C913", NOWHERE, {"file": path.as_posix(), "reason": reason(refused)})
        raise SegrulesError([said]) from None


def _blocks(planned: Planned, with_pii: bool) -> Iterator[Mapping[str, pa.Array]]:
    """The rows by column, at least one block, so that there is a header."""
    decisions = planned.decisions
    secret = Secrets.of(planned.rules.ruleset)
    yield _rows(planned, None, np.zeros(0, np.int64), secret, with_pii)
    for decision in decisions.actions:
        for start in range(0, len(decision.order), BLOCK):
            yield _rows(planned, decision, decision.order[start : start + BLOCK], secret, with_pii)


def _rows(
    planned: Planned, decision: Decision | None, places: Ints, secret: Secrets, with_pii: bool
) -> Mapping[str, pa.Array]:
    found = (
        {name: [] for name in _COLUMNS} if decision is None else _values(planned, decision, places, secret, with_pii)
    )
    if not with_pii:
        found.pop("address")
    return {name: pa.array(found[name], kind) for name, kind in _COLUMNS.items() if name in found}


_COLUMNS = {
    "customer": pa.string(), "action": pa.string(), "label": pa.string(), "channel": pa.string(),
    "variant": pa.string(), "stage": pa.string(), "cost": pa.decimal128(19, MONEY_SCALE), "assign_to": pa.string(),
    "due": pa.date32(), "message": pa.string(), "address": pa.string(),
}  # fmt: skip


def _values(
    planned: Planned, decision: Decision, places: Ints, secret: Secrets, with_pii: bool
) -> dict[str, Sequence[Any]]:
    decisions, action = planned.decisions, decision.action
    answers, timezone, rows = decisions.answers, decisions.timezone, decision.rows[places]
    count = len(places)

    def shown(question: Expr | None) -> Sequence[str | None]:
        found = texts(answers, question, rows, timezone)
        return found if with_pii or not secret.holds(question) else [None if each is None else MASK for each in found]

    is_selected = decision.stage[places] == SELECTED
    due = due_day(action, decisions.today)
    messages = np.full(count, None, dtype=object)
    if action.message is not None:
        message = action.message if with_pii else secret.masked(action.message)
        messages[is_selected] = rendered(message, answers, rows[is_selected], timezone)
    masked = secret.key and not with_pii
    return {
        "customer": [MASK] * count if masked else keys_of(decisions.results.keys, rows, timezone),
        "action": [action.id] * count,
        "label": [action.label] * count,
        "channel": [action.channels[each] if each >= 0 else None for each in decision.channel[places].tolist()],
        "variant": [action.variants[each].name if each >= 0 else None for each in decision.variant[places].tolist()],
        "stage": [STAGES[each] for each in decision.stage[places].tolist()],
        "cost": _decimals(decision.cost[places]),
        "assign_to": shown(action.assign_to),
        "due": [to_date(due) if due is not None and each else None for each in is_selected.tolist()],
        "message": messages.tolist(),
        "address": _addresses(planned, decision, places),
    }


def _decimals(amounts: Ints) -> Sequence[Any]:
    from decimal import Decimal

    return [Decimal(each).scaleb(-MONEY_SCALE) for each in amounts.tolist()]


def _addresses(planned: Planned, decision: Decision, places: Ints) -> Sequence[str | None]:
    found = np.full(len(places), None, dtype=object)
    for code, name in enumerate(decision.action.channels):
        here = decision.channel[places] == code
        channel = planned.rules.ruleset.campaign.policies.channels[name]
        rows = decision.rows[places[here]]
        found[here] = list(texts(planned.decisions.answers, channel.address, rows, planned.decisions.timezone))
    addresses: list[str | None] = found.tolist()
    return addresses


def _guarded(block: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Texts that a spreadsheet would take for a formula begin with `'`."""
    return {
        name: pc.if_else(pc.match_substring_regex(each, _FORMULA), pc.binary_join_element_wise("'", each, ""), each)
        if pa.types.is_string(each.type)
        else each
        for name, each in block.items()
    }


def _workbook(path: Path, blocks: Iterator[Mapping[str, pa.Array]]) -> int:
    """Sheet after sheet; texts stay texts."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet: Any = None
    number = written = 0
    for block in blocks:
        for row in zip(*(each.to_pylist() for each in block.values()), strict=True):
            if sheet is None or written == SHEET_ROWS:
                sheet, written = _sheet(book, block), 1
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, visible(value) if isinstance(value, str) else value)
                if isinstance(value, str):
                    cell.data_type = "s"
                cells.append(cell)
            sheet.append(cells)
            written += 1
            number += 1
        if sheet is None:
            sheet, written = _sheet(book, block), 1
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY), "wb") as stream:
            book.save(stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return number


def _sheet(book: Any, block: Mapping[str, pa.Array]) -> Any:
    sheet = book.create_sheet()
    sheet.append(list(block))
    return sheet
