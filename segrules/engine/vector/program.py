"""One program for a whole rule set: nodes that know their operands by number.

In: `lower` adds nodes, one call per operation.  Out: `Program`, read by `schedule` and `kernels`.  Always: equal
operations are one node (`add` gives back the number it already has), so equal parts of different rules are computed
once; a node stands after its operands; a node lives in one space, the rows of one table; a bool is two rails of bits
(`rails`), any other value a column.

    program = Program()
    spend = program.add("customers", Own("spend"), Decimal(2))
    program.add("customers", AtLeast(spend, 5_000_000), BOOL)       # spend >= 5万, brought to the column's scale
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never

from segrules.model import expr as model
from segrules.schema.types import Type, Value
from segrules.syntax.expr import Unit

Node: TypeAlias = int
Key: TypeAlias = "int | float | str"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value known before the run, the same in every row; None is missing, of a bool: unknown."""

    value: Value


@dataclass(frozen=True, slots=True)
class Own:
    """A column of the space's own table."""

    name: str


@dataclass(frozen=True, slots=True)
class Inherited:
    """A column of a table further up the `belongs_to` chain."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Looked:
    """Column `name` of `table`, reached from the row by following `path`: columns (table, name) that refer on."""

    path: tuple[tuple[str, str], ...]
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Whether the customer's key stands in a static list."""

    name: str


@dataclass(frozen=True, slots=True)
class Math:
    op: Literal["+", "-", "*", "/"]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of exact numbers of one type, checked once, at the end."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A date or timestamp moved by calendar units."""

    operand: Node
    amount: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Widened:
    """A number in a wider type, the node's own."""

    operand: Node


@dataclass(frozen=True, slots=True)
class LocalDay:
    operand: Node


@dataclass(frozen=True, slots=True)
class Applied:
    """A scalar function, block by block: neither operands nor result are text or lists."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """A scalar function whose only operand that varies is a text: decided once per text of its dictionary."""

    function: str
    args: tuple[Node, ...]
    varies: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """The value beside the first condition that is TRUE, else `otherwise`, else missing."""

    conditions: tuple[Node, ...]
    values: tuple[Node, ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Present:
    """The first operand that is not missing (`??`)."""

    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """The id whose condition is TRUE; exactly one of the conditions is."""

    ids: tuple[str, ...]
    conditions: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """A scalar function over whole columns, for texts and lists that vary in more than one operand."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """Column `name` of the row of `table` whose key equals a computed value."""

    key: Node
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A customer's value, in every row that belongs to the customer."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A customer's value over related rows; operands live in the space of `table`."""

    function: str
    table: str
    value: Node | None
    where: Node | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A population function; `source` says which, its operands are here."""

    source: model.Population
    value: Node
    by: tuple[Node, ...]
    among: Node | None


@dataclass(frozen=True, slots=True)
class AtLeast:
    """operand >= key, the key a stored value of the operand's type; missing: unknown."""

    operand: Node
    key: Key


@dataclass(frozen=True, slots=True)
class Equal:
    operand: Node
    key: Key


@dataclass(frozen=True, slots=True)
class Member:
    operand: Node
    keys: frozenset[Key]


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a list holds the text `key`; missing: unknown."""

    operand: Node
    key: str


@dataclass(frozen=True, slots=True)
class Never:
    """False where the operand is known, else unknown: what a comparison that no value fits comes to."""

    operand: Node


@dataclass(frozen=True, slots=True)
class AtLeastPair:
    """left >= right, both exact (of any scales) or of one type."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class EqualPair:
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class IsMissing:
    operand: Node


@dataclass(frozen=True, slots=True)
class IsTrue:
    """True where the operand is TRUE, else false: never unknown."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Not:
    operand: Node


@dataclass(frozen=True, slots=True)
class And:
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    operands: tuple[Node, ...]


Source: TypeAlias = Own | Inherited | Looked | Listed
Barrier: TypeAlias = Whole | Matched | Gathered | Aggregated | Ranked
Blockwise: TypeAlias = (
    Fixed | Math | Total | Moved | Widened | LocalDay | Applied | Mapped | Chosen | Present | Labelled | AtLeast
    | Equal | Member | Has | Never | AtLeastPair | EqualPair | IsMissing | IsTrue | Not | And | Or
)  # fmt: skip
Op: TypeAlias = Source | Barrier | Blockwise


def operands(op: Op) -> tuple[Node, ...]:
    """The nodes that *op* reads."""
    match op:
        case Fixed() | Own() | Inherited() | Looked() | Listed():
            return ()
        case Math() | AtLeastPair() | EqualPair():
            return (op.left, op.right)
        case Moved() | Widened() | LocalDay() | Gathered() | IsMissing() | IsTrue() | Not():
            return (op.operand,)
        case AtLeast() | Equal() | Member() | Has() | Never():
            return (op.operand,)
        case Applied() | Mapped() | Present() | Whole() | Total():
            return op.args
        case Chosen():
            return op.conditions + op.values + (() if op.otherwise is None else (op.otherwise,))
        case Labelled():
            return op.conditions
        case Matched():
            return (op.key,)
        case Aggregated():
            return tuple(node for node in (op.value, op.where) if node is not None)
        case Ranked():
            return (op.value, *op.by, *(() if op.among is None else (op.among,)))
        case And() | Or():
            return op.operands
        case _:
            assert_never(op)


@dataclass(slots=True, eq=False)
class Program:
    """Parallel lists by node number. `levels`: a node's operands of lower levels are computed in full before any
    node of its own level. `checked`: nodes that may overflow; they run even if their value is not wanted."""

    ops: list[Op] = field(default_factory=list)
    spaces: list[str] = field(default_factory=list)
    types: list[Type] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    checked: list[Node] = field(default_factory=list)
    numbers: dict[tuple[str, Op, Type], Node] = field(default_factory=dict)

    def add(self, space: str, op: Op, type_: Type, checked: bool = False) -> Node:
        """The number of the node that does *op* on the rows of *space*, made if there is none yet."""
        key = (space, op, type_)
        if (known := self.numbers.get(key)) is not None:
            return known
        number = len(self.ops)
        level = max((self.levels[operand] for operand in operands(op)), default=0)
        self.ops.append(op)
        self.spaces.append(space)
        self.types.append(type_)
        self.levels.append(level + isinstance(op, Barrier))
        self.numbers[key] = number
        if checked:
            self.checked.append(number)
        return number

    def live(self, wanted: list[Node]) -> list[Node]:
        """The nodes that *wanted* and the checked ones need, in order."""
        needed = bytearray(len(self.ops))
        for node in (*wanted, *self.checked):
            needed[node] = 1
        for node in range(len(self.ops) - 1, -1, -1):
            if needed[node]:
                for operand in operands(self.ops[node]):
                    needed[operand] = 1
        return [node for node, wanted_ in enumerate(needed) if wanted_]
