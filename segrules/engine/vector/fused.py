"""A level of a program for the machine code of `machine`: the plan as flat numbers, columns as addresses.

In: a plan, how its comparisons are made, columns in few bits, where answers go.  Out: `Fused`, which does stages of
blocks, or, where no kernel stands between, everything at once.  Always: what an address points at is kept as long as
the address; the answers are those of the calls of numpy in `blocks`, bit by bit.

    if (code := machine_code(rows * plan.rows)) is not None: fused(code, plan, comparisons, inputs, dense, sinks, rows)
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from queue import SimpleQueue
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segrules.engine.vector.answers import Sink
from segrules.engine.vector.atoms import Comparison, Held, Holding
from segrules.engine.vector.bitrows import ONE, ZERO, Plan, Row, Stage
from segrules.engine.vector.program import Node
from segrules.engine.vector.rails import Packed, Rails
from segrules.engine.vector.watch import Watch
from segrules.tables.columns import Column, Dense, Ints
from segrules.tables.dense import together

Words: TypeAlias = NDArray[np.uint64]

ONCE, AGAIN = 1 << 31, 1 << 26
_BITS, _BYTES, _LINE = 64, 8, 8
_CHUNK = 1 << 10
_SIGNS = {"and": 0, "or": 1, "xor": 2, "not": 3}
_MACHINE = "segrules.engine.vector.machine"


def machine_code(work: int, again: bool, wanted: bool | None = None) -> ModuleType | None:
    """The compiled functions, if they are *wanted*; None: if they are there already, or *work*, rows of customers times
    rows of bits, is worth half a second of loading: much of it, or, where tables are evaluated *again*, some."""
    if wanted is False or (wanted is None and work < (AGAIN if again else ONCE) and _MACHINE not in sys.modules):
        return None
    return _machine()


@lru_cache(maxsize=1)
def _machine() -> ModuleType | None:
    """None where numba is not installed, compiles nothing or has nowhere to keep it; or bytes stand the other way."""
    if sys.byteorder != "little" or find_spec("numba") is None:
        return None
    try:
        from numba import config
        from numba.core.errors import NumbaError
    except ImportError:
        return None
    if config.DISABLE_JIT:
        return None
    try:
        return import_module(_MACHINE)
    except (ImportError, OSError, RuntimeError, NumbaError):
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """Entry `place` of `compare` has the values of `node`, which a kernel makes block by block."""

    place: int
    node: Node
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """A stage as `machine.work` takes it. `operands`: whose values the entries of `compare` compare; `local`: which of
    them kernels make; `answers`: the places of the first entries of `pour` among all answers; the others, like the last
    entries of `load`, are rows of a block that later stages or kernels read, by their place in a `Room`."""

    compare: Ints
    load: Ints
    program: NDArray[np.int32]
    pour: Ints
    answers: NDArray[np.intp]
    operands: tuple[Node, ...]
    local: tuple[Local, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What a thread works in: `bits` of all rows of a span, `rows` of a block that outlive their stage, what stages
    load and pour, with addresses there; and how many bits each answer has got."""

    bits: Words
    rows: Words
    loads: tuple[Ints, ...]
    pours: tuple[Ints, ...]
    counts: Ints


@dataclass(slots=True, eq=False)
class Fused:
    """A level of *rows* rows. `pour`: rows of bits and where over all rows they go; `places`: of the rows that outlive
    their stage; `kept`: what addresses point at."""

    code: ModuleType
    rows: int
    stages: list[Work] = field(default_factory=list)
    pour: Ints = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    places: dict[Row, int] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The word that rows fill in part, or -1."""
        return self.rows // _BITS if self.rows % _BITS else -1

    @property
    def mask(self) -> int:
        return _word(np.packbits(np.ones(self.rows % _BITS, np.bool_)))

    def address(self, array: NDArray[Any]) -> int:
        array = np.ascontiguousarray(array)
        self.kept.append(array)
        return array.ctypes.data

    def room(self, rows: int, words: int) -> Room:
        """For a plan of so many *rows* of bits and blocks of so many *words*."""
        pitch = (words // _LINE + 2) * _LINE
        spare = np.zeros(len(self.places) * pitch + _LINE, np.uint64)
        begin = -spare.ctypes.data % (_LINE * _BYTES) // _BYTES
        outlive = spare[begin : begin + len(self.places) * pitch].reshape(-1, pitch)
        outlive[ONE] = ~np.uint64(0)

        def placed(table: Ints, column: int, local: int) -> Ints:
            found, own = table.copy(), table[:, local] == 1
            found[own, column] = outlive.ctypes.data + table[own, column] * outlive.strides[0]
            return found

        loads = tuple(placed(stage.load, 1, 4) for stage in self.stages)
        pours = tuple(placed(stage.pour, 2, 3) for stage in self.stages)
        return Room(matrix(rows, self.code.SPAN), outlive, loads, pours, np.zeros(len(self.pour), np.int64))

    def everything(self, matrix_rows: int, pool: Executor, threads: int) -> Ints:
        """All rows through the only stage; the number of bits of every answer."""
        words = -(-self.rows // _BITS)
        starts = range(0, words, _CHUNK)
        rooms = [self.room(matrix_rows, 0) for _ in range(max(1, min(threads, len(starts))))]
        free: SimpleQueue[Room] = SimpleQueue()
        for room in rooms:
            free.put(room)

        def one(first: int) -> None:
            room = free.get()
            self.stage(0, {}, room, first * _BITS, min((first + _CHUNK) * _BITS, self.rows))
            free.put(room)

        list(map(one, starts) if threads == 1 else pool.map(one, starts))
        return sum((room.counts for room in rooms), np.zeros(len(self.pour), np.int64))

    def stage(self, place: int, values: Mapping[Node, NDArray[Any]], room: Room, start: int, stop: int) -> None:
        """Stage *place* of the rows *start* … *stop* - 1. *values*: of its kernels."""
        stage, kept = self.stages[place], list[Any]()
        counts = np.zeros(len(stage.pour), np.int64)
        compare = with_values(stage, values, kept)
        self._call(compare, room.loads[place], stage.program, room.pours[place], counts, room.bits, 0, start, stop)
        room.counts[stage.answers] += counts[: len(stage.answers)]

    def watched(
        self, place: int, values: Mapping[Node, NDArray[Any]], bits: Words, start: int, stop: int, watch: Watch
    ) -> None:
        """The same on rows of bits of a whole block, one thing after the other."""
        stage, kept = self.stages[place], list[Any]()
        compare = with_values(stage, values, kept)
        for entry, node in enumerate(stage.operands):
            self._call(compare[entry : entry + 1], _NO_LOAD, _STILL, _NOWHERE, _NOTHING, bits, 1, start, stop)
            watch.lap(("compare", node))
        self._call(_NONE, _NO_LOAD, stage.program, _NOWHERE, _NOTHING, bits, 1, start, stop)
        watch.lap(("combine", None))

    def answer(self, bits: Words, start: int, stop: int) -> None:
        """Writes the answers of a block that was watched."""
        counts = np.zeros(len(self.pour), np.int64)
        self._call(_NONE, _NO_LOAD, _STILL, self.pour, counts, bits, 1, start, stop)

    def _call(
        self, compare: Ints, load: Ints, program: NDArray[np.int32], pour: Ints, counts: Ints, bits: Words, step: int,
        start: int, stop: int,
    ) -> None:  # fmt: skip
        first, count = start // _BITS, -(-(stop - start) // _BITS)
        mask = np.uint64(self.mask % (1 << _BITS))
        self.code.work(compare, load, program, pour, counts, bits, step, first, count, self.last, mask)


_NONE, _NO_LOAD, _NOWHERE = (np.zeros((0, columns), np.int64) for columns in (9, 5, 4))
_STILL, _NOTHING = np.zeros(0, np.int32), np.zeros(0, np.int64)


def matrix(rows: int, words: int) -> Words:
    """Rows of bits, all zero but for the one that has every bit."""
    found = np.zeros((rows, words), np.uint64)
    found[ONE] = ~np.uint64(0)
    return found


def fused(
    code: ModuleType, plan: Plan, comparisons: Sequence[Sequence[Comparison | Held | Holding]],
    inputs: Mapping[Node, Column | Rails], dense: Mapping[Node, Dense], sinks: Iterable[Sink], read: Collection[Row],
    rows: int,
) -> Fused:  # fmt: skip
    """What the machine code takes to do a level, whose answers go to *sinks*. *read*: the rows that kernels read."""
    made = Fused(code, rows)
    made.pour = np.concatenate([_NOWHERE, *map(_poured, sinks)])
    made.kept += sinks
    born, uses = _flow(plan)
    ready = np.maximum(born[made.pour[:, 0]], born[made.pour[:, 1]]) if len(made.pour) else np.zeros(0, np.int64)
    carried, foreign = set(read), _foreign(plan, inputs)
    wanted = []
    for place, own in enumerate(uses):
        poured = made.pour[ready == place, :2]
        wanted.append(own.union(poured[poured >= 0].tolist()))
        carried.update(row for row in wanted[-1] if born[row] < place)
    carried.update(foreign)
    made.places = {row: place for place, row in enumerate(sorted(carried.union((ZERO, ONE))))}
    carried -= {ZERO, ONE}
    for place, stage in enumerate(plan.stages):
        taken = [row for row in wanted[place] & carried if born[row] < place or row in foreign]
        load = [(row, made.places[row], 0, 0, 1) for row in taken]
        pour = [(row, -1, made.places[row], 1) for row in carried - foreign if born[row] == place]
        answers = np.flatnonzero(ready == place)
        poured = np.concatenate([made.pour[answers], np.array(pour, np.int64).reshape(-1, 4)])
        made.stages.append(
            _work(made, stage, _programs(plan)[place], comparisons[place], inputs, dense, load, poured, answers)
        )
    return made


@lru_cache(maxsize=64)
def _flow(plan: Plan) -> tuple[Ints, tuple[frozenset[Row], ...]]:
    """The stage that makes each row; of each stage the rows that it reads. The last, -1, is no row."""
    born, uses = np.zeros(plan.rows + 1, np.int64), []
    for place, stage in enumerate(plan.stages):
        born[[row for _, row in stage.known]] = place
        born[[row for _, *both in stage.given for row in both if row is not None]] = place
        for atoms in stage.atoms:
            born[atoms.first : atoms.first + len(atoms.keys)] = place
        for group in stage.groups:
            born[group.first : group.first + len(group.inputs[0])] = place
        read = {row for group in stage.groups for rows in group.inputs for row in rows.tolist()}
        uses.append(frozenset(read.union(atoms.known for atoms in stage.atoms if atoms.known is not None)))
    return born, tuple(uses)


def _foreign(plan: Plan, inputs: Mapping[Node, Column | Rails]) -> set[Row]:
    """The rows that come from what kernels made."""
    known = {row for stage in plan.stages for node, row in stage.known if node not in inputs}
    given = {row for stage in plan.stages for node, *both in stage.given if node not in inputs for row in both}
    return known | {row for row in given if row is not None}


def _poured(sink: Sink) -> Ints:
    """(row, other, answer, 0) for each row of a sink."""
    other = np.full(len(sink.rows), -1) if sink.unless is None else sink.unless
    answers = sink.whole.ctypes.data + np.arange(len(sink.rows)) * sink.whole.strides[0]
    return np.stack([sink.rows, other, answers, np.zeros_like(answers)], axis=1)


@lru_cache(maxsize=64)
def _programs(plan: Plan) -> tuple[NDArray[np.int32], ...]:
    """Per stage (sign, row, how many, rows …) of every row that is made of others."""
    found = []
    for stage in plan.stages:
        flat: list[int] = []
        for group in stage.groups:
            inputs = [rows.tolist() for rows in group.inputs]
            for place in range(len(inputs[0])):
                own = [rows[place] for rows in inputs if place < len(rows)]
                flat += [_SIGNS[group.sign], group.first + place, len(own), *own]
        found.append(np.array(flat, np.int32))
    return tuple(found)


def _work(
    made: Fused, stage: Stage, program: NDArray[np.int32], comparisons: Sequence[Comparison | Held | Holding],
    inputs: Mapping[Node, Column | Rails], dense: Mapping[Node, Dense], carried: Sequence[tuple[int, ...]], pour: Ints,
    answers: NDArray[np.intp],
) -> Work:  # fmt: skip
    load: list[tuple[int, ...]] = []
    for node, row in stage.known:
        if node in inputs:
            known = _known(inputs[node], dense.get(node))
            load.append(_loaded(made, row, np.zeros(0, np.uint8) if known is None else known, known is None))
    for node, own, other in stage.given:
        if node in inputs:
            true, false = inputs[node]  # type: ignore[misc]
            if own is not None:
                load.append(_loaded(made, own, true, False))
            if other is not None:
                load.append(_loaded(made, other, true if false is None else false, false is None))
    compare: list[tuple[int, ...]] = []
    operands: list[Node] = []
    local: list[Local] = []
    for one in comparisons:
        node = one.atoms.operand
        for keys, values, first in _parts(one, inputs, dense):
            if values is None:
                local.append(Local(len(compare), node, keys.dtype))
            compare.append(_compared(made, one, keys, values, first))
            operands.append(node)
    table = np.array(compare, np.int64).reshape(-1, 9)
    loads = np.array([*load, *carried], np.int64).reshape(-1, 5)
    return Work(table, loads, program, pour, answers, tuple(operands), tuple(local))


def _known(whole: Column | Rails, own: Dense | None) -> Packed | None:
    if own is not None:
        return own.known
    assert isinstance(whole, Column)
    return None if whole.missing is None else np.packbits(~whole.missing)


def _loaded(made: Fused, row: Row, bits: Packed, flip: bool) -> tuple[int, ...]:
    """Rows that stand packed already; without any bits there, all of them are alike."""
    if not len(bits):
        bits = np.zeros(-(-made.rows // 8), np.uint8)
    return row, made.address(bits), _word(bits[made.rows // _BITS * _BYTES :]), int(flip), 0


def _parts(
    one: Comparison | Held | Holding, inputs: Mapping[Node, Column | Rails], dense: Mapping[Node, Dense]
) -> Iterable[tuple[NDArray[Any], NDArray[Any] | None, Row]]:
    """(keys, values, first row) for each call; values None: those of a kernel."""
    match one:
        case Comparison(atoms, keys, start, _):
            own = dense.get(atoms.operand)
            yield keys, None if own is None else own.values, atoms.first + start
        case Held(atoms, places):
            values = dense[atoms.operand].values
            flags = [0 if place is None else 1 << place for place in places]
            yield np.array(flags, np.uint64).astype(values.dtype), values, atoms.first
        case Holding(atoms, groups):
            whole = inputs[atoms.operand]
            assert isinstance(whole, Column)
            row = atoms.first
            for texts in groups:
                count = min(_BITS, atoms.first + len(atoms.keys) - row)
                values = together(texts.astype(np.int64), whole)
                yield (np.uint64(1) << np.arange(count, dtype=np.uint64)).view(np.int64), values, row
                row += count


def _compared(
    made: Fused, one: Comparison | Held | Holding, keys: NDArray[Any], values: NDArray[Any] | None, first: Row
) -> tuple[int, ...]:
    number = made.code.CODES[one.atoms.kind, keys.dtype.str[1:]]
    known = ONE if one.atoms.known is None else one.atoms.known
    size = keys.dtype.itemsize
    head = (number, made.address(keys), len(keys), first, known)
    if values is None:
        return (*head, 0, 0, size, 1)
    return (*head, made.address(values), made.address(_padded(values)), size, 0)


def _padded(values: NDArray[Any]) -> NDArray[Any]:
    """The values of the last word, with zeros where no row is."""
    found = np.zeros(_BITS, values.dtype)
    rest = len(values) % _BITS
    found[:rest] = values[len(values) - rest :]
    return found


def _word(bits: Packed) -> int:
    """The first 64 bits as one word; what is not there is 0."""
    return int.from_bytes(bits[:_BYTES].tobytes().ljust(_BYTES, b"\0"), "little", signed=True)


def with_values(stage: Work, values: Mapping[Node, NDArray[Any]], kept: list[Any]) -> Ints:
    """The comparisons of a stage of one block, with the *values* that its kernels made."""
    if not stage.local:
        return stage.compare
    found = stage.compare.copy()
    for one in stage.local:
        own = np.ascontiguousarray(values[one.node], one.dtype)
        last = _padded(own)
        kept += (own, last)
        found[one.place, 5:7] = own.ctypes.data, last.ctypes.data
    return found
