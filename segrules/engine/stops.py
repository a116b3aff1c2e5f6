"""What an evaluation says about itself: why it stopped, and what to be wary of in its results.

In: the place in the rules and the customer or row.  Out: diagnostics D850 … D855, the same from every engine.
Always: a key or value of a `pii` column never stands in one.

    raise RunStopped([overflow(node, "annual_spend", shown_key(ruleset, key))])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import pairwise

from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.engine.results import CutPoints, Cuts
from segrules.model.expr import Expr
from segrules.model.ruleset import RuleSet, Segmentation
from segrules.schema.calendar import to_date
from segrules.schema.spelling import spelled
from segrules.schema.types import Value

MASKED = "***"
QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}


def overflow(node: Expr, definition: str, customer: str) -> Diagnostic:
    """An integer or decimal result of *node* outside 64 bits, for the customer with the key *customer*."""
    args = {"expression": one_line(node.span.text), "definition": definition, "type": str(node.type)}
    return Diagnostic("D850", node.span, {**args, "customer": customer}, Help("scale"))


def overflow_in_row(node: Expr, definition: str, table: str, row: int) -> Diagnostic:
    """The same for a row that belongs to nobody, or of a computed column. *row*: 1-based number in the source."""
    args = {"expression": one_line(node.span.text), "definition": definition, "type": str(node.type)}
    return Diagnostic("D851", node.span, {**args, "table": table, "row": row}, Help("scale"))


def not_unique(segmentation: Segmentation, first: int, second: int, customer: str) -> Diagnostic:
    """Two cases (by position) of a `unique` segmentation that are TRUE for one customer."""
    one, other = segmentation.cases[first], segmentation.cases[second]
    args = {"segmentation": segmentation.name, "first": one.id, "second": other.id, "customer": customer}
    return Diagnostic("D852", other.span, args, Help("choose"), also=(one.span,))


def empty_bands(cut_points: Iterable[CutPoints]) -> tuple[Diagnostic, ...]:
    """A warning for each group of a `qcut` with bands between equal cut points, or between the last one and an equal
    greatest value."""
    found = []
    for points in cut_points:
        for group in points.groups:
            if points.function == "qcut" and (bands := _bands_without_width(group, points.descending)):
                args = {
                    "expression": one_line(points.span.text),
                    "definition": points.definition,
                    "bands": ", ".join(map(str, bands)),
                    "group": f" ({', '.join(map(str, group.by))})" if group.by else "",
                }
                found.append(Diagnostic("D853", points.span, args, Help("fixed")))
    return tuple(found)


def _bands_without_width(group: Cuts, descending: bool) -> list[int]:
    ends = (*group.cuts, group.greatest)
    bands = [band for band, (low, high) in enumerate(pairwise(ends), start=2) if low == high]
    return sorted(len(ends) + 1 - band for band in bands) if descending else bands


def no_such_customer(ruleset: RuleSet, key: str, as_of: int) -> Diagnostic:
    contracts = ruleset.contracts
    column = contracts.tables[contracts.customers].key or ""
    args = {"customer": key, "as_of": to_date(as_of).isoformat()}
    return Diagnostic("D854", contracts.tables[contracts.customers].span, args, Help("key", {"key": column}))


def no_such_name(ruleset: RuleSet, name: str) -> Diagnostic:
    table = ruleset.contracts.tables[ruleset.contracts.customers]
    close = get_close_matches(name, list(ruleset.definitions), n=1)
    help_ = Help("did_you_mean", {"suggestion": close[0]}) if close else None
    return Diagnostic("D855", table.span, {"name": name}, help_)


def shown_key(ruleset: RuleSet, key: Value) -> str:
    """The customer's key, stored or as somebody spelled it, as a message may show it: masked where it is `pii`."""
    contracts = ruleset.contracts
    table = contracts.tables[contracts.customers]
    column = table.columns.get(table.key or "")
    if column is not None and column.pii:
        return MASKED
    if column is None or isinstance(key, str):
        return str(key)
    return spelled(key, column.type, contracts.timezone)


def one_line(text: str) -> str:
    """An expression's text without comments, with every stretch of white space as one space."""
    return " ".join("".join(_without_comments(text)).split())


def _without_comments(text: str) -> Iterator[str]:
    closing = ""
    in_comment = False
    for character in text:
        if in_comment:
            in_comment = character != "\n"
        elif closing:
            closing = "" if character == closing else closing
        elif character in QUOTES:
            closing = QUOTES[character]
        else:
            in_comment = character == "#"
        if not in_comment:
            yield character
