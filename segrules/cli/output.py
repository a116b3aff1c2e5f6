"""Where a command writes: results to stdout, messages to stderr, in the reader's language.

In: the options of a command.  Out: an `Output`.  Always: JSON and workflow annotations go to stdout, so that a pipe
has them; colours appear on a terminal only, unless `--no-color` or NO_COLOR; paths are as seen from the current folder.

    output_for(options).results(lines)
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from segrules.cli.options import Format, Options
from segrules.cli.project import find_folder
from segrules.diagnostics.catalogue import Language, level, say
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.errors import SegrulesError
from segrules.report import diagnostics as report
from segrules.report.screen import Line, Piece, line, show

FORMAT_VERSION = 1
_KEYWORDS = re.compile(r"^keywords:\s*[\"']?(zh|en)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Output:
    """`folder` is the project's, or None where there is none."""

    language: Language
    format: Format
    folder: Path | None
    quiet: bool
    no_color: bool

    def results(self, lines: Sequence[Line]) -> None:
        show(lines, sys.stdout, self._coloured(sys.stdout))

    def messages(self, lines: Sequence[Line]) -> None:
        """What is said beside the results; `--quiet` leaves it out."""
        if not self.quiet:
            show(lines, sys.stderr, self._coloured(sys.stderr))

    def json(self, value: Mapping[str, Any]) -> None:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def diagnostics(self, found: Sequence[Diagnostic], results: bool) -> None:
        """Findings: where they are what was asked for (*results*) they go to stdout, else to stderr."""
        if self.quiet:
            found = [one for one in found if level(one.code) == "error"]
        match self.format:
            case Format.json:
                self.json(self.findings(found))
            case Format.github:
                self.annotations(found)
            case Format.text:
                stream = sys.stdout if results else sys.stderr
                show(report.text_lines(found, self.language, self.path), stream, self._coloured(stream))

    def warnings(self, found: Sequence[Diagnostic]) -> None:
        """Findings beside a result; in JSON the result itself holds them."""
        if found and self.format != Format.json:
            self.diagnostics(found, results=False)

    def annotations(self, found: Sequence[Diagnostic]) -> None:
        sys.stdout.write("".join(f"{one}\n" for one in report.github_lines(found, self.language, self.path)))

    def findings(self, found: Sequence[Diagnostic]) -> dict[str, Any]:
        """The JSON value of findings that nothing else goes with."""
        errors = report.errors(found)
        listed = report.as_json(found, self.language, self.path)
        return {
            "format_version": FORMAT_VERSION,
            "errors": errors,
            "warnings": len(found) - errors,
            "diagnostics": listed,
        }

    def listed(self, found: Sequence[Diagnostic]) -> list[dict[str, Any]]:
        return report.as_json(found, self.language, self.path)

    def defect(self, bug: Exception) -> None:
        """One line about a bug of ours."""
        said = " ".join(str(bug).split())[:200]
        text = say("cli.defect", self.language, kind=type(bug).__name__, message=said)
        show([line(Piece(text, "red"))], sys.stderr, self._coloured(sys.stderr))

    def path(self, name: str) -> str:
        """The path of a project's file as seen from the current folder; another name, such as `--set`, as it is."""
        if self.folder is None or Path(name).is_absolute() or not (self.folder / name).exists():
            return name
        try:
            return Path(os.path.relpath(self.folder / name)).as_posix()
        except ValueError:
            return (self.folder / name).as_posix()

    def _coloured(self, stream: TextIO) -> bool:
        return stream.isatty() and not self.no_color and not os.environ.get("NO_COLOR")


def output_for(options: Options) -> Output:
    """The output of a command; works for a folder that holds no project too."""
    try:
        folder = find_folder(options.project)
    except (SegrulesError, OSError):
        folder = None
    return Output(language_for(options, folder), options.format, folder, options.quiet, options.no_color)


def language_for(options: Options, folder: Path | None) -> Language:
    """`--lang`, else what the project file says under `keywords:`, else the locale."""
    if options.lang is not None:
        return "zh" if options.lang.value == "zh" else "en"
    if folder is not None:
        try:
            text = (folder / "segrules.yaml").read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            text = ""
        if found := _KEYWORDS.search(text):
            return "zh" if found[1] == "zh" else "en"
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"
