"""The least that any evaluation must do: read every used column once.

In: `Work` for the rules.  Out: the sum of each column that some rule names, as segrules keeps it, on one thread.
Always: this answers no question; its time is what the time of an evaluation is measured against.
"""

from __future__ import annotations

from typing import Any

from benchmarks.contender import Digest
from benchmarks.ours import Segrules
from benchmarks.trees import leaves, rules


class Floor(Segrules):
    def version(self) -> str:
        return "numpy"

    def load(self) -> None:
        columns = self.project.bind(customers=self.work.table()).tables.tables["customers"].columns
        used = {leaf.column for tree in rules(self.work.seed, self.work.rules) for leaf in leaves(tree)}
        self.arrays = [array for name in sorted(used) for array in (columns[name].values, columns[name].missing)]

    def run(self) -> Any:
        return [array.sum() for array in self.arrays if array is not None]

    def fresh(self) -> Any:
        raise NotImplementedError

    def digest(self, answer: Any) -> Digest:
        return []
