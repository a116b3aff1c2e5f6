"""Telco: blanks handled by the contract, segment counts equal to pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

import segrules
from tests.real.conftest import DATA, PROJECTS


def test_segments_equal_pandas(real_project: Callable[[Path, str], Path]) -> None:
    folder = real_project(PROJECTS / "telco", "telco_churn")
    run = segrules.load(folder).evaluate(as_of="2026-06-30")
    df = pd.read_csv(DATA / "telco_churn" / "Telco-Customer-Churn.csv")
    total = pd.to_numeric(df["TotalCharges"].str.strip(), errors="coerce")
    expected = {
        "at_risk": ((df.Contract == "Month-to-month") & (df.tenure < 12) & (df.InternetService == "Fiber optic")).sum(),
        "loyal": ((df.tenure >= 60) & (df.Churn == "No")).sum(),
        "big_spender": (total > 5000).sum(),
        "not_big_spender": (total <= 5000).sum(),
        "unpaid_yet": total.isna().sum(),
        "family_senior": (((df.Partner == "Yes") | (df.Dependents == "Yes")) & (df.SeniorCitizen == 1)).sum(),
        "electronic": (df.PaymentMethod.str.startswith("Electronic") & (df.PaperlessBilling == "Yes")).sum(),
        "overcharged": ((total * 10000).round() > (df.tenure * (df.MonthlyCharges * 100).round() * 105)).sum(),
        "term.monthly": (df.Contract == "Month-to-month").sum(),
        "term.yearly": (df.Contract != "Month-to-month").sum(),
        "term.none": 0,
    }
    assert len(run.frame(["loyal"])) == 7043
    assert run.counts.to_dict() == expected
    assert expected["unpaid_yet"] == 11
    assert expected["big_spender"] + expected["not_big_spender"] == 7043 - 11
