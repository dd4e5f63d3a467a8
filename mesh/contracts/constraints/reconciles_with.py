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

from mesh.contracts.constraints.base import Effect, Schema, StatedQuality, TablePromise
from mesh.contracts.constraints.sql import resolved, type_group
from mesh.contracts.findings import NOT_ENFORCED, Finding, Found
from mesh.contracts.rules import Rule, Scope, TableRule
from mesh.contracts.sql import DIALECT, TABLE, RuleSqlError, parse_expression
from mesh.contracts.types import TIME_TYPES
from mesh.files.problems import shown, suggestion
from mesh.files.tree import Steps

KEY = "implementation"
ENGINE = "mesh"
SOURCE, BY, MEASURES, EACH = "reconcilesWith", "by", "measures", "sourceEach"
WHERE, SOURCE_WHERE, SOURCE_HAVING = "where", "sourceWhere", "sourceHaving"
KEYS = (SOURCE, BY, MEASURES, WHERE, SOURCE_WHERE, SOURCE_HAVING, EACH)
FIX = "Write `reconcilesWith: <domain>.<product>` and `measures: {<here>: <there>}`."
# Sums of floating point numbers depend on the order in which they are added.
ROUNDING = "1e-9"
Places = Mapping[Steps, str]
"""Expressions by where they stand."""


@dataclass(frozen=True, kw_only=True)
class ReconcilesWith(TablePromise):
    """source: the product, or table of a source, that this one is made from.

    by, measures: pairs of expressions, here and there. where, source_where: of which rows;
    source_having: of which groups there, where some are not shown here. each: a name, and the list
    there of which each element makes a row.
    """

    kind: ClassVar[str] = "reconciles_with"
    type: ClassVar[str] = "custom"
    needs: ClassVar[Mapping[str, str]] = {KEY: FIX, "engine": f"Write `engine: {ENGINE}`."}
    uses: ClassVar[frozenset[str]] = frozenset({"engine", KEY})
    source: str
    by: tuple[tuple[str, str], ...]
    measures: tuple[tuple[str, str], ...]
    where: str = ""
    source_where: str = ""
    source_having: str = ""
    each: tuple[str, str] | None = None

    @classmethod
    def read(cls, stated: StatedQuality) -> Self:
        said = _said(stated)
        by, measures = (_pairs(said.get(key)) for key in (BY, MEASURES))
        where, *there = (str(said.get(key) or "") for key in (WHERE, SOURCE_WHERE, SOURCE_HAVING))
        each = next(iter(_pairs(said.get(EACH))), None)
        return cls(
            source=str(said.get(SOURCE) or ""),
            by=by,
            measures=measures,
            where=where,
            source_where=there[0],
            source_having=there[1],
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
        said = _said(stated)
        if isinstance(said.get(SOURCE), str):
            yield stated.at(KEY, SOURCE), said[SOURCE]
        for at, text in {**_expressions(said, 0), **_expressions(said, 1)}.items():
            try:
                others = parse_expression(text).references
            except RuleSqlError:
                continue
            yield from ((stated.at(KEY, *at), other) for other in others)

    @classmethod
    def malformed(cls, stated: StatedQuality) -> Found:
        said = _said(stated)
        for at, text in {**_expressions(said, 0), **_expressions(said, 1)}.items():
            try:
                _check_groups(at, parse_expression(text).node)
            except RuleSqlError as error:
                yield Finding(stated.at(KEY, *at), error.message, error.fix)

    @classmethod
    def unresolved(cls, stated: StatedQuality, own: Mapping[str, str], known: Schema) -> Found:
        said, promise = _said(stated), cls.read(stated)
        if promise.source not in known:
            return
        types: dict[Steps, str | None] = {}
        for side, rows in enumerate((f"FROM {TABLE}", promise._source_rows())):
            for at, text in _expressions(said, side).items():
                try:
                    types[at] = _type(at, text, rows, promise.source, own, known)
                except RuleSqlError as error:
                    yield Finding(stated.at(KEY, *at), error.message, error.fix)
        for (here, _), (there, _) in zip(
            *(_expressions(said, side, (BY, MEASURES)).items() for side in (0, 1)), strict=True
        ):
            left, right = types.get(here), types.get(there)
            if left and right and left != right:
                message = f"This is {left} here, and {right} in {promise.source}."
                yield Finding(stated.at(KEY, *there), message, "Compare values of one type.")

    def rule(self, facts: Rule, type_of: Callable[[str], str]) -> Rule:
        """Raises RuleSqlError when an expression cannot be used."""
        source = exp.to_table(self.source, dialect=DIALECT)
        parts = [text for pair in (*self.by, *self.measures) for text in pair]
        parts += [text for text in (self.where, self.source_where, self.source_having) if text]
        others = dict.fromkeys(one for part in parts for one in parse_expression(part).references)
        others.pop(self.source, None)
        return TableRule(
            **vars(facts),
            scope=Scope.GROUPS if self._is_timed(type_of) else Scope.WHOLE,
            query=parse_one(self._query(type_of), into=exp.Select, dialect=DIALECT),
            references=(f"{source.db}.{source.name}", *others),
        )

    def _query(self, type_of: Callable[[str], str]) -> str:
        """Groups that are not on both sides, or have measures that differ."""
        groups = [f"group_{number}" for number in range(len(self.by))]
        names = _names([own for own, _ in self.by])
        here = self._side(f"FROM {TABLE}", 0, self.where, "")
        there = self._side(self._source_rows(), 1, self.source_where, self.source_having)
        selected, told, wrong = [*groups], [], []
        for number, (own, other) in enumerate(self.measures):
            left, right, value = (f"{word}_{number}" for word in ("here", "there", "value"))
            selected.append(f"MAX(IF(is_here = 1, {value}, NULL)) AS {left}")
            selected.append(f"MAX(IF(is_here = 0, {value}, NULL)) AS {right}")
            exact = _is_exact(own, type_of)
            wrong.append(
                f"NOT COALESCE({_same(left, right, exact)}, {left} IS NULL AND {right} IS NULL)"
            )
            values = (f"COALESCE(CAST({side} AS STRING), 'nothing')" for side in (left, right))
            said = (
                _text(f"; {own} is "),
                next(values),
                _text(f", in {self.source} {other} is "),
                next(values),
            )
            told.append(f"IF({wrong[-1]}, CONCAT({', '.join(said)}), '')")
        where = ["most = 0", "least = 1", *wrong]
        surplus = _text(f"not in {self.source}")
        kinds = (
            f"CASE WHEN most = 0 THEN 'missing' WHEN least = 1 THEN {surplus} ELSE 'differs' END"
        )
        shown_groups = [f"{one} AS {name}" for one, name in zip(groups, names, strict=True)]
        return f"""
            SELECT {", ".join([*shown_groups, f"CONCAT({', '.join([kinds, *told])}) AS found"])}
            FROM (
              SELECT {", ".join(selected)}, MAX(is_here) AS most, MIN(is_here) AS least
              FROM ({here} UNION ALL {there}) AS sides
              {f"GROUP BY {', '.join(groups)}" if groups else ""}
            ) AS compared
            WHERE {" OR ".join(where)}"""

    def _side(self, rows: str, side: int, where: str, having: str) -> str:
        groups = [f"{_sql(pair[side])} AS group_{n}" for n, pair in enumerate(self.by)]
        values = [f"{_sql(pair[side])} AS value_{n}" for n, pair in enumerate(self.measures)]
        # Without groups there is one row of nothing, also where there are no rows.
        kept = [f"({_sql(having)})"] if having else []
        kept += [] if groups else ["COUNT(*) > 0"]
        return " ".join(
            [
                f"SELECT {', '.join([*groups, *values])}, {1 - side} AS is_here {rows}",
                f"WHERE {_sql(where)}" if where else "",
                f"GROUP BY {', '.join(f'group_{n}' for n in range(len(groups)))}" if groups else "",
                f"HAVING {' AND '.join(kept)}" if kept else "",
            ]
        )

    def _source_rows(self) -> str:
        source = exp.to_table(self.source, dialect=DIALECT).sql(dialect=DIALECT)
        each = f" CROSS JOIN UNNEST({_sql(self.each[1])}) AS {self.each[0]}" if self.each else ""
        return f"FROM {source}{each}"

    def _is_timed(self, type_of: Callable[[str], str]) -> bool:
        return any(_timed(own, type_of) for own, _ in self.by)

    def text(self) -> str:
        parts = [f"{' and '.join(_told(self.measures))} of {self.source}"]
        if self.by:
            parts.append(f"for each {' and '.join(_told(self.by))}")
        for word, said in (
            ("where here", self.where),
            ("where there", self.source_where),
            ("having there", self.source_having),
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
        each = self.each and (self.each[0], _spelled(self.each[1]))
        there = (_spelled(self.source_where), _spelled(self.source_having))
        return (self.source, each, by, _spelled(self.where, renamed), there), measures


def of_interval(query: exp.Select, rows: exp.Expr) -> exp.Select | None:
    """The query with the source's rows of the days that `rows` is held to, as `within` makes it.

    None where `rows` is held to none, or where the groups are not of its time.
    """
    held = query.copy()
    sides = held.find(exp.Union)
    spans = list(rows.find_all(exp.Between))
    if sides is None or not spans:
        return None
    time = spans[0].this.name
    for here, there in zip(sides.left.selects, sides.right.selects, strict=True):
        of_time = {column.name for column in here.find_all(exp.Column)} == {time}
        if here.alias.startswith("group_") and of_time:
            day = there.unalias()
            days = [
                exp.Between(this=day.copy(), low=_day(s, "low"), high=_day(s, "high"))
                for s in spans
            ]
            sides.right.where(exp.or_(*days), copy=False)
            return held
    return None


def _day(span: exp.Between, end: str) -> exp.Expr:
    return exp.cast(exp.Literal.string(span.args[end].this.name[:10]), exp.DataType.Type.DATE)


def _timed(own: str, type_of: Callable[[str], str]) -> bool:
    """Whether an expression is the first day of a time of the product's rows, or the day itself."""
    node = parse_expression(own).node
    columns = {column.name for column in node.find_all(exp.Column)}
    types = {type_of(name) for name in columns}
    plain = isinstance(node, exp.Column) and types == {"date"}
    return plain or (isinstance(node, exp.DateTrunc) and len(columns) == 1 and types <= TIME_TYPES)


def _said(stated: StatedQuality) -> Mapping[str, Any]:
    said = stated.keys.get(KEY)
    return said if isinstance(said, dict) else {}


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
        elif key == EACH and side:
            found |= {(key, name): text for name, text in _pairs(value)}
        elif key in ((WHERE,), (SOURCE_WHERE, SOURCE_HAVING))[side] and value:
            found[(key,)] = str(value)
    return found


def _misshapen(stated: StatedQuality, said: Mapping[str, Any]) -> Found:
    for key in said:
        if key not in KEYS:
            fix = suggestion(str(key), KEYS)
            yield Finding(stated.at(KEY, key), f"`{shown(key)}` means nothing here.", fix)
    if not re.fullmatch(r"\w+\.\w+", str(said.get(SOURCE) or "")):
        message = f"{stated.name} does not say which product it reconciles with."
        yield Finding(_at(stated, SOURCE), message, "Write `reconcilesWith: <domain>.<product>`.")
    if not said.get(MEASURES):
        message = f"{stated.name} compares nothing."
        fix = "Write `measures: {<here>: <there>}`, such as `{SUM(plays): COUNT(*)}`."
        yield Finding(_at(stated, MEASURES), message, fix)
    for key, value in said.items():
        fix = f"Write `{key}: {{<here>: <there>}}`, or a list of what is the same on both sides."
        good = isinstance(value, dict | list) and all(
            isinstance(text, str) for pair in _pairs(value) for text in pair
        )
        if key == EACH:
            fix = "Write `sourceEach: {<name>: <list>}`, such as `{genre: \"SPLIT(genres, '|')\"}`."
            good = isinstance(value, dict) and len(value) == 1 and good
            good = good and all(re.fullmatch(r"[a-z_]\w*", str(name)) for name in value)
        elif key not in (BY, MEASURES):
            fix = "Write a condition in SQL." if key != SOURCE else FIX
            good = isinstance(value, str)
        if key in KEYS and value is not None and not good:
            yield Finding(stated.at(KEY, key), f"`{key}` is not what it has to be.", fix)


def _at(stated: StatedQuality, key: str) -> Steps:
    at = stated.at(KEY, key)
    return at if stated.place.stated(at) else stated.at(KEY)


def _check_groups(at: Steps, node: exp.Expr) -> None:
    """Measures are of a group, and what makes the groups is of a row."""
    own = [n for n in node.find_all(exp.AggFunc, exp.Column) if not n.find_ancestor(exp.Subquery)]
    aggregates = [one for one in own if isinstance(one, exp.AggFunc)]
    columns = [one for one in own if isinstance(one, exp.Column)]
    text = shown(node.sql(dialect=DIALECT).replace(TABLE, "${table}"))
    if at[0] in (MEASURES, SOURCE_HAVING):
        loose = [one for one in columns if not one.find_ancestor(exp.AggFunc)]
        if not aggregates or loose:
            name = loose[0].name if loose else "<column>"
            message = f"`{text}` is not of a group of rows."
            raise RuleSqlError(message, f"Write `SUM({name})`, `MAX({name})` or `COUNT(*)`.")
    elif aggregates:
        message = f"`{text}` is of a group, where each row is asked."
        raise RuleSqlError(message, "Compare groups with `measures` or `sourceHaving`.")
    elif not columns:
        raise RuleSqlError(f"`{text}` is the same for all rows.", "Name a column, or leave it out.")


def _type(
    at: Steps, text: str, rows: str, source: str, own: Mapping[str, str], known: Schema
) -> str | None:
    """The group of types of an expression. Raises RuleSqlError."""
    parsed = parse_expression(text)
    sql = parsed.node.sql(dialect=DIALECT)
    if at[0] == EACH:
        rows = rows.partition(" CROSS JOIN ")[0]
    query = f"SELECT {sql} AS said {rows}"
    if at[0] in (WHERE, SOURCE_WHERE):
        query = f"SELECT 1 AS said {rows} WHERE {sql}"
    elif at[0] == SOURCE_HAVING:
        query = f"SELECT 1 AS said {rows} HAVING {sql}"
    select = parse_one(query, into=exp.Select, dialect=DIALECT)
    found = resolved(select, (source, *parsed.references), own, known)
    return type_group(found.selects[0]) if found else None


def _is_exact(own: str, type_of: Callable[[str], str]) -> bool:
    """Whether a measure is counted, so that no rounding can be in it."""
    node = parse_expression(own).node
    if isinstance(node, exp.Count | exp.CountIf):
        return True
    types = {type_of(column.name) for column in node.find_all(exp.Column)}
    return "number" not in types and not node.find(exp.Div, exp.Avg, exp.SafeDivide)


def _same(left: str, right: str, exact: bool) -> str:
    if exact:
        return f"{left} = {right}"
    size = f"GREATEST(1, LEAST(ABS({left}), ABS({right})))"
    return f"{left} = {right} OR ABS({left} - {right}) <= {ROUNDING} * {size}"


def _names(expressions: list[str]) -> list[str]:
    """How the groups are called in what is found: by their column, if it is one."""
    found: list[str] = []
    for number, text in enumerate(expressions):
        columns = {one.name for one in parse_expression(text).node.find_all(exp.Column)}
        name = columns.pop() if len(columns) == 1 else ""
        found.append(f"group_{number}" if name in (*found, "", "found") else name)
    return found


def _told(pairs: tuple[tuple[str, str], ...]) -> list[str]:
    return [own if own == other else f"{own} as {other}" for own, other in pairs]


def _sql(text: str) -> str:
    return parse_expression(text).node.sql(dialect=DIALECT)


def _text(text: str) -> str:
    return exp.Literal.string(text).sql(dialect=DIALECT)


def _spelled(text: str, renamed: Mapping[str, str] | None = None) -> str:
    if not text:
        return ""
    try:
        node = parse_expression(text).node.copy()
    except RuleSqlError:
        return " ".join(text.split())
    for column in node.find_all(exp.Column):
        if renamed and column.name in renamed:
            column.set("this", exp.to_identifier(renamed[column.name]))
    return node.sql(dialect=DIALECT, normalize_functions="upper")
