"""Reading the real data sets: counts, exact values and broken contracts as pandas sees them."""

from __future__ import annotations

import pandas as pd
import pytest

from segrules.errors import BrokenContract
from segrules.tables.bind import bind
from tests.real.conftest import DATA, needs
from tests.tables_builder import row_values, ruleset


def test_online_retail_file_and_frame_give_the_same_columns() -> None:
    needs("online_retail")
    file = "online_retail/online_retail_all.csv.gz"
    columns = {
        "InvoiceNo": "text", "StockCode": "text", "Description": {"type": "text", "missing": "allowed"},
        "Quantity": "integer", "InvoiceDate": "timestamp", "UnitPrice": "decimal(3)", "Country": "text",
        "CustomerID": {"type": "integer", "missing": "allowed"},
    }  # fmt: skip
    lines = {"belongs_to": {"table": "customers", "by": "CustomerID"}, "time": "InvoiceDate", "columns": columns}
    made = ruleset(DATA, {"customers": {"from": "lines"}, "lines": {**lines, "source": file}}, timezone="Europe/London")
    read = bind(made, row_values=row_values)
    frame = pd.read_csv(DATA / file, dtype={"InvoiceNo": str, "StockCode": str, "Description": str})
    given = bind(made, {"lines": frame}, row_values=row_values)
    account = next(one for one in read.accounts if one.table == "lines")
    assert (account.read, account.kept, account.without_customer) == (541_909, 541_909, 135_080)
    assert read.tables["customers"].rows == 4_372
    for name in columns:
        left, right = read.tables["lines"].columns[name], given.tables["lines"].columns[name]
        if left.dictionary:
            words = {word: code for code, word in enumerate(left.dictionary)}
            codes = [words[word] if word else 0 for word in right.dictionary]
            there = slice(None) if left.missing is None else ~left.missing
            assert (left.values[there] == pd.array(codes).to_numpy()[right.values][there]).all(), name
        else:
            assert (left.values == right.values).all(), name
        assert (left.missing is None) == (right.missing is None), name
        assert left.missing is None or right.missing is None or (left.missing == right.missing).all(), name


def test_telco_blanks_mean_missing_only_when_declared() -> None:
    needs("telco_churn")
    table = {
        "source": "telco_churn/Telco-Customer-Churn.csv", "key": "customerID",
        "columns": {"customerID": "text", "tenure": "integer",
                    "TotalCharges": {"type": "decimal(2)", "missing": "allowed"},
                    "Churn": {"type": "bool", "yes": ["Yes"], "no": ["No"]}},
    }  # fmt: skip
    with pytest.raises(BrokenContract) as stopped:
        bind(ruleset(DATA, {"customers": table}), row_values=row_values)
    assert [(one.code, one.args["count"]) for one in stopped.value.diagnostics] == [("D830", "11")]
    made = ruleset(DATA, {"customers": {**table, "format": {"missing": [" "]}}})
    customers = bind(made, row_values=row_values).tables["customers"]
    charges = customers.columns["TotalCharges"]
    assert charges.missing is not None
    assert (customers.rows, int(charges.missing.sum())) == (7_043, 11)
    assert set(customers.columns["tenure"].values[charges.missing].tolist()) == {0}


def test_complete_journey_float_noise_is_no_money() -> None:
    needs("complete_journey")
    lines = {
        "source": "complete_journey/transactions.parquet", "belongs_to": {"table": "customers", "by": "household_id"},
        "columns": {"household_id": "integer", "sales_value": "decimal(2)", "transaction_timestamp": "timestamp"},
    }  # fmt: skip
    with pytest.raises(BrokenContract) as stopped:
        bind(ruleset(DATA, {"customers": {"from": "lines"}, "lines": lines}), row_values=row_values)
    assert [(one.code, one.args["count"]) for one in stopped.value.diagnostics] == [("D831", "20")]
