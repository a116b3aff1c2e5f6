r"""Patterns of `matches`: what RE2 would refuse, found without RE2.

In: the text of a pattern.  Out: None, or the catalogue key of what is wrong with it.  Always: cautious: what RE2
lacks (looking around, back-references, atomic and possessive parts, conditions, `\Z`) is refused, so is what no
engine reads, and a repeat above 1000; RE2 decides in linear time, so nothing here can make a run hang.

    fault(r"(?=x)")      # 'pattern.look'
"""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from typing import Any

codes: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

MAX_REPEAT = 1000
MAX_LENGTH = 5_000
MAX_DEPTH = 200
_UNKNOWN_TO_RE2 = re.compile(r"\\(?![dDsSwWbBAzpPnrtfvax0]|[ !-/:-@\[-^`{-~])")
_FLAGS = re.compile(r"\(\?(?:#|[ims-]*[A-Za-hj-ln-rt-z][A-Za-z-]*[:)])")
_PROPERTIES = (
    "L|Ll|Lm|Lo|Lt|Lu|M|Mc|Me|Mn|N|Nd|Nl|No|P|Pc|Pd|Pe|Pf|Pi|Po|Ps|S|Sc|Sk|Sm|So|Z|Zl|Zp|Zs|C|Cc|Cf|Co"
    "|Han|Latin|Greek|Cyrillic|Hiragana|Katakana|Hangul|Bopomofo|Arabic|Hebrew|Thai|Devanagari|Common"
)
_CLASSES = re.compile(
    rf"\\[pP](?:[LMNPSZC]|\{{\^?(?:{_PROPERTIES})\}})|\\x\{{(?:10|0?[0-9A-Fa-f])?[0-9A-Fa-f]{{1,4}}\}}"
)
_NAMED = re.compile(r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]")


def fault(pattern: str) -> str | None:
    """The key of the first thing that RE2 has no room for, or None."""
    if len(pattern) > MAX_LENGTH or _depth(pattern) > MAX_DEPTH:
        return "pattern.long"
    plain = _without_literals(pattern)
    if plain is None:
        return "pattern.syntax"
    if (found := _UNKNOWN_TO_RE2.search(plain)) is not None:
        return "pattern.reference" if plain[found.end()] in "123456789kg" else "pattern.escape"
    plain = _NAMED.sub("x", _CLASSES.sub("x", plain))
    if _FLAGS.search(plain) or "[:" in plain:
        return "pattern.syntax"
    named = re.sub(r"\(\?P?<(?=[A-Za-z_])", "(?P<", plain)
    outside_sets = re.sub(r"\\[bz]", r"\\B", named)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(outside_sets)
    except (re.error, OverflowError, RecursionError, ValueError):
        return "pattern.syntax"
    return _fault_in(tree)


def _without_literals(pattern: str) -> str | None:
    r"""The pattern with escaped backslashes replaced by a letter, so that `\\1` is no back-reference."""
    if re.search(r"(?<!\\)(?:\\\\)*\\$", pattern):
        return None
    return re.sub(r"\\\\", "x", pattern)


def _depth(pattern: str) -> int:
    deepest = depth = 0
    for character in pattern:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _fault_in(tree: Any) -> str | None:
    waiting: list[tuple[Any, int]] = [(tree, 1)]
    while waiting:
        part, repeated = waiting.pop()
        for code, argument in part:
            if code in (codes.ASSERT, codes.ASSERT_NOT):
                return "pattern.look"
            if code in (codes.GROUPREF, codes.GROUPREF_EXISTS, codes.GROUPREF_IGNORE):
                return "pattern.reference"
            if code in (codes.ATOMIC_GROUP, codes.POSSESSIVE_REPEAT):
                return "pattern.possessive"
            if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
                least, most, inner = argument
                highest = most if most is not codes.MAXREPEAT else least
                times = max(int(highest), 1) * repeated
                if times > MAX_REPEAT:
                    return "pattern.repeat"
                waiting.append((inner, times))
            elif code is codes.SUBPATTERN:
                waiting.append((argument[3], repeated))
            elif code is codes.BRANCH:
                waiting += [(branch, repeated) for branch in argument[1]]
    return None
