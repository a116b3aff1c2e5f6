"""From the settings of a sink to the sink.

In: name, kind and settings.  Out: a `Sink`.  Always: `files`, `sql` and `webhook` are there; other kinds come from the
entry points of the group `segrules.sinks`; a library is imported when a sink needs it.

    made("crm", "sql", {"url": "${CRM_URL}", "table": "outbox"}, project, effect)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

from segrules.effects import Effect
from segrules.errors import Refused
from segrules.plan.sinks.protocol import MakeSink, Sink, trouble

GROUP = "segrules.sinks"
KINDS = ("files", "sql", "webhook")


def made(name: str, kind: str, settings: Mapping[str, object], folder: Path, effect: Effect) -> Sink:
    """Raises `Refused` for a kind that nobody knows and for settings that are wrong."""
    return _maker(name, kind)(name, settings, folder, effect)


def _maker(name: str, kind: str) -> MakeSink:
    match kind:
        case "files":
            from segrules.plan.sinks.files import FileSink

            return FileSink.of
        case "sql":
            from segrules.plan.sinks.sql import SqlSink

            return SqlSink.of
        case "webhook":
            from segrules.plan.sinks.webhook import WebhookSink

            return WebhookSink.of
        case _:
            for entry in entry_points(group=GROUP, name=kind):
                found: MakeSink = entry.load()
                return found
            raise trouble("P973", Refused, name, kind=kind, kinds=", ".join(KINDS))
