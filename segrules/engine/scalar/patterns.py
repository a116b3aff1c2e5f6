"""Patterns that are quick to look for, one text at a time.

In: an RE2 pattern.  Out: a compiled pattern of Python's, or None where the two could differ or Python's could be slow.
Always: only literal characters, `.`, `\\d`, sets of characters and ranges, anchors at the ends, and repeats of one of
these, at most one of them unbounded, mean the same in both and take at most quadratic time.

    quick(r"^1\\d{10}$")      # re.compile(r"\\A1[0-9]{10}\\Z")
"""

from __future__ import annotations

import re

_SIGN = r"\\[.\-+*?()\[\]{}^$|\\/]"
_IN_SET = rf"(?:[^\\\[\]^&~|\-]|\\d|{_SIGN})"
_ONE = rf"\\d|\.|{_SIGN}|[^\\.+*?()\[\]{{}}^$|]|\[\^?{_IN_SET}(?:-?{_IN_SET})*\]"
_PIECE = re.compile(rf"(?P<one>{_ONE})(?P<times>\?|\*|\+|\{{\d{{1,3}}\}}|\{{\d{{1,3}},\d{{0,3}}\}})?(?![?*+{{])")


def quick(pattern: str) -> re.Pattern[str] | None:
    body = pattern.removeprefix("^")
    start = r"\A" if body != pattern else ""
    ends = body.endswith("$") and not body.endswith(r"\$")
    body = body[:-1] if ends else body
    pieces: list[str] = []
    at = unbounded = 0
    while at < len(body):
        found = _PIECE.match(body, at)
        if found is None or (found["one"].startswith("[") and r"\d-" in found["one"]):
            return None
        times = found["times"] or ""
        unbounded += times in ("*", "+") or times.endswith(",}")
        pieces.append(found["one"] + times)
        at = found.end()
    if unbounded > 1:
        return None
    try:
        return re.compile(start + "".join(pieces) + (r"\Z" if ends else ""), re.ASCII)
    except (re.error, OverflowError):
        return None
