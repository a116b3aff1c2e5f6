"""What a run knows of the past: the history in the ledger, and the tables that rules may read of it.

In: a connection of one read snapshot, or None where there is no ledger.  Out: `History`; tables of Arrow.  Always: all
of one moment; a table of the ledger that no rule reads is not fetched.

    given = related_tables(connection, asked(ruleset), as_of)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from segrules.decide.decide import recorded
from segrules.decide.keys import key_texts
from segrules.engine.needs import expressions, nodes
from segrules.engine.results import Results
from segrules.model.expr import Aggregate, Column, Lookup
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import LedgerSource
from segrules.state.records import History, Identity, Ints, PastContacts

if TYPE_CHECKING:
    from segrules.state.ledger import Reading

NO_LEDGER = Identity("", 0, 0, 0, b"")


def related_tables(connection: Reading | None, ruleset: RuleSet, as_of: int) -> dict[str, object]:
    """The tables of the ledger as they were at *as_of*, of *ruleset* with all its questions."""
    from segrules.state.related import related

    contracts, found = ruleset.contracts, {}
    for name in sorted(set(_read(ruleset))):
        source = contracts.tables[name].source
        if isinstance(source, LedgerSource) and connection is not None:
            found[name] = related(connection, source.name, as_of, contracts.timezone)
    return found


def _read(ruleset: RuleSet) -> Iterator[str]:
    """Every table that an expression reads."""
    for definition in ruleset.definitions.values():
        for expression in expressions(definition):
            for node in nodes(expression):
                match node:
                    case Column(table) | Lookup(_, table) | Aggregate(_, table):
                        yield from ruleset.contracts.chain(table)
                    case _:
                        pass


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
