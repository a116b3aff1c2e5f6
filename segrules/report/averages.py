"""Customers and means per case of a segmentation: what `evaluate --by` shows.

In: a rule set, results, the name of a segmentation.  Out: `CaseMeans`, as lines or as JSON.  Always: cases in the
order of the file, also those without customers; a mean leaves out missing values and is None where nothing is there;
every numeric attribute, score and output is there, the segmentation's own outputs too.

    case_means(ruleset, results, "rfm")[0]      # CaseMeans("hibernating", 1071, {"recency": 217.60504201680672, …})
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segrules.diagnostics.catalogue import Language, say
from segrules.engine.results import Results
from segrules.model.names import as_written
from segrules.model.ruleset import RuleSet
from segrules.report.counts import numeric
from segrules.report.screen import Cell, Line, Piece, line, table, width
from segrules.schema.types import Decimal
from segrules.tables.columns import Column

JSON_DIGITS = 6
SCREEN_WIDTH = 100


@dataclass(frozen=True, slots=True)
class CaseMeans:
    case: str
    customers: int
    means: Mapping[str, float | None]


def case_means(
    ruleset: RuleSet, results: Results, segmentation: str, only: Collection[str] | None = None
) -> list[CaseMeans]:
    """One element per case. *only* limits the values to those names."""
    assignment = results.segmentations[segmentation]
    names = [each.name for each in as_written(ruleset) if only is None or each.name in only]
    customers = np.bincount(assignment.codes, minlength=len(assignment.ids)).tolist()
    columns = {name: _means(column, assignment.codes, len(assignment.ids)) for name, column in numeric(results, names)}
    return [
        CaseMeans(case, customers[at], {name: means[at] for name, means in columns.items()})
        for at, case in enumerate(assignment.ids)
    ]


def _means(column: Column, codes: Any, cases: int) -> list[float | None]:
    """The mean per case, in the unit of the column's type; sums are of doubles."""
    values, there = column.values, codes
    if column.missing is not None:
        values, there = values[~column.missing], codes[~column.missing]
    counts = np.bincount(there, minlength=cases)
    sums = np.bincount(there, weights=values.astype(np.float64), minlength=cases)
    unit = 10**column.type.scale if isinstance(column.type, Decimal) else 1
    return [float(total) / int(count) / unit if count else None for total, count in zip(sums, counts, strict=True)]


def as_json(segmentation: str, found: Sequence[CaseMeans]) -> dict[str, Any]:
    """The value of `means`: to six decimals, by case."""
    return {
        "by": segmentation,
        "cases": {
            each.case: {
                "customers": each.customers,
                "values": {
                    name: None if mean is None else round(mean, JSON_DIGITS) for name, mean in each.means.items()
                },
            }
            for each in found
        },
    }


def screen(segmentation: str, found: Sequence[CaseMeans], language: Language) -> list[Line]:
    """The cases with their means, in as many blocks as fit beside each other."""
    names = list(found[0].means) if found else []
    heads: list[list[Cell]] = [[Piece(segmentation, "bold"), Piece(say("cli.members", language), "dim")]]
    heads += [[f"  {each.case}", f"{each.customers:,}"] for each in found]
    columns = [[name, *(_figure(each.means[name]) for each in found)] for name in names]
    lines = [line("  ", Piece(say("cli.means", language, name=segmentation), "dim"))]
    for at, block in enumerate(_blocks(columns, SCREEN_WIDTH - _width(heads))):
        rows = (
            [[*head, *cells] for head, cells in zip(heads, zip(*block, strict=True), strict=True)] if block else heads
        )
        rows[0] = [*rows[0][:2], *(Piece(str(cell), "dim") for cell in rows[0][2:])]
        lines += [*([line()] if at else []), *table(rows, right=set(range(1, len(rows[0]))))]
    return lines


def _width(heads: Sequence[Sequence[Cell]]) -> int:
    """What the case and its customers take in every block."""
    texts = [[cell.text if isinstance(cell, Piece) else cell for cell in row] for row in heads]
    return sum(2 + max(width(row[at]) for row in texts) for at in range(2))


def _blocks(columns: Sequence[Sequence[str]], space: int) -> list[list[Sequence[str]]]:
    """*columns* in groups that take at most *space* each; a wide one stands alone."""
    blocks: list[list[Sequence[str]]] = [[]]
    used = 0
    for column in columns:
        wide = 2 + max(map(width, column))
        if blocks[-1] and used + wide > space:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += wide
    return blocks


def _figure(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:,.4f}".rstrip("0").removesuffix(".")
