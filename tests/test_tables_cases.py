"""Folders of data with a contract: what is read, counted and refused.

Each case is `tests/cases/tables/<case>/case.yaml` beside its data files: `tables:` as in segrules.yaml, `as_of:` (a
date, optional), and `expect:` with `columns` (by table, in order; stored values as people write them), `parent` and
`references` (ordinals), `accounts`, `accounts_then` (on the date), `quarantine` (the lines of the file), or `errors`
(code and English message).
"""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from segrules.diagnostics.catalogue import help_text, message
from segrules.errors import BrokenContract
from segrules.schema.calendar import from_date
from segrules.schema.spelling import spelled
from segrules.tables.bind import at, bind
from segrules.tables.columns import Column
from tests.tables_builder import row_values, rule, ruleset

CASES = Path(__file__).parent / "cases" / "tables"


def shown(column: Column, zone: str) -> list[Any]:
    found: list[Any] = []
    for row in range(len(column)):
        value = column.at(row)
        if isinstance(value, tuple):
            found.append(list(value))
        else:
            found.append(None if value is None else spelled(value, column.type, zone))
    return found


def plain(values: list[Any]) -> list[Any]:
    def one(value: Any) -> Any:
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if value is None or isinstance(value, list) else str(value)

    return [one(value) for value in values]


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_case(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(CASES / name, folder)
    case = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    zone = case.get("timezone", "Asia/Shanghai")
    for table, written in case["tables"].items():
        if "rows" in written:
            written["rows"] = rule(written["rows"], table)
        for column in written.get("columns", {}).values():
            if isinstance(column, dict) and "value" in column:
                column["value"] = rule(column["value"], table)
    made = ruleset(folder, case["tables"], timezone=zone, lists=case.get("lists"), language=case.get("language", "en"))
    expect = case["expect"]
    if "errors" in expect:
        with pytest.raises(BrokenContract) as stopped:
            bind(made, row_values=row_values)
        found = [f"{one.code} {message(one, 'en')}" for one in stopped.value.diagnostics]
        assert found == expect["errors"]
        for one in stopped.value.diagnostics:
            assert message(one, "zh") != message(one, "en")
            assert one.help is None or (help_text(one, "en") and help_text(one, "zh"))
        return
    tables = bind(made, row_values=row_values)
    for table, account in expect.get("accounts", {}).items():
        found_account = next(one for one in tables.accounts if one.table == table)
        counted = {key: getattr(found_account, key) for key in account}
        assert {key: list(v) if isinstance(v, tuple) else v for key, v in counted.items()} == account, table
    for table, lines in expect.get("quarantine", {}).items():
        text = (folder / "quarantine" / f"{table}.csv").read_text(encoding="utf-8-sig")
        assert text.splitlines() == lines, table
    if "as_of" in case:
        tables = at(made, tables, from_date(date.fromisoformat(str(case["as_of"]))))
    for table, account in expect.get("accounts_then", {}).items():
        then = next(one for one in tables.accounts if one.table == table)
        assert {key: getattr(then, key) for key in account} == account, table
        assert then.kept - then.later - then.superseded == tables.tables[table].rows, table
    for table, columns in expect.get("columns", {}).items():
        for column, values in columns.items():
            assert shown(tables.tables[table].columns[column], zone) == plain(values), (table, column)
    for table, ordinals in expect.get("parent", {}).items():
        parent = tables.tables[table].parent
        assert parent is not None and parent.tolist() == ordinals, table
    for table, references in expect.get("references", {}).items():
        for column, ordinals in references.items():
            assert tables.tables[table].references[column].tolist() == ordinals, (table, column)
    for table, numbers in expect.get("place", {}).items():
        place = tables.tables[table].place
        assert place is not None and place.tolist() == numbers, table
    for one, members in expect.get("lists", {}).items():
        assert sorted(map(str, tables.lists[one])) == sorted(map(str, members))
