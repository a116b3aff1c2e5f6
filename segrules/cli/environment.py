"""From `--env` to an environment: where the ledger is, and which sinks take the place of others.

In: the options of a command, the checked rules.  Out: an `Environment`.  Always: without `--env` it is the first that
policies.yaml names, and the ledger under `.segrules/` where it names none; a name that is none is `WrongUsage`.

    environment(options, rules.ruleset).state      # ".segrules/ledger.db"
"""

from __future__ import annotations

from segrules import pipeline
from segrules.cli.options import Options
from segrules.model.campaign import Environment
from segrules.model.ruleset import RuleSet


def environment(options: Options, ruleset: RuleSet) -> Environment:
    """The environment of a command. Raises `WrongUsage`."""
    return pipeline.environment_named(ruleset, options.env)
