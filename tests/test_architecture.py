"""The arrow holds: imports go downward, libraries stay in their place, files stay readable.

In: the sources of the package.  Out: a list of violations, which must be empty.  Always: each rule is shown to be
able to fail by a planted violation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "segrules"

LAYERS = (
    ("__main__",),
    ("cli",),
    ("api", "__init__"),
    ("testing",),
    ("report",),
    ("pipeline",),
    ("plan",),
    ("decide",),
    ("engine",),
    ("tables",),
    ("check",),
    ("files",),
    ("model",),
    ("state",),
    ("syntax",),
    ("schema",),
    ("yamltree",),
    ("errors",),
    ("diagnostics",),
    ("sample",),
    ("source", "resources", "effects"),
)

SHARED = {"segrules.schema.calendar", "segrules.schema.types"}
"""Modules that need nothing above them and may be used from any layer."""

PLACES = {
    "lark": ("syntax/build.py",),
    "yaml": ("yamltree/",),
    "jsonschema": ("files/",),
    "typer": ("cli/",),
    "rich": ("cli/", "report/"),
    "sqlalchemy": ("tables/", "state/", "plan/sinks/sql.py"),
    "psycopg": ("tables/", "state/"),
    "adbc_driver_postgresql": ("tables/",),
    "urllib3": ("plan/sinks/webhook.py",),
    "openpyxl": ("report/",),
    "python_calamine": ("tables/", "files/grid.py"),
    "pandas": ("api/", "tables/"),
    "pyarrow": ("tables/", "state/", "engine/", "decide/", "plan/", "report/", "api/"),
    "numpy": ("tables/", "state/", "engine/", "decide/", "plan/", "report/", "api/", "testing/"),
    "numba": ("engine/vector/fused.py", "engine/vector/machine.py"),
    "llvmlite": ("engine/vector/machine.py",),
    "polars": (),
    "duckdb": (),
}

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
CEILING = 400


def rank(unit: str) -> int:
    for depth, names in enumerate(LAYERS):
        if unit in names:
            return depth
    raise LookupError(unit)


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module, those inside functions too, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "imports are absolute"
            yield node.module, node.lineno


def violations(package: Path) -> list[str]:
    found = []
    for file in sorted(package.rglob("*.py")):
        relative = file.relative_to(package)
        shown = relative.as_posix()
        text = file.read_text(encoding="utf-8")
        unit = relative.parts[0].removesuffix(".py")
        try:
            depth = rank(unit)
        except LookupError:
            found.append(f"{shown}: in no layer")
            continue
        if len(text.splitlines()) > CEILING:
            found.append(f"{shown}: over {CEILING} lines")
        if relative.stem in FORBIDDEN_NAMES:
            found.append(f"{shown}: a name that says nothing")
        tree = ast.parse(text)
        if file.name != "__init__.py" and not ast.get_docstring(tree):
            found.append(f"{shown}: no opening docstring")
        for module, line in imports(tree):
            parts = module.split(".")
            if parts[0] == "segrules":
                target = parts[1] if len(parts) > 1 else "__init__"
                if module not in SHARED and rank(target) < depth:
                    found.append(f"{shown}:{line}: imports {module}, which lies above")
            elif parts[0] in PLACES and not any(shown.startswith(place) for place in PLACES[parts[0]]):
                found.append(f"{shown}:{line}: {parts[0]} does not belong here")
    return found


def test_the_arrow_holds() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("model/a.py", '"""d"""\nimport segrules.engine.results\n', "model/a.py:2: imports segrules.engine.results"),
        (
            "syntax/a.py",
            '"""d"""\ndef f():\n    from segrules.check import x\n',
            "syntax/a.py:3: imports segrules.check",
        ),
        ("check/a.py", '"""d"""\nimport pandas as pd\n', "check/a.py:2: pandas does not belong here"),
        ("report/a.py", '"""d"""\nfrom lark import Lark\n', "report/a.py:2: lark does not belong here"),
        ("engine/utils.py", '"""d"""\n', "engine/utils.py: a name that says nothing"),
        ("engine/a.py", '"""d"""\n' + "x = 1\n" * 400, "engine/a.py: over 400 lines"),
        ("engine/a.py", "x = 1\n", "engine/a.py: no opening docstring"),
        ("nowhere/a.py", '"""d"""\n', "nowhere/a.py: in no layer"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, text: str, expected: str) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    found = violations(tmp_path)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_downward_imports_are_fine(tmp_path: Path) -> None:
    place = tmp_path / "engine" / "a.py"
    place.parent.mkdir()
    place.write_text('"""d"""\nimport numpy\nfrom segrules.model.expr import Expr\n', encoding="utf-8")
    assert violations(tmp_path) == []
