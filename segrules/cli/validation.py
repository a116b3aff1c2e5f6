"""Everything that is wrong with the files of a project, in one run.

In: options, paths.  Out: diagnostics on stdout, sorted by place; the exit code 1 if one is an error.  Always: rules,
contracts and test files are checked, whatever the paths say: they choose whose findings are shown. Data is not read;
numpy and pandas are not imported.

    validate_files(Options(), [Path("rules/vip.yaml")])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from segrules import pipeline
from segrules.cli.options import Format, Options
from segrules.cli.output import output_for
from segrules.cli.project import overrides, project_of, real_path
from segrules.diagnostics.catalogue import say
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words, in_order
from segrules.errors import WrongUsage
from segrules.files.documents import Project
from segrules.files.load import POLICIES_FILE, PROJECT_FILE
from segrules.files.project import DEFAULT_RULES, DEFAULT_TESTS
from segrules.report.diagnostics import errors, summary
from segrules.report.screen import line
from segrules.source import NOWHERE


def validate_files(options: Options, paths: Sequence[Path]) -> int:
    """Show every finding in *paths* (all files without), and say how many there are elsewhere."""
    folder = project_of(options, paths)
    output = output_for(replace(options, project=folder))
    day = None if options.as_of is None else pipeline.parse_day(options.as_of)
    project, ruleset, found = pipeline.examine(folder, overrides(options), day)
    if ruleset is not None and any(file.tests for file in project.tests):
        from segrules.check.consequences import without_consequences
        from segrules.testing.read import read_tests

        examples = read_tests(ruleset, project.tests).diagnostics
        found = [*found, *without_consequences(project, found, examples)]
    everything = in_order(found)
    _check_paths(folder, project, [one.span.place.file for one in everything], paths)
    chosen = [one for one in everything if _inside(one.span.place.file, folder, paths)] if paths else list(everything)
    if options.format == Format.json:
        output.json(output.findings(chosen))
    else:
        output.diagnostics(chosen, results=True)
    if options.format == Format.text:
        if ruleset is not None and not everything:
            files, names = len(project.rules), len(ruleset.definitions)
            output.messages(
                [
                    line(
                        say(
                            "cli.ok",
                            output.language,
                            files=Words("cli.rule_files", {"n": files}),
                            names=Words("cli.names", {"n": names}),
                        )
                    )
                ]
            )
        else:
            output.messages([line(summary(chosen, output.language))])
        if elsewhere := len(everything) - len(chosen):
            output.messages([line(say("cli.elsewhere", output.language, n=elsewhere))])
    return 1 if errors(chosen) else 0


def _check_paths(folder: Path, project: Project, others: Sequence[str], paths: Sequence[Path]) -> None:
    """Whether a file of the project is at each of *paths*. Raises `WrongUsage`."""
    folders = (DEFAULT_RULES, DEFAULT_TESTS)
    if project.file is not None:
        folders = (project.file.rules.text, project.file.tests.text)
    read = [file.span for file in project.rules] + [file.span for file in project.tests]
    if not paths:
        return
    known = [
        real_path(folder / each)
        for each in (PROJECT_FILE, POLICIES_FILE, *folders, *(span.place.file for span in read), *others)
    ]
    tables = real_path(folder / folders[0])
    for path in paths:
        place = real_path(path)
        is_table = place.suffix != "" and place.is_relative_to(tables) and place.suffix not in (".yaml", ".yml")
        if not is_table and not any(each.is_relative_to(place) for each in known):
            way_out = Help("files", {"rules": folders[0].strip("/"), "tests": folders[1].strip("/")})
            raise WrongUsage([Diagnostic("C925", NOWHERE, {"path": path.as_posix()}, way_out)])


def _inside(file: str, folder: Path, paths: Sequence[Path]) -> bool:
    place = real_path(folder / file)
    return any(place.is_relative_to(real_path(path)) for path in paths)
