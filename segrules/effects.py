"""The one seam that every durable effect passes: commits, renames, syncs, requests.

In: the name of a boundary of the protocol and what happens there.  Out: what that gave.  Always: nothing durable is
done beside it, so that a test can stop the world before or after each of them.

    effect("files.rename", partial(os.rename, part, target))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Effect(Protocol):
    """Does what it is given, under a name such as ``accept.commit``; in tests perhaps not, or not whole."""

    def __call__(self, name: str, do: Callable[[], T]) -> T: ...


def directly(name: str, do: Callable[[], T]) -> T:
    """Just does it."""
    return do()
