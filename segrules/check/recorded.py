"""What plans and the ledger keep of a customer in plain text must not be private.

In: a checked rule set.  Out: diagnostics.  Always: `assign_to:` and `limit: per:` are kept, so that capacity and limits
can be counted; addresses and messages are kept as hashes only, and may be private.

    found.extend(private_records(ruleset))
"""

from __future__ import annotations

from collections.abc import Iterator

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.model.expr import Expr
from segrules.model.privacy import is_private, private_names
from segrules.model.ruleset import RuleSet


def private_records(ruleset: RuleSet) -> Iterator[Diagnostic]:
    """One for each recorded value that is made from a private column."""
    names = private_names(ruleset) if ruleset.campaign.actions else frozenset()
    for action in ruleset.campaign.actions.values():
        per = None if action.limit.per is None else action.limit.per.value
        kept: tuple[tuple[str, Expr | None], ...] = (("assign_to", action.assign_to), ("per", per))
        for key, value in kept:
            if value is not None and is_private(ruleset, value, names):
                yield Diagnostic("R622", value.span, {"key": key, "text": value.span.text}, Help("code"))
