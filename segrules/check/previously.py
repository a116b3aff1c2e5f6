"""Earlier names: whose history a segment, a case or an action goes on.

In: what carries `previously:`.  Out: diagnostics.  Always: an earlier name is not alive and has one heir, so that a
piece of history belongs to one name.

    previously: [old_id]      # R616 where `old_id` is still there, R617 where another takes it too
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segrules.check.scope import Args
from segrules.diagnostics.diagnostic import Diagnostic, Words
from segrules.files.campaign import WrittenAction
from segrules.files.documents import CaseList, DecisionTable, Matrix, RuleFile, WrittenSegmentation
from segrules.source import Word

Heirs = Iterable[tuple[str, tuple[Word, ...]]]


def earlier_actions(actions: Iterable[WrittenAction], found: list[Diagnostic]) -> None:
    """Of actions, whose ids are names of their own."""
    written = list(actions)
    living = {action.name.text: action.name for action in written}
    _check([(action.name.text, action.previously) for action in written], living, "action", found)


def earlier_members(rules: Iterable[RuleFile], found: list[Diagnostic]) -> None:
    """Of segments, which share history with lists, and of the cases of each segmentation."""
    files = list(rules)
    living = {one.name.text: one.name for file in files for one in file.segments}
    living |= {one.name.text: one.name for file in files for one in file.lists}
    _check([(one.name.text, one.previously) for file in files for one in file.segments], living, "segment", found)
    for file in files:
        for segmentation in file.segmentations:
            _of_cases(segmentation, found)


def earlier_ids(words: Iterable[Word], segmentation: str) -> tuple[str, ...]:
    """Earlier ids of a case, without the name of its segmentation before them."""
    return tuple(word.text.removeprefix(f"{segmentation}.") for word in words)


def _of_cases(written: WrittenSegmentation, found: list[Diagnostic]) -> None:
    heirs: list[tuple[str, tuple[Word, ...]]]
    match written.body:
        case CaseList(cases):
            living = {case.id.text: case.id for case in cases}
            heirs = [(case.id.text, case.previously) for case in cases]
        case Matrix(_, cells):
            living = {cell.id.text: cell.id for cell in cells}
            heirs = [(cell.id.text, cell.previously) for cell in cells]
        case DecisionTable():
            return
    living |= {one.id.text: one.id for one in (written.otherwise, written.unknown) if one is not None}
    name = written.name.text
    bare = [
        (heir, tuple(Word(text, one.span) for one, text in zip(words, earlier_ids(words, name), strict=True)))
        for heir, words in heirs
    ]
    _check(bare, living, "case", found)


def _check(heirs: Heirs, living: Mapping[str, Word], kind: str, found: list[Diagnostic]) -> None:
    taken: dict[str, tuple[str, Word]] = {}
    for heir, words in heirs:
        for word in words:
            args: Args = {"name": word.text, "kind": Words(f"entry.{kind}")}
            if word.text in living:
                found.append(Diagnostic("R616", word.span, args, also=(living[word.text].span,)))
                continue
            first, place = taken.setdefault(word.text, (heir, word))
            if place is not word and (first != heir or kind == "action"):
                found.append(Diagnostic("R617", word.span, {**args, "first": first}, also=(place.span,)))
