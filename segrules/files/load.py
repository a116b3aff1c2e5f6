"""A project folder → its documents, and everything wrong with their shape.

In: a folder.  Out: `Project` and diagnostics, sorted by place.  Always: every file is read even where others are
wrong; nothing is raised; nothing is looked up outside the files (names, types and data are for later stages).

    project, diagnostics = load(Path("demo"))
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from segrules.diagnostics.diagnostic import Diagnostic, in_order
from segrules.files import disk
from segrules.files.campaign import WrittenPolicies
from segrules.files.documents import Project, ProjectFile, RuleFile, TestFile
from segrules.files.examples import read_tests
from segrules.files.grid import read_table
from segrules.files.names import strange_names
from segrules.files.policies import read_policies
from segrules.files.project import DEFAULT_RULES, DEFAULT_TESTS, read_project
from segrules.files.rules import read_rules
from segrules.files.segmentations import ReadTable
from segrules.files.shape import Kind, shape_errors
from segrules.files.version import satisfied
from segrules.source import Word
from segrules.yamltree.nodes import Broken, Map
from segrules.yamltree.tree import parse_yaml

PROJECT_FILE = "segrules.yaml"
POLICIES_FILE = "policies.yaml"


def load(folder: Path) -> tuple[Project, list[Diagnostic]]:
    """Everything in *folder*, as written, and what is wrong with it."""
    found: list[Diagnostic] = []
    project = _project(folder, found)
    policies = _policies(folder, found)
    rules_in = project.rules if project else Word(DEFAULT_RULES)
    tests_in = project.tests if project else Word(DEFAULT_TESTS)
    tests_folder = disk.shown(tests_in.text).strip("/")
    apart = frozenset({PROJECT_FILE, POLICIES_FILE, tests_folder})
    rules: list[RuleFile] = []
    tests: list[TestFile] = []
    reader: ReadTable = partial(read_table, folder)
    for path in _listed(folder, rules_in, True, found, apart):
        root = _tree(folder, path, "rules", found)
        if root is not None:
            rules.append(read_rules(root, reader, found))
            if root.get("tests") is not None:
                tests.append(read_tests(root, project, found))
    given = project is not None and tests_in.span.text == tests_in.text
    for path in _listed(folder, tests_in, given, found, frozenset()):
        root = _tree(folder, path, "tests", found)
        if root is not None:
            tests.append(read_tests(root, project, found))
    return Project(str(folder), project, tuple(rules), tuple(tests), policies), list(in_order(found))


def _tree(folder: Path, path: str, kind: Kind, found: list[Diagnostic]) -> Map | None:
    """The tree of a file whose shape has been checked."""
    source = disk.read_text(folder, path, found)
    if source is None:
        return None
    root, wrong = parse_yaml(source)
    found.extend(wrong)
    if root is None or isinstance(root, Broken):
        return None
    found.extend(shape_errors(kind, root))
    found.extend(strange_names(kind, root) if isinstance(root, Map) else ())
    return root if isinstance(root, Map) else None


def _project(folder: Path, found: list[Diagnostic]) -> ProjectFile | None:
    if not (folder / PROJECT_FILE).exists() and not (folder / PROJECT_FILE).is_symlink():
        found.append(Diagnostic("R519", disk.at_file(PROJECT_FILE), {"folder": disk.shown(folder.name)}))
        return None
    root = _tree(folder, PROJECT_FILE, "project", found)
    project = None if root is None else read_project(root, found)
    if project is not None and project.requires is not None:
        _honour(project.requires, found)
    return project


def _honour(requires: Word, found: list[Diagnostic]) -> None:
    from importlib import metadata

    version = metadata.version("segrules")
    match satisfied(requires.text, version):
        case None:
            found.append(Diagnostic("R517", requires.span, {"requires": requires.text}))
        case False:
            found.append(Diagnostic("R526", requires.span, {"requires": requires.text, "version": version}))
        case True:
            pass


def _policies(folder: Path, found: list[Diagnostic]) -> WrittenPolicies | None:
    if not (folder / POLICIES_FILE).exists() and not (folder / POLICIES_FILE).is_symlink():
        return None
    before = len(found)
    root = _tree(folder, POLICIES_FILE, "policies", found)
    return WrittenPolicies(lost=len(found) > before) if root is None else read_policies(root, found)


def _listed(folder: Path, start: Word, needed: bool, found: list[Diagnostic], leave_out: frozenset[str]) -> list[str]:
    path = start.text.strip("/") or "."
    if (folder / path).is_dir():
        return disk.listed(folder, path, found, leave_out)
    if (folder / path).exists():
        found.append(disk.not_a_folder(path, start.span))
    elif needed:
        found.append(Diagnostic("R520", start.span, {"path": path}))
    return []
