"""Which node took how long.

In: laps, taken while a program runs.  Out: `Watch`, and the cost of definitions.  Always: a lap costs a tenth of a
microsecond, so that every run is watched; what one call did for many nodes is shared out equally among them.

    watch.lap(("compare", operand))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeAlias

from segrules.engine.profile import PHASES, Cost, Phase, Profile
from segrules.engine.vector.program import (
    Aggregated,
    AtLeast,
    Equal,
    Fixed,
    Has,
    Member,
    Node,
    Program,
    Ranked,
    operands,
)  # fmt: skip

Key: TypeAlias = "tuple[Phase, Node | None]"
_SHOWN = 10


@dataclass(slots=True)
class Watch:
    """`seconds` by what was done and for which node (of `compare`: the value that was compared)."""

    seconds: dict[Key, float] = field(default_factory=dict)
    blocks: int = 0
    last: float = 0.0

    def start(self) -> None:
        self.last = perf_counter()

    def lap(self, key: Key) -> None:
        """The time since the last lap, or the start, went to *key*."""
        now = perf_counter()
        self.seconds[key] = self.seconds.get(key, 0.0) + now - self.last
        self.last = now

    def include(self, others: Iterable[Watch]) -> None:
        for other in others:
            self.blocks += other.blocks
            for key, seconds in other.seconds.items():
                self.seconds[key] = self.seconds.get(key, 0.0) + seconds
        self.start()


def profiled(program: Program, live: Iterable[Node], watch: Watch, results: Mapping[str, Iterable[Node]]) -> Profile:
    """*live*: the nodes that ran; *results*: the nodes that each definition's answers are."""
    nodes = list(live)
    spent: defaultdict[Phase, float] = defaultdict(float)
    for (phase, _), seconds in watch.seconds.items():
        spent[phase] += seconds
    costs = _costs(program, nodes, watch)
    needs = {name: _needed(program, answers) for name, answers in results.items()}
    users: defaultdict[Node, int] = defaultdict(int)
    for needed in needs.values():
        for node in needed:
            users[node] += 1
    found = [
        Cost(name, sum(costs.get(node, 0.0) / users[node] for node in needed), len(needed))
        for name, needed in needs.items()
    ]
    found.sort(key=lambda cost: -cost.seconds)
    atoms = sum(isinstance(program.ops[node], AtLeast | Equal | Member | Has) for node in nodes)
    times = tuple((phase, spent[phase]) for phase in PHASES)
    return Profile(len(nodes), atoms, watch.blocks, times, tuple(found[:_SHOWN]))


def _costs(program: Program, nodes: list[Node], watch: Watch) -> dict[Node, float]:
    """Seconds by node."""
    doers: defaultdict[Key, list[Node]] = defaultdict(list)
    for node in nodes:
        match program.ops[node]:
            case AtLeast(operand) | Equal(operand) | Has(operand) if ("compare", operand) in watch.seconds:
                doers["compare", operand].append(node)
            case Aggregated():
                doers["aggregate", None].append(node)
            case Fixed():
                pass
            case _ if not any((phase, node) in watch.seconds for phase in ("gather", "rank", "compute")):
                doers["combine", None].append(node)
            case _:
                pass
    costs: dict[Node, float] = {}
    for key, seconds in watch.seconds.items():
        sharing = doers.get(key, [] if key[1] is None else [key[1]])
        for node in sharing:
            costs[node] = costs.get(node, 0.0) + seconds / len(sharing)
    return costs


def _needed(program: Program, answers: Iterable[Node]) -> set[Node]:
    found: set[Node] = set()
    waiting = list(answers)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(operands(program.ops[node]))
    return found


def phase_of(program: Program, node: Node) -> Phase:
    """What making *node* for all rows at once is called."""
    match program.ops[node]:
        case Aggregated():
            return "aggregate"
        case Ranked():
            return "rank"
        case _:
            return "gather"
