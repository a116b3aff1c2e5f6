"""`Members` for a screen.

In: what `report.members` found.  Out: lines.  Always: says how many there are beyond those shown.

    screen(found, ruleset, as_of, "zh")
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.diagnostics.catalogue import Language, say
from segrules.model.ruleset import RuleSet
from segrules.report.counts import header, share
from segrules.report.members import Members, Shown
from segrules.report.screen import Cell, Line, Piece, line, table, visible
from segrules.schema.types import Bool, Decimal, Integer, Number, Type
from segrules.schema.values import MASK, short, shown

SHOWN_OVERLAPS = 12
SHOWN_NEAR = 3


def screen(found: Members, ruleset: RuleSet, as_of: int, key_type: Type, language: Language) -> list[Line]:
    """The members, their values, near misses and overlaps."""
    timezone = ruleset.contracts.timezone
    figures = say(
        "cli.member_counts",
        language,
        n=f"{found.count:,}",
        all=f"{found.customers:,}",
        share=share(found.count, found.customers),
        unknown=f"{found.unknown:,}",
    )
    lines = [
        line(Piece(header(ruleset, as_of, language), "bold")),
        line(),
        line(Piece(str(found.name), "bold"), f" {found.label}" if found.label else "", f"   {figures}"),
    ]
    key = ruleset.contracts.tables[ruleset.contracts.customers].key or ""
    titles = [Piece(text, "dim") for text in (key, *(visible(each.text) for each in found.inputs))]
    kinds = [each.type for each in found.inputs]
    if found.sample:
        rows = _rows(found.sample, key_type, kinds, timezone, language)
        lines += [line(), *table([titles, *rows], right=_right(kinds))]
        if found.count > len(found.sample):
            lines.append(line("  ", Piece(say("cli.more", language, n=f"{found.count - len(found.sample):,}"), "dim")))
    if found.near_misses:
        lines += [line(), line("  ", Piece(say("cli.near_misses", language), "bold"))]
        for near in found.near_misses:
            why = say("cli.earlier_case", language) if near.part is None else visible(near.part)
            lines.append(line("  ", Piece(why, "yellow"), "  ", say("cli.customers", language, n=f"{near.count:,}")))
            rows = _rows(near.sample[:SHOWN_NEAR], key_type, kinds, timezone, language)
            lines += table(rows, right=_right(kinds), indent=4)
    if found.overlaps:
        lines += [line(), line("  ", Piece(say("cli.overlap", language), "bold"))]
        overlap_rows: list[list[Cell]] = [
            [each.name, each.label or "", f"{each.both:,}", share(each.both, found.count)]
            for each in found.overlaps[:SHOWN_OVERLAPS]
        ]
        lines += table(overlap_rows, right={2, 3})
        if len(found.overlaps) > SHOWN_OVERLAPS:
            hidden = len(found.overlaps) - SHOWN_OVERLAPS
            lines.append(line("  ", Piece(say("cli.more", language, n=f"{hidden:,}"), "dim")))
    return lines


def _right(kinds: Sequence[Type]) -> set[int]:
    return {1 + index for index, kind in enumerate(kinds) if isinstance(kind, Integer | Decimal | Number)}


def _rows(
    customers: Sequence[Shown], key_type: Type, kinds: Sequence[Type], timezone: str, language: Language
) -> list[list[Cell]]:
    missing = say("cli.missing", language)
    unknown = say("cli.unknown", language)
    return [
        [
            visible(str(each.key) if each.key == MASK else shown(each.key, key_type, timezone, missing)),
            *(
                visible(
                    MASK
                    if value == MASK
                    else short(value, kind, timezone, unknown if isinstance(kind, Bool) else missing)
                )
                for value, kind in zip(each.values, kinds, strict=True)
            ),
        ]
        for each in customers
    ]
