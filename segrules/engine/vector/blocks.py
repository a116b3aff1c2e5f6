"""One level of a program over the rows of one space, block by block.

In: nodes, and in full the values of lower levels that they read.  Out: `Answers`, what is wanted of them over all rows.
Always: a block is done by one thread in a workspace of its own, which is used again; every numpy call makes many rows
of bits, so that threads seldom wait for the interpreter; answers are written where they stay.

    run_blocks(program, kernels, part, inputs, rows=1_000_000, block=1 << 15, threads=2, pool=pool).members[star].true
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.atoms import Bounds, Comparison, Holding, Matrix, compared, holding
from segrules.engine.vector.bitrows import ONE, Atoms, Group, Plan, Row, planned
from segrules.engine.vector.cells import Cell, Cells, joined, part, part_of_rails
from segrules.engine.vector.comparing import Kernel
from segrules.engine.vector.kernels import Kernels
from segrules.engine.vector.program import Node, Program, operands
from segrules.engine.vector.rails import Packed, Rails, false_of, size
from segrules.engine.vector.schedule import Part
from segrules.engine.vector.watch import Watch
from segrules.schema.types import Bool, Date, Decimal, Integer, Timestamp
from segrules.tables.columns import Bools, Column

BLOCK_ROWS = 1 << 15
_SCRATCH = 1 << 19
_TAKEN = 128
_FEW = 3
_EIGHT = 8
_LEAST, _WORKSPACE = 1 << 12, 1 << 25


@dataclass(frozen=True, slots=True)
class Membership:
    """Packed bits of all rows, padding 0; `unknown` None: for nobody."""

    true: Packed
    unknown: Packed | None


@dataclass(slots=True)
class Answers:
    full: dict[Node, Column | Rails] = field(default_factory=dict)
    members: dict[Node, Membership] = field(default_factory=dict)
    watches: list[Watch] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """`matrix`: the rows of bits of one block; the rest is for what is on its way there."""

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
    """What blocks share; `compared` and `steps` by stage. `read`: the rows of the predicates that kernels read."""

    plan: Plan
    inputs: Mapping[Node, Column | Rails]
    compared: tuple[tuple[Comparison | Holding, ...], ...]
    steps: tuple[tuple[Step, ...], ...]
    read: tuple[tuple[Node, Row, Row | None], ...]


def run_blocks(
    program: Program, kernels: Kernels, asked: Part, inputs: Mapping[Node, Column | Rails], *, rows: int, block: int,
    threads: int, pool: Executor,
) -> Answers:  # fmt: skip
    """The outputs and members that are *asked*, from the values of its *inputs* in full. Raises Overflow."""
    nodes, outputs, members = asked.nodes, asked.outputs, asked.members
    nullable = frozenset(node for node, whole in inputs.items() if _may_be_missing(whole))
    plan = planned(program, nodes, asked.inputs, frozenset((*outputs, *members)), nullable)
    steps = _steps(program, plan, kernels, nodes, outputs)
    read = {part for stage in plan.stages for node in stage.kernels for part in operands(program.ops[node])}
    rails = tuple((node, *plan.rails[node]) for node in sorted(read) if node in plan.rails and node not in inputs)
    level = _Level(plan, inputs, _comparisons(program, plan, inputs, kernels, pool), steps, rails)
    block = min(block, -(-rows // 8) * 8 or 8, _rows_that_fit(plan))
    spaces: SimpleQueue[Workspace] = SimpleQueue()
    starts = range(0, max(rows, 1), block)
    threads = min(threads, len(starts))
    for _ in range(threads):
        spaces.put(_workspace(plan.rows, block))
    sinks = _sinks(plan, program, outputs, members, rows)
    values = [node for node in outputs if not isinstance(program.types[node], Bool)]

    def one(start: int) -> list[Cell]:
        space = spaces.get()
        try:
            return _block(level, space, start, min(start + block, rows), sinks, values)
        finally:
            spaces.put(space)

    found = list(map(one, starts) if threads == 1 else pool.map(one, starts))
    answers = Answers(watches=[spaces.get().watch for _ in range(threads)])
    for place, node in enumerate(values):
        answers.full[node] = joined([cells[place] for cells in found])
    _collect(sinks, plan, program, outputs, members, rows, answers)
    return answers


def _rows_that_fit(plan: Plan) -> int:
    """How many rows a block of a large program may have, so that a workspace stays small."""
    kernels = sum(len(stage.kernels) for stage in plan.stages)
    return max(_LEAST, _WORKSPACE // (plan.rows + _EIGHT * kernels) // _EIGHT * _EIGHT * _EIGHT)


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


def _workspace(rows: int, block: int) -> Workspace:
    width = block // 8
    matrix = np.zeros((rows, width), np.uint8)
    matrix[ONE] = 255
    taken = np.empty((2, _TAKEN, width), np.uint8)
    scratch = np.empty((max(1, _SCRATCH // block), block), np.bool_)
    return Workspace(matrix, taken[0], taken[1], scratch, Watch())


def _comparisons(
    program: Program, plan: Plan, inputs: Mapping[Node, Column | Rails], kernels: Kernels, pool: Executor
) -> tuple[tuple[Comparison | Holding, ...], ...]:
    """How the atoms of each stage are compared; whole numbers that are compared often at the width they need."""
    often: dict[Node, int] = {}
    for stage in plan.stages:
        for atoms in stage.atoms:
            often[atoms.operand] = often.get(atoms.operand, 0) + len(atoms.keys)
    narrow = [
        node for node, count in often.items()
        if count >= _FEW and node in inputs and isinstance(program.types[node], Integer | Decimal | Date | Timestamp)
    ]  # fmt: skip
    bounds: dict[Node, Bounds] = dict(zip(narrow, pool.map(lambda node: _bounds(inputs[node]), narrow), strict=True))

    def made(atoms: Atoms) -> Comparison | Holding:
        node = atoms.operand
        if atoms.kind == "has":
            whole = inputs[node]
            assert isinstance(whole, Column)
            return holding(atoms, whole.dictionary)
        return compared(atoms, program.types[node], bounds.get(node), kernels.texts.get(node, ()))

    return tuple(tuple(made(atoms) for atoms in stage.atoms) for stage in plan.stages)


def _bounds(whole: Column | Rails) -> Bounds:
    assert isinstance(whole, Column)
    values: Any = whole.values
    return (int(values.min()), int(values.max())) if len(values) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Sink:
    """Rows of bits over all rows of the space, from rows of a block: `unless` None: the rows as they are, else where
    neither of two rows has a bit."""

    rows: NDArray[np.intp]
    unless: NDArray[np.intp] | None
    whole: Matrix


def _sinks(
    plan: Plan, program: Program, outputs: Collection[Node], members: Collection[Node], rows: int
) -> tuple[_Sink, _Sink]:
    """Where the rails of *outputs* go and who is in *members*; and for whom that cannot be said."""
    rails = [plan.rails[node] for node in outputs if isinstance(program.types[node], Bool)]
    pairs = [plan.rails[node] for node in members]
    kept = dict.fromkeys([*(true for true, _ in (*rails, *pairs)), *(false for _, false in rails if false is not None)])
    unknown = dict.fromkeys((true, false) for true, false in pairs if false is not None)
    width = -(-size(rows) // 64) * 64

    def whole(count: int) -> Matrix:
        return np.empty((count, width), np.uint8)[:, : size(rows)]

    true, false = (np.array([pair[rail] for pair in unknown], np.intp) for rail in (0, 1))
    return _Sink(np.array(list(kept), np.intp), None, whole(len(kept))), _Sink(true, false, whole(len(unknown)))


def _collect(
    sinks: tuple[_Sink, _Sink], plan: Plan, program: Program, outputs: Collection[Node], members: Collection[Node],
    rows: int, answers: Answers,
) -> None:  # fmt: skip
    kept, unknown = sinks
    if spare := -rows % 8:
        for sink in sinks:
            sink.whole[:, -1] &= 0xFF << spare & 0xFF
    places = {row: place for place, row in enumerate(kept.rows.tolist())}
    pairs = [] if unknown.unless is None else zip(unknown.rows.tolist(), unknown.unless.tolist(), strict=True)
    nobody = {pair: place for place, pair in enumerate(pairs)}
    for node in outputs:
        if isinstance(program.types[node], Bool):
            true, false = plan.rails[node]
            answers.full[node] = kept.whole[places[true]], None if false is None else kept.whole[places[false]]
    for node in members:
        true, false = plan.rails[node]
        missing = None if false is None else unknown.whole[nobody[true, false]]
        answers.members[node] = Membership(kept.whole[places[true]], missing)


def _block(
    level: _Level, space: Workspace, start: int, stop: int, sinks: Iterable[_Sink], values: Sequence[Node]
) -> list[Cell]:
    rows, width, matrix, watch = stop - start, size(stop - start), space.matrix, space.watch
    watch.blocks += 1
    watch.start()
    registers: dict[Node, Cell] = {}
    for node, whole in level.inputs.items():
        registers[node] = (
            Cells(part(whole, start, stop)) if isinstance(whole, Column) else part_of_rails(whole, start, stop)
        )
    for node, true, false in level.read:
        registers[node] = matrix[true, :width], None if false is None else matrix[false, :width]
    for stage, comparisons, steps in zip(level.plan.stages, level.compared, level.steps, strict=True):
        for node, row in stage.known:
            missing = registers[node].column.missing  # type: ignore[union-attr]
            if missing is None:
                matrix[row] = 255
            else:
                np.invert(np.packbits(missing), matrix[row, :width])
        for node, own, other in stage.given:
            rails = registers[node]
            if own is not None:
                matrix[own, :width] = rails[0]  # type: ignore[index]
            if other is not None:
                matrix[other, :width] = false_of(rails)  # type: ignore[arg-type]
        for one in comparisons:
            one.fill(registers[one.atoms.operand].column, matrix, width, space.scratch)  # type: ignore[union-attr]
            if one.atoms.known is not None:
                made = matrix[one.atoms.first : one.atoms.first + len(one.atoms.keys)]
                np.bitwise_and(made, matrix[one.atoms.known], made)
            watch.lap(("compare", one.atoms.operand))
        for group in stage.groups:
            _make(space, group)
        watch.lap(("combine", None))
        for step in steps:
            registers[step.node] = step.kernel(registers, rows)
            for node in step.frees:
                del registers[node]
            watch.lap(("compute", step.node))
    for sink in sinks:
        _pour(sink, space, start // 8, width)
    watch.lap(("write", None))
    return [registers[node] for node in values]


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


def _pour(sink: _Sink, space: Workspace, start: int, width: int) -> None:
    for begin in range(0, len(sink.rows), _TAKEN):
        left = space.left[: min(_TAKEN, len(sink.rows) - begin)]
        space.matrix.take(sink.rows[begin : begin + _TAKEN], 0, left, "clip")
        if sink.unless is not None:
            right = space.right[: len(left)]
            space.matrix.take(sink.unless[begin : begin + _TAKEN], 0, right, "clip")
            np.bitwise_or(left, right, left)
            np.invert(left, left)
        sink.whole[begin : begin + len(left), start : start + width] = left[:, :width]
