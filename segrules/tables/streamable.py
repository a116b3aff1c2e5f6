"""Whether a project can run part by part, and what goes into parts.

In: a rule set.  Out: the tables that are cut by the customers' key, customers first, or every reason why not.
Always: nothing is read; a table that others look up is read whole; each refusal names what stands in the way and the
way out.

    cut_tables(ruleset)      # ("customers", "orders")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.model.expr import Expr, Lookup, children
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import Contracts, FileSource, LedgerSource, Table


def cut_tables(ruleset: RuleSet, expressions: Iterable[Expr]) -> tuple[str, ...]:
    """*expressions*: those of the definitions. Raises `WrongUsage` (D861 … D864, D866)."""
    contracts = ruleset.contracts
    customers = contracts.customers
    cut = (
        customers,
        *(name for name in contracts.tables if name != customers and customers in contracts.chain(name)),
    )
    wrong = [one for name in cut for one in _of_table(contracts, contracts.tables[name])]
    wrong += _looked_up(contracts, frozenset(cut), expressions)
    if wrong:
        raise WrongUsage(wrong)
    return cut


def _of_table(contracts: Contracts[Expr], table: Table[Expr]) -> Iterator[Diagnostic]:
    source = table.source
    if not isinstance(source, FileSource) or not source.path.lower().endswith((".parquet", ".pq")):
        help_ = Help("history" if isinstance(source, LedgerSource) else "parquet")
        yield Diagnostic("D861", table.span, {"table": table.name}, help_)
    up = table.belongs_to
    key = table.key if up is None else up.by
    if key is not None and key in table.columns and table.columns[key].value is not None:
        yield Diagnostic("D866", table.columns[key].span, {"table": table.name, "column": key}, Help("store"))
    if up is not None and up.table != contracts.customers:
        args = {"table": table.name, "parent": up.table, "customers": contracts.customers}
        yield Diagnostic("D862", table.span, args, Help("column", {"customers": contracts.customers}))


def _looked_up(contracts: Contracts[Expr], cut: frozenset[str], expressions: Iterable[Expr]) -> Iterator[Diagnostic]:
    for table in contracts.tables.values():
        for column in table.columns.values():
            if column.refers_to in cut:
                args = {"table": table.name, "column": column.name, "target": column.refers_to or ""}
                yield Diagnostic("D863", column.span, args, Help("whole"))
    waiting = list(expressions)
    while waiting:
        node = waiting.pop()
        if isinstance(node, Lookup) and node.table in cut:
            yield Diagnostic("D864", node.span, {"target": node.table}, Help("whole"))
        waiting.extend(children(node))
