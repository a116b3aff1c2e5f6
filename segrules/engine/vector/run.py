"""Running a program: levels one after the other, blocks of rows on threads.

In: a program, the tables, the nodes whose values are wanted.  Out: their values over all rows.  Always: before a level
runs, what it needs of lower levels is there in full; inside a level every block is independent, so that block size,
threads and their order change nothing.

    found = run(program, spaces, scope, wanted, block_rows=1 << 16, threads=2)
    found.rails(star)
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from segrules.engine.results import Cuts
from segrules.engine.vector.aggregate import aggregate
from segrules.engine.vector.answers import Membership
from segrules.engine.vector.blocks import run_blocks
from segrules.engine.vector.cells import Cell, Cells, as_cell, as_column, joined
from segrules.engine.vector.choosing import chosen_lists
from segrules.engine.vector.comparing import Kernel
from segrules.engine.vector.dates import Scope
from segrules.engine.vector.functions import call
from segrules.engine.vector.kernels import Kernels
from segrules.engine.vector.overflow import Overflow
from segrules.engine.vector.population import population
from segrules.engine.vector.program import (
    Aggregated,
    Gathered,
    Inherited,
    Listed,
    Looked,
    Matched,
    Node,
    Own,
    Program,
    Ranked,
    Whole,
    operands,
)  # fmt: skip
from segrules.engine.vector.rails import Rails, unpack
from segrules.engine.vector.schedule import is_full, schedule
from segrules.engine.vector.spaces import Spaces, gathered
from segrules.engine.vector.tallies import Asked, shares, sums_fit, tallied
from segrules.engine.vector.watch import Watch, phase_of
from segrules.schema.types import Bool, ListOfText, Text, Type
from segrules.tables.columns import Bools, Column, Dense, Ints
from segrules.tables.dense import dense


@dataclass(slots=True)
class Found:
    """Values in full, by node: rails of bools, columns of anything else; memberships of predicates."""

    program: Program
    spaces: Spaces
    scope: Scope
    full: dict[Node, Column | Rails] = field(default_factory=dict)
    members: dict[Node, Membership] = field(default_factory=dict)
    cuts: dict[Node, tuple[tuple[Cuts, ...], bool]] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    _masks: dict[Node, Bools] = field(default_factory=dict)

    def rows(self, node: Node) -> int:
        return self.spaces.rows(self.program.spaces[node])

    def rails(self, node: Node) -> Rails:
        found = self.full[node]
        assert isinstance(found, tuple)
        return found

    def column(self, node: Node) -> Column:
        """The values of *node*, of a bool as a bool column."""
        found = self.full[node]
        return found if isinstance(found, Column) else as_column(found, self.rows(node))

    def mask(self, node: Node) -> Bools:
        """Where a predicate is TRUE; filters that several aggregates share are unpacked once."""
        if node not in self._masks:
            self._masks[node] = unpack(self.rails(node)[0], self.rows(node))
        return self._masks[node]

    def dense(self, node: Node, often: bool) -> Dense | None:
        """The values of a node that is there in full, in few bits; of a table's own column kept for the next run."""
        match self.program.ops[node]:
            case Own(name):
                return self.spaces.dense(self.program.spaces[node], name)
            case _:
                return dense(self.column(node), often)

    def keep(self, node: Node, column: Column) -> None:
        cell = as_cell(column)
        self.full[node] = column if isinstance(cell, Cells) else cell


def run(
    program: Program, spaces: Spaces, scope: Scope, wanted: Sequence[Node], members: Collection[Node] = (), *,
    block_rows: int, threads: int | None, machine: bool | None = None, watched: bool = False,
) -> Found:  # fmt: skip
    """The values of *wanted* and of all that they need in full, and of *members* the membership. *machine* and
    *watched* as `run_blocks` has them. Raises Overflow."""
    found = Found(program, spaces, scope)
    kernels = Kernels(program, scope)
    threads = threads or _processors()
    again = any(loaded.dense for loaded in spaces.tables.tables.values())
    with ThreadPoolExecutor(threads) as pool:
        for level in schedule(program, tuple(wanted), tuple(members)):
            found.watch.start()
            _tally(found, level.full, pool)
            found.watch.lap(("aggregate", None))
            for node in level.full:
                if node not in found.full:
                    resolve(found, node)
                _remember(kernels, found, node)
                found.watch.lap((phase_of(program, node), node))
            for each in level.parts:
                inputs = {node: found.full[node] for node in each.inputs}
                rows, block = spaces.rows(each.space), max(8, block_rows // 8 * 8)
                answers = run_blocks(
                    program, kernels, each, inputs, found.dense, rows=rows, block=block, threads=threads, pool=pool,
                    again=again, machine=machine, watched=watched,
                )  # fmt: skip
                found.full |= answers.full
                found.members |= answers.members
                found.watch.include(answers.watches)
    return found


def _processors() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replay(program: Program, spaces: Spaces, scope: Scope, wanted: Sequence[Node]) -> tuple[Found, Node, int]:
    """Runs a program that overflowed once more, node by node in the order written: what was found before the first
    node that overflows, that node, and its row: of related rows one of the first customer, of nobody if need be."""
    found = Found(program, spaces, scope)
    kernels = Kernels(program, scope)
    for node in program.live(list(wanted)):
        kernel = None if is_full(program, node) else kernels.make(node)
        try:
            if kernel is None:
                resolve(found, node)
                _remember(kernels, found, node)
            else:
                found.full[node] = joined([_on(found, node, kernel, np.arange(found.rows(node)))])
        except Overflow as overflow:
            if kernel is None or program.spaces[node] == spaces.contracts.customers:
                return found, node, overflow.row or 0
            return found, node, _first_row(found, node, kernel)
    raise AssertionError("a program that overflows in blocks overflows as a whole")


def _first_row(found: Found, node: Node, kernel: Kernel) -> int:
    """The row that overflows first when the rows stand by customer, those of nobody last."""
    owner = found.spaces.owner(found.program.spaces[node])
    order = np.lexsort((owner, owner < 0))
    fine, wrong = 0, len(order)
    while wrong - fine > 1:
        middle = (fine + wrong) // 2
        try:
            _on(found, node, kernel, order[:middle])
            fine = middle
        except Overflow:
            wrong = middle
    return int(order[fine])


def _on(found: Found, node: Node, kernel: Kernel, rows: Ints) -> Cell:
    """The value of *node* in some rows of its space."""
    registers = {operand: as_cell(found.column(operand).take(rows)) for operand in operands(found.program.ops[node])}
    return kernel(registers, len(rows))


def resolve(found: Found, node: Node) -> None:
    """Computes a node whose operands are there in full. Raises Overflow with a customer's ordinal, or without."""
    program, spaces = found.program, found.spaces
    op, space, type_ = program.ops[node], program.spaces[node], program.types[node]
    match op:
        case Own(name) if isinstance(type_, Bool) and (own := spaces.dense(space, name)) is not None:
            found.full[node] = own.values, None if own.known is None else own.known & ~own.values
        case Own() | Inherited() | Looked() | Listed():
            found.keep(node, spaces.column(space, op))
        case Matched(key, table, name):
            found.keep(node, spaces.matched(found.column(key), table, name))
        case Gathered(operand):
            found.keep(node, gathered(found.column(operand), spaces.owner(space)))
        case Whole("case", args):
            pairs = args[:-1]
            masks = [found.mask(condition) for condition in pairs[::2]]
            found.keep(node, chosen_lists(masks, [found.column(value) for value in (*pairs[1::2], args[-1])]))
        case Whole(function, args):
            found.keep(node, call(function, tuple(found.column(arg) for arg in args), type_, found.scope))
        case Aggregated():
            found.keep(node, _aggregated(found, op, type_))
        case Ranked(source, value, by, among):
            standing = None if among is None else found.mask(among)
            ranked, cuts, coincide = population(
                source, found.column(value), tuple(found.column(part) for part in by), standing
            )
            found.keep(node, ranked)
            found.cuts[node] = cuts, coincide
        case _:
            raise AssertionError(f"{op} runs block by block")


def _tally(found: Found, nodes: Sequence[Node], pool: Executor) -> None:
    """Computes those aggregates among *nodes* that share their work."""
    program, spaces = found.program, found.spaces
    asked: defaultdict[str, list[Asked]] = defaultdict(list)
    columns: dict[Node, Column] = {}
    fits: dict[Node, bool] = {}
    for node in nodes:
        match program.ops[node]:
            case Aggregated(function, table, value, where):
                if value is not None and value not in columns:
                    columns[value] = found.column(value)
                    fits[value] = sums_fit(columns[value])
                if shares(function, None if value is None else program.types[value]) and (
                    value is None or function not in ("sum", "avg") or fits[value]
                ):
                    asked[table].append(Asked(node, function, value, where, program.types[node]))
            case _:
                pass
    customers = spaces.rows(spaces.contracts.customers)
    for table, those in asked.items():
        truths = {one.where: found.rails(one.where)[0] for one in those if one.where is not None}
        for node, column in tallied(those, columns, truths, spaces.owner(table), customers, pool):
            found.keep(node, column)


def _aggregated(found: Found, op: Aggregated, type_: Type) -> Column:
    spaces = found.spaces
    value = None if op.value is None else found.column(op.value)
    where = None if op.where is None else found.mask(op.where)
    order, time = spaces.time_order(op.table) if op.function in ("first", "last") else (None, None)
    customers = spaces.rows(spaces.contracts.customers)
    return aggregate(op.function, value, where, spaces.owner(op.table), customers, order, type_, time=time)


def _remember(kernels: Kernels, found: Found, node: Node) -> None:
    """Tells the makers of kernels the dictionary of a text node, or of lists."""
    if isinstance(found.program.types[node], Text | ListOfText):
        kernels.texts[node] = found.column(node).dictionary
