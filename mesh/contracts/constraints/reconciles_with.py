"""`reconcilesWith`: a product and what it is made from agree, group by group.

A rule of type `custom` for the engine `mesh`. Groups are looked for on both sides, so a product
without rows is as wrong as one with a row too many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sqlglot import exp, parse_one

from mesh.contracts.comparing import with_names
from mesh.contracts.constraints.base import Effect, Part, Schema, StatedQuality, TablePromise
from mesh.contracts.constraints.sql import resolved, type_group
from mesh.contracts.findings import NOT_ENFORCED, Finding, Found
from mesh.contracts.medians import expanded
from mesh.contracts.reconciling import Side, differences, sides, sql
from mesh.contracts.rules import Rule, Scope, TableRule
from mesh.contracts.sql import DIALECT, TABLE, RuleSqlError, parse_expression
from mesh.contracts.types import TIME_TYPES
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

KEY = "implementation"
ENGINE = "mesh"
SOURCE, BY, MEASURES, WHERE = "reconcilesWith", "by", "measures", "where"
JOIN, EACH, SOURCE_WHERE, SOURCE_HAVING = "sourceJoin", "sourceEach", "sourceWhere", "sourceHaving"
KEYS = (SOURCE, BY, MEASURES, WHERE, JOIN, EACH, SOURCE_WHERE, SOURCE_HAVING)
FIX = "Write `reconcilesWith: <domain>.<product>` and `measures: {<here>: <there>}`."
FIXES = {
    SOURCE: "Write `reconcilesWith: <domain>.<product>`.",
    JOIN: "Write `sourceJoin: {<domain>.<product>: <condition>}`, which finds one row at most.",
    EACH: "Write `sourceEach: {<name>: <list>}`, such as `{word: \"SPLIT(words, '|')\"}`.",
}
PRODUCT = re.compile(r"\w+\.\w+")


@dataclass(frozen=True, kw_only=True)
class ReconcilesWith(TablePromise):
    """source: the product, or table of a source, that this one is made from.

    by, measures: pairs of expressions, here and there. where, source_where: of which rows;
    source_having: of which groups there, where some are not shown here. join: a product that is
    looked up there, and by what. each: a name, and the list there whose elements make a row each.
    """

    kind: ClassVar[str] = "reconciles_with"
    type: ClassVar[str] = "custom"
    said_by: ClassVar[str] = SOURCE
    needs: ClassVar[Mapping[str, str]] = {KEY: FIX, "engine": f"Write `engine: {ENGINE}`."}
    uses: ClassVar[frozenset[str]] = frozenset({"engine", KEY})
    source: str
    by: tuple[tuple[str, str], ...]
    measures: tuple[tuple[str, str], ...]
    where: str = ""
    source_where: str = ""
    source_having: str = ""
    join: tuple[str, str] | None = None
    each: tuple[str, str] | None = None

    @classmethod
    def read(cls, keys: Mapping[str, Any]) -> Self:
        said = _said(keys)
        by, measures = (_pairs(said.get(key)) for key in (BY, MEASURES))
        where, *there = (str(said.get(key) or "") for key in (WHERE, SOURCE_WHERE, SOURCE_HAVING))
        join, each = (next(iter(_pairs(said.get(key))), None) for key in (JOIN, EACH))
        return cls(
            source=str(said.get(SOURCE) or ""),
            by=by,
            measures=measures,
            where=where,
            source_where=there[0],
            source_having=there[1],
            join=join,
            each=each,
        )

    @classmethod
    def misuse(cls, stated: StatedQuality) -> Found:
        engine, said = stated.keys.get("engine"), stated.keys.get(KEY)
        if engine and engine != ENGINE:
            message = f"`engine: {shown(engine)}` {NOT_ENFORCED}."
            yield Finding(stated.at("engine"), message, f"Write `engine: {ENGINE}`.")
        elif isinstance(said, str):
            yield Finding(stated.at(KEY), f"The `{KEY}` of {stated.name} is text.", FIX)
        elif said is not None:
            yield from _misshapen(stated, said)

    @classmethod
    def references(cls, stated: StatedQuality) -> Iterator[tuple[Steps, str]]:
        said = _said(stated.keys)
        if isinstance(said.get(SOURCE), str):
            yield stated.at(KEY, SOURCE), said[SOURCE]
        yield from ((stated.at(KEY, JOIN, name), name) for name, _ in _pairs(said.get(JOIN)))
        for at, text in {**_expressions(said, 0), **_expressions(said, 1)}.items():
            try:
                others = parse_expression(text).references
            except RuleSqlError:
                continue
            yield from ((stated.at(KEY, *at), other) for other in others)

    @classmethod
    def malformed(cls, stated: StatedQuality) -> Found:
        said = _said(stated.keys)
        for at, text in {**_expressions(said, 0), **_expressions(said, 1)}.items():
            try:
                _check_groups(at, expanded(parse_expression(text).node))
            except RuleSqlError as error:
                yield Finding(stated.at(KEY, *at), error.message, error.fix)

    @classmethod
    def unresolved(cls, stated: StatedQuality, own: Mapping[str, str], known: Schema) -> Found:
        said, promise = _said(stated.keys), cls.read(stated.keys)
        if promise.source not in known or any(cls.misuse(stated)):
            return
        types: dict[Steps, str | None] = {}
        sources = [promise.source, *(promise.join or ())[:1]]
        for side in (0, 1):
            for at, text in _expressions(said, side).items():
                rows = promise._rows(joined=at[0] != JOIN, split=at[0] not in (JOIN, EACH))
                if at[0] == SOURCE_WHERE:
                    rows = f"FROM {promise.source}"
                query = _query_of(at, text, rows if side else f"FROM {TABLE}")
                try:
                    types[at] = _type(query, sources, text, own, known)
                except RuleSqlError as error:
                    yield Finding(stated.at(KEY, *at), error.message, error.fix)
        for (here, _), (there, _) in zip(
            *(_expressions(said, side, (BY, MEASURES)).items() for side in (0, 1)), strict=True
        ):
            left, right = types.get(here), types.get(there)
            if left and right and left != right:
                message = f"This is {left} here, and {right} in {promise.source}."
                yield Finding(stated.at(KEY, *there), message, "Compare values of one type.")

    @classmethod
    def parts(cls, stated: StatedQuality) -> Iterator[Part]:
        """Each measure apart, and the rows that are compared."""
        promise = cls.read(stated.keys)
        groups, measures = promise._expressions(0)
        # Of other columns than its rows are chosen by, a plain measure varies as their number does.
        asked = {one: "COUNT(*)" if _varies(one, promise.where) else one for one in measures}
        for number, (measure, one) in enumerate(asked.items()):
            if one == "COUNT(*)" and (not promise.where or one in [*asked.values()][:number]):
                continue
            side = Side(f"FROM {TABLE}", groups, [one], promise.where)
            places = (stated.at(KEY, MEASURES, step) for step in (measure, number))
            at = next((at for at in places if stated.place.stated(at)), stated.at(KEY))
            message = f"`{shown(measure)}` is the same in all rows that were made up."
            fix = "Compare what depends on the rows, and let `where` keep some."
            yield Part(Finding(at, message, fix), side.values_query(), varies=True)
        if promise.source_where:
            rows = f"SELECT 1 FROM {promise.source} WHERE {sql(promise.source_where)}"
            message = f"No row of {promise.source} is compared: none that was made up is."
            finding = Finding(stated.at(KEY, SOURCE_WHERE), message, "Let it keep some rows.")
            yield Part(finding, parse_one(rows, into=exp.Select, dialect=DIALECT))

    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> Rule:
        """Raises RuleSqlError when an expression cannot be used."""
        here = Side(f"FROM {TABLE}", *self._expressions(0), self.where)
        there = Side(
            self._rows(self.source_where), *self._expressions(1), having=self.source_having
        )
        both = sides(here, there, type_of)
        parts = [self.where, self.source_where, self.source_having]
        parts += [text for pair in (*self.by, *self.measures) for text in pair]
        parts += [lookup[1] for lookup in (self.join, self.each) if lookup]
        names = [self.source, *(self.join or ())[:1]]
        names += [name for text in parts if text for name in parse_expression(text).references]
        is_timed = any(_timed(own, type_of) for own, _ in self.by)
        return TableRule(
            **vars(facts),
            scope=Scope.GROUPS if is_timed else Scope.WHOLE,
            query=differences(both),
            sides=both,
            references=tuple(dict.fromkeys(names)),
        )

    def _expressions(self, side: int) -> tuple[list[str], list[str]]:
        """Groups and measures of one side: 0 here, 1 of the source."""
        return [pair[side] for pair in self.by], [pair[side] for pair in self.measures]

    def _rows(self, where: str = "", *, joined: bool = True, split: bool = True) -> str:
        """The rows of the source. Few of them are found before others are looked up for them."""
        rows = f"FROM {self.source}"
        if where:
            kept = f"SELECT * FROM {self.source} WHERE {sql(where)}"
            rows = f"FROM ({kept}) AS {self.source.partition('.')[2]}"
        if self.join:
            on = sql(self.join[1]) if joined else "TRUE"
            rows += f" INNER JOIN {self.join[0]} ON {on}"
        if self.each and split:
            rows += f" CROSS JOIN UNNEST({sql(self.each[1])}) AS {self.each[0]}"
        return rows

    def text(self) -> str:
        parts = [f"{' and '.join(_told(self.measures))} of {self.source}"]
        if self.by:
            parts.append(f"for each {' and '.join(_told(self.by))}")
        for word, said in (
            ("where here", self.where),
            ("where there", self.source_where),
            ("having there", self.source_having),
            ("with", " on ".join(self.join or ())),
            ("each", " of ".join(self.each or ())),
        ):
            parts += [f"{word} {' '.join(said.split())}"] if said else []
        return ", ".join(parts)

    def compare(self, new: Self, renamed: Mapping[str, str]) -> Effect | None:
        (was, old), (now, young) = self._plain(renamed), new._plain({})
        if was != now:
            return Effect.OTHER
        if old == young:
            return None
        return Effect.TIGHTER if old < young else Effect.LOOSER if old > young else Effect.OTHER

    def _plain(self, renamed: Mapping[str, str]) -> tuple[object, frozenset[object]]:
        """What it says in one spelling, and its measures apart."""
        by, measures = (
            frozenset((_spelled(own, renamed), _spelled(other)) for own, other in pairs)
            for pairs in (self.by, self.measures)
        )
        there = [(one[0], _spelled(one[1])) for one in (self.join, self.each) if one]
        there += [("", _spelled(text)) for text in (self.source_where, self.source_having)]
        return (self.source, by, _spelled(self.where, renamed), there), measures


def _varies(measure: str, where: str) -> bool:
    """Whether a measure is a plain one, of a column that `where` does not speak of."""
    node = parse_expression(measure).node
    chosen = parse_expression(where).node.find_all(exp.Column) if where else ()
    return (
        isinstance(node, exp.AggFunc)
        and isinstance(node.this, exp.Column | exp.Star)
        and node.this.name not in {column.name for column in chosen}
    )


def _timed(own: str, type_of: Callable[[str], str]) -> bool:
    """Whether an expression is the first day of a time of the product's rows, or the day itself."""
    node = parse_expression(own).node
    columns = {column.name for column in node.find_all(exp.Column)}
    types = {type_of(name) for name in columns}
    plain = isinstance(node, exp.Column) and types == {"date"}
    # Of longer times, and of weeks, a part of the days can lie in another interval.
    within = isinstance(node, exp.Date) or (
        isinstance(node, exp.DateTrunc) and node.unit.name.upper() in ("DAY", "MONTH")
    )
    return plain or (within and len(columns) == 1 and types <= TIME_TYPES)


def _said(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is stated, as far as it has the right shape: of the rest no SQL can be made."""
    said = keys.get(KEY)
    shaped = said.items() if isinstance(said, dict) else ()
    return {key: value for key, value in shaped if key in KEYS and _is_right(key, value)}


def _pairs(said: object) -> tuple[tuple[str, str], ...]:
    """Expressions here and there: a mapping, or a list of those that are the same on both sides."""
    if isinstance(said, dict):
        return tuple((str(here), str(there)) for here, there in said.items())
    return tuple((str(one), str(one)) for one in said) if isinstance(said, list) else ()


def _expressions(
    said: Mapping[str, Any], side: int, keys: tuple[str, ...] = KEYS
) -> dict[Steps, str]:
    """The expressions of one side by where they stand: 0 here, 1 of the source."""
    found: dict[Steps, str] = {}
    for key in keys:
        value = said.get(key)
        if key in (BY, MEASURES):
            steps = value if isinstance(value, dict) else range(len(_pairs(value)))
            for step, pair in zip(steps, _pairs(value), strict=True):
                found[(key, step) if side else (key, step, "")] = pair[side]
        elif key in (JOIN, EACH) and side:
            found |= {(key, name): text for name, text in _pairs(value)}
        elif key in ((WHERE,), (SOURCE_WHERE, SOURCE_HAVING))[side] and value:
            found[(key,)] = str(value)
    return found


def _misshapen(stated: StatedQuality, said: Mapping[str, Any]) -> Found:
    for key in said:
        if key not in KEYS:
            fix = suggestion(str(key), KEYS)
            yield Finding(stated.at(KEY, key), f"`{shown(key)}` means nothing here.", fix)
    if not said.get(SOURCE):
        message = f"{stated.name} does not say which product it reconciles with."
        yield Finding(stated.at(KEY, SOURCE), message, FIXES[SOURCE])
    if not said.get(MEASURES):
        message = f"{stated.name} compares nothing."
        fix = "Write `measures: {<here>: <there>}`, such as `{SUM(plays): COUNT(*)}`."
        yield Finding(stated.at(KEY, MEASURES), message, fix)
    for key, value in said.items():
        if key in KEYS and not _is_right(key, value):
            pairs = f"Write `{key}: {{<here>: <there>}}`, or a list of what both sides have."
            fix = FIXES.get(key) or (
                pairs if key in (BY, MEASURES) else "Write a condition in SQL."
            )
            yield Finding(stated.at(KEY, key), f"`{key}` is not what it has to be.", fix)


def _is_right(key: str, value: object) -> bool:
    """Whether the value of a key has the right shape; none may stand there."""
    if value is None:
        return True
    if key in (WHERE, SOURCE_WHERE, SOURCE_HAVING):
        return isinstance(value, str)
    if key == SOURCE:
        return isinstance(value, str) and PRODUCT.fullmatch(value) is not None
    if not isinstance(value, dict | list) or (isinstance(value, list) and key in (JOIN, EACH)):
        return False
    if key == BY and not value:
        return False
    texts = [*value, *(value.values() if isinstance(value, dict) else ())]
    if key in (JOIN, EACH):
        name = PRODUCT if key == JOIN else re.compile(r"[a-z_]\w*")
        if len(value) != 1 or not all(name.fullmatch(str(one)) for one in value):
            return False
    return all(isinstance(text, str | int) for text in texts)


def _check_groups(at: Steps, node: exp.Expr) -> None:
    """Measures are of a group, and what makes the groups is of a row. Raises RuleSqlError."""
    kinds = (exp.AggFunc, exp.Column, exp.Subquery)
    own = [one for one in node.find_all(*kinds) if not one.find_ancestor(exp.Subquery)]
    columns = [one for one in own if isinstance(one, exp.Column)]
    aggregates = [one for one in own if isinstance(one, exp.AggFunc)]
    text = shown(node.sql(dialect=DIALECT).replace(TABLE, "${table}"))
    if at[0] in (MEASURES, SOURCE_HAVING):
        loose = [one for one in columns if not one.find_ancestor(exp.AggFunc)]
        if loose or not own:
            name = loose[0].name if loose else "<column>"
            message = f"`{text}` is not of a group of rows."
            raise RuleSqlError(message, f"Write `SUM({name})`, `MAX({name})` or `COUNT(*)`.")
    elif aggregates:
        message = f"`{text}` is of a group, where each row is asked."
        raise RuleSqlError(message, "Compare groups with `measures` or `sourceHaving`.")
    elif not columns and at[0] != EACH:
        raise RuleSqlError(f"`{text}` is the same for all rows.", "Name a column, or leave it out.")


def _query_of(at: Steps, text: str, rows: str) -> str:
    """A query in which an expression stands as it does in the rule."""
    if at[0] in (WHERE, SOURCE_WHERE, JOIN):
        return f"SELECT 1 AS said {rows} WHERE {sql(text)}"
    if at[0] == SOURCE_HAVING:
        return f"SELECT 1 AS said {rows} HAVING {sql(text)}"
    return f"SELECT {sql(text)} AS said {rows}"


def _type(
    query: str, sources: list[str], text: str, own: Mapping[str, str], known: Schema
) -> str | None:
    """The group of types of what a query selects. Raises RuleSqlError."""
    select = expanded(parse_one(query, into=exp.Select, dialect=DIALECT))
    found = resolved(select, (*sources, *parse_expression(text).references), own, known)
    return type_group(found.selects[0]) if found else None


def _told(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return [own if own == other else f"{own} as {other}" for own, other in pairs]


def _spelled(text: str, renamed: Mapping[str, str] | None = None) -> str:
    if not text:
        return ""
    try:
        node = with_names(parse_expression(text).node, renamed or {})
    except RuleSqlError:
        return " ".join(text.split())
    return node.sql(dialect=DIALECT, normalize_functions="upper")
