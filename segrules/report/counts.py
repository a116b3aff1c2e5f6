"""What an evaluation found, in numbers: for the screen and as JSON.

In: a rule set, results, the accounts of the tables' rows.  Out: lines, or the JSON value of `evaluate --format json`.
Always: names in the order of the files; the date and the zone are said; so are unknown answers, rows left out and set
aside, and every cut point; nothing is shortened in JSON.

    as_json(ruleset, results, tables)["segments"]["star"]      # {"members": 13022, "unknown": 0}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from segrules.diagnostics.catalogue import Language, say
from segrules.engine.results import Assignment, CutPoints, Membership, Results
from segrules.engine.streaming import Division, Figures, Streamed
from segrules.model.names import as_written
from segrules.model.ruleset import RuleSet, Segment, Segmentation, StaticList
from segrules.report.screen import Cell, Line, Piece, line, table, visible
from segrules.schema.calendar import to_date
from segrules.schema.types import Date, Decimal, Integer, Number, Type
from segrules.tables.columns import Account, Column

FORMAT_VERSION = 1


Each = TypeVar("Each")


def counts(ruleset: RuleSet, results: Results | Streamed) -> dict[str, int]:
    """Members per segment, list and case (`lifecycle.new`), in the order written."""
    found: dict[str, int] = {}
    for definition in as_written(ruleset):
        name = definition.name
        match definition:
            case Segment() if name in results.segments:
                found[name] = results.segments[name].true.count()
            case StaticList() if name in results.lists:
                found[name] = results.lists[name].true.count()
            case Segmentation() if name in results.segmentations:
                by_id = case_counts(results.segmentations[name])
                found |= {f"{name}.{each}": number for each, number in by_id.items()}
            case _:
                pass
    return found


def case_counts(assignment: Assignment | Division) -> dict[str, int]:
    if isinstance(assignment, Division):
        return {each: bits.count() for each, bits in assignment.cases.items()}
    numbers = np.bincount(assignment.codes, minlength=len(assignment.ids))
    return {each: int(number) for each, number in zip(assignment.ids, numbers, strict=True)}


def unknown_count(membership: Membership) -> int:
    return 0 if membership.unknown is None else membership.unknown.count()


def header(ruleset: RuleSet, as_of: int, language: Language) -> str:
    """The line that every output begins with: the project, the date and its zone."""
    return say(
        "cli.as_of", language, name=ruleset.name, date=to_date(as_of).isoformat(), zone=ruleset.contracts.timezone
    )


def screen(
    ruleset: RuleSet,
    results: Results | Streamed,
    accounts: Sequence[Account],
    language: Language,
    only: Collection[str] | None = None,
) -> list[Line]:
    """Counts for people; *only* limits the names to those asked for."""
    number = f"{results.customers:,}"
    lines = [
        line(Piece(header(ruleset, results.as_of, language), "bold"), " · ", say("cli.customers", language, n=number))
    ]
    shown_names = [each for each in as_written(ruleset) if only is None or each.name in only]
    blocks = [
        _segments(ruleset, results, [each.name for each in shown_names], language),
        *(_segmentation(each, results, language) for each in shown_names if isinstance(each, Segmentation)),
        _values(ruleset, results, [each.name for each in shown_names], language),
        _cut_points(results.cut_points, language),
        _accounts(accounts, language),
    ]
    for block in blocks:
        if block:
            lines += [line(), *block]
    return lines


def _segments(ruleset: RuleSet, results: Results | Streamed, names: Sequence[str], language: Language) -> list[Line]:
    rows: list[list[Cell]] = []
    for name in names:
        membership = results.segments.get(name) or results.lists.get(name)
        if membership is None:
            continue
        members, unknown = membership.true.count(), unknown_count(membership)
        rows.append(
            [
                Piece(name, "bold"),
                ruleset.definitions[name].label or "",
                f"{members:,}",
                share(members, results.customers),
                Piece(f"{unknown:,}" if unknown else "–", "yellow" if unknown else "dim"),
            ]
        )
    if not rows:
        return []
    titles = [Piece(say(f"cli.{key}", language), "dim") for key in ("segment", "label", "members", "share", "unknown")]
    return table([titles, *rows], right={2, 3, 4})


def _segmentation(definition: Segmentation, results: Results | Streamed, language: Language) -> list[Line]:
    assignment = results.segmentations.get(definition.name)
    if assignment is None:
        return []
    labels = case_labels(definition)
    rows: list[list[Cell]] = []
    for each, members in case_counts(assignment).items():
        unknown = assignment.passed_unknown.get(each, 0)
        rows.append(
            [
                f"  {each}",
                labels.get(each) or "",
                f"{members:,}",
                share(members, results.customers),
                Piece(f"{unknown:,}" if unknown else "–", "yellow" if unknown else "dim"),
            ]
        )
    keys = ("members", "share", "passed_unknown")
    title: list[Cell] = [
        Piece(definition.name, "bold"),
        definition.label or "",
        *(Piece(say(f"cli.{key}", language), "dim") for key in keys),
    ]
    return table([title, *rows], right={2, 3, 4})


def case_labels(definition: Segmentation) -> dict[str, str | None]:
    """The label of each case id: the first that one of its rows has."""
    found: dict[str, str | None] = {}
    for each in definition.reachable:
        found[each.id] = found.get(each.id) or each.label
    return found


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _values(ruleset: RuleSet, results: Results | Streamed, names: Sequence[str], language: Language) -> list[Line]:
    rows: list[list[Cell]] = []
    figures = {name: summary(column) for name, column in results.values.items() if _is_numeric(column)}
    for name, found in _of(names, figures):
        label = ruleset.definitions[name.partition(".")[0]].label if "." not in name else None
        three = [_figure(found[key]) for key in ("min", "mean", "max")]
        rows.append([Piece(name, "bold"), label or "", *three, f"{found['missing']:,}"])
    if not rows:
        return []
    keys = ("value", "label", "min", "mean", "max", "missing")
    return table([[Piece(say(f"cli.{key}", language), "dim") for key in keys], *rows], right={2, 3, 4, 5})


def numeric(results: Results, names: Collection[str]) -> list[tuple[str, Column]]:
    """The numeric values of *names*, outputs (`tier.discount`) with their segmentation."""
    return _of(names, {name: column for name, column in results.values.items() if _is_numeric(column)})


def _of(names: Collection[str], values: Mapping[str, Each]) -> list[tuple[str, Each]]:
    wanted = set(names)
    return [(name, one) for name, one in values.items() if name in wanted or name.partition(".")[0] in wanted]


def _is_numeric(column: Column | Figures) -> bool:
    return isinstance(column.type, Integer | Decimal | Number)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".removesuffix(".00")


def summary(column: Column | Figures) -> dict[str, Any]:
    """`missing`, and of a numeric column `min`, `mean` and `max` (doubles, None where nothing is there)."""
    if isinstance(column, Figures):
        three = {"min": column.least, "mean": column.mean, "max": column.greatest}
        return {"missing": column.missing, **(three if _is_numeric(column) else {})}
    missing = 0 if column.missing is None else int(column.missing.sum())
    if not _is_numeric(column):
        return {"missing": missing}
    values = column.values if column.missing is None else column.values[~column.missing]
    if not len(values):
        return {"missing": missing, "min": None, "mean": None, "max": None}
    unit = 10**column.type.scale if isinstance(column.type, Decimal) else 1
    low, mean, high = (float(found) / unit for found in (values.min(), values.astype(np.float64).mean(), values.max()))
    return {"missing": missing, "min": low, "mean": mean, "max": high}


def _cut_points(found: Sequence[CutPoints], language: Language) -> list[Line]:
    rows: list[list[Cell]] = []
    for cuts in found:
        for group in cuts.groups:
            by = ", ".join(str(value) for value in group.by)
            written = "  ".join(_cut(cut, cuts.type) for cut in group.cuts)
            rows.append([Piece(cuts.definition, "bold"), cuts.span.text or cuts.function, by, written])
    return [line("  ", Piece(say("cli.cut_points", language), "dim")), *table(rows)] if rows else []


def _cut(cut: float, kind: Type) -> str:
    if isinstance(kind, Date):
        return to_date(int(cut)).isoformat()
    return repr(cut).removesuffix(".0")


def _accounts(accounts: Sequence[Account], language: Language) -> list[Line]:
    rows: list[list[Cell]] = []
    for each in accounts:
        notes = [
            say(f"cli.{key}", language, n=f"{number:,}")
            for key, number in (
                ("left_out", each.left_out),
                ("quarantined", each.quarantined),
                ("without_customer", each.without_customer),
                ("not_finite", each.not_finite),
                ("later", each.later),
                ("superseded", each.superseded),
            )
            if number
        ]
        if each.unlisted_columns:
            notes.append(say("cli.unlisted", language, names=", ".join(map(visible, each.unlisted_columns))))
        if each.quarantine_file is not None:
            notes.append(each.quarantine_file)
        rows.append([Piece(each.table, "bold"), say("cli.rows_read", language, n=f"{each.read:,}"), ", ".join(notes)])
    return [line("  ", Piece(say("cli.tables", language), "dim")), *table(rows, right={1})] if rows else []


def as_json(ruleset: RuleSet, results: Results | Streamed, accounts: Sequence[Account]) -> dict[str, Any]:
    """The whole result in numbers; inner keys of a segmentation are the bare ids of its cases."""
    order = [each.name for each in as_written(ruleset)]
    segmentations = {name: results.segmentations[name] for name in order if name in results.segmentations}
    return {
        "format_version": FORMAT_VERSION,
        "project": ruleset.name,
        "as_of": to_date(results.as_of).isoformat(),
        "timezone": ruleset.contracts.timezone,
        "customers": results.customers,
        "segments": {name: _membership(results.segments[name]) for name in order if name in results.segments},
        "lists": {name: _membership(results.lists[name]) for name in order if name in results.lists},
        "segmentations": {name: case_counts(each) for name, each in segmentations.items()},
        "passed_unknown": {
            f"{name}.{each}": number
            for name, assignment in segmentations.items()
            for each, number in assignment.passed_unknown.items()
            if number
        },
        "values": {name: {"type": str(column.type), **summary(column)} for name, column in results.values.items()},
        "cut_points": [_json_cuts(each) for each in results.cut_points],
        "tables": [_json_account(each) for each in accounts],
    }


def _membership(membership: Membership) -> dict[str, int]:
    return {"members": membership.true.count(), "unknown": unknown_count(membership)}


def _json_cuts(cuts: CutPoints) -> dict[str, Any]:
    return {
        "name": cuts.definition,
        "function": cuts.function,
        "expression": cuts.span.text,
        "type": str(cuts.type),
        "coincide": cuts.coincide,
        "groups": [
            {
                "by": [value if not isinstance(value, tuple) else list(value) for value in group.by],
                "customers": group.customers,
                "cuts": [_cut(cut, cuts.type) if isinstance(cuts.type, Date) else cut for cut in group.cuts],
            }
            for group in cuts.groups
        ],
    }


def _json_account(each: Account) -> dict[str, Any]:
    return {
        "table": each.table,
        "read": each.read,
        "kept": each.kept,
        "left_out": each.left_out,
        "quarantined": each.quarantined,
        "without_customer": each.without_customer,
        "not_finite": each.not_finite,
        "later": each.later,
        "superseded": each.superseded,
        "unlisted_columns": list(each.unlisted_columns),
        "quarantine_file": each.quarantine_file,
    }
