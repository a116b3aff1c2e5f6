"""Folders that ship with the package but stand beside it in the repository: `schemas` and `rules`.

In: a name.  Out: the folder.  Always: the same files whether the package runs from a wheel, where the build has put
them inside it, or from a working copy, where they are beside it.

    resource_folder("schemas") / "rules.schema.json"
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).parent
_SHIPPED = {"schemas": "schemas", "rules": "packs"}


@cache
def resource_folder(name: Literal["schemas", "rules"]) -> Path:
    """The folder *name*; FileNotFoundError if the installation lacks it."""
    for folder in (_PACKAGE / _SHIPPED[name], _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"this installation of segrules lacks its folder `{name}`")
