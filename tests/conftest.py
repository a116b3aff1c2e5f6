"""Options of the test run; generated cases are the same in every run, but for `make fuzz`, which tries new ones."""

import os

import pytest
from hypothesis import settings

from tests.postgres import postgres_server as postgres_server
from tests.postgres import postgres_url as postgres_url

settings.register_profile("repeatable", derandomize=True)
if "SEGRULES_EXAMPLES" not in os.environ:
    settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="rewrite the expectations in tests/cases from what comes out"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, while a worker is small: they fork it thousands of times, and nobody waits for them."""
    items.sort(key=lambda item: "faults" not in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many faults struck an apply, by sink and ledger, where any did."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, [])]
    found = sorted((each[1:] for report in reports for each in report.user_properties if each[0] == "faults"), key=str)
    if found:
        terminalreporter.section("faults")
    for where, faults in found:
        counts = ", ".join(f"{name}: {number:,}" for name, number in sorted(faults.items()))
        terminalreporter.write_line(f"{where}: {sum(faults.values()):,} ({counts})")
    if found:
        terminalreporter.write_line(f"together: {sum(sum(faults.values()) for _, faults in found):,}")


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether expectations are to be rewritten."""
    return bool(request.config.getoption("--update"))
