"""Settings of a sink as values: texts with their variables, numbers within bounds.

In: the settings of a sink as the policies have them.  Out: a value, or `Refused` with the name of the setting.
Always: what stands as `${NAME}` is taken from the environment, and never gets into a message, a file or the ledger.

    filled("outbox", {"url": "https://${HOST}/in"}, "url")      # "https://crm.example/in"
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import quote_plus

from segrules.errors import Refused
from segrules.plan.sinks.protocol import trouble

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
    return _VARIABLE.sub(lambda one: quote_plus(os.environ[one[1]]) if quoted else os.environ[one[1]], text)


def secret(sink: str, setting: str, text: str) -> str:
    """A secret, which stands in a variable: in `policies.yaml` it would be in every copy of the project."""
    if not _VARIABLE.search(text):
        raise trouble("P972", Refused, sink, setting=setting)
    return fill(sink, text)


def number(sink: str, settings: Mapping[str, object], name: str, default: int, least: int, most: int) -> int:
    """A whole number of a setting."""
    found = settings.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
        raise trouble("P952", Refused, sink, setting=name, least=least, most=most)
    return found
