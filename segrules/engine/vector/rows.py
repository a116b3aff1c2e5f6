"""Computed columns and `rows:` in bulk, before there is a run.

In: a checked expression that reads its own row only, and the table as read.  Out: a column with a value per row.
Always: there is no date of the run yet, no customer and no other table.

    row_values(price_times_quantity, lines, "Asia/Shanghai")
"""

from __future__ import annotations

from segrules.engine.stops import overflow_in_row
from segrules.engine.vector.blocks import BLOCK_ROWS
from segrules.engine.vector.dates import Scope
from segrules.engine.vector.lower import Lowering, lower
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.program import Program
from segrules.engine.vector.run import replay, run
from segrules.engine.vector.spaces import Spaces
from segrules.errors import RunStopped
from segrules.model.expr import Expr
from segrules.schema.contract import Contracts, Table
from segrules.tables.columns import Column, Loaded, Tables


def row_values(expr: Expr, loaded: Loaded, timezone: str) -> Column:
    """*expr*, which reads its own row only, for every row of *loaded*. Raises `RunStopped` on overflow."""
    contracts: Contracts[Expr] = Contracts(loaded.name, timezone, {loaded.name: Table(loaded.name, None, {})})
    spaces = Spaces(contracts, Tables({loaded.name: loaded}))
    scope = Scope(0, timezone)
    zone = timezone if spaces.instants_have_days() else None
    lowering = Lowering(Program(), loaded.name, scope, zone, definition=loaded.name)
    node = lower(lowering, expr, loaded.name)
    try:
        found = run(lowering.program, spaces, scope, [node], block_rows=BLOCK_ROWS, threads=None)
    except Overflow:
        _, failed, at = replay(lowering.program, spaces, scope, [node])
        origin = lowering.origins[failed]
        row = place(loaded, at)
        raise RunStopped([overflow_in_row(origin.node, loaded.name, loaded.name, row)]) from None
    return found.column(node)


def place(loaded: Loaded, row: int) -> int:
    """The 1-based number in its source of the row with the ordinal *row*."""
    return row + 1 if loaded.place is None else int(loaded.place[row])
