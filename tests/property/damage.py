"""Rule files with mistakes in them.

In: a source of choices and the body of a rule file.  Out: a body with tokens lost, doubled, swapped or put in from
elsewhere, and expressions of other types.

    damaged(random, rules(random, 4)[0])
"""

from __future__ import annotations

import re
from random import Random
from typing import Any

TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\w+|\s+|.", re.DOTALL)


def damaged(random: Random, body: Any) -> Any:
    """*body* with one or more mistakes in about half of its expressions."""
    soup = ("(", ")", "and", "且", "count", "1", '"', "orders", "“", "where", "-", "??", "in", "30 days", "missing",
            "kind", "n", "born", "tags", "2026-13-01", "case", "then", "today", "x", "不", "1e5", "&&")  # fmt: skip

    def damage(text: str) -> str:
        tokens = TOKEN.findall(text)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            place = random.randrange(len(tokens)) if tokens else 0
            match random.choice(("lose", "double", "swap", "other", "insert")):
                case "lose":
                    del tokens[place : place + 1]
                case "double":
                    tokens[place:place] = tokens[place : place + 1]
                case "swap":
                    other = random.randrange(len(tokens)) if tokens else 0
                    tokens[place : place + 1], tokens[other : other + 1] = (
                        tokens[other : other + 1], tokens[place : place + 1])  # fmt: skip
                case "other":
                    tokens[place : place + 1] = [random.choice(soup)]
                case _:
                    tokens[place:place] = [random.choice(soup)]
        return "".join(tokens)

    texts = [one for key in ("attributes", "segments") for each in body.get(key, {}).values() for one in each.values()]

    def inside(part: Any, key: str) -> Any:
        if isinstance(part, dict):
            return {name: inside(one, name) for name, one in part.items()}
        if isinstance(part, list):
            return [inside(one, key) for one in part]
        if not isinstance(part, str) or random.random() < (0.6 if key in EXPRESSIONS else 0.98):
            return part
        return random.choice(texts) if texts and random.random() < 0.3 else damage(part)

    return inside(body, "")


EXPRESSIONS = ("value", "when", "of", "columns", "rows", "low", "high")
