"""Whether a key repeats across the parts of a table, in bounded memory.

In: part by part, the keys of the rows that count.  Out: whether some key stands in two parts.  Always: integers are
compared as they are, texts by a 64-bit hash; keys lie in files by their hash, and one file at a time is sorted.

    across = Across(folder, rows=50_000_000)
    across.add(orders.columns["order_id"]); across.repeats()
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segrules.schema.types import Text
from segrules.tables.columns import Column

_FILE_ROWS = 1 << 22


@dataclass(frozen=True, slots=True)
class Across:
    """The keys of one table of about *rows* rows, kept in *folder*, which is made."""

    folder: Path
    rows: int

    def add(self, key: Column) -> None:
        """The keys of one part; there a key may repeat."""
        self.folder.mkdir(exist_ok=True)
        found = np.unique(_hashed(key))
        if not len(found):
            return
        files = max(1, self.rows // _FILE_ROWS)
        of_file = (found * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
        of_file %= np.uint64(files)
        order = np.argsort(of_file, kind="stable")
        numbers, starts = np.unique(of_file[order], return_index=True)
        for number, start, stop in zip(numbers, starts, [*starts[1:], len(order)], strict=True):
            with (self.folder / f"{number}").open("ab") as file:
                file.write(found[order[start:stop]].tobytes())

    def repeats(self) -> bool:
        for file in self.folder.iterdir() if self.folder.exists() else ():
            keys = np.fromfile(file, np.uint64)
            keys.sort()
            if bool((keys[1:] == keys[:-1]).any()):
                return True
        return False


def _hashed(key: Column) -> NDArray[np.uint64]:
    values: NDArray[Any] = key.values
    hashed: NDArray[np.uint64]
    if isinstance(key.type, Text):
        hashed = np.asarray(pd.util.hash_array(np.array(key.dictionary, object), categorize=False))[values]
    elif values.dtype == np.float64:
        hashed = (values + 0.0).view(np.uint64)
    else:
        hashed = values.astype(np.int64).view(np.uint64)
    return hashed if key.missing is None else hashed[~key.missing]
