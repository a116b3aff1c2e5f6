"""Makes `tables.json` from the grammar: `python -m segrules.syntax.build`.

In: grammar.lark and the terminals of keywords.py.  Out: the LALR(1) tables that parser.py drives, written beside the
grammar.  Always: no conflict of any kind (the build fails on one); the same grammar gives the same text, so a test can
compare what is shipped with what would be built; the only module that imports lark, and nothing imports it at run
time.

    python -m segrules.syntax.build --check      # exit 1 when tables.json is not what the grammar gives
"""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from lark import Lark
from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

from segrules.syntax.keywords import TERMINALS

STARTS = ["expression", "cell"]


def grammar_text() -> str:
    """The whole grammar as Lark reads it: the rules, and each terminal with a priority by its place in the table."""
    rules = resources.files("segrules.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
    count = len(TERMINALS)
    lines = [f"{name}.{count - at}: /{_lark_regex(TERMINALS[name])}/" for at, name in enumerate(TERMINALS)]
    return "\n".join([rules, *lines, "SPACE: /[ \\t\\r\\n]+/", "%ignore SPACE", ""])


def _lark_regex(pattern: str) -> str:
    return pattern.replace("/", r"\/")


def build() -> dict[str, Any]:
    """The tables: a row of actions per state (a state to go to, or minus the number of a rule less one)."""
    lark = Lark(grammar_text(), parser="lalr", lexer="contextual", start=STARTS, keep_all_tokens=True)
    analyzer: Any = LALR_Analyzer(lark.parser.parser_conf, strict=True)
    analyzer.compute_lalr()
    table: Any = analyzer.parse_table
    rules = [rule for rule in lark.rules if not rule.origin.name.startswith("$root")]
    number = {rule: at for at, rule in enumerate(rules)}
    found: dict[int, int] = {}
    waiting = [table.start_states[start] for start in STARTS]
    while waiting:
        state = waiting.pop(0)
        if state in found:
            continue
        found[state] = len(found)
        row = table.states[state]
        waiting += [row[symbol][1] for symbol in sorted(row) if row[symbol][0] is Shift]
    states: list[dict[str, int]] = [{} for _ in found]
    for state, at in found.items():
        for symbol, (action, target) in sorted(table.states[state].items()):
            states[at][symbol] = found[target] if action is Shift else -1 - number[target]
    return {
        "starts": {start: found[table.start_states[start]] for start in STARTS},
        "ends": {start: found[table.end_states[start]] for start in STARTS},
        "rules": [[rule.origin.name, len(rule.expansion), rule.alias] for rule in rules],
        "states": states,
    }


def render() -> str:
    tables = build()
    lines = [
        '{"starts": ' + json.dumps(tables["starts"]) + ', "ends": ' + json.dumps(tables["ends"]) + ",",
        '"rules": [',
    ]
    lines.append(",\n".join(json.dumps(rule) for rule in tables["rules"]) + "],")
    lines.append('"states": [')
    lines.append(",\n".join(json.dumps(row) for row in tables["states"]) + "]}")
    return "\n".join(lines) + "\n"


def main() -> int:
    shipped = Path(__file__).with_name("tables.json")
    text = render()
    if "--check" in sys.argv[1:]:
        return 0 if shipped.exists() and shipped.read_text(encoding="utf-8") == text else 1
    shipped.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
