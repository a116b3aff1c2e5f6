"""A plan as JSON: everything but its customers.

In: a plan.  Out: the JSON value of `plan --format json`.  Always: nothing is shortened; money is exact decimal text;
the values keep schemas/output/plan.schema.json.

    as_json(plan)["actions"][0]["stages"]["selected"]      # 4500
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from segrules.model.campaign import MONEY_SCALE
from segrules.plan.document import GuardCheck, Plan, Waterfall
from segrules.schema.calendar import to_date, zone

FORMAT_VERSION = 1


def as_json(plan: Plan) -> dict[str, Any]:
    """The manifest, and the batches with their sizes."""
    manifest, sizes = plan.manifest, Counter(each.batch for each in plan.contacts)
    return {
        "format_version": FORMAT_VERSION,
        "plan_id": plan.plan_id,
        "project": manifest.project,
        "environment": manifest.environment,
        "as_of": to_date(manifest.as_of).isoformat(),
        "timezone": manifest.timezone,
        "planned_at": _instant(manifest.planned_at, manifest.timezone),
        "version": manifest.version,
        "model": manifest.model,
        "commit": manifest.commit,
        "clean": manifest.clean,
        "parameters": dict(manifest.parameters),
        "sources": dict(manifest.sources),
        "ledger": {"lineage": manifest.lineage, "serial": manifest.serial},
        "customers": manifest.customers,
        "segments": [
            {
                "name": each.name,
                "label": each.label,
                "now": each.now,
                "before": each.before,
                "entered": each.entered,
                "left": each.left,
                "unknown": each.unknown,
                "cause": each.cause,
            }
            for each in manifest.segments
        ],
        "actions": [_waterfall(each) for each in manifest.waterfalls],
        "guards": [_guard(each) for each in manifest.guards],
        "batches": [
            {
                "id": each.id,
                "action": each.action,
                "channel": each.channel,
                "sink": each.sink,
                "kind": each.kind,
                "contacts": sizes[each.id],
            }
            for each in plan.batches
        ],
        "contacts": manifest.contacts,
        "cost": money(manifest.cost),
        "cut_points": [dict(each) for each in manifest.cut_points],
    }


def _instant(microseconds: int, timezone: str) -> str:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return instant.astimezone(zone(timezone)).isoformat(timespec="seconds")


def _waterfall(one: Waterfall) -> dict[str, Any]:
    return {
        "action": one.action,
        "label": one.label,
        "channels": list(one.channels),
        "matched": one.matched,
        "stages": dict(one.stages),
        "cost": money(one.cost),
        "waiting": one.waiting,
    }


def _guard(one: GuardCheck) -> dict[str, Any]:
    is_money = one.name == "max_spend"
    return {
        "name": one.name,
        "found": money(int(one.found)) if is_money else one.found,
        "limit": money(int(one.limit)) if is_money else one.limit,
        "exceeded": one.exceeded,
        "allowed": one.allowed,
        "of": one.of,
    }


def money(amount: int) -> str:
    """1/10,000 as exact decimal text, `54225.0000`."""
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    whole, rest = divmod(amount, 10**MONEY_SCALE)
    return f"{sign}{whole}.{rest:0{MONEY_SCALE}d}"
