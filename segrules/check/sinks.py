"""Sinks, and the environments that replace some of them.

In: sinks and environments as written.  Out: `SinkSettings` and `Environment`s.  Always: the keys of the three built-in
kinds have been checked with the shape of the file; another kind is one that an installed package brings, and keeps
what was written; secrets are names of environment variables; lengths of time are seconds.

    sinks((WrittenSink(Word("files"), Word("files"), {Word("folder"): …}),), found)["files"].kind      # "files"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from segrules.check.amounts import duration
from segrules.check.suggest import nearest
from segrules.diagnostics.diagnostic import Diagnostic, Help, Words
from segrules.files.campaign import WrittenEnvironment, WrittenSink
from segrules.files.documents import Scalar
from segrules.model.campaign import DEFAULT_ENVIRONMENT, Environment, SinkSettings
from segrules.source import Word

KINDS = ("files", "sql", "webhook")
GROUP = "segrules.sinks"
"""The entry points of other packages that bring a kind of sink, called like the kind."""

Setting = str | int | bool | tuple[str, ...]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRETS = ("secret", "secrets", "authorization")
_WEB = re.compile(r"(?:https?://|\$\{)[^\s]*", re.IGNORECASE)


def sinks(written: Iterable[WrittenSink], found: list[Diagnostic]) -> dict[str, SinkSettings]:
    """Sinks by name."""
    made: dict[str, SinkSettings] = {}
    for each in written:
        first = made.get(each.name.text)
        if first is not None:
            found.append(twice(each.name, "sink", Word(first.name, first.span)))
            continue
        made[each.name.text] = SinkSettings(
            each.name.text, _kind(each, found), _settings(each, found), span=each.name.span
        )
    return made


def environments(
    written: Iterable[WrittenEnvironment], known: Mapping[str, SinkSettings], found: list[Diagnostic]
) -> tuple[Environment, ...]:
    """Environments in the order written; the default one where there is none."""
    made: dict[str, Environment] = {}
    named: dict[str, Word] = {}
    for each in written:
        if (first := named.setdefault(each.name.text, each.name)) is not each.name:
            found.append(twice(each.name, "environment", first))
            continue
        own = sinks(each.sinks, found)
        for sink in own.values():
            if sink.name not in known:
                found.append(unknown("N318", Word(sink.name, sink.span), known))
        made[each.name.text] = Environment(each.name.text, each.state, own)
    return tuple(made.values()) or (DEFAULT_ENVIRONMENT,)


def unknown(code: str, word: Word, known: Iterable[str]) -> Diagnostic:
    """A name of policies.yaml that nothing has."""
    names = list(known)
    help_ = Help("known", {"known": ", ".join(f"`{name}`" for name in names)}) if names else Help("none")
    if meant := nearest(word.text, names):
        help_ = Help("did_you_mean", {"suggestion": meant})
    return Diagnostic(code, word.span, {"name": word.text}, help_)


def twice(word: Word, kind: str, first: Word) -> Diagnostic:
    """A name that is defined a second time."""
    said = Words(f"entry.{kind}")
    return Diagnostic("N302", word.span, {"name": word.text, "kind": said, "first": said}, also=(first.span,))


def _kind(written: WrittenSink, found: list[Diagnostic]) -> str:
    kind = written.kind
    if kind is None:
        return ""
    if kind.text not in KINDS:
        from importlib.metadata import entry_points

        others = sorted(each.name for each in entry_points(group=GROUP))
        if kind.text not in others:
            found.append(unknown("N319", kind, (*KINDS, *others)))
    return kind.text


def _settings(written: WrittenSink, found: list[Diagnostic]) -> dict[str, Setting]:
    web = written.kind is not None and written.kind.text == "webhook"
    made: dict[str, Setting] = {}
    for key, value in written.settings.items():
        name = key.text
        if web and name == "timeout" and isinstance(value, Scalar):
            seconds = duration(value, found)
            if seconds is not None:
                made[name] = seconds
            continue
        if web and name in _SECRETS:
            _variables((value,) if isinstance(value, Scalar) else value, found)
        if web and name == "url" and isinstance(value, Scalar) and not _WEB.fullmatch(value.text):
            found.append(Diagnostic("R620", value.span))
        made[name] = _plain(value)
    if web and {"secret", "secrets"} <= made.keys():
        second = next(key for key in written.settings if key.text == "secrets")
        found.append(Diagnostic("R510", second.span, {"first": "secret", "second": "secrets"}))
    return made


def _variables(values: Iterable[Scalar], found: list[Diagnostic]) -> None:
    for value in values:
        if not _VARIABLE.fullmatch(value.text):
            found.append(Diagnostic("R621", value.span))


def _plain(value: Scalar | tuple[Scalar, ...]) -> Setting:
    if isinstance(value, tuple):
        return tuple(each.text for each in value)
    match value.value:
        case Decimal() | None:
            return value.text
        case _:
            return value.value
