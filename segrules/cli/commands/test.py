"""`segrules test`: the examples under `tests/`, on both evaluators.

In: the project's files; no data.  Out: what failed, expected against actual, with the reason.  Always: exit 1 if a
test fails; a test file that is wrong is invalid rules.

    segrules test --format github
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def test(
    options: Options,
    names: Annotated[list[str] | None, typer.Argument(help="Only tests whose name contains one of these.")] = None,
) -> int:
    """Run the example customers in tests/ and show expected against actual, with the reason."""
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.diagnostics.catalogue import say
    from segrules.diagnostics.diagnostic import Diagnostic
    from segrules.errors import InvalidRules, WrongUsage
    from segrules.report.screen import line
    from segrules.source import NOWHERE
    from segrules.testing.outcome import as_json, screen
    from segrules.testing.read import read_tests
    from segrules.testing.run import run

    rules = load(options)
    output = output_for(options)
    tests = read_tests(rules.ruleset, rules.project.tests)
    if tests.diagnostics:
        raise InvalidRules([*rules.warnings, *tests.diagnostics])
    chosen = [each for each in tests.tests if not names or any(part in each.name.text for part in names)]
    if names and not chosen:
        wanted = ", ".join(f"`{each}`" for each in names)
        raise WrongUsage([Diagnostic("C920", NOWHERE, {"names": wanted})])
    verdicts = run(rules.project, rules.ruleset, chosen)
    match options.format:
        case Format.json:
            output.json(as_json(rules.ruleset, verdicts, output.language, output.path))
        case Format.github:
            output.annotations([one for verdict in verdicts for one in verdict.diagnostics])
        case Format.text:
            output.warnings(rules.warnings)
            output.results(screen(verdicts, output.language, output.path))
            if not verdicts:
                folder = "tests" if rules.project.file is None else rules.project.file.tests.text.strip("/")
                output.messages([line(say("tests.none", output.language, folder=folder))])
    return 1 if any(verdict.diagnostics for verdict in verdicts) else 0
