"""A ledger of an older schema is brought up to date.

In: a ledger opened with `any_schema`.  Out: the schemas before and after.  Always: only when asked to, never in
passing; under the lock; after a backup beside it; all steps in one transaction, so that it has the old schema or the
new one.

    upgrade(opened(".segrules/ledger.db", folder, any_schema=True), "zhang@web1, state upgrade")
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from segrules.state import audit, backup
from segrules.state.ledger import Ledger, locked, now, schema_of, snapshot, transaction
from segrules.state.migrations import STEPS, Step
from segrules.state.schema import SCHEMA, meta


def upgrade(
    ledger: Ledger, owner: str, steps: Mapping[int, Step] = STEPS, target: int = SCHEMA, *, with_backup: bool = True
) -> tuple[int, int]:
    """The schema before and after; the same where nothing was to be done. Raises `Conflict`, `Unreachable`."""
    with locked(ledger, owner) as epoch:
        with snapshot(ledger) as connection:
            before = schema_of(connection, ledger.where)
        if before == target:
            return before, target
        if with_backup:
            _backed_up(ledger, before)
        with transaction(ledger, "upgrade", epoch) as connection:
            for number in range(before + 1, target + 1):
                steps[number](connection)
            connection.execute(sa.update(meta).values(schema=target))
            audit.add(connection, now(), "upgrade", {"from": before, "to": target})
    return before, target


def _backed_up(ledger: Ledger, schema: int) -> None:
    moment = datetime.fromtimestamp(now() / 1_000_000, UTC).strftime("%Y%m%dT%H%M%S%fZ")
    if ledger.file is not None:
        backup.to_file(ledger, ledger.file.with_name(f"{ledger.file.name}.schema{schema}-{moment}"), "upgrade.backup")
    else:
        backup.to_schema(ledger, f"{ledger.where.schema}_schema{schema}_{moment.lower()}", "upgrade.backup")
