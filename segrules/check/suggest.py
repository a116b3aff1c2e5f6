"""The name that was probably meant.

In: what was written and the names there are.  Out: the likeliest of them, or None.  Always: near means a slip or two
of the fingers (a letter more, less, other or swapped), upper and lower case and `_` apart; an index keeps it cheap
with thousands of names and thousands of mistakes.

    nearest("spnd", ("spend", "city"))      # 'spend'
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

MAX_LENGTH = 60


def nearest(written: str, names: Iterable[str]) -> str | None:
    """The name most like *written*, the first of equals; None if none is near."""
    if len(written) > MAX_LENGTH:
        return None
    word = _plain(written)
    near: dict[str, None] = {}
    index = _index(tuple(names))
    for key in chain((word,), _shorter(word), chain.from_iterable(_shorter(each) for each in _shorter(word))):
        near.update(dict.fromkeys(index.get(key, ())))
    limit = 1 if len(word) < 5 else 2
    ranked = [
        (distance, at, name) for at, name in enumerate(near) if (distance := _distance(word, _plain(name))) <= limit
    ]
    best = min(ranked, default=None)
    return best[2] if best is not None and best[0] < max(len(word), 2) else None


@lru_cache(maxsize=16)
def _index(names: tuple[str, ...]) -> dict[str, list[str]]:
    """Every name under its own spelling and under each spelling with one letter left out."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if len(name) <= MAX_LENGTH:
            word = _plain(name)
            for key in (word, *_shorter(word)):
                found.setdefault(key, []).append(name)
    return found


def _plain(word: str) -> str:
    return word.casefold().replace("_", "") or word


def _shorter(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))} if len(word) > 1 else set()


def _distance(a: str, b: str) -> int:
    """Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        above, row = row, [i]
        for j, y in enumerate(b, 1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = above
    return row[-1]
