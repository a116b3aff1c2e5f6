"""Where the time of an evaluation went, for people and as JSON.

In: a `Profile`.  Out: lines of a screen; a JSON object.  Always: seconds are of all threads together.

    screen(profile, "en")
"""

from __future__ import annotations

from typing import Any, Literal

from segrules.diagnostics.catalogue import say
from segrules.engine.profile import Profile
from segrules.report.screen import Line, line


def screen(profile: Profile, language: Literal["en", "zh"]) -> list[Line]:
    sizes = {"nodes": profile.nodes, "atoms": profile.atoms, "blocks": profile.blocks}
    lines = [line(say("profile.sizes", language, **{name: f"{size:,}" for name, size in sizes.items()}))]
    lines.append(line(say("profile.seconds", language)))
    for phase, seconds in profile.seconds:
        lines.append(line(f"  {seconds:8.3f} s  {say(f'profile.{phase}', language)}"))
    lines.append(line(say("profile.costliest", language)))
    for cost in profile.costliest:
        nodes = say("profile.nodes", language, n=f"{cost.nodes:,}")
        lines.append(line(f"  {cost.seconds:8.3f} s  {cost.name}  ({nodes})"))
    return lines


def as_json(profile: Profile) -> dict[str, Any]:
    return {
        "nodes": profile.nodes,
        "atoms": profile.atoms,
        "blocks": profile.blocks,
        "seconds": dict(profile.seconds),
        "costliest": [{"name": cost.name, "seconds": cost.seconds, "nodes": cost.nodes} for cost in profile.costliest],
    }
