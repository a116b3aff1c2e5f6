"""Drives the LALR(1) tables over a text with a contextual lexer.

In: folded text, a start symbol, and what to make of each rule.  Out: what the outermost rule makes, or a `Failure`
that knows what stood there and what could have.  Always: no recursion, so depth costs memory only; a value keeps the
offsets of its first and last token; the tables are those of `build.py`, read once.

    tables().run("a > 1", "expression", make)        # make("compare", [a, token, 1], 0, 5)

Four scanners serve all states: where an operand may start, after `in`, at the start of a cell's test, and where
neither a name nor a literal may stand, so that a column may be called `between`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, TypeAlias

from segrules.syntax.keywords import OPERANDS, TERMINALS, WINDOWS

MAX_OPEN = 100
CLOSING = {"LPAR": "RPAR", "LSQB": "RSQB"}
Make: TypeAlias = Callable[[str, list[Any], int, int], object]


class Token(NamedTuple):
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Where the text stopped making sense: `token` is what stood there (kind "" where no token could be read, "$END"
    at the end, "DEEP" for one bracket too many), `expected` the terminals that could have stood there instead,
    `before` the tokens up to there, `open` the brackets not yet closed, `start` the start symbol."""

    token: Token
    expected: frozenset[str]
    before: tuple[Token, ...]
    open: tuple[Token, ...]
    start: str


@dataclass(frozen=True, slots=True)
class Tables:
    rows: tuple[dict[str, int], ...]
    rules: tuple[tuple[str, int, str | None], ...]
    scanners: tuple[re.Pattern[str], ...]
    starts: dict[str, int]
    ends: dict[str, int]

    def run(self, text: str, start: str, make: Make) -> object:
        """What *make* gives for the whole of *text*, or a `Failure`."""
        rows, rules, scanners, final = self.rows, self.rules, self.scanners, self.ends[start]
        states = [self.starts[start]]
        values: list[Any] = []
        begins: list[int] = []
        ends: list[int] = []
        seen: list[Token] = []
        opened: list[Token] = []
        at = 0
        while True:
            state = states[-1]
            found = scanners[state].match(text, at)
            if found is None:
                here = _skip(text, at)
                return self._failure(Token("", here, here), start, seen, opened)
            kind = found.lastgroup or ""
            token = Token(kind if kind != "END_OF_TEXT" else "$END", found.start(kind), found.end())
            action = rows[state].get(token.kind)
            while action is not None and action < 0:
                origin, size, alias = rules[-1 - action]
                if alias is not None:
                    first = len(values) - size
                    begin, end = begins[first], ends[-1]
                    made = make(alias, values[first:], begin, end)
                    del values[first:], begins[first:], ends[first:]
                    values.append(made)
                    begins.append(begin)
                    ends.append(end)
                del states[-size:]
                state = rows[states[-1]][origin]
                states.append(state)
                if state == final and token.kind == "$END":
                    return values[-1]
                action = rows[state].get(token.kind)
            if action is None:
                return self._failure(token, start, seen, opened)
            if token.kind in CLOSING:
                opened.append(token)
                if len(opened) > MAX_OPEN:
                    return self._failure(token._replace(kind="DEEP"), start, seen, opened)
            elif token.kind in ("RPAR", "RSQB"):
                opened.pop()
            states.append(action)
            values.append(token)
            begins.append(token.start)
            ends.append(token.end)
            seen.append(token)
            at = token.end

    def _failure(self, token: Token, start: str, seen: list[Token], opened: list[Token]) -> Failure:
        states = self._replay(start, seen)
        expected = frozenset(kind for kind in self.rows[states[-1]] if kind.isupper() and self._takes(states, kind))
        return Failure(token, expected, tuple(seen), tuple(opened), start)

    def _replay(self, start: str, seen: list[Token]) -> list[int]:
        """The states after *seen*, before any reduction that the next token brought about."""
        states = [self.starts[start]]
        for token in seen:
            action = self.rows[states[-1]][token.kind]
            while action < 0:
                origin, size, _ = self.rules[-1 - action]
                del states[-size:]
                states.append(self.rows[states[-1]][origin])
                action = self.rows[states[-1]][token.kind]
            states.append(action)
        return states

    def _takes(self, states: list[int], kind: str) -> bool:
        """Whether a token of this kind could be read after *states*: reductions may still refuse it."""
        states = states[-64:]
        while True:
            action = self.rows[states[-1]].get(kind)
            if action is None:
                return False
            if action >= 0:
                return True
            origin, size, _ = self.rules[-1 - action]
            if size >= len(states):
                return True
            del states[-size:]
            states.append(self.rows[states[-1]][origin])
            if kind == "$END" and states[-1] in self.ends.values():
                return True


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


@cache
def tables() -> Tables:
    """The shipped tables."""
    data = json.loads(resources.files("segrules.syntax").joinpath("tables.json").read_text(encoding="utf-8"))
    rows: list[dict[str, int]] = data["states"]
    accepted = [frozenset(symbol for symbol in row if symbol in TERMINALS) for row in rows]
    return Tables(
        rows=tuple(rows),
        rules=tuple((origin, size, alias) for origin, size, alias in data["rules"]),
        scanners=tuple(scanner(_mode(kinds)) for kinds in accepted),
        starts=data["starts"],
        ends=data["ends"],
    )


def _mode(accepted: frozenset[str]) -> frozenset[str]:
    """The terminals that are looked for in a state: those of its scanner."""
    if not accepted & OPERANDS:
        return frozenset(TERMINALS) - OPERANDS - WINDOWS
    brackets = {"LPAR", "RPAR", "LSQB", "RSQB", "COMMA", "MINUS"}
    operand = OPERANDS | brackets | {"NOT", "TRUE", "FALSE", "MISSING", "CASE", "WHEN_ZH"}
    return operand | accepted


@cache
def scanner(kinds: frozenset[str]) -> re.Pattern[str]:
    """One pattern for white space and then the first of the terminals, in the order of their table."""
    choices = "|".join(f"(?P<{name}>{pattern})" for name, pattern in TERMINALS.items() if name in kinds)
    return re.compile(rf"[ \t\r\n]*+(?:{choices}|(?P<END_OF_TEXT>\Z))")
