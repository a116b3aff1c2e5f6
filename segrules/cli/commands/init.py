"""`segrules init [DIR]`: a small project that validates and tests at once.

In: a folder, which may exist.  Out: its files, with made-up customers from a fixed seed.  Always: no file is
overwritten; if one of them exists nothing is written.

    segrules init crm --lang zh
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def init(
    options: Options,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to begin; made if it is not there.")] = Path(),
) -> int:
    """Begin a small project with rules, tests and sample data."""
    from segrules.cli.output import Output, language_for
    from segrules.cli.start.project import files
    from segrules.diagnostics.catalogue import say
    from segrules.diagnostics.diagnostic import Diagnostic, Help
    from segrules.diagnostics.refusals import reason
    from segrules.errors import SegrulesError, WrongUsage
    from segrules.report.screen import Piece, line
    from segrules.source import NOWHERE

    language = language_for(options, None)
    output = Output(language, options.format, folder, options.quiet, options.no_color)
    written = files(language)
    if there := [path for path in written if (folder / path).exists()]:
        raise WrongUsage([Diagnostic("C906", NOWHERE, {"files": ", ".join(there)}, Help("elsewhere"))])
    try:
        for path, text in written.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as refused:
        raise SegrulesError(
            [Diagnostic("C913", NOWHERE, {"file": folder.as_posix(), "reason": reason(refused)})]
        ) from None
    shown = [(folder / path).as_posix() for path in written]
    if options.format == Format.json:
        output.json({"format_version": 1, "files": shown})
        return 0
    output.results([line(Piece(say("cli.created", language), "green"), " ", each) for each in shown])
    target = "" if folder == Path() else f" --project {folder.as_posix()}"
    steps = [f"segrules {each}{target}" for each in ("validate", "test", "evaluate --as-of 2026-06-30")]
    output.messages([line(), line(say("cli.next", language)), *(line("  ", each) for each in steps)])
    return 0
