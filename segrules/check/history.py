"""The tables that every project has: what the ledger remembers of each customer.

In: the contracts of a project.  Out: the same with `memberships`, `contacts`, `points` and `outcomes`; and, once all
expressions are checked, without those that none of them reads.  Always: a table of the project itself wins over the
ledger's of that name; the rows belong to the customers by a column with the name and the type of their key.

    with_history(contracts).tables["contacts"].time      # 'at'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

from segrules.model.campaign import MONEY_SCALE, Campaign, campaign_expressions
from segrules.model.expr import Aggregate, Expr, nodes
from segrules.model.ruleset import Definition, expressions
from segrules.schema.contract import ColumnContract, Contracts, LedgerSource, Parent, Table
from segrules.schema.types import DATE, INTEGER, NUMBER, TEXT, TIMESTAMP, Decimal, Type
from segrules.source import Span

HistoryName: TypeAlias = Literal["memberships", "contacts", "points", "outcomes"]
HISTORY: tuple[HistoryName, ...] = get_args(HistoryName)

_COLUMNS: Mapping[HistoryName, Mapping[str, tuple[Type, bool]]] = {
    "memberships": {"segment": (TEXT, False), "entered_at": (DATE, False), "left_at": (DATE, True)},
    "contacts": {
        "action": (TEXT, False), "channel": (TEXT, False), "variant": (TEXT, True), "at": (TIMESTAMP, False),
        "cost": (Decimal(MONEY_SCALE), False),
    },
    "points": {
        "at": (TIMESTAMP, False), "reason": (TEXT, False), "amount": (INTEGER, False), "expires_at": (TIMESTAMP, True),
    },
    "outcomes": {
        "action": (TEXT, False), "channel": (TEXT, False), "kind": (TEXT, False), "at": (TIMESTAMP, False),
        "value": (NUMBER, True),
    },
}  # fmt: skip


def with_history(contracts: Contracts[Expr]) -> Contracts[Expr]:
    """*contracts* with the tables of the ledger that the project does not have itself."""
    added: dict[str, Table[Expr]] = {
        name: table for name in HISTORY if (table := history_table(contracts, name)) is not None
    }
    return replace(contracts, tables={**contracts.tables, **added})


def history_table(contracts: Contracts[Expr], name: HistoryName) -> Table[Expr] | None:
    """The contract of a table of the ledger; None where the project has a table of that name, or no key."""
    customers = contracts.tables[contracts.customers]
    if customers.key is None or customers.key not in customers.columns or name in contracts.tables:
        return None
    key = customers.columns[customers.key]
    own = _COLUMNS[name]
    by = key.name if key.name not in own else f"{contracts.customers}.{key.name}"
    joining: ColumnContract[Expr] = ColumnContract(by, key.type, pii=key.pii, span=customers.span)
    columns = {column: _column(column, *kind, customers.span) for column, kind in own.items()}
    return Table(
        name=name,
        source=LedgerSource(name),
        columns={by: joining, **columns},
        belongs_to=Parent(contracts.customers, by),
        time="entered_at" if name == "memberships" else "at",
        span=customers.span,
    )


def _column(name: str, type_: Type, can_be_missing: bool, span: Span) -> ColumnContract[Expr]:
    return ColumnContract(name, type_, can_be_missing, span=span)


def without_unread(
    contracts: Contracts[Expr], definitions: Iterable[Definition], campaign: Campaign
) -> Contracts[Expr]:
    """*contracts* without the ledger's tables that no expression reads."""
    written = (*(expr for one in definitions for expr in expressions(one)), *campaign_expressions(campaign))
    read = {node.table for expr in written for node in nodes(expr) if isinstance(node, Aggregate)}
    kept = {
        name: table
        for name, table in contracts.tables.items()
        if not isinstance(table.source, LedgerSource) or name in read
    }
    return replace(contracts, tables=kept)
