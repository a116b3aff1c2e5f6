"""How every command ends: its exit code, whatever happens in it.

In: options and a call.  Out: an exit code (docs/commands.md has the table).  Always: exceptions of the package become
diagnostics and their exit code; a defect of ours is one line and 70 (a traceback only with `--debug`); Ctrl-C is 130;
a closed pipe is quiet.

    sys.exit(guarded(options, partial(validate_files, options, [])))
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from segrules.cli.options import Options
from segrules.errors import SegrulesError

INTERRUPTED = 130
PIPE_CLOSED = 141
OUR_BUG = 70


def guarded(options: Options, run: Callable[[], int]) -> int:
    """The exit code of *run*, whatever happens in it."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except SegrulesError as stopped:
        from segrules.cli.output import output_for

        output_for(options).diagnostics(stopped.diagnostics, results=False)
        return stopped.exit_code
    except BrokenPipeError:
        silence(sys.stdout)
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as bug:
        if options.debug:
            raise
        from segrules.cli.output import output_for

        output_for(options).defect(bug)
        return OUR_BUG


def silence(stream: Any) -> None:
    """Let nothing more be written to a closed pipe, not even when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
