"""What a run knows of the past: the history in the ledger, and the tables that rules may read of it.

In: a connection of one read snapshot, or None where there is no ledger.  Out: `History`; tables of Arrow.  Always: all
of one moment; a table of the ledger that no rule reads is not fetched; it says to whom a row belongs by the customers'
key, of the type that this has, and calls segments and actions by today's names.

    given = related_tables(connection, asked(ruleset), as_of)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from segrules.decide.decide import recorded
from segrules.decide.keys import key_texts
from segrules.engine.results import Results
from segrules.errors import Conflict
from segrules.model.campaign import Environment
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import LedgerSource, Table
from segrules.schema.types import Bool, Date, Decimal, Integer, Timestamp
from segrules.state.records import History, Identity, Ints, PastContacts

if TYPE_CHECKING:
    import pyarrow as pa

    from segrules.state.ledger import Reading

NO_LEDGER = Identity("", 0, 0, 0, b"")


@contextmanager
def moment(environment: Environment, folder: Path) -> Iterator[Reading | None]:
    """One read snapshot of an environment's ledger; None where none was made yet. Raises `Conflict` for a foreign
    one, `Unreachable`."""
    from segrules.state import ledger, lockfile

    try:
        found = ledger.opened(environment.state, folder)
    except Conflict as missing:
        if any(each.code != "P901" for each in missing.diagnostics):
            raise
        yield None
        return
    with ledger.snapshot(found) as connection:
        lockfile.checked(folder, environment.name, ledger.identity(connection))
        yield connection


def related_tables(connection: Reading | None, ruleset: RuleSet, as_of: int) -> dict[str, object]:
    """The tables of the ledger as they were at *as_of*, of *ruleset* with all its questions."""
    from segrules.state.related import related

    found: dict[str, object] = {}
    for name, table in ruleset.contracts.tables.items():
        if isinstance(table.source, LedgerSource) and connection is not None:
            zone, renamed = ruleset.contracts.timezone, renames(ruleset, table.source.name)
            found[name] = joined(related(connection, table.source.name, as_of, zone, renamed), table)
    return found


def joined(rows: pa.Table, table: Table[Expr]) -> pa.Table:
    """*rows* of the ledger with the column by which they belong to the customers, in place of `customer`."""
    import pyarrow as pa

    assert table.belongs_to is not None
    by, at = table.belongs_to.by, rows.column_names.index("customer")
    keys = rows.column(at)
    match table.columns[by].type:
        case Integer():
            keys = keys.cast(pa.int64())
        case Decimal(scale):
            keys = keys.cast(pa.decimal128(19, scale))
        case Date():
            keys = keys.cast(pa.date32())
        case Timestamp():
            keys = keys.cast(pa.timestamp("us", "UTC"))
        case Bool():
            keys = keys.cast(pa.bool_())
        case _:
            pass
    return rows.set_column(at, by, keys)


def renames(ruleset: RuleSet, name: str) -> dict[str, str]:
    """Today's names of segments (for `memberships`) or actions, by each earlier one."""
    if name == "memberships":
        return {old: today for today, earlier, _ in recorded(ruleset) for old in earlier}
    return {old: action.id for action in ruleset.campaign.actions.values() for old in action.previously}


def past(connection: Reading | None, ruleset: RuleSet, results: Results) -> History:
    """The history of the customers of *results*, by row; empty where there is no ledger."""
    if connection is None:
        return _nothing(results.customers)
    from segrules.state.history import history

    keys = key_texts(results.keys, ruleset.contracts.timezone)(np.arange(results.customers))
    names = [(name, previously) for name, previously, _ in recorded(ruleset)]
    return history(connection, keys, names, ruleset.contracts.timezone)


def _nothing(customers: int) -> History:
    none: Ints = np.zeros(0, np.int64)
    texts = ("action", "channel", "contact_class", "variant", "assignee", "per", "address")
    contacts = PastContacts(
        row=none, action=none, channel=none, contact_class=none, state=none, at=none, day=none, serial=none, n=none,
        cost=none, address=none, assignee=none, per=none, open=np.zeros(0, np.bool_), texts=dict.fromkeys(texts, ()),
    )  # fmt: skip
    return History(NO_LEDGER, np.zeros(customers, np.bool_), {}, contacts, {})
