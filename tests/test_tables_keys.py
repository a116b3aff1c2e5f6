"""Keys in order, and columns read on threads: as plain Python and one thread do it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segrules.errors import BrokenContract
from segrules.schema.types import INTEGER, TEXT
from segrules.tables import draft
from segrules.tables.bind import bind
from segrules.tables.columns import Column
from segrules.tables.keys import in_order, order_by
from tests.tables_builder import row_values
from tests.test_tables_rows import frames, shop

words = st.lists(st.sampled_from(["", "a", "b", "B", "é", "z", "北", "\U0001f600", "ab"]), max_size=12)


@given(words, st.permutations(["", "a", "b", "B", "é", "z", "北", "\U0001f600", "ab", "unused"]))
def test_text_keys_come_in_the_order_of_code_points(keys: list[str], dictionary: list[str]) -> None:
    codes = np.array([dictionary.index(key) for key in keys], np.int32)
    made, order = in_order(Column(TEXT, codes, None, tuple(dictionary)))
    assert [made.at(row) for row in range(len(made))] == keys
    assert not keys or list(made.dictionary) == sorted(set(keys))
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    assert (list(range(len(keys))) if order is None else order.tolist()) == rows
    assert order is None or rows != sorted(rows)
    other = order_by(Column(TEXT, codes, None, tuple(dictionary)))
    assert (None if other is None else other.tolist()) == (None if order is None else order.tolist())


@given(st.lists(st.integers(-3, 3), max_size=9))
def test_numbers_too(keys: list[int]) -> None:
    made, order = in_order(Column(INTEGER, np.array(keys, np.int64)))
    assert made.values.tolist() == keys
    rows = sorted(range(len(keys)), key=keys.__getitem__)
    assert (list(range(len(keys))) if order is None else order.tolist()) == rows


def test_threads_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(4)
    ids = ["a", "b", *(f"c{number}" for number in range(300))]
    random.shuffle(ids)
    people = {"id": ids, "at": ["2026-01-01"] * len(ids), "city": [random.choice("xyz") for _ in ids]}
    given_tables = frames(customers=pd.DataFrame(people))

    def found() -> dict[str, Any]:
        tables = bind(shop(tmp_path), given_tables, row_values=row_values)
        loaded = tables.tables["customers"]
        return {name: [column.at(row) for row in range(loaded.rows)] for name, column in loaded.columns.items()}

    def wrong() -> list[str]:
        broken = {**given_tables, "customers": given_tables["customers"].assign(at="never", city=None)}
        with pytest.raises(BrokenContract) as caught:
            bind(shop(tmp_path), broken, row_values=row_values)
        return [str(one) for one in caught.value.diagnostics]

    plainly, said = found(), wrong()
    assert plainly["id"] == sorted(ids)
    monkeypatch.setattr(draft, "_MANY", 1)
    assert (found(), wrong()) == (plainly, said)
