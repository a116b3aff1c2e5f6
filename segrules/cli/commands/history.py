"""`segrules history`: who applied what from which commit, with what effect; or what is held of one customer.

In: the ledger.  Out: a line for each run, the newest first; with `--customer` memberships, contacts, points and
outcomes.  Always: the ledger is only read; a customer is shown only to who names them.

    segrules history --customer C00042
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules.cli.options import Format, Options


def history(
    options: Options,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="KEY", help="What is held of one; `-` reads the key from standard input."),
    ] = None,
) -> int:
    """Show every run and what it did, or all that the ledger holds of one customer."""
    from segrules.cli.customer import given_key, key_text, shown_key
    from segrules.cli.ledger import ledger_of
    from segrules.cli.output import output_for
    from segrules.cli.project import load
    from segrules.diagnostics.catalogue import say
    from segrules.report import ledger_customer
    from segrules.report.ledger import run_json, runs_screen
    from segrules.report.screen import Piece, line
    from segrules.state.forgetting import held, is_forgotten
    from segrules.state.ledger import identity, now, snapshot
    from segrules.state.overview import Done, done
    from segrules.state.points import balance_of
    from segrules.state.runs import runs

    output = output_for(options)
    typed = None if customer is None else given_key(customer)
    rules = load(options)
    key = None if typed is None else key_text(rules.ruleset, typed)
    where, ledger = ledger_of(options, rules)
    zone = rules.ruleset.contracts.timezone
    with snapshot(ledger) as connection:
        lineage = identity(connection).lineage
        head = {"format_version": 1, "environment": where.name, "lineage": lineage}
        if key is None:
            every, did = runs(connection), done(connection)
        else:
            found = held(connection, key)
            forgotten = is_forgotten(connection, key)
            balance = balance_of(connection, key, now())
    if key is None:
        if options.format == Format.json:
            output.json(head | {"runs": [run_json(each, did.get(each.serial, Done()), zone) for each in every]})
        else:
            output.results(runs_screen(every, did, zone, output.language))
        return 0
    told = ledger_customer.customer_json(found, balance, zone)
    shown = shown_key(rules.ruleset, key)
    if options.format == Format.json:
        output.json(head | {"customer": shown, "known": bool(found), "forgotten": forgotten} | told)
        return 0
    state = "known" if found else "forgotten" if forgotten else "not_known"
    title = line(Piece(shown, "bold"), f" · {say(f'ledger.customer_{state}', output.language)} · {where.name}")
    output.results([title, *(ledger_customer.screen(told, output.language) if found else [])])
    return 0
