"""What an expression or a definition reads: the one place that walks a whole rule set.

In: checked expressions, definitions.  Out: names and nodes.  Always: without recursion over names, so that a chain of
a thousand definitions is no harder than one; names come in the order of `RuleSet.definitions`.

    needed(ruleset, ["star"])      # ("annual_spend", "potential_score", "star")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segrules.model.expr import Expr, Reference, nodes
from segrules.model.ruleset import RuleSet, expressions

__all__ = ["expressions", "needed", "nodes", "owner", "references"]


def owner(ruleset: RuleSet, name: str) -> str | None:
    """The definition that gives *name*: itself, or the segmentation of an output or case `tier.discount`."""
    if name in ruleset.definitions:
        return name
    head, _, _ = name.rpartition(".")
    return head if head in ruleset.definitions else None


def references(ruleset: RuleSet, expr: Expr) -> Iterator[str]:
    """The definitions that *expr* reads itself."""
    for node in nodes(expr):
        if isinstance(node, Reference) and (name := owner(ruleset, node.name)) is not None:
            yield name


def needed(ruleset: RuleSet, names: Iterable[str]) -> tuple[str, ...]:
    """*names* (of definitions) and all that they need, everything after what it needs."""
    wanted = set(names)
    waiting = list(wanted)
    while waiting:
        for expr in expressions(ruleset.definitions[waiting.pop()]):
            for name in references(ruleset, expr):
                if name not in wanted:
                    wanted.add(name)
                    waiting.append(name)
    return tuple(name for name in ruleset.definitions if name in wanted)
