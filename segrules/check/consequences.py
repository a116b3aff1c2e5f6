"""Findings that only follow from a part of a rule file that could not be read.

In: what was found while the files were read, and what later stages found.  Out: the latter without names that are
unknown only because the place that would define them is lost.  Always: a name counts as lost where a rule file could
not be read at all, or where the text of a rule file with errors defines it; every other unknown name stays.

    without_consequences(project, reading, checking)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from segrules.diagnostics.catalogue import level
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files.documents import Project

_UNKNOWN = {
    "N301": "name", "N306": "part", "N314": "name", "R570": "name", "R571": "name", "R586": "case", "R590": "name",
    "R592": "name",
}  # fmt: skip
_NO_FOLDER = "R520"
_OTHER_FILES = ("segrules.yaml", "policies.yaml")
_DEFINED = r"(?:^|[\s{{,\"'`]){name}[\"'`]*\s*[:：]|\bsegment\s*[:：]\s*[\"']?{name}(?!\w)"


def without_consequences(
    project: Project, reading: Iterable[Diagnostic], later: Iterable[Diagnostic]
) -> list[Diagnostic]:
    """*later*, less the unknown names that a wrong rule file may define."""
    texts = _lost_texts(project, reading)
    return [one for one in later if one.code not in _UNKNOWN or not _may_be_lost(one, texts)]


def _lost_texts(project: Project, reading: Iterable[Diagnostic]) -> Sequence[str]:
    """The texts of the rule files with errors; an empty one for a file whose text nobody knows."""
    tests = "tests" if project.file is None else project.file.tests.text.strip("/")
    texts: dict[str, str] = {}
    for one in reading:
        source = one.span.in_file().source
        unreadable = source.name == "policies.yaml" and one.code.startswith("Y")
        is_rules = unreadable or (source.name not in _OTHER_FILES and not source.name.startswith(f"{tests}/"))
        if one.code == _NO_FOLDER:
            texts[""] = ""
        elif is_rules and source.name != tests and level(one.code) == "error":
            texts[source.name] = source.text
    return tuple(texts.values())


def _may_be_lost(one: Diagnostic, texts: Sequence[str]) -> bool:
    name = str(one.args.get(_UNKNOWN[one.code], ""))
    last = name.rpartition(".")[2]
    defines = re.compile("|".join(_DEFINED.format(name=re.escape(each)) for each in (name, last)), re.MULTILINE)
    return any(not text or defines.search(text) for text in texts)
