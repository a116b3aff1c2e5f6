"""An explanation, drawn for people and as JSON.

In: an `Explanation`.  Out: lines, or a JSON value.  Always: the author's own text; what is private is `***`; the JSON
has everything, the lines leave out what repeats.

    screen(explain(ruleset, tables, results, "C-0001", "star"), "en")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, assert_never

from segrules.diagnostics.catalogue import Language, say
from segrules.engine.explanation import (
    Bounds,
    CaseSeen,
    Change,
    Explained,
    Explanation,
    Part,
    Points,
    Standing,
    Tally,
    Threshold,
    Turn,
)
from segrules.report.screen import Line, Piece, Style, line, width
from segrules.schema.calendar import to_date
from segrules.schema.types import DATE, INTEGER, Bool, Date, Decimal, Integer, Timestamp, Type, Untyped, Value
from segrules.schema.values import MASK, json_value, shown

FORMAT_VERSION = 1
GROUPED_FROM = 10_000
TRUTH_WIDTH = 8


def screen(explanation: Explanation, language: Language) -> list[Line]:
    """The explanation as lines: short for each name where it is about all of them, else the whole tree."""
    drawing = _Drawing(explanation.timezone, language)
    title = say(
        "explain.header",
        language,
        project=explanation.project,
        key=explanation.key,
        date=to_date(explanation.as_of).isoformat(),
        zone=explanation.timezone,
    )
    lines = [line(Piece(title, "bold"))]
    if len(explanation.names) == 1:
        return [*lines, *drawing.whole(explanation.names[0])]
    for each in explanation.names:
        lines += drawing.short(each)
    return lines


class _Drawing:
    """How values and parts look in one language and zone; the meaning of a name is drawn once."""

    def __init__(self, timezone: str, language: Language) -> None:
        self.timezone = timezone
        self.language = language
        self.explained: set[str] = set()

    def say(self, key: str, **args: str | int) -> str:
        return say(f"explain.{key}", self.language, **args)

    def value(self, value: Value, type_: Type, private: bool = False) -> str:
        if private:
            return MASK
        if isinstance(type_, Bool):
            return self.truth(value)
        if isinstance(value, int) and isinstance(type_, Integer | Decimal):
            whole = abs(value) // 10**type_.scale if isinstance(type_, Decimal) else abs(value)
            if whole >= GROUPED_FROM:
                return _grouped(shown(value, type_, self.timezone, ""))
        text = shown(value, type_, self.timezone, self.say("missing"))
        return text or '""'

    def truth(self, value: Value) -> str:
        return self.say("unknown" if value is None else "true" if value else "false")

    def heading(self, one: Explained) -> Line:
        label = f" {one.label}" if one.label and one.label != one.name else ""
        match one.kind:
            case "segment" | "list" | "case":
                said = self.say("undecided" if one.value is None else "in" if one.value else "out")
                parts: list[str | Piece] = [": ", Piece(said, _colour(one.value))]
            case _:
                parts = [" = ", Piece(self.value(one.value, one.type, one.private), "bold")]
        return line(Piece(one.name, "bold"), Piece(label, "dim"), *parts)

    def whole(self, one: Explained) -> Iterator[Line]:
        yield line()
        yield self.heading(one)
        if one.part is not None:
            yield from self.part(one.part, 1)
        for case in one.cases:
            asked = one.kind == "case" and one.name.rpartition(".")[2] == case.id
            yield from self.case(case, with_parts=asked or case.state != "after")
        for output in one.outputs:
            yield line("  ", output.text, " = ", self.value(output.value, output.type, output.private))
        yield from self.scores(one)
        yield from self.way(one)

    def short(self, one: Explained) -> Iterator[Line]:
        """One line, and for a segment that the customer is not in, what is nearest."""
        yield self.heading(one)
        if one.kind in ("segment", "case") and one.nearest:
            for change in one.nearest:
                yield line("    ", Piece(self.change(change), "dim"))

    def part(self, part: Part, depth: int) -> Iterator[Line]:
        indent = "  " * depth
        is_truth = isinstance(part.type, Bool)
        decides: list[Piece] = []
        if part.decides and depth > 1 and is_truth:
            decides = [Piece(f"  ← {self.say('decides')}", "cyan")]
        label = [Piece(f" {part.label}", "dim")] if part.label and part.label != part.text else []
        note = "" if part.note is None else f"  ({self.note(part)})"
        if isinstance(part.type, Untyped) and part.value is None:
            yield line(indent, part.text, Piece(note, "dim"))
        elif is_truth:
            truth = self.truth(part.value)
            said = Piece(truth + " " * (TRUTH_WIDTH - width(truth)), _colour(part.value))
            yield line(indent, said, part.text, *label, Piece(note, "dim"), *decides)
        else:
            said = Piece(self.value(part.value, part.type, part.private), "" if part.value is not None else "yellow")
            yield line(indent, part.text, *label, " = ", said, Piece(note, "dim"))
        yield from self.conditions(part, indent)
        for each in part.parts:
            yield from self.part(each, depth + 1)
        if part.meaning is not None and part.text not in self.explained:
            self.explained.add(part.text)
            yield line(indent, "  ", Piece(self.say("because"), "dim"))
            yield from self.part(part.meaning, depth + 2)

    def conditions(self, part: Part, indent: str) -> Iterator[Line]:
        if isinstance(part.note, Tally):
            for each in part.note.conditions:
                held = self.say("condition", holds=each.holds, rows=part.note.looked_at)
                bounds = "" if each.bounds is None else f" ({self.bounds(each.bounds)})"
                yield line(indent, "  ", each.text, Piece(f"{bounds}: {held}", "dim"))

    def note(self, part: Part) -> str:
        match part.note:
            case None:
                return ""
            case Bounds():
                return self.bounds(part.note)
            case Tally(table, looked_at, counted, with_value):
                key = "tally" if counted == with_value else "tally_with_value"
                return self.say(key, table=table, looked_at=looked_at, counted=counted, with_value=with_value)
            case Standing(by, customers, cuts, type_):
                if not customers:
                    return self.say("outside")
                written = ", ".join(self.cut(cut, type_) for cut in cuts)
                key = "standing_by" if by else "standing"
                return self.say(key, customers=customers, cuts=written, by=", ".join(map(str, by)))
            case _:
                assert_never(part.note)

    def bounds(self, bounds: Bounds) -> str:
        first, last = (self.value(day, DATE) for day in (bounds.first, bounds.last))
        return self.say("bounds", first=first, last=last)

    def cut(self, cut: float, type_: Type) -> str:
        if isinstance(type_, Date):
            return self.value(int(cut), DATE)
        return repr(cut).removesuffix(".0")

    def case(self, case: CaseSeen, with_parts: bool) -> Iterator[Line]:
        said = {
            "won": ("won", "green"),
            "reached": ("reached", "green"),
            "false": ("passed_false", "dim"),
            "unknown": ("passed_unknown", "yellow"),
            "after": ("after", "dim"),
        }[case.state]
        style: Style = "green" if case.state in ("won", "reached") else "yellow" if case.state == "unknown" else "dim"
        label = [Piece(f" {case.label}", "dim")] if case.label else []
        yield line("  ", Piece(case.id, "bold"), *label, ": ", Piece(self.say(said[0]), style))
        if with_parts:
            for part in case.parts:
                yield from self.part(part, 2)

    def scores(self, one: Explained) -> Iterator[Line]:
        if one.kind == "scorecard":
            yield line("  ", self.say("base"), ": ", self.value(one.base, one.type))
            for each in one.points:
                text = each.row.text if each.row is not None else ""
                points = self.value(each.points, one.type)
                came = self.say(f"from_{each.came_from}", text=text)
                yield line("  ", each.name, ": ", Piece(points, "bold"), Piece(f"  {came}", "dim"))
                if each.row is not None:
                    for part in each.row.parts:
                        yield from self.part(part, 3)

    def way(self, one: Explained) -> Iterator[Line]:
        if one.kind not in ("segment", "case") or one.value is True:
            return
        if one.nearest is None:
            yield line("  ", Piece(self.say("no_way"), "dim"))
            return
        also = f" {self.say('nearest_alternatives')}" if len(one.nearest) > 1 else ""
        yield line("  ", Piece(self.say("nearest"), "bold"), Piece(also, "dim"))
        for change in one.nearest:
            yield line("    ", self.change(change))

    def change(self, change: Change) -> str:
        match change:
            case Threshold():
                return self.threshold(change)
            case Turn(text, becomes, is_now, subject, value, type_, private):
                key = "turn_true" if becomes else "turn_false"
                now = self.truth(is_now)
                if subject is None or type_ is None or isinstance(type_, Bool):
                    return self.say(key, text=text, now=now)
                said = self.value(value, type_, private)
                return self.say(f"{key}_of", text=text, now=now, subject=subject, value=said)
            case _:
                assert_never(change)

    def threshold(self, change: Threshold) -> str:
        now = self.value(change.now, change.now_type, change.private)
        needed = self.value(change.needed, change.needed_type, change.needed_private)
        text = change.subject
        if change.by is None or change.private:
            return self.say("compare", text=text, op=change.op, needed=needed, now=now)
        by = self.value(change.by, change.by_type)
        if isinstance(change.now_type, Date | Timestamp):
            return self.say("later", text=text, op=change.op, needed=needed, now=now, by=by)
        key = {">=": "more", ">": "over", "<=": "less", "<": "under"}[change.op]
        return self.say(key, text=text, by=by, now=now, needed=needed)


def _grouped(text: str) -> str:
    """Thousands commas in a plain number: `-1234567.50` is `-1,234,567.50`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, rest = digits.partition(".")
    return f"{sign}{int(whole):,}{point}{rest}"


def _colour(value: Value) -> Style:
    return "yellow" if value is None else "green" if value else "red"


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The JSON value of `explain --format json`."""
    zone = explanation.timezone
    return {
        "format_version": FORMAT_VERSION,
        "project": explanation.project,
        "customer": explanation.key,
        "as_of": to_date(explanation.as_of).isoformat(),
        "timezone": zone,
        "names": [_explained(one, zone) for one in explanation.names],
    }


def _value(value: Value, type_: Type, private: bool, zone: str) -> Any:
    return MASK if private else json_value(value, type_, zone)


def _explained(one: Explained, zone: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": one.name,
        "label": one.label,
        "kind": one.kind,
        "type": str(one.type),
        "value": _value(one.value, one.type, one.private, zone),
        "part": None if one.part is None else _part(one.part, zone),
        "nearest": None if one.nearest is None else [_change(change, zone) for change in one.nearest],
    }
    if one.cases:
        found["cases"] = [
            {"id": case.id, "label": case.label, "state": case.state, "parts": _parts(case.parts, zone)}
            for case in one.cases
        ]
        found["outputs"] = _parts(one.outputs, zone)
    if one.kind == "scorecard":
        found["base"] = json_value(one.base, one.type, zone)
        found["characteristics"] = [_points(each, one.type, zone) for each in one.points]
    return found


def _points(each: Points, type_: Type, zone: str) -> dict[str, Any]:
    row = None if each.row is None else _part(each.row, zone)
    points = json_value(each.points, type_, zone)
    return {"name": each.name, "points": points, "came_from": each.came_from, "row": row}


def _parts(parts: Sequence[Part], zone: str) -> list[dict[str, Any]]:
    return [_part(part, zone) for part in parts]


def _part(part: Part, zone: str) -> dict[str, Any]:
    return {
        "text": part.text,
        "type": str(part.type),
        "value": _value(part.value, part.type, part.private, zone),
        "decides": part.decides,
        "label": part.label,
        "note": _note(part, zone),
        "parts": _parts(part.parts, zone),
        "meaning": None if part.meaning is None else _part(part.meaning, zone),
    }


def _note(part: Part, zone: str) -> dict[str, Any] | None:
    match part.note:
        case None:
            return None
        case Bounds():
            return _bounds(part.note, zone)
        case Tally(table, looked_at, counted, with_value, conditions):
            listed = [
                {"text": each.text, "holds": each.holds, "bounds": each.bounds and _bounds(each.bounds, zone)}
                for each in conditions
            ]
            rows = {"looked_at": looked_at, "counted": counted, "with_value": with_value}
            return {"table": table, **rows, "conditions": listed}
        case Standing(by, customers, cuts):
            return {
                "by": [list(v) if isinstance(v, tuple) else v for v in by],
                "customers": customers,
                "cuts": list(cuts),
            }
        case _:
            assert_never(part.note)


def _bounds(bounds: Bounds, zone: str) -> dict[str, Any]:
    return {"first": json_value(bounds.first, DATE, zone), "last": json_value(bounds.last, DATE, zone)}


def _change(change: Change, zone: str) -> dict[str, Any]:
    match change:
        case Threshold():
            return {
                "subject": change.subject,
                "op": change.op,
                "needed": _value(change.needed, change.needed_type, change.needed_private, zone),
                "now": _value(change.now, change.now_type, change.private, zone),
                "by": None if change.private else json_value(change.by, change.by_type, zone),
            }
        case Turn(text, becomes, is_now, subject, now, now_type, private):
            value = _value(now, now_type or INTEGER, private, zone)
            return {"text": text, "becomes": becomes, "is_now": is_now, "subject": subject, "now": value}
        case _:
            assert_never(change)
