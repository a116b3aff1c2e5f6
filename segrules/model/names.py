"""What a name that a person gives means in a rule set.

In: a rule set and a name as written on a command line, in a test or in Python.  Out: `Named`, or None and a name that
is like it.  Always: names compare after NFKC; a top-level name wins over a case's bare id, which works only while one
segmentation has it.

    find(ruleset, "lifecycle.new")      # Named("case", "lifecycle", "new", BOOL)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, assert_never

from segrules.model.ruleset import Attribute, Definition, RuleSet, Scorecard, Segment, Segmentation, StaticList
from segrules.schema.types import BOOL, TEXT, Type
from segrules.source import Span

NameKind = Literal[
    "attribute", "segment", "list", "segmentation", "scorecard", "case", "output", "column", "parameter"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """`definition` is the top-level name (of a column: its name), `part` the id of a case or the name of an output."""

    kind: NameKind
    definition: str
    part: str
    type: Type

    def __str__(self) -> str:
        return f"{self.definition}.{self.part}" if self.part else self.definition


def find(ruleset: RuleSet, text: str) -> Named | None:
    """What *text* names, or None; None too for the bare id of cases of several segmentations."""
    name = unicodedata.normalize("NFKC", text).strip().removeprefix("`").removesuffix("`")
    if (definition := ruleset.definitions.get(name)) is not None:
        return of_definition(definition)
    customers = ruleset.contracts.tables[ruleset.contracts.customers]
    if (column := customers.columns.get(name)) is not None:
        return Named("column", name, "", column.type)
    if (parameter := ruleset.parameters.get(name)) is not None:
        return Named("parameter", name, "", parameter.type)
    top, dot, part = name.partition(".")
    if dot:
        return next((one for one in parts(ruleset.definitions.get(top)) if one.part == part), None)
    bare = [
        one for each in ruleset.definitions.values() for one in parts(each) if one.kind == "case" and one.part == name
    ]
    return bare[0] if len(bare) == 1 else None


def of_definition(definition: Definition) -> Named:
    match definition:
        case Attribute():
            return Named("attribute", definition.name, "", definition.value.type)
        case Segment():
            return Named("segment", definition.name, "", BOOL)
        case StaticList():
            return Named("list", definition.name, "", BOOL)
        case Segmentation():
            return Named("segmentation", definition.name, "", TEXT)
        case Scorecard():
            return Named("scorecard", definition.name, "", definition.type)
        case _:
            assert_never(definition)


def parts(definition: Definition | None) -> Iterator[Named]:
    """The cases and further outputs of a segmentation; nothing of another definition."""
    if isinstance(definition, Segmentation):
        yield from (Named("case", definition.name, each, BOOL) for each in definition.ids)
        yield from (Named("output", definition.name, name, kind) for name, kind in definition.outputs)


def all_names(ruleset: RuleSet) -> list[str]:
    """Every name of a value, the qualified ones of cases and outputs too."""
    customers = ruleset.contracts.tables[ruleset.contracts.customers]
    found = [*ruleset.definitions, *customers.columns, *ruleset.parameters]
    return found + [str(part) for each in ruleset.definitions.values() for part in parts(each)]


def like(ruleset: RuleSet, text: str) -> str | None:
    """The name most like *text*, by its spelling or by its label; a bare case id gives a qualified name."""
    wanted = unicodedata.normalize("NFKC", text).strip()
    labelled = {each.label: name for name, each in ruleset.definitions.items() if each.label}
    bare = {part.part: str(part) for each in ruleset.definitions.values() for part in parts(each)}
    candidates = bare | labelled | {name: name for name in all_names(ruleset)}
    near = get_close_matches(wanted, list(candidates), n=1, cutoff=0.6)
    return candidates[near[0]] if near else None


def as_written(ruleset: RuleSet) -> list[Definition]:
    """The definitions in the order of the files: by file, then by place."""

    def rank(definition: Definition) -> tuple[str, int]:
        span: Span = definition.span.in_file()
        return span.source.name, span.start

    return sorted(ruleset.definitions.values(), key=rank)
