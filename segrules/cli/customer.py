"""A customer's key on the command line.

In: what was typed, the checked rules.  Out: the key as the ledger spells it, or as it may be said back.  Always: `-`
reads it from standard input, so that it stands in no shell history; a key that the contract marks as private is masked.

    key = key_text(rules.ruleset, given_key("-"))
"""

from __future__ import annotations

import sys

from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import WrongUsage
from segrules.model.ruleset import RuleSet
from segrules.report.keys import parse_key
from segrules.schema.spelling import spelled
from segrules.source import NOWHERE


def given_key(text: str) -> str:
    """*text*, or the one line of standard input for `-`, so that a key stands in no shell history."""
    if text != "-":
        return text
    found = sys.stdin.readline().strip().removeprefix("\ufeff")
    if not found:
        raise WrongUsage([Diagnostic("C916", NOWHERE)])
    if not sys.stdin.isatty() and any(line.strip() for line in sys.stdin):
        raise WrongUsage([Diagnostic("C930", NOWHERE)])
    return found


def key_text(ruleset: RuleSet, text: str) -> str:
    """A customer's key as the ledger spells it. Raises `WrongUsage`."""
    contracts = ruleset.contracts
    customers = contracts.tables[contracts.customers]
    of = customers.columns[customers.key or ""].type
    return spelled(parse_key(ruleset, text), of, contracts.timezone)


def shown_key(ruleset: RuleSet, key: str) -> str:
    """The key as it may be said back."""
    customers = ruleset.contracts.tables[ruleset.contracts.customers]
    return "***" if customers.columns[customers.key or ""].pii else key
