"""What the ledger holds of one customer, on screen and as JSON.

In: what `state.forgetting.held` gives.  Out: lines, or JSON values.  Always: whoever asks names the customer; a key
that the contract marks as private is not said back; times are local in the project's zone.

    screen(customer_json(held, shown, balance, zone), "en")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segrules.diagnostics.catalogue import Language, say
from segrules.report.screen import Cell, Line, Piece, line, table
from segrules.schema.calendar import to_date
from segrules.schema.spelling import spelled
from segrules.schema.types import TIMESTAMP, Decimal
from segrules.schema.values import money
from segrules.state.related import HIDDEN

_VALUE = Decimal(4)
_CONTACT = ("key", "action", "channel", "contact_class", "variant", "state", "reason", "assignee", "award")


def customer_json(held: Mapping[str, Any], balance: int, zone: str) -> dict[str, Any]:
    """All that is held, as values of JSON; empty lists where nothing is."""

    def at(instant: int | None) -> str | None:
        return None if instant is None else spelled(instant, TIMESTAMP, zone)

    def day(number: int | None) -> str | None:
        return None if number is None else to_date(number).isoformat()

    return {
        "memberships": [
            {
                "name": each["name"], "entered": day(each["entered"]), "left": day(each["left"]),
                "entered_with": each["entered_with"], "left_with": each["left_with"],
            }
            for each in held.get("memberships", ())
        ],
        "contacts": [
            {
                **{name: each[name] for name in _CONTACT},
                "run": each["serial"], "at": at(each["at"]), "due": day(each["due"]),
                "cost": money(each["cost"]).replace(",", ""),
            }
            for each in held.get("contacts", ())
        ],
        "points": {
            "balance": balance,
            "entries": [
                {
                    "at": at(each["at"]), "reason": each["reason"], "amount": each["amount"],
                    "expires_at": at(each["expires_at"]), "source": each["source"], "row": each["source_row"],
                }
                for each in held.get("points", ())
            ],
        },
        "outcomes": [
            {
                "key": each["key"], "kind": each["kind"], "at": at(each["at"]),
                "value": None if each["value"] is None else spelled(each["value"], _VALUE, zone),
            }
            for each in held.get("outcomes", ())
        ],
    }  # fmt: skip


def screen(found: Mapping[str, Any], language: Language) -> list[Line]:
    """The memberships of today and before, contacts, points, outcomes; the names under which actions record who
    matches them are left out."""
    memberships = [each for each in found["memberships"] if not each["name"].startswith(HIDDEN)]
    blocks = (
        _block("memberships", memberships, ("name", "entered", "left"), language),
        _block("contacts", found["contacts"], ("at", "action", "channel", "variant", "state", "cost", "key"), language),
        _block("points", found["points"]["entries"], ("at", "amount", "reason", "expires_at"), language),
        _block("outcomes", found["outcomes"], ("at", "kind", "value", "key"), language),
    )
    lines = [one for block in blocks for one in block]
    if found["points"]["entries"]:
        lines += [line(), line("  ", say("ledger.balance", language, n=f"{found['points']['balance']:,}"))]
    return lines


def _block(name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], language: Language) -> list[Line]:
    title = line("  ", Piece(say(f"ledger.{name}", language), "bold"), f"  {len(rows):,}")
    shown: list[list[Cell]] = [[_cell(each[column], column, language) for column in columns] for each in rows]
    return [line(), title, *table(shown, indent=4)]


def _cell(value: Any, column: str, language: Language) -> str:
    if value is None:
        return "–"
    if column in ("at", "expires_at"):
        return str(value)[:16].replace("T", " ")
    return say(f"apply.{value}", language) if column == "state" else str(value)
