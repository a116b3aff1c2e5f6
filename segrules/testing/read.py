"""Test files against the rules they are for: names, types, keys.

In: a checked rule set, test files as written.  Out: `Examples`, and a diagnostic for everything that is wrong.
Always: no data is read and numpy is not imported, so `validate` checks tests too; a wrong test is left out, the
others stay.

    read_tests(ruleset, project.tests).tests[0].expected
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from segrules.check.history import with_history
from segrules.check.values import read_value
from segrules.diagnostics.diagnostic import Diagnostic, Help, in_order
from segrules.files.documents import Cells, Scalar, TestFile, WrittenTest
from segrules.model.names import Named, find, like
from segrules.model.ruleset import RuleSet, Segmentation
from segrules.schema.calendar import from_date
from segrules.schema.types import BOOL, Bool, Value
from segrules.source import Span
from segrules.testing.acting import stages, unknown_in_history
from segrules.testing.columns import cells_span, read_cells, same_name
from segrules.testing.examples import Example, ExampleRow, Examples, Expected, Given
from segrules.testing.required import unread
from segrules.testing.rows import Defaults, read_defaults, read_rows


def read_tests(ruleset: RuleSet, files: Iterable[TestFile]) -> Examples:
    """Every example of *files*, in their order."""
    tests: list[Example] = []
    found: list[Diagnostic] = []
    ruleset = replace(ruleset, contracts=with_history(ruleset.contracts))
    for file in files:
        defaults, wrong = read_defaults(ruleset, file.defaults, file.span)
        found += wrong
        for written in file.tests:
            example, wrong = read_test(ruleset, written, defaults)
            found += wrong
            if example is not None:
                tests.append(example)
    return Examples(tuple(tests), in_order(found))


def read_test(ruleset: RuleSet, test: WrittenTest, defaults: Defaults) -> tuple[Example | None, list[Diagnostic]]:
    """One example, or None and why."""
    found: list[Diagnostic] = []
    as_of = _day(test.as_of)
    if as_of is None:
        return None, []
    rows, wrong = read_rows(ruleset, test, defaults, as_of)
    found += wrong
    given = list(_given(ruleset, test, found))
    found += unknown_in_history(ruleset, test)
    if found:
        return None, found + [one for one in _expected(ruleset, test, None) if isinstance(one, Diagnostic)]
    customers = rows[ruleset.contracts.customers]
    expected: list[Expected] = []
    for one in _expected(ruleset, test, customers):
        if isinstance(one, Diagnostic):
            found.append(one)
        else:
            expected.append(one)
    ends = stages(ruleset, test, customers, found)
    fixed = tuple(given)
    example = Example(test.name, as_of, test.several, rows, fixed, tuple(expected), ends, test.also, test.span)
    if not found:
        found += unread(ruleset, example)
    return (None if found else example), found


def _day(scalar: Scalar) -> int | None:
    text = scalar.text.strip()
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        return from_date(date.fromisoformat(text))
    except ValueError:
        return None


def _span(test: WrittenTest, name: str, cells: Cells) -> Span:
    """The place of a name in a test; where it is not known, that of its value."""
    if (span := test.names.get(name)) is not None:
        return span
    return cells_span(cells, test.span)


def _given(ruleset: RuleSet, test: WrittenTest, found: list[Diagnostic]) -> Iterator[Given]:
    for text, cells in test.given.items():
        name = find(ruleset, text)
        if name is None:
            found.append(unknown_name("R571", ruleset, text, _span(test, text, cells)))
        elif name.kind == "case":
            help_ = Help("segmentation", {"name": name.definition, "case": name.part})
            found.append(Diagnostic("R588", _span(test, text, cells), {"name": text}, help_))
        elif name.kind == "parameter":
            if isinstance(cells, Scalar):
                yield Given(name, None, cells.text, cells_span(cells, test.span))
            else:
                yield Given(name, None, ", ".join(each.text for each in cells), cells_span(cells, test.span))
        else:
            value = read_named(ruleset, name, cells, test.span)
            if isinstance(value, Diagnostic):
                found.append(value)
            else:
                yield Given(name, value, "")


def _expected(
    ruleset: RuleSet, test: WrittenTest, customers: tuple[ExampleRow, ...] | None
) -> Iterator[Expected | Diagnostic]:
    """What the test expects; without *customers* (they are wrong) only what is wrong with its names and values."""
    table = ruleset.contracts.tables[ruleset.contracts.customers]
    keys = None if customers is None else {row.values[table.key or ""]: row for row in customers}
    for written, values in test.expect.items():
        key: Value = None
        if written is None:
            key = next(iter(keys)) if keys else None
        elif keys is not None:
            key = _key(ruleset, keys, written)
            if key is None:
                span = test.names.get(written) or next((cells_span(v, test.span) for v in values.values()), test.span)
                yield Diagnostic("R578", span, {"key": written, "keys": ", ".join(map(str, keys))})
                continue
        yield from _expectations(ruleset, test, key, values)


def _key(ruleset: RuleSet, keys: Mapping[Value, ExampleRow], written: str) -> Value:
    if written in keys:
        return written
    return next((key for key in keys if str(key) == written), None)


def _expectations(
    ruleset: RuleSet, test: WrittenTest, key: Value, values: Mapping[str, Cells]
) -> Iterator[Expected | Diagnostic]:
    for text, cells in values.items():
        name = find(ruleset, text)
        if name is None or name.kind == "parameter":
            yield unknown_name("R570", ruleset, text, _span(test, text, cells))
            continue
        value = read_named(ruleset, name, cells, test.span)
        yield value if isinstance(value, Diagnostic) else Expected(key, name, value, cells_span(cells, test.span))


def read_named(ruleset: RuleSet, name: Named, cells: Cells, otherwise: Span) -> Value | Diagnostic:
    """The stored value that *cells* writes for a name; a segment's *missing* is unknown."""
    definition = ruleset.definitions.get(name.definition)
    if name.kind == "segmentation" and isinstance(definition, Segmentation) and isinstance(cells, Scalar):
        text = unicodedata.normalize("NFKC", cells.text).removeprefix(f"{name.definition}.")
        if (found := next((each for each in definition.ids if same_name(each, text)), None)) is not None:
            return found
        return Diagnostic(
            "R586", cells.span, {"name": name.definition, "case": cells.text, "cases": ", ".join(definition.ids)}
        )
    if name.kind in ("segment", "list", "case"):
        return _truth(ruleset, name, cells, otherwise)
    if name.kind == "column":
        customers = ruleset.contracts.tables[ruleset.contracts.customers]
        return read_cells(ruleset.contracts, customers, customers.columns[name.definition], cells, otherwise)
    if isinstance(cells, tuple):
        return tuple(each.text for each in cells)
    return read_value(cells, name.type, ruleset.contracts.timezone)


def _truth(ruleset: RuleSet, name: Named, cells: Cells, otherwise: Span) -> Value | Diagnostic:
    """true, false, or None for unknown; a case is never unknown."""
    if isinstance(cells, Scalar):
        value = read_value(cells, BOOL, ruleset.contracts.timezone)
        if isinstance(value, bool) or (value is None and name.kind != "case"):
            return value
    span = cells_span(cells, otherwise)
    text = cells.text if isinstance(cells, Scalar) else ", ".join(each.text for each in cells)
    return Diagnostic("R574", span, {"name": str(name), "type": str(Bool()), "text": text})


def unknown_name(code: str, ruleset: RuleSet, text: str, span: Span) -> Diagnostic:
    near = like(ruleset, text) if find(ruleset, text) is None else None
    return Diagnostic(code, span, {"name": text}, None if near is None else Help("did_you_mean", {"name": near}))
