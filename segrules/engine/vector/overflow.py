"""An exact number that left 64 bits, on its way to a diagnostic.

In: raised by whatever computes columns.  Out: caught by `evaluate`, which knows the definition and the customer.
Always: `row` is the ordinal, in the columns that were handed over, of the first row that overflowed, or None where a
result is not of one row.

    raise Overflow(int(np.argmax(too_large)))
"""

from __future__ import annotations


class Overflow(Exception):
    """An integer or decimal outside 64 bits, in `row`."""

    def __init__(self, row: int | None = None) -> None:
        super().__init__(row)
        self.row = row
