"""What a contender is, and what it is asked.

In: `Work`, which says where the data lies and which rules are asked.  Out: the protocol that every contender keeps.
Always: `load` takes the data into the contender's own fastest form; `run` is the timed region over loaded data; `fresh`
starts from the Arrow table and keeps nothing; `digest`, not timed, brings an answer to numbers that can be compared.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Work:
    """*data*: an Arrow file; *rows*: of customers or of orders; *rules*: how many; *sample*: rows that row-at-a-time
    contenders do; *threads*: for all."""

    kind: str
    data: str
    rows: int
    rules: int
    seed: int
    sample: int
    threads: int

    def text(self) -> str:
        return json.dumps(asdict(self))

    def table(self) -> pa.Table:
        with pa.memory_map(self.data) as file:
            return pa.ipc.open_file(file).read_all()


Digest = list[Any]


class Contender(Protocol):
    """`share`: the part of the rows that `run` answers; times are scaled by it."""

    share: float

    def version(self) -> str: ...

    def load(self) -> None: ...

    def run(self) -> Any: ...

    def fresh(self) -> Any: ...

    def digest(self, answer: Any) -> Digest: ...
