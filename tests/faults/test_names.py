"""No effect of an apply is left out: every name that the sources give to one is a name that a harness passes.

In: the sources of the sinks, of applying and of what it writes to the ledger.  Out: the names of their effects.
Always: each scenario test asserts the very names that it passes, so what stands there was passed.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults import test_files, test_sql, test_webhook

PACKAGE = Path(__file__).parents[2] / "segrules"
SINKS = sorted((PACKAGE / "plan" / "sinks").glob("*.py"))
LEDGER = [PACKAGE / "state" / name for name in ("ledger.py", "accept.py", "outbox.py")]
EFFECT = re.compile(r"effect\(\s*\"([^\"]+)\"")
TRANSACTION = re.compile(r"^ +with .*transaction\(\s*ledger,\s*\"([^\"]+)\"", re.MULTILINE)
OUTSIDE = {"init.write", "init.rename", "init.commit"}
"""Of a new ledger, which tests/test_state_ledger.py has."""


def names() -> set[str]:
    found = {name for file in SINKS for name in EFFECT.findall(file.read_text(encoding="utf-8"))}
    for file in LEDGER:
        text = file.read_text(encoding="utf-8")
        found |= {f"{name}.commit" for name in TRANSACTION.findall(text)} | set(EFFECT.findall(text))
    return found - OUTSIDE


def test_every_effect_has_its_faults() -> None:
    covered = test_files.NAMES | test_sql.NAMES | test_webhook.NAMES
    assert names() == covered
    assert len(covered) >= 19


def test_nothing_durable_is_done_beside_the_seam() -> None:
    """Calls that change a disk, a database or a receiver stand only in functions that the seam is given."""
    durable = re.compile(r"\.(?:commit|rename|unlink|mkdir|fsync|write_bytes|write_text|request)\(")
    allowed = {
        "sql.py": {"connection.commit()"},
        "files.py": {"os.fsync(descriptor)"},
        "webhook.py": {"response = self.pool.request("},
    }
    for file in SINKS:
        for line in file.read_text(encoding="utf-8").splitlines():
            if durable.search(line):
                assert line.strip() in allowed.get(file.name, set()), f"{file.name}: {line}"
