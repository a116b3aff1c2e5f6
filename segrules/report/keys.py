"""A customer's key as a person types it.

In: text.  Out: the stored value of the key column's type.  Always: what cannot be a key is `WrongUsage`.

    parse_key(ruleset, "C00042")
"""

from __future__ import annotations

import re

from segrules.check.values import read_value
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import WrongUsage
from segrules.files.documents import Scalar
from segrules.model.ruleset import RuleSet
from segrules.schema.types import INTEGER, TEXT, Value
from segrules.source import NOWHERE

_LEADING_ZEROS = re.compile(r"^([+-]?)0+(?=\d)")


def parse_key(ruleset: RuleSet, text: str) -> Value:
    """The key that *text* writes. Raises `WrongUsage`."""
    customers = ruleset.contracts.tables[ruleset.contracts.customers]
    column = customers.columns[customers.key or ""]
    if column.type == TEXT:
        return text
    if column.type == INTEGER:
        text = _LEADING_ZEROS.sub(r"\1", text.strip())
    value = read_value(Scalar(text, text, False), column.type, column.zone or ruleset.contracts.timezone)
    if isinstance(value, Diagnostic) or value is None:
        shown_key = "***" if column.pii else text
        args = {"key": shown_key, "column": column.name, "type": str(column.type)}
        raise WrongUsage([Diagnostic("C915", NOWHERE, args)])
    return value
