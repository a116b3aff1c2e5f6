"""How the bulk engine works inside, and its answers on cases that generated rules rarely reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segrules.engine.reference.evaluate import evaluate as reference
from segrules.engine.results import Results
from segrules.engine.vector import rails
from segrules.engine.vector.canonical import compare, conjunction, disjunction, instants_from_day, member, negation
from segrules.engine.vector.dates import Scope
from segrules.engine.vector.definitions import compile_definitions
from segrules.engine.vector.evaluate import evaluate
from segrules.engine.vector.program import And, AtLeast, Equal, Fixed, Member, Never, Not, Own, Program, operands
from segrules.engine.vector.rows import row_values
from segrules.engine.vector.run import run
from segrules.engine.vector.spaces import Spaces
from segrules.errors import RunStopped
from segrules.model import expr as m
from segrules.model.expr import CompareOp, Expr
from segrules.model.ruleset import Attribute, CaseRule, Definition, Outcome, RuleSet, Segment, Segmentation
from segrules.schema.calendar import MICROSECONDS_PER_DAY, local_day, start_of_day
from segrules.schema.contract import ColumnContract, Contracts, Parent, Table
from segrules.schema.types import (
    BOOL,
    DATE,
    INT64_MAX,
    INTEGER,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Decimal,
    Type,
    Value,
)  # fmt: skip
from segrules.source import Source
from segrules.syntax.expr import Name
from segrules.tables.columns import Loaded, Tables
from tests.columns_of import column_of, values_of

AS_OF = 20_778
WRITTEN = Name(("written",))
Rows = Mapping[str, tuple[Type, Sequence[Value]]]


def world(customers: Rows, orders: Rows | None = None, parents: Sequence[int] = ()) -> tuple[Contracts[Expr], Tables]:
    """Customers (the first column is the key) and, if wanted, orders that belong to them."""
    shapes = {"customers": customers} | ({} if orders is None else {"orders": orders})
    contracts: dict[str, Table[Expr]] = {}
    loaded: dict[str, Loaded] = {}
    for name, rows in shapes.items():
        columns = {each: ColumnContract(each, type_) for each, (type_, _) in rows.items()}
        parent = Parent("customers", "customer") if name == "orders" else None
        contracts[name] = Table(name, None, columns, next(iter(rows)), parent)
        made = {each: column_of(type_, values) for each, (type_, values) in rows.items()}
        size = len(next(iter(rows.values()))[1])
        above = np.array(parents, np.int64) if name == "orders" else None
        loaded[name] = Loaded(name, size, made, above, place=np.arange(size) + 101)
    return Contracts("customers", "Asia/Shanghai", contracts), Tables(loaded)


def rules(contracts: Contracts[Expr], *definitions: Definition) -> RuleSet:
    return RuleSet("test", "en", "", contracts, {}, {one.name: one for one in definitions})


def col(name: str, type_: Type, table: str = "customers") -> m.Column:
    return m.Column(table, name, type_, True)


def whole(value: int) -> m.Constant:
    return m.Constant(value, INTEGER)


def both(ruleset: RuleSet, tables: Tables) -> Results:
    """The bulk engine's results; their values are the reference's."""
    expected, found = reference(ruleset, tables, AS_OF), evaluate(ruleset, tables, AS_OF)
    for name, column in expected.values.items():
        assert values_of(found.values[name]) == values_of(column)
    return found


# Canonical comparisons


def canonical(op: CompareOp, value: int, type_: Type) -> tuple[int, Program]:
    program = Program()
    spend = program.add("customers", Own("spend"), Decimal(2))
    return compare(program, op, spend, program.add("customers", Fixed(value), type_), "UTC"), program


@pytest.mark.parametrize(
    ("op", "value", "scale", "key"),
    [(">=", 1555, 3, 156), (">", 1555, 3, 156), (">", 1550, 3, 156), (">=", 1550, 3, 155), (">=", -1555, 3, -155),
     (">", -1555, 3, -155), (">=", 7, 0, 700), (">", 7, 0, 701)],
)  # fmt: skip
def test_a_threshold_comes_to_the_scale_of_the_column(op: CompareOp, value: int, scale: int, key: int) -> None:
    node, program = canonical(op, value, Decimal(scale))
    assert program.ops[node] == AtLeast(0, key)


@pytest.mark.parametrize(("op", "other"), [("<", ">="), ("<=", ">"), ("!=", "=")])
def test_an_operator_is_the_negation_of_its_opposite(op: CompareOp, other: CompareOp) -> None:
    program = Program()
    spend = program.add("customers", Own("spend"), Decimal(2))
    five = program.add("customers", Fixed(5), INTEGER)
    assert compare(program, op, spend, five, "UTC") == negation(program, compare(program, other, spend, five, "UTC"))
    assert compare(program, op, five, spend, "UTC") == negation(program, compare(program, other, five, spend, "UTC"))


def test_what_no_stored_value_fits_is_never_true() -> None:
    for op, value, type_ in (("=", 1, Decimal(3)), (">", INT64_MAX, INTEGER), ("=", INT64_MAX, INTEGER)):
        node, program = canonical(op, value, type_)  # type: ignore[arg-type]
        assert program.ops[node] == Never(0)


def test_equal_parts_of_different_rules_are_one_node() -> None:
    program = Program()
    spend = program.add("customers", Own("spend"), Decimal(2))
    parts = [compare(program, ">=", spend, program.add("customers", Fixed(n), INTEGER), "UTC") for n in (1, 2, 3)]
    size = len(program.ops)
    first = conjunction(program, "customers", [parts[0], conjunction(program, "customers", [parts[2], parts[1]])])
    second = conjunction(program, "customers", [parts[1], parts[0], parts[2], parts[0]])
    assert first == second
    assert program.ops[first] == And(tuple(sorted(parts)))
    assert len(program.ops) == size + 2


def test_constants_fold_by_kleenes_rules() -> None:
    program = Program()
    flag = program.add("customers", Own("flag"), BOOL)
    true, false, unknown = (program.add("customers", Fixed(value), BOOL) for value in (True, False, None))
    assert conjunction(program, "customers", [flag, true]) == flag
    assert conjunction(program, "customers", [flag, unknown, false]) == false
    assert disjunction(program, "customers", [flag, false]) == flag
    assert disjunction(program, "customers", [unknown, true]) == true
    assert program.ops[conjunction(program, "customers", [flag, unknown])] == And((flag, unknown))


def test_few_options_are_equals_and_many_a_set() -> None:
    program = Program()
    spend = program.add("customers", Own("spend"), Decimal(2))
    few = [program.add("customers", Fixed(n), INTEGER) for n in range(2)]
    many = [program.add("customers", Fixed(n), INTEGER) for n in range(20)]
    made = member(program, spend, few, "UTC")
    assert {program.ops[part] for part in program.ops[made].operands} == {Equal(spend, 0), Equal(spend, 100)}  # type: ignore[union-attr]
    assert program.ops[member(program, spend, many, "UTC")] == Member(spend, frozenset(n * 100 for n in range(20)))


# Days as instants

ZONES = ("Asia/Shanghai", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Africa/Cairo", "Europe/Dublin")


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ZONES), st.integers(-20_000, 25_000), st.integers(-40 * 3600, 40 * 3600), st.integers(-1, 1))
def test_instants_of_a_day_are_those_whose_local_day_it_is(zone: str, day: int, seconds: int, more: int) -> None:
    instant = start_of_day(day, zone) + seconds * 1_000_000 + more
    assert holds(instants_from_day(day, zone), instant) == (local_day(instant, zone) >= day)


def test_a_clock_set_back_across_midnight_gives_two_stretches() -> None:
    """In St. John's the clock went from 00:01 back to 23:01 on 2010-11-07: a minute of the 7th, then the 6th again."""
    day = 14_920
    intervals = instants_from_day(day, "America/St_Johns")
    assert len(intervals) == 2
    start = start_of_day(day, "America/St_Johns")
    for second in range(-200, 4000):
        instant = start + second * 1_000_000
        assert holds(intervals, instant) == (local_day(instant, "America/St_Johns") >= day)


def holds(intervals: Sequence[tuple[int | None, int | None]], instant: int) -> bool:
    return any((start is None or start <= instant) and (end is None or instant < end) for start, end in intervals)


def test_a_window_on_a_timestamp_converts_no_row() -> None:
    contracts, _ = world({"id": (INTEGER, [1]), "seen": (TIMESTAMP, [0])})
    first, last = (m.WindowEdge("last", 30, "day", edge) for edge in ("first", "last"))  # type: ignore[arg-type]
    day = m.Convert(col("seen", TIMESTAMP), DATE)
    recent = m.And((m.Compare(">=", day, first), m.Compare("<=", day, last)))
    ruleset = rules(contracts, Segment("recent", None, recent, WRITTEN))
    compiled = compile_definitions(ruleset, ["recent"], Scope(AS_OF, "UTC"), "UTC", frozenset())
    program = compiled.lowering.program
    needed = {type(program.ops[node]) for node in program.live([compiled.lowering.names["recent"]])}
    assert needed == {Own, AtLeast, Not, And}


def test_timestamps_without_a_local_day_are_unknown() -> None:
    far = [-(2**62), 0, 2**62, 253_402_300_799_999_999]
    contracts, tables = world({"id": (INTEGER, [1, 2, 3, 4]), "seen": (TIMESTAMP, far)})
    late = m.Compare(">=", m.Convert(col("seen", TIMESTAMP), DATE), m.Constant(0, DATE))
    found = both(rules(contracts, Attribute("late", None, late, WRITTEN)), tables)
    assert values_of(found.values["late"]) == [None, True, None, None]


# Rails


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=40), st.integers(0, 2**40 - 1))
def test_rails_follow_kleene(truths: list[bool | None], bits: int) -> None:
    others = [(True, False, None)[(bits >> 2 * i & 3) % 3] for i in range(len(truths))]
    a, b = of(truths), of(others)
    assert truths_of(rails.conjunction([a, b, a]), len(truths)) == [
        False if False in pair else None if None in pair else True for pair in zip(truths, others, strict=True)
    ]
    assert truths_of(rails.disjunction([a, b, b]), len(truths)) == [
        True if True in pair else None if None in pair else False for pair in zip(truths, others, strict=True)
    ]
    assert truths_of(rails.negation(a), len(truths)) == [None if one is None else not one for one in truths]


def of(truths: Sequence[bool | None]) -> rails.Rails:
    missing = np.array([one is None for one in truths])
    return rails.of_mask(np.array([one is True for one in truths]), missing if missing.any() else None)


def truths_of(found: rails.Rails, rows: int) -> list[bool | None]:
    true, false = rails.unpack(found[0], rows), rails.unpack(rails.false_of(found), rows)
    assert not (true & false).any()
    return [True if t else False if f else None for t, f in zip(true.tolist(), false.tolist(), strict=True)]


def test_without_missing_values_there_is_no_false_rail() -> None:
    contracts, tables = world({"id": (INTEGER, [1, 2]), "n": (INTEGER, [3, 9]), "k": (TEXT, ["a", "b"])})
    wanted = m.Not(m.And((m.Compare("<", col("n", INTEGER), whole(5)), m.In(col("k", TEXT), (m.Constant("a", TEXT),)))))
    ruleset = rules(contracts, Segment("s", None, wanted, WRITTEN))
    scope = Scope(AS_OF, "UTC")
    compiled = compile_definitions(ruleset, ["s"], scope, "UTC", frozenset())
    node = compiled.lowering.names["s"]
    found = run(compiled.lowering.program, Spaces(contracts, tables), scope, [node], block_rows=8, threads=1)
    assert found.rails(node)[1] is None
    assert evaluate(ruleset, tables, AS_OF).segments["s"].unknown is None


# Overflow


def told(ruleset: RuleSet, tables: Tables) -> tuple[str, Mapping[str, object]]:
    with pytest.raises(RunStopped) as caught:
        evaluate(ruleset, tables, AS_OF)
    (one,) = caught.value.diagnostics
    with pytest.raises(RunStopped) as expected:
        reference(ruleset, tables, AS_OF)
    assert expected.value.diagnostics == caught.value.diagnostics
    return one.code, one.args


def test_overflow_names_definition_expression_and_customer() -> None:
    source = Source("rules.yaml", "n * n  +\n 1")
    contracts, tables = world({"id": (TEXT, ["a", "b", "c"]), "n": (INTEGER, [None, 2**32, 2**33])})
    square = m.Arithmetic("*", col("n", INTEGER), col("n", INTEGER), INTEGER, span=source.span(0, 5))
    value = m.Arithmetic("+", square, whole(1), INTEGER, span=source.whole())
    code, args = told(rules(contracts, Attribute("grown", None, value, WRITTEN)), tables)
    assert (code, args["definition"], args["expression"], args["customer"]) == ("D850", "grown", "n * n", "b")


@pytest.mark.parametrize("around", ["branch", "and", "in", "default", "matched"])
def test_overflow_counts_where_its_value_does_not(around: str) -> None:
    contracts, tables = world({"id": (INTEGER, [1]), "n": (INTEGER, [INT64_MAX])})
    grown = m.Arithmetic("+", col("n", INTEGER), whole(1), INTEGER)
    never = m.Constant(False, BOOL)
    condition: Expr = {
        "branch": m.IsMissing(m.Case(((never, grown),), whole(0), INTEGER)),
        "and": m.And((never, m.Compare(">", grown, whole(0)))),
        "in": m.In(whole(1), (whole(1), grown)),
        "default": m.IsMissing(m.Call("default", (whole(1), grown), INTEGER)),
        "matched": m.Compare("=", m.Constant(None, INTEGER), grown),
    }[around]
    assert told(rules(contracts, Segment("s", None, condition, WRITTEN)), tables)[0] == "D850"


def test_overflow_in_related_rows_names_the_first_customer_or_a_row_of_nobody() -> None:
    customers: Rows = {"id": (TEXT, ["a", "b", "c"])}
    orders: Rows = {"oid": (INTEGER, [1, 2, 3, 4]), "n": (INTEGER, [INT64_MAX, INT64_MAX, 0, 5])}
    grown = m.Arithmetic("+", col("n", INTEGER, "orders"), whole(1), INTEGER)
    largest = Attribute("largest", None, m.Aggregate("max", "orders", grown, None, INTEGER), WRITTEN)
    contracts, tables = world(customers, orders, [2, 1, 0, -1])
    assert told(rules(contracts, largest), tables)[1]["customer"] == "b"
    contracts, tables = world(customers, orders, [-1, -1, 0, 2])
    code, args = told(rules(contracts, largest), tables)
    assert (code, args["table"], args["row"]) in (("D851", "orders", 1), ("D851", "orders", 101))


def test_a_sum_may_pass_the_range_on_its_way() -> None:
    orders: Rows = {"oid": (INTEGER, [1, 2, 3]), "n": (INTEGER, [INT64_MAX, INT64_MAX, -INT64_MAX])}
    contracts, tables = world({"id": (TEXT, ["a"])}, orders, [0, 0, 0])
    total = Attribute("total", None, m.Aggregate("sum", "orders", col("n", INTEGER, "orders"), None, INTEGER), WRITTEN)
    assert values_of(both(rules(contracts, total), tables).values["total"]) == [INT64_MAX]


# Segmentations


def test_who_passes_an_unknown_case_is_counted() -> None:
    contracts, tables = world({"id": (INTEGER, [1, 2, 3, 4]), "n": (INTEGER, [None, 1, 9, None]),
                               "k": (INTEGER, [1, 1, 1, None])})  # fmt: skip
    cases = (
        CaseRule("big", None, m.Compare(">", col("n", INTEGER), whole(5)), (), WRITTEN),
        CaseRule("one", None, m.Compare("=", col("k", INTEGER), whole(1)), (), WRITTEN),
        CaseRule("big", None, m.Compare("=", col("k", INTEGER), whole(2)), (), WRITTEN),
    )
    size = Segmentation("size", None, "first", cases, Outcome("rest", None), Outcome("unsure", None))
    found = evaluate(rules(contracts, size), tables, AS_OF).segmentations["size"]
    assert [found.ids[code] for code in found.codes] == ["one", "one", "big", "unsure"]
    assert found.passed_unknown == {"big": 2, "one": 1}


def test_two_true_cases_of_a_unique_segmentation_stop_the_run() -> None:
    contracts, tables = world({"id": (TEXT, ["a", "b"]), "n": (INTEGER, [1, 9])})
    cases = tuple(
        CaseRule(f"over{n}", None, m.Compare(">", col("n", INTEGER), whole(n)), (), WRITTEN) for n in (0, 20, 5)
    )
    size = Segmentation("size", None, "unique", cases, Outcome("rest", None), None)
    code, args = told(rules(contracts, size), tables)
    assert (code, args["first"], args["second"], args["customer"]) == ("D852", "over0", "over5", "b")


# Size and shape


def test_a_long_chain_of_definitions_needs_no_deep_recursion() -> None:
    contracts, tables = world({"id": (INTEGER, [1]), "n": (INTEGER, [1])})
    chain: list[Definition] = [Attribute("a0", None, col("n", INTEGER), WRITTEN)]
    for number in range(1, 3000):
        before = m.Reference(f"a{number - 1}", INTEGER, True)
        chain.append(Attribute(f"a{number}", None, m.Arithmetic("+", before, whole(1), INTEGER), WRITTEN))
    assert values_of(evaluate(rules(contracts, *chain), tables, AS_OF).values["a2999"]) == [3000]


def test_a_segmentation_of_many_cases_stays_small() -> None:
    """Each case adds a few nodes of two operands: who is taken so far is shared, not repeated."""
    contracts, tables = world({"id": (INTEGER, list(range(200))), "n": (INTEGER, list(range(200)))})
    cases = tuple(
        CaseRule(f"c{n}", None, m.Compare("<", col("n", INTEGER), whole(n)), (), WRITTEN) for n in range(1, 150)
    )
    size = Segmentation("size", None, "first", cases, Outcome("rest", None), None)
    ruleset = rules(contracts, size)
    compiled = compile_definitions(ruleset, ["size"], Scope(AS_OF, "UTC"), "UTC", frozenset())
    assert sum(len(operands(op)) for op in compiled.lowering.program.ops) < 25 * len(cases)
    codes = evaluate(ruleset, tables, AS_OF).segmentations["size"].codes
    assert codes.tolist() == [min(n, 149) for n in range(200)]


def test_only_computes_what_is_named_and_what_it_needs() -> None:
    contracts, tables = world({"id": (INTEGER, [1]), "n": (INTEGER, [INT64_MAX])})
    grown = Attribute("grown", None, m.Arithmetic("+", col("n", INTEGER), whole(1), INTEGER), WRITTEN)
    plain = Attribute("plain", None, col("n", INTEGER), WRITTEN)
    used = Segment("used", None, m.Compare("=", m.Reference("plain", INTEGER, True), whole(1)), WRITTEN)
    found = evaluate(rules(contracts, grown, plain, used), tables, AS_OF, only=["used"])
    assert (set(found.segments), set(found.values)) == ({"used"}, set())


# Computed columns


def test_row_values_are_values_of_the_row() -> None:
    price, pieces = column_of(Decimal(2), [150, None, 3]), column_of(INTEGER, [2, 3, 4])
    loaded = Loaded("lines", 3, {"price": price, "pieces": pieces})
    value = m.Arithmetic(
        "*", col("price", Decimal(2), "lines"), m.Convert(col("pieces", INTEGER, "lines"), Decimal(0)), Decimal(2)
    )
    assert values_of(row_values(value, loaded, "UTC")) == [300, None, 12]
    some = m.Compare(">", col("pieces", INTEGER, "lines"), whole(2))
    assert values_of(row_values(some, loaded, "UTC")) == [False, True, True]
    number = m.Constant(1.5, NUMBER)
    assert values_of(row_values(number, loaded, "UTC")) == [1.5, 1.5, 1.5]


def test_row_values_name_the_row_that_overflows() -> None:
    loaded = Loaded("lines", 2, {"n": column_of(INTEGER, [1, INT64_MAX])}, place=np.array([4, 7]))
    with pytest.raises(RunStopped) as caught:
        row_values(m.Arithmetic("+", col("n", INTEGER, "lines"), whole(1), INTEGER), loaded, "UTC")
    (one,) = caught.value.diagnostics
    assert (one.code, one.args["table"], one.args["row"]) == ("D851", "lines", 7)


def test_a_day_is_a_number_of_microseconds() -> None:
    assert instants_from_day(1, "UTC") == ((MICROSECONDS_PER_DAY, None),)
