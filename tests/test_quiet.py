"""Quiet hours: when they end, in every zone, around midnight and where clocks are changed."""

from __future__ import annotations

from datetime import datetime

import pytest

from segrules.plan.quiet import Quiet, quiet_of, quiet_until
from segrules.schema.calendar import from_local, to_local

NIGHT = Quiet(21 * 60, 8 * 60)
LUNCH = Quiet(12 * 60, 14 * 60)


def instant(text: str, zone: str) -> int:
    return from_local(datetime.fromisoformat(text), zone)


@pytest.mark.parametrize(
    ("quiet", "zone", "now", "until"),
    [
        (NIGHT, "Asia/Shanghai", "2026-11-21T20:59:59", None),
        (NIGHT, "Asia/Shanghai", "2026-11-21T21:00:00", "2026-11-22T08:00"),
        (NIGHT, "Asia/Shanghai", "2026-11-22T00:00:00", "2026-11-22T08:00"),
        (NIGHT, "Asia/Shanghai", "2026-11-22T07:59:59", "2026-11-22T08:00"),
        (NIGHT, "Asia/Shanghai", "2026-11-22T08:00:00", None),
        (NIGHT, "Asia/Shanghai", "2026-12-31T23:30:00", "2027-01-01T08:00"),
        (LUNCH, "Asia/Shanghai", "2026-11-21T11:59:59", None),
        (LUNCH, "Asia/Shanghai", "2026-11-21T12:00:00", "2026-11-21T14:00"),
        (LUNCH, "Asia/Shanghai", "2026-11-21T14:00:00", None),
        (NIGHT, "Europe/Berlin", "2026-03-28T22:00:00", "2026-03-29T08:00"),
        (NIGHT, "Europe/Berlin", "2026-10-24T22:00:00", "2026-10-25T08:00"),
        (Quiet(60, 150), "Europe/Berlin", "2026-03-29T01:30:00", "2026-03-29T03:30"),
        (Quiet(22 * 60, 24 * 60), "Asia/Shanghai", "2026-11-21T23:00:00", "2026-11-22T00:00"),
    ],
)
def test_quiet(quiet: Quiet, zone: str, now: str, until: str | None) -> None:
    found = quiet_until(quiet, zone, instant(now, zone))
    assert found == (None if until is None else instant(until, zone))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("quiet", [NIGHT, LUNCH, Quiet(0, 1), Quiet(23 * 60 + 59, 0), Quiet(120, 180)])
def test_every_quarter_of_an_hour_of_a_year(zone: str, quiet: Quiet) -> None:
    start = instant("2026-01-01T00:00", "UTC")
    for step in range(0, 366 * 96, 7):
        now = start + step * 900_000_000
        until = quiet_until(quiet, zone, now)
        minute = to_local(now, zone).hour * 60 + to_local(now, zone).minute
        inside = (
            quiet.start <= minute < quiet.end
            if quiet.start < quiet.end
            else minute >= quiet.start or minute < quiet.end
        )
        assert (until is not None) == inside
        if until is not None:
            assert now <= until <= now + 26 * 3_600_000_000


def test_settings_of_a_batch() -> None:
    assert quiet_of({"quiet": [1260, 480]}) == NIGHT
    assert quiet_of({}) is None
