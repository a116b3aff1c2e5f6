"""Aggregates over related rows, for all customers at once.

In: a column over the rows of a table, which rows count, and for each row its customer's ordinal.  Out: a column with
one value per customer.  Always: a row counts if it belongs to a customer and is selected; missing values are left out;
over nothing `count` and `sum` are 0, `any` is false, `all` true, the others missing; exact sums are exact.

    aggregate("sum", amount, in_window, owner, customers, None, Decimal(2))

The work is scatter-adds over unsorted rows (`numpy`'s `ufunc.at`); only medians and distinct counts sort.
"""

from __future__ import annotations

import numpy as np

from segrules.engine.vector.build import Doubles, built, doubles, ints, nothing
from segrules.engine.vector.order import (
    Ordered,
    distinct_counts,
    largest,
    latest,
    medians,
    present,
    row_of_extreme,
    smallest,
)  # fmt: skip
from segrules.engine.vector.quotient import divided
from segrules.engine.vector.sums import (
    averages,
    counts,
    deviations,
    floating_averages,
    floating_deviations,
    floating_sums,
    sums,
)  # fmt: skip
from segrules.schema.types import ListOfText, Number, Text, Type, Untyped, scale_of
from segrules.tables.columns import Bools, Column, Ints

_HALF = 2**62


def aggregate(
    function: str,
    value: Column | None,
    selected: Bools | None,
    owner: Ints,
    customers: int,
    order: Ints | None,
    result: Type,
    *,
    time: Ints | None = None,
) -> Column:
    """*function* of *value* over the rows of each customer.

    *owner*: per row the customer's ordinal, -1 for nobody. *selected*: None for all rows. *value*: None for `count`
    and for `any` of rows. `first` and `last` take *order*, the rows by (time, key), or for a table without a key
    *time*, of which rows at the same time give the smaller value. Raises `Overflow` with the customer's ordinal.
    """
    if value is not None and isinstance(value.type, Untyped):
        value, selected = nothing(value.type, len(owner)), np.zeros(len(owner), np.bool_)
    counted = _counted(value, selected, owner)
    if function in ("first", "last") and time is None:
        assert value is not None and order is not None
        return _by_order(function, value, counted, owner, customers, order)
    rows = None if counted is None else np.flatnonzero(counted)
    owners = owner if rows is None else owner[rows]
    if function == "count" or value is None:
        found = counts(owners, customers)
        return built(result, found if function == "count" else found > 0)
    column = value if rows is None else value.take(rows)
    match function:
        case "any" | "all":
            return _quantified(function, column, owners, customers, result)
        case "count_distinct":
            return built(result, distinct_counts(column, owners, customers))
        case "min" | "max":
            return _extreme(function, column, owners, customers)
        case "first" | "last":
            assert time is not None
            return _by_time(function, column, time if rows is None else time[rows], owners, customers)
        case _:
            return _calculated(function, column, owners, customers, result)


def _counted(value: Column | None, selected: Bools | None, owner: Ints) -> Bools | None:
    """Which rows count; None for all."""
    found = selected
    if value is not None and value.missing is not None:
        found = ~value.missing if found is None else found & ~value.missing
    if len(owner) and owner.min() < 0:
        found = owner >= 0 if found is None else found & (owner >= 0)
    return found


def _quantified(function: str, column: Column, owner: Ints, customers: int, result: Type) -> Column:
    truth = column.values.astype(np.bool_)
    if function == "any":
        return built(result, present(owner[truth], customers))
    return built(result, ~present(owner[~truth], customers))


def _calculated(function: str, column: Column, owner: Ints, customers: int, result: Type) -> Column:
    exact = not isinstance(column.type, Number)
    scale = scale_of(column.type)
    found: Ints | Doubles
    match function:
        case "sum":
            found = sums(ints(column), owner, customers) if exact else floating_sums(doubles(column), owner, customers)
            return built(result, found)
        case "avg" if exact:
            found = averages(ints(column), scale, owner, customers)
        case "avg":
            found = floating_averages(doubles(column), owner, customers)
        case "stddev" if exact:
            found = deviations(ints(column), scale, owner, customers)
        case "stddev":
            found = floating_deviations(doubles(column), owner, customers)
        case "median":
            found = _median(column, owner, customers, scale)
        case _:
            raise ValueError(f"no such aggregate: {function}")
    return built(result, found, ~present(owner, customers))


def _median(column: Column, owner: Ints, customers: int, scale: int) -> Doubles:
    """The middle value, or the mean of the two in the middle, rounded once."""
    if isinstance(column.type, Number):
        low, high = medians(doubles(column), owner, customers)
        with np.errstate(over="ignore"):
            both = low + high
        return np.where(np.isfinite(both), both / 2, low / 2 + high / 2)
    low, high = medians(ints(column), owner, customers)
    unit = 2 * 10**scale
    found = divided(low + high, unit)
    for customer in np.flatnonzero((low < -_HALF) | (high >= _HALF)):
        found[customer] = (int(low[customer]) + int(high[customer])) / unit
    return found


def _extreme(function: str, column: Column, owner: Ints, customers: int) -> Column:
    if isinstance(column.type, Text | ListOfText):
        return _taken(column, row_of_extreme(function, column, owner, customers))
    values: Ordered = doubles(column) if isinstance(column.type, Number) else ints(column)
    missing = ~present(owner, customers)
    best = (smallest if function == "min" else largest)(values, owner, customers)
    return built(column.type, np.where(missing, best.dtype.type(0), best), missing)


def _by_order(function: str, value: Column, counted: Bools | None, owner: Ints, customers: int, order: Ints) -> Column:
    rows = order if counted is None else order[counted[order]]
    if function == "first":
        rows = rows[::-1]
    return _taken(value, latest(owner[rows], rows, customers))


def _by_time(function: str, column: Column, time: Ints, owner: Ints, customers: int) -> Column:
    edge = (smallest if function == "first" else largest)(time, owner, customers)
    rows = np.flatnonzero(time == edge[owner])
    return _extreme("min", column.take(rows), owner[rows], customers)


def _taken(column: Column, row: Ints) -> Column:
    """The values, none of them missing, in the rows *row*; missing where that is -1."""
    some = row >= 0
    found = column.take(row[some])
    if found.offsets is not None:
        lengths = np.zeros(len(row), np.int64)
        lengths[some] = np.diff(found.offsets)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Column(found.type, found.values, None if some.all() else ~some, found.dictionary, offsets)
    values = np.zeros(len(row), found.values.dtype)
    values[some] = found.values
    return built(found.type, values, ~some, found.dictionary)
