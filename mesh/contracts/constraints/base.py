"""What every kind of promise can do: one class per kind, one module per class.

Whoever adds a kind writes such a module and registers it in `constraints/__init__.py`. What a kind
does not say of itself follows from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from open_data_contract_standard.model import DataQuality
from sqlglot import exp

from mesh.contracts.findings import Finding, Found, Purpose
from mesh.contracts.rules import RowRule, Rule
from mesh.contracts.types import DATETIME, HOW, comparable
from mesh.files.tree import Steps

if TYPE_CHECKING:
    from mesh.contracts.draft import Draft

OPTIONS = "logicalTypeOptions"
COMPARATORS = tuple(key for key in DataQuality.model_fields if key.startswith("must"))
"""The keys of a rule under `quality` that say what its number is compared with."""
POSSIBLE = Purpose("RANGE", "A range has room for at least one value.")


Schema = Mapping[str, Mapping[str, str]]
"""Column name to BigQuery type, by qualified product name."""


class Effect(StrEnum):
    """What a change of a promise does to those who rely on it."""

    LOOSER = "looser"
    TIGHTER = "tighter"
    OTHER = "other"
    WORDS = "words"


@dataclass(frozen=True)
class Change:
    """One change between two versions of a promise, as a fact with its sentence.

    line: in the new file; None for where the promise of the new version stands, if it does.
    was: in the old file; None for where the promise of the old version stands.
    """

    effect: Effect
    message: str
    line: int | None = None
    was: int | None = None
    before: str = ""
    after: str = ""
    is_gone: bool = False


@dataclass(frozen=True)
class Seen:
    """What the data of a column looks like, for a first draft of its contract.

    values: all values of a text column, when there are few. step: that all numbers keep to.
    is_of_each_row: whether nearly each row has a value of its own. filled: how many rows have one.
    looks_like: what of persons its texts look like, such as e-mail addresses; empty for nothing.
    """

    nulls: int
    minimum: Any
    maximum: Any
    values: tuple[str, ...] = ()
    step: float | None = None
    is_of_each_row: bool = False
    filled: int = 0
    looks_like: str = ""


@dataclass(frozen=True)
class Option:
    """A key of logicalTypeOptions. type: of its value; logical_types: where it means something."""

    type: Any
    logical_types: Collection[str]


@dataclass(frozen=True)
class Stated:
    """A part of a file, the place, as it is stated, be it right or wrong. keys: that are there."""

    name: str
    steps: Steps
    place: Draft
    keys: Mapping[str, Any]

    def at(self, *steps: str | int) -> Steps:
        return (*self.steps, *steps)

    def line(self, key: str) -> int:
        return self.place.line(self.at(key))


@dataclass(frozen=True)
class StatedColumn(Stated):
    """A column. logical_type: empty unless it is a known one; options: its logicalTypeOptions."""

    logical_type: str
    options: Mapping[str, Any]

    def option(self, key: str, message: str, fix: str) -> Finding:
        """What is wrong with one of the options."""
        return Finding(self.at(OPTIONS, key), message, fix)


@dataclass(frozen=True)
class StatedQuality(Stated):
    """A rule under `quality`. name: in a sentence; columns: of the product, by logical type."""

    columns: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Named:
    """A column of a contract, as far as its promises need it.

    promises: one of a kind. identifies: whether it alone is the grain.
    """

    id: str
    name: str
    logical_type: str
    promises: tuple[ColumnPromise, ...] = ()
    identifies: bool = False

    def promise(self, kind: type[P]) -> P | None:
        """What is promised in one way, such as `column.promise(Range)`."""
        return next((one for one in self.promises if isinstance(one, kind)), None)


@dataclass(frozen=True, kw_only=True)
class ColumnPromise(ABC):
    """A promise on the values of one column.

    kind: its name, and the end of the ids of its rules. key: of the column, under which it stands.
    options: the keys of logicalTypeOptions that it reads. sense: of the check that it can be kept.
    counted: how the number of rows that break it is told; came, gone, became: what became of it.
    can_restate: whether it may say again what the type says, so that no row breaks it.
    """

    kind: ClassVar[str]
    key: ClassVar[str] = OPTIONS
    options: ClassVar[Mapping[str, Option]] = {}
    dimension: ClassVar[str] = "conformity"
    sense: ClassVar[Purpose] = POSSIBLE
    counted: ClassVar[str] = "of them"
    can_restate: ClassVar[bool] = False
    came: ClassVar[str] = "It is promised that {column} {now.words}."
    gone: ClassVar[str] = "It is no longer promised that {column} {was.words}."
    became: ClassVar[str] = "It is promised that {column} {now.words}, not that it {was.words}."
    line: int = field(default=1, compare=False)

    @classmethod
    def read(cls, stated: StatedColumn) -> Self | None:
        """The promise that a column states, or None; here of one that its key alone states."""
        return cls(line=stated.line(cls.key)) if stated.keys.get(cls.key) else None

    @classmethod
    def incomplete(cls, stated: StatedColumn) -> Found:
        """What is missing in a promise that is stated."""
        return iter(())

    @classmethod
    def check(cls, stated: StatedColumn) -> Found:
        """Why it cannot be kept, or makes no sense."""
        return iter(())

    def refusal(self, value: Any) -> str | None:
        """Why a comparable value does not keep it, as the end of a sentence, or None."""
        return None

    @property
    @abstractmethod
    def words(self) -> str:
        """What is true of a value, as the end of a sentence that begins with the column."""

    def values_text(self) -> str:
        """Which values there may be, for a table of columns; empty if that says nothing of them."""
        return ""

    @abstractmethod
    def condition(self, column: Named) -> exp.Expr:
        """What must hold for each row."""

    def rule(self, column: Named) -> Rule:
        """The promise as a rule that is enforced."""
        return RowRule(
            id=f"{column.id}.{self.kind}",
            kind=self.kind,
            description=f"{column.name} {self.words}.",
            dimension=self.dimension,
            severity="error",
            line=self.line,
            columns=(column.name,),
            condition=self.condition(column),
        )

    @classmethod
    def compare(cls, old: Named, new: Named) -> Iterator[Change]:
        """What became of the promise from one version of a column to the next.

        An option of another type cannot be compared; that the type changed is told elsewhere.
        """
        was, now = old.promise(cls), new.promise(cls)
        if was == now or (cls.options and old.logical_type != new.logical_type):
            return
        effect, text = Effect.OTHER, cls.became
        if was is None:
            effect, text = Effect.TIGHTER, cls.came
        elif now is None:
            effect, text = Effect.LOOSER, cls.gone
        yield Change(effect, text.format(column=old.name, was=was, now=now))

    @classmethod
    def propose(cls, bigquery_type: str, seen: Seen) -> Mapping[str, Any]:
        """Keys of the column or of its options that the data keeps and that are likely meant."""
        return {}


P = TypeVar("P", bound=ColumnPromise)


@dataclass(frozen=True, kw_only=True)
class TablePromise(ABC):
    """A promise that is stated as a rule under `quality`.

    type, metric: by which it is known there; said_by: of type `custom` by this key in its
    `implementation`. needs: what must be stated, and how; uses: the further keys of the rule that
    mean something. counted: how the number of offenders is told; empty if an offender itself says
    it.
    """

    kind: ClassVar[str]
    type: ClassVar[str] = "library"
    metric: ClassVar[str | None] = None
    said_by: ClassVar[str | None] = None
    sense: ClassVar[Purpose] = POSSIBLE
    needs: ClassVar[Mapping[str, str]] = {}
    uses: ClassVar[frozenset[str]]
    counted: ClassVar[str] = "found"

    @classmethod
    @abstractmethod
    def read(cls, keys: Mapping[str, Any]) -> Self:
        """The promise of a rule that states these keys."""

    @classmethod
    def at(cls, stated: StatedQuality) -> Steps:
        """Where that stands which makes it the rule that it is."""
        return stated.at(*list(cls.needs)[:1])

    @classmethod
    def misuse(cls, stated: StatedQuality) -> Found:
        """Why no gate could enforce it."""
        return iter(())

    @classmethod
    def impossible(cls, stated: StatedQuality) -> Found:
        """Why no table could keep it."""
        return iter(())

    @classmethod
    def lost_columns(cls, stated: StatedQuality) -> Found:
        """Of which columns it speaks that are not there."""
        return iter(())

    @classmethod
    def references(cls, stated: StatedQuality) -> Iterator[tuple[Steps, str]]:
        """The other products that it reads, and where that is said."""
        return iter(())

    @classmethod
    def malformed(cls, stated: StatedQuality) -> Found:
        """What in it is no SQL, or not of the kind that a rule may be."""
        return iter(())

    @classmethod
    def unresolved(cls, stated: StatedQuality, own: Mapping[str, str], known: Schema) -> Found:
        """What its SQL says of columns that are not there, or cannot be compared.

        own: the BigQuery types of the product's columns; known: those of all products. What is
        not known was complained about elsewhere.
        """
        return iter(())

    @classmethod
    def parts(cls, stated: StatedQuality) -> Iterator[Part]:
        """What of it is held to made-up rows by itself: all of it."""
        message = "No row can break the rule: none of many that were made up does."
        fix = "Write a condition that depends on the rows, or take the rule out."
        yield Part(Finding(cls.at(stated), message, fix))

    @abstractmethod
    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> Rule:
        """The rule that is enforced. type_of: from a column to its logical type."""

    @abstractmethod
    def text(self) -> str:
        """What it says, for a report."""

    @abstractmethod
    def compare(self, new: Self, renamed: Mapping[str, str]) -> Effect | None:
        """What it became, None for the same. renamed: from old names of columns to new ones."""


@dataclass(frozen=True)
class Part:
    """A part of a rule that is held to made-up rows. finding: what is told if it is idle.

    query: that must find a row, instead of the rule as a whole; varies: and not the same always.
    """

    finding: Finding
    query: exp.Select | None = None
    varies: bool = False


def literal(logical_type: str, value: Any) -> exp.Expr:
    """A value of a column in SQL."""
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        return exp.Literal.number(repr(value))
    text = exp.Literal.string(value)
    if logical_type == "date":
        return exp.cast(text, exp.DataType.Type.DATE)
    if logical_type == "timestamp":
        return exp.cast(text, exp.DataType.Type.TIMESTAMPTZ)
    if logical_type == DATETIME:
        return exp.cast(text, exp.DataType.Type.DATETIME)
    return text


def refusal(promises: Collection[ColumnPromise], logical_type: str, value: Any) -> str | None:
    """Why a value cannot be one of the column's, as the end of a sentence, or None."""
    if logical_type not in HOW:
        return None
    known = comparable(logical_type, value)
    if known is None:
        return f"is not {HOW[logical_type]}"
    reasons = (promise.refusal(known) for promise in promises)
    return next((reason for reason in reasons if reason), None)
