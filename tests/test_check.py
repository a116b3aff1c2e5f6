"""What right rule files become: types, missing-ness, desugared trees, order, parameters, completeness.

In: `tests/cases/check/`, over the project of `tests/cases/errors/default_project`.  Wrong files are in
`test_errors.py`; what only a command line can get wrong (N314, T428, T429) and what depends on the day (R560) is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.check.coverage import complete
from segrules.check.missing import can_be_missing
from segrules.check.order import work_through
from segrules.check.patterns import fault
from segrules.check.regions import lines
from segrules.check.rulesets import check
from segrules.check.scope import Names, Scope
from segrules.check.suggest import nearest
from segrules.check.values import read_value
from segrules.diagnostics.catalogue import help_text, message
from segrules.diagnostics.diagnostic import Diagnostic
from segrules.files import fields
from segrules.files.load import load
from segrules.model import expr as m
from segrules.model.ruleset import Attribute, Parameter, RuleSet, Scorecard, Segment, Segmentation
from segrules.schema.calendar import from_date
from segrules.schema.contract import ColumnContract, Contracts, Table
from segrules.schema.types import BOOL, INTEGER, TEXT, Date, Type, parse_type
from segrules.source import Source
from segrules.yamltree.nodes import Scalar as ScalarNode
from segrules.yamltree.nodes import Seq
from segrules.yamltree.tree import parse_yaml

CASES = Path(__file__).parent / "cases"
PROJECT = (CASES / "errors" / "default_project" / "segrules.yaml").read_text(encoding="utf-8")


def read(name: str) -> Any:
    return yaml.load((CASES / "check" / name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def checked(
    folder: Path, rules: str, overrides: Mapping[str, str] | None = None, today: int | None = None
) -> tuple[RuleSet | None, list[Diagnostic]]:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "segrules.yaml").write_text(PROJECT, encoding="utf-8")
    header = "" if rules.startswith("purpose") else "purpose: p\nowner: o\n"
    (folder / "rules" / "a.yaml").write_text(header + rules, encoding="utf-8")
    project, found = load(folder)
    ruleset, more = check(project, overrides or {}, today)
    return ruleset, [*found, *more]


def right(folder: Path, rules: str, overrides: Mapping[str, str] | None = None) -> RuleSet:
    ruleset, found = checked(folder, rules, overrides)
    assert [f"{one.code} {message(one, 'en')}" for one in found] == []
    assert ruleset is not None
    return ruleset


def show(node: m.Expr) -> str:
    """A checked tree on one line."""
    match node:
        case m.Constant(None):
            return "missing"
        case m.Constant(bool(value)):
            return str(value).lower()
        case m.Constant(value):
            return str(value)
        case m.Column(table, name):
            return name if table == "customers" else f"{table}.{name}"
        case m.Reference(name):
            return name
        case m.Lookup(key, table, name):
            return f"(lookup {show(key)} {table}.{name})"
        case m.Arithmetic(op, left, right) | m.Compare(op, left, right):
            return f"({op} {show(left)} {show(right)})"
        case m.Shift(operand, amount, unit):
            return f"(shift {show(operand)} {amount} {unit})"
        case m.AsOf():
            return "(as_of)"
        case m.WindowEdge(kind, amount, unit, edge):
            return f"({edge} {kind} {amount} {unit})"
        case m.Convert(operand, type_):
            return f"(to {type_} {show(operand)})"
        case m.In(operand, options):
            return f"(in {' '.join(map(show, (operand, *options)))})"
        case m.IsMissing(operand):
            return f"(is_missing {show(operand)})"
        case m.Not(operand):
            return f"(not {show(operand)})"
        case m.And(operands):
            return f"(and {' '.join(map(show, operands))})"
        case m.Or(operands):
            return f"(or {' '.join(map(show, operands))})"
        case m.Call(function, args):
            return f"({function} {' '.join(map(show, args))})"
        case m.Case():
            return f"(case {' '.join(map(show, m.children(node)))})"
        case m.Aggregate(function, table, value, where):
            parts = [function, table, *([] if value is None else [show(value)])]
            return f"({' '.join(parts + ([] if where is None else ['where', show(where)]))})"
        case m.Population():
            parts = [node.function, show(node.value), *(["desc"] if node.descending else [])]
            parts += ["by " + " ".join(map(show, node.by))] if node.by else []
            parts += [f"among {show(node.among)}"] if node.among is not None else []
            return f"({' '.join(parts + ([] if node.argument is None else [str(node.argument)]))})"


EXPRESSIONS = [
    tuple(part.strip() for part in line.split("  =>  "))
    for line in (CASES / "check" / "expressions.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


@pytest.fixture(scope="module")
def attributes(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    """All expressions as attributes of one project."""
    rules = "".join(f"  x{at}:\n    value: |-\n      {line[0]}\n" for at, line in enumerate(EXPRESSIONS))
    return right(tmp_path_factory.mktemp("expressions"), f"attributes:\n{rules}")


@pytest.mark.parametrize("at", range(len(EXPRESSIONS)), ids=lambda at: EXPRESSIONS[at][0])
def test_expression(at: int, attributes: RuleSet) -> None:
    definition = attributes.definitions[f"x{at}"]
    assert isinstance(definition, Attribute)
    node = definition.value
    _, type_, *tree = EXPRESSIONS[at]
    assert f"{node.type}{'?' if can_be_missing(node) else ''}" == type_
    if tree:
        assert show(node) == tree[0]
    assert node.span.place == definition.written.span.place


RULESETS = read("rulesets.yaml")


@pytest.mark.parametrize("case", RULESETS, ids=lambda case: case["name"])
def test_ruleset(case: dict[str, Any], tmp_path: Path) -> None:
    ruleset = right(tmp_path, case["rules"])
    if "order" in case:
        assert list(ruleset.definitions) == case["order"]
    for name, tree in case.get("trees", {}).items():
        definition = ruleset.definitions[name]
        assert isinstance(definition, Segment)
        assert show(definition.when) == tree
    for name, cases in case.get("cases", {}).items():
        definition = ruleset.definitions[name]
        assert isinstance(definition, Segmentation)
        made = [[one.id, show(one.when), *map(show, one.outputs)] for one in definition.cases]
        assert made == [list(map(str, one)) for one in cases]
    outputs = {
        f"{one.name}.{name}": type_
        for one in ruleset.definitions.values()
        if isinstance(one, Segmentation)
        for name, type_ in one.outputs
    }
    for name, type_ in case.get("types", {}).items():
        found: Type | None = outputs.get(name)
        match ruleset.definitions.get(name):
            case Attribute(value=value):
                found = value.type
            case Scorecard(type=found):
                pass
        assert str(found) == type_
    for name, card in case.get("points", {}).items():
        definition = ruleset.definitions[name]
        assert isinstance(definition, Scorecard)
        rows = [[*(row.points for row in c.rows), c.otherwise, c.missing] for c in definition.characteristics]
        assert str([definition.base, *rows]) == str(card).replace("'", "").replace("null", "None")


def test_outputs_know_whether_they_can_be_missing(tmp_path: Path) -> None:
    case = next(one for one in RULESETS if "missing" in one)
    names = case["missing"]
    extra = "attributes:\n" + "".join(f"  y{at}: {{value: {name}}}\n" for at, name in enumerate(names))
    ruleset = right(tmp_path, case["rules"] + extra)
    for at, expected in enumerate(names.values()):
        definition = ruleset.definitions[f"y{at}"]
        assert isinstance(definition, Attribute)
        assert str(can_be_missing(definition.value)).lower() == expected


def scalar_nodes() -> list[tuple[str, ScalarNode, ScalarNode]]:
    source = Source("values.yaml", (CASES / "check" / "values.yaml").read_text(encoding="utf-8"))
    root, found = parse_yaml(source)
    assert found == []
    return [
        (entry.name, inner.key, inner.value)
        for entry in fields.entries(root)
        for inner in fields.entries(entry.value)
        if isinstance(inner.value, ScalarNode)
    ]


@pytest.mark.parametrize(("type_name", "key", "wanted"), scalar_nodes(), ids=lambda one: getattr(one, "text", one))
def test_value(type_name: str, key: ScalarNode, wanted: ScalarNode) -> None:
    node: Any = key
    if key.text.startswith("'"):
        root, _ = parse_yaml(Source("x", f"[{key.text}]"))
        assert isinstance(root, Seq)
        node = root.items[0]
    scalar = fields.scalar(node)
    assert scalar is not None
    type_ = parse_type(type_name)
    assert type_ is not None
    value = read_value(scalar, type_, "Asia/Shanghai")
    if wanted.value == "wrong":
        assert isinstance(value, Diagnostic)
        assert value.code == "T423"
    else:
        assert not isinstance(value, Diagnostic)
        assert value == (float(wanted.text) if type_name == "number" else wanted.value)
        assert type(value) is not bool or type_ == BOOL


PARAMETERS = (
    "parameters:\n  cut: {value: 5万}\n  share: {value: 20%}\n  day: {value: 2026-01-01}\n  word: {value: 高}\n"
    "  on: {value: true}\n  homes: {value: [北京, 1线]}\n  quoted: {value: '\"5万\"'}\n  steps: {value: [1, 2.5]}\n"
    "segments:\n  s: {when: age > cut and signed_up in last steps_days days and 城市 in homes}\n"
)


@pytest.mark.parametrize(
    ("overrides", "name", "type_", "value"),
    [
        ({}, "cut", "integer", 50000),
        ({}, "share", "decimal(2)", 20),
        ({}, "day", "date", 20454),
        ({}, "word", "text", "高"),
        ({}, "on", "bool", True),
        ({}, "homes", "text", ("北京", "1线")),
        ({}, "quoted", "text", "5万"),
        ({}, "steps", "decimal(1)", (10, 25)),
        ({"cut": "3.5"}, "cut", "decimal(1)", 35),
        ({"word": "123"}, "word", "text", "123"),
        ({"homes": "深圳, 广州"}, "homes", "text", ("深圳", "广州")),
        ({"homes": "[深圳，广州、惠州]"}, "homes", "text", ("深圳", "广州", "惠州")),
        ({"steps": "7"}, "steps", "integer", (7,)),
        ({"day": "2026-02-01"}, "day", "date", 20485),
    ],
)
def test_parameter(overrides: dict[str, str], name: str, type_: str, value: object, tmp_path: Path) -> None:
    rules = PARAMETERS.replace("steps_days", "30")
    parameter = right(tmp_path, rules, overrides).parameters[name]
    assert (str(parameter.type), parameter.value) == (type_, value)
    assert parameter.is_list == isinstance(value, tuple)


GIVEN = "`--set {}=…` takes a value as it stands in a rule file, here {}"


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"cutt": "3"}, "--set:1:1: N314 there is no parameter `cutt` to set (did you mean `cut`?)"),
        (
            {"cut": "高"},
            "--set:1:5: T429 parameter `cut` is integer; `高` is text (" + GIVEN.format("cut", "integer") + ")",
        ),
        ({"day": "5"}, "--set:1:5: T429 parameter `day` is date; `5` is integer (" + GIVEN.format("day", "date") + ")"),
        (
            {"steps": "1,x"},
            "--set:1:9: T429 parameter `steps` is decimal(1); `x` is text ("
            + GIVEN.format("steps", "decimal(1)")
            + ")",
        ),
        ({"cut": " "}, "--set:1:1: T428 parameter `cut` has no value (" + GIVEN.format("cut", "integer") + ")"),
        ({"homes": "[]"}, "--set:1:1: T428 parameter `homes` has no value (" + GIVEN.format("homes", "text") + ")"),
        (
            {"cut": "99999999999999999999"},
            "--set:1:5: T409 `99999999999999999999` is out of range (" + GIVEN.format("cut", "integer") + ")",
        ),
    ],
)
def test_wrong_override(overrides: dict[str, str], expected: str, tmp_path: Path) -> None:
    ruleset, found = checked(tmp_path, PARAMETERS.replace("steps_days", "30"), overrides)
    assert ruleset is None
    assert [f"{one.span.place}: {one.code} {message(one, 'en')} ({help_text(one, 'en')})" for one in found] == [
        expected
    ]


def test_bands_are_checked_again_with_overrides(tmp_path: Path) -> None:
    rules = (
        "parameters: {low: {value: 10}, high: {value: 10}}\nsegmentations:\n  m:\n    axes:\n"
        '      x: {of: age, bands: {a: "< low", b: ">= high"}}\n      y: {of: vip, bands: {c: "true", d: "false"}}\n'
        "    cells: [{segment: e}]\n"
    )
    assert right(tmp_path, rules).definitions
    _, gap = checked(tmp_path, rules, {"high": "12"})
    _, overlap = checked(tmp_path, rules, {"low": "10.5"})
    assert [message(one, "en") for one in gap] == ["no band of axis `x` takes = 10"]
    assert [message(one, "en") for one in overlap] == ["bands `a` and `b` both take = 10"]


def test_a_review_that_is_due_is_a_warning(tmp_path: Path) -> None:
    import datetime

    rules = "purpose: p\nowner: o\nreview_by: 2026-06-30\nsegments: {a: {when: vip}}\n"
    due = from_date(datetime.date(2026, 6, 30))
    assert [one.code for one in checked(tmp_path, rules, today=due)[1]] == []
    ruleset, found = checked(tmp_path, rules, today=due + 1)
    assert ruleset is not None
    assert [one.code for one in found] == ["R560"]


def test_long_chains_and_loops_of_definitions(tmp_path: Path) -> None:
    links = 3_000
    chain = "attributes:\n" + "".join(f"  a{at}: {{value: a{at + 1} + 1}}\n" for at in range(links))
    ruleset = right(tmp_path, f"{chain}  a{links}: {{value: age}}\n")
    assert list(ruleset.definitions)[:2] == [f"a{links}", f"a{links - 1}"]
    _, found = checked(tmp_path, f"{chain}  a{links}: {{value: a0}}\n")
    assert [one.code for one in found] == ["N309"]
    assert len(found[0].also) == links


@given(st.dictionaries(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=3), max_size=10))
def test_everything_comes_after_what_it_needs(needs: dict[int, list[int]]) -> None:
    named = {str(name): [str(one) for one in used] for name, used in needs.items()}
    done: list[str] = []

    def steps(name: str) -> Any:
        yield named[name]
        done.append(name)

    loops = work_through(named, lambda name: steps(name) if name in named else None)
    assert sorted(done) == sorted(named)
    for loop in loops:
        assert all(after in named[before] for before, after in zip(loop, [*loop[1:], loop[0]], strict=True))
    if not loops:
        for name, used in named.items():
            assert all(done.index(one) < done.index(name) for one in used if one in named)


PIECES = ["a", "1", "\\d", "\\b", "(", ")", "(?:", "(?=", "(?<!", "(?P<n>", "(?i)", "[", "]", "[^", "-", "*", "+", "?"]
PIECES += [
    "{2}",
    "{3,}",
    "{1001}",
    "{40}",
    "|",
    "^",
    "$",
    ".",
    "\\1",
    "\\Z",
    "\\z",
    "\\\\",
    "\\",
    "北",
    "++",
    "(?>",
    "\\pN",
]
PIECES += [
    "\\p{Han}",
    "\\x41",
    "\\x{4e00}",
    "(?(1)a)",
    "(?#x)",
    "(?<m>",
    "[[:alpha:]]",
    "[:foo:]",
    "[:alpha:]",
    "\\p{Foo}",
    "\\x{110000}",
    "\\A",
    "_",
    "\\_",
    "(?x)",
    "(?U)",
    ":",
    "\\Q",
    "\\E",
    "{,3}",
    "(?s:",
    "\\u",
]


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=7))
def test_a_pattern_that_passes_is_one_of_re2(pieces: list[str]) -> None:
    pattern = "".join(pieces)
    if fault(pattern) is None:
        pc.match_substring_regex(pa.scalar("a1北"), pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^1\\d{10}$",
        "\\p{Han}+",
        "(?i)abc",
        "a|b",
        "[一-龥]",
        "\\\\1",
        "x{1000}",
        "",
        "(?P<n>a)b",
        "[[:alpha:]0]+",
        "\\bx\\b",
    ],
)
def test_usual_patterns_pass(pattern: str) -> None:
    assert fault(pattern) is None


def scope_of(columns: list[ColumnContract[m.Expr]]) -> Scope:
    table: Table[m.Expr] = Table("customers", None, {one.name: one for one in columns}, key="id")
    contracts: Contracts[m.Expr] = Contracts("customers", "UTC", {"customers": table})
    return Scope(contracts, Names({}, {}, {}), {}, {}, [], ("customers",))


COMPARISONS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])


def predicates_of(x: m.Expr) -> st.SearchStrategy[m.Expr]:
    constants = st.integers(-1, 6).map(lambda value: m.Constant(value, INTEGER))
    single: st.SearchStrategy[m.Expr] = st.one_of(
        st.builds(lambda op, value: m.Compare(op, x, value), COMPARISONS, constants),
        st.builds(lambda values: m.In(x, tuple(values)), st.lists(constants, min_size=1, max_size=3)),
        st.just(m.IsMissing(x)),
        st.just(m.In(x, (m.Constant(3, INTEGER), m.Constant(None, INTEGER)))),
    )
    return st.recursive(
        single,
        lambda inner: st.one_of(
            inner.map(m.Not),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: m.And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: m.Or(tuple(parts))),
        ),
        max_leaves=4,
    )


def truth(test: m.Expr, value: Any) -> bool | None:
    """Kleene truth of a test of one value, by the book."""
    match test:
        case m.IsMissing():
            return value is None
        case m.Not(operand):
            inner = truth(operand, value)
            return None if inner is None else not inner
        case m.And(operands):
            found = [truth(one, value) for one in operands]
            return False if False in found else None if None in found else True
        case m.Or(operands):
            found = [truth(one, value) for one in operands]
            return True if True in found else None if None in found else False
        case m.In(operand, options):
            return truth(m.Or(tuple(m.Compare("=", operand, one) for one in options)), value)
        case m.Compare(op, _, m.Constant(other)):
            if value is None or other is None:
                return None
            assert isinstance(other, int)
            return {
                "=": value == other, "!=": value != other, "<": value < other, "<=": value <= other,
                ">": value > other, ">=": value >= other,
            }[op]  # fmt: skip
    raise AssertionError(test)


X = m.Column("customers", "x", INTEGER, True)
Y = m.Column("customers", "y", INTEGER, False)
SPACE = scope_of([ColumnContract("x", INTEGER, True, min=0, max=5), ColumnContract("y", INTEGER, min=0, max=5)])
X_VALUES: list[int | None] = [None, 0, 1, 2, 3, 4, 5]
Y_VALUES: list[int | None] = [0, 1, 2, 3, 4, 5]


@settings(max_examples=400, deadline=None)
@given(st.lists(predicates_of(X), min_size=1, max_size=4))
def test_regions_are_what_brute_force_finds(tests: list[m.Expr]) -> None:
    found = lines(X, tests, SPACE)
    assert found is not None
    (line,) = found
    everything = line.possible | line.missing
    for one, other in product(range(len(tests)), repeat=2):
        both = any(truth(tests[one], value) and truth(tests[other], value) for value in X_VALUES)
        assert bool(line.true[one] & line.true[other] & everything) == both
    left = [value for value in X_VALUES if not any(truth(test, value) for test in tests)]
    gap = everything
    for true in line.true:
        gap &= ~true
    assert bool(gap) == bool(left)
    if gap & ~line.missing:
        text = line.describe(gap & ~line.missing)
        bounds = [(sign, Fraction(number)) for sign, number in re.findall(r"([<>=]) (-?\d+)", text)]
        signs = {"<": lambda a, b: a < b, ">": lambda a, b: a > b, "=": lambda a, b: a == b}
        inside = [value for value in range(6) if all(signs[sign](value, bound) for sign, bound in bounds)]
        assert inside and set(inside) <= set(left)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(predicates_of(X), st.one_of(st.none(), predicates_of(Y))), min_size=1, max_size=5))
def test_completeness_is_what_brute_force_finds(rows: list[tuple[m.Expr, m.Expr | None]]) -> None:
    written = [[(X, x)] + ([] if y is None else [(Y, y)]) for x, y in rows]
    really = all(
        any(truth(x, a) is True and (y is None or truth(y, b) is True) for x, y in rows)
        for a, b in product(X_VALUES, Y_VALUES)
    )
    assert complete(written, SPACE) == really


def test_windows_are_compared_on_every_kind_of_day() -> None:
    day = m.Column("customers", "d", Date(), False)
    scope = scope_of([ColumnContract("d", Date())])

    def last(amount: int, unit: Any) -> m.Expr:
        edges = [m.WindowEdge("last", amount, unit, edge) for edge in ("first", "last")]
        return m.And((m.Compare(">=", day, edges[0]), m.Compare("<=", day, edges[1])))

    assert complete([[(day, last(30, "day"))], [(day, m.Not(last(30, "day")))]], scope)
    month, thirty = last(1, "month"), last(30, "day")
    assert not complete([[(day, thirty)], [(day, m.Not(month))]], scope)
    assert complete([[(day, last(31, "day"))], [(day, m.Not(month))]], scope)


@settings(max_examples=200)
@given(st.text("abcd", min_size=5, max_size=9), st.data())
def test_one_slip_is_found(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    slips = [name[:at] + name[at + 1 :], name[:at] + "z" + name[at:], name[:at] + "Z_" + name[at + 1 :]]
    assert nearest(data.draw(st.sampled_from(slips)), ["zzz", name]) == name


def test_far_names_are_not_suggested() -> None:
    assert nearest("spend", ["city", "age", "tier"]) is None
    assert nearest("x" * 100, ["x" * 99]) is None
    assert nearest("ago", ["age", "aged"]) == "age"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("城市 = 北京", 'if it is meant as text, put it in quotes: `"北京"`'),
        ("城市 = customers.北京", None),
        ('城市属于("北京")', "the name contains the keyword `属于`; put a space before it if it is meant as one"),
        ("roundd(age) > 3", "did you mean `round`?"),
        ("frobnicate(age) > 3", None),
    ],
)
def test_a_way_out_of_unknown_names(when: str, expected: str | None, tmp_path: Path) -> None:
    _, found = checked(tmp_path, f"segments:\n  a: {{when: '{when}'}}\n")
    assert [help_text(one, "en") for one in found] == [expected]


def test_messages_show_both_places_and_ways_out(tmp_path: Path) -> None:
    _, found = checked(
        tmp_path,
        "attributes:\n  star: {value: age}\nsegments:\n  star: {when: vip}\n  rich: {when: anual_income > 3}\n"
        "  local: {when: 城市属于 = 3}\n  loop: {when: pool}\n  pool: {when: loop}\n",
    )
    told = [
        (one.code, message(one, "en"), help_text(one, "en"), [str(span.place) for span in one.also]) for one in found
    ]
    assert told == [
        ("N302", "`star` is defined a second time", None, ["rules/a.yaml:4:3"]),
        ("N301", "nothing here is called `anual_income`", "did you mean `annual_income`?", []),
        (
            "N301",
            "nothing here is called `城市属于`",
            "the name contains the keyword `属于`; put a space before it if it is meant as one",
            [],
        ),
        ("N309", "these definitions need each other: loop → pool → loop", None, ["rules/a.yaml:10:3"]),
    ]


def test_parameters_of_a_ruleset_are_checked_values(tmp_path: Path) -> None:
    parameter = right(tmp_path, "parameters: {a: {value: 1, label: A}}\n").parameters["a"]
    assert parameter == Parameter("a", "A", INTEGER, 1)
    assert str(TEXT) == "text"
