"""The real data sets: found beside the project, or skipped with the reason."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

DATA = Path(os.environ.get("SEGRULES_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
PROJECTS = Path(__file__).parent / "projects"
RULES = Path(__file__).parents[2] / "rules"


def needs(data: str) -> None:
    """Skip, with the reason, where a data set is absent; fail where it is required (as CI does)."""
    if (DATA / data).is_dir():
        return
    if os.environ.get("SEGRULES_REQUIRE_DATA") == "1":
        pytest.fail(f"the data set {data} is required here and absent")
    pytest.skip(f"the data set {data} is not beside the project (set SEGRULES_DATA to its folder)")


@pytest.fixture
def real_project(tmp_path: Path) -> Callable[[Path, str], Path]:
    """A copy of a project whose `data` folder is one of the real data sets."""

    def make(project: Path, data: str) -> Path:
        needs(data)
        folder = tmp_path / project.name
        shutil.copytree(project, folder)
        (folder / "data").symlink_to(DATA / data, target_is_directory=True)
        return folder

    return make
