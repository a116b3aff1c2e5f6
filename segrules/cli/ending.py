"""How every command ends: its exit code, whatever happens in it.

In: options and a call.  Out: an exit code (docs/commands.md has the table).  Always: exceptions of the package become
diagnostics and their exit code; what the system refuses (a full disk, a folder that may not be read) is said as such;
a defect of ours is one line and 70 (a traceback only with `--debug`); Ctrl-C is 130; a closed pipe is quiet.

    sys.exit(guarded(options, partial(validate_files, options, [])))
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from segrules.cli.options import Format, Options
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.diagnostics.refusals import reason
from segrules.errors import SegrulesError
from segrules.source import NOWHERE

REFUSED = 4
OUR_BUG = 70
INTERRUPTED = 130
PIPE_CLOSED = 141


def guarded(options: Options, run: Callable[[], int]) -> int:
    """The exit code of *run*, whatever happens in it."""
    try:
        code = _completed(options, run)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        silence(sys.stdout)
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as refused:
        if options.debug:
            traceback.print_exc()
        return _refused(options, refused)


def silence(stream: Any) -> None:
    """Let nothing more be written to a closed pipe or a full disk, not even when Python ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _completed(options: Options, run: Callable[[], int]) -> int:
    try:
        return run()
    except SegrulesError as stopped:
        from segrules.cli.output import output_for

        output_for(options).diagnostics(stopped.diagnostics, results=False)
        return stopped.exit_code
    except OSError:
        raise
    except Exception as bug:
        if options.debug:
            raise
        from segrules.cli.output import output_for

        output_for(options).defect(bug)
        return OUR_BUG


def _refused(options: Options, refused: OSError) -> int:
    """Say what the system refused; where not even that can be said, the exit code stays."""
    from segrules.cli.output import output_for

    name = refused.filename
    if name is None:
        silence(sys.stdout)
        options = replace(options, format=Format.text)
        found = Diagnostic("C922", NOWHERE, {"reason": reason(refused)})
    else:
        found = Diagnostic("C923", NOWHERE, {"reason": reason(refused), "file": str(name)})
    try:
        output_for(options).diagnostics([found], results=False)
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)
    return REFUSED
