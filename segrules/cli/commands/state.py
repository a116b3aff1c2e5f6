"""`segrules state …`: the ledger made, copied, brought up to date, unlocked, pruned; ends of contacts told by hand.

In: the environment.  Out: the ledger.  Always: a ledger is made only by `state init`; what changes it does so under its
lock, whole or not at all.

    segrules state init --env prod
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from segrules.cli.options import Format, Options


def init(options: Options) -> int:
    """Make the ledger of an environment and pin it in segrules.lock."""
    from segrules.cli.environment import environment
    from segrules.cli.ignoring import ignore
    from segrules.cli.project import load
    from segrules.plan.leftovers import output_folders
    from segrules.state.begin import begun

    rules = load(options)
    where = environment(options, rules.ruleset)
    folder = Path(rules.ruleset.folder)
    place, lineage, new = begun(where.state, folder, where.name)
    added = ignore(folder, output_folders(rules.ruleset.campaign.policies))
    shown = {"lineage": lineage, "place": place, "environment": where.name}
    texts = [("state.created" if new else "state.pinned", shown)]
    texts += [("state.ignored", {"lines": ", ".join(added)})] if added else []
    return _said(options, {**shown, "created": new, "ignored": added}, texts)


def backup(
    options: Options,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is written; never over a file.")],
) -> int:
    """Write a copy of the ledger as it is now."""
    from segrules.cli.ledger import ledger_of
    from segrules.cli.project import load
    from segrules.state.upkeep import backup as copy

    _, ledger = ledger_of(options, load(options))
    copy(ledger, file)
    shown = {"place": ledger.place, "file": file.as_posix()}
    return _said(options, shown, [("state.copied", shown)])


def upgrade(options: Options) -> int:
    """Bring a ledger of an older version up to date, after a copy of it."""
    from segrules.cli.environment import environment
    from segrules.cli.project import load
    from segrules.plan.site import author
    from segrules.state.ledger import identity, opened, snapshot
    from segrules.state.lockfile import checked
    from segrules.state.upgrade import upgrade as bring_up

    rules = load(options)
    where = environment(options, rules.ruleset)
    folder = Path(rules.ruleset.folder)
    ledger = opened(where.state, folder, any_schema=True)
    with snapshot(ledger) as connection:
        checked(folder, where.name, identity(connection))
    before, after = bring_up(ledger, f"{author()}, state upgrade")
    shown = {"before": before, "after": after}
    return _said(options, shown, [("state.newest" if before == after else "state.upgraded", shown)])


def unlock(
    options: Options, yes: Annotated[bool, typer.Option("--yes", help="End the session of who holds the lock.")] = False
) -> int:
    """Say who holds the lock; on a server, end their session."""
    from segrules.cli.ledger import ledger_of
    from segrules.cli.project import load
    from segrules.state.ledger import owner
    from segrules.state.lock import end_owner

    _, ledger = ledger_of(options, load(options))
    found = owner(ledger)
    ended = found is not None and yes and end_owner(ledger.where, ledger.engine)
    texts: list[tuple[str, dict[str, Any]]] = []
    if found is None:
        texts = [("state.free", {})]
    elif ended:
        texts = [("state.ended", {"owner": found})]
    else:
        texts = [("state.held", {"owner": found}), *([("state.ask", {})] if ledger.file is None else [])]
    return _said(options, {"owner": found, "ended": ended}, texts)


def prune(
    options: Options,
    keep: Annotated[
        str, typer.Option("--keep", metavar="PERIOD", help="Details of runs of this period stay: '24 months'.")
    ],
) -> int:
    """Drop details of old runs; what repeats, caps, budgets and balances need stays for ever."""
    from segrules.check.amounts import period
    from segrules.cli.ledger import working
    from segrules.cli.project import as_of, load
    from segrules.diagnostics.diagnostic import Diagnostic, Help
    from segrules.errors import WrongUsage
    from segrules.files.documents import Scalar
    from segrules.schema.calendar import shift
    from segrules.source import NOWHERE
    from segrules.state.upkeep import prune as drop

    rules = load(options)
    found = period(Scalar(keep, keep, False), [])
    first = None if found is None else shift(as_of(options, rules.ruleset), -found.amount, found.unit)
    if first is None:
        raise WrongUsage([Diagnostic("C941", NOWHERE, {"text": keep}, Help("period"))])
    with working(options, rules, "state prune") as (ledger, epoch):
        done = drop(ledger, epoch, first)
    shown = {name: getattr(done, name) for name in ("serial", "stays", "contacts", "outcomes")}
    said = {name: f"{value:,}" for name, value in shown.items()}
    return _said(options, shown, [("state.pruned", said) if done.serial else ("state.nothing_old", {})])


def resolve(
    options: Options,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The contact's, as `status` lists it.")],
    end: Annotated[Literal["delivered", "not-sent"], typer.Argument(help="What became of it.")],
) -> int:
    """Say what became of a contact of which nobody knows whether it was sent."""
    from segrules.cli.ledger import working
    from segrules.cli.project import load
    from segrules.diagnostics.diagnostic import Words
    from segrules.state.upkeep import ENDS
    from segrules.state.upkeep import resolve as tell

    with working(options, load(options), "state resolve") as (ledger, epoch):
        changed = tell(ledger, epoch, key, end)
    shown = {"key": key, "state": Words(f"apply.{ENDS[end]}")}
    text = "state.resolved" if changed else "state.resolved_before"
    return _said(options, {"key": key, "state": ENDS[end], "changed": changed}, [(text, shown)])


def _said(options: Options, value: dict[str, Any], texts: list[tuple[str, dict[str, Any]]]) -> int:
    from segrules.cli.output import output_for
    from segrules.diagnostics.catalogue import say
    from segrules.report.screen import line

    output = output_for(options)
    if options.format == Format.json:
        output.json({"format_version": 1, **value})
    else:
        output.results([line(say(key, output.language, **shown)) for key, shown in texts])
    return 0


STATE = (init, backup, upgrade, unlock, prune, resolve)
