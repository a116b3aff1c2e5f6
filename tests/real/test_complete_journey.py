"""Complete Journey: demographics and products joined to 1.47 million transactions, aggregates equal to pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import segrules
from tests.real.conftest import DATA, PROJECTS

SOURCE = DATA / "complete_journey"


def test_aggregates_equal_pandas(real_project: Callable[[Path, str], Path]) -> None:
    folder = real_project(PROJECTS / "journey", "complete_journey")
    run = segrules.load(folder).evaluate(as_of="2017-12-31")
    got = run.frame()

    lines = pd.read_parquet(SOURCE / "transactions.parquet")
    assert (lines.transaction_timestamp >= "2018-01-01").any()
    lines = lines[lines.transaction_timestamp < "2018-01-01"].merge(
        pd.read_parquet(SOURCE / "products.parquet"), on="product_id", how="left"
    )
    lines["day"] = lines.transaction_timestamp.dt.normalize()
    lines["recent"] = lines.sales_value.where(lines.day > pd.Timestamp("2017-12-31") - pd.Timedelta(days=90), 0.0)
    expected = lines.groupby("household_id").agg(
        spend=("sales_value", "sum"),
        baskets=("basket_id", "nunique"),
        lines=("basket_id", "size"),
        biggest=("sales_value", "max"),
        units=("quantity", "sum"),
        recent_spend=("recent", "sum"),
        grocery_lines=("department", lambda department: (department == "GROCERY").sum()),
        last_day=("day", "max"),
        private=("brand", lambda brand: (brand == "Private").sum()),
    )
    assert len(got) == len(expected) == 2469
    expected = expected.reindex(got.index)
    for name in ("baskets", "lines", "units", "grocery_lines", "biggest"):
        assert (got[name].to_numpy() == expected[name].to_numpy()).all(), name
    for name in ("spend", "recent_spend"):
        np.testing.assert_allclose(got[name].astype(float), expected[name], rtol=1e-12)
    assert (pd.to_datetime(got.last_day).to_numpy() == expected.last_day.to_numpy()).all()

    people = pd.read_parquet(SOURCE / "demographics.parquet").set_index("household_id").reindex(got.index)
    married = people.marital_status == "Married"
    young = people.age.isin(["19-24", "25-34"])
    assert run.counts["young_family"] == (married & young).sum()
    assert run.counts["not_married"] == (people.marital_status.notna() & ~married).sum()
    assert run.counts["known"] == 801
    assert run.counts["private_label"] == (expected.private > 0.4 * expected.lines).sum()
    assert (got.age_band.fillna("") == people.age.fillna("")).all()
