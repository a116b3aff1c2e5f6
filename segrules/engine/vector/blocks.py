"""One level of a program over the rows of one space, block by block.

In: nodes, and in full the values of lower levels that they read.  Out: `Answers`, what is wanted of them over all rows.
Always: a block is done by one thread in a workspace of its own, which is used again; every numpy call makes many rows
of bits, so that threads seldom wait for the interpreter; answers are written where they stay.

    run_blocks(program, kernels, part, inputs, dense_of, rows=1_000_000, …).members[star].true

With `segrules[fast]`, and rows enough, comparisons, and/or/not and answers are done by machine code (`fused`): of a
level without kernels everything by one call for many blocks, else all of a stage by one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.answers import Answers, Sink, collected, sinks_of
from segrules.engine.vector.atoms import Comparison, Held, Holding, Matrix, compared, holding
from segrules.engine.vector.bitrows import Atoms, Group, Plan, Row, Stage, planned
from segrules.engine.vector.cells import Cell, Cells, joined, part, part_of_rails
from segrules.engine.vector.comparing import Kernel
from segrules.engine.vector.fused import Fused, Room, fused, machine_code, matrix
from segrules.engine.vector.kernels import Kernels
from segrules.engine.vector.program import Node, Program, operands
from segrules.engine.vector.rails import Rails, false_of, size
from segrules.engine.vector.schedule import Part
from segrules.engine.vector.watch import Watch
from segrules.schema.types import Bool
from segrules.tables.columns import Bools, Column, Dense

BLOCK_ROWS = 1 << 15
_SCRATCH = 1 << 19
_TAKEN = 128
_FEW = 3
_EIGHT = 8
_SPAN, _WORDS, _APART = 2048, 32, 8
_LEAST, _WORKSPACE = 1 << 12, 1 << 25


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """`words`: the rows of bits of one block, with a `room` only those that outlive their stage; `matrix`: the same by
    bytes; the rest is for what is on its way there."""

    words: NDArray[np.uint64]
    room: Room | None
    matrix: Matrix
    left: Matrix
    right: Matrix
    scratch: Bools
    watch: Watch


@dataclass(frozen=True, slots=True)
class Step:
    """A kernel and the registers that nothing reads after it."""

    node: Node
    kernel: Kernel
    frees: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """What blocks share; `compared` and `steps` by stage. `needed`: the inputs that kernels read, and those that are
    not there in few bits; `read`: the rows of the predicates that kernels read; `places`: where rows stand in a `Room`.
    """

    plan: Plan
    inputs: Mapping[Node, Column | Rails]
    dense: Mapping[Node, Dense]
    compared: tuple[tuple[Comparison | Held | Holding, ...], ...]
    steps: tuple[tuple[Step, ...], ...]
    needed: tuple[Node, ...]
    read: tuple[tuple[Node, Row, Row | None], ...]
    places: Mapping[Row, int] | None = None


def run_blocks(
    program: Program, kernels: Kernels, asked: Part, inputs: Mapping[Node, Column | Rails],
    dense_of: Callable[[Node, bool], Dense | None], *, rows: int, block: int, threads: int, pool: Executor,
    again: bool = False, machine: bool | None = None, watched: bool = False,
) -> Answers:  # fmt: skip
    """The outputs and members that are *asked*, from the values of its *inputs* in full. *dense_of*: an input in few
    bits, the fewest if it is read often. *machine*: by machine code; None: where that is worth it, also if tables are
    evaluated *again*. *watched*: with the time of each node. Raises Overflow."""
    nodes, outputs, members = asked.nodes, asked.outputs, asked.members
    nullable = frozenset(node for node, whole in inputs.items() if _may_be_missing(whole))
    plan = planned(program, nodes, asked.inputs, frozenset((*outputs, *members)), nullable)
    code = machine_code(rows * plan.rows, again, machine)
    steps = _steps(program, plan, kernels, nodes, outputs)
    level = _level(program, plan, kernels, inputs, steps, _dense(plan, inputs, dense_of, pool))
    sinks = sinks_of(plan, program, outputs, members, rows)
    values = [node for node in outputs if not isinstance(program.types[node], Bool)]
    fast = None
    if code is not None:
        read = {row for _, *both in level.read for row in both if row is not None}
        fast = fused(code, plan, level.compared, inputs, level.dense, sinks, read, rows)
        block = -(-block // _SPAN) * _SPAN
        if len(plan.stages) == 1 and not any(steps) and not watched:
            counts = fast.everything(plan.rows, pool, threads)
            return collected(sinks, plan, program, outputs, members, rows, Answers(), counts)
        level = level if watched else replace(level, places=fast.places)
    block = min(block, -(-rows // 8) * 8 or 8, _rows_that_fit(plan))
    spaces: SimpleQueue[Workspace] = SimpleQueue()
    starts = range(0, max(rows, 1), block)
    threads = min(threads, len(starts))
    for _ in range(threads):
        spaces.put(_workspace(plan.rows, block, None if watched else fast))

    def one(start: int) -> list[Cell]:
        space = spaces.get()
        try:
            return _block(level, fast, space, start, min(start + block, rows), sinks, values)
        finally:
            spaces.put(space)

    found = list(map(one, starts) if threads == 1 else pool.map(one, starts))
    used = [spaces.get() for _ in range(threads)]
    answers = Answers(watches=[space.watch for space in used])
    for place, node in enumerate(values):
        answers.full[node] = joined([cells[place] for cells in found])
    rooms = [space.room.counts for space in used if space.room is not None]
    return collected(sinks, plan, program, outputs, members, rows, answers, np.sum(rooms, axis=0) if rooms else None)


def _level(
    program: Program, plan: Plan, kernels: Kernels, inputs: Mapping[Node, Column | Rails],
    steps: tuple[tuple[Step, ...], ...], dense: Mapping[Node, Dense],
) -> _Level:  # fmt: skip
    read = {part for stage in plan.stages for node in stage.kernels for part in operands(program.ops[node])}
    rails = tuple((node, *plan.rails[node]) for node in sorted(read) if node in plan.rails and node not in inputs)
    for stage in plan.stages:
        read.update(node for node, _ in stage.known if node not in dense)
        read.update(node for node, _, _ in stage.given)
        read.update(atoms.operand for atoms in stage.atoms if atoms.operand not in dense)
    needed = tuple(node for node in inputs if node in read)
    return _Level(plan, inputs, dense, _comparisons(program, plan, dense, kernels), steps, needed, rails)


def _rows_that_fit(plan: Plan) -> int:
    """How many rows a block of a large program may have, so that a workspace stays small."""
    kernels = sum(len(stage.kernels) for stage in plan.stages)
    return max(_LEAST, _WORKSPACE // (plan.rows + _EIGHT * kernels) * _EIGHT // _SPAN * _SPAN)


def _steps(
    program: Program, plan: Plan, kernels: Kernels, nodes: Sequence[Node], outputs: Collection[Node]
) -> tuple[tuple[Step, ...], ...]:
    """The kernels of each stage, made in the order of the nodes, since dictionaries come with them."""
    running = {node for stage in plan.stages for node in stage.kernels}
    made = {node: kernels.make(node) for node in nodes if node in running}
    last: dict[Node, Node] = {}
    for stage in plan.stages:
        for node in stage.kernels:
            last |= dict.fromkeys(operands(program.ops[node]), node)
    for stage in plan.stages:
        for atoms in stage.atoms:
            last.pop(atoms.operand, None)
        for node, _ in stage.known:
            last.pop(node, None)
    frees: dict[Node, list[Node]] = {}
    for operand, node in last.items():
        if operand in running and operand not in outputs and not isinstance(program.types[operand], Bool):
            frees.setdefault(node, []).append(operand)
    return tuple(
        tuple(Step(node, made[node], tuple(frees.get(node, ()))) for node in stage.kernels) for stage in plan.stages
    )


def _may_be_missing(whole: Column | Rails) -> bool:
    return whole.missing is not None if isinstance(whole, Column) else whole[1] is not None


def _workspace(rows: int, block: int, fast: Fused | None) -> Workspace:
    width = -(-block // _SPAN) * _WORDS
    room = None if fast is None else fast.room(rows, width)
    words = matrix(rows, width + _APART) if room is None else room.rows
    taken = np.empty((2, _TAKEN, words.shape[1] * 8), np.uint8)
    scratch = np.empty((max(1, _SCRATCH // block), block), np.bool_)
    return Workspace(words, room, words.view(np.uint8), taken[0], taken[1], scratch, Watch())


def _dense(
    plan: Plan, inputs: Mapping[Node, Column | Rails], dense_of: Callable[[Node, bool], Dense | None], pool: Executor
) -> dict[Node, Dense]:
    """The inputs that are compared, or whose missing values matter, in few bits where that is possible."""
    often: dict[Node, int] = {}
    for stage in plan.stages:
        for node, _ in stage.known:
            often.setdefault(node, 0)
        for atoms in stage.atoms:
            often[atoms.operand] = often.get(atoms.operand, 0) + len(atoms.keys)
    nodes = [node for node in often if isinstance(inputs.get(node), Column)]
    found = pool.map(lambda node: dense_of(node, often[node] >= _FEW), nodes)
    return {node: own for node, own in zip(nodes, found, strict=True) if own is not None}


def _comparisons(
    program: Program, plan: Plan, dense: Mapping[Node, Dense], kernels: Kernels
) -> tuple[tuple[Comparison | Held | Holding, ...], ...]:
    """How the atoms of each stage are compared."""

    def made(atoms: Atoms) -> Comparison | Held | Holding:
        node = atoms.operand
        make = holding if atoms.kind == "has" else partial(compared, type_=program.types[node])
        return make(atoms, own=dense.get(node), texts=kernels.texts.get(node, ()))

    return tuple(tuple(made(atoms) for atoms in stage.atoms) for stage in plan.stages)


def _block(
    level: _Level, fast: Fused | None, space: Workspace, start: int, stop: int, sinks: Iterable[Sink],
    values: Sequence[Node],
) -> list[Cell]:  # fmt: skip
    rows, width, matrix, watch = stop - start, size(stop - start), space.matrix, space.watch
    watch.blocks += 1
    watch.start()
    registers: dict[Node, Cell] = {}
    for node in level.needed:
        whole = level.inputs[node]
        registers[node] = (
            Cells(part(whole, start, stop)) if isinstance(whole, Column) else part_of_rails(whole, start, stop)
        )
    for node, true, false in level.read:
        true, false = _row(level, true), None if false is None else _row(level, false)
        registers[node] = matrix[true, :width], None if false is None else matrix[false, :width]
    for place, (stage, steps) in enumerate(zip(level.plan.stages, level.steps, strict=True)):
        _given(level, stage, space, registers, start, width)
        if fast is None:
            for one in level.compared[place]:
                _compare(level, one, space, registers, start, stop)
                watch.lap(("compare", one.atoms.operand))
            for group in stage.groups:
                _make(space, group)
            watch.lap(("combine", None))
        else:
            cells = {one.node: registers[one.node].column.values for one in fast.stages[place].local}  # type: ignore[union-attr]
            if space.room is None:
                fast.watched(place, cells, space.words, start, stop, watch)
            else:
                fast.stage(place, cells, space.room, start, stop)
        for step in steps:
            registers[step.node] = step.kernel(registers, rows)
            for node in step.frees:
                del registers[node]
            watch.lap(("compute", step.node))
    if fast is None:
        for sink in sinks:
            _pour(sink, space, start // 8, width)
    elif space.room is None:
        fast.answer(space.words, start, stop)
    watch.lap(("write", None))
    return [registers[node] for node in values]


def _row(level: _Level, row: Row) -> int:
    """Where a row of bits stands in the matrix of a workspace."""
    return row if level.places is None else level.places[row]


def _given(
    level: _Level, stage: Stage, space: Workspace, registers: Mapping[Node, Cell], start: int, width: int
) -> None:
    """The rows of what is known, and of rails that are there; of inputs machine code finds them itself."""
    matrix = space.matrix
    for node, row in stage.known:
        if level.places is not None and node in level.inputs:
            continue
        row, own = _row(level, row), level.dense.get(node)
        if own is not None:
            matrix[row, :width] = 255 if own.known is None else own.known[start // 8 : start // 8 + width]
        elif (missing := registers[node].column.missing) is None:  # type: ignore[union-attr]
            matrix[row] = 255
        else:
            np.invert(np.packbits(missing), matrix[row, :width])
    for node, true, false in stage.given:
        if level.places is not None and node in level.inputs:
            continue
        rails = registers[node]
        if true is not None:
            matrix[_row(level, true), :width] = rails[0]  # type: ignore[index]
        if false is not None:
            matrix[_row(level, false), :width] = false_of(rails)  # type: ignore[arg-type]


def _compare(
    level: _Level, one: Comparison | Held | Holding, space: Workspace, registers: Mapping[Node, Cell], start: int,
    stop: int,
) -> None:  # fmt: skip
    atoms, matrix, width = one.atoms, space.matrix, size(stop - start)
    own = level.dense.get(atoms.operand)
    column = None if own is not None else registers[atoms.operand].column  # type: ignore[union-attr]
    values: Any = own.values[start:stop] if own is not None else column.values  # type: ignore[union-attr]
    match one:
        case Comparison():
            one.fill(values, matrix, width, space.scratch)
        case Held():
            one.fill(values, matrix, width)
        case Holding():
            assert column is not None
            one.fill(column, matrix, width)
    if atoms.known is not None:
        made = matrix[atoms.first : atoms.first + len(atoms.keys)]
        np.bitwise_and(made, matrix[atoms.known], made)


_SIGNS: dict[str, Callable[..., Any]] = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor}


def _make(space: Workspace, group: Group) -> None:
    """The rows of *group*, some at a time."""
    matrix = space.matrix
    count = len(group.inputs[0])
    for begin in range(0, count, _TAKEN):
        end = min(begin + _TAKEN, count)
        made = matrix[group.first + begin : group.first + end]
        left = space.left[: end - begin]
        matrix.take(group.inputs[0][begin:end], 0, left, "clip")
        if group.sign == "not":
            np.invert(left, made)
            continue
        apply = _SIGNS[group.sign]
        into = made
        for rows in group.inputs[1:]:
            rows = rows[begin:end]
            if not len(rows):
                break
            right = space.right[: len(rows)]
            matrix.take(rows, 0, right, "clip")
            apply(left[: len(rows)], right, into[: len(rows)])
            left = into


def _pour(sink: Sink, space: Workspace, start: int, width: int) -> None:
    for begin in range(0, len(sink.rows), _TAKEN):
        left = space.left[: min(_TAKEN, len(sink.rows) - begin)]
        space.matrix.take(sink.rows[begin : begin + _TAKEN], 0, left, "clip")
        if sink.unless is not None:
            right = space.right[: len(left)]
            space.matrix.take(sink.unless[begin : begin + _TAKEN], 0, right, "clip")
            np.bitwise_or(left, right, left)
            np.invert(left, left)
        sink.whole[begin : begin + len(left), start : start + width] = left[:, :width]
