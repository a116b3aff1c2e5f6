"""`segrules proof ACTION --to ADDRESS`: one test contact through the action's sink.

In: an action, an address, the project and its tables.  Out: one contact at the sink, marked as a proof.  Always: the
ledger neither needs to exist nor learns of it.

    segrules proof winback_coupon --to 13800000000
"""

from __future__ import annotations

from typing import Annotated

import typer

from segrules.cli.options import Options


def proof(
    options: Options,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The action's id.")],
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="Where the proof goes.")],
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="One of the action's channels; default: the first.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="KEY", help="For whom it is rendered; default: the first who matches."),
    ] = None,
) -> int:
    """Render one test contact and deliver it, outside of the ledger."""
    from segrules.cli.applying import proved

    return proved(options, action, to, channel, customer)
