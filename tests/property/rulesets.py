"""Rule sets of every kind of definition, of generated expressions.

In: a source of choices and a `World`.  Out: a `RuleSet` whose definitions may use each other.

    rules = ruleset(random, world(random))
"""

from __future__ import annotations

from random import Random

from segrules.model import expr as m
from segrules.model.ruleset import (
    Attribute,
    CaseRule,
    Characteristic,
    Definition,
    Outcome,
    PointRow,
    RuleSet,
    Scorecard,
    Segment,
    Segmentation,
    StaticList,
)
from segrules.schema.types import BOOL, DATE, INTEGER, LIST, NUMBER, TEXT, TIMESTAMP, Decimal, Type
from segrules.syntax.expr import Name
from tests.property.generators import Maker, World, approximate, is_approximate, make

WRITTEN = Name(("written",))


def ruleset(random: Random, world: World, definitions: int) -> RuleSet:
    made: dict[str, Definition] = {"chosen": StaticList("chosen", None, "chosen.csv", "id")}
    names: list[tuple[str, Type]] = [("chosen", BOOL)]
    for number in range(definitions):
        name = f"d{number}"
        self = Maker(random, "customers", tuple(names), world.tame)
        one = definition(self, name)
        made[name] = one
        match one:
            case Attribute(value=expr) if not is_approximate(expr):
                names.append((name, expr.type))
            case Segment():
                names.append((name, BOOL))
            case Segmentation(outputs=outputs):
                names.append((name, TEXT))
                names.extend((f"{name}.{output}", type_) for output, type_ in outputs)
            case Scorecard(type=type_):
                names.append((name, type_))
    return RuleSet("generated", "en", "", world.contracts, {}, made)


def definition(self: Maker, name: str) -> Definition:
    match self.random.choice(("attribute", "attribute", "segment", "segment", "segmentation", "scorecard", "number")):
        case "attribute":
            types = (BOOL, INTEGER, Decimal(2), Decimal(4), NUMBER, TEXT, DATE, TIMESTAMP, LIST)
            return Attribute(name, None, make(self, self.random.choice(types), 3), WRITTEN)
        case "number":
            return Attribute(name, None, approximate(self, 2), WRITTEN)
        case "segment":
            return Segment(name, None, make(self, BOOL, 4), WRITTEN)
        case "segmentation":
            return segmentation(self, name)
        case _:
            return scorecard(self, name)


def segmentation(self: Maker, name: str) -> Segmentation:
    outputs: tuple[tuple[str, Type], ...] = (("gift", TEXT), ("rate", Decimal(2))) if self.chance(0.4) else ()

    def row(depth: int) -> tuple[m.Expr, ...]:
        return tuple(make(self, type_, depth) for _, type_ in outputs)

    ids = ("new", "old", "new", "star", "lost")
    count = self.random.choice((1, 2, 3, 5))
    cases = tuple(CaseRule(id_, None, make(self, BOOL, 2), row(1), WRITTEN) for id_ in ids[:count])
    otherwise = Outcome(self.random.choice(("rest", "new")), None, row(0))
    unknown = Outcome(self.random.choice(("unsure", "old")), None, row(0)) if self.chance(0.5) else None
    unique = count > 1 and self.chance(0.1)
    return Segmentation(name, None, "unique" if unique else "first", cases, otherwise, unknown, outputs)


def scorecard(self: Maker, name: str) -> Scorecard:
    type_ = self.random.choice((INTEGER, Decimal(1)))

    def points() -> int:
        return self.random.choice((0, 5, 10, -10, 35))

    characteristics = []
    for number in range(self.random.choice((1, 2, 3))):
        rows = tuple(PointRow(make(self, BOOL, 2), points(), WRITTEN) for _ in range(self.random.choice((1, 2))))
        missing = points() if self.chance(0.7) else None
        characteristics.append(Characteristic(f"c{number}", rows, points(), missing))
    return Scorecard(name, None, points(), tuple(characteristics), type_)
