"""Settings of a sink as values: texts with their variables, numbers within bounds.

In: the settings of a sink as the policies have them.  Out: a value, or `Refused` with the name of the setting.
Always: what stands as `${NAME}` is taken from the environment, and never gets into a message, a file or the ledger.

    filled("outbox", {"url": "https://${HOST}/in"}, "url")      # "https://crm.example/in"
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote

from segrules.errors import Refused
from segrules.plan.sinks.protocol import trouble

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TIME = re.compile(r"([0-9]{1,9})\s*(s|sec|seconds?|min|minutes?)", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def written(sink: str, settings: Mapping[str, object], name: str, default: str | None = None) -> str:
    """The text of a setting as it stands in the policies."""
    found = settings.get(name, default)
    if not isinstance(found, str) or not found:
        raise trouble("P950", Refused, sink, setting=name)
    return found


def filled(sink: str, settings: Mapping[str, object], name: str, default: str | None = None) -> str:
    """The text of a setting with its variables."""
    return fill(sink, written(sink, settings, name, default))


def fill(sink: str, text: str, quoted: bool = False) -> str:
    """*text* with its variables, *quoted* for a URL."""
    for variable in _VARIABLE.findall(text):
        if not os.environ.get(variable):
            raise trouble("P951", Refused, sink, name=variable)
    return _VARIABLE.sub(lambda one: quote(os.environ[one[1]], safe="") if quoted else os.environ[one[1]], text)


def secret(sink: str, variable: str) -> str:
    """The secret in a variable, which is all that the policies say of it: `CRM_SECRET`, or `${CRM_SECRET}`."""
    name = variable.removeprefix("${").removesuffix("}")
    if not _NAME.fullmatch(name):
        raise trouble("P972", Refused, sink)
    return fill(sink, f"${{{name}}}")


def number(sink: str, settings: Mapping[str, object], name: str, default: int, least: int, most: int) -> int:
    """A whole number of a setting."""
    found = settings.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
        raise trouble("P952", Refused, sink, setting=name, least=least, most=most)
    return found


def seconds(sink: str, settings: Mapping[str, object], name: str, default: int, most: int) -> int:
    """A time: whole seconds, or `30 seconds`, `2 minutes`."""
    found = settings.get(name, default)
    if isinstance(found, str) and (said := _TIME.fullmatch(found.strip())):
        found = int(said[1]) * (60 if said[2].lower().startswith("m") else 1)
    return number(sink, {name: found}, name, default, 1, most)
