"""Which columns of a model hold what leads to a person, whatever they are called.

The values are followed through the queries. What counts, compares or measures them leads to nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope
from sqlmesh.core.model import Model

from mesh.contracts import Column, Contract
from mesh.environments.names import short_name

# Of aggregates these hand a value on.
_HANDED_ON = (
    *(exp.Max, exp.Min, exp.AnyValue, exp.ArrayAgg, exp.GroupConcat, exp.First, exp.Last),
    *(exp.FirstValue, exp.LastValue, exp.NthValue, exp.Lag, exp.Lead),
)
_STOPS = (exp.Predicate, exp.Connector, exp.Not, exp.AggFunc, exp.Length, exp.Mod, exp.Sign)
Origin = tuple[Contract, Column]


@dataclass
class Persons:
    """models: by full name; contracts: by product. A contract is believed, of whatever it reads."""

    models: Mapping[str, Model]
    contracts: Mapping[str, Contract]
    known: dict[tuple[str, str], Origin | None] = field(default_factory=dict)
    scopes: dict[str, Scope | None] = field(default_factory=dict)

    def origin(self, model: Model, column: str) -> Origin | None:
        """The column of a contract that leads to a person, of which this one is made."""
        scope = self._scope(model)
        return self._first(scope, column) if scope else None

    def _scope(self, model: Model) -> Scope | None:
        if model.fqn not in self.scopes:
            query = model.render_query() if model.is_sql else None
            self.scopes[model.fqn] = build_scope(query) if query is not None else None
        return self.scopes[model.fqn]

    def _first(self, scope: Scope, column: str) -> Origin | None:
        found = (self._of_table(table, name) for table, name in self._carried(scope, column))
        return next(filter(None, found), None)

    def _of_table(self, table: exp.Table, column: str) -> Origin | None:
        full_name = exp.table_name(table, identify=True)
        if (full_name, column) not in self.known:
            self.known[full_name, column] = None  # A model that reads itself ends here.
            self.known[full_name, column] = self._read(table, full_name, column)
        return self.known[full_name, column]

    def _read(self, table: exp.Table, full_name: str, column: str) -> Origin | None:
        contract = self.contracts.get(short_name(full_name))
        if contract is not None:
            same = (one for one in contract.columns if one.name.lower() == column.lower())
            stated = next(same, None)
            return (contract, stated) if stated and stated.personal else None
        model = self.models.get(full_name)
        return self.origin(model, column) if model is not None else None

    def _carried(self, scope: Scope, column: str) -> Iterator[tuple[exp.Table, str]]:
        """The columns of tables whose values a column of a query holds."""
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
                    yield from self._values(scope, one)
        elif isinstance(select, exp.UDTF):
            yield from self._values(scope, select)

    def _values(self, scope: Scope, node: exp.Expr) -> Iterator[tuple[exp.Table, str]]:
        node = node.unalias().unnest()
        if isinstance(node, exp.Column):
            source = scope.sources.get(node.table)
            if isinstance(source, exp.Table):
                yield source, node.name
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
        elif isinstance(node, exp.Window | exp.Nullif):
            yield from self._values(scope, node.this)
        elif isinstance(node, _HANDED_ON) or not isinstance(node, _STOPS):
            for part in node.iter_expressions():
                yield from self._values(scope, part)
