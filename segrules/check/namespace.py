"""The one namespace of a project: who defines which name.

In: the rule files and contracts.  Out: `Names`.  Always: a name defined twice is reported once per further place,
with both places shown; the first definition counts; case ids and outputs belong to their segmentation, and nothing
else is called as they are with it.

    namespace(project, contracts, found).bare["new"]      # ('lifecycle',)
"""

from __future__ import annotations

from collections.abc import Iterator

from segrules.check.scope import Args, Entry, EntryKind, Names, Parts
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.documents import CaseList, DecisionTable, Matrix, RuleFile, WrittenSegmentation
from segrules.model.expr import Expr
from segrules.schema.contract import Contracts
from segrules.source import Word


def namespace(rules: tuple[RuleFile, ...], contracts: Contracts[Expr], found: list[Diagnostic]) -> Names:
    """Every name of a value, the parts of segmentations, and who has which bare case id."""
    entries: dict[str, Entry] = {
        name: Entry(name, "column", column.span)
        for name, column in contracts.tables[contracts.customers].columns.items()
    }
    for file in rules:
        for word, kind in _defined(file):
            entry = Entry(word.text, kind, word.span)
            first = entries.setdefault(word.text, entry)
            if first is not entry:
                args: Args = {"name": word.text, "kind": Words(f"entry.{kind}"), "first": Words(f"entry.{first.kind}")}
                found.append(Diagnostic("N302", word.span, args, also=(first.span,)))
    parts: dict[str, Parts] = {}
    for file in rules:
        for segmentation in file.segmentations:
            if entries[segmentation.name.text].span == segmentation.name.span:
                parts[segmentation.name.text] = _parts(segmentation, found)
    bare: dict[str, list[str]] = {}
    for owner, part in parts.items():
        for case in part.cases:
            bare.setdefault(case, []).append(owner)
        for name in (*part.cases, *part.outputs):
            if (taken := entries.get(f"{owner}.{name}")) is not None:
                behind = Words("entry.output" if name in part.outputs else "entry.case")
                told: Args = {"name": taken.name, "kind": Words(f"entry.{taken.kind}"), "first": behind}
                found.append(Diagnostic("N302", taken.span, told, also=(entries[owner].span,)))
    return Names(entries, parts, {case: tuple(owners) for case, owners in bare.items()})


def _defined(file: RuleFile) -> Iterator[tuple[Word, EntryKind]]:
    yield from ((one.name, "parameter") for one in file.parameters)
    yield from ((one.name, "list") for one in file.lists)
    yield from ((one.name, "attribute") for one in file.attributes)
    yield from ((one.name, "segment") for one in file.segments)
    yield from ((one.name, "segmentation") for one in file.segmentations)
    yield from ((one.name, "scorecard") for one in file.scorecards)


def _parts(written: WrittenSegmentation, found: list[Diagnostic]) -> Parts:
    match written.body:
        case CaseList(cases):
            ids = [case.id.text for case in cases]
        case Matrix(_, cells):
            ids = [cell.id.text for cell in cells]
        case DecisionTable():
            at = len(written.body.columns)
            ids = [row[at].text for row in written.body.rows if len(row) > at]
    ids += [outcome.id.text for outcome in (written.otherwise, written.unknown) if outcome is not None]
    known = tuple(dict.fromkeys(one for one in ids if one))
    outputs: dict[str, Word] = {}
    if isinstance(written.body, DecisionTable):
        for output in written.body.outputs[1:]:
            first = outputs.setdefault(output.text, output)
            if first is not output:
                found.append(Diagnostic("N302", output.span, _twice(output), also=(first.span,)))
            elif output.text in known:
                args = {"name": written.name.text, "part": output.text}
                found.append(Diagnostic("N313", output.span, args))
    return Parts(known, tuple(outputs))


def _twice(word: Word) -> Args:
    return {"name": word.text, "kind": Words("entry.output"), "first": Words("entry.output")}
