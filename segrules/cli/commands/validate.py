"""`segrules validate [PATHS]`: its arguments; `cli.validation` carries it out.

In: the project's files; no data.  Out: diagnostics on stdout, sorted by place; exit 1 if one is an error.  Always:
the same as the plain form that `cli.quick` reads.

    segrules validate rules/vip.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segrules.cli.options import Options


def validate(
    options: Options,
    paths: Annotated[list[Path] | None, typer.Argument(help="Show findings in these files or folders only.")] = None,
) -> int:
    """Check syntax, names, types, structure and references: all problems in one run, no data."""
    from segrules.cli.validation import validate_files

    return validate_files(options, paths or [])
