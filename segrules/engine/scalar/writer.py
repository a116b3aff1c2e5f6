"""The source of a generated function, written one value at a time.

In: templates of Python expressions with the values that they take.  Out: source, and the objects that it names.
Always: the source holds names that are made here and nothing else: whatever a project says (names, texts, numbers)
is among the objects; an expression that stands there already gives back its variable; what can be computed at once
is, and what depends on nothing but the date of the run is computed once per date.

    writer.apply("{0} + {1}", spend, fee, site=site)      # v_7 = v_3 + k0, and its range is checked

Values have levels: known at once, known once the date of the run is, of the customer, a list with one for each row of
a related table. A missing value is None. `nullable` says whether a value can be missing at all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from segrules.model.expr import Expr
from segrules.schema.types import INT64_MAX, INT64_MIN, Value


class Level(IntEnum):
    CONSTANT = 0
    DAY = 1
    ONE = 2
    ROWS = 3


@dataclass(frozen=True, slots=True)
class Val:
    """A value of the program: the name that stands for it, when it is known, and, of a constant, what it is."""

    name: str
    level: Level
    nullable: bool
    value: Value = None

    @property
    def is_missing(self) -> bool:
        return self.level is Level.CONSTANT and self.value is None


MISSING = Val("None", Level.CONSTANT, True)
TRUE = Val("True", Level.CONSTANT, False, True)
FALSE = Val("False", Level.CONSTANT, False, False)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a result can leave 64 bits: the node, and the definition that is told."""

    node: Expr
    definition: str


@dataclass(frozen=True, slots=True)
class Scope:
    """`table`: whose row an expression is about. `rows`: whether it stands inside an aggregate, and has a value for
    every row; `guard`: then the lists of rows that must not be empty for anything to be worked out."""

    table: str
    rows: bool = False
    guard: tuple[str, ...] = ()


IN_RANGE = f"{INT64_MIN} <= {{0}} <= {INT64_MAX}"
BUILT_IN: Mapping[str, Any] = {each.__name__: each for each in (abs, len, list, max, min, set, sorted, sum, zip)}


class Writer:
    """Collects lines and objects. `guard`: the tables that must have a row for the value at hand to count at all, since
    what stands inside an aggregate is worked out for its rows only."""

    def __init__(self, functions: Mapping[str, Any]) -> None:
        self.objects: dict[str, Any] = {"__builtins__": dict(BUILT_IN), **functions}
        self.sites: list[Site] = []
        self.day: list[str] = []
        self.lines: list[str] = []
        self._known: dict[str, Val] = {}
        self._objects: dict[Hashable, str] = {}
        self._constants: dict[tuple[type, str], Val] = {}
        self._count = 0

    def constant(self, value: Value) -> Val:
        if value is None:
            return MISSING
        if isinstance(value, bool):
            return TRUE if value else FALSE
        key = type(value), repr(value)
        if key not in self._constants:
            self._constants[key] = Val(self.object(value), Level.CONSTANT, False, value)
        return self._constants[key]

    def object(self, one: object, key: Hashable = None) -> str:
        """A name for any object; the same for objects of one key."""
        if key is not None and key in self._objects:
            return self._objects[key]
        name = f"k{len(self.objects)}"
        self.objects[name] = one
        if key is not None:
            self._objects[key] = name
        return name

    def set_of(self, values: Iterable[Value]) -> str:
        members = frozenset(values)
        return self.object(members, ("set", frozenset((type(each), repr(each)) for each in members)))

    def tuple_of(self, values: Iterable[Value]) -> str:
        found = tuple(values)
        return self.object(found, ("tuple", tuple((type(each), repr(each)) for each in found)))

    def site(self, node: Expr, definition: str) -> int:
        self.sites.append(Site(node, definition))
        return len(self.sites) - 1

    def given(self, text: str, level: Level, nullable: bool) -> Val:
        """A value that *text* reads from what the function is given."""
        return self._written(text, text, level, nullable)

    def apply(
        self, template: str, *args: Val, nullable: bool = False, strict: bool = True, site: Site | None = None,
        guard: Sequence[str] = (), lowest: Level = Level.CONSTANT,
    ) -> Val:  # fmt: skip
        """The value of *template*, `{0}` … standing for *args*. `strict`: missing where an argument is; otherwise only
        `nullable` says whether it can be. `site`: the result must fit in 64 bits. `guard`: names of lists of rows.
        `lowest`: when it is known at the earliest, whatever its arguments."""
        if strict and any(each.is_missing for each in args):
            return MISSING
        level = max((lowest, *(each.level for each in args)))
        if level is Level.CONSTANT:
            found = self._folded(template, args, strict)
            if site is None or found is None or (isinstance(found, int) and INT64_MIN <= found <= INT64_MAX):
                return self.constant(found)
        if site is not None:
            level = max(level, Level.ONE)
        may_be_missing = nullable or (strict and any(each.nullable for each in args))
        text = self._text(template, args, strict)
        if site is None:
            return self._written(text, text, level, may_be_missing)
        return self._checked(text, level, may_be_missing, site, guard)

    def _folded(self, template: str, args: Sequence[Val], strict: bool) -> Value:
        found: Value = eval(self._expression(template, [each.name for each in args], args, strict), self.objects)
        return found

    def _expression(self, template: str, names: Sequence[str], args: Sequence[Val], strict: bool) -> str:
        body = template.format(*names)
        gaps = dict.fromkeys(name for name, each in zip(names, args, strict=True) if each.nullable) if strict else ()
        return f"None if {' or '.join(f'{gap} is None' for gap in gaps)} else {body}" if gaps else body

    def _text(self, template: str, args: Sequence[Val], strict: bool) -> str:
        lists = list(dict.fromkeys(each.name for each in args if each.level is Level.ROWS))
        if not lists:
            return self._expression(template, [each.name for each in args], args, strict)
        own = {name: f"a{number}" for number, name in enumerate(lists)}
        names = [own.get(each.name, each.name) for each in args]
        body = self._expression(template, names, args, strict)
        if len(lists) == 1:
            return f"[{body} for a0 in {lists[0]}]"
        return f"[{body} for {', '.join(own.values())} in zip({', '.join(lists)})]"

    def _written(self, key: str, text: str, level: Level, nullable: bool) -> Val:
        if key not in self._known:
            self._count += 1
            name = f"{'ktvw'[level]}_{self._count}"
            (self.day if level is Level.DAY else self.lines).append(f"{name} = {text}")
            self._known[key] = Val(name, level, nullable)
        return self._known[key]

    def _checked(self, text: str, level: Level, nullable: bool, site: Site, guard: Sequence[str]) -> Val:
        """Outside 64 bits it stops; with a guard and no row the value is nobody's, and is dropped instead."""
        everywhere = f"{text} in range"
        if everywhere in self._known:
            return self._known[everywhere]
        outer = " and ".join(guard)
        key = f"{everywhere} if {outer}" if guard else everywhere
        if key in self._known:
            return self._known[key]
        number = self.site(site.node, site.definition)
        found = self._written(key, text, level, nullable or (bool(guard) and level is Level.ONE))
        outside = f"not {IN_RANGE.format(found.name)}"
        if level is Level.ROWS:
            gap = "one is not None and " if nullable else ""
            tests = " and ".join([f"{gap}not {IN_RANGE.format('one')}", *guard])
            self.lines += [f"for one in {found.name}:", f"    if {tests}: stop({number})"]
            return found
        outside = f"{found.name} is not None and {outside}" if nullable else outside
        if guard:
            self.lines += [f"if {outside}:", f"    if {outer}: stop({number})", f"    {found.name} = None"]
        else:
            self.lines.append(f"if {outside}: stop({number})")
        return found

    def source(self, arguments: str, result: str) -> str:
        """The module: what depends on the date, then the function `one`."""
        body = "\n".join(f"    {line}" for line in [*self.lines, f"return {result}"])
        return "\n".join([*self.day, f"def one({arguments}):", body, ""])


def times(text: str, digits: int) -> str:
    return f"{text} * {10**digits}" if digits else text
