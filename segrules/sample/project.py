"""The demo project with its data.

In: a folder.  Out: the files of `rules/demo` in it and the CSV files of `crm.write` under `data/`.  Always: a folder
that holds anything but an earlier demo is left alone; the same seed gives the same customers.

    make(Path("build/demo"))
"""

from __future__ import annotations

import shutil
from pathlib import Path

from segrules.resources import resource_folder
from segrules.sample.crm import write

MARK = "tour.sh"


def make(folder: Path, customers: int = 10_000) -> None:
    """Make the demo in *folder*; FileExistsError if it holds something that is no demo."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).exists())):
        raise FileExistsError(folder)
    shutil.copytree(resource_folder("rules") / "demo", folder, dirs_exist_ok=True)
    write(folder / "data", customers)
