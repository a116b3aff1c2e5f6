"""What cases have in common: ids, outcomes, further outputs, and the need for `otherwise`.

In: checked cases and what is written beside them.  Out: outcomes and diagnostics.  Always: a segmentation without
`otherwise` is one whose cases provably leave nobody over.

    outcome(written.otherwise, ())      # Outcome("existing", "老客户")
"""

from __future__ import annotations

from collections.abc import Sequence

from segrules.check.coverage import complete, tests_of
from segrules.check.scope import Scope
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.files.documents import WrittenOutcome, WrittenSegmentation
from segrules.model.expr import Expr
from segrules.model.ruleset import CaseRule, Outcome
from segrules.source import Word


def outcome(written: WrittenOutcome | None, outputs: tuple[Expr, ...], scope: Scope) -> Outcome | None:
    """`otherwise:` or `unknown:`."""
    if written is None:
        return None
    named(written.id, scope)
    return Outcome(written.id.text, written.label, outputs, span=written.id.span)


def named(word: Word, scope: Scope) -> None:
    """Report a case without an id."""
    if not word.text.strip():
        scope.report("R557", word.span)


def ids_once(ids: Sequence[Word], scope: Scope) -> None:
    """Report every id that an earlier case of a list has."""
    first: dict[str, Word] = {}
    for word in ids:
        named(word, scope)
        earlier = first.setdefault(word.text, word)
        if earlier is not word and word.text.strip():
            scope.found.append(Diagnostic("R550", word.span, {"id": word.text}, also=(earlier.span,)))


def needs_otherwise(written: WrittenSegmentation, cases: Sequence[CaseRule], found_before: int, scope: Scope) -> None:
    """Report a segmentation that lacks `otherwise` and whose cases may leave somebody over, unless something else
    was found wrong with its cases."""
    if written.otherwise is not None or len(scope.found) > found_before:
        return
    rows = [row for case in cases if (row := tests_of(case.when)) is not None]
    if not complete(rows, scope):
        scope.report("R551", written.name.span, {"name": written.name.text}, Help("otherwise"))
