"""The order in which a program runs: levels, and in each what needs all rows at once and what goes block by block.

In: a program, the nodes whose values are wanted.  Out: `Level`s.  Always: nothing of it depends on data, so that it is
made once for a program; what a level reads of lower ones is kept there in full.

    for level in schedule(program, wanted, members): ...
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from segrules.engine.vector.program import (
    Barrier,
    Fixed,
    Inherited,
    Listed,
    Looked,
    Node,
    Own,
    Program,
    operands,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Nodes of one level and space that run block by block, constants that they read first. `inputs`: what is read in
    full; `outputs`: what others read in full; `members`: of whom the membership is wanted."""

    space: str
    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    members: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    full: tuple[Node, ...]
    parts: tuple[Part, ...]


@lru_cache(maxsize=32)
def schedule(program: Program, wanted: tuple[Node, ...], members: tuple[Node, ...]) -> tuple[Level, ...]:
    """The levels that give the values of *wanted* and the membership of *members*."""
    live = program.live([*wanted, *members])
    kept = _kept(program, live, wanted)
    asked = frozenset(members)
    by_level: defaultdict[int, list[Node]] = defaultdict(list)
    for node in live:
        by_level[program.levels[node]].append(node)
    levels = []
    for level in sorted(by_level):
        by_space: defaultdict[str, list[Node]] = defaultdict(list)
        for node in by_level[level]:
            if not is_full(program, node):
                by_space[program.spaces[node]].append(node)
        parts = tuple(_part(program, space, nodes, kept, asked) for space, nodes in by_space.items())
        levels.append(Level(tuple(node for node in by_level[level] if is_full(program, node)), parts))
    return tuple(levels)


def is_full(program: Program, node: Node) -> bool:
    """Whether *node* is made for all rows at once."""
    return isinstance(program.ops[node], Barrier | Own | Inherited | Looked | Listed)


def _part(program: Program, space: str, nodes: list[Node], kept: frozenset[Node], asked: frozenset[Node]) -> Part:
    read = {operand for node in nodes for operand in operands(program.ops[node])}.difference(nodes)
    constants = sorted(node for node in read if isinstance(program.ops[node], Fixed))
    return Part(
        space,
        (*constants, *nodes),
        tuple(sorted(read.difference(constants))),
        tuple(node for node in nodes if node in kept),
        tuple(node for node in nodes if node in asked),
    )


def _kept(program: Program, live: list[Node], wanted: tuple[Node, ...]) -> frozenset[Node]:
    """The nodes whose values are wanted over all rows at once, by somebody outside or at a higher level."""
    kept = set(wanted)
    for node in live:
        op = program.ops[node]
        if isinstance(op, Barrier):
            kept.update(operands(op))
        else:
            level = program.levels[node]
            kept.update(x for x in operands(op) if program.levels[x] < level and not isinstance(program.ops[x], Fixed))
    return frozenset(kept)
