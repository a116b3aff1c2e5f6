"""What could have stood where a text stopped making sense, in a few words.

In: the terminals that the tables would have taken.  Out: a text of the catalogue.  Always: at most four things are
named, and in the user's terms: a value, an operator, a closing bracket, a unit.

    expected_words(frozenset({"NAME", "NUMBER", "TEXT", …}))      # "a value (a name, a number, a text …)"
"""

from __future__ import annotations

from segrules.diagnostics.diagnostic import Words

_SINGLE = (
    ("THEN", "syntax.then"), ("ELSE", "syntax.else"), ("END", "syntax.end"), ("WHEN", "syntax.when"),
    ("AGO", "syntax.ago"), ("RPAR", "syntax.round"), ("RSQB", "syntax.square"), ("COMMA", "syntax.comma"),
    ("DOTS", "syntax.dots"), ("MISSING", "syntax.missing"),
)  # fmt: skip
MOST = 4


def takes_value(expected: frozenset[str]) -> bool:
    """Whether an operand could have begun here."""
    return {"NAME", "NUMBER", "TEXT"} <= expected


def is_complete(expected: frozenset[str]) -> bool:
    """Whether an operand had just ended here, so that an operator could follow."""
    return "TO" not in expected and {"AND", "OR"} <= expected


def expected_words(expected: frozenset[str]) -> Words:
    """The terminals in words, joined by *or*."""
    found: list[Words] = []
    if takes_value(expected):
        found.append(Words("syntax.value"))
    elif "NAME" in expected and "LSQB" in expected:
        found.append(Words("syntax.list"))
    elif "NAME" in expected and "NUMBER" in expected:
        found.append(Words("syntax.amount"))
    elif "NAME" in expected:
        found.append(Words("syntax.name"))
    if "IS" in expected and not is_complete(expected):
        found.append(Words("syntax.test"))
    if is_complete(expected):
        found.append(Words("syntax.operator"))
    elif "TO" in expected:
        found.append(Words("syntax.range"))
    elif "PLUS" in expected:
        found.append(Words("syntax.arithmetic"))
    elif {"IN", "BETWEEN"} <= expected and not {"NAME", "IS"} & expected:
        found.append(Words("syntax.negatable"))
    if "UNIT" in expected and not {"PLUS", "AND", "OR", "NAME"} & expected:
        found.append(Words("syntax.unit"))
    if not takes_value(expected):
        found += [Words(key) for kind, key in _SINGLE if kind in expected]
    if not found:
        found.append(Words("syntax.finish"))
    return _joined(found[:MOST])


def _joined(found: list[Words]) -> Words:
    joined = found[-1]
    for at, one in enumerate(reversed(found[:-1])):
        joined = Words("syntax.or" if at == 0 else "syntax.comma_list", {"first": one, "second": joined})
    return joined
