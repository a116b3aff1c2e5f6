"""Quiet hours: when a customer may next be written to.

In: hours as minutes after local midnight, a zone, an instant.  Out: the end of the quiet, or None outside of it.
Always: the first minute is quiet and the last is not; hours may wrap midnight; a time that the clocks skip or repeat
is where the calendar has it.

    quiet_until(Quiet(21 * 60, 8 * 60), "Asia/Shanghai", now)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from segrules.model.campaign import QuietHours
from segrules.schema.calendar import from_local, to_local


@dataclass(frozen=True, slots=True)
class Quiet:
    """Minutes after midnight; `start` after `end` wraps it, equal is the whole day."""

    start: int
    end: int


def quiet_until(quiet: Quiet, zone: str, now: int) -> int | None:
    """The instant in microseconds at which the quiet around *now* ends; None where it is not quiet."""
    local = to_local(now, zone)
    minute = local.hour * 60 + local.minute
    wraps = quiet.start >= quiet.end
    is_quiet = quiet.start <= minute < quiet.end if not wraps else minute >= quiet.start or minute < quiet.end
    if not is_quiet:
        return None
    days, minutes = divmod(quiet.end, 24 * 60)
    day = local.date() + timedelta(days=days + (wraps and minute >= quiet.start))
    end = from_local(datetime.combine(day, time(*divmod(minutes, 60))), zone)
    return max(end, now)


def quiet_of(settings: Mapping[str, object]) -> Quiet | None:
    """The quiet hours that a batch has among its settings."""
    match settings.get("quiet"):
        case [int() as start, int() as end]:
            return Quiet(start, end)
        case _:
            return None


def as_setting(hours: QuietHours) -> list[int]:
    return [hours.start, hours.end]
