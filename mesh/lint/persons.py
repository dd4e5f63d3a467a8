"""Which columns of a model hold what leads to a person, whatever they are called.

The values are followed through the queries. What counts, compares or measures them leads to nobody.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, Self, TypeVar

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope
from sqlmesh.core.model import Model

from mesh.contracts import Column, Contract
from mesh.contracts.spelling import with_windows
from mesh.environments.names import short_name

# Of aggregates these hand a value on.
_HANDED_ON = (
    *(exp.Max, exp.Min, exp.AnyValue, exp.ArrayAgg, exp.GroupConcat, exp.First, exp.Last),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag, exp.Lead),
)
# These number the rows in the order of their first key.
_NUMBERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist)
_COUNTS = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.Ntile, *_NUMBERED)
_STOPS = (exp.Predicate, exp.Connector, exp.Not, exp.Length, exp.Sign, *_COUNTS)
# A remainder of this or less puts many persons together.
_BUCKETS = 1000
Origin = tuple[Contract, Column]
T = TypeVar("T")


@dataclass
class Followed(Generic[T]):
    """The values of columns, followed through queries to what `told` knows of those of tables.

    models: by full name; contracts: by product. each: whether what is told of each person counts
    too, not only what leads to one.
    """

    models: Mapping[str, Model]
    contracts: Mapping[str, Contract]
    each: bool = False
    known: dict[tuple[str, str, bool], T | None] = field(default_factory=dict)
    scopes: dict[str, Scope | None] = field(default_factory=dict)

    @abstractmethod
    def told(self, full_name: str, column: str) -> T | None:
        """What is known of a column of a table; None where its values are followed no further."""

    def stated(self, full_name: str, column: str) -> tuple[Contract | None, Column | None]:
        """The contract of a table, if it has one, and a column in it however that is spelt."""
        contract = self.contracts.get(short_name(full_name))
        columns = contract.columns if contract else ()
        same = (one for one in columns if one.name.lower() == column.lower())
        return contract, next(same, None)

    def made_of(self, full_name: str, column: str) -> T | None:
        """What is known of the values of a column of a model by its name."""
        model = self.models.get(full_name)
        return self.origin(model, column) if model is not None else None

    def origin(self, model: Model, column: str) -> T | None:
        """The first of which something is known, of those that the values of this one are of."""
        return next(self.origins(model, column), None)

    def origins(self, model: Model, column: str) -> Iterator[T]:
        """The same of all of them."""
        scope = self._scope(model)
        yield from self._carried(scope, column) if scope else ()

    def _scope(self, model: Model) -> Scope | None:
        if model.fqn not in self.scopes:
            query = model.render_query() if model.is_sql else None
            spelled = with_windows(query.copy()) if query is not None else None
            self.scopes[model.fqn] = build_scope(spelled) if spelled is not None else None
        return self.scopes[model.fqn]

    def _of_table(self, table: exp.Table, column: str) -> T | None:
        full_name = exp.table_name(table, identify=True)
        asked = (full_name, column, self.each)
        if asked not in self.known:
            self.known[asked] = None  # A model that reads itself ends here.
            self.known[asked] = self.told(full_name, column)
        return self.known[asked]

    def _carried(self, scope: Scope, column: str) -> Iterator[T]:
        """Where the values that a column of a query holds come from."""
        select = scope.expression
        if isinstance(select, exp.SetOperation) and column in select.named_selects:
            number = select.named_selects.index(column)
            for part in scope.union_scopes or ():
                side = part.expression
                if isinstance(side, exp.Query) and number < len(side.named_selects):
                    yield from self._carried(part, side.named_selects[number])
        if isinstance(select, exp.Select):
            for one in select.selects:
                if one.alias_or_name == column:
                    yield from self._within(scope, select)._values(scope, one)
        elif isinstance(select, exp.UDTF):
            yield from self._values(scope, select)

    def _within(self, scope: Scope, select: exp.Select) -> Self:
        """Who looks below a query: of groups of several persons nothing is told of each."""
        group = select.args.get("group")
        measured = (one.find(exp.AggFunc) and not one.find(exp.Window) for one in select.selects)
        if not self.each or not (group or select.args.get("distinct") or any(measured)):
            return self
        keys = group.expressions if group else ()
        return self if self._named(scope, keys) else replace(self, each=False)

    def _named(self, scope: Scope, keys: Sequence[exp.Expr]) -> T | None:
        """The person that one of some keys leads to."""
        found = (one for key in keys for one in replace(self, each=False)._values(scope, key))
        return next(found, None)

    def _values(self, scope: Scope, node: exp.Expr) -> Iterator[T]:
        node = node.unalias().unnest()
        if isinstance(node, exp.Column):
            around = (one.sources.get(node.table) for one in (scope, scope.parent) if one)
            source = next(filter(None, around), None)
            if isinstance(source, exp.Table):
                yield from filter(None, [self._of_table(source, node.name)])
            elif isinstance(source, Scope):
                yield from self._carried(source, node.name)
        elif isinstance(node, exp.Query):
            inner = next((s for s in scope.subquery_scopes if s.expression is node), None)
            for one in node.selects if inner else ():
                yield from self._carried(inner, one.alias_or_name) if inner else ()
        elif isinstance(node, exp.Case | exp.If):
            branches = [one.args.get("true") for one in node.args.get("ifs") or [node]]
            for branch in (*branches, node.args.get("default"), node.args.get("false")):
                yield from self._values(scope, branch) if branch is not None else ()
        elif isinstance(node, exp.Window):
            yield from self._of_window(scope, node)
        elif isinstance(node, exp.Nullif):
            yield from self._values(scope, node.this)
        elif isinstance(node, exp.AggFunc) and not isinstance(node, _HANDED_ON):
            group = scope.expression.args.get("group")
            # Of the rows of one person, an average of its numbers is its number.
            if not isinstance(node, _COUNTS) and group and self._named(scope, group.expressions):
                yield from self._parts(scope, node)
        elif isinstance(node, exp.Mod):
            by = node.expression
            if not (by.is_int and int(by.name) <= _BUCKETS):
                yield from self._values(scope, node.this)
        elif isinstance(node, _HANDED_ON) or not isinstance(node, _STOPS):
            yield from self._parts(scope, node)

    def _of_window(self, scope: Scope, node: exp.Window) -> Iterator[T]:
        function, order = node.this, node.args.get("order")
        persons = self._named(scope, node.args.get("partition_by") or ())
        if isinstance(function, _NUMBERED):
            yield from self._values(scope, order.expressions[0].this) if order else ()
        elif persons and isinstance(function, exp.AggFunc) and not isinstance(function, _COUNTS):
            yield from self._parts(scope, function)
        else:
            yield from self._values(scope, function)
        if self.each and persons:
            yield persons

    def _parts(self, scope: Scope, node: exp.Expr) -> Iterator[T]:
        for part in node.iter_expressions():
            yield from self._values(scope, part)


class Persons(Followed[Origin]):
    """What leads to a person, as contracts say. One is believed, of whatever its product reads."""

    def told(self, full_name: str, column: str) -> Origin | None:
        """What the contract of a model by its name says, if it has one, or what it is made of."""
        contract, stated = self.stated(full_name, column)
        if contract is not None:
            return (contract, stated) if stated and stated.personal else None
        return self.made_of(full_name, column)

    def of_each(self, model: Model, column: str) -> Origin | None:
        """The column of a contract by whose persons the values of this one are told apart."""
        return replace(self, each=True).origin(model, column)
