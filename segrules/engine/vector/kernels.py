"""What each node does to one block of rows.

In: a node with its operands' types and dictionaries.  Out: `Kernel`, a function from the block's registers to the
node's value there: `Rails` for a bool, `Cells` otherwise.  Always: what can be decided before the rows are seen (texts,
keys, codes) is decided when the kernel is made, once; a text node's dictionary is the same in every block.

    run = Kernels(program, scope).make(17)
    true, false = run(registers, rows)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, assert_never

import numpy as np

from segrules.engine.vector import comparing, exact, rails
from segrules.engine.vector.build import built, union
from segrules.engine.vector.cells import Cell, Cells, as_cell, as_column, cell_of_constant, known_bits, spread
from segrules.engine.vector.choosing import chosen, first_present, labelled, merged
from segrules.engine.vector.comparing import Kernel, Registers
from segrules.engine.vector.dates import Scope, shift, to_local_day
from segrules.engine.vector.functions import call
from segrules.engine.vector.program import (
    And,
    Applied,
    AtLeast,
    AtLeastPair,
    Blockwise,
    Chosen,
    Equal,
    EqualPair,
    Fixed,
    Has,
    IsMissing,
    IsTrue,
    Labelled,
    LocalDay,
    Mapped,
    Math,
    Member,
    Moved,
    Never,
    Node,
    Not,
    Or,
    Present,
    Program,
    Total,
    Widened,
    operands,
)  # fmt: skip
from segrules.schema.types import TEXT, Text, Type, Value
from segrules.tables.columns import Column


@dataclass(slots=True)
class Kernels:
    """Makes kernels. `texts`: the dictionaries of the text nodes whose kernels have been made or whose columns are
    there already; `places`: a text's code, for those dictionaries that were asked."""

    program: Program
    scope: Scope
    texts: dict[Node, tuple[str, ...]] = field(default_factory=dict)
    places: dict[Node, dict[str, int]] = field(default_factory=dict)

    def make(self, node: Node) -> Kernel:
        """The kernel of a node that runs block by block; those of its operands have been made."""
        op = self.program.ops[node]
        assert isinstance(op, Blockwise)
        return _kernel(self, node, op, self.program.types[node])

    def code(self, node: Node, text: object) -> int | None:
        if node not in self.places:
            self.places[node] = {own: code for code, own in enumerate(self.texts[node])}
        return self.places[node].get(str(text))


def constant_of(program: Program, op: Blockwise, type_: Type, scope: Scope) -> Value:
    """What *op* on constant operands comes to. Raises Overflow."""
    makers = Kernels(program, scope)
    registers: dict[Node, Cell] = {}
    for node in operands(op):
        constant = program.ops[node]
        assert isinstance(constant, Fixed)
        registers[node] = cell_of_constant(constant.value, program.types[node], 1)
        if isinstance(program.types[node], Text) and constant.value is not None:
            makers.texts[node] = (str(constant.value),)
    return as_column(_kernel(makers, -1, op, type_)(registers, 1), 1).at(0)


def _kernel(make: Kernels, node: Node, op: Blockwise, type_: Type) -> Kernel:
    types, texts = make.program.types, make.texts
    match op:
        case Fixed(value):
            if isinstance(type_, Text):
                texts[node] = () if value is None else (str(value),)
            return lambda registers, rows: cell_of_constant(value, type_, rows)
        case Math(sign, left, right):
            return lambda registers, rows: Cells(
                exact.arithmetic(sign, registers[left].column, registers[right].column, type_)
            )
        case Total(args):
            return lambda registers, rows: Cells(exact.total([registers[arg].column for arg in args], type_))
        case Widened(operand):
            return lambda registers, rows: Cells(exact.widen(registers[operand].column, type_))
        case Moved(operand, amount, unit):
            return lambda registers, rows: Cells(shift(registers[operand].column, amount, unit, make.scope))
        case LocalDay(operand):
            return lambda registers, rows: Cells(to_local_day(registers[operand].column, make.scope))
        case Applied(function, args):
            return _applied(function, args, type_, make.scope)
        case Mapped():
            return _mapped(make, node, op, type_)
        case Chosen(conditions, values, otherwise):
            parts = (*values, *(() if otherwise is None else (otherwise,)))
            moves, words = _merged(make, node, parts, type_)
            return chosen(conditions, values, otherwise, type_, words, moves)
        case Present(args):
            moves, words = _merged(make, node, args, type_)
            return first_present(args, type_, words, moves)
        case Labelled(ids, conditions):
            texts[node] = ids
            return labelled(ids, conditions)
        case Never(operand):
            return comparing.never(operand)
        case AtLeast(operand, key):
            return comparing.at_least(operand, key, types[operand], texts.get(operand, ()))
        case Equal(operand, key):
            code = make.code(operand, key) if isinstance(types[operand], Text) else None
            return comparing.equal(operand, key, types[operand], code)
        case Member(operand, keys):
            return comparing.member(operand, keys, types[operand], texts.get(operand, ()))
        case Has(operand, key):
            return comparing.has(operand, key)
        case AtLeastPair(left, right) | EqualPair(left, right):
            dictionaries = texts.get(left, ()), texts.get(right, ())
            return comparing.pair(left, right, types[left], dictionaries, equals=isinstance(op, EqualPair))
        case _:
            return _logic(op)


def _logic(op: IsMissing | IsTrue | Not | And | Or) -> Kernel:
    match op:
        case IsMissing(operand):
            return _is_missing(operand)
        case IsTrue(operand):
            return lambda registers, rows: (registers[operand][0], None)
        case Not(operand):
            return lambda registers, rows: rails.negation(registers[operand])
        case And(parts):
            return lambda registers, rows: rails.conjunction([registers[part] for part in parts])
        case Or(parts):
            return lambda registers, rows: rails.disjunction([registers[part] for part in parts])
        case _:
            assert_never(op)


def _is_missing(operand: Node) -> Kernel:
    def run(registers: Registers, rows: int) -> Cell:
        known = known_bits(registers[operand])
        return rails.constant(False, rows) if known is None else (~known, None)

    return run


def _applied(function: str, args: tuple[Node, ...], type_: Type, scope: Scope) -> Kernel:
    def run(registers: Registers, rows: int) -> Cell:
        columns = tuple(as_column(registers[arg], rows) for arg in args)
        return as_cell(call(function, columns, type_, scope))

    return run


def _mapped(make: Kernels, node: Node, op: Mapped, type_: Type) -> Kernel:
    """The function of every text of the dictionary, found in each row by its code."""
    operand = op.args[op.varies]
    words = make.texts[operand] or ("",)
    codes = Column(TEXT, np.arange(len(words), dtype=np.int32), None, words)
    columns = tuple(
        codes if i == op.varies else spread(_constant(make.program, arg), make.program.types[arg], len(words))
        for i, arg in enumerate(op.args)
    )
    answers = call(op.function, columns, type_, make.scope)
    if isinstance(type_, Text):
        make.texts[node] = answers.dictionary
    empty = answers.missing
    take = answers.values.__getitem__

    def run(registers: Registers, rows: int) -> Cell:
        column: Column = registers[operand].column
        missing = column.missing if empty is None else union(column.missing, empty[column.values])
        return as_cell(built(type_, take(column.values), missing, answers.dictionary))

    return run


def _constant(program: Program, node: Node) -> Value:
    op = program.ops[node]
    assert isinstance(op, Fixed)
    return op.value


def _merged(make: Kernels, node: Node, parts: tuple[Node, ...], type_: Type) -> tuple[dict[Node, Any], tuple[str, ...]]:
    """The common dictionary of text *parts*, which is the one of *node*."""
    if not isinstance(type_, Text):
        return {}, ()
    moves, words = merged(parts, [make.texts.get(part, ()) for part in parts])
    make.texts[node] = words
    return moves, words
