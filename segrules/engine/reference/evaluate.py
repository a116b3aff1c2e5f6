"""The rule set evaluated one customer at a time: the executable form of docs/language.md.

In: a checked rule set, tables cut to the date of the run.  Out: `Results`.  Always: plain Python on stored values, no
cleverness; every other engine is compared with this one.

    evaluate(ruleset, tables, as_of).segments["star"].true.count()
    Evaluator(ruleset, tables, as_of).value(expr, 0)      # any checked expression, for the first customer
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from segrules.engine.needs import expressions, needed, nodes, owner
from segrules.engine.reference.customers import Evaluator
from segrules.engine.reference.rows import NOBODY, column
from segrules.engine.results import Assignment, Bits, CutPoints, Membership, Results
from segrules.engine.stops import empty_bands
from segrules.model.expr import Aggregate, Expr, Population
from segrules.model.ruleset import Attribute, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.types import Value
from segrules.tables.columns import Column, Tables


def evaluate(ruleset: RuleSet, tables: Tables, as_of: int, only: Collection[str] | None = None) -> Results:
    """Everything that *ruleset* defines, or the definitions named in *only* (an output or case names its
    segmentation), for every customer. *tables* has the rows that exist at *as_of* (days since 1970-01-01). Raises
    `RunStopped` on overflow and where a `unique` segmentation has two cases."""
    evaluator = Evaluator(ruleset, tables, as_of)
    asked = set(ruleset.definitions) if only is None else {found for name in only if (found := owner(ruleset, name))}
    ordinals = range(evaluator.customers)
    order = needed(ruleset, asked)
    for name in order:
        evaluator.define(name, ordinals)
        for expr in expressions(ruleset.definitions[name]):
            _rows_of_nobody(evaluator, expr, name)
    contracts = ruleset.contracts
    key = contracts.tables[contracts.customers].key or ""
    segments, lists = {}, {}
    segmentations: dict[str, Assignment] = {}
    values: dict[str, Column] = {}
    for name in order:
        if name not in asked:
            continue
        match ruleset.definitions[name]:
            case Segment():
                segments[name] = _membership([evaluator.named(name, one) for one in ordinals])
            case StaticList():
                lists[name] = _membership([evaluator.named(name, one) for one in ordinals])
            case Attribute(value=expr):
                values[name] = column(expr.type, [evaluator.named(name, one) for one in ordinals])
            case Scorecard(type=type_):
                values[name] = column(type_, [evaluator.named(name, one) for one in ordinals])
            case Segmentation() as segmentation:
                segmentations[name] = _assignment(segmentation, evaluator)
                for output, type_ in segmentation.outputs:
                    full = f"{name}.{output}"
                    values[full] = column(type_, [evaluator.named(full, one) for one in ordinals])
    cut_points = _cut_points(ruleset, order, evaluator)
    return Results(
        as_of=as_of,
        keys=tables.tables[contracts.customers].columns[key],
        segments=segments,
        segmentations=segmentations,
        values=values,
        lists=lists,
        cut_points=cut_points,
        population={node: column(node.type, found.values) for node, found in evaluator.populations.items()},
        warnings=empty_bands(cut_points),
    )


def _rows_of_nobody(evaluator: Evaluator, expr: Expr, definition: str) -> None:
    """Rows that belong to nobody count for nobody, but their overflow stops the run like any other."""
    for node in nodes(expr):
        if isinstance(node, Aggregate):
            for row in evaluator.rows(node.table, NOBODY):
                for part in (node.where, node.value):
                    if part is not None:
                        evaluator.row_value(part, node.table, row, definition)


def _membership(truths: list[Value]) -> Membership:
    true = np.array([truth is True for truth in truths], dtype=np.bool_)
    unknown = np.array([truth is None for truth in truths], dtype=np.bool_)
    return Membership(Bits.of(true), Bits.of(unknown) if unknown.any() else None)


def _assignment(segmentation: Segmentation, evaluator: Evaluator) -> Assignment:
    ids = segmentation.ids
    code = {case_id: number for number, case_id in enumerate(ids)}
    passed = dict.fromkeys([case.id for case in segmentation.cases], 0)
    codes = []
    for ordinal in range(evaluator.customers):
        chosen = evaluator.choice(segmentation.name, ordinal)
        codes.append(code[chosen.id])
        for case_id in chosen.passed_unknown:
            passed[case_id] += 1
    return Assignment(ids, np.array(codes, dtype=np.uint16), passed)


def _cut_points(ruleset: RuleSet, names: tuple[str, ...], evaluator: Evaluator) -> tuple[CutPoints, ...]:
    """Of every definition, its `qcut` and `quantile`s in the order written, equal ones once."""
    found = []
    for name in names:
        parts = (node for expr in expressions(ruleset.definitions[name]) for node in nodes(expr))
        for node in dict.fromkeys(part for part in parts if isinstance(part, Population)):
            if node.function in ("qcut", "quantile"):
                groups = evaluator.populations[node].groups
                coincide = any(low == high for group in groups for low, high in zip(group.cuts, group.cuts[1:]))  # noqa: B905
                found.append(
                    CutPoints(name, node.span, node.function, node.value.type, groups, coincide, node.descending)
                )
    return tuple(found)
