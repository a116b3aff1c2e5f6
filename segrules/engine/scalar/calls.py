"""Scalar functions as generated code.

In: a checked `Call` and the values of its arguments.  Out: a `Val`.  Always: the meaning of
`engine/reference/functions.py`.

    call(lowering, Call("length", (name,), INTEGER), [v3], scope)      # len(v3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segrules.engine.scalar.logic import all_of, any_of
from segrules.engine.scalar.patterns import quick
from segrules.engine.scalar.writer import FALSE, Level, Scope, Val
from segrules.model.expr import Call
from segrules.schema.types import Number, Type, scale_of

if TYPE_CHECKING:
    from segrules.engine.scalar.lower import Lowering

ON_TEXT: Mapping[str, str] = {
    "contains": "{1} in {0}", "starts_with": "{0}.startswith({1})", "ends_with": "{0}.endswith({1})",
    "lower": "lower({0})", "upper": "upper({0})", "trim": "trim({0})", "length": "len({0})",
    "replace": "replaced({0}, {1}, {2})", "left_text": "left_text({0}, {1})", "right_text": "right_text({0}, {1})",
    "count_items": "len({0})",
}  # fmt: skip
ON_DAYS: Mapping[str, str] = {
    "year": "year({0})", "quarter": "quarter({0})", "month": "month({0})", "day": "day_of_month({0})",
    "weekday": "weekday({0})", "days_since": "{1} - {0}", "weeks_since": "div({1} - {0}, 7)",
    "months_since": "months_between({0}, {1})", "years_since": "div(months_between({0}, {1}), 12)",
    "next_anniversary": "next_anniversary({0}, {1})",
}  # fmt: skip
ON_DOUBLES: Mapping[str, str] = {
    "sqrt": "sqrt({0})", "ln": "ln({0})", "exp": "exponential({0})", "power": "power({0}, {1})",
}  # fmt: skip


def call(lowering: Lowering, node: Call, args: Sequence[Val], scope: Scope) -> Val:
    writer, types = lowering.writer, [arg.type for arg in node.args]
    match node.function:
        case "default":
            if args[0].is_missing or not args[0].nullable:
                return args[1] if args[0].is_missing else args[0]
            return writer.apply("{1} if {0} is None else {0}", *args, strict=False, nullable=args[1].nullable)
        case "contains_any":
            return any_of(writer, [writer.apply("{1} in {0}", args[0], part) for part in args[1:]])
        case "has_any" | "has_all":
            return _has(lowering, node.function, args)
        case "matches":
            return _matches(lowering, args)
        case "concat":
            parts = ", ".join(f"{{{at}}}" for at in range(len(args)))
            return writer.apply(f"''.join(({parts},))", *args)
        case "hash_bucket":
            return writer.apply("hash_bucket({0}, {1}, {2})", *args, nullable=True)
        case "date":
            return lowering.local_day(args[0], types[0])
        case "days_between":
            days = [lowering.local_day(arg, type_) for arg, type_ in zip(args, types, strict=True)]
            return writer.apply("{1} - {0}", *days)
        case name if name in ON_DAYS:
            return _on_day(lowering, name, lowering.local_day(args[0], types[0]))
        case name if name in ON_TEXT:
            return writer.apply(ON_TEXT[name], *args)
        case name if name in ON_DOUBLES:
            doubles = [lowering.double(arg, type_) for arg, type_ in zip(args, types, strict=True)]
            return writer.apply(ON_DOUBLES[name], *doubles, nullable=True)
        case _:
            return _numeric(lowering, node, args, types, scope)


def _on_day(lowering: Lowering, function: str, day: Val) -> Val:
    template = ON_DAYS[function]
    today = [lowering.writer.given("as_of", Level.DAY, False)] if "{1}" in template else []
    return lowering.writer.apply(template, day, *today, nullable=function == "next_anniversary")


def _has(lowering: Lowering, function: str, args: Sequence[Val]) -> Val:
    """Several constants in one look; each other part on its own."""
    writer, (items, *parts) = lowering.writer, args
    fixed = [part for part in parts if part.level is Level.CONSTANT and not part.is_missing]
    if len(fixed) < 2:
        fixed = []
    found = [writer.apply("{1} in {0}", items, part) for part in parts if part not in fixed]
    if fixed:
        known = writer.set_of(part.value for part in fixed)
        template = f"not {known}.isdisjoint({{0}})" if function == "has_any" else f"{known}.issubset({{0}})"
        found.append(writer.apply(template, items))
    return any_of(writer, found) if function == "has_any" else all_of(writer, found)


def _matches(lowering: Lowering, args: Sequence[Val]) -> Val:
    writer, (subject, pattern) = lowering.writer, args
    fast = quick(pattern.value) if isinstance(pattern.value, str) else None
    if fast is None:
        return writer.apply("matches({0}, {1})", subject, pattern)
    search = writer.object(fast.search, ("pattern", pattern.value))
    return writer.apply(f"{search}({{0}}) is not None", subject)


def _numeric(lowering: Lowering, node: Call, args: Sequence[Val], types: Sequence[Type], scope: Scope) -> Val:
    writer, is_double = lowering.writer, isinstance(types[0], Number)
    match node.function:
        case "abs":
            if is_double:
                return writer.apply("abs({0})", *args)
            return lowering.checked("abs({0})", *args, node=node, scope=scope)
        case "round":
            return _round(lowering, node, args, types[0], scope)
        case "floor" | "ceil":
            if is_double:
                return writer.apply(f"{node.function}_double({{0}})", *args)
            unit = 10 ** scale_of(types[0])
            return writer.apply(f"{{0}} // {unit}" if node.function == "floor" else f"-(-{{0}} // {unit})", *args)
        case "div":
            return lowering.checked("div({0}, {1})", *args, node=node, scope=scope, nullable=True)
        case "mod":
            return writer.apply("mod({0}, {1})", *args, nullable=True)
        case "least" | "greatest":
            inner = ", ".join(f"{{{at}}}" for at in range(len(args)))
            return writer.apply(f"{'min' if node.function == 'least' else 'max'}({inner})", *args)
        case "band":
            return _band(lowering, args, types)
        case unknown:
            raise AssertionError(f"no such function: {unknown}")


def _round(lowering: Lowering, node: Call, args: Sequence[Val], type_: Type, scope: Scope) -> Val:
    digits = args[1].value if len(args) > 1 else 0
    if digits is None:
        return args[1]
    assert isinstance(digits, int), "digits are known before the run"
    if isinstance(type_, Number):
        if abs(digits) >= 1100:
            return args[0] if digits > 0 else lowering.writer.apply("{0} * 0.0 + 0.0", args[0])
        return lowering.writer.apply(f"rounded_double({{0}}, {digits})", args[0], nullable=True)
    if digits < -38:
        return lowering.writer.apply("0 * {0}", args[0])
    scale = scale_of(type_)
    kept = min(digits, scale)
    template = f"rounded({{0}}, {10 ** (scale - kept)}, {10 ** (scale_of(node.type) - kept)})"
    if kept == scale == scale_of(node.type):
        return args[0]
    return lowering.checked(template, args[0], node=node, scope=scope)


def _band(lowering: Lowering, args: Sequence[Val], types: Sequence[Type]) -> Val:
    """How many cuts are not above the value."""
    writer = lowering.writer
    if any(isinstance(each, Number) for each in types):
        alike = [
            arg if isinstance(own, Number) else lowering.double(arg, own) for arg, own in zip(args, types, strict=True)
        ]
    else:
        scale = max(map(scale_of, types))
        alike = [lowering.scaled(arg, scale - scale_of(own)) for arg, own in zip(args, types, strict=True)]
    value, *cuts = alike
    if all(cut.level is Level.CONSTANT and not cut.is_missing for cut in cuts):
        numbers = [cut.value for cut in cuts if isinstance(cut.value, int | float)]
        return writer.apply(f"bisect_right({writer.tuple_of(sorted(numbers))}, {{0}})", value)
    counted = " + ".join(f"({{0}} >= {{{at}}})" for at in range(1, len(alike)))
    return writer.apply(counted, *alike) if cuts else FALSE
