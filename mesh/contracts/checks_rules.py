"""What is asked of the rules under `quality`: complete, of a kind that every gate can enforce."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mesh.contracts.checks_product import MEASURED_BY
from mesh.contracts.draft import LEVELS, Draft
from mesh.contracts.standard import Quality
from mesh.contracts.values import is_number
from mesh.files.problems import Problem, shown, suggestion
from mesh.files.tree import Steps

_COMPARATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
_COMMON = {"id", "name", "type", "description", "dimension", "severity", "tags", "businessImpact"}
_COMMON |= {"customProperties", "authoritativeDefinitions"}
_METRICS = ("rowCount", "duplicateValues")
_INSTEAD = {
    "nullValues": "Write `required: true` at the column.",
    "missingValues": "Write `required: true`, `minLength` or a rule of type `sql`.",
    "invalidValues": "Write `enum` or `logicalTypeOptions.pattern` at the column.",
}


def check_rules(draft: Draft) -> Iterator[Problem]:
    """Check the rules without parsing SQL."""
    for key in ("id", "name"):
        seen: dict[str, Steps] = {}
        for here, rule in draft.rules():
            value = getattr(rule, key)
            if value and value in seen:
                first = draft.tree.line((*seen[value], key))
                message = f"The rule {key} `{shown(value)}` stands twice: first on line {first}."
                yield draft.problem(
                    (*here, key), "ID_DUPLICATE", message, "Rename one of the rules."
                )
            seen.setdefault(value or "", here)
    for here, rule in draft.rules():
        what = f"The rule {shown(rule.id)}" if rule.id else "The rule"
        for key, fix in (
            ("id", "Give it a stable id."),
            ("description", "Say in plain words what holds."),
            ("dimension", "Name the quality dimension, such as consistency."),
            ("severity", "Write `error` when it must stop a plan, else `warning`."),
            ("type", "Write `sql` or `library`."),
        ):
            yield from draft.missing(here, key, what, fix)
        if rule.type == "sql":
            yield from _sql(draft, here, rule, what)
        elif rule.type == "library":
            yield from _library(draft, here, rule, what)


def _set(rule: Quality) -> set[str]:
    return {key for key in type(rule).model_fields if getattr(rule, key) is not None}


def _unused(draft: Draft, here: Steps, rule: Quality, used: set[str]) -> Iterator[Problem]:
    for key in sorted(_set(rule) - _COMMON - used):
        message = f"`{key}` means nothing for this kind of rule."
        yield draft.problem((*here, key), "RULE_UNSUPPORTED", message, "Leave it out.")


def _sql(draft: Draft, here: Steps, rule: Quality, what: str) -> Iterator[Problem]:
    yield from draft.missing(here, "query", what, "Write a query that counts the offending rows.")
    others = [key for key in _COMPARATORS[1:] if getattr(rule, key) is not None]
    for key in others:
        message = f"{what} compares with `{key}`."
        fix = "Let the query count offending rows, and write `mustBe: 0`."
        yield draft.problem((*here, key), "RULE_UNSUPPORTED", message, fix)
    if not others and (rule.mustBe != 0 or isinstance(rule.mustBe, bool)):
        message = f"{what} does not say that it must find nothing."
        at = (*here, "mustBe") if draft.stated((*here, "mustBe")) else here
        yield draft.problem(at, "RULE_UNSUPPORTED", message, "Write `mustBe: 0`.")
    yield from _unused(draft, here, rule, {"query", *_COMPARATORS})


def _library(draft: Draft, here: Steps, rule: Quality, what: str) -> Iterator[Problem]:
    if rule.metric not in _METRICS:
        if rule.metric is None:
            yield from draft.missing(here, "metric", what, "Write `rowCount` or `duplicateValues`.")
            return
        message = f"The metric `{shown(rule.metric)}` is not enforced for a table."
        fix = _INSTEAD.get(rule.metric) or suggestion(rule.metric, _METRICS)
        yield draft.problem((*here, "metric"), "RULE_UNSUPPORTED", message, fix)
        return
    if rule.metric == "rowCount":
        yield from _row_count(draft, here, rule, what)
        return
    if rule.mustBe != 0 or isinstance(rule.mustBe, bool):
        message = f"{what} allows duplicates."
        yield draft.problem(here, "RULE_UNSUPPORTED", message, "Write `mustBe: 0`.")
    names = (rule.arguments or {}).get("properties")
    known = {column.name for _, column in draft.columns() if column.name}
    if not isinstance(names, list) or not names:
        message = f"{what} does not say which columns are unique together."
        fix = "Write `arguments: {properties: [<column>, …]}`."
        yield draft.problem(here, "RULE_UNSUPPORTED", message, fix)
    else:
        for index, name in enumerate(names):
            if name not in known:
                message = f"The rule speaks of the column `{shown(name)}`, which is not there."
                at = (*here, "arguments", "properties", index)
                yield draft.problem(at, "RULE_COLUMN", message, suggestion(str(name), known))
    yield from _unused(draft, here, rule, {"metric", "mustBe", "arguments"})


def _row_count(draft: Draft, here: Steps, rule: Quality, what: str) -> Iterator[Problem]:
    usable = ("mustBeBetween", "mustBeGreaterOrEqualTo", "mustBeLessOrEqualTo")
    stated = [key for key in _COMPARATORS if getattr(rule, key) is not None]
    for key in stated:
        if key not in usable:
            message = f"{what} compares with `{key}`."
            fix = "Write `mustBeBetween: [<least>, <most>]`."
            yield draft.problem((*here, key), "RULE_UNSUPPORTED", message, fix)
    if len(stated) != 1:
        message = f"{what} states {'no bound' if not stated else 'several bounds'}."
        fix = "Write `mustBeBetween: [<least>, <most>]`."
        yield draft.problem(here, "RULE_UNSUPPORTED", message, fix)
    elif stated[0] in usable:
        bounds = getattr(rule, stated[0])
        bounds = bounds if isinstance(bounds, list) else [bounds]
        good = all(is_number(b) and b >= 0 and float(b).is_integer() for b in bounds)
        if not good or bounds != sorted(bounds):
            message = f"{what} has bounds that no table can keep: {shown(bounds)}."
            fix = "Write whole numbers from 0, the smaller one first."
            yield draft.problem((*here, stated[0]), "RANGE", message, fix)
    yield from _unused(draft, here, rule, {"metric", *_COMPARATORS})


def row_bounds(rule: Quality) -> tuple[int | None, int | None]:
    """Least and most rows of a row count rule that was found to be in order."""
    if rule.mustBeBetween:
        return int(rule.mustBeBetween[0]), int(rule.mustBeBetween[1])
    low, high = rule.mustBeGreaterOrEqualTo, rule.mustBeLessOrEqualTo
    return None if low is None else int(low), None if high is None else int(high)


def check_sql(
    draft: Draft, schema: Mapping[str, Mapping[str, str]], lost: Collection[str] = ()
) -> Iterator[Problem]:
    """Parse the SQL of the rules and resolve it against the columns of all products.

    lost: products that have a contract which cannot be read.
    """
    from mesh.contracts.sql import RuleSqlError, check_columns, parse_rule

    own = draft.column_types()
    for here, rule in draft.rules():
        if rule.type != "sql" or not rule.query or not rule.query.strip():
            continue
        at = (*here, "query")
        try:
            parsed = parse_rule(rule.query)
            for reference in parsed.references:
                if reference not in schema and reference not in lost:
                    message = f"The rule reads `{shown(reference)}`, which has no contract."
                    yield draft.problem(at, "REFERENCE", message, suggestion(reference, schema))
            if own:
                check_columns(parsed, own, schema)
        except RuleSqlError as error:
            yield draft.problem(at, error.rule, error.message, error.fix)


def check_references(
    draft: Draft, rule_ids: Mapping[str, set[str]], lost: Collection[str] = ()
) -> Iterator[Problem]:
    """Check that each completeness is measured by a rule that is there; lost: as above."""
    own = {rule.id for _, rule in draft.rules() if rule.id}
    for index, level in enumerate(draft.document.slaProperties or []):
        for item_index, item in enumerate(level.customProperties or []):
            if item.property != MEASURED_BY or not item.value:
                continue
            product, _, rule = str(item.value).rpartition("/")
            known = rule_ids.get(product, set()) if product else own
            if rule in known or product in lost:
                continue
            at = (*LEVELS, index, "customProperties", item_index, "value")
            message = f"`{shown(item.value)}` is no rule of {shown(product) or 'this contract'}."
            if product and product not in rule_ids:
                message = f"`{shown(product)}` has no contract."
                yield draft.problem(at, "REFERENCE", message, suggestion(product, rule_ids))
                continue
            yield draft.problem(at, "REFERENCE", message, suggestion(rule, known))
