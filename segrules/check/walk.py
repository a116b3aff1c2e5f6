"""The operands of a written expression.

In: a written expression.  Out: its operands.  Always: every node class of `syntax.expr` is covered, so a walk over
`parts_of` sees every name.

    parts_of(Compare(">=", Name(("spend",)), Literal("integer", 5)))      # [Name(("spend",)), Literal("integer", 5)]
"""

from __future__ import annotations

from typing import assert_never

from segrules.syntax.expr import (
    Ago,
    And,
    Arithmetic,
    Between,
    Broken,
    Call,
    Case,
    Coalesce,
    Compare,
    Expr,
    In,
    InParameter,
    InWindow,
    IsMissing,
    ListTest,
    Literal,
    Name,
    Negative,
    Not,
    Or,
    Shift,
    Subject,
    TextTest,
)  # fmt: skip


def parts_of(node: Expr) -> list[Expr]:
    """The operands of *node* in the order they were written."""
    match node:
        case Literal() | Name() | Subject() | Broken():
            return []
        case Negative(operand) | Not(operand) | IsMissing(operand):
            return [operand]
        case Arithmetic(_, left, right) | Coalesce(left, right) | Compare(_, left, right):
            return [left, right]
        case Shift(operand=operand, amount=amount):
            return [operand, amount]
        case Ago(amount=amount):
            return [amount]
        case Between(subject, low, high):
            return [subject, low, high]
        case In(subject, options):
            return [subject, *options]
        case InParameter(subject, parameter):
            return [subject, parameter]
        case InWindow(subject=subject, amount=amount):
            return [subject] if amount is None else [subject, amount]
        case TextTest(_, subject, operands) | ListTest(_, subject, operands):
            return [subject, *operands]
        case And(operands) | Or(operands):
            return list(operands)
        case Call():
            optional = [part for part in (node.where, node.among) if part is not None]
            return [*node.args, *node.by, *optional]
        case Case(whens, otherwise):
            pairs = [part for when in whens for part in (when.condition, when.value)]
            return pairs if otherwise is None else [*pairs, otherwise]
        case _:
            assert_never(node)
