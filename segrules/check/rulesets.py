"""Documents → checked rule set.

In: the files of a project as written, values for parameters from outside, today's date (for reviews that are due).
Out: `RuleSet`, or None, and every diagnostic.  Always: all problems in one run; one mistake is one diagnostic: what
depends on a wrong definition is checked as far as possible and quiet otherwise; definitions stand after what they
need, whatever the number of links in between.

    ruleset, diagnostics = check(load(Path("demo"))[0], {"high_value": "3万"})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias, assert_never

from segrules.check.bounds import bounds
from segrules.check.campaigns import campaign
from segrules.check.columns import computed
from segrules.check.contracts import contracts, lost_tables
from segrules.check.facts import finite_values
from segrules.check.history import with_history, without_unread
from segrules.check.infer import infer, predicate
from segrules.check.missing import can_be_missing
from segrules.check.namespace import namespace
from segrules.check.needs import needs
from segrules.check.order import Needs, loop_text, work_through
from segrules.check.parameters import parameters
from segrules.check.previously import earlier_members
from segrules.check.recorded import private_records
from segrules.check.scope import Fact, Scope, is_wrong
from segrules.check.scorecards import limits, scorecard
from segrules.check.segmentations import case_list, matrix
from segrules.check.tables import decision_table
from segrules.check.widen import shown
from segrules.diagnostics.catalogue import level
from segrules.diagnostics.diagnostic import Diagnostic, Words, in_order
from segrules.files.documents import (
    CaseList,
    DecisionTable,
    Matrix,
    Project,
    RuleFile,
    WrittenAttribute,
    WrittenList,
    WrittenScorecard,
    WrittenSegment,
    WrittenSegmentation,
)  # fmt: skip
from segrules.model.campaign import Campaign
from segrules.model.expr import Expr
from segrules.model.ruleset import Attribute, Definition, RuleSet, Segment, Segmentation, StaticList
from segrules.schema.calendar import from_date
from segrules.schema.contract import Contracts
from segrules.schema.types import BOOL, INTEGER, TEXT, Untyped

Written: TypeAlias = WrittenList | WrittenAttribute | WrittenSegment | WrittenSegmentation | WrittenScorecard


def check(
    project: Project, overrides: Mapping[str, str] = {}, today: int | None = None
) -> tuple[RuleSet | None, list[Diagnostic]]:
    """The meaning of *project*, and everything that is wrong with it, sorted by place. *overrides* gives parameters
    other values (`--set`); *today* (days since 1970-01-01) makes reviews that are due a warning. The rule set is None
    exactly where a diagnostic is an error."""
    found: list[Diagnostic] = []
    if project.file is None:
        return None, found
    made = contracts(project.file, found)
    if made is None or not all(table.columns for table in made.tables.values()):
        return None, list(in_order(found))
    checker = _Checker.of(project, with_history(made), overrides, found)
    checker.run()
    acting = campaign(project, checker.scope)
    earlier_members(project.rules, found)
    if today is not None:
        for file in project.rules:
            _review(file, today, found)
    findings = list(in_order(found))
    if any(level(one.code) == "error" for one in findings):
        return None, findings
    ruleset = checker.ruleset(project, acting)
    private = list(private_records(ruleset))
    return (None, list(in_order([*findings, *private]))) if private else (ruleset, findings)


def _review(file: RuleFile, today: int, found: list[Diagnostic]) -> None:
    if file.review_by is None:
        return
    try:
        due = from_date(date.fromisoformat(file.review_by.text))
    except ValueError:
        return
    if due < today:
        found.append(Diagnostic("R560", file.review_by.span, {"date": file.review_by.text}))


@dataclass(frozen=True, slots=True)
class _Checker:
    """Everything that one run of `check` collects."""

    scope: Scope
    written: Mapping[str, Written]
    facts: dict[str, Fact]
    definitions: dict[str, Definition] = field(default_factory=dict)

    @staticmethod
    def of(project: Project, made: Contracts[Expr], overrides: Mapping[str, str], found: list[Diagnostic]) -> _Checker:
        assert project.file is not None
        lost = lost_tables(project.file, made, found)
        names = namespace(project.rules, made, found)
        values = parameters(project.rules, overrides, made.timezone, found)
        tables = {table.name.text: table for table in reversed(project.file.tables)}
        made = computed(made, tables, names, values, found)
        facts: dict[str, Fact] = {}
        scope = Scope(made, names, values, facts, found, (made.customers,), lost=lost)
        written: dict[str, Written] = {}
        for file in project.rules:
            several: tuple[Written, ...] = (
                *file.lists, *file.attributes, *file.segments, *file.segmentations, *file.scorecards
            )  # fmt: skip
            for one in several:
                if names.entries[one.name.text].span == one.name.span:
                    written.setdefault(one.name.text, one)
        return _Checker(scope, written, facts)

    def run(self) -> None:
        """Check every definition after those it needs."""
        for loop in work_through(self.written, self._task):
            spans = [self.written[name].name.span for name in loop]
            args = {"loop": loop_text(loop)}
            self.scope.found.append(Diagnostic("N309", spans[0], args, also=tuple(spans[1:])))

    def ruleset(self, project: Project, acting: Campaign) -> RuleSet:
        assert project.file is not None
        values = {name: one for name, one in self.scope.parameters.items() if one is not None}
        language = project.file.keywords or "en"
        made = without_unread(self.scope.contracts, self.definitions.values(), acting)
        return RuleSet(project.file.name, language, project.folder, made, values, self.definitions, acting)

    def _task(self, name: str) -> Needs | None:
        written = self.written.get(name)
        match written:
            case None:
                return None
            case WrittenList():
                return self._list(written)
            case WrittenAttribute():
                return self._attribute(written)
            case WrittenSegment():
                return self._segment(written)
            case WrittenSegmentation():
                return self._segmentation(written)
            case WrittenScorecard():
                return self._scorecard(written)
            case _:
                assert_never(written)

    def _list(self, written: WrittenList) -> Needs:
        yield ()
        name = written.name.text
        self.facts[name] = Fact(BOOL)
        self.definitions[name] = StaticList(
            name, written.label, written.file.text, written.key.text, span=written.name.span
        )

    def _attribute(self, written: WrittenAttribute) -> Needs:
        yield needs((written.value,), self.scope)
        name = written.name.text
        node = infer(written.value, self.scope)
        if is_wrong(node):
            self.facts[name] = Fact(None)
            return
        if isinstance(node.type, Untyped):
            self.scope.report("T422", written.value.span, {"text": shown(written.value)})
            self.facts[name] = Fact(None)
            return
        known = finite_values(node, self.scope)
        self.facts[name] = Fact(node.type, can_be_missing(node), known, bounds(node, self.scope))
        self.definitions[name] = Attribute(name, written.label, node, written.value, span=written.name.span)

    def _segment(self, written: WrittenSegment) -> Needs:
        yield needs((written.when,), self.scope)
        name = written.name.text
        node = predicate(written.when, self.scope, Words("needs.segment"))
        self.facts[name] = Fact(BOOL, not is_wrong(node) and can_be_missing(node))
        earlier = tuple(word.text for word in written.previously)
        self.definitions[name] = Segment(name, written.label, node, written.when, earlier, span=written.name.span)

    def _segmentation(self, written: WrittenSegmentation) -> Needs:
        name = written.name.text
        scope = replace(self.scope, inside=name)
        match written.body:
            case CaseList() as body:
                made: Segmentation | None = yield from case_list(written, body, scope)
            case Matrix() as body:
                made = yield from matrix(written, body, scope)
            case DecisionTable() as body:
                made = yield from decision_table(written, body, scope)
            case _:
                assert_never(written.body)
        parts = self.scope.names.parts[name]
        self.facts[name] = Fact(TEXT, False, parts.cases)
        for output in parts.outputs:
            self.facts[f"{name}.{output}"] = Fact(None)
        if made is None:
            return
        self.definitions[name] = made
        outcomes = [one.outputs for one in (made.otherwise, made.unknown) if one is not None]
        for at, (output, type_) in enumerate(made.outputs):
            outputs = [*(case.outputs for case in made.cases), *outcomes]
            missing = any(can_be_missing(row[at]) for row in outputs)
            self.facts[f"{name}.{output}"] = Fact(type_, missing)

    def _scorecard(self, written: WrittenScorecard) -> Needs:
        name = written.name.text
        card = yield from scorecard(written, self.scope)
        if card is None:
            self.facts[name] = Fact(INTEGER)
            return
        self.facts[name] = Fact(card.type, False, None, limits(card))
        self.definitions[name] = card
