"""The command line.

In: the arguments of the process.  Out: text on stdout and stderr, an exit code (docs/commands.md has the table).
Always: UTF-8, whatever the locale; a plain `segrules validate` starts without building the whole application.

    main(["validate"])
"""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from pathlib import Path

from segrules.cli.ending import INTERRUPTED, PIPE_CLOSED, REFUSED, guarded, silence
from segrules.cli.quick import plain_validate


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process."""
    if arguments is None and sys.getfilesystemencoding() == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    _open_streams()
    gc.set_threshold(100_000)
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except BrokenPipeError:
        silence(sys.stdout)
        sys.exit(PIPE_CLOSED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError:
        silence(sys.stdout)
        sys.exit(REFUSED)


def _run(given: list[str]) -> None:
    if (plain := plain_validate(given)) is not None:
        from segrules.cli.validation import validate_files

        options, paths = plain
        sys.exit(guarded(options, partial(validate_files, options, paths)))
    from segrules.cli.application import application

    application()(given, prog_name="segrules")


def _open_streams() -> None:
    """UTF-8 on every stream; what the caller closed reads and writes nothing."""
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open(encoding="utf-8")
    sys.stdout = sys.stdout or nothing.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nothing.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
