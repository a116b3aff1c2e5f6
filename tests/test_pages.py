"""The pages say what the program does: made pages are up to date, and every screen in the READMEs is what it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_made_pages_are_what_the_program_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make.py"), "--check"], capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, f"run `make docs` and read the difference\n{done.stdout}{done.stderr}"
