"""Rows as they come in, held to what tables promise about each other.

In: rows that the caller gives, for a customer.  Out: the customer with these rows.  Always: what cannot be is told as
it is told of whole tables: a repeated key, a row of nobody that is there, a look-up that finds nothing; a row that
`rows:` leaves out takes the rows below it along, and a row without owner counts for nobody.

    Intake(ruleset, places, program.read, lookups).related({"orders": Related()}, "orders", [{…}], owner="c1")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.engine.scalar.cells import friendly
from segrules.engine.scalar.customer import NONE, Related
from segrules.engine.scalar.lookups import Lookups
from segrules.engine.scalar.rows import Row, RowReader, columns_of
from segrules.engine.stops import MASKED
from segrules.errors import BrokenContract, WrongUsage
from segrules.model.ruleset import RuleSet
from segrules.schema.contract import DistinctSource
from segrules.schema.types import Value
from segrules.source import NOWHERE
from segrules.tables.links import key_column


class Intake:
    """Knows the readers of all tables. *read*: the columns that the rules read."""

    def __init__(
        self,
        ruleset: RuleSet,
        places: Mapping[str, Mapping[str, int]],
        read: frozenset[tuple[str, str]],
        lookups: Lookups,
    ) -> None:
        self._contracts = contracts = ruleset.contracts
        self._places = places
        self._lookups = lookups
        self._readers = {
            name: RowReader(
                contracts,
                name,
                places[name],
                frozenset(column for table, column in read if table == name),
                key_column(contracts, name),
            )
            for name in contracts.tables
            if name == contracts.customers or not isinstance(contracts.tables[name].source, DistinctSource)
        }
        self._keys: dict[str, frozenset[Value]] = {}
        self._strict = {
            name: [
                (places[name][each], each, column.refers_to)
                for each, column in table.columns.items()
                if column.refers_to is not None and not column.unmatched_is_missing
            ]
            for name, table in contracts.tables.items()
        }

    def customer(self, given: object) -> tuple[Row, bool]:
        return self._readers[self._contracts.customers].row(given, 1)

    def must_be_known(self, table: str) -> None:
        """Raises `WrongUsage` for what is no table of related or looked-up rows."""
        from difflib import get_close_matches

        if table == self._contracts.customers:
            raise WrongUsage([Diagnostic("D886", NOWHERE, {"table": table})])
        if table not in self._readers:
            near = get_close_matches(table, list(self._readers), n=1)
            help_ = Help("did_you_mean", {"name": near[0]}) if near else None
            raise WrongUsage([Diagnostic("C917", NOWHERE, {"name": table}, help_)])

    def related(
        self, related: Mapping[str, Related], table: str, rows: Iterable[object], owner: Value
    ) -> dict[str, Related]:
        """*related* with *rows* added to those of *table*; *owner*: the key of the customer."""
        if not isinstance(rows, Iterable):
            raise WrongUsage([Diagnostic("D882", NOWHERE, {"table": table, "kind": type(rows).__name__})])
        contract, reader = self._contracts.tables[table], self._readers[table]
        up, before = contract.belongs_to, related.get(table, NONE)
        is_direct = up is not None and up.table == self._contracts.customers
        above = NONE if up is None else related.get(up.table, NONE)
        key = None if contract.key is None else self._places[table][contract.key]
        by = None if up is None else self._places[table][up.by]
        added: list[Row] = []
        keys, gone, number = set(before.keys), set(before.gone), before.given
        for given in rows:
            number += 1
            row, kept = reader.row(given, number, owner if is_direct else None)
            own = None if key is None else row[key]
            parent = None if by is None else row[by]
            if up is not None and parent is not None and not (
                parent == owner if is_direct else parent in above.keys or parent in above.gone
            ):  # fmt: skip
                if kept:
                    raise self._broken("D839", table, up.by, number, parent, "parent", target=up.table)
                continue
            if up is not None and not is_direct:
                kept = kept and parent in above.keys
            if not kept or (up is not None and parent is None):
                gone.add(own)
                continue
            if key is not None:
                if contract.duplicates is None and own in keys:
                    raise self._broken("D838", table, contract.key or "", number, own, "duplicates")
                keys.add(own)
            added.append(row)
        after = Related((*before.rows, *added), number, frozenset(keys), frozenset(gone - keys))
        return {**related, table: after}

    def must_be_found(self, table: str, rows: Iterable[Row], related: Mapping[str, Related]) -> None:
        """Raises `BrokenContract` where a row refers to a row that is not there."""
        for place, column, target in self._strict[table]:
            for number, row in enumerate(rows, start=1):
                value = row[place]
                if value is None or value in related.get(target, NONE).keys or value in self._known(target):
                    continue
                raise self._broken("D840", table, column, number, value, "unmatched", target=target)

    def _known(self, table: str) -> frozenset[Value]:
        if table not in self._keys:
            self._keys[table] = self._lookups.keys(table)
        return self._keys[table]

    def _broken(
        self, code: str, table: str, column: str, number: int, value: Value, help_: str, **args: Any
    ) -> BrokenContract:
        contract = columns_of(self._contracts, self._contracts.tables[table])[column]
        text = MASKED if contract.pii else str(friendly(value, contract.type, self._contracts.timezone))
        place = Words("data_row_cell", {"number": f"{number}", "text": text})
        args |= {"table": table, "column": column, "source": Words("data_given"), "count": "1", "places": place}
        return BrokenContract([Diagnostic(code, contract.span, args, Help(help_))])
