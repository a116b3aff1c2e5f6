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


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    """Whether expectations are to be rewritten."""
    return bool(request.config.getoption("--update"))
