"""Results as Arrow arrays: the one way from stored values to files and frames.

In: columns, memberships and assignments of `Results`.  Out: Arrow arrays with proper types.  Always: missing and
unknown are null; decimals are decimal128 with their scale, times are microseconds in the project's zone, segmentations
are text; nothing goes through Python row by row.

    array(Column(Decimal(2), np.array([10000])), "Asia/Shanghai")      # decimal128(19, 2): [100.00]
"""

from __future__ import annotations

from typing import assert_never

import numpy as np
import pyarrow as pa

from segrules.engine.results import Assignment, Membership, Results
from segrules.model.names import Named
from segrules.schema.types import (
    Bool,
    Date,
    Decimal,
    Integer,
    ListOfText,
    Number,
    Text,
    Timestamp,
    Untyped,
)  # fmt: skip
from segrules.tables.columns import Column, Loaded


def array(column: Column, timezone: str) -> pa.Array:
    """The column as an Arrow array of its length."""
    values, missing = column.values, column.missing
    match column.type:
        case Bool() | Integer() | Number():
            return pa.array(values, mask=missing)
        case Date():
            return pa.array(values.astype(np.int32), mask=missing).cast(pa.date32())
        case Timestamp():
            return pa.array(values.astype(np.int64), mask=missing).cast(pa.timestamp("us", tz=timezone))
        case Decimal():
            return _decimals(values.astype(np.int64), missing, column.type.scale)
        case Text():
            return _texts(values.astype(np.int32), missing, column.dictionary)
        case ListOfText():
            assert column.offsets is not None
            texts = _texts(values.astype(np.int32), None, column.dictionary)
            offsets = pa.array(column.offsets.astype(np.int32))
            mask = None if missing is None else pa.array(missing)
            return pa.ListArray.from_arrays(offsets, texts, mask=mask)
        case Untyped():
            return pa.nulls(len(column), pa.string())
        case _:
            assert_never(column.type)


def _texts(codes: np.ndarray[tuple[int], np.dtype[np.int32]], missing: object, dictionary: tuple[str, ...]) -> pa.Array:
    texts = pa.array(dictionary or ("",), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), texts).cast(pa.string())


def _decimals(values: np.ndarray[tuple[int], np.dtype[np.int64]], missing: object, scale: int) -> pa.Array:
    halves = np.stack([values, values >> 63], axis=1)
    validity = None if missing is None else pa.array(~np.asarray(missing, bool)).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(19, scale), len(values), [validity, pa.py_buffer(halves.tobytes())])


def booleans(membership: Membership) -> pa.Array:
    mask = None if membership.unknown is None else membership.unknown.mask()
    return pa.array(membership.true.mask(), mask=mask)


def cases(assignment: Assignment) -> pa.Array:
    """The id of each customer's case, as text."""
    ids = pa.array(assignment.ids or ("",), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(assignment.codes.astype(np.int32)), ids).cast(pa.string())


def named(results: Results, customers: Loaded, name: Named, timezone: str) -> pa.Array:
    """The values of one name for all customers, in key order."""
    match name.kind:
        case "segment":
            return booleans(results.segments[name.definition])
        case "list":
            return booleans(results.lists[name.definition])
        case "segmentation":
            return cases(results.segmentations[name.definition])
        case "case":
            assignment = results.segmentations[name.definition]
            return pa.array(assignment.members(name.part).mask())
        case "attribute" | "scorecard":
            return array(results.values[name.definition], timezone)
        case "output":
            return array(results.values[str(name)], timezone)
        case "column":
            return array(customers.columns[name.definition], timezone)
        case "parameter":
            raise LookupError(str(name))
        case _:
            assert_never(name.kind)
