"""Contenders over columns in Python: Polars, pandas as written by hand, numexpr.

In: `Work` for the rules.  Out: members per rule.  Always: money is a double here, dates are days or datetimes, texts
are categories or codes, each tag is a bool column: what makes them fastest.
"""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import texts
from benchmarks.contender import Digest, Work
from benchmarks.customers import TODAY, doubles, tag_flags, with_flags
from benchmarks.trees import And, Between, Compare, Flag, HasAny, Literal, Missing, Not, OneOf, Or, Recent, Tree, rules

OPERATORS = {">=": "ge", ">": "gt", "<": "lt", "<=": "le", "=": "eq", "!=": "ne"}


class Polars:
    """One lazy query for all rules: the optimiser shares equal parts."""

    share = 1.0

    def __init__(self, work: Work) -> None:
        self.work = work
        self.asked = [
            polars(tree).sum().alias(f"r{number}") for number, tree in enumerate(rules(work.seed, work.rules))
        ]

    def version(self) -> str:
        import polars as pl

        return str(pl.__version__)

    def load(self) -> None:
        self.frame = self._frame().rechunk()

    def _frame(self) -> Any:
        import polars as pl

        frame = pl.from_arrow(with_flags(self.work.table()))
        assert isinstance(frame, pl.DataFrame)
        money = [pl.col(name).cast(pl.Float64) for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal)]
        words = [pl.col(name).cast(pl.Enum(values)) for name, values in texts.WORDS.items()]
        return frame.with_columns(*money, *words)

    def run(self) -> Any:
        return self.frame.lazy().select(self.asked).collect()

    def fresh(self) -> Any:
        return self._frame().lazy().select(self.asked).collect()

    def digest(self, answer: Any) -> Digest:
        return [int(count) for count in answer.row(0)]


def polars(tree: Tree) -> Any:
    """A Polars expression; nulls follow Kleene there."""
    import polars as pl

    def literal(value: Literal) -> Any:
        return float(value) if isinstance(value, Decimal) else value

    match tree:
        case And(parts):
            return reduce(and_, map(polars, parts))
        case Or(parts):
            return reduce(or_, map(polars, parts))
        case Not(part):
            return ~polars(part)
        case Compare(column, op, value):
            return getattr(pl.col(column), OPERATORS[op])(literal(value))
        case OneOf(column, values, negated):
            found = pl.col(column).is_in(list(values))
            return ~found if negated else found
        case Between(column, low, high):
            return pl.col(column).is_between(literal(low), literal(high))
        case Recent(column):
            return pl.col(column).is_between(tree.first, TODAY)
        case HasAny(column, values, negated):
            found = reduce(or_, [pl.col(f"{column}_{value}") for value in values])
            return ~found if negated else found
        case Flag(column, negated):
            return ~pl.col(column) if negated else pl.col(column)
        case Missing(column, negated):
            return pl.col(column).is_not_null() if negated else pl.col(column).is_null()
        case _:
            assert_never(tree)


class Pandas:
    """One line of code per rule, as a person writes it, on columns of numpy and categories."""

    share = 1.0

    def __init__(self, work: Work) -> None:
        import pandas as pd

        self.work = work
        lines = [texts.pandas(tree) for tree in rules(work.seed, work.rules)]
        self.asked = [eval(f"lambda t: {line}", {"day": pd.Timestamp}) for line in lines]

    def version(self) -> str:
        import pandas as pd

        return str(pd.__version__)

    def load(self) -> None:
        self.frame = self._frame()

    def _frame(self) -> Any:
        import pandas as pd

        table = self.work.table()
        data: dict[str, Any] = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name == "tags":
                data |= flag_columns(column)
            elif name in texts.WORDS:
                data[name] = pd.Categorical.from_codes(codes(column, name), categories=list(texts.WORDS[name]))
            elif pa.types.is_date32(column.type):
                data[name] = column.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False)
            elif name != "customer_id":
                data[name] = numbers(column)
        return pd.DataFrame(data)

    def run(self) -> Any:
        return [int(np.count_nonzero(rule(self.frame).to_numpy())) for rule in self.asked]

    def fresh(self) -> Any:
        frame = self._frame()
        return [int(np.count_nonzero(rule(frame).to_numpy())) for rule in self.asked]

    def digest(self, answer: Any) -> Digest:
        return list(answer)


class Numexpr:
    """One expression per rule."""

    share = 1.0

    def __init__(self, work: Work) -> None:
        import numexpr

        numexpr.set_num_threads(work.threads)
        self.work = work
        self.asked = [texts.numexpr(tree) for tree in rules(work.seed, work.rules)]

    def version(self) -> str:
        import numexpr

        return str(numexpr.__version__)

    def load(self) -> None:
        self.columns = self._columns()

    def _columns(self) -> dict[str, npt.NDArray[Any]]:
        table = self.work.table()
        data: dict[str, npt.NDArray[Any]] = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name == "tags":
                data |= flag_columns(column)
            elif name in texts.WORDS:
                data[name] = codes(column, name)
            elif pa.types.is_date32(column.type):
                data[name] = numbers(column.cast(pa.int32()))
            elif name != "customer_id":
                data[name] = numbers(column)
        return data

    def run(self) -> Any:
        return self._counts(self.columns)

    def fresh(self) -> Any:
        return self._counts(self._columns())

    def _counts(self, columns: dict[str, npt.NDArray[Any]]) -> list[int]:
        import numexpr

        return [int(np.count_nonzero(numexpr.evaluate(text, local_dict=columns))) for text in self.asked]

    def digest(self, answer: Any) -> Digest:
        return list(answer)


def numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Doubles where something is missing (NaN) or money, bool or integers otherwise."""
    if pa.types.is_decimal(column.type):
        return doubles(column).to_numpy(zero_copy_only=False)
    if column.null_count:
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return column.to_numpy(zero_copy_only=False)


def codes(column: pa.ChunkedArray, name: str) -> npt.NDArray[np.int8]:
    """The place of each text among the words of its column, -1 where missing."""
    found = pc.index_in(column, value_set=pa.array(texts.WORDS[name]))
    return pc.fill_null(found, -1).cast(pa.int8()).to_numpy(zero_copy_only=False)


def flag_columns(lists: pa.ChunkedArray) -> dict[str, npt.NDArray[np.bool_]]:
    flags, known = tag_flags(lists)
    return {f"tags_{tag}": flag for tag, flag in flags.items()} | {"tags_known": known}
