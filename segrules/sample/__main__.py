"""`python -m segrules.sample FOLDER`: the demo project with its data, ready to run.

In: a folder that does not exist or was made by this command.  Out: the rule files of `rules/demo` and the CSV files
of `crm.write`.  Always: a folder with anything else in it is left alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from segrules.sample.project import make


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m segrules.sample FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        make(folder)
    except FileExistsError:
        print(f"{folder} holds something else; name another folder", file=sys.stderr)
        return 2
    print(f"{folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
