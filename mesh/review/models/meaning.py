"""What the models of one revision mean, and where their values and rows come from.

One reading of a query gives both: SQLMesh's lineage follows values only, and a change of rows has
to be followed too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlglot import exp, parse_one

from mesh.contracts.queries import read_query
from mesh.contracts.relation import Origin, Relation, digest
from mesh.review.models.review_worker.facts import Model, Models, short


@lru_cache(maxsize=2048)
def parsed(query: str, dialect: str) -> exp.Expr:
    """A query as a tree, which nobody changes."""
    return parse_one(query, dialect=dialect)


@lru_cache(maxsize=2048)
def _read(query: str, dialect: str, by_rows: bool = False) -> Relation:
    tree = parsed(query, dialect)
    return read_query(tree, lambda table: Relation((short(table),)), by_rows=by_rows)


def own_meaning(model: Model, *, by_rows: bool = False) -> Relation:
    """What a model's own query means, with all that it reads by name."""
    return _read(model.query, model.dialect, by_rows)


def expressions(model: Model | None) -> dict[str, exp.Expr]:
    """How a model's own query computes its columns."""
    if model is None or not model.query:
        return {}
    query = parsed(model.query, model.dialect)
    assert isinstance(query, exp.Query)
    return {e.alias_or_name: e.unalias() for e in query.selects}


@dataclass(frozen=True)
class Reads:
    """What one model reads directly. values: by column, where its values come from.

    filters: columns that decide about its rows. compared: columns, and what they are compared with.
    """

    values: Mapping[str, frozenset[Origin]]
    filters: frozenset[Origin]
    compared: frozenset[tuple[str, str, str]]


def reads(model: Model) -> Reads:
    """Raises nothing: a model that cannot be read reads nothing that is known."""
    if not model.query:
        return Reads({}, frozenset(), frozenset())
    return _reads(model.query, model.dialect)


@lru_cache(maxsize=2048)
def _reads(query: str, dialect: str) -> Reads:
    relation = _read(query, dialect)
    values = {name: frozenset(relation.origins_of(name)) for name in relation.columns}
    return Reads(values, frozenset(relation.filters), frozenset(relation.compared))


Keys = Mapping[str, tuple[str, ...]]
"""By product the columns of its grain, where that is promised."""


class Meanings:
    """The meaning of products: other products by name, all other models by what they hold.

    Then a change is told once, and not again by everything downstream. A model that is not under
    contract promises nothing, so that nobody tells of its changes but the products made of it:
    wherever it lies. other: the other revision. keys: of the products of which both promise the
    same. promised: all that is under contract in both, so that both are read alike.
    """

    def __init__(self, side: Models, other: Models, keys: Keys, promised: Collection[str]) -> None:
        self.models = side.models
        self._keys = keys
        self._promised = frozenset(promised)
        self._others = other.models
        self._known: dict[tuple[str, frozenset[str], bool], Relation] = {}

    def of(self, name: str, unfolded: Collection[str] = (), *, by_rows: bool = False) -> Relation:
        """unfolded: products that count by what they hold, too. by_rows: as for `read_query`."""
        key = name, frozenset(unfolded), by_rows
        if key not in self._known:
            self._known[key] = self._of(self.models[name], *key[1:])
        return self._known[key]

    def _of(self, model: Model, unfolded: frozenset[str], by_rows: bool) -> Relation:
        if not model.query:
            return self._typed(model, self._rows_of(model, unfolded, by_rows))

        def table(node: exp.Table) -> Relation:
            name = short(node)
            if self._stands_for_itself(name, unfolded) or name == model.name:
                return Relation((name,), key=self._keys.get(name, ()))
            return self.of(name, unfolded, by_rows=by_rows)

        made = read_query(parsed(model.query, model.dialect), table, by_rows=by_rows)
        made = self._typed(model, made)
        return made.closed(model.since) if model.since else made

    def _stands_for_itself(self, name: str, unfolded: Collection[str]) -> bool:
        """What is promised, and what is not built here."""
        return name not in self.models or (name in self._promised and name not in unfolded)

    def _rows_of(self, model: Model, unfolded: frozenset[str], by_rows: bool) -> Relation:
        """Of a seed, by its name or by its file: which rows are in it is told as such. Of a query
        that nobody can read, by its code and by all that it may read."""
        if not model.seed:
            read = [
                self._all_of(name, unfolded, by_rows)
                for name in model.parents
                if name != model.name and not self._stands_for_itself(name, unfolded)
            ]
            return Relation((digest(model.version, *read),))
        known = model.name if model.name in self._others else model.seed
        rows = digest(known, model.read_as)
        columns = () if model.name in self._promised else model.columns
        return Relation((rows,), columns={name: exp.column(name, table=rows) for name in columns})

    def _typed(self, model: Model, made: Relation) -> Relation:
        was = self._others.get(model.name)
        typed = {
            name: exp.Anonymous(
                this="typed",
                expressions=[made.columns[name], exp.Literal.string(model.columns[name])],
            )
            for name in (self.retyped(was, model) if was else set()) & made.columns.keys()
        }
        return replace(made, columns=made.columns | typed)

    def _all_of(self, name: str, unfolded: frozenset[str], by_rows: bool) -> str:
        """Rows and columns of a model as one text, without those that are new, or gone."""
        made = self.of(name, unfolded, by_rows=by_rows)
        other = self._others.get(name)
        texts = made.blurred if by_rows else made.texts
        kept = (
            f"{column} {text}"
            for column, text in sorted(texts.items())
            if other is None or column in other.columns
        )
        return digest(made.rows, *kept)

    def retyped(self, was: Model, now: Model) -> set[str]:
        """The columns of a model that are of another type now: by another type a value may be
        another one. Of what is promised that is told of as such."""
        if now.name in self._promised:
            return set()
        return {name for name, kind in now.columns.items() if was.columns.get(name, kind) != kind}

    def behind(self, name: str) -> Iterator[Model]:
        """A product and the models without a contract that it is made of, nearest first."""
        waiting, seen = [name], set[str]()
        while waiting:
            model = self.models.get(waiting.pop(0))
            if model is None or model.name in seen or (seen and model.name in self._promised):
                continue
            seen.add(model.name)
            yield model
            waiting += model.parents
