"""The one catalogue of messages, in English and Chinese.

In: a code or a key of the user interface.  Out: its text in a language, filled with arguments.  Always: every entry
has both languages with the same fields (a test holds this); the files are read once, when the first text is wanted; of
a text of the user that is very long the beginning is said.

`catalogue/*.toml`, one file per family of codes and `ui.toml` for everything else that is said to people:

    [T403]
    level = "error"
    en = "cannot compare `{left}` ({left_type}) with `{right}` ({right_type})"
    zh = "……"
    [T403.help.convert]
    en = "…"
    zh = "…"

English may have `en_one`, said where the argument that `counts` names (`n` unless told) is 1.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

from segrules.diagnostics.diagnostic import Argument, Diagnostic, Words

MAX_SHOWN = 1000
Language = Literal["en", "zh"]
Level = Literal["error", "warning"]


@cache
def entries(beginning: str = "") -> Mapping[str, Mapping[str, Any]]:
    """Every entry of the catalogue by its key: a diagnostic code such as ``T403``, or a user-interface key; of the
    files whose name has that *beginning*."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(resources.files("segrules.diagnostics").joinpath("catalogue").iterdir(), key=lambda f: f.name):
        if file.name.startswith(beginning) and file.name.endswith(".toml"):
            found.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return found


def entry(key: str) -> Mapping[str, Any]:
    """The entry of *key*, from the files of its family where it stands there: a command that says little reads
    little."""
    family = "ui" if "." in key else key[:1].lower()
    found = entries(family).get(key)
    return entries()[key] if found is None else found


def say(key: str, language: Language, /, **args: Argument) -> str:
    """The text of *key* in *language*, its fields filled from *args*."""
    return fill(template(entry(key), language, args), language, args)


def template(texts: Mapping[str, Any], language: Language, args: Mapping[str, Argument]) -> str:
    """The text of *language* that fits the number of things."""
    if language == "en" and "en_one" in texts and args.get(texts.get("counts", "n")) in (1, "1"):
        return str(texts["en_one"])
    return str(texts[language])


def message(diagnostic: Diagnostic, language: Language) -> str:
    """What the diagnostic says, without place and code, on one line whatever it quotes."""
    return _on_one_line(fill(template(entry(diagnostic.code), language, diagnostic.args), language, diagnostic.args))


def help_text(diagnostic: Diagnostic, language: Language) -> str | None:
    """The way out that the diagnostic offers, if any."""
    if diagnostic.help is None:
        return None
    way_out = entry(diagnostic.code)["help"][diagnostic.help.key]
    return fill(template(way_out, language, diagnostic.help.args), language, diagnostic.help.args)


def _on_one_line(text: str) -> str:
    return " ".join(text.split()) if len(text.splitlines()) > 1 else text


def level(code: str) -> Level:
    return "warning" if entry(code).get("level") == "warning" else "error"


def fill(text: str, language: Language, args: Mapping[str, Argument]) -> str:
    return text.format_map({name: _shown(value, language) for name, value in args.items()})


def _shown(value: Argument, language: Language) -> str | int | float:
    match value:
        case Words(key, args):
            return say(key, language, **args)
        case str() if len(value) > MAX_SHOWN:
            return f"{value[:MAX_SHOWN]}…"
        case _:
            return value
