"""`segrules forget CUSTOMER`: what is held of a person is given out, then nobody can be found by it.

In: a customer's key (`-`: from standard input).  Out: a file with what was held, the ledger without it, the names of
files that still name them.  Always: the file is written before anything is changed, readable by its owner only; the
key is not said back.

    echo C00042 | segrules forget -
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segrules.cli.options import Format, Options


def forget(
    options: Options,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The key; `-` reads it from standard input.")],
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Where what was held is written; default: beside the ledger."),
    ] = None,
) -> int:
    """Forget a person: write out what is held, cancel what was not sent, make the rest nobody's."""
    from segrules.cli.customer import given_key, key_text
    from segrules.cli.ledger import working
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.diagnostics.catalogue import say
    from segrules.plan.leftovers import leftovers, output_folders
    from segrules.report.ledger_customer import customer_json
    from segrules.report.screen import Piece, line
    from segrules.state.forgetting import forget as forget_customer
    from segrules.state.forgetting import held
    from segrules.state.ledger import now, snapshot
    from segrules.state.points import balance_of

    output = output_for(options)
    typed = given_key(customer)
    rules = load(options)
    ruleset = rules.ruleset
    key = key_text(ruleset, typed)
    written = None
    with working(options, rules, "forget") as (ledger, epoch):
        with snapshot(ledger) as connection:
            found = held(connection, key)
            balance = balance_of(connection, key, now())
        if found:
            told = customer_json(found, balance, ruleset.contracts.timezone)
            written = _written(export, Path(ruleset.folder), {"customer": key, **told, "payloads": found["payloads"]})
        done = forget_customer(ledger, epoch, key)
    left = leftovers(Path(ruleset.folder), output_folders(ruleset.campaign.policies), key)
    shown = [each.as_posix() for each in left]
    if options.format == Format.json:
        said = {name: getattr(done, name) for name in ("known", "before", "contacts", "cancelled", "unknown", "points")}
        file = None if written is None else written.as_posix()
        output.json({"format_version": 1, **said, "export": file, "leftovers": shown})
        return 0
    language = output.language
    if done.known:
        counts = {name: f"{getattr(done, name):,}" for name in ("contacts", "cancelled", "unknown", "points")}
        output.results([line(say("forget.done", language, **counts))])
    else:
        output.results([line(say("forget.before" if done.before else "forget.nothing", language))])
    if written is not None:
        output.results([line(say("forget.export", language, file=written.as_posix()))])
    if shown:
        lines = [line(Piece(say("forget.left", language), "yellow")), *(line("  ", each) for each in shown)]
        output.results(lines)
    output.messages([line(say("forget.elsewhere", language))])
    return 0


def _written(export: Path | None, folder: Path, content: dict[str, Any]) -> Path:
    """The file with what was held. Raises `Refused` where it exists, `Unreachable` where it cannot be written."""
    import json
    import os
    import secrets

    from segrules.diagnostics.diagnostic import Diagnostic, Help
    from segrules.diagnostics.refusals import reason
    from segrules.errors import Refused, Unreachable
    from segrules.source import NOWHERE
    from segrules.state.ledger import synced

    own = folder / ".segrules" / f"forgotten-{secrets.token_hex(4)}.json"
    file = Path(os.path.relpath(own)) if export is None else export
    try:
        if export is None:
            file.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        synced(file.parent)
    except FileExistsError:
        raise Refused([Diagnostic("P947", NOWHERE, {"file": file.as_posix()}, Help("other"))]) from None
    except OSError as refused:
        why = reason(refused)
        shown = Diagnostic("P948", NOWHERE, {"file": file.as_posix(), "reason": why}, Help("folder"))
        raise Unreachable([shown]) from None
    return file
