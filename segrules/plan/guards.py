"""Guards: whether a plan does more than the policies let pass.

In: policies and the figures of a plan, what `--allow` names.  Out: `GuardCheck` values, and diagnostics for those that
are exceeded.  Always: comparisons are exact; a guard that the policies do not set is not there.

    exceeded(checks(guards, segments, Fraction(1, 20), contacts=4500, spend=542_250_000, clean=True, allow=()))
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import get_args

from segrules.decide.decisions import Decisions
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.errors import Refused, WrongUsage
from segrules.model.campaign import Guards, Policies
from segrules.plan.document import GuardCheck, GuardName, Plan, SegmentChange
from segrules.schema.calendar import end_of_day, from_date, to_date, to_local
from segrules.schema.values import money as money
from segrules.source import NOWHERE

SHARE_DIGITS = 6
_CODES: dict[GuardName, str] = {
    "max_members_changed": "P927", "max_contacted": "P928", "max_spend": "P929", "require_clean_git": "P930",
}  # fmt: skip


def checks(
    guards: Guards,
    segments: Sequence[SegmentChange],
    changed: Fraction,
    contacts: int,
    spend: int,
    clean: bool | None,
    allow: Collection[str],
) -> tuple[GuardCheck, ...]:
    """Every guard that is set, against what was found; *changed*: the share of the customers of the last run."""
    found: list[GuardCheck] = []

    def add(name: GuardName, value: str, limit: str, is_exceeded: bool, of: str | None = None) -> None:
        found.append(GuardCheck(name, value, limit, is_exceeded, is_exceeded and name in allow, of))

    if (most := guards.max_members_changed) is not None:
        moved = max(segments, key=lambda each: each.moved, default=None)
        of = moved.name if moved is not None and moved.moved else None
        add("max_members_changed", share_text(changed), share_text(most), changed > most, of)
    if (at_most := guards.max_contacted) is not None:
        add("max_contacted", str(contacts), str(at_most), contacts > at_most)
    if (to_spend := guards.max_spend) is not None:
        add("max_spend", str(spend), str(to_spend), spend > to_spend)
    if guards.require_clean_git:
        state = {True: "clean", False: "changed", None: "none"}[clean]
        add("require_clean_git", state, "clean", clean is not True)
    return tuple(found)


def share_text(share: Fraction) -> str:
    """A share as decimal text, exact to the sixth digit."""
    text = str(round(Decimal(share.numerator) / Decimal(share.denominator), SHARE_DIGITS))
    return text.rstrip("0").rstrip(".") if "." in text else text


def known(allow: Collection[str]) -> None:
    """Raises `WrongUsage` for a guard that there is not."""
    names = get_args(GuardName)
    if wrong := sorted(set(allow) - set(names)):
        shown = {"names": ", ".join(names)}
        raise WrongUsage([Diagnostic("P931", NOWHERE, {"name": each, **shown}) for each in wrong])


def keep(plan: Plan) -> None:
    """Raises `Refused` where a guard is exceeded and was not let through."""
    if found := exceeded(plan.manifest.guards):
        raise Refused(found)


def exceeded(guards: Sequence[GuardCheck]) -> list[Diagnostic]:
    """What is to be said of the guards that stop a plan."""
    return [_said(each) for each in guards if each.exceeded and not each.allowed]


def _said(guard: GuardCheck) -> Diagnostic:
    found: str | Words
    match guard.name:
        case "max_members_changed":
            found, limit = percent(guard.found), percent(guard.limit)
        case "max_spend":
            found, limit = money(int(guard.found)), money(int(guard.limit))
        case "max_contacted":
            found, limit = f"{int(guard.found):,}", f"{int(guard.limit):,}"
        case "require_clean_git":
            found, limit = Words(f"plan.git_{guard.found}"), guard.limit
    args = {"found": found, "limit": limit, "name": guard.of or ""}
    return Diagnostic(_CODES[guard.name], NOWHERE, args, Help("allow"))


def percent(share: str) -> str:
    """`0.0538` as `5.4 %`."""
    return f"{Decimal(share) * 100:,.1f}".removesuffix(".0") + " %"


def is_stale(policies: Policies, as_of: int, now: int, timezone: str) -> bool:
    """Whether *now* (microseconds UTC) lies further from the end of the day *as_of* than `max_staleness` allows."""
    if policies.max_staleness is None:
        return False
    return now - end_of_day(as_of, timezone) > policies.max_staleness * 1_000_000


def is_ahead(as_of: int, now: int, timezone: str) -> bool:
    """Whether the day *as_of* has not come yet, at *now*: a run of it would shut out every run until then."""
    return as_of > from_date(to_local(now, timezone).date())


def foreseen(policies: Policies, decisions: Decisions) -> list[Diagnostic]:
    """Why `apply` would refuse a plan of these decisions, as warnings."""
    found, last = [], decisions.history.last_as_of
    as_of = to_date(decisions.as_of).isoformat()
    if is_stale(policies, decisions.as_of, decisions.planned_at, decisions.timezone):
        hours = f"{Decimal(policies.max_staleness or 0) / 3600:.15g} hours"
        found.append(Diagnostic("P932", NOWHERE, {"as_of": as_of, "limit": hours}))
    if is_ahead(decisions.as_of, decisions.planned_at, decisions.timezone):
        found.append(Diagnostic("P936", NOWHERE, {"as_of": as_of}))
    if last is not None and decisions.as_of < last:
        found.append(Diagnostic("P934", NOWHERE, {"as_of": as_of, "last": to_date(last).isoformat()}))
    return found
