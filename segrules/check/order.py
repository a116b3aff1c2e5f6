"""Doing things after what they need, and finding the loops where that is impossible.

In: names, and for each a task: a generator that yields the names it needs before it goes on.  Out: every task is
finished after those it needed; the loops.  Always: iterative, so chains of any length work; in a loop the task that
closes it goes on without the one it asked for.

    work_through(["a", "b"], task)      # [] or [["a", "b"]]: a needs b, b needs a
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

Needs: TypeAlias = Iterator[Iterable[str]]


@dataclass(slots=True)
class _Open:
    name: str
    steps: Needs
    waiting: list[str] = field(default_factory=list)


def work_through(names: Iterable[str], task: Callable[[str], Needs | None]) -> list[list[str]]:
    """Finish the task of every name. *task* gives None for a name that has none. Returns the loops found."""
    loops: list[list[str]] = []
    begun: set[str] = set()
    path: dict[str, None] = {}
    stack: list[_Open] = []

    def begin(name: str) -> None:
        begun.add(name)
        steps = task(name)
        if steps is not None:
            path[name] = None
            stack.append(_Open(name, steps))

    for name in names:
        if name not in begun:
            begin(name)
        while stack:
            top = stack[-1]
            if top.waiting:
                needed = top.waiting.pop()
                if needed in path:
                    members = list(path)
                    loops.append(members[members.index(needed) :])
                elif needed not in begun:
                    begin(needed)
                continue
            try:
                top.waiting = list(reversed(list(dict.fromkeys(next(top.steps)))))
            except StopIteration:
                stack.pop()
                del path[top.name]
    return loops


def loop_text(loop: list[str]) -> str:
    """`a → b → a`; of a very long loop both ends."""
    closed = [*loop, loop[0]]
    return " → ".join(closed if len(closed) <= 12 else [*closed[:6], "…", *closed[-5:]])
