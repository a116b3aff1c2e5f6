"""`requires:` of a project: whether this version of segrules may carry it out.

In: requirements such as `~= 1.2` or `>= 1.0, < 2`.  Out: yes, no, or that they cannot be read.  Always: the operators
mean what they mean for Python packages (PEP 440), for versions of plain numbers.

    satisfied("~= 0.1", "0.1.0")      # True
"""

from __future__ import annotations

import re

_CLAUSE = re.compile(r"\s*(~=|>=|<=|==|!=|>|<)\s*([0-9]{1,6}(?:\.[0-9]{1,6}){0,4})\s*")


def satisfied(requirement: str, version: str) -> bool | None:
    """Whether *version* meets every clause of *requirement*; None if that is not a requirement."""
    release = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    have = _numbers(release[0] if release else "0")
    verdict = True
    for clause in requirement.split(","):
        found = _CLAUSE.fullmatch(clause)
        if found is None or (found[1] == "~=" and "." not in found[2]):
            return None
        verdict = verdict and _holds(found[1], have, found[2])
    return verdict


def _holds(operator: str, have: tuple[int, ...], written: str) -> bool:
    want = _numbers(written)
    match operator:
        case "~=":
            prefix = written.count(".")
            return have >= want and have[:prefix] == want[:prefix]
        case ">=":
            return have >= want
        case "<=":
            return have <= want
        case "==":
            return have == want
        case "!=":
            return have != want
        case ">":
            return have > want
        case _:
            return have < want


def _numbers(written: str) -> tuple[int, ...]:
    parts = [int(part) for part in written.split(".")][:5]
    return tuple(parts + [0] * (5 - len(parts)))
