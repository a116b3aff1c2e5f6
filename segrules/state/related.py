"""The tables of the ledger that rules may read, as they were on a day.

In: a connection, the name of the table, a day, the project's zone.  Out: an Arrow table: `memberships` (customer,
segment, entered_at, left_at), `contacts` (customer, action, channel, variant, at, cost), `points` (customer, at,
reason, amount, expires_at), `outcomes` (customer, action, channel, kind, at, value).  Always: `customer` is the key as
text; nothing later than that day is in it, and a stay that ended later has not ended; nobody who was forgotten is in
it.

`contacts` has whom a message or task was or may have been sent to: reserved, sending, delivered and unknown ones.

    related(connection, "memberships", as_of=20_778, timezone="Asia/Shanghai")
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from segrules.schema.calendar import end_of_day
from segrules.state import bulk
from segrules.state.customers import are_nobody, dictionary
from segrules.state.memberships import stays
from segrules.state.records import COUNTING
from segrules.state.schema import contacts, outcomes, points, runs

RelatedName: TypeAlias = Literal["memberships", "contacts", "points", "outcomes"]
HIDDEN = "action:"
"""How the names begin under which the ledger records who matches an action: no segments."""

_INSTANT = pa.timestamp("us", "UTC")
_ONE_PART = Decimal("0.0001")
_MEMBERSHIPS = pa.schema(
    [
        ("customer", pa.large_string()),
        ("segment", pa.large_string()),
        ("entered_at", pa.date32()),
        ("left_at", pa.date32()),
    ]
)


def related(
    connection: Connection, name: RelatedName, as_of: int, timezone: str, renamed: Mapping[str, str] | None = None
) -> pa.Table:
    """*renamed*: what a segment (of `memberships`) or an action (of the others) is called today, by a former name."""
    today = renamed or {}
    match name:
        case "memberships":
            return _memberships(connection, as_of, today)
        case "contacts":
            return _contacts(connection, end_of_day(as_of, timezone), today)
        case "points":
            return _points(connection, end_of_day(as_of, timezone))
        case "outcomes":
            return _outcomes(connection, end_of_day(as_of, timezone), today)
        case _:
            assert_never(name)


def _memberships(connection: Connection, as_of: int, today: Mapping[str, str]) -> pa.Table:
    days = {row.serial: row.as_of for row in connection.execute(sa.select(runs.c.serial, runs.c.as_of))}
    day_of = np.zeros(max(days, default=0) + 1, np.int64)
    for serial, day in days.items():
        day_of[serial] = day
    keys = dictionary(connection).combine_chunks()
    somebody = ~are_nobody(keys)
    found = []
    for name, each in stays(connection):
        if name.startswith(HIDDEN):
            continue
        entered, left = day_of[each.entered], day_of[each.left]
        kept = somebody[each.ordinal] & (entered <= as_of)
        gone = (each.left > 0) & (left <= as_of)
        found.append(
            pa.record_batch(
                [
                    keys.take(pa.array(each.ordinal[kept])),
                    pa.repeat(pa.scalar(today.get(name, name), pa.large_string()), int(kept.sum())),
                    pa.array(entered[kept].astype(np.int32), pa.int32()).cast(pa.date32()),
                    pa.array(left[kept].astype(np.int32), pa.int32(), mask=~gone[kept]).cast(pa.date32()),
                ],
                schema=_MEMBERSHIPS,
            )
        )
    return pa.Table.from_batches(found, schema=_MEMBERSHIPS)


def _contacts(connection: Connection, until: int, today: Mapping[str, str]) -> pa.Table:
    wanted = sa.select(
        contacts.c.customer, contacts.c.action, contacts.c.channel, contacts.c.variant, contacts.c.at, contacts.c.cost
    )
    sent = contacts.c.state.in_(sorted(COUNTING - {"held_out"}))
    texts = {name: pa.large_string() for name in ("action", "channel", "variant")}
    schema = pa.schema([("customer", pa.int64()), *texts.items(), ("at", pa.int64()), ("cost", pa.int64())])
    found = bulk.read(connection, wanted.where(sent, contacts.c.at <= until).order_by(contacts.c.id), schema)
    return _told(connection, found, today)


def _points(connection: Connection, until: int) -> pa.Table:
    wanted = sa.select(points.c.customer, points.c.at, points.c.reason, points.c.amount, points.c.expires_at)
    schema = pa.schema(
        [
            ("customer", pa.int64()), ("at", pa.int64()), ("reason", pa.large_string()), ("amount", pa.int64()),
            ("expires_at", pa.int64()),
        ]
    )  # fmt: skip
    return _told(
        connection, bulk.read(connection, wanted.where(points.c.at <= until).order_by(points.c.id), schema), {}
    )


def _outcomes(connection: Connection, until: int, today: Mapping[str, str]) -> pa.Table:
    wanted = sa.select(
        contacts.c.customer, contacts.c.action, contacts.c.channel, outcomes.c.kind, outcomes.c.at, outcomes.c.value
    ).join_from(outcomes, contacts, outcomes.c.contact == contacts.c.id)
    texts = {name: pa.large_string() for name in ("action", "channel", "kind")}
    schema = pa.schema([("customer", pa.int64()), *texts.items(), ("at", pa.int64()), ("value", pa.int64())])
    found = bulk.read(connection, wanted.where(outcomes.c.at <= until).order_by(outcomes.c.id), schema)
    return _told(connection, found, today)


def _told(connection: Connection, found: pa.Table, today: Mapping[str, str]) -> pa.Table:
    """Ordinals as keys, microseconds as instants, 1/10,000 as decimals, former names as those of today."""
    keys = dictionary(connection).combine_chunks()
    found = found.filter(pa.array(~are_nobody(keys)[found.column("customer").to_numpy()]))
    columns = {}
    for name in found.column_names:
        column = found.column(name)
        match name:
            case "customer":
                column = keys.take(column)
            case "at" | "expires_at":
                column = column.cast(_INSTANT)
            case "value":
                column = pc.divide(column.cast(pa.float64()), 10_000.0)
            case "cost":
                column = pc.multiply(column.cast(pa.decimal128(19, 0)), pa.scalar(_ONE_PART, pa.decimal128(4, 4)))
            case "action":
                column = pa.chunked_array([_renamed(column.combine_chunks(), today)])
        columns[name] = column
    return pa.table(columns)


def _renamed(names: pa.Array, today: Mapping[str, str]) -> pa.Array:
    coded = names.dictionary_encode()
    spelled = [today.get(name, name) for name in coded.dictionary.to_pylist()]
    return pa.array(spelled, pa.large_string()).take(coded.indices)
