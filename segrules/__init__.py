"""Declarative rules for customer segmentation and targeted marketing.

In: a folder of rule files and tables.  Out: who is in which segment, and why.  Always: importing this package is
light; pandas and the engines are imported when something is evaluated.

    import segrules
    run = segrules.load("demo").evaluate(as_of="2026-06-30")
    run.counts
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segrules.api import Bound as Bound
    from segrules.api import Project as Project
    from segrules.api import Run as Run
    from segrules.api import load as load
    from segrules.errors import BrokenContract as BrokenContract
    from segrules.errors import InvalidRules as InvalidRules
    from segrules.errors import RunStopped as RunStopped
    from segrules.errors import SegrulesError as SegrulesError
    from segrules.errors import WrongUsage as WrongUsage

__version__ = "0.1.0"

__all__ = [
    "Bound",
    "BrokenContract",
    "InvalidRules",
    "Project",
    "Run",
    "RunStopped",
    "SegrulesError",
    "WrongUsage",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `segrules` has no attribute `{name}`")
    home = "segrules.api" if name in ("Bound", "Project", "Run", "load") else "segrules.errors"
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
