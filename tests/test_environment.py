"""`--env`: which environment a command works in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from segrules.cli.environment import environment
from segrules.cli.options import Options
from segrules.diagnostics.catalogue import help_text
from segrules.errors import WrongUsage
from segrules.model.campaign import Campaign, Environment, Policies


def ruleset(*names: str) -> Any:
    places = tuple(Environment(name, f".segrules/{name}.db") for name in names)
    return SimpleNamespace(campaign=Campaign(policies=Policies(environments=places) if names else Policies()))


def test_the_first_unless_told() -> None:
    assert environment(Options(), ruleset("dev", "prod")).name == "dev"
    assert environment(Options(env="prod"), ruleset("dev", "prod")).state == ".segrules/prod.db"
    assert environment(Options(), ruleset()).state == ".segrules/ledger.db"


@pytest.mark.parametrize(("given", "said"), [("prd", "did you mean `prod`?"), ("live", "there is: dev, prod")])
def test_one_that_is_none(given: str, said: str) -> None:
    with pytest.raises(WrongUsage) as stopped:
        environment(Options(env=given), ruleset("dev", "prod"))
    (found,) = stopped.value.diagnostics
    assert (found.code, help_text(found, "en")) == ("C940", said)
    assert help_text(found, "zh")
