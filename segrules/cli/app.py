"""The command line.

In: the arguments of the process.  Out: text on stdout and stderr, an exit code (docs/commands.md has the table).
Always: UTF-8, whatever the locale; a plain `segrules validate` starts without building the whole application.

    main(["validate"])
"""

from __future__ import annotations

import gc
import sys
from functools import partial

from segrules.cli.ending import INTERRUPTED, PIPE_CLOSED, guarded, silence
from segrules.cli.quick import plain_validate


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    gc.set_threshold(100_000)
    given = sys.argv[1:] if arguments is None else arguments
    if (plain := plain_validate(given)) is not None:
        from segrules.cli.validation import validate_files

        options, paths = plain
        sys.exit(guarded(options, partial(validate_files, options, paths)))
    from segrules.cli.application import application

    try:
        application()(given, prog_name="segrules")
    except BrokenPipeError:
        silence(sys.stdout)
        sys.exit(PIPE_CLOSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
