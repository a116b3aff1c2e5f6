"""What a name means where it stands.

In: a written name and a `Scope`.  Out: `find` gives a target without looking at types (so that dependencies are known
before anything is checked), `meaning` the checked node.  Always: a top-level name wins over a bare case id; inside an
aggregate a name that two tables of the chain have is an error, the joining key excepted; `today` is the date of the
run unless a column or definition has that name.

    find(Name(("lifecycle", "new")), scope)      # ToCase("lifecycle", "new")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from segrules.check.advice import aggregated, through
from segrules.check.scope import Scope, absent, wrong
from segrules.check.suggest import nearest
from segrules.check.widen import shown
from segrules.diagnostics.diagnostic import Diagnostic, Help
from segrules.model.expr import AsOf, Column, Compare, Constant, Expr, Lookup, Reference
from segrules.model.ruleset import Parameter
from segrules.schema.types import TEXT, Untyped
from segrules.syntax.expr import Name
from segrules.syntax.keywords import keywords_inside

TODAY = frozenset({"today", "今天"})


@dataclass(frozen=True, slots=True)
class ToColumn:
    """Table and column, then those of each lookup."""

    path: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ToParameter:
    name: str


@dataclass(frozen=True, slots=True)
class ToDefinition:
    name: str


@dataclass(frozen=True, slots=True)
class ToCase:
    segmentation: str
    case: str


@dataclass(frozen=True, slots=True)
class ToOutput:
    segmentation: str
    output: str


@dataclass(frozen=True, slots=True)
class ToToday:
    pass


Target: TypeAlias = ToColumn | ToParameter | ToDefinition | ToCase | ToOutput | ToToday


def find(name: Name, scope: Scope) -> Target | Diagnostic:
    """What *name* means, or why it means nothing."""
    first, rest = name.parts[0], name.parts[1:]
    tables = scope.contracts.tables
    if not rest:
        return _plain(name, first, scope)
    if first in scope.chain:
        if rest[0] in tables[first].columns:
            return _through(name, ((first, rest[0]),), rest[1:], scope)
        if first == scope.contracts.customers and scope.sight != "own row" and rest[0] in scope.names.entries:
            return _behind(name, _entry(rest[0], scope), rest[1:], scope)
        if first not in scope.names.entries:
            return _unknown_column(name, first, rest[0], scope)
    if first in scope.names.entries or any(first in tables[table].columns for table in scope.chain):
        found = _plain(name, first, scope)
        return found if isinstance(found, Diagnostic) else _behind(name, found, rest, scope)
    if first in tables:
        way_out = through(first, rest, scope) or Help("aggregate", {"name": str(name)})
        return Diagnostic("N310", name.span, {"table": first}, way_out)
    return _unknown(name, first, scope)


def meaning(name: Name, scope: Scope) -> Expr:
    """The checked node of a name, or a reported mistake."""
    target = find(name, scope)
    if isinstance(target, Diagnostic):
        scope.found.append(target)
        return wrong(name.span)
    span = name.span
    match target:
        case ToColumn(path):
            return _column(name, path, scope)
        case ToParameter(one):
            parameter = scope.parameters.get(one)
            if parameter is None:
                return wrong(span)
            if parameter.is_list:
                return scope.refuse("N315", span, {"name": one}, Help("in", {"name": one}))
            assert not isinstance(parameter.value, tuple)
            return Constant(parameter.value, parameter.type, span=span)
        case ToDefinition(one):
            return _reference(name, one, scope)
        case ToOutput(segmentation, output):
            return _reference(name, f"{segmentation}.{output}", scope)
        case ToCase(segmentation, case):
            node = Reference(segmentation, TEXT, False, span=span)
            return Compare("=", node, Constant(case, TEXT, span=span), span=span)
        case ToToday():
            if scope.sight == "own row":
                return scope.refuse("T420", span, {"what": shown(span) or str(name)})
            return AsOf(span=span)
        case _:
            assert_never(target)


def list_parameter(name: Name, scope: Scope) -> Parameter | None:
    """The list parameter that *name* is; None after a report (or if the parameter itself is wrong)."""
    target = find(name, scope)
    if isinstance(target, Diagnostic):
        scope.found.append(target)
        return None
    if isinstance(target, ToParameter):
        parameter = scope.parameters.get(target.name)
        if parameter is None or parameter.is_list:
            return parameter
    scope.report("N311", name.span, {"name": str(name)}, Help("brackets", {"name": str(name)}))
    return None


def is_list_parameter(name: Name, scope: Scope) -> bool:
    target = find(name, scope)
    if not isinstance(target, ToParameter):
        return False
    parameter = scope.parameters.get(target.name)
    return parameter is not None and parameter.is_list


def _reference(name: Name, full: str, scope: Scope) -> Expr:
    fact = scope.facts.get(full)
    if fact is None or fact.type is None:
        return wrong(name.span)
    if isinstance(fact.type, Untyped):
        return absent(name.span)
    return Reference(full, fact.type, fact.can_be_missing, span=name.span)


def _column(name: Name, path: tuple[tuple[str, str], ...], scope: Scope) -> Expr:
    tables = scope.contracts.tables
    node: Expr | None = None
    unmatched = False
    for table, column in path:
        contract = tables[table].columns[column]
        if isinstance(contract.type, Untyped):
            return wrong(name.span)
        if node is None:
            node = Column(table, column, contract.type, contract.can_be_missing, span=name.span)
        else:
            missing = contract.can_be_missing or unmatched or _may_lack(node)
            node = Lookup(node, table, column, contract.type, missing, span=name.span)
        unmatched = contract.unmatched_is_missing
    assert node is not None
    return node


def _may_lack(node: Expr) -> bool:
    return isinstance(node, Column | Lookup) and node.can_be_missing


def _plain(name: Name, first: str, scope: Scope) -> Target | Diagnostic:
    """What one word means: a column of the chain, then a name of the customer's, then `today`, then a bare case id."""
    homes = _homes(first, scope)
    entry = scope.names.entries.get(first) if _customer_in_sight(scope) or _is_parameter(first, scope) else None
    if entry is not None and entry.kind == "column":
        entry = None
    if len(homes) + (entry is not None) > 1:
        places = [*homes, *([scope.contracts.customers] if entry is not None else [])]
        spellings = " / ".join(f"{table}.{first}" for table in dict.fromkeys(places))
        tables = ", ".join(f"`{table}`" for table in dict.fromkeys(places))
        return Diagnostic(
            "N304", name.span, {"name": first, "tables": tables}, Help("qualify", {"spellings": spellings})
        )
    if homes:
        return ToColumn(((homes[0], first),))
    if entry is not None:
        return _entry(first, scope)
    if first in TODAY:
        return ToToday()
    if _customer_in_sight(scope) and (owners := _owners(first, scope)):
        if len(owners) == 1:
            return ToCase(owners[0], first)
        spellings = " / ".join(f"{owner}.{first}" for owner in owners)
        return Diagnostic("N303", name.span, {"name": first}, Help("qualify", {"spellings": spellings}))
    if first in scope.contracts.tables:
        way_out = through(first, (), scope) or Help("count", {"table": first})
        return Diagnostic("N310", name.span, {"table": first}, way_out)
    return _unknown(name, first, scope)


def _owners(case: str, scope: Scope) -> list[str]:
    """The segmentations that have a case of this id; none if only the one at hand does, which cannot need itself."""
    owners = list(scope.names.bare.get(case, ()))
    return [] if owners == [scope.inside] else owners


def _customer_in_sight(scope: Scope) -> bool:
    return scope.sight != "own row"


def _is_parameter(first: str, scope: Scope) -> bool:
    entry = scope.names.entries.get(first)
    return entry is not None and entry.kind == "parameter"


def _entry(first: str, scope: Scope) -> Target:
    entry = scope.names.entries[first]
    match entry.kind:
        case "column":
            return ToColumn(((scope.contracts.customers, first),))
        case "parameter":
            return ToParameter(first)
        case "list" | "attribute" | "segment" | "segmentation" | "scorecard":
            return ToDefinition(first)
        case _:
            assert_never(entry.kind)


def _homes(column: str, scope: Scope) -> list[str]:
    """The tables in sight that have *column*; where a child's joining column has its parent's key's name, the child."""
    tables = scope.contracts.tables
    found: list[str] = []
    for table in scope.chain:
        if column not in tables[table].columns:
            continue
        link = tables[found[-1]].belongs_to if found else None
        if link is None or link.table != table or not link.by == column == tables[table].key:
            found.append(table)
    return found


def _behind(name: Name, found: Target, rest: tuple[str, ...], scope: Scope) -> Target | Diagnostic:
    """What `found.rest` means: a lookup, a case or an output."""
    if not rest:
        return found
    if isinstance(found, ToColumn):
        return _through(name, found.path, rest, scope)
    if isinstance(found, ToDefinition) and (parts := scope.names.parts.get(found.name)) is not None and len(rest) == 1:
        if rest[0] in parts.cases:
            return ToCase(found.name, rest[0])
        if rest[0] in parts.outputs:
            return ToOutput(found.name, rest[0])
        meant = nearest(rest[0], (*parts.cases, *parts.outputs))
        args = {"name": found.name, "part": rest[0]}
        return Diagnostic("N306", name.span, args, _did_you_mean(meant and f"{found.name}.{meant}"))
    return Diagnostic("N312", name.span, {"name": ".".join(name.parts[: -len(rest)]), "part": rest[0]})


def _through(name: Name, path: tuple[tuple[str, str], ...], rest: tuple[str, ...], scope: Scope) -> Target | Diagnostic:
    """Follow `refers_to` along *rest*."""
    tables = scope.contracts.tables
    for word in rest:
        table, column = path[-1]
        target = tables[table].columns[column].refers_to
        if target is None or target not in tables:
            return Diagnostic("N312", name.span, {"name": column, "part": word}, Help("refers_to", {"name": column}))
        if word not in tables[target].columns:
            return _unknown_column(name, target, word, scope)
        path = (*path, (target, word))
    if len(path) > 1 and scope.sight == "own row":
        return Diagnostic("T420", name.span, {"what": str(name)})
    return ToColumn(path)


def _unknown_column(name: Name, table: str, column: str, scope: Scope) -> Diagnostic:
    meant = nearest(column, scope.contracts.tables[table].columns)
    return Diagnostic("N305", name.span, {"table": table, "column": column}, _did_you_mean(meant))


def _unknown(name: Name, first: str, scope: Scope) -> Diagnostic:
    args = {"name": first}
    in_sight = [column for table in scope.chain for column in scope.contracts.tables[table].columns]
    if _customer_in_sight(scope):
        in_sight += [*scope.names.entries, *(case for case in scope.names.bare if _owners(case, scope)), *TODAY]
    elif first in scope.names.entries:
        return Diagnostic("T420", name.span, {"what": first})
    if len(name.parts) == 1 and (needed := aggregated(first, scope)):
        return Diagnostic("N301", name.span, args, needed)
    if meant := nearest(first, in_sight):
        return Diagnostic("N301", name.span, args, Help("did_you_mean", {"suggestion": meant}))
    if inside := keywords_inside(first):
        return Diagnostic("N301", name.span, args, Help("keyword", {"keyword": inside[0]}))
    return Diagnostic("N301", name.span, args, Help("text", args) if len(name.parts) == 1 else None)


def _did_you_mean(meant: str | None) -> Help | None:
    return Help("did_you_mean", {"suggestion": meant}) if meant else None
