"""Filling: those who come first take what there is, one who does not fit is skipped, and filling goes on.

In: candidates in the order of filling, and constraints on them.  Out: who fits, and for everybody else the stage of
the first constraint that had no room at their turn.  Always: exactly what going through the candidates one by one
gives.

    fill(3, [Constraint("over limit", everyone, one_key, room=np.array([2]), need=ones, use=ones)])

Who fits, T, is the one set with T = F(T), where F(S) is everybody for whom the room that those of S before them leave
is enough.  F turns around: the more are in S, the fewer are in F(S).  So F(nobody) has everyone of T and F(F(nobody))
only such; applied again and again, the two close in on T, with one cumulative sum per constraint and round.  Every
round decides at least the first who was undecided, most rounds nearly all; if some are left after `ROUNDS`, they are
gone through one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segrules.decide.decisions import CODES, SELECTED, Stages
from segrules.model.campaign import Stage
from segrules.schema.types import INT64_MAX
from segrules.tables.columns import Bools, Ints

ROUNDS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """`room` by key. Of `members` (places of candidates, ascending; None: all) everyone has a key in `keys`, needs
    `need` of its room, and takes `use` of it where they fit (which may be less)."""

    stage: Stage
    members: Ints | None
    keys: Ints | None
    room: Ints
    need: Ints
    use: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A constraint in the order of its keys: `places` of candidates, `starts` of each one's key among them."""

    constraint: Constraint
    places: Ints | None
    starts: Ints | None
    room: Ints
    need: Ints
    use: Ints

    @staticmethod
    def of(constraint: Constraint) -> _Line:
        keys = constraint.keys
        if keys is None:
            return _Line(constraint, constraint.members, None, constraint.room, constraint.need, constraint.use)
        order = np.argsort(keys.astype(np.int16) if len(constraint.room) < 2**15 else keys, kind="stable")
        ordered = keys[order]
        begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(keys) else order
        starts = np.repeat(begins, np.diff(np.append(begins, len(keys))))
        places = order if constraint.members is None else constraint.members[order]
        return _Line(
            constraint, places, starts, constraint.room[ordered], constraint.need[order], constraint.use[order]
        )

    def fits(self, passing: Bools) -> Bools:
        """Who of the line finds room if those before them who are *passing* take theirs."""
        if not len(self.need):
            return np.zeros(0, np.bool_)
        taken = self.use * (passing if self.places is None else passing[self.places])
        before = np.cumsum(taken) - taken
        if self.starts is not None:
            before -= before[self.starts]
        found: Bools = self.need <= self.room - before
        return found


def fill(candidates: int, constraints: Sequence[Constraint], rounds: int = ROUNDS) -> tuple[Bools, Stages]:
    """(who fits, stage: `SELECTED` where they fit) by place in the order of filling."""
    lines = [_Line.of(constraint) for constraint in constraints]
    at_most = _fitting(lines, np.zeros(candidates, np.bool_))
    if any(_is_vast(constraint) for constraint in constraints):
        rounds = 0
    at_least = _fitting(lines, at_most) if rounds else at_most
    for _ in range(rounds):
        if np.array_equal(at_least, at_most):
            break
        at_most = _fitting(lines, at_least)
        at_least = _fitting(lines, at_most)
    else:
        at_least = _one_by_one(constraints, at_most)
    stage = np.full(candidates, SELECTED, np.uint8)
    for line in reversed(lines):
        out = ~line.fits(at_least)
        stage[out if line.places is None else line.places[out]] = CODES[line.constraint.stage]
    return at_least, stage


def _is_vast(constraint: Constraint) -> bool:
    """Whether what all would take together may not fit in 64 bits; what those take who fit always does."""
    return len(constraint.use) > 0 and int(constraint.use.max()) * len(constraint.use) > INT64_MAX // 2


def _fitting(lines: Sequence[_Line], passing: Bools) -> Bools:
    """F(passing)."""
    found = np.ones(len(passing), np.bool_)
    for line in lines:
        if line.places is None:
            found &= line.fits(passing)
        else:
            found[line.places[~line.fits(passing)]] = False
    return found


def _one_by_one(constraints: Sequence[Constraint], possible: Bools) -> Bools:
    """Who fits, of those for whom it is *possible*."""
    left = [constraint.room.tolist() for constraint in constraints]
    parts: list[list[tuple[int, int, int, int]]] = [[] for _ in range(len(possible))]
    for which, constraint in enumerate(constraints):
        members = np.arange(len(possible)) if constraint.members is None else constraint.members
        keys = np.zeros(len(members), np.int64) if constraint.keys is None else constraint.keys
        asked = possible[members]
        columns = (members[asked], keys[asked], constraint.need[asked], constraint.use[asked])
        for place, key, need, use in zip(*(column.tolist() for column in columns), strict=True):
            parts[place].append((which, key, need, use))
    found = np.zeros(len(possible), np.bool_)
    for place in np.flatnonzero(possible).tolist():
        if all(need <= left[which][key] for which, key, need, _ in parts[place]):
            found[place] = True
            for which, key, _, use in parts[place]:
                left[which][key] -= use
    return found
