"""Cells and bands that may leave nobody over.

In: a source of choices.  Out: an expression and tests of it.  Always: where they leave somebody over, a checker that
looks closely enough sees it; where they overlap likewise.

    covering(random)    # ("weekday(since)", ["<= 3", "[4 .. 6]", "> 6", "missing"])
"""

from __future__ import annotations

from random import Random

from tests.property.projects import VALUES

SUBJECTS: tuple[tuple[str, int, int], ...] = (
    ("m", -7, 100), ("grade", 1, 3), ("count(orders)", 0, 9), ("qcut(m, 4)", 1, 4), ("qcut(y, 3)", 1, 3),
    ("ntile(n desc, 3)", 1, 3),
    ("band(m, [0, 10])", 0, 2), ("weekday(since)", 1, 7), ("month(seen)", 1, 12), ("quarter(born)", 1, 4),
    ("day(end)", 1, 31), ('hash_bucket(by, 7, "s")', 0, 6), ("m - grade", -10, 99), ("if(flag, m, month)", -7, 50),
    ("abs(m)", 0, 100), ("sum(orders.数量)", 0, 50), ("min(orders.数量)", 0, 50), ("n ?? m", -50, 50), ("money", -2, 9),
    ("length(by)", 0, 3), ("x", -3, 100), ("y", 0, 12), ("home.size", 0, 100), ("rank(n)", 1, 9), ("vast", 0, 3),
    ("grade + grade", 2, 6), ("-grade", -3, -1), ("least(m, grade)", -7, 3), ("round(y)", -3, 100),
    ("mod(n, 3)", -2, 2), ("stddev(orders.数量)", 0, 9), ("count_items(words)", 0, 3),
    ("percent_rank(m)", 0, 1), ("big", -1, 1),
    ("count_distinct(lines.sku)", 0, 4), ("max(visits.minutes) - min(visits.minutes)", 0, 60),
    ("floor(当前余额)", 0, 9),
)  # fmt: skip

BOUNDED = [one for one in SUBJECTS if "(" in one[0] and one[2] < 13]


def parted(random: Random, low: int, high: int) -> list[str]:
    """Cells that leave out nothing between two whole numbers, or only just something."""
    found: list[str] = []
    start = low
    while start <= high and len(found) < 4:
        end = random.randint(start, high) if len(found) < 3 else high
        test = random.choice(
            (f"[{start} .. {end}]", f">= {start} and < {end + 1}", f"({start - 1} .. {end + 1})",
             f"between {start} and {end}", *([f"{start}"] if start == end else [f"{start}, > {start} and <= {end}"]))
        )  # fmt: skip
        if start == low and random.random() < 0.3:
            test = random.choice((f"<= {end}", f"< {end + 1}", f"not > {end}"))
        elif end == high and random.random() < 0.6:
            test = random.choice((f">= {start}", f"> {start - 1}"))
        found.append(test)
        start = end + 1
    if random.random() < 0.1:
        found.pop(random.randrange(len(found)))
    return found or ["-"]


def covering(random: Random) -> tuple[str, list[str]]:
    """An expression, and cells that may cover its values."""
    gap = [random.choice(("missing", "缺失", "is missing"))] if random.random() < 0.8 else []
    match random.choice((*["number"] * 22, *["text"] * 6, *["bool"] * 6, "day")):
        case "text":
            split = random.sample(VALUES, len(VALUES))
            return random.choice(("kind", "城市属于", "city.tier")), [
                f"{split[0]}, {split[1]}", random.choice((split[2], f"not {', '.join(split[:2])}, {split[3]}")),
                split[3], *gap]  # fmt: skip
        case "bool":
            return random.choice(("flag", "确认", "n > 3", "any(orders)")), [
                "true",
                random.choice(("假", "not true")),
                *gap,
            ]
        case "day":
            window = random.choice(
                ("in last 30 days", "in this month", "在上季度", "in next 2 years", "in last 1 month")
            )
            rest = random.choice(((f"not {window}",), ("> today", "<= today"), ("< 2026-01-01", ">= 2026-01-01")))
            return random.choice(("since", "born", "made", "today")), [window, *rest, *gap]
        case _:
            subject, low, high = random.choice(SUBJECTS if random.random() < 0.7 else BOUNDED)
            return subject, [*parted(random, low, high), *gap]
