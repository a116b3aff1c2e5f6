"""From `--env` to an environment: where the ledger is, and which sinks take the place of others.

In: the options of a command, the checked rules.  Out: an `Environment`.  Always: without `--env` it is the first that
policies.yaml names, and the ledger under `.segrules/` where it names none; a name that is none is `WrongUsage`.

    environment(options, rules.ruleset).state      # ".segrules/ledger.db"
"""

from __future__ import annotations

from segrules.check.suggest import nearest
from segrules.cli.options import Options
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.errors import WrongUsage
from segrules.model.campaign import Environment
from segrules.model.ruleset import RuleSet
from segrules.source import NOWHERE


def environment(options: Options, ruleset: RuleSet) -> Environment:
    """The environment of a command. Raises `WrongUsage`."""
    known = {each.name: each for each in ruleset.campaign.policies.environments}
    if options.env is None:
        return next(iter(known.values()))
    if options.env in known:
        return known[options.env]
    near = nearest(options.env, known)
    way_out = Help("names", {"names": ", ".join(known)}) if near is None else Help("did_you_mean", {"name": near})
    raise WrongUsage([Diagnostic("C940", NOWHERE, {"name": options.env}, way_out)])
