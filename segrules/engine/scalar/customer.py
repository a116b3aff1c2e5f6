"""One customer with the rows that belong to them, as a value: rows can be added, and every date can be asked for.

In: rows of stored values, held to their contracts.  Out: `Customer`; from it answers.  Always: a customer never
changes: `with_row` gives another one and leaves the first as it was, so that both may be used by several threads.

    customer = evaluator.customer({"id": "c1"}, orders=[{"order_id": "o1", "amount": "12.50", …}])
    customer.with_row("orders", {"order_id": "o2", …}).evaluate(as_of="2026-06-30").segments["star"]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segrules.engine.scalar.answer import Answer
from segrules.engine.scalar.rows import Row
from segrules.schema.types import Value

if TYPE_CHECKING:
    from segrules.engine.scalar.evaluator import Evaluator


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """The rows of one table that were given: those that count, and how many there were; `keys`: of those that count;
    `gone`: keys of rows that do not count, nor what is below them."""

    rows: tuple[Row, ...] = ()
    given: int = 0
    keys: frozenset[Value] = frozenset()
    gone: frozenset[Value] = frozenset()


NONE = Related()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Customer:
    """Made by `Evaluator.customer`."""

    evaluator: Evaluator
    row: Row
    related: Mapping[str, Related]

    def __repr__(self) -> str:
        customers = self.evaluator.ruleset.contracts.customers
        related = {name: one for name, one in self.related.items() if name != customers}
        counts = ", ".join(f"{name} {len(one.rows):,}" for name, one in related.items())
        return f"<Customer of {self.evaluator.ruleset.name}: rows of {counts or 'no table'}>"

    def with_row(self, table: str, row: Mapping[str, object]) -> Customer:
        """The customer with one row more, which has just come in. Raises as `Evaluator.customer` does."""
        return self.with_rows(table, (row,))

    def with_rows(self, table: str, rows: Iterable[Mapping[str, object]]) -> Customer:
        """The customer with more rows of *table*."""
        return self.evaluator.extended(self, table, rows)

    def evaluate(self, as_of: object = None) -> Answer:
        """What the rules say as of a date (as in `Bound.evaluate`; default today). Raises `RunStopped`, and
        `WrongUsage` if the customer does not exist on that date."""
        return self.evaluator.answer(self, as_of)
