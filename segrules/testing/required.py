"""What the expectation of an example reads, and whether the example says it.

In: an example.  Out: a diagnostic per required column, or row of a looked-up table, that is read and not given.
Always: what nobody reads may be left out; what `given:` fixes reads nothing.

    unread(ruleset, example)      # [] when everything needed is there
"""

from __future__ import annotations

from collections.abc import Iterable

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.engine.needs import expressions, needed, nodes, references
from segrules.model.campaign import campaign_expressions
from segrules.model.expr import Aggregate, Column, Expr, Lookup
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import Contracts, LedgerSource
from segrules.testing.acting import NEEDED, taking_part
from segrules.testing.examples import Example
from segrules.testing.given import with_given

Read = tuple[str, str]


def unread(ruleset: RuleSet, example: Example) -> list[Diagnostic]:
    """Why the example cannot say what it expects."""
    fixed = with_given(ruleset, example.given)
    contracts = fixed.contracts
    columns = {(contracts.customers, each.name.definition) for each in example.expected if each.name.kind == "column"}
    names = {each.name.definition for each in example.expected if each.name.kind != "column"}
    acting = campaign_expressions(taking_part(ruleset.campaign, {each.name for each in example.stages}, example.also))
    asked = list(acting) if example.stages else []
    names |= {name for expr in asked for name in references(fixed, expr)}
    found = [*asked, *(expr for name in needed(fixed, names) for expr in expressions(fixed.definitions[name]))]
    if example.stages:
        columns |= {(table, column) for table in NEEDED for column in NEEDED[table] if _of_ledger(contracts, table)}
    read, looked_up = reads(contracts, found, columns)
    given = {(contracts.customers, each.name.definition) for each in example.given if each.name.kind == "column"}
    return [*_absent(contracts, example, read - given), *_without_row(contracts, example, looked_up)]


def reads(
    contracts: Contracts[Expr], found: Iterable[Expr], columns: Iterable[Read] = ()
) -> tuple[set[Read], set[Read]]:
    """The (table, column) pairs that the expressions read, through computed columns and `rows:` too; and the columns
    by whose value another table is looked up."""
    read: set[Read] = set()
    looked_up: set[Read] = set()
    tables: set[str] = set()
    waiting = list(found)
    pending = set(columns)
    while waiting or pending:
        for table, name in pending - read:
            read.add((table, name))
            column = contracts.tables[table].columns.get(name)
            if column is not None and column.value is not None:
                waiting.append(column.value)
        pending = set()
        if waiting:
            for node in nodes(waiting.pop()):
                match node:
                    case Column(table, name):
                        pending.add((table, name))
                    case Lookup(key, table, name):
                        pending.add((table, name))
                        if isinstance(key, Column):
                            looked_up.add((key.table, key.name))
                    case Aggregate(_, table):
                        for each in contracts.chain(table)[:-1]:
                            if each not in tables:
                                tables.add(each)
                                pending |= _of_rows(contracts, each, waiting)
                    case _:
                        pass
    return read, looked_up


def _of_rows(contracts: Contracts[Expr], name: str, waiting: list[Expr]) -> set[Read]:
    """What decides which rows of a related table count."""
    table = contracts.tables[name]
    if table.rows is not None:
        waiting.append(table.rows)
    return {(name, table.time)} if table.time is not None else set()


def _of_ledger(contracts: Contracts[Expr], table: str) -> bool:
    return isinstance(contracts.tables[table].source, LedgerSource)


def _absent(contracts: Contracts[Expr], example: Example, read: set[Read]) -> list[Diagnostic]:
    found = []
    for table, name in sorted(read):
        column = contracts.tables[table].columns.get(name)
        if column is None or column.can_be_missing or column.value is not None:
            continue
        row = next((each for each in example.rows[table] if name not in each.named), None)
        if row is not None:
            span = example.name.span if table == contracts.customers else row.span
            found.append(Diagnostic("R583", span, {"table": table, "column": name, "test": example.name.text}))
    return found


def _without_row(contracts: Contracts[Expr], example: Example, looked_up: set[Read]) -> list[Diagnostic]:
    found = []
    for table, name in sorted(looked_up):
        column = contracts.tables[table].columns[name]
        if column.refers_to is None or column.unmatched_is_missing:
            continue
        other = contracts.tables[column.refers_to]
        there = {row.values.get(other.key or "") for row in example.rows[column.refers_to]}
        for row in example.rows[table]:
            value = row.values.get(name)
            if name in row.named and value is not None and value not in there:
                args = {"column": name, "key": str(value), "other": other.name, "other_key": other.key or ""}
                found.append(Diagnostic("R584", row.span, args))
                break
    return found
