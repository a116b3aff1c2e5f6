"""A published result, met to the last customer: ten RFM groups of Online Retail, through the command line."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.conftest import RULES

PUBLISHED = {
    "hibernating": (1071, 217.605042, 1.101774, 488.643307),
    "at_risk": (593, 153.785835, 2.876897, 1084.535297),
    "cant_lose": (63, 132.968254, 8.380952, 2796.155873),
    "about_to_sleep": (352, 53.312500, 1.161932, 471.994375),
    "need_attention": (187, 52.427807, 2.326203, 897.627861),
    "loyal_customers": (819, 33.608059, 6.479853, 2864.247791),
    "promising": (94, 23.510638, 1.000000, 294.007979),
    "new_customers": (42, 7.428571, 1.000000, 388.212857),
    "potential_loyalists": (484, 17.398760, 2.010331, 1041.222004),
    "champions": (633, 6.361769, 12.413902, 6857.935482),
}


def segrules(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segrules", *arguments, "--project", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture
def retail(real_project: Callable[[Path, str], Path]) -> Path:
    return real_project(RULES / "online_retail", "online_retail")


def test_counts_and_means_of_the_ten_groups(retail: Path) -> None:
    out = retail / "customers.csv"
    done = segrules(retail, "evaluate", "--as-of", "2011-12-10", "--by", "rfm", "--format", "json", "-o", str(out))
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    assert counted["customers"] == 4338
    assert counted["segmentations"]["rfm"] == {group: row[0] for group, row in PUBLISHED.items()}
    assert counted["means"]["by"] == "rfm"
    said = {
        group: (case["customers"], *(case["values"][name] for name in ("recency", "frequency", "monetary")))
        for group, case in counted["means"]["cases"].items()
    }
    assert list(said) == list(PUBLISHED)
    for group, row in PUBLISHED.items():
        assert said[group] == pytest.approx(row, abs=1.1e-6), group

    groups: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    with out.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            groups[row["rfm"]].append((float(row["recency"]), float(row["frequency"]), float(row["monetary"])))
    for group, (customers, *means) in PUBLISHED.items():
        found = [sum(column) / customers for column in zip(*groups[group], strict=True)]
        assert [round(mean, 6) for mean in found] == pytest.approx(means, abs=1.1e-6), group


def test_every_line_is_accounted_for(retail: Path) -> None:
    done = segrules(retail, "evaluate", "--as-of", "2011-12-10", "--format", "json")
    accounts = {account["table"]: account for account in json.loads(done.stdout)["tables"]}
    assert accounts["lines"]["read"] == 541_909
    assert accounts["lines"]["kept"] == 397_884
    assert accounts["lines"]["left_out"] == 541_909 - 397_884
