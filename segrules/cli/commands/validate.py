"""`segrules validate [PATHS]`: everything that is wrong with the files, in one run.

In: the project's files; no data.  Out: diagnostics on stdout, sorted by place; exit 1 if one is an error.  Always:
rules, contracts and test files are checked, whatever PATHS says: it chooses whose findings are shown. numpy and
pandas are not imported.

    segrules validate rules/vip.yaml
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def validate(
    options: Options,
    paths: Annotated[list[Path] | None, typer.Argument(help="Show findings in these files or folders only.")] = None,
) -> int:
    """Check syntax, names, types, structure and references: all problems in one run, no data."""
    from segrules import pipeline
    from segrules.cli.output import output_for
    from segrules.cli.project import find_folder, overrides
    from segrules.diagnostics.diagnostic import in_order
    from segrules.report.diagnostics import errors, summary
    from segrules.report.screen import line
    from segrules.testing.read import read_tests

    folder = find_folder(options.project)
    output = output_for(options)
    project, ruleset, found = pipeline.examine(folder, overrides(options))
    if ruleset is not None:
        found = [*found, *read_tests(ruleset, project.tests).diagnostics]
    everything = in_order(found)
    chosen = [one for one in everything if _inside(one.span.place.file, folder, paths)] if paths else list(everything)
    if options.format == Format.json:
        output.json(output.findings(chosen))
    else:
        output.diagnostics(chosen, results=True)
    if options.format == Format.text:
        output.messages([line(summary(chosen, output.language))])
    return 1 if errors(chosen) else 0


def _inside(file: str, folder: Path, paths: list[Path]) -> bool:
    place = (folder / file).resolve()
    return any(place.is_relative_to(path.resolve()) for path in paths)
