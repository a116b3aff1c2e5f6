"""How a ledger of an older schema becomes one of the next, one module for each schema.

In: a connection inside the transaction of `upgrade`.  Out: `STEPS`: by number of a schema, the function that makes it
out of the one before.  Always: a step writes out the tables that it needs as they are at its schema and takes nothing
from `schema.py`, which goes on changing; a stored ledger of every released schema is opened and upgraded in the tests,
and has in the end the tables of a new one.

    STEPS = {2: m0002.migrate}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.engine import Connection

Step = Callable[[Connection], None]

STEPS: Mapping[int, Step] = {}
