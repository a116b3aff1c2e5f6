"""Whether a plan may be carried out now: step CHECK of the protocol.

In: a plan, the ledger at one moment, what the project is now.  Out: nothing, or an exception whose exit code the
protocol gives.  Always: in the order of the protocol, so that the first reason is told; a plan that was carried out, or
is being carried out, is never checked against what has changed since.

    check(plan, connection, current, now)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Help
from segrules.errors import Conflict, Refused, SegrulesError
from segrules.model.campaign import Policies
from segrules.plan.document import Manifest, Plan
from segrules.plan.guards import is_ahead, is_stale, keep
from segrules.schema.calendar import to_date
from segrules.source import NOWHERE
from segrules.state import runs
from segrules.state.ledger import Reading, identity

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Current:
    """The project as it is now. `sources` as in a manifest; read only if nothing else stands against the plan."""

    model: str
    version: str
    environment: str
    policies: Policies
    sources: Callable[[], Mapping[str, str | None]]


def check(plan: Plan, connection: Reading, current: Current, now: int) -> None:
    """Raises `Conflict`, `Refused`. *now* in microseconds."""
    keep(plan)
    manifest, who = plan.manifest, identity(connection)
    if (other := runs.unfinished(connection)) is not None:
        raise _no("P980", serial=other.serial, plan=other.plan_id[:16])
    if manifest.environment != current.environment:
        raise _no("P981", planned=manifest.environment, found=current.environment)
    if manifest.lineage != who.lineage:
        raise _no("P982", planned=manifest.lineage, found=who.lineage)
    if manifest.serial != who.serial:
        raise _no("P983", planned=manifest.serial, found=who.serial)
    if manifest.model != current.model:
        raise _no("P984", planned=manifest.model[:16], found=current.model[:16])
    if manifest.version != current.version:
        raise _no("P985", planned=manifest.version, found=current.version)
    if changed := _changed(manifest.sources, current.sources()):
        raise _no("P986", names=", ".join(changed))
    if manifest.max_plan_age is not None and now - manifest.planned_at > manifest.max_plan_age * SECOND:
        raise _no("P987", hours=_hours(now - manifest.planned_at), limit=_hours(manifest.max_plan_age * SECOND))
    last = runs.last(connection)
    if last is not None and manifest.as_of < last.as_of:
        raise _no("P988", as_of=to_date(manifest.as_of).isoformat(), last=to_date(last.as_of).isoformat())
    _fresh(manifest, current, now)


def _fresh(manifest: Manifest, current: Current, now: int) -> None:
    if is_ahead(manifest.as_of, now, manifest.timezone):
        raise Refused([Diagnostic("P978", NOWHERE, {"as_of": to_date(manifest.as_of).isoformat()}, Help("today"))])
    if is_stale(current.policies, manifest.as_of, now, manifest.timezone):
        arguments: dict[str, Argument] = {
            "as_of": to_date(manifest.as_of).isoformat(),
            "limit": _hours((current.policies.max_staleness or 0) * SECOND),
        }
        raise Refused([Diagnostic("P989", NOWHERE, arguments)])


def _changed(planned: Mapping[str, str | None], found: Mapping[str, str | None]) -> list[str]:
    """Sources whose content is not that of the plan; of a database only RE-READ can tell."""
    names = sorted(planned.keys() | found.keys())
    return [name for name in names if planned.get(name) != found.get(name)]


def _hours(microseconds: int) -> str:
    return f"{microseconds / (3600 * SECOND):.1f}"


def _no(code: str, **args: str | int) -> SegrulesError:
    return Conflict([Diagnostic(code, NOWHERE, args)])
